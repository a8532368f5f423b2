/* usage: tokens, which take time, and billed units, which cost money; all of them floats.
 */
#include "cohere.h"
#include "sdk/emit.h"
#include "sdk/members.h"

static void
read_pair(struct lens_json *j, int64_t *input, int64_t *output)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "input_tokens"))
            lens_read_tokens(j, input);
        else if (LENS_KEY(key, "output_tokens"))
            lens_read_tokens(j, output);
        else
            lens_json_skip(j);
    }
}

void
cohere_usage_read(struct cohere_stream *s, struct lens_bytes json)
{
    int64_t *u = s->usage;
    struct lens_json j;
    struct lens_bytes key;
    struct lens_key_room room;

    lens_json_begin(&j, json.data, json.size);
    if (!lens_read_object(&j))
        return;
    while (lens_read_member(&j, &key, &room)) {
        if (LENS_KEY(key, "tokens"))
            read_pair(&j, &u[LENS_USAGE_INPUT], &u[LENS_USAGE_OUTPUT]);
        else if (LENS_KEY(key, "billed_units"))
            read_pair(&j, &u[LENS_USAGE_BILLED_INPUT], &u[LENS_USAGE_BILLED_OUTPUT]);
        else if (LENS_KEY(key, "cached_tokens"))
            lens_read_tokens(&j, &u[LENS_USAGE_CACHE_READ]);
        else
            lens_json_skip(&j);
    }
}

lens_status
cohere_usage_tell(struct cohere_stream *s)
{
    lens_status st = LENS_OK;

    for (uint32_t code = 1; code < LENS_USAGE_COUNT && st == LENS_OK; code++)
        st = lens_emit_usage(s->stream.sink, code, s->usage[code]);
    return st;
}
