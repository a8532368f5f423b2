/* usage: token counts brought to one meaning (docs/streams.md 2), and the server's times.
 */
#include "bedrock.h"
#include "sdk/emit.h"

void
counts_clear(struct counts *c)
{
    *c = (struct counts){ -1, -1, -1, -1, -1 };
}

/* [{"ttl":"1h","inputTokens":5}]: what of the cache's writes lives how long. */
static void
read_details(struct lens_json *j, struct counts *c)
{
    struct lens_json_string ttl;
    struct lens_bytes key;
    struct lens_key_room room;
    int64_t tokens;

    if (lens_json_peek(j) != LENS_JSON_ARRAY) {
        lens_json_skip(j);
        return;
    }
    for (lens_json_array(j); lens_json_element(j);) {
        ttl = (struct lens_json_string){ 0 };
        tokens = -1;
        if (!lens_read_object(j))
            continue;
        while (lens_read_member(j, &key, &room)) {
            if (LENS_KEY(key, "ttl"))
                lens_read_string(j, &ttl);
            else if (LENS_KEY(key, "inputTokens"))
                lens_read_tokens(j, &tokens);
            else
                lens_json_skip(j);
        }
        if (LENS_KEY(ttl.raw, "1h") && tokens >= 0)
            c->write_1h = tokens;
    }
}

static void
take(int64_t *known, int64_t said)
{
    if (said >= 0)
        *known = said;
}

static bool
counts_anything(const struct counts *c)
{
    return c->input > 0 || c->output > 0 || c->cache_read > 0 || c->cache_write > 0;
}

/* The last value of each counts, but zeros alone say nothing beside counts. */
static void
merge(struct counts *known, const struct counts *said)
{
    if (counts_anything(known) && !counts_anything(said))
        return;
    take(&known->input, said->input);
    take(&known->output, said->output);
    take(&known->cache_read, said->cache_read);
    take(&known->cache_write, said->cache_write);
    take(&known->write_1h, said->write_1h);
}

void
counts_read_usage(struct stream *s, struct lens_bytes json)
{
    struct counts said, *c = &said;
    struct lens_bytes key;
    struct lens_key_room room;
    struct lens_json j;

    counts_clear(&said);
    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) != LENS_JSON_OBJECT)
        return;
    for (lens_json_object(&j); lens_read_member(&j, &key, &room);) {
        if (LENS_KEY(key, "inputTokens"))
            lens_read_tokens(&j, &c->input);
        else if (LENS_KEY(key, "outputTokens"))
            lens_read_tokens(&j, &c->output);
        else if (LENS_KEY(key, "cacheReadInputTokens") ||
                 LENS_KEY(key, "cacheReadInputTokenCount"))
            lens_read_tokens(&j, &c->cache_read);
        else if (LENS_KEY(key, "cacheWriteInputTokens") ||
                 LENS_KEY(key, "cacheWriteInputTokenCount"))
            lens_read_tokens(&j, &c->cache_write);
        else if (LENS_KEY(key, "cacheDetails"))
            read_details(&j, c);
        else
            lens_json_skip(&j);
    }
    merge(&s->counts, &said);
    s->counted = s->counted || s->counts.input >= 0 || s->counts.output >= 0;
    s->told = false;
}

/* Claude's own counts know more kinds; these take their place member by member. */
static void
hand_to_claude(struct stream *s, const struct counts *said)
{
    struct anthropic_counts *c = &s->message.counts;

    if (said->input >= 0)
        c->input = said->input;
    if (said->output >= 0)
        c->output = said->output;
    if (said->cache_read >= 0)
        c->cache_read = said->cache_read;
    if (said->cache_write >= 0)
        c->cache_write = said->cache_write;
    s->message.counted = s->message.final = true;
    s->message.told = false;
}

static void
take_counts(struct stream *s, const struct counts *said)
{
    if (said->input < 0 && said->output < 0)
        return;
    if (s->claude) {
        hand_to_claude(s, said);
        return;
    }
    merge(&s->counts, said);
    s->counted = s->final = true;
    s->told = false;
}

void
counts_read_metrics(struct stream *s, struct lens_bytes json)
{
    struct counts said;
    struct lens_bytes key;
    struct lens_key_room room;
    struct lens_json j;

    counts_clear(&said);
    lens_json_begin(&j, json.data, json.size);
    for (lens_json_object(&j); lens_read_member(&j, &key, &room);) {
        if (LENS_KEY(key, "inputTokenCount"))
            lens_read_tokens(&j, &said.input);
        else if (LENS_KEY(key, "outputTokenCount"))
            lens_read_tokens(&j, &said.output);
        else if (LENS_KEY(key, "cacheReadInputTokenCount"))
            lens_read_tokens(&j, &said.cache_read);
        else if (LENS_KEY(key, "cacheWriteInputTokenCount"))
            lens_read_tokens(&j, &said.cache_write);
        else
            lens_json_skip(&j);
    }
    take_counts(s, &said);
}

void
counts_take_headers(struct stream *s)
{
    take_counts(s, &s->header_counts);
}

static int64_t
or_zero(int64_t count)
{
    return count > 0 ? count : 0;
}

/* OpenAI's models count the cache into the input (protocols of AWS say otherwise). */
static bool
cache_is_inside(const struct provider *p)
{
    return p->cache_inside_known ? p->cache_inside : p->last_family == FAMILY_OPENAI;
}

lens_status
counts_tell(struct stream *s)
{
    const struct counts *c = &s->counts;
    const int64_t cache = or_zero(c->cache_read) + or_zero(c->cache_write);
    const int64_t beside = cache_is_inside(s->provider) ? 0 : cache;
    const struct {
        uint32_t code;
        int64_t count;
    } all[] = {
        { LENS_USAGE_INPUT, c->input < 0 ? -1 : c->input + beside },
        /* What is absent of these is none. */
        { LENS_USAGE_CACHE_READ, or_zero(c->cache_read) },
        { LENS_USAGE_CACHE_WRITE, or_zero(c->cache_write) },
        { LENS_USAGE_CACHE_WRITE_1H, c->write_1h },
        { LENS_USAGE_OUTPUT, c->output },
    };
    lens_status st = LENS_OK;

    if (!s->counted || s->told)
        return LENS_OK;
    s->told = true;
    for (size_t i = 0; i < sizeof all / sizeof all[0] && st == LENS_OK; i++)
        st = lens_emit_usage(s->base.sink, all[i].code, all[i].count);
    return st;
}

lens_status
counts_tell_time(struct stream *s, struct lens_bytes json, const char *member,
                 const char *name)
{
    struct lens_json j;
    int64_t value;

    if (!lens_json_find(json.data, json.size, member, &j) || !lens_json_int(&j, &value))
        return LENS_OK;
    return lens_stream_extra(&s->base, name, value);
}
