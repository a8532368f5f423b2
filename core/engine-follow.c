/* Requests that belong to a request: the one that brings the output, and what is asked
 * when all is over. */
#include <string.h>

#include "chrono.h"
#include "engine-private.h"

/* A server that keeps sending us on goes round in circles. */
enum { FOLLOW_MAX = 8, AFTER_BODY_LIMIT = 1024 * 1024 };
static const int64_t AFTER_NS = 10 * NS_PER_S;

static bool
describe(engine *e, const flight *f, const GString *about, struct lens_request *request)
{
    const struct lens_provider *p = &e->provider->plugin->ops.provider;
    const char *model = e->run->target->model;
    const struct lens_call call = {
        .struct_size = sizeof call,
        .kind = LENS_CALL_FOLLOW_UP,
        .args = { about->str, about->len },
        .credential =
            f->credential == NULL ? (struct lens_bytes){ "", 0 } : f->credential->bytes,
        .model = { model, model == NULL ? 0 : strlen(model) },
        .unix_ns = chrono_wall(),
    };

    return p->call_describe != NULL && p->call_decode != NULL &&
           p->call_describe(e->provider->self, &call, request) == LENS_OK &&
           !request->failed;
}

static char *
refusal(engine *e, const struct lens_request *request)
{
    return request->failed ? g_strdup(request->why) : instance_failure(e->provider);
}

/* ---- the output comes there ---- */

bool
engine_follow(engine *e, flight *f, const struct exchange_end *end)
{
    exchange *first = f->exchange, *next;

    if (!flight_may_follow(f, end) || f->follows >= FOLLOW_MAX)
        return false;
    next = transport_get(e->transport, f);
    if (!describe(e, f, f->next, &next->request)) {
        g_autofree char *words = refusal(e, &next->request);

        transport_put(e->transport, next);
        engine_stop_flight(e, f, LENS_KIND_PROTOCOL, LENS_OUTCOME_FAILED, words);
        return true;
    }
    flight_follow(f, next);
    transport_put(e->transport, first);
    transport_start(e->transport, next);
    return true;
}

/* ---- asked afterwards ---- */

struct after {
    struct lens_sink sink; /* first: the provider's pointer is ours */
    engine *engine;
    sample *sample;
    exchange *exchange;
    GString *body, *extra;
    int64_t begun_ns;
    int64_t worst, reserved; /* of the flight */
    bool failed;
};

static lens_status
on_event(struct lens_sink *sink, const struct lens_event *event)
{
    struct after *after = (struct after *)sink;
    sample *s = after->sample;

    flight_take_late(&s->attempts[s->attempt_count - 1], after->extra, event);
    return LENS_OK;
}

static lens_status
on_message(struct lens_sink *sink, uint32_t classes, uint64_t start, uint64_t end,
           int64_t tokens)
{
    (void)sink;
    (void)classes;
    (void)start;
    (void)end;
    (void)tokens;
    return LENS_OK;
}

static lens_status
on_fault(struct lens_sink *sink, const struct lens_failure *failure)
{
    (void)failure;
    ((struct after *)sink)->failed = true;
    return LENS_OK;
}

/* Once: a provider that lacks it lacks it for every request. */
static void
warn(engine *e, const char *why)
{
    if (!e->after_warned)
        g_warning("target %s: what was asked after a request got no answer: %s",
                  e->run->target->name, why);
    e->after_warned = true;
}

/* The sample is complete, with or without what was asked for. */
static void
close_after(struct after *after)
{
    engine *e = after->engine;
    sample *s = after->sample;
    attempt *a = &s->attempts[s->attempt_count - 1];

    if (after->extra->len > 0) {
        g_string_append_c(after->extra, '}');
        g_free(a->extra_json);
        a->extra_json = g_strdup(after->extra->str);
    }
    if (after->exchange != NULL)
        transport_put(e->after_transport, after->exchange);
    g_ptr_array_remove_fast(e->afters, after);
    g_string_free(after->body, TRUE);
    g_string_free(after->extra, TRUE);
    engine_pay(e, s, after->worst, after->reserved);
    engine_push(e, s);
    g_free(after);
}

static bool
on_after_head(exchange *x)
{
    (void)x;
    return true;
}

static bool
on_after_body(exchange *x, const char *data, size_t size, int64_t at_ns, uint32_t clock)
{
    struct after *after = x->user;

    (void)at_ns;
    (void)clock;
    if (after->body->len + size > AFTER_BODY_LIMIT)
        return false;
    g_string_append_len(after->body, data, (gssize)size);
    return true;
}

static void
on_after_look(exchange *x)
{
    (void)x;
}

static void
decode(struct after *after)
{
    engine *e = after->engine;
    const exchange *x = after->exchange;
    const struct lens_answer answer = {
        .struct_size = sizeof answer,
        .status = x->status,
        .headers = (const struct lens_pair *)(void *)x->headers->data,
        .header_count = x->headers->len,
        .header_size = sizeof(struct lens_pair),
        .body = { after->body->str, after->body->len },
        .unix_ns = chrono_wall(),
    };
    const lens_status status = e->provider->plugin->ops.provider.call_decode(
        e->provider->self, LENS_CALL_FOLLOW_UP, &answer, &after->sink);

    if (status < 0 || after->failed) {
        g_autofree char *words = instance_failure(e->provider);

        warn(e, status < 0 ? words : "the server says that it failed");
    }
}

static void
on_after_end(exchange *x, const struct exchange_end *end)
{
    struct after *after = x->user;
    g_autofree char *status = g_strdup_printf("HTTP %d", x->status);

    if (end->kind != LENS_KIND_NONE)
        warn(after->engine, end->detail == NULL ? "the connection broke" : end->detail);
    else if (x->status < 200 || x->status > 299)
        warn(after->engine, status);
    else
        decode(after);
    close_after(after);
}

static const struct exchange_events after_events = {
    .head = on_after_head,
    .body = on_after_body,
    .look = on_after_look,
    .resend = on_after_look,
    .end = on_after_end,
};

/* Connections of its own, so that those of the measurement stay as they are. */
static bool
have_transport(engine *e)
{
    g_autoptr(GError) error = NULL;

    if (e->after_transport == NULL)
        e->after_transport =
            transport_new(e->poller, e->run->target, true, &after_events, &error);
    if (e->after_transport == NULL)
        warn(e, error->message);
    return e->after_transport != NULL;
}

static struct after *
new_after(engine *e, sample *s)
{
    struct after *after = g_new0(struct after, 1);
    const char *extra = s->attempts[s->attempt_count - 1].extra_json;

    after->sink =
        (struct lens_sink){ sizeof after->sink, 0, on_event, on_message, on_fault };
    after->engine = e;
    after->sample = s;
    after->body = g_string_new(NULL);
    /* Open again, for more members. */
    after->extra = g_string_new_len(extra, extra == NULL ? 0 : (gssize)strlen(extra) - 1);
    after->begun_ns = chrono_now();
    g_ptr_array_add(e->afters, after);
    return after;
}

void
engine_complete(engine *e, flight *f)
{
    const bool over = f->sample->outcome == LENS_OUTCOME_OK ||
                      f->sample->outcome == LENS_OUTCOME_FAILED;
    const bool wanted = f->after_wanted && over && have_transport(e);
    sample *s = flight_take(f);
    struct after *after;

    if (!wanted) {
        engine_pay(e, s, f->worst, f->reserved);
        engine_push(e, s);
        return;
    }
    after = new_after(e, s);
    after->worst = f->worst;
    after->reserved = f->reserved;
    after->exchange = transport_get(e->after_transport, after);
    if (describe(e, f, f->after, &after->exchange->request)) {
        transport_start(e->after_transport, after->exchange);
    } else {
        g_autofree char *words = refusal(e, &after->exchange->request);

        warn(e, words);
        close_after(after);
    }
}

void
engine_sweep_afters(engine *e, int64_t now_ns, bool all)
{
    for (unsigned i = e->afters->len; i-- > 0;) {
        struct after *after = e->afters->pdata[i];

        if (!all && now_ns - after->begun_ns < AFTER_NS)
            continue;
        transport_cancel(e->after_transport, after->exchange);
        warn(e, all ? "the run was stopped" : "it took too long");
        close_after(after);
    }
}
