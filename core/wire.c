#include "wire.h"

#include <stdlib.h>
#include <string.h>

#include <lens/provider.h>

#include "chrono.h"
#include "sample.h"
#include "wire-private.h"

/* ---- what is for the wire ---- */

bool
wire_can_serve(const plan_target *target)
{
    return target->url != NULL &&
           g_ascii_strncasecmp(target->url, "http://", strlen("http://")) == 0 &&
           target->http != HTTP_2 && !target->multiplex && !target->follow_redirects &&
           target->proxy == NULL;
}

/* ---- life ---- */

wire *
wire_new(const struct transport_base *base)
{
    wire *w = g_new0(wire, 1);

    w->base = *base;
    w->places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, wire_place_free);
    w->origins = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, wire_origin_free);
    w->queued = g_ptr_array_new();
    w->departing = g_ptr_array_new();
    w->connecting = g_ptr_array_new();
    w->open = g_ptr_array_new();
    w->head = g_string_sized_new(1024);
    w->deadline_ns = INT64_MAX;
    wire_arena_init(&w->arena);
    return w;
}

void
wire_free(wire *w)
{
    if (w == NULL)
        return;
    while (w->open->len > 0)
        wire_connection_close(w->open->pdata[w->open->len - 1]);
    wire_resolve_close(w);
    g_hash_table_unref(w->places);
    g_hash_table_unref(w->origins);
    g_free(w->last_url);
    g_ptr_array_unref(w->queued);
    g_ptr_array_unref(w->departing);
    g_ptr_array_unref(w->connecting);
    g_ptr_array_unref(w->open);
    g_string_free(w->head, TRUE);
    wire_arena_clear(&w->arena);
    g_free(w);
}

exchange *
wire_exchange_new(void)
{
    struct wire_exchange *e = g_new0(struct wire_exchange, 1);

    return &e->x;
}

void
wire_exchange_free(exchange *x)
{
    g_free(x);
}

/* ---- exchanges ---- */

static void
enqueue(wire *w, struct wire_exchange *e)
{
    e->state = WIRE_QUEUED;
    e->begin_ns = e->sent_ns = -1;
    g_ptr_array_add(w->queued, e);
}

bool
wire_start(wire *w, exchange *x)
{
    struct wire_exchange *e = (struct wire_exchange *)x;

    e->wire = w;
    if (wire_place_of(w, x->request.url.data) == NULL)
        return false;
    e->fresh_only = !w->base.target->reuse;
    enqueue(w, e);
    return true;
}

/* Out of whatever list or connection it is in. */
static void
leave(wire *w, struct wire_exchange *e)
{
    wire_connection *c = e->connection;

    if (e->state == WIRE_QUEUED) {
        for (unsigned i = 0; i < w->queued->len; i++) {
            if (w->queued->pdata[i] == e)
                w->queued->pdata[i] = NULL;
        }
    } else if (e->state == WIRE_WAITING) {
        g_ptr_array_remove(wire_place_of(w, e->x.request.url.data)->origin->waiting, e);
    }
    e->state = WIRE_IDLE;
    e->connection = NULL;
    if (c != NULL)
        c->exchange = NULL;
}

void
wire_cancel(wire *w, exchange *x)
{
    struct wire_exchange *e = (struct wire_exchange *)x;
    wire_connection *c = e->connection;

    if (e->state == WIRE_IDLE)
        return;
    if (c != NULL && !c->connecting && x->first_byte_ns < 0)
        wire_settle_departure(c);
    leave(w, e);
    if (c != NULL)
        wire_connection_close(c);
    x->end_ns = chrono_now();
}

void
wire_end(struct wire_exchange *e, uint32_t kind, uint32_t where, const char *detail)
{
    const struct exchange_end end = { .kind = kind,
                                      .where = where,
                                      .detail = detail,
                                      .closed_early = kind != LENS_KIND_NONE };
    wire_connection *c = e->connection;
    exchange *x = &e->x;

    if (c != NULL) {
        x->bytes_received += c->answer.head_size;
        if (x->first_byte_ns < 0 && !c->connecting)
            wire_settle_departure(c);
        c->spoiled |= kind != LENS_KIND_NONE;
        x->end_ns = kind == LENS_KIND_NONE && x->last_byte_ns >= 0 ? x->last_byte_ns
                                                                   : chrono_now();
        c->exchange = NULL;
        e->connection = NULL;
        wire_connection_release(c);
    } else {
        x->end_ns = chrono_now();
    }
    e->state = WIRE_IDLE;
    e->wire->base.events->end(x, &end);
}

void
wire_resend(struct wire_exchange *e)
{
    wire_connection *c = e->connection;
    wire *w = c->wire;

    leave(w, e);
    wire_connection_close(c);
    w->base.events->resend(&e->x);
    e->fresh_only = true;
    enqueue(w, e);
}

/* ---- the loop ---- */

void
wire_run(wire *w)
{
    /* What is added meanwhile is sent as well. */
    for (unsigned i = 0; i < w->queued->len; i++) {
        if (w->queued->pdata[i] != NULL)
            wire_connect(w, w->queued->pdata[i]);
    }
    g_ptr_array_set_size(w->queued, 0);
    if (w->departing->len > 0)
        wire_take_departures(w);
    if (w->deadline_ns != INT64_MAX) {
        const int64_t now_ns = chrono_now();

        if (w->deadline_ns <= now_ns)
            wire_connect_sweep(w, now_ns);
    }
}

int64_t
wire_deadline(const wire *w)
{
    return w->queued->len > 0 ? 0 : w->deadline_ns;
}

bool
wire_merged(exchange *x)
{
    wire_connection *c = ((struct wire_exchange *)x)->connection;

    if (c == NULL)
        return false;
    c->recount = true;
    return stamper_merged(&c->stamper, c->item.fd);
}
