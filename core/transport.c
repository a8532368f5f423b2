/* Which way an exchange takes, and what both ways have in common. */
#include "transport.h"

#include <stdatomic.h>
#include <string.h>

#include "chrono.h"
#include "transport-curl.h"
#include "transport-private.h"
#include "wire.h"

const char TRANSPORT_HEAD_TOO_LARGE[] = "the headers are over 256 KiB";
const char TRANSPORT_CONNECT_TIMEOUT[] =
    "connect: no connection within --connect-timeout";
const char TRANSPORT_NO_FDS[] =
    "out of file descriptors: raise the limit (ulimit -n) or lower the concurrency";

struct transport {
    struct transport_base base;
    wallclock wall;
    wire *wire;            /* NULL: all goes by libcurl */
    curl_transport *curl;  /* NULL: not needed so far */
    GPtrArray *all, *idle; /* exchange */
};

static atomic_uint_fast64_t resource_failures;

void
transport_note_shortage(void)
{
    atomic_fetch_add(&resource_failures, 1);
}

uint64_t
transport_resource_failures(void)
{
    return atomic_load(&resource_failures);
}

/* ---- exchanges ---- */

static exchange *
exchange_new(void)
{
    exchange *x = wire_exchange_new();

    x->headers = g_array_new(FALSE, FALSE, sizeof(struct lens_pair));
    x->header_text = g_string_new(NULL);
    lens_request_init(&x->request);
    return x;
}

static void
exchange_free(void *data)
{
    exchange *x = data;

    curl_exchange_clear(x);
    lens_request_clear(&x->request);
    g_array_unref(x->headers);
    g_string_free(x->header_text, TRUE);
    wire_exchange_free(x);
}

void
exchange_forget_answer(exchange *x)
{
    x->departure_first_ns = x->departure_ns = x->first_byte_ns = -1;
    x->last_byte_ns = x->end_ns = -1;
    x->dns_ns = x->connect_ns = x->tls_ns = x->rtt_ns = -1;
    x->bytes_sent = x->bytes_received = 0;
    x->reused = false;
    x->departure_clock = x->first_byte_clock = 0;
    x->http_version = 0;
    x->status = 0;
    x->content_type[0] = '\0';
    g_array_set_size(x->headers, 0);
    g_string_truncate(x->header_text, 0);
}

const struct lens_pair *
exchange_header(const exchange *x, const char *name)
{
    const size_t size = strlen(name);

    for (unsigned i = 0; i < x->headers->len; i++) {
        const struct lens_pair *p = &g_array_index(x->headers, struct lens_pair, i);

        if (p->name.size == size && g_ascii_strncasecmp(p->name.data, name, size) == 0)
            return p;
    }
    return NULL;
}

void
exchange_settle_headers(exchange *x)
{
    const struct lens_pair *type;

    for (unsigned i = 0; i < x->headers->len; i++) {
        struct lens_pair *p = &g_array_index(x->headers, struct lens_pair, i);

        p->name.data = x->header_text->str + GPOINTER_TO_SIZE(p->name.data);
        p->value.data = x->header_text->str + GPOINTER_TO_SIZE(p->value.data);
    }
    type = exchange_header(x, "content-type");
    if (type != NULL)
        g_strlcpy(x->content_type, type->value.data,
                  MIN(type->value.size + 1, sizeof x->content_type));
}

/* ---- the way ---- */

static bool
need_curl(transport *t, GError **error)
{
    if (t->curl == NULL)
        t->curl = curl_transport_new(&t->base, error);
    return t->curl != NULL;
}

transport *
transport_new(poller *p, const plan_target *target, bool user_clock,
              const struct exchange_events *events, GError **error)
{
    transport *t = g_new0(transport, 1);

    wallclock_init(&t->wall);
    t->base = (struct transport_base){ p, target, events, &t->wall, user_clock };
    t->all = g_ptr_array_new_with_free_func(exchange_free);
    t->idle = g_ptr_array_new();
    if (wire_can_serve(target))
        t->wire = wire_new(&t->base);
    if (t->wire == NULL && !need_curl(t, error)) {
        transport_free(t);
        return NULL;
    }
    return t;
}

void
transport_free(transport *t)
{
    if (t == NULL)
        return;
    for (unsigned i = 0; i < t->all->len; i++)
        transport_cancel(t, t->all->pdata[i]);
    g_ptr_array_unref(t->all);
    g_ptr_array_unref(t->idle);
    wire_free(t->wire);
    curl_transport_free(t->curl);
    g_free(t);
}

exchange *
transport_get(transport *t, void *user)
{
    exchange *x;

    if (t->idle->len > 0) {
        x = g_ptr_array_steal_index_fast(t->idle, t->idle->len - 1);
    } else {
        x = exchange_new();
        g_ptr_array_add(t->all, x);
    }
    x->user = user;
    x->by_wire = false;
    lens_request_reset(&x->request);
    exchange_forget_answer(x);
    return x;
}

void
transport_start(transport *t, exchange *x)
{
    x->start_ns = chrono_now();
    x->by_wire = t->wire != NULL && wire_start(t->wire, x);
    if (!x->by_wire && need_curl(t, NULL))
        curl_transport_start(t->curl, x);
}

void
transport_cancel(transport *t, exchange *x)
{
    if (x->by_wire)
        wire_cancel(t->wire, x);
    else if (t->curl != NULL)
        curl_transport_cancel(t->curl, x);
}

void
transport_put(transport *t, exchange *x)
{
    x->user = NULL;
    if (!x->by_wire && x->private != NULL)
        curl_transport_put(t->curl, x);
    g_ptr_array_add(t->idle, x);
}

/* ---- the loop ---- */

void
transport_run(transport *t)
{
    wallclock_refresh(&t->wall, chrono_now());
    if (t->wire != NULL)
        wire_run(t->wire);
    if (t->curl != NULL)
        curl_transport_run(t->curl);
}

int64_t
transport_deadline(const transport *t)
{
    const int64_t wire_ns = t->wire != NULL ? wire_deadline(t->wire) : INT64_MAX;

    return t->curl != NULL ? MIN(wire_ns, curl_transport_deadline(t->curl)) : wire_ns;
}

bool
transport_merged(exchange *x)
{
    return x->by_wire ? wire_merged(x) : curl_transport_merged(x);
}

int64_t
transport_take_clock_step(transport *t)
{
    return wallclock_take_step(&t->wall);
}
