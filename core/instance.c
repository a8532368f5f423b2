#include <string.h>

#include "error.h"
#include "host-private.h"

static host_http_fn exporter_http;
static void (*exporter_http_free)(void *client);
static host_listen_fn exporter_listen;
static void (*exporter_listen_free)(void *listener);

void
host_set_http(host_http_fn call, void (*free_client)(void *client))
{
    exporter_http = call;
    exporter_http_free = free_client;
}

void
host_set_listen(host_listen_fn call, void (*free_listener)(void *listener))
{
    exporter_listen = call;
    exporter_listen_free = free_listener;
}

void
instance_lock(instance *i)
{
    pthread_mutex_lock(&i->lock);
}

void
instance_unlock(instance *i)
{
    pthread_mutex_unlock(&i->lock);
}

void
instance_set_http(instance *i, host_http_fn call, void (*free_client)(void *client))
{
    i->host.http = call;
    i->http_free = free_client;
}

static instance *
instance_new(const plugin *p, const option_values *options, uint64_t seed)
{
    instance *i = g_new0(instance, 1);

    g_assert(option_values_finished(options));
    host_init(&i->host);
    i->plugin = p;
    i->owner = g_strconcat(plugin_kind_name(p->kind), " ", p->name, NULL);
    i->options = options;
    i->seed = seed;
    pthread_mutex_init(&i->lock, NULL);
    return i;
}

static void
stop_listening(instance *i)
{
    if (i->listener != NULL && i->listener_free != NULL)
        i->listener_free(i->listener);
    i->listener = NULL;
}

static void
instance_free(instance *i)
{
    stop_listening(i);
    if (i->http != NULL && i->http_free != NULL)
        i->http_free(i->http);
    pthread_mutex_destroy(&i->lock);
    if (i->sources != NULL)
        g_ptr_array_unref(i->sources);
    g_free(i->failure);
    g_free(i->owner);
    g_free(i);
}

/* The instance when `open` went well, else its words as an error. */
static instance *
opened(instance *i, lens_status status, GError **error)
{
    g_autofree char *words = NULL;

    if (status >= 0)
        return i;
    words = instance_failure(i);
    g_set_error(error, LENS_ERROR,
                status == LENS_E_CONFIG ? LENS_ERROR_USAGE : LENS_ERROR_PLUGIN, "%s: %s",
                i->owner, words);
    instance_free(i);
    return NULL;
}

instance *
provider_open(const plugin *p, unsigned api, const option_values *options, uint64_t seed,
              GError **error)
{
    const struct lens_provider_args args = { .struct_size = sizeof args, .api = api };
    instance *i = instance_new(p, options, seed);

    return opened(i, p->ops.provider.open(&i->host, &args, &i->self), error);
}

instance *
workload_open(const plugin *p, const struct lens_workload_args *args,
              const option_values *options, GError **error)
{
    instance *i = instance_new(p, options, args->seed);

    return opened(i, p->ops.workload.open(&i->host, args, &i->self), error);
}

instance *
exporter_open(const plugin *p, const option_values *options, uint64_t seed,
              GError **error)
{
    instance *i = instance_new(p, options, seed);
    lens_status status;

    instance_set_http(i, exporter_http, exporter_http_free);
    i->host.listen = exporter_listen;
    i->listener_free = exporter_listen_free;
    i->host.histogram_next = host_histogram_next;
    instance_lock(i);
    status = p->ops.exporter.open(&i->host, &i->self);
    instance_unlock(i);
    return opened(i, status, error);
}

void
instance_close(instance *i)
{
    if (i == NULL)
        return;
    stop_listening(i);
    if (i->self != NULL) {
        switch (i->plugin->kind) {
        case LENS_KIND_OF_PROVIDER:
            i->plugin->ops.provider.close(i->self);
            break;
        case LENS_KIND_OF_WORKLOAD:
            i->plugin->ops.workload.close(i->self);
            break;
        default:
            i->plugin->ops.exporter.close(i->self);
        }
    }
    instance_free(i);
}

char *
instance_failure(instance *i)
{
    char *words = g_steal_pointer(&i->failure);

    i->failure_status = LENS_OK;
    return words == NULL ? g_strdup("gave no reason") : words;
}

static const struct lens_api *
api_at(const struct lens_provider *provider, uint32_t index)
{
    return (const struct lens_api *)((const char *)provider->apis +
                                     (size_t)index * provider->api_size);
}

int
provider_api(const plugin *p, const char *name, GError **error)
{
    const struct lens_provider *provider = &p->ops.provider;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *list = NULL;
    const char *near;

    if (name == NULL)
        return 0;
    for (uint32_t i = 0; i < provider->api_count; i++) {
        const char *candidate = api_at(provider, i)->name;

        if (strcmp(candidate, name) == 0)
            return (int)i;
        g_ptr_array_add(names, (char *)candidate);
    }
    g_ptr_array_add(names, NULL);
    near = nearest_name(name, (const char *const *)names->pdata);
    list = g_strjoinv(", ", (char **)names->pdata);
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                "provider %s has no api `%s`; %s%s%s", p->name, name,
                near == NULL ? "it has " : "did you mean `", near == NULL ? list : near,
                near == NULL ? "" : "`?");
    return -1;
}
