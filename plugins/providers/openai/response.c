/* response: the object that says how a response went, whole or in its terminal event. */
#include <string.h>

#include "items.h"

static void
read_reason(struct lens_json *j, struct lens_json_string *ret)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (lens_json_peek(j) != LENS_JSON_OBJECT) {
        lens_json_skip(j);
        return;
    }
    for (lens_json_object(j); lens_read_member(j, &key, &room);) {
        if (LENS_KEY(key, "reason"))
            lens_read_string(j, ret);
        else
            lens_json_skip(j);
    }
}

static void
read_object_name(struct lens_json *j, struct chunk *c)
{
    struct lens_json_string name;

    lens_read_string(j, &name);
    c->error_body = c->error_body || LENS_KEY(name.raw, "error");
}

bool
response_read(struct lens_bytes json, struct chunk *c, struct response *r)
{
    struct lens_json j;
    struct lens_bytes key;
    struct lens_key_room room;

    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) != LENS_JSON_OBJECT) {
        lens_json_skip(&j);
        return lens_json_end(&j);
    }
    for (lens_json_object(&j); lens_read_member(&j, &key, &room);) {
        if (LENS_KEY(key, "id"))
            lens_read_string(&j, &c->id);
        else if (LENS_KEY(key, "model"))
            lens_read_string(&j, &c->model);
        else if (LENS_KEY(key, "service_tier"))
            lens_read_string(&j, &c->tier);
        else if (LENS_KEY(key, "usage"))
            lens_read_raw(&j, &c->usage);
        else if (LENS_KEY(key, "status"))
            lens_read_string(&j, &r->status);
        else if (LENS_KEY(key, "incomplete_details"))
            read_reason(&j, &r->reason);
        else if (LENS_KEY(key, "error"))
            lens_read_raw(&j, &r->error);
        else if (LENS_KEY(key, "output"))
            lens_read_raw(&j, &r->output);
        else if (LENS_KEY(key, "detail"))
            c->error_body = lens_json_skip(&j);
        else if (LENS_KEY(key, "object"))
            read_object_name(&j, c);
        else
            lens_json_skip(&j);
    }
    return lens_json_end(&j);
}

static bool
is_cancelled(const struct lens_json_string *status)
{
    return LENS_KEY(status->raw, "cancelled") || LENS_KEY(status->raw, "canceled");
}

/* A response that failed or was stopped is no answer, whatever its HTTP status. */
static lens_status
tell_outcome(struct stream *s, const struct response *r)
{
    if (r->error.size > 0)
        return lens_stream_complain(&s->base, r->error);
    if (LENS_KEY(r->status.raw, "failed"))
        return lens_stream_fault(&s->base, LENS_CLASS_STREAM_ERROR, LENS_KIND_SERVER,
                                 "the response failed without a reason");
    if (is_cancelled(&r->status))
        return lens_stream_fault(&s->base, LENS_CLASS_STREAM_ERROR, LENS_KIND_CANCELLED,
                                 "the response was cancelled");
    return LENS_OK;
}

/* Output that nobody streamed is told from the complete response. A second pass, when
 * there are more pieces than fit, tells them as they are found. */
static lens_status
tell_output(struct stream *s, struct chunk *c, struct lens_bytes output)
{
    lens_status st = LENS_OK;

    items_add(c, output);
    if (c->overflow) {
        c->direct = s;
        c->count = 0;
        items_add(c, output);
        return c->status;
    }
    for (unsigned i = 0; i < c->count && st == LENS_OK; i++)
        st = emit_piece(s, &c->piece[i]);
    c->count = 0;
    return st;
}

static lens_status
tell_finish(struct stream *s, struct chunk *c, const struct response *r)
{
    const struct piece p = { .kind = LENS_EV_FINISH,
                             .text = r->reason.raw.size > 0 ? r->reason : r->status };

    if (p.text.raw.size == 0)
        return LENS_OK;
    c->classes |= LENS_MSG_FINISH;
    return emit_piece(s, &p);
}

lens_status
response_tell(struct stream *s, struct chunk *c, const struct response *r)
{
    lens_status st = emit_identity(s, c);

    if (st == LENS_OK && r->output.size > 0 && !(s->base.flags & LENS_STREAM_OUTPUT))
        st = tell_output(s, c, r->output);
    if (st == LENS_OK)
        st = tell_finish(s, c, r);
    if (st == LENS_OK && c->usage.size > 0) {
        c->classes |= LENS_MSG_USAGE;
        usage_merge(s, c->usage, true);
        st = usage_tell(s);
    }
    return st == LENS_OK ? tell_outcome(s, r) : st;
}

lens_status
responses_whole(struct stream *s, struct lens_bytes json)
{
    struct chunk c;
    struct response r = { 0 };
    lens_status st;

    chunk_clear(&c);
    if (!response_read(json, &c, &r))
        return lens_stream_broken_document(&s->base, json);
    st = response_tell(s, &c, &r);
    if (st == LENS_OK && c.error_body)
        st = lens_stream_complain(&s->base, json);
    if (st == LENS_OK)
        st = emit_not_streamed(s);
    if (st == LENS_OK && r.output.size == 0 && r.status.raw.size == 0)
        st = lens_stream_fault(&s->base, LENS_CLASS_PROTOCOL_ERROR, LENS_KIND_PROTOCOL,
                               "the answer has no output");
    return st;
}
