#include "exporter-listen.h"

#include <gio/gio.h>
#include <string.h>

#include "host.h"

/* "HOST:PORT" with a numeric host, "localhost" or none; NULL: it is not that. */
static GSocketAddress *
parse_address(const char *text)
{
    const char *colon = strrchr(text, ':');
    g_autofree char *host = NULL;
    g_autoptr(GInetAddress) address = NULL;
    guint64 port;

    if (colon == NULL ||
        !g_ascii_string_to_unsigned(colon + 1, 10, 0, 65535, &port, NULL))
        return NULL;
    host = g_strndup(text, (gsize)(colon - text));
    if (host[0] == '[' && g_str_has_suffix(host, "]")) {
        memmove(host, host + 1, strlen(host));
        host[strlen(host) - 1] = '\0';
    }
    if (*host == '\0' || strcmp(host, "localhost") == 0)
        address = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
    else
        address = g_inet_address_new_from_string(host);
    return address != NULL ? g_inet_socket_address_new(address, (guint16)port) : NULL;
}

static lens_status fail(const struct lens_host *host, lens_status why, const char *format,
                        ...) G_GNUC_PRINTF(3, 4);

static lens_status
fail(const struct lens_host *host, lens_status why, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    return host->fail(host, why, text);
}

/* The address to bind, when it may be bound. */
static GSocketAddress *
check_address(const struct lens_host *host, const char *text, uint32_t flags,
              lens_status *ret_status)
{
    g_autoptr(GSocketAddress) at = parse_address(text);

    if (at == NULL) {
        *ret_status = fail(host, LENS_E_CONFIG,
                           "`%s` is not an address to listen at, expected HOST:PORT with "
                           "a numeric host, for instance 127.0.0.1:9464",
                           text);
        return NULL;
    }
    if ((flags & LENS_LISTEN_REMOTE) == 0 &&
        !g_inet_address_get_is_loopback(
            g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(at)))) {
        *ret_status = fail(host, LENS_E_CONFIG,
                           "`%s` is not a loopback address: other machines could read "
                           "there; allow_remote=true allows it",
                           text);
        return NULL;
    }
    return g_steal_pointer(&at);
}

#ifdef LENS_HAVE_SOUP

#include <libsoup/soup.h>
#include <pthread.h>
#include <signal.h>

struct listener {
    instance *instance;
    GSocketAddress *address;
    GMainContext *context;
    GMainLoop *loop;
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t answered;
    bool ready; /* under lock, like what follows */
    uint16_t port;
    char *error;
};

/* ---- one request ---- */

static void
add_header(const char *name, const char *value, void *data)
{
    const struct lens_pair pair = { { name, strlen(name) }, { value, strlen(value) } };

    g_array_append_val((GArray *)data, pair);
}

static lens_status
ask(instance *i, SoupServerMessage *message, struct lens_http_reply *reply)
{
    g_autoptr(GArray) headers = g_array_new(FALSE, FALSE, sizeof(struct lens_pair));
    g_autofree char *target = g_uri_to_string_partial(
        soup_server_message_get_uri(message), G_URI_HIDE_PASSWORD);
    const char *slash =
        strstr(target, "://") != NULL ? strchr(strstr(target, "://") + 3, '/') : target;
    SoupMessageBody *body = soup_server_message_get_request_body(message);
    g_autoptr(GBytes) bytes = soup_message_body_flatten(body);
    struct lens_http_request request = {
        .struct_size = sizeof request,
        .method = soup_server_message_get_method(message),
        .url = slash != NULL ? slash : "/",
        .header_size = sizeof(struct lens_pair),
    };

    soup_message_headers_foreach(soup_server_message_get_request_headers(message),
                                 add_header, headers);
    request.headers = (const struct lens_pair *)(const void *)headers->data;
    request.header_count = headers->len;
    request.body.data = g_bytes_get_data(bytes, &request.body.size);
    return i->plugin->ops.exporter.serve(i->self, &request, reply);
}

static void
on_request(SoupServer *server, SoupServerMessage *message, const char *path,
           GHashTable *query, void *data)
{
    const struct listener *l = data;
    struct lens_buffer body = { 0 };
    struct lens_http_reply reply = { .struct_size = sizeof reply, .body = &body };
    lens_status status;

    (void)server, (void)path, (void)query;
    if (l->instance->plugin->ops.exporter.serve == NULL) {
        soup_server_message_set_status(message, SOUP_STATUS_NOT_FOUND, NULL);
        return;
    }
    instance_lock(l->instance);
    status = ask(l->instance, message, &reply);
    if (status < 0) {
        g_autofree char *why = instance_failure(l->instance);

        buffer_clear(&body);
        buffer_append(&body, why, strlen(why));
        reply.status = SOUP_STATUS_INTERNAL_SERVER_ERROR;
        reply.content_type = "text/plain; charset=utf-8";
    }
    instance_unlock(l->instance);
    soup_server_message_set_status(
        message, (guint)(reply.status > 0 ? reply.status : SOUP_STATUS_OK), NULL);
    if (body.size > 0 || reply.content_type != NULL)
        soup_server_message_set_response(
            message, reply.content_type != NULL ? reply.content_type : "text/plain",
            SOUP_MEMORY_COPY, body.data != NULL ? body.data : "", body.size);
    buffer_clear(&body);
}

/* ---- the thread ---- */

static void
tell(struct listener *l, uint16_t port, const char *error)
{
    pthread_mutex_lock(&l->lock);
    l->ready = true;
    l->port = port;
    l->error = g_strdup(error);
    pthread_cond_signal(&l->answered);
    pthread_mutex_unlock(&l->lock);
}

static uint16_t
bound_port(SoupServer *server)
{
    GSList *uris = soup_server_get_uris(server);
    const int port = uris != NULL ? g_uri_get_port(uris->data) : 0;

    g_slist_free_full(uris, (GDestroyNotify)g_uri_unref);
    return (uint16_t)port;
}

static void *
listen_thread(void *data)
{
    struct listener *l = data;
    g_autoptr(GError) error = NULL;
    SoupServer *server;

    g_main_context_push_thread_default(l->context);
    server = soup_server_new("server-header", "lens", NULL);
    soup_server_add_handler(server, NULL, on_request, l, NULL);
    if (!soup_server_listen(server, l->address, 0, &error)) {
        tell(l, 0, error->message);
    } else {
        tell(l, bound_port(server), NULL);
        g_main_loop_run(l->loop);
        soup_server_disconnect(server);
    }
    g_object_unref(server);
    while (g_main_context_iteration(l->context, FALSE))
        ; /* what the server leaves to be done */
    g_main_context_pop_thread_default(l->context);
    return NULL;
}

static gboolean
quit(void *data)
{
    g_main_loop_quit(data);
    return G_SOURCE_REMOVE;
}

void
exporter_listen_free(void *listener)
{
    struct listener *l = listener;
    GSource *source;

    if (l == NULL)
        return;
    source = g_idle_source_new();
    g_source_set_callback(source, quit, l->loop, NULL);
    g_source_attach(source, l->context);
    g_source_unref(source);
    pthread_join(l->thread, NULL);
    g_main_loop_unref(l->loop);
    g_main_context_unref(l->context);
    g_object_unref(l->address);
    pthread_cond_destroy(&l->answered);
    pthread_mutex_destroy(&l->lock);
    g_free(l->error);
    g_free(l);
}

static bool
start_thread(struct listener *l)
{
    sigset_t all, before;
    int failed;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    failed = pthread_create(&l->thread, NULL, listen_thread, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0)
        tell(l, 0, g_strerror(failed));
    return failed == 0;
}

static struct listener *
listener_new(instance *i, GSocketAddress *address)
{
    struct listener *l = g_new0(struct listener, 1);

    l->instance = i;
    l->address = g_object_ref(address);
    l->context = g_main_context_new();
    l->loop = g_main_loop_new(l->context, FALSE);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->answered, NULL);
    return l;
}

lens_status
exporter_listen(const struct lens_host *host, const char *text, uint32_t flags,
                uint16_t *ret_port)
{
    instance *i = (instance *)host;
    lens_status status = LENS_OK;
    g_autoptr(GSocketAddress) address = check_address(host, text, flags, &status);
    struct listener *l;

    if (address == NULL)
        return status;
    if (i->listener != NULL)
        return fail(host, LENS_E_CONFIG, "listens already, one address is possible");
    l = listener_new(i, address);
    if (!start_thread(l)) {
        status = fail(host, LENS_E_IO, "cannot start a thread: %s", l->error);
        return status;
    }
    pthread_mutex_lock(&l->lock);
    while (!l->ready)
        pthread_cond_wait(&l->answered, &l->lock);
    pthread_mutex_unlock(&l->lock);
    if (l->error != NULL) {
        status = fail(host, LENS_E_IO, "cannot listen at %s: %s", text, l->error);
        exporter_listen_free(l);
        return status;
    }
    i->listener = l;
    *ret_port = l->port;
    return LENS_OK;
}

#else

void
exporter_listen_free(void *listener)
{
    (void)listener;
}

lens_status
exporter_listen(const struct lens_host *host, const char *text, uint32_t flags,
                uint16_t *ret_port)
{
    lens_status status = LENS_OK;
    g_autoptr(GSocketAddress) address = check_address(host, text, flags, &status);

    (void)ret_port;
    if (address == NULL)
        return status;
    return fail(host, LENS_E_UNSUPPORTED,
                "this lens was built without libsoup-3.0 and cannot listen");
}

#endif
