/* invoke: chunks of InvokeModel, which hold one event of the model's own protocol in
 * base64, and its whole answers. */
#include "bedrock.h"

/* What the chunk's JSON is, by its members. */
struct look {
    struct lens_json_string type;
    struct lens_bytes event_name, event; /* of a model that speaks as Converse does */
    struct lens_bytes metrics;           /* amazon-bedrock-invocationMetrics */
    bool object;
};

static bool
is_converse_name(struct lens_bytes key)
{
    return LENS_KEY(key, "messageStart") || LENS_KEY(key, "contentBlockStart") ||
           LENS_KEY(key, "contentBlockDelta") || LENS_KEY(key, "contentBlockStop") ||
           LENS_KEY(key, "messageStop") || LENS_KEY(key, "metadata");
}

/* False: not JSON. */
static bool
look_at(struct lens_bytes json, struct look *l)
{
    struct lens_bytes key;
    struct lens_key_room room;
    struct lens_json j;

    memset(l, 0, sizeof *l);
    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) != LENS_JSON_OBJECT)
        return lens_json_skip(&j) && lens_json_end(&j);
    l->object = true;
    for (lens_json_object(&j); lens_read_member(&j, &key, &room);) {
        if (LENS_KEY(key, "type")) {
            lens_read_string(&j, &l->type);
        } else if (LENS_KEY(key, "amazon-bedrock-invocationMetrics")) {
            lens_read_raw(&j, &l->metrics);
        } else if (is_converse_name(key)) {
            /* `key` may lie in `room`, but these have no escapes worth keeping. */
            l->event_name = key.data == room.text ? (struct lens_bytes){ "", 0 } : key;
            lens_read_raw(&j, &l->event);
        } else {
            lens_json_skip(&j);
        }
    }
    return lens_json_end(&j);
}

/* Room that grows with the largest chunk and is kept. */
static bool
make_room(struct stream *s, size_t size)
{
    const struct lens_host *h = s->base.host;
    const size_t room = size < 1024 ? 1024 : size + size / 2;
    char *grown;

    if (size <= s->plain_size)
        return true;
    grown = h->grow(h, s->plain, s->plain_size, room);
    if (grown == NULL)
        return false;
    s->plain = grown;
    s->plain_size = room;
    return true;
}

/* The member `bytes`, decoded. Size -1: there is none, or it is broken. */
static int64_t
decode_bytes(struct stream *s, struct lens_bytes payload, lens_status *ret)
{
    struct lens_json_string bytes = { 0 };
    struct lens_bytes key;
    struct lens_key_room room;
    struct lens_json j;

    lens_json_begin(&j, payload.data, payload.size);
    if (lens_json_peek(&j) != LENS_JSON_OBJECT)
        return -1;
    for (lens_json_object(&j); lens_read_member(&j, &key, &room);) {
        if (LENS_KEY(key, "bytes"))
            lens_read_string(&j, &bytes);
        else
            lens_json_skip(&j);
    }
    if (!lens_json_end(&j) || bytes.raw.data == NULL)
        return -1;
    if (!make_room(s, 2 * bytes.raw.size + 8)) {
        *ret = LENS_E_TOO_LARGE;
        return -1;
    }
    if (!bytes.escaped)
        return lens_base64_decode(bytes.raw.data, bytes.raw.size, s->plain);
    /* "\/" is allowed in JSON: unescaped behind the room for the result. */
    return lens_base64_decode(s->plain + bytes.raw.size,
                              lens_json_unescape(&bytes, s->plain + bytes.raw.size),
                              s->plain);
}

static lens_status
tell_times(struct stream *s, struct lens_bytes metrics)
{
    lens_status st =
        counts_tell_time(s, metrics, "invocationLatency", "server_latency_ms");

    return st == LENS_OK
               ? counts_tell_time(s, metrics, "firstByteLatency", "server_first_byte_ms")
               : st;
}

/* Numbers of AWS count more than those of the model, and come with the last chunk. */
static lens_status
take_metrics(struct stream *s, struct lens_bytes metrics)
{
    if (metrics.size == 0)
        return LENS_OK;
    counts_read_metrics(s, metrics);
    return tell_times(s, metrics);
}

static lens_status
tell_claude(struct stream *s, struct lens_bytes json, struct lens_bytes metrics,
            const struct lens_frame *f)
{
    lens_status st;

    s->claude = true;
    st = take_metrics(s, metrics);
    return st == LENS_OK ? anthropic_event(&s->message, &s->base, json, f) : st;
}

/* The model's own reason to stop may come before, the metrics are the end. */
static lens_status
tell_plain(struct stream *s, struct lens_bytes json, const struct look *l,
           const struct lens_frame *f)
{
    lens_status st = take_metrics(s, l->metrics);

    if (st == LENS_OK && l->metrics.size > 0)
        s->final = true;
    if (st == LENS_OK && l->event.size > 0)
        return converse_event(s, l->event_name, l->event, f);
    return st == LENS_OK ? plain_message(s, json, f) : st;
}

static lens_status
tell_chunk(struct stream *s, struct lens_bytes json, const struct lens_frame *f)
{
    /* For messages about what is no JSON. */
    struct lens_frame inner = *f;
    struct look l;
    lens_status st;

    inner.data = json;
    if (!look_at(json, &l))
        return lens_stream_broken(&s->base, &inner);
    if (s->base.flags & LENS_STREAM_DONE && l.event.size == 0) {
        if (l.metrics.size == 0)
            return lens_stream_warn(&s->base, LENS_WARN_DATA_AFTER_DONE);
        st = take_metrics(s, l.metrics);
        if (st == LENS_OK)
            st = s->claude ? anthropic_settle(&s->message, &s->base, false)
                           : counts_tell(s);
        return st == LENS_OK ? lens_stream_message(&s->base, LENS_MSG_USAGE, f, -1) : st;
    }
    if (l.type.raw.size > 0 && l.event.size == 0)
        return tell_claude(s, json, l.metrics, &inner);
    return tell_plain(s, json, &l, &inner);
}

lens_status
invoke_chunk(struct stream *s, const struct lens_frame *f)
{
    lens_status st = LENS_OK;
    int64_t size;

    if (!LENS_KEY(f->name, "chunk"))
        return lens_stream_message(&s->base, LENS_MSG_OTHER, f, -1);
    size = decode_bytes(s, f->data, &st);
    if (st != LENS_OK)
        return st;
    if (size < 0) {
        st = lens_stream_fault(&s->base, LENS_CLASS_PROTOCOL_ERROR, LENS_KIND_PROTOCOL,
                               "a chunk of the stream holds no base64");
        return st == LENS_OK ? lens_stream_message(&s->base, LENS_MSG_ERROR, f, -1) : st;
    }
    return tell_chunk(s, (struct lens_bytes){ s->plain, (size_t)size }, f);
}

lens_status
invoke_document(struct stream *s, struct lens_bytes json)
{
    struct lens_json j;
    struct look l;
    lens_status st;

    look_at(json, &l);
    if (LENS_KEY(l.type.raw, "message") || LENS_KEY(l.type.raw, "error")) {
        s->claude = true;
        st = anthropic_document(&s->message, &s->base, json);
        counts_take_headers(s);
        return st == LENS_OK ? anthropic_settle(&s->message, &s->base, false) : st;
    }
    if (lens_json_find(json.data, json.size, "output.message", &j)) {
        st = converse_document(s, json);
    } else {
        st = plain_message(s, json, NULL);
        if (st == LENS_OK && !s->stopped && !s->counted &&
            !(s->base.flags & LENS_STREAM_OUTPUT))
            st = lens_stream_fault(&s->base, LENS_CLASS_PROTOCOL_ERROR,
                                   LENS_KIND_PROTOCOL, "the answer has no output");
    }
    counts_take_headers(s);
    return st == LENS_OK ? counts_tell(s) : st;
}
