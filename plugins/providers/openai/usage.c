/* usage: token counts of all dialects, brought to one meaning (docs/streams.md 2):
 * cache_read is part of the input, reasoning is part of the output, -1 is unknown. */
#include <string.h>

#include "openai.h"

/* What one usage object says. */
struct counts {
    struct usage usage;
    int64_t total, cache_hit, cached;
    double cost; /* the gateway's own bill; < 0: not said */
};

void
usage_clear(struct usage *u)
{
    *u = (struct usage){ -1, -1, -1, -1, -1, -1, -1, -1, -1 };
}

static void
read_input_details(struct lens_json *j, struct usage *u)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (lens_json_peek(j) != LENS_JSON_OBJECT) {
        lens_json_skip(j);
        return;
    }
    for (lens_json_object(j); lens_read_member(j, &key, &room);) {
        if (LENS_KEY(key, "cached_tokens"))
            lens_read_tokens(j, &u->cache_read);
        else if (LENS_KEY(key, "cache_write_tokens"))
            lens_read_tokens(j, &u->cache_write);
        else if (LENS_KEY(key, "audio_tokens"))
            lens_read_tokens(j, &u->input_audio);
        else if (LENS_KEY(key, "image_tokens"))
            lens_read_tokens(j, &u->input_image);
        else
            lens_json_skip(j);
    }
}

static void
read_output_details(struct lens_json *j, struct usage *u)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (lens_json_peek(j) != LENS_JSON_OBJECT) {
        lens_json_skip(j);
        return;
    }
    for (lens_json_object(j); lens_read_member(j, &key, &room);) {
        if (LENS_KEY(key, "reasoning_tokens"))
            lens_read_tokens(j, &u->reasoning);
        else if (LENS_KEY(key, "audio_tokens"))
            lens_read_tokens(j, &u->output_audio);
        else if (LENS_KEY(key, "image_tokens"))
            lens_read_tokens(j, &u->output_image);
        else
            lens_json_skip(j);
    }
}

/* OpenRouter: a number; Perplexity: an object with a total. */
static void
read_cost(struct lens_json *j, double *ret)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (lens_json_peek(j) == LENS_JSON_NUMBER) {
        lens_json_double(j, ret);
        return;
    }
    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "total_cost"))
            lens_json_double(j, ret);
        else
            lens_json_skip(j);
    }
}

/* xAI's unit: 10^10 ticks are a dollar. */
static void
read_ticks(struct lens_json *j, double *ret)
{
    int64_t ticks;

    if (lens_json_int(j, &ticks) && ticks >= 0)
        *ret = (double)ticks / 1e10;
}

static bool
read_counts(struct lens_bytes json, struct counts *c)
{
    struct lens_json j;
    struct lens_bytes key;
    struct lens_key_room room;
    int64_t reasoning = -1;

    usage_clear(&c->usage);
    c->total = c->cache_hit = c->cached = -1;
    c->cost = -1;
    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) != LENS_JSON_OBJECT)
        return false;
    for (lens_json_object(&j); lens_read_member(&j, &key, &room);) {
        if (LENS_KEY(key, "prompt_tokens") || LENS_KEY(key, "input_tokens"))
            lens_read_tokens(&j, &c->usage.input);
        else if (LENS_KEY(key, "completion_tokens") || LENS_KEY(key, "output_tokens"))
            lens_read_tokens(&j, &c->usage.output);
        else if (LENS_KEY(key, "total_tokens"))
            lens_read_tokens(&j, &c->total);
        else if (LENS_KEY(key, "prompt_tokens_details") ||
                 LENS_KEY(key, "input_tokens_details") ||
                 LENS_KEY(key, "prompt_token_details"))
            read_input_details(&j, &c->usage);
        else if (LENS_KEY(key, "completion_tokens_details") ||
                 LENS_KEY(key, "output_tokens_details"))
            read_output_details(&j, &c->usage);
        else if (LENS_KEY(key, "prompt_cache_hit_tokens"))
            lens_read_tokens(&j, &c->cache_hit);
        else if (LENS_KEY(key, "num_cached_tokens") || LENS_KEY(key, "cached_tokens"))
            lens_read_tokens(&j, &c->cached);
        else if (LENS_KEY(key, "reasoning_tokens"))
            lens_read_tokens(&j, &reasoning);
        else if (LENS_KEY(key, "cost"))
            read_cost(&j, &c->cost);
        else if (LENS_KEY(key, "cost_in_usd_ticks"))
            read_ticks(&j, &c->cost);
        else
            lens_json_skip(&j);
    }
    if (c->usage.reasoning < 0)
        c->usage.reasoning = reasoning;
    if (c->usage.cache_read < 0)
        c->usage.cache_read = c->cache_hit >= 0 ? c->cache_hit : c->cached;
    return true;
}

static bool
says_anything(const struct usage *u)
{
    return u->input >= 0 || u->cache_read >= 0 || u->cache_write >= 0 || u->output >= 0 ||
           u->reasoning >= 0;
}

static bool
is_all_zero(const struct usage *u)
{
    return u->input <= 0 && u->cache_read <= 0 && u->cache_write <= 0 && u->output <= 0 &&
           u->reasoning <= 0;
}

/* U4: some servers leave reasoning out of the output; the total gives them away. */
static void
include_reasoning(const struct stream *s, struct counts *c)
{
    struct usage *u = &c->usage;

    if (u->reasoning <= 0 || u->output < 0)
        return;
    if (s->provider->reasoning_outside ||
        (c->total >= 0 && u->input >= 0 &&
         c->total - u->input - u->output == u->reasoning))
        u->output += u->reasoning;
}

static void
take(int64_t *known, int64_t said)
{
    if (said >= 0)
        *known = said;
}

void
usage_merge(struct stream *s, struct lens_bytes json, bool final)
{
    struct counts c;

    if (!read_counts(json, &c) || !says_anything(&c.usage))
        return;
    /* U2: zeros say nothing beside counts that are not. */
    if (is_all_zero(&c.usage) && s->usage_said && !is_all_zero(&s->usage))
        return;
    if (s->usage_said && is_all_zero(&s->usage))
        usage_clear(&s->usage);
    include_reasoning(s, &c);
    take(&s->usage.input, c.usage.input);
    take(&s->usage.cache_read, c.usage.cache_read);
    take(&s->usage.cache_write, c.usage.cache_write);
    take(&s->usage.output, c.usage.output);
    take(&s->usage.reasoning, c.usage.reasoning);
    take(&s->usage.input_audio, c.usage.input_audio);
    take(&s->usage.input_image, c.usage.input_image);
    take(&s->usage.output_audio, c.usage.output_audio);
    take(&s->usage.output_image, c.usage.output_image);
    if (c.cost >= 0)
        s->cost = c.cost;
    s->usage_said = true;
    s->usage_told = false;
    s->usage_final = s->usage_final || final;
}

static lens_status
tell(struct stream *s, uint32_t code, int64_t value)
{
    const struct lens_event e = {
        .struct_size = sizeof e, .kind = LENS_EV_USAGE, .code = code, .value = value
    };

    return value < 0 ? LENS_OK : s->base.sink->event(s->base.sink, &e);
}

static lens_status
tell_cost(struct stream *s)
{
    const struct lens_event e = { .struct_size = sizeof e,
                                  .kind = LENS_EV_COST,
                                  .number = s->cost };

    return s->cost < 0 ? LENS_OK : s->base.sink->event(s->base.sink, &e);
}

lens_status
usage_tell(struct stream *s)
{
    const struct usage *u = &s->usage;
    const struct {
        uint32_t code;
        int64_t value;
    } counts[] = {
        { LENS_USAGE_INPUT, u->input },
        { LENS_USAGE_CACHE_READ, u->cache_read },
        { LENS_USAGE_CACHE_WRITE, u->cache_write },
        { LENS_USAGE_OUTPUT, u->output },
        { LENS_USAGE_REASONING, u->reasoning },
        /* Zeros of these are said of every text, and say nothing. */
        { LENS_USAGE_INPUT_AUDIO, u->input_audio > 0 ? u->input_audio : -1 },
        { LENS_USAGE_INPUT_IMAGE, u->input_image > 0 ? u->input_image : -1 },
        { LENS_USAGE_OUTPUT_AUDIO, u->output_audio > 0 ? u->output_audio : -1 },
        { LENS_USAGE_OUTPUT_IMAGE, u->output_image > 0 ? u->output_image : -1 },
    };
    lens_status st;

    if (!s->usage_said || s->usage_told)
        return LENS_OK;
    s->usage_told = true;
    st = tell_cost(s);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0] && st == LENS_OK; i++)
        st = tell(s, counts[i].code, counts[i].value);
    return st;
}
