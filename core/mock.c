#include "mock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "chrono.h"
#include "error.h"
#include "mock-private.h"

void
mock_settings_init(mock_settings *s)
{
    *s = (mock_settings){ .ttft_ns = 200 * NS_PER_MS,
                          .itl_ns = 20 * NS_PER_MS,
                          .tokens = 64,
                          .tokens_per_chunk = 1 };
}

uint16_t
mock_port(const mock *m)
{
    return m->port;
}

const char *
mock_url(const mock *m)
{
    return m->url;
}

char *
mock_truth(mock *m)
{
    char *json;

    pthread_mutex_lock(&m->lock);
    json = truth_json(m);
    pthread_mutex_unlock(&m->lock);
    return json;
}

static bool
check_settings(const mock_settings *s, GError **error)
{
    double faults = 0;

    for (int i = 0; i < FAULT_COUNT; i++)
        faults += s->faults[i];
    if (s->ttft_ns < 0 || s->itl_ns < 0 || s->jitter_ns < 0)
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "mock: --ttft, --itl and --jitter cannot be negative");
    else if (s->tokens < 0 || s->reasoning < 0 || s->cached < 0)
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "mock: --tokens, --reasoning and --cached cannot be negative");
    else if (s->tokens_per_chunk < 1)
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "mock: --tokens-per-chunk must be at least 1");
    else if (faults > 1.000001)
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "mock: the rates of all --fault add up to %g; at most 1 is possible, "
                    "for a request has one fault",
                    faults);
    else
        return true;
    return false;
}

static bool
collect_providers(mock *m, registry *plugins, GError **error)
{
    const GPtrArray *all = registry_plugins(plugins);
    const plugin *only = NULL;

    if (m->settings.provider != NULL) {
        only = registry_find(plugins, LENS_KIND_OF_PROVIDER, m->settings.provider, error);
        if (only == NULL)
            return false;
    }
    for (unsigned i = 0; i < all->len; i++) {
        const plugin *p = g_ptr_array_index(all, i);

        /* Where several protocols share a path, the common one has the first word. */
        if (p->kind == LENS_KIND_OF_PROVIDER && p->mock.recognise != NULL &&
            p->mock.encode != NULL && (only == NULL || p == only))
            g_ptr_array_insert(m->providers,
                               g_str_equal(p->name, LENS_DEFAULT_PROVIDER) ? 0 : -1,
                               (void *)p);
    }
    if (m->providers->len > 0)
        return true;
    if (only != NULL)
        g_set_error(error, LENS_ERROR, LENS_ERROR_PLUGIN,
                    "provider %s: its plugin (%s) cannot serve a mock", only->name,
                    only->path);
    else
        g_set_error(
            error, LENS_ERROR, LENS_ERROR_PLUGIN,
            "mock: none of the plugins found is a provider that can serve a mock; "
            "see lens plugin list");
    return false;
}

static bool
parse_address(const char *bind_to, uint16_t port, struct sockaddr_storage *ret,
              socklen_t *ret_size, GError **error)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

    memset(ret, 0, sizeof *ret);
    if (strcmp(bind_to, "localhost") == 0)
        bind_to = "127.0.0.1";
    if (inet_pton(AF_INET, bind_to, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        *ret_size = sizeof *v4;
    } else if (inet_pton(AF_INET6, bind_to, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        *ret_size = sizeof *v6;
    } else {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "--bind %s: expected an IP address such as 127.0.0.1", bind_to);
        return false;
    }
    return true;
}

static void
make_url(mock *m, const struct sockaddr_storage *address)
{
    const char *scheme = m->settings.tls ? "https" : "http";
    const bool v6 = address->ss_family == AF_INET6;
    const char *host = m->bind;

    /* The wildcard is no address to connect to. */
    if (strcmp(host, "0.0.0.0") == 0)
        host = "127.0.0.1";
    if (strcmp(host, "::") == 0)
        host = "::1";
    m->port = ntohs(v6 ? ((const struct sockaddr_in6 *)address)->sin6_port
                       : ((const struct sockaddr_in *)address)->sin_port);
    m->url = g_strdup_printf(v6 ? "%s://[%s]:%u" : "%s://%s:%u", scheme, host, m->port);
}

/* Accepted sockets inherit the options, which saves three calls for each. */
static bool
listen_on(mock *m, GError **error)
{
    struct sockaddr_storage address;
    socklen_t size = 0;
    const int yes = 1, stamps = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;

    if (!parse_address(m->bind, m->settings.port, &address, &size, error))
        return false;
    m->listen_fd =
        socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (m->listen_fd >= 0) {
        setsockopt(m->listen_fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        setsockopt(m->listen_fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        setsockopt(m->listen_fd, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof stamps);
    }
    if (m->listen_fd < 0 || bind(m->listen_fd, (struct sockaddr *)&address, size) < 0 ||
        listen(m->listen_fd, 16384) < 0 ||
        getsockname(m->listen_fd, (struct sockaddr *)&address, &size) < 0) {
        const int why = errno;

        g_set_error(error, LENS_ERROR, LENS_ERROR_SYSTEM,
                    "cannot listen on %s port %u: %s", m->bind, m->settings.port,
                    g_strerror(why));
        return false;
    }
    make_url(m, &address);
    return true;
}

static mock *
mock_alloc(const mock_settings *s)
{
    mock *m = g_new0(mock, 1);
    static const char room[RENDER_ROOM];

    m->settings = *s;
    m->bind = g_strdup(s->bind != NULL ? s->bind : "127.0.0.1");
    m->tool = g_strdup(s->tool);
    m->providers = g_ptr_array_new();
    m->listen_fd = m->epoll_fd = m->wake_fd = -1;
    pthread_mutex_init(&m->lock, NULL);
    wallclock_init(&m->wall);
    truth_init(&m->truth);
    buffer_append(&m->render, room, sizeof room);
    return m;
}

mock *
mock_new(const mock_settings *s, registry *plugins, GError **error)
{
    g_autoptr(mock) m = mock_alloc(s);

    if (!check_settings(s, error) || !collect_providers(m, plugins, error))
        return NULL;
    if (s->script != NULL) {
        m->script = mock_script_load(s->script, error);
        if (m->script == NULL)
            return NULL;
    }
    if (s->tls) {
        m->tls = tls_context_new(s->tls_cert_out, error);
        if (m->tls == NULL)
            return NULL;
    }
    if (!listen_on(m, error) || !mock_loop_open(m, error))
        return NULL;
    return g_steal_pointer(&m);
}

static void *
run_thread(void *data)
{
    mock_run(data);
    return NULL;
}

bool
mock_start(mock *m, GError **error)
{
    const int why = pthread_create(&m->thread, NULL, run_thread, m);

    if (why != 0)
        g_set_error(error, LENS_ERROR, LENS_ERROR_SYSTEM,
                    "cannot start the mock's thread: %s", g_strerror(why));
    m->started = why == 0;
    return m->started;
}

void
mock_stop(mock *m)
{
    const uint64_t one = 1;
    const int saved = errno;

    atomic_store(&m->stopping, true);
    if (write(m->wake_fd, &one, sizeof one) < 0)
        errno = saved;
    errno = saved;
}

void
mock_free(mock *m)
{
    if (m == NULL)
        return;
    if (m->started) {
        mock_stop(m);
        pthread_join(m->thread, NULL);
    }
    mock_loop_close(m);
    if (m->listen_fd >= 0)
        close(m->listen_fd);
    SSL_CTX_free(m->tls);
    mock_script_free(m->script);
    truth_clear(&m->truth);
    buffer_clear(&m->render);
    buffer_clear(&m->fragment);
    buffer_clear(&m->reasoning);
    buffer_clear(&m->whole);
    buffer_clear(&m->headers);
    g_ptr_array_unref(m->providers);
    pthread_mutex_destroy(&m->lock);
    g_free(m->tool);
    g_free(m->bind);
    g_free(m->url);
    g_free(m);
}
