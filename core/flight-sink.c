#include "flight-sink.h"

#include <math.h>
#include <string.h>

#include "secret.h"

enum { TEXT_LIMIT = 16 * 1024 * 1024, EXTRA_LIMIT = 16 * 1024, NAME_LIMIT = 256 };
enum { FOLLOW_LIMIT = 64 * 1024 };

static void
set_text(char **field, struct lens_bytes text)
{
    g_free(*field);
    *field = secret_redact(text.data, (gssize)MIN(text.size, (size_t)NAME_LIMIT));
}

static void
append_json_string(GString *to, const char *text)
{
    g_string_append_c(to, '"');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            g_string_append_c(to, '\\');
        g_string_append_c(to, (unsigned char)*c < 0x20 ? ' ' : *c);
    }
    g_string_append_c(to, '"');
}

/* What the server says of itself, as members of one JSON object. */
static void
append_extra(GString *extra, const struct lens_event *e)
{
    g_autofree char *name = secret_redact(e->name.data, (gssize)MIN(e->name.size, 64u));
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    if (extra->len > EXTRA_LIMIT)
        return;
    g_string_append_c(extra, extra->len == 0 ? '{' : ',');
    append_json_string(extra, name);
    g_string_append_c(extra, ':');
    if (e->code == 2) {
        g_autofree char *text =
            secret_redact(e->text.data, (gssize)MIN(e->text.size, 512u));

        append_json_string(extra, text);
    } else if (e->code == 1) {
        g_string_append(extra, isfinite(e->number)
                                   ? g_ascii_dtostr(number, sizeof number, e->number)
                                   : "null");
    } else {
        g_string_append_printf(extra, "%" G_GINT64_FORMAT, e->value);
    }
}

void
flight_take_late(attempt *a, GString *extra, const struct lens_event *e)
{
    switch (e->kind) {
    case LENS_EV_USAGE:
        if (e->code < LENS_USAGE_COUNT)
            a->usage[e->code] = e->value;
        break;
    case LENS_EV_MODEL:
        set_text(&a->served_model, e->text);
        break;
    case LENS_EV_TIER:
        set_text(&a->tier, e->text);
        break;
    case LENS_EV_EXTRA:
        append_extra(extra, e);
        break;
    case LENS_EV_COST:
        a->cost_reported_usd = e->number;
        break;
    default:
        break;
    }
}

static void
note_follow_up(flight *f, const struct lens_event *e)
{
    GString **to = e->code == LENS_FOLLOW_AFTER ? &f->after : &f->next;

    if (*to != NULL)
        g_string_truncate(*to, 0);
    flight_append(to, e->text.data, e->text.size, FOLLOW_LIMIT);
    f->next_wanted |= e->code == LENS_FOLLOW_STREAM;
    f->after_wanted |= e->code == LENS_FOLLOW_AFTER;
}

static lens_status
on_event(struct lens_sink *sink, const struct lens_event *e)
{
    flight *f = (flight *)sink;
    attempt *a = f->now;

    f->content |= e->kind == LENS_EV_TOOL || (e->kind < LENS_EV_TOOL && e->text.size > 0);
    switch (e->kind) {
    case LENS_EV_TEXT:
    case LENS_EV_REFUSAL:
        if (f->context->record_text && e->lane == 0)
            flight_append(&f->text, e->text.data, e->text.size, TEXT_LIMIT);
        break;
    case LENS_EV_REASONING:
        if (f->context->record_text && e->lane == 0)
            flight_append(&f->reasoning, e->text.data, e->text.size, TEXT_LIMIT);
        break;
    case LENS_EV_USAGE:
        if (e->code < LENS_USAGE_COUNT)
            a->usage[e->code] = e->value;
        break;
    case LENS_EV_FINISH:
        if (e->lane == 0 || a->finish == NULL)
            set_text(&a->finish, e->text);
        break;
    case LENS_EV_WARN:
        if (e->code < 32)
            a->warnings |= 1u << e->code;
        a->usage_partial |= e->code == LENS_WARN_USAGE_PARTIAL;
        break;
    case LENS_EV_MODEL:
        set_text(&a->served_model, e->text);
        break;
    case LENS_EV_ID:
        set_text(&a->server_id, e->text);
        break;
    case LENS_EV_TIER:
        set_text(&a->tier, e->text);
        break;
    case LENS_EV_EXTRA:
        append_extra(f->extra, e);
        break;
    case LENS_EV_COST:
        a->cost_reported_usd = e->number;
        break;
    case LENS_EV_FOLLOW_UP:
        if (e->code == LENS_FOLLOW_STREAM || e->code == LENS_FOLLOW_AFTER)
            note_follow_up(f, e);
        break;
    default:
        break; /* of a newer minor */
    }
    return LENS_OK;
}

static lens_status
on_message(struct lens_sink *sink, uint32_t classes, uint64_t start, uint64_t end,
           int64_t tokens)
{
    flight *f = (flight *)sink;
    struct flight_mark *m;

    (void)start;
    (void)end;
    if (f->mark_count ==
        f->mark_capacity) { /* more messages in one look than ever before */
        f->mark_capacity = MAX(8, f->mark_capacity * 2);
        f->marks = g_renew(struct flight_mark, f->marks, f->mark_capacity);
    }
    m = &f->marks[f->mark_count++];
    m->at_ns = f->at_ns;
    m->clock = f->clock;
    m->classes = classes;
    m->tokens = tokens;
    return LENS_OK;
}

static uint32_t
where_of(const struct lens_failure *failure)
{
    return failure->error_class == LENS_CLASS_HTTP_ERROR ? WHERE_HTTP : WHERE_STREAM;
}

static lens_status
on_fault(struct lens_sink *sink, const struct lens_failure *failure)
{
    flight *f = (flight *)sink;

    if (f->failed)
        return LENS_OK;
    flight_fail(f, failure->error_class, failure->kind, where_of(failure),
                failure->message.data, (gssize)failure->message.size);
    f->now->retryable = failure->retryable == 1;
    f->now->retry_after_ns = failure->retry_after_ns;
    if (failure->code.size > 0)
        set_text(&f->now->error_code, failure->code);
    if (failure->request_id.size > 0)
        set_text(&f->now->server_id, failure->request_id);
    return LENS_OK;
}

void
flight_sink_init(struct lens_sink *sink, bool content)
{
    sink->struct_size = sizeof *sink;
    sink->wants = content ? LENS_WANT_CONTENT : 0;
    sink->event = on_event;
    sink->message = on_message;
    sink->fault = on_fault;
}
