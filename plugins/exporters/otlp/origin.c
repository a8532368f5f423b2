#include "origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Values of gen_ai.provider.name (semantic-conventions v1.41.1, registry/gen-ai). Names
 * that are not there are told as they are. */
static const struct {
    const char *ours, *told;
} providers[] = {
    { "azure", "azure.ai.openai" },
    { "bedrock", "aws.bedrock" },
    { "compat", "openai" },
    { "gemini", "gcp.gemini" },
    { "mistral", "mistral_ai" },
    { "vertex", "gcp.vertex_ai" },
    { "xai", "x_ai" },
};

static const char *
provider_told(const char *provider, const char *api)
{
    if (strcmp(provider, "gemini") == 0 && strstr(api, "vertex") != NULL)
        return "gcp.vertex_ai";
    for (size_t i = 0; i < sizeof providers / sizeof providers[0]; i++)
        if (strcmp(provider, providers[i].ours) == 0)
            return providers[i].told;
    return provider;
}

static const char *
operation_of(const char *provider, const char *api)
{
    if (strstr(api, "embed") != NULL)
        return "embeddings";
    if (strcmp(provider, "gemini") == 0)
        return "generate_content";
    if (strstr(api, "completion") != NULL || strstr(api, "generate") != NULL)
        return "text_completion";
    return "chat";
}

/* ---- what a URL says of its server ---- */

static int
take_server(struct origin_target *t, const char *url)
{
    const char *host = strstr(url, "://");
    const int tls = strncmp(url, "https", 5) == 0;
    size_t size;

    if (host == NULL)
        return 1;
    host += 3;
    if (host[0] == '[') {
        host++;
        size = strcspn(host, "]");
        t->port = host[size] != '\0' && host[size + 1] == ':' ? atoi(host + size + 2) : 0;
    } else {
        size = strcspn(host, ":/?#");
        t->port = host[size] == ':' ? atoi(host + size + 1) : 0;
    }
    if (t->port == 0)
        t->port = tls ? 443 : 80;
    t->address = strndup(host, size);
    return t->address != NULL;
}

static int
take_target(struct origin_target *to, const struct lens_target_info *from)
{
    to->name = strdup(from->name);
    to->model = strdup(from->model);
    to->provider = strdup(provider_told(from->provider, from->api));
    to->operation = operation_of(from->provider, from->api);
    return to->name != NULL && to->model != NULL && to->provider != NULL &&
           take_server(to, from->url);
}

static char *
copy_or_empty(const char *text)
{
    return strdup(text != NULL ? text : "");
}

static int
take_lists(struct origin *o, const struct lens_run *run)
{
    const char *at = (const char *)run->targets;

    o->targets = calloc(run->target_count + 1, sizeof *o->targets);
    o->stages = calloc(run->stage_count + 1, sizeof *o->stages);
    if (o->targets == NULL || o->stages == NULL)
        return 0;
    for (uint32_t i = 0; i < run->target_count; i++, at += run->target_size) {
        o->target_count++;
        if (!take_target(&o->targets[i],
                         (const struct lens_target_info *)(const void *)at))
            return 0;
    }
    at = (const char *)run->stages;
    for (uint32_t i = 0; i < run->stage_count; i++, at += run->stage_size) {
        o->stages[i] = strdup(((const struct lens_stage_info *)(const void *)at)->name);
        o->stage_count++;
        if (o->stages[i] == NULL)
            return 0;
    }
    return 1;
}

int
origin_take(struct origin *o, const struct lens_run *run, const char *service_name)
{
    const char *variable = getenv("OTEL_SERVICE_NAME");

    origin_clear(o);
    if (service_name == NULL)
        service_name = variable != NULL && variable[0] != '\0' ? variable : "lens";
    o->id = copy_or_empty(run->id);
    o->version = copy_or_empty(run->version);
    o->host_name = copy_or_empty(run->host_name);
    o->service_name = strdup(service_name);
    o->start_unix_ns = run->start_unix_ns;
    o->interval_ns = LENS_HAS(run, struct lens_run, interval_ns) ? run->interval_ns : 0;
    return o->id != NULL && o->version != NULL && o->host_name != NULL &&
           o->service_name != NULL && take_lists(o, run);
}

void
origin_clear(struct origin *o)
{
    for (uint32_t i = 0; i < o->target_count; i++) {
        free(o->targets[i].name);
        free(o->targets[i].model);
        free(o->targets[i].address);
        free(o->targets[i].provider);
    }
    for (uint32_t i = 0; i < o->stage_count; i++)
        free(o->stages[i]);
    free(o->targets);
    free(o->stages);
    free(o->id);
    free(o->version);
    free(o->host_name);
    free(o->service_name);
    memset(o, 0, sizeof *o);
}

/* ---- attributes ---- */

/* "k=v,k=v", percent-encoded (resource/sdk.md, "Specifying resource information via an
 * environment variable"); what we say ourselves is not said twice. */
static void
add_variable(struct tree *t, struct node *to)
{
    static const char *const ours[] = { "service.name", "service.instance.id",
                                        "service.version", "host.name", "os.type" };
    const char *list = getenv("OTEL_RESOURCE_ATTRIBUTES");

    while (list != NULL && *list != '\0') {
        const size_t size = strcspn(list, ",");
        const char *equals = memchr(list, '=', size);
        char *value = equals != NULL ? tree_room(t, size) : NULL;
        const size_t name = equals != NULL ? (size_t)(equals - list) : 0;
        size_t used = 0;
        int taken = value == NULL || name == 0;

        for (size_t i = 0; i < sizeof ours / sizeof ours[0] && !taken; i++)
            taken = strlen(ours[i]) == name && memcmp(ours[i], list, name) == 0;
        for (size_t i = name + 1; !taken && i < size; i++) {
            unsigned code;

            if (list[i] == '%' && i + 2 < size &&
                sscanf(list + i + 1, "%2x", &code) == 1) {
                value[used++] = (char)code;
                i += 2;
            } else {
                value[used++] = list[i];
            }
        }
        if (!taken)
            attribute_bytes(t, to, OTLP(RESOURCE_ATTRIBUTES),
                            (struct lens_bytes){ list, name },
                            (struct lens_bytes){ value, used });
        list += size + (list[size] == ',');
    }
}

void
origin_resource(const struct origin *o, struct tree *t, struct node *to)
{
    struct node *resource = tree_message(t, to, OTLP(RESOURCE));
    const struct otlp_field *f = OTLP(RESOURCE_ATTRIBUTES);

    attribute_string(t, resource, f, "service.name", o->service_name);
    attribute_string(t, resource, f, "service.version", o->version);
    attribute_string(t, resource, f, "service.instance.id", o->id);
    attribute_string(t, resource, f, "host.name", o->host_name);
    attribute_string(t, resource, f, "os.type", "linux");
    add_variable(t, resource);
}

void
origin_scope(const struct origin *o, struct tree *t, struct node *to)
{
    struct node *scope = tree_message(t, to, OTLP(SCOPE));

    tree_string(t, scope, OTLP(SCOPE_NAME), "lens");
    if (o->version[0] != '\0')
        tree_string(t, scope, OTLP(SCOPE_VERSION), o->version);
}

const struct origin_target *
origin_target(const struct origin *o, uint32_t target)
{
    static const struct origin_target unknown = { .name = (char *)"",
                                                  .model = (char *)"",
                                                  .operation = "chat",
                                                  .provider = (char *)"" };

    return target < o->target_count ? &o->targets[target] : &unknown;
}

void
origin_attributes(const struct origin *o, uint32_t target, uint32_t stage, struct tree *t,
                  struct node *to, const struct otlp_field *f)
{
    const struct origin_target *at = origin_target(o, target);

    attribute_string(t, to, f, "gen_ai.operation.name", at->operation);
    attribute_string(t, to, f, "gen_ai.provider.name", at->provider);
    attribute_string(t, to, f, "gen_ai.request.model", at->model);
    attribute_string(t, to, f, "server.address", at->address);
    if (at->address != NULL)
        attribute_int(t, to, f, "server.port", at->port);
    attribute_string(t, to, f, "lens.target", at->name);
    attribute_string(t, to, f, "lens.stage",
                     stage < o->stage_count ? o->stages[stage] : "");
}
