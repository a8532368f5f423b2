/* head: what the head of an answer says about the request and the server. */
#include <string.h>
#include <strings.h>

#include "openai.h"

/* First one found is the request's id. */
static const char *const id_headers[] = {
    "x-request-id",     "request-id",        "apim-request-id",
    "x-amzn-requestid", "x-kong-request-id", "x-debug-trace-id",
    "nvcf-reqid",       "x-correlation-id",  "cf-ray",
};

/* Server times and limits are told under their own names, as prefix matches. */
static const char *const extra_headers[] = {
    "openai-processing-ms", "x-ratelimit-",       "ratelimit",
    "x-envoy-upstream-",    "x-kong-upstream-",   "fireworks-",
    "x-queue-time",         "x-inference-time",   "x-time-per-token",
    "x-total-time",         "x-validation-time",  "x-compute-time",
    "x-prompt-tokens",      "x-generated-tokens", "x-ratelimitbysize-",
    "server-timing",
};

static bool
starts_with(struct lens_bytes text, const char *start)
{
    const size_t size = strlen(start);

    return text.size >= size && strncasecmp(text.data, start, size) == 0;
}

static bool
is_extra(struct lens_bytes name)
{
    for (size_t i = 0; i < sizeof extra_headers / sizeof extra_headers[0]; i++)
        if (starts_with(name, extra_headers[i]))
            return true;
    return false;
}

/* Numbers go as numbers: whole ones exactly, others as double. */
static void
read_value(struct lens_bytes value, struct lens_event *e)
{
    struct lens_json j;
    bool whole = value.size > 0;

    for (size_t i = 0; i < value.size; i++)
        whole = whole && value.data[i] >= '0' && value.data[i] <= '9';
    lens_json_begin(&j, value.data, value.size);
    if (whole && lens_json_int(&j, &e->value) && lens_json_end(&j))
        return;
    lens_json_begin(&j, value.data, value.size);
    e->code = 1;
    if (lens_json_peek(&j) == LENS_JSON_NUMBER && lens_json_double(&j, &e->number) &&
        lens_json_end(&j))
        return;
    e->code = 2;
    e->text = value;
}

static lens_status
tell_extra(struct lens_sink *sink, const struct lens_pair *h)
{
    struct lens_event e = { .struct_size = sizeof e, .kind = LENS_EV_EXTRA };
    char name[96];

    if (h->name.size > sizeof name)
        return LENS_OK;
    for (size_t i = 0; i < h->name.size; i++) {
        const char byte = h->name.data[i];

        name[i] = (char)(byte == '-'                  ? '_'
                         : byte >= 'A' && byte <= 'Z' ? byte + 32
                                                      : byte);
    }
    e.name = (struct lens_bytes){ name, h->name.size };
    read_value(h->value, &e);
    return sink->event(sink, &e);
}

static const struct lens_pair *
pair_at(const struct lens_pair *headers, uint32_t size, uint32_t i)
{
    return (const struct lens_pair *)((const char *)headers + (size_t)i * size);
}

lens_status
head_tell(struct lens_sink *sink, const struct lens_pair *headers, uint32_t count,
          uint32_t size, struct lens_bytes *ret_id)
{
    struct lens_event id = { .struct_size = sizeof id, .kind = LENS_EV_ID };
    lens_status st = LENS_OK;

    for (size_t i = 0; i < sizeof id_headers / sizeof id_headers[0] && id.text.size == 0;
         i++)
        id.text = lens_header(headers, count, size, id_headers[i]);
    if (ret_id != NULL)
        *ret_id = id.text;
    if (id.text.size > 0)
        st = sink->event(sink, &id);
    for (uint32_t i = 0; i < count && st == LENS_OK; i++) {
        const struct lens_pair *h = pair_at(headers, size, i);

        if (is_extra(h->name))
            st = tell_extra(sink, h);
    }
    return st;
}

lens_status
openai_head(void *stream, const struct lens_head *h, struct lens_sink *sink)
{
    struct stream *s = stream;
    struct lens_bytes id;
    lens_status st;

    if (starts_with(h->content_type, "text/event-stream"))
        s->flags |= STREAM_EVENTS;
    else if (starts_with(h->content_type, "application/json"))
        s->flags |= STREAM_JSON;
    else if (h->content_type.size > 0)
        s->flags |= STREAM_FOREIGN;
    st = head_tell(sink, h->headers, h->header_count, h->header_size, &id);
    if (id.size > 0)
        s->flags |= STREAM_HAS_ID;
    return st;
}
