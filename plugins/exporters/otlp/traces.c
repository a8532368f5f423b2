#include "traces.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../common/field-names.h"

enum { KIND_CLIENT = 3, STATUS_ERROR = 2 };
/* W3C flag "sampled", and that the flags say whether the parent is remote (it is not). */
#define SPAN_FLAGS 0x101

int64_t
traces_duration(const struct lens_sample *s)
{
    return s->end_ns >= 0 && s->start_ns >= 0 ? s->end_ns - s->start_ns : 0;
}

/* The low 56 bits of a trace id are random (W3C trace context, level 2). */
static int
below_ratio(const struct lens_sample *s, double ratio)
{
    uint64_t bits = 0;

    for (size_t i = 9; i < 16; i++)
        bits = bits << 8 | s->trace_id[i];
    return (double)bits < ratio * 0x1p56;
}

int
traces_wanted(const struct settings *s, const struct lens_sample *sample)
{
    switch (s->sampling) {
    case TRACES_ALL:
        return 1;
    case TRACES_ERRORS:
        return sample->outcome == LENS_OUTCOME_FAILED;
    case TRACES_RATIO:
        return below_ratio(sample, s->ratio);
    default:
        return 0;
    }
}

struct node *
traces_begin(const struct origin *o, const struct settings *s, struct tree *t,
             struct node **ret_root)
{
    struct node *resource, *scope;

    *ret_root = tree_begin(t);
    resource = tree_message(t, *ret_root, OTLP(REQUEST_SPANS));
    origin_resource(o, t, resource);
    scope = tree_message(t, resource, OTLP(RESOURCE_SCOPE_SPANS));
    origin_scope(o, t, scope);
    (void)s;
    return scope;
}

static uint64_t
unix_of(const struct origin *o, int64_t ns)
{
    return (uint64_t)(o->start_unix_ns + (ns > 0 ? ns : 0));
}

static struct node *
begin_span(const struct lens_sample *s, const uint8_t *id, const uint8_t *parent,
           const char *name, struct tree *t, struct node *scope)
{
    struct node *span = tree_message(t, scope, OTLP(SCOPE_SPANS));

    tree_bytes(t, span, OTLP(SPAN_TRACE), s->trace_id, sizeof s->trace_id);
    tree_bytes(t, span, OTLP(SPAN_ID), id, 8);
    if (parent != NULL)
        tree_bytes(t, span, OTLP(SPAN_PARENT), parent, 8);
    tree_string(t, span, OTLP(SPAN_NAME), name);
    tree_integer(t, span, OTLP(SPAN_KIND), KIND_CLIENT);
    return span;
}

/* ---- attributes of a request ---- */

static void
add_usage(const struct settings *settings, const struct lens_sample *s, struct tree *t,
          struct node *span)
{
    const struct {
        const char *key;
        uint32_t kind;
    } kinds[] = {
        { "gen_ai.usage.input_tokens", LENS_USAGE_INPUT },
        { "gen_ai.usage.output_tokens", LENS_USAGE_OUTPUT },
        { "gen_ai.usage.cache_read.input_tokens", LENS_USAGE_CACHE_READ },
        { settings->next_names ? "gen_ai.usage.cache_write.input_tokens"
                               : "gen_ai.usage.cache_creation.input_tokens",
          LENS_USAGE_CACHE_WRITE },
        { "gen_ai.usage.reasoning.output_tokens", LENS_USAGE_REASONING },
    };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (s->usage[kinds[i].kind] >= 0)
            attribute_int(t, span, OTLP(SPAN_ATTRIBUTES), kinds[i].key,
                          s->usage[kinds[i].kind]);
}

static void
add_own(const struct lens_sample *s, struct tree *t, struct node *span)
{
    const struct otlp_field *f = OTLP(SPAN_ATTRIBUTES);

    attribute_int(t, span, f, "lens.request.id", (int64_t)s->id);
    attribute_string(t, span, f, "lens.outcome", outcome_word(s->outcome));
    attribute_string(t, span, f, "lens.phase", part_word(s->phase));
    attribute_string(t, span, f, "lens.clock", clock_word(s->first_clock));
    if (s->departure_ns >= 0 && s->first_output_ns >= 0)
        attribute_double(t, span, f, "lens.time_to_first_token",
                         (double)(s->first_output_ns - s->departure_ns) / 1e9);
    if (s->attempt > 0)
        attribute_int(t, span, f, "http.request.resend_count", s->attempt);
    if (LENS_HAS(s, struct lens_sample, cost_total) && s->cost_total >= 0)
        attribute_double(t, span, f, "lens.cost.total_usd", (double)s->cost_total / 1e12);
    if (isfinite(s->cost_reported_usd))
        attribute_double(t, span, f, "lens.cost.reported_usd", s->cost_reported_usd);
}

static void
add_attributes(const struct origin *o, const struct settings *settings,
               const struct lens_sample *s, struct tree *t, struct node *span)
{
    const struct otlp_field *f = OTLP(SPAN_ATTRIBUTES);

    origin_attributes(o, s->target, s->stage, t, span, f);
    if (s->streamed)
        attribute_bool(t, span, f, "gen_ai.request.stream", 1);
    if (s->asked_output_tokens >= 0)
        attribute_int(t, span, f, "gen_ai.request.max_tokens", s->asked_output_tokens);
    attribute_string(t, span, f, "gen_ai.response.id", s->server_id);
    attribute_string(t, span, f, "gen_ai.response.model", s->served_model);
    if (s->finish != NULL && s->finish[0] != '\0')
        attribute_list(t, span, f, "gen_ai.response.finish_reasons", s->finish);
    if (s->mark_count > 0 && s->start_ns >= 0)
        attribute_double(t, span, f, "gen_ai.response.time_to_first_chunk",
                         (double)(s->marks[0].at_ns - s->start_ns) / 1e9);
    add_usage(settings, s, t, span);
    attribute_string(t, span, f, "openai.response.service_tier", s->tier);
    if (s->http_status > 0)
        attribute_int(t, span, f, "http.response.status_code", s->http_status);
    if (s->error_kind != 0)
        attribute_string(t, span, f, "error.type", kind_word(s->error_kind));
    add_own(s, t, span);
}

/* ---- events ---- */

static struct node *
add_event(const struct origin *o, int64_t at_ns, const char *name, struct tree *t,
          struct node *span)
{
    struct node *event = tree_message(t, span, OTLP(SPAN_EVENTS));

    tree_integer(t, event, OTLP(EVENT_TIME), unix_of(o, at_ns));
    tree_string(t, event, OTLP(EVENT_NAME), name);
    return event;
}

static void
add_chunk(const struct origin *o, const struct lens_mark *m, struct tree *t,
          struct node *span)
{
    struct node *event = add_event(o, m->at_ns, "lens.chunk", t, span);
    char *classes = tree_room(t, 96);
    uint32_t rest = m->classes;
    size_t used = 0;

    for (const char *word = message_word(&rest); word != NULL && classes != NULL;
         word = message_word(&rest))
        used += (size_t)snprintf(classes + used, 96 - used, "%s%s", used > 0 ? "+" : "",
                                 word);
    if (used > 0)
        attribute_string(t, event, OTLP(EVENT_ATTRIBUTES), "lens.classes", classes);
    if (m->tokens >= 0)
        attribute_int(t, event, OTLP(EVENT_ATTRIBUTES), "lens.tokens", m->tokens);
}

static void
add_events(const struct origin *o, const struct settings *settings,
           const struct lens_sample *s, struct tree *t, struct node *span)
{
    const char *at = (const char *)s->marks;

    if (s->first_output_ns >= 0)
        add_event(o, s->first_output_ns, "lens.first_output", t, span);
    if (s->first_text_ns >= 0 && s->first_text_ns != s->first_output_ns)
        add_event(o, s->first_text_ns, "lens.first_text", t, span);
    for (uint32_t i = 0; settings->chunks && i < s->mark_count; i++, at += s->mark_size)
        add_chunk(o, (const struct lens_mark *)(const void *)at, t, span);
}

/* ---- status ---- */

static void
add_status(uint32_t failed, const char *detail, struct tree *t, struct node *span)
{
    struct node *status;

    if (!failed)
        return;
    status = tree_message(t, span, OTLP(SPAN_STATUS));
    if (detail != NULL && detail[0] != '\0')
        tree_string(t, status, OTLP(STATUS_MESSAGE), detail);
    tree_integer(t, status, OTLP(STATUS_CODE), STATUS_ERROR);
}

/* ---- attempts ---- */

static void
add_attempt(const struct origin *o, const struct lens_sample *s,
            const struct lens_attempt *a, struct tree *t, struct node *scope)
{
    const struct otlp_field *f = OTLP(SPAN_ATTRIBUTES);
    struct node *span = begin_span(s, a->span_id, s->span_id, "attempt", t, scope);
    const int64_t end = a->end_ns >= 0 ? a->end_ns : s->end_ns;

    tree_integer(t, span, OTLP(SPAN_START), unix_of(o, a->start_ns));
    tree_integer(t, span, OTLP(SPAN_END),
                 unix_of(o, end > a->start_ns ? end : a->start_ns));
    attribute_int(t, span, f, "http.request.resend_count", a->number);
    if (a->http_status > 0)
        attribute_int(t, span, f, "http.response.status_code", a->http_status);
    if (a->error_kind != 0) {
        attribute_string(t, span, f, "error.type", kind_word(a->error_kind));
        attribute_string(t, span, f, "lens.error.where", where_word(a->error_where));
    }
    if (a->first_output_ns >= 0)
        add_event(o, a->first_output_ns, "lens.first_output", t, span);
    add_status(a->error_kind != 0, a->error_detail, t, span);
    tree_integer(t, span, OTLP(SPAN_FLAGS), SPAN_FLAGS);
}

static const struct lens_attempt *
attempt_at(const struct lens_sample *s, uint32_t nth)
{
    return (const struct lens_attempt *)(const void *)((const char *)s->attempts +
                                                       (size_t)nth * s->attempt_size);
}

static uint32_t
attempts_of(const struct lens_sample *s)
{
    return LENS_HAS(s, struct lens_sample, attempt_size) && s->attempts != NULL
               ? s->attempt_count
               : 0;
}

static char *
name_of(const struct origin *o, const struct lens_sample *s, struct tree *t)
{
    const struct origin_target *target = origin_target(o, s->target);
    const size_t size = strlen(target->operation) + strlen(target->model) + 2;
    char *name = tree_room(t, size);

    if (name != NULL)
        snprintf(name, size, "%s%s%s", target->operation,
                 target->model[0] != '\0' ? " " : "", target->model);
    return name != NULL ? name : (char *)"";
}

void
traces_add(const struct origin *o, const struct settings *settings,
           const struct lens_sample *s, struct tree *t, struct node *scope)
{
    const uint32_t attempts = attempts_of(s);
    struct node *span = begin_span(s, s->span_id, NULL, name_of(o, s, t), t, scope);
    int64_t start = attempts > 0 ? attempt_at(s, 0)->start_ns : s->start_ns;
    int64_t end = s->end_ns;

    start = start >= 0 ? start : s->due_ns;
    end = end > start ? end : start;
    tree_integer(t, span, OTLP(SPAN_START), unix_of(o, start));
    tree_integer(t, span, OTLP(SPAN_END), unix_of(o, end));
    add_attributes(o, settings, s, t, span);
    add_events(o, settings, s, t, span);
    add_status(s->outcome == LENS_OUTCOME_FAILED, s->error_detail, t, span);
    tree_integer(t, span, OTLP(SPAN_FLAGS), SPAN_FLAGS);
    for (uint32_t i = 0; attempts > 1 && i < attempts; i++)
        add_attempt(o, s, attempt_at(s, i), t, scope);
}
