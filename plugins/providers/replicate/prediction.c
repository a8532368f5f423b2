/* prediction: the JSON of a prediction: fresh, finished, and what it took. */
#include <string.h>

#include "replicate.h"
#include "sdk/emit.h"
#include "sdk/members.h"

struct prediction {
    struct lens_json_string id, model, status, error_text;
    struct lens_bytes output, error, metrics;
    struct lens_json_string get, stream;
};

static void
read_urls(struct lens_json *j, struct prediction *p)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "get"))
            lens_read_string(j, &p->get);
        else if (LENS_KEY(key, "stream"))
            lens_read_string(j, &p->stream);
        else
            lens_json_skip(j);
    }
}

/* 0: not a JSON object. */
static int
read_prediction(struct lens_bytes json, struct prediction *p)
{
    struct lens_json j;
    struct lens_bytes key;
    struct lens_key_room room;

    memset(p, 0, sizeof *p);
    lens_json_begin(&j, json.data, json.size);
    if (!lens_read_object(&j))
        return 0;
    while (lens_read_member(&j, &key, &room)) {
        if (LENS_KEY(key, "id"))
            lens_read_string(&j, &p->id);
        else if (LENS_KEY(key, "model"))
            lens_read_string(&j, &p->model);
        else if (LENS_KEY(key, "status"))
            lens_read_string(&j, &p->status);
        else if (LENS_KEY(key, "error"))
            lens_read_raw(&j, &p->error);
        else if (LENS_KEY(key, "output"))
            lens_read_raw(&j, &p->output);
        else if (LENS_KEY(key, "metrics"))
            lens_read_raw(&j, &p->metrics);
        else if (LENS_KEY(key, "urls"))
            read_urls(&j, p);
        else
            lens_json_skip(&j);
    }
    return lens_json_end(&j);
}

static int
status_is(const struct prediction *p, const char *name)
{
    return p->status.raw.size == strlen(name) &&
           memcmp(p->status.raw.data, name, p->status.raw.size) == 0;
}

static lens_status
tell_names(struct lens_stream *s, const struct prediction *p)
{
    lens_status st = lens_stream_id(s, &p->id);

    return st == LENS_OK ? lens_stream_model(s, &p->model) : st;
}

/* Failed or canceled on the server. 0: neither. */
static int
has_failed(struct lens_stream *s, const struct prediction *p, lens_status *ret)
{
    if (status_is(p, "canceled") || status_is(p, "aborted")) {
        *ret = lens_stream_fault(s, LENS_CLASS_STREAM_ERROR, LENS_KIND_CANCELLED,
                                 "the prediction was canceled");
        return 1;
    }
    if (!status_is(p, "failed"))
        return 0;
    *ret = p->error.size > 2
               ? lens_stream_complain(s, p->error)
               : lens_stream_fault(s, LENS_CLASS_STREAM_ERROR, LENS_KIND_SERVER,
                                   "the prediction failed");
    return 1;
}

/* ---- what it took ---- */

static lens_status
tell_metric(struct lens_sink *sink, struct lens_bytes key, struct lens_json *j)
{
    static const struct {
        const char *member, *name;
    } times[] = {
        { "predict_time", "predict_time_s" },
        { "total_time", "total_time_s" },
        { "queue_time", "queue_time_s" },
        { "time_to_first_token", "time_to_first_token_s" },
        { "tokens_per_second", "tokens_per_s" },
    };
    struct lens_event e = { .struct_size = sizeof e, .kind = LENS_EV_EXTRA, .code = 1 };
    int64_t tokens = -1;

    if (LENS_KEY(key, "input_token_count") || LENS_KEY(key, "token_input_count")) {
        lens_read_tokens(j, &tokens);
        return lens_emit_usage(sink, LENS_USAGE_INPUT, tokens);
    }
    if (LENS_KEY(key, "output_token_count") || LENS_KEY(key, "token_output_count")) {
        lens_read_tokens(j, &tokens);
        return lens_emit_usage(sink, LENS_USAGE_OUTPUT, tokens);
    }
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        if (!lens_json_is(&key, times[i].member))
            continue;
        if (!lens_json_double(j, &e.number))
            return LENS_OK;
        e.name = (struct lens_bytes){ times[i].name, strlen(times[i].name) };
        return sink->event(sink, &e);
    }
    lens_json_skip(j);
    return LENS_OK;
}

static lens_status
tell_metrics(struct lens_sink *sink, struct lens_bytes metrics)
{
    struct lens_json j;
    struct lens_bytes key;
    struct lens_key_room room;
    lens_status st = LENS_OK;

    if (metrics.size == 0)
        return LENS_OK;
    lens_json_begin(&j, metrics.data, metrics.size);
    if (!lens_read_object(&j))
        return LENS_OK;
    while (st == LENS_OK && lens_read_member(&j, &key, &room))
        st = tell_metric(sink, key, &j);
    return st;
}

lens_status
replicate_metrics(struct lens_sink *sink, struct lens_bytes json)
{
    struct prediction p;

    return read_prediction(json, &p) ? tell_metrics(sink, p.metrics) : LENS_E_PROTOCOL;
}

/* ---- a whole answer ---- */

static lens_status
tell_text(struct lens_stream *s, struct lens_json *j)
{
    struct lens_json_string text = { 0 };

    lens_read_string(j, &text);
    return lens_stream_text(s, LENS_EV_TEXT, 0, 0, NULL, &text);
}

/* A string, or the list of its fragments. */
static lens_status
tell_output(struct lens_stream *s, struct lens_bytes output)
{
    struct lens_json j;
    lens_status st = LENS_OK;

    if (output.size == 0)
        return LENS_OK;
    lens_json_begin(&j, output.data, output.size);
    if (lens_json_peek(&j) != LENS_JSON_ARRAY)
        return tell_text(s, &j);
    for (lens_json_array(&j); st == LENS_OK && lens_json_element(&j);)
        st = tell_text(s, &j);
    return st;
}

static lens_status
tell_document(struct lens_stream *s, const struct prediction *p)
{
    lens_status st = tell_names(s, p);

    if (st == LENS_OK)
        st = tell_output(s, p->output);
    if (st == LENS_OK)
        st = tell_metrics(s->sink, p->metrics);
    if (st != LENS_OK || has_failed(s, p, &st))
        return st;
    if (p->status.raw.size > 0 && !status_is(p, "succeeded") &&
        !status_is(p, "successful") && s->streamed)
        return lens_stream_fault(s, LENS_CLASS_PROTOCOL_ERROR, LENS_KIND_PROTOCOL,
                                 "the prediction has no stream: use --no-stream");
    if (p->status.raw.size > 0 && !status_is(p, "succeeded") &&
        !status_is(p, "successful"))
        return lens_stream_fault(s, LENS_CLASS_TRUNCATED, LENS_KIND_TIMEOUT,
                                 "the prediction had not ended when the server stopped "
                                 "waiting for it");
    return LENS_OK;
}

lens_status
replicate_document(struct lens_stream *s, struct lens_bytes json)
{
    struct prediction p;
    lens_status st;

    if (!read_prediction(json, &p))
        return lens_stream_broken_document(s, json);
    if (p.id.raw.size == 0 && p.output.size == 0)
        return p.error.size > 2
                   ? lens_stream_complain(s, json)
                   : lens_stream_fault(s, LENS_CLASS_PROTOCOL_ERROR, LENS_KIND_PROTOCOL,
                                       "the answer is not a prediction");
    st = tell_document(s, &p);
    if (st == LENS_OK && s->streamed)
        st = lens_stream_warn(s, LENS_WARN_NOT_STREAMED);
    return st;
}

/* ---- a fresh one ---- */

static lens_status
follow(struct lens_stream *s, uint32_t code, const struct lens_json_string *url)
{
    struct lens_event e = { .struct_size = sizeof e,
                            .kind = LENS_EV_FOLLOW_UP,
                            .code = code };
    char text[2048];

    if (url->raw.size == 0 || url->raw.size > sizeof text)
        return LENS_OK;
    e.text = (struct lens_bytes){ text, lens_json_unescape(url, text) };
    return s->sink->event(s->sink, &e);
}

lens_status
replicate_created(struct replicate_stream *s, struct lens_bytes json)
{
    struct lens_stream *base = &s->stream;
    struct prediction p;
    lens_status st;

    if (!read_prediction(json, &p))
        return lens_stream_broken_document(base, json);
    base->flags |= LENS_STREAM_MESSAGES;
    if (p.stream.raw.size == 0) {
        st = replicate_document(base, json);
        base->flags |= LENS_STREAM_DONE;
        return st;
    }
    st = tell_names(base, &p);
    if (st == LENS_OK)
        st = follow(base, LENS_FOLLOW_AFTER, &p.get);
    return st == LENS_OK ? follow(base, LENS_FOLLOW_STREAM, &p.stream) : st;
}
