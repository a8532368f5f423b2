/* emit: what was read becomes events, in the order of the ABI: events of a message first,
 * then the message. */
#include <string.h>

#include "openai.h"

static struct lens_bytes
bytes_of(const char *text)
{
    return (struct lens_bytes){ text, strlen(text) };
}

/* Room for `size` unescaped bytes, kept for the next time. */
static char *
scratch(struct stream *s, size_t size)
{
    if (size > s->scratch_size) {
        const size_t room = size < 1024 ? 1024 : size + size / 2;
        char *grown = s->host->grow(s->host, s->scratch, s->scratch_size, room);

        if (grown == NULL)
            return NULL;
        s->scratch = grown;
        s->scratch_size = room;
    }
    return s->scratch;
}

/* Name and text side by side in the scratch room. */
static lens_status
unescape_piece(struct stream *s, const struct piece *p, struct lens_event *e)
{
    char *room;

    e->name = p->name.raw;
    e->text = p->text.raw;
    if (!p->name.escaped && !p->text.escaped)
        return LENS_OK;
    room = scratch(s, p->name.raw.size + p->text.raw.size);
    if (room == NULL)
        return LENS_E_TOO_LARGE;
    if (p->name.escaped) {
        e->name = (struct lens_bytes){ room, lens_json_unescape(&p->name, room) };
        room += e->name.size;
    }
    if (p->text.escaped)
        e->text = (struct lens_bytes){ room, lens_json_unescape(&p->text, room) };
    return LENS_OK;
}

lens_status
emit_piece(struct stream *s, const struct piece *p)
{
    struct lens_event e = {
        .struct_size = sizeof e, .kind = p->kind, .lane = p->lane, .code = p->code
    };
    lens_status st;

    if (p->kind != LENS_EV_FINISH && !(s->sink->wants & LENS_WANT_CONTENT))
        return LENS_OK;
    st = unescape_piece(s, p, &e);
    return st == LENS_OK ? s->sink->event(s->sink, &e) : st;
}

lens_status
emit_message(struct stream *s, uint32_t classes, const struct lens_frame *f,
             int64_t tokens)
{
    if (classes & LENS_MSG_OUTPUT)
        s->flags |= STREAM_OUTPUT;
    return s->sink->message(s->sink, classes != 0 ? classes : LENS_MSG_OTHER, f->start,
                            f->end, tokens);
}

lens_status
emit_warning(struct stream *s, uint32_t code)
{
    const struct lens_event e = { .struct_size = sizeof e,
                                  .kind = LENS_EV_WARN,
                                  .code = code };

    if (s->warned & (UINT32_C(1) << code))
        return LENS_OK;
    s->warned |= UINT32_C(1) << code;
    return s->sink->event(s->sink, &e);
}

lens_status
emit_fault(struct stream *s, uint32_t error_class, uint32_t kind, const char *message)
{
    const struct lens_failure failure = {
        .struct_size = sizeof failure,
        .error_class = error_class,
        .kind = kind,
        .retryable = lens_failure_retryable(kind),
        .retry_after_ns = -1,
        .message = bytes_of(message),
    };

    if (s->flags & STREAM_FAILED)
        return LENS_OK;
    s->flags |= STREAM_FAILED;
    return s->sink->fault(s->sink, &failure);
}

/* Identities are short; a longer one is cut before it is unescaped. */
static lens_status
emit_short(struct stream *s, uint32_t kind, const struct lens_json_string *text)
{
    char room[256];
    struct lens_json_string cut = *text;
    struct lens_event e = { .struct_size = sizeof e, .kind = kind };

    if (cut.raw.size > sizeof room)
        return LENS_OK;
    e.text = cut.raw;
    if (cut.escaped)
        e.text = (struct lens_bytes){ room, lens_json_unescape(&cut, room) };
    return s->sink->event(s->sink, &e);
}

static lens_status
emit_tier(struct stream *s, const struct lens_json_string *tier)
{
    if (tier->raw.size == 0 || tier->raw.size >= sizeof s->tier ||
        (strlen(s->tier) == tier->raw.size &&
         memcmp(s->tier, tier->raw.data, tier->raw.size) == 0))
        return LENS_OK;
    memcpy(s->tier, tier->raw.data, tier->raw.size);
    s->tier[tier->raw.size] = '\0';
    return emit_short(s, LENS_EV_TIER, tier);
}

lens_status
emit_identity(struct stream *s, const struct chunk *c)
{
    lens_status st = LENS_OK;

    if (!(s->flags & STREAM_HAS_ID) && c->id.raw.size > 0) {
        s->flags |= STREAM_HAS_ID;
        st = emit_short(s, LENS_EV_ID, &c->id);
    }
    if (st == LENS_OK && !(s->flags & STREAM_HAS_MODEL) && c->model.raw.size > 0) {
        s->flags |= STREAM_HAS_MODEL;
        st = emit_short(s, LENS_EV_MODEL, &c->model);
    }
    return st == LENS_OK ? emit_tier(s, &c->tier) : st;
}

/* 64-bit integers go as such, other numbers as double. */
static void
extra_number(struct lens_bytes raw, struct lens_event *e)
{
    bool whole = true;
    struct lens_json j;

    for (size_t i = 0; i < raw.size; i++)
        whole =
            whole && (raw.data[i] == '-' || (raw.data[i] >= '0' && raw.data[i] <= '9'));
    lens_json_begin(&j, raw.data, raw.size);
    if (whole && lens_json_int(&j, &e->value))
        return;
    e->code = 1;
    lens_json_begin(&j, raw.data, raw.size);
    lens_json_double(&j, &e->number);
}

static bool
ends_with(struct lens_bytes text, const char *end)
{
    const size_t size = strlen(end);

    return text.size >= size && memcmp(text.data + text.size - size, end, size) == 0;
}

lens_status
emit_extras(struct lens_sink *sink, struct lens_bytes object, const char *only,
            const char *unit)
{
    const size_t unit_size = strlen(unit);
    struct lens_json j;
    struct lens_bytes key, raw;
    lens_status st = LENS_OK;
    char name[96];

    lens_json_begin(&j, object.data, object.size);
    if (lens_json_peek(&j) != LENS_JSON_OBJECT)
        return LENS_OK;
    for (lens_json_object(&j); st == LENS_OK && lens_json_member(&j, &key);) {
        struct lens_event e = { .struct_size = sizeof e, .kind = LENS_EV_EXTRA };

        if (lens_json_peek(&j) != LENS_JSON_NUMBER ||
            key.size + unit_size > sizeof name ||
            (only != NULL && !ends_with(key, only))) {
            lens_json_skip(&j);
            continue;
        }
        lens_json_raw(&j, &raw);
        memcpy(name, key.data, key.size);
        for (size_t i = 0; i < unit_size; i++)
            name[key.size + i] = unit[i];
        e.name = (struct lens_bytes){ name, key.size + unit_size };
        extra_number(raw, &e);
        st = sink->event(sink, &e);
    }
    return st;
}

lens_status
emit_not_streamed(struct stream *s)
{
    return s->streamed ? emit_warning(s, LENS_WARN_NOT_STREAMED) : LENS_OK;
}
