/* tell: what a walk found becomes events. */
#include <string.h>

#include "http.h"
#include "sdk/emit.h"
#include "sdk/members.h"
#include "sdk/utf8.h"

/* ---- text ---- */

static uint32_t
class_of(uint32_t slot)
{
    switch (slot) {
    case SLOT_TEXT:
        return LENS_MSG_TEXT;
    case SLOT_REASONING:
        return LENS_MSG_REASONING;
    case SLOT_REFUSAL:
        return LENS_MSG_REFUSAL;
    default:
        return LENS_MSG_FINISH;
    }
}

static uint32_t
event_of(uint32_t slot)
{
    switch (slot) {
    case SLOT_TEXT:
        return LENS_EV_TEXT;
    case SLOT_REASONING:
        return LENS_EV_REASONING;
    case SLOT_REFUSAL:
        return LENS_EV_REFUSAL;
    default:
        return LENS_EV_FINISH;
    }
}

/* Leaves what is new of a text that is repeated whole. The same text is escaped the same
 * way, so bytes as they stand in JSON are compared. */
static void
cut_known(struct http_stream *s, const struct piece *p, struct lens_json_string *text)
{
    size_t *seen = &s->seen[p->slot == SLOT_REASONING][p->lane % LANES_MAX];
    const size_t size = text->raw.size;
    size_t known = *seen < size ? *seen : size;

    /* Never from within a character. */
    while (known < size && ((unsigned char)text->raw.data[known] & 0xc0) == 0x80)
        known++;
    text->raw.data += known;
    text->raw.size -= known;
    if (size > *seen)
        *seen = size;
}

static lens_status
tell_piece(struct http_stream *s, const struct piece *p, uint32_t *classes)
{
    struct lens_json_string text = p->text;

    if (p->slot == SLOT_FINISH) {
        s->finished = 1;
        if (p->type == LENS_JSON_BOOL && LENS_KEY(text.raw, "false")) {
            s->finished = 0;
            return LENS_OK;
        }
    } else if (p->type != LENS_JSON_STRING) {
        return LENS_OK;
    } else if (s->provider->cumulative && p->slot != SLOT_REFUSAL) {
        cut_known(s, p, &text);
    }
    if (text.raw.size == 0)
        return LENS_OK;
    *classes |= class_of(p->slot);
    return lens_stream_text(&s->stream, event_of(p->slot), p->lane, 0, NULL, &text);
}

/* What is no UTF-8 becomes U+FFFD, byte by byte. */
static size_t
repair(struct lens_bytes text, char *out)
{
    const char *at = text.data, *end = at + text.size;
    size_t used = 0;

    while (at < end) {
        const unsigned size = lens_utf8_length(at, end);

        if (size == 0) {
            used += lens_utf8_put(out + used, 0xfffd);
            at++;
            continue;
        }
        memcpy(out + used, at, size);
        used += size;
        at += size;
    }
    return used;
}

static int
is_utf8(struct lens_bytes text)
{
    const char *at = text.data, *end = at + text.size;

    while (at < end) {
        const unsigned size = lens_utf8_length(at, end);

        if (size == 0)
            return 0;
        at += size;
    }
    return 1;
}

lens_status
http_tell_text(struct http_stream *s, uint32_t kind, struct lens_bytes text)
{
    struct lens_json_string plain = { text, 0 };
    const struct lens_host *host = s->stream.host;
    const size_t room = text.size * 3;
    lens_status st;
    char *fixed;

    if (is_utf8(text) || !(s->stream.sink->wants & LENS_WANT_CONTENT))
        return lens_stream_text(&s->stream, kind, 0, 0, NULL, &plain);
    fixed = host->grow(host, NULL, 0, room);
    if (fixed == NULL)
        return LENS_E_TOO_LARGE;
    plain.raw = (struct lens_bytes){ fixed, repair(text, fixed) };
    st = lens_stream_text(&s->stream, kind, 0, 0, NULL, &plain);
    host->grow(host, fixed, room, 0);
    return st;
}

/* ---- tools ---- */

/* The piece of a slot that belongs to the same element of the same choice. */
static const struct piece *
partner(const struct found *f, const struct piece *p, uint32_t slot)
{
    for (uint32_t i = 0; i < f->piece_count; i++)
        if (f->pieces[i].slot == slot && walk_counts(f, &f->pieces[i]) &&
            f->pieces[i].lane == p->lane && f->pieces[i].element == p->element)
            return &f->pieces[i];
    return NULL;
}

/* By the server's number; without one a name starts the next call and anything else goes
 * on with the last one. */
static uint32_t
call_number(struct http_stream *s, const struct piece *index, int named)
{
    struct lens_json j;
    int64_t number;

    if (index != NULL) {
        lens_json_begin(&j, index->text.raw.data, index->text.raw.size);
        if (lens_json_int(&j, &number) && number >= 0 && number < INT32_MAX) {
            if (number >= s->next_tool)
                s->next_tool = (uint32_t)number + 1;
            return (uint32_t)number;
        }
    }
    if (named || s->next_tool == 0)
        s->next_tool++;
    return s->next_tool - 1;
}

static lens_status
tell_tool(struct http_stream *s, const struct piece *p, uint32_t *classes)
{
    const struct found *f = &s->found;
    const struct piece *name = partner(f, p, SLOT_TOOL_NAME);
    const struct piece *arguments = partner(f, p, SLOT_TOOL_ARGUMENTS);
    const int named = name != NULL && name->type == LENS_JSON_STRING;

    /* Both are told with the first of them. */
    if (p != (name == NULL                            ? arguments
              : arguments == NULL || name < arguments ? name
                                                      : arguments))
        return LENS_OK;
    *classes |= LENS_MSG_TOOL;
    return lens_stream_text(&s->stream, LENS_EV_TOOL, p->lane,
                            call_number(s, partner(f, p, SLOT_TOOL_INDEX), named),
                            named ? &name->text : NULL,
                            arguments != NULL ? &arguments->text : NULL);
}

static lens_status
tell_pieces(struct http_stream *s, uint32_t *classes)
{
    const struct found *f = &s->found;
    lens_status st = LENS_OK;

    for (uint32_t i = 0; i < f->piece_count && st == LENS_OK; i++) {
        const struct piece *p = &f->pieces[i];

        if (!walk_counts(f, p) || p->slot == SLOT_TOOL_INDEX)
            continue;
        if (p->slot == SLOT_TOOL_NAME || p->slot == SLOT_TOOL_ARGUMENTS)
            st = tell_tool(s, p, classes);
        else
            st = tell_piece(s, p, classes);
    }
    return st;
}

/* ---- counts and times ---- */

/* A number, also as text; -1: none. */
static int64_t
number_of(const struct value *v)
{
    struct lens_json j;
    int64_t number;

    lens_json_begin(&j, v->text.raw.data, v->text.raw.size);
    if (v->type == LENS_JSON_ARRAY)
        return lens_read_count(&j);
    if (v->type == LENS_JSON_NONE || v->text.raw.size == 0 ||
        lens_json_peek(&j) != LENS_JSON_NUMBER)
        return -1;
    return lens_json_int(&j, &number) && number >= 0 ? number : -1;
}

/* The last value counts, but zeros alone say nothing beside counts that are not. */
static void
take_usage(struct http_stream *s, uint32_t *classes)
{
    int64_t said[LENS_USAGE_COUNT];
    int any = 0, known = 0;

    for (uint32_t code = 1; code < LENS_USAGE_COUNT; code++) {
        said[code] = number_of(walk_value(&s->found, SLOT_USAGE + code));
        any = any || said[code] > 0;
        known = known || s->usage[code] > 0;
        if (said[code] >= 0)
            *classes |= LENS_MSG_USAGE;
    }
    for (uint32_t code = 1; code < LENS_USAGE_COUNT; code++)
        if (said[code] > 0 || (said[code] == 0 && (any || !known)))
            s->usage[code] = said[code];
    if (number_of(walk_value(&s->found, SLOT_TOTAL)) >= 0)
        s->total = number_of(walk_value(&s->found, SLOT_TOTAL));
}

lens_status
http_tell_usage(struct http_stream *s)
{
    int64_t u[LENS_USAGE_COUNT];
    lens_status st = LENS_OK;

    memcpy(u, s->usage, sizeof u);
    if (s->provider->cache_outside && u[LENS_USAGE_INPUT] >= 0) {
        if (u[LENS_USAGE_CACHE_READ] > 0)
            u[LENS_USAGE_INPUT] += u[LENS_USAGE_CACHE_READ];
        if (u[LENS_USAGE_CACHE_WRITE] > 0)
            u[LENS_USAGE_INPUT] += u[LENS_USAGE_CACHE_WRITE];
    }
    if (s->provider->reasoning_outside && u[LENS_USAGE_OUTPUT] >= 0 &&
        u[LENS_USAGE_REASONING] > 0)
        u[LENS_USAGE_OUTPUT] += u[LENS_USAGE_REASONING];
    if (u[LENS_USAGE_OUTPUT] < 0 && s->total >= 0 && u[LENS_USAGE_INPUT] >= 0 &&
        s->total >= u[LENS_USAGE_INPUT])
        u[LENS_USAGE_OUTPUT] = s->total - u[LENS_USAGE_INPUT];
    else if (u[LENS_USAGE_INPUT] < 0 && s->total >= 0 && u[LENS_USAGE_OUTPUT] >= 0 &&
             s->total >= u[LENS_USAGE_OUTPUT])
        u[LENS_USAGE_INPUT] = s->total - u[LENS_USAGE_OUTPUT];
    for (uint32_t code = 1; code < LENS_USAGE_COUNT && st == LENS_OK; code++) {
        if (u[code] == s->told[code])
            continue;
        s->told[code] = u[code];
        st = lens_emit_usage(s->stream.sink, code, u[code]);
    }
    return st;
}

/* Whole numbers exactly, others as double, anything else as text. */
static lens_status
tell_time(struct http_stream *s, const struct time_rule *rule, const struct value *v)
{
    struct lens_event e = { .struct_size = (uint32_t)sizeof e,
                            .kind = LENS_EV_EXTRA,
                            .name = { rule->name, strlen(rule->name) } };
    struct lens_json j;

    lens_json_begin(&j, v->text.raw.data, v->text.raw.size);
    if (v->type != LENS_JSON_NUMBER && v->type != LENS_JSON_STRING)
        return LENS_OK;
    if (lens_json_peek(&j) == LENS_JSON_NUMBER && lens_json_int(&j, &e.value) &&
        lens_json_end(&j))
        return s->stream.sink->event(s->stream.sink, &e);
    lens_json_begin(&j, v->text.raw.data, v->text.raw.size);
    e.code = 1;
    if (lens_json_peek(&j) != LENS_JSON_NUMBER || !lens_json_double(&j, &e.number) ||
        !lens_json_end(&j)) {
        e.code = 2;
        e.text = v->text.raw;
    }
    return s->stream.sink->event(s->stream.sink, &e);
}

static lens_status
tell_times(struct http_stream *s)
{
    lens_status st = LENS_OK;

    for (uint32_t i = 0; i < s->provider->time_count && st == LENS_OK; i++) {
        const struct value *v = walk_value(&s->found, SLOT_TIME + i);

        if (v->type != LENS_JSON_NONE)
            st = tell_time(s, &s->provider->times[i], v);
    }
    return st;
}

static lens_status
tell_cost(struct http_stream *s)
{
    const struct value *v = walk_value(&s->found, SLOT_COST);
    struct lens_event e = { .struct_size = (uint32_t)sizeof e, .kind = LENS_EV_COST };
    struct lens_json j;

    lens_json_begin(&j, v->text.raw.data, v->text.raw.size);
    if (v->type == LENS_JSON_NONE || lens_json_peek(&j) != LENS_JSON_NUMBER ||
        !lens_json_double(&j, &e.number))
        return LENS_OK;
    return s->stream.sink->event(s->stream.sink, &e);
}

static lens_status
tell_identity(struct http_stream *s)
{
    const struct found *f = &s->found;
    lens_status st = LENS_OK;

    if (walk_value(f, SLOT_ID)->type != LENS_JSON_NONE)
        st = lens_stream_id(&s->stream, &walk_value(f, SLOT_ID)->text);
    if (st == LENS_OK && walk_value(f, SLOT_MODEL)->type == LENS_JSON_STRING)
        st = lens_stream_model(&s->stream, &walk_value(f, SLOT_MODEL)->text);
    if (st == LENS_OK && !s->has_tier &&
        walk_value(f, SLOT_TIER)->type == LENS_JSON_STRING) {
        s->has_tier = 1;
        st = lens_stream_word(&s->stream, LENS_EV_TIER, &walk_value(f, SLOT_TIER)->text);
    }
    return st;
}

/* ---- one message ---- */

/* Whether the value at done_path ends the stream: the one that was named, or any that
 * says yes. */
static int
is_done(const struct http *p, const struct value *v)
{
    if (v->type == LENS_JSON_NONE)
        return 0;
    if (p->done_value == NULL)
        return http_is_error(v); /* not null, false, 0 or empty */
    return v->text.raw.size == strlen(p->done_value) &&
           memcmp(v->text.raw.data, p->done_value, v->text.raw.size) == 0;
}

lens_status
http_tell(struct http_stream *s, struct lens_bytes json, uint32_t *classes,
          int64_t *tokens)
{
    const struct found *f = &s->found;
    lens_status st = tell_identity(s);

    if (st == LENS_OK)
        st = tell_pieces(s, classes);
    if (*classes & LENS_MSG_OUTPUT)
        s->stream.flags |= LENS_STREAM_OUTPUT;
    take_usage(s, classes);
    *tokens = number_of(walk_value(f, SLOT_TOKENS));
    if (st == LENS_OK)
        st = tell_times(s);
    if (st == LENS_OK)
        st = tell_cost(s);
    if (st == LENS_OK && (http_is_error(walk_value(f, SLOT_ERROR)) ||
                          (walk_value(f, SLOT_ERROR)->type == LENS_JSON_NONE &&
                           (http_is_error(walk_value(f, SLOT_ERROR_CODE)) ||
                            http_is_error(walk_value(f, SLOT_ERROR_MESSAGE)))))) {
        *classes |= LENS_MSG_ERROR;
        st = http_complain(s, json);
    }
    if (is_done(s->provider, walk_value(f, SLOT_DONE)))
        *classes |= LENS_MSG_DONE;
    return st;
}
