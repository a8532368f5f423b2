#include "head.h"

#include <string.h>
#include <strings.h>

#include "failure.h"
#include "json.h"

/* The first one found is the request's id: the vendors' own before what any gateway on
 * the way may have added. */
static const char *const id_headers[] = {
    "apim-request-id",   "request-id", "x-amzn-requestid", "x-kong-request-id",
    "x-debug-trace-id",  "nvcf-reqid", "x-request-id",     "x-correlation-id",
    "x-litellm-call-id", "cf-ray",
};

/* Server times, limits and what decides about them, as starts of names. */
static const char *const extra_headers[] = {
    "openai-processing-ms",
    "x-ratelimit-",
    "ratelimit",
    "anthropic-ratelimit-",
    "x-envoy-upstream-",
    "x-kong-upstream-",
    "fireworks-",
    "x-queue-time",
    "x-inference-time",
    "x-time-per-token",
    "x-total-time",
    "x-validation-time",
    "x-compute-time",
    "x-prompt-tokens",
    "x-generated-tokens",
    "x-ratelimitbysize-",
    "server-timing",
    "x-amzn-bedrock-",
    "x-ms-region",
    "x-ms-rai-invoked",
    "azureml-model-session",
    "x-litellm-response-duration-ms",
    "x-litellm-overhead-duration-ms",
};

static int
starts_with(struct lens_bytes text, const char *start)
{
    const size_t size = strlen(start);

    return text.size >= size && strncasecmp(text.data, start, size) == 0;
}

int
lens_head_is(struct lens_bytes content_type, const char *type)
{
    const size_t size = strlen(type);

    return starts_with(content_type, type) &&
           (content_type.size == size || strchr("; \t", content_type.data[size]) != NULL);
}

static int
is_extra(struct lens_bytes name)
{
    for (size_t i = 0; i < sizeof extra_headers / sizeof extra_headers[0]; i++)
        if (starts_with(name, extra_headers[i]))
            return 1;
    return 0;
}

/* Numbers go as numbers: whole ones exactly, others as double. */
static void
read_value(struct lens_bytes value, struct lens_event *e)
{
    struct lens_json j;
    int whole = value.size > 0;

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
    struct lens_event e = { .struct_size = (uint32_t)sizeof e, .kind = LENS_EV_EXTRA };
    char name[96];

    if (h->name.size > sizeof name)
        return LENS_OK;
    for (size_t i = 0; i < h->name.size; i++) {
        const char byte = h->name.data[i];

        name[i] = (char)(byte == '-'                  ? '_'
                         : byte >= 'A' && byte <= 'Z' ? byte + 32
                                                      : byte);
    }
    e.name.data = name;
    e.name.size = h->name.size;
    read_value(h->value, &e);
    return sink->event(sink, &e);
}

lens_status
lens_head_tell(struct lens_sink *sink, const struct lens_pair *headers, uint32_t count,
               uint32_t size, struct lens_bytes *ret_id)
{
    struct lens_event id = { .struct_size = (uint32_t)sizeof id, .kind = LENS_EV_ID };
    lens_status st = LENS_OK;

    for (size_t i = 0; i < sizeof id_headers / sizeof id_headers[0] && id.text.size == 0;
         i++)
        id.text = lens_header(headers, count, size, id_headers[i]);
    if (ret_id != NULL)
        *ret_id = id.text;
    if (id.text.size > 0)
        st = sink->event(sink, &id);
    for (uint32_t i = 0; i < count && st == LENS_OK; i++) {
        const struct lens_pair *h =
            (const void *)((const char *)headers + (size_t)i * size);

        if (is_extra(h->name))
            st = tell_extra(sink, h);
    }
    return st;
}
