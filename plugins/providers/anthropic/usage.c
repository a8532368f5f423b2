/* usage: token counts of the Messages API, brought to the meaning of docs/streams.md 2:
 * the input is the sum of what was read anew, from the cache and into it. */
#include <string.h>

#include "events.h"
#include "sdk/emit.h"
#include "sdk/members.h"

/* What one usage object says beside the counts. */
struct said {
    struct anthropic_counts counts;
    struct lens_json_string tier, geo, speed;
    struct lens_bytes server_tools, iterations;
};

void
anthropic_counts_clear(struct anthropic_counts *c)
{
    *c = (struct anthropic_counts){ -1, -1, -1, -1, -1, -1, -1 };
}

static void
read_creation(struct lens_json *j, struct anthropic_counts *c)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "ephemeral_5m_input_tokens"))
            lens_read_tokens(j, &c->write_5m);
        else if (LENS_KEY(key, "ephemeral_1h_input_tokens"))
            lens_read_tokens(j, &c->write_1h);
        else
            lens_json_skip(j);
    }
}

static void
read_details(struct lens_json *j, struct anthropic_counts *c)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "thinking_tokens"))
            lens_read_tokens(j, &c->thinking);
        else
            lens_json_skip(j);
    }
}

/* False: none of the counts. */
static bool
read_count_member(struct lens_json *j, const struct lens_bytes *key,
                  struct anthropic_counts *c)
{
    if (LENS_KEY(*key, "input_tokens"))
        lens_read_tokens(j, &c->input);
    else if (LENS_KEY(*key, "output_tokens"))
        lens_read_tokens(j, &c->output);
    else if (LENS_KEY(*key, "cache_read_input_tokens"))
        lens_read_tokens(j, &c->cache_read);
    else if (LENS_KEY(*key, "cache_creation_input_tokens"))
        lens_read_tokens(j, &c->cache_write);
    else if (LENS_KEY(*key, "cache_creation"))
        read_creation(j, c);
    else if (LENS_KEY(*key, "output_tokens_details"))
        read_details(j, c);
    else
        return false;
    return true;
}

static void
read_usage(struct lens_bytes json, struct said *u)
{
    struct lens_json j;
    struct lens_bytes key;
    struct lens_key_room room;

    lens_json_begin(&j, json.data, json.size);
    for (lens_json_object(&j); lens_read_member(&j, &key, &room);) {
        if (read_count_member(&j, &key, &u->counts))
            continue;
        if (LENS_KEY(key, "service_tier"))
            lens_read_string(&j, &u->tier);
        else if (LENS_KEY(key, "inference_geo"))
            lens_read_string(&j, &u->geo);
        else if (LENS_KEY(key, "speed"))
            lens_read_string(&j, &u->speed);
        else if (LENS_KEY(key, "server_tool_use"))
            lens_read_raw(&j, &u->server_tools);
        else if (LENS_KEY(key, "iterations"))
            lens_read_raw(&j, &u->iterations);
        else
            lens_json_skip(&j);
    }
}

static void
add(int64_t *sum, int64_t value)
{
    if (value >= 0)
        *sum = (*sum >= 0 ? *sum : 0) + value;
}

static void
add_counts(struct anthropic_counts *sum, const struct anthropic_counts *c)
{
    add(&sum->input, c->input);
    add(&sum->cache_read, c->cache_read);
    add(&sum->cache_write, c->cache_write);
    add(&sum->write_5m, c->write_5m);
    add(&sum->write_1h, c->write_1h);
    add(&sum->output, c->output);
    add(&sum->thinking, c->thinking);
}

/* Compaction and advisors are samplings of their own, which the counts beside the list
 * leave out: the list is the bill. False: it holds nothing. */
static bool
sum_iterations(struct lens_bytes json, struct anthropic_counts *ret, int64_t *ret_count)
{
    struct lens_json j;
    struct lens_bytes key;
    struct lens_key_room room;

    anthropic_counts_clear(ret);
    *ret_count = 0;
    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) != LENS_JSON_ARRAY)
        return false;
    for (lens_json_array(&j); lens_json_element(&j);) {
        struct anthropic_counts one;

        anthropic_counts_clear(&one);
        if (!lens_read_object(&j))
            continue;
        while (lens_read_member(&j, &key, &room))
            if (!read_count_member(&j, &key, &one))
                lens_json_skip(&j);
        add_counts(ret, &one);
        ++*ret_count;
    }
    return ret->input >= 0 && ret->output >= 0;
}

static void
take(int64_t *known, int64_t said)
{
    if (said >= 0)
        *known = said;
}

static void
take_counts(struct anthropic_counts *known, const struct anthropic_counts *said)
{
    take(&known->input, said->input);
    take(&known->cache_read, said->cache_read);
    take(&known->cache_write, said->cache_write);
    take(&known->write_5m, said->write_5m);
    take(&known->write_1h, said->write_1h);
    take(&known->output, said->output);
    take(&known->thinking, said->thinking);
}

static bool
is_all_zero(const struct anthropic_counts *c)
{
    return c->input <= 0 && c->cache_read <= 0 && c->cache_write <= 0 &&
           c->write_5m <= 0 && c->write_1h <= 0 && c->output <= 0 && c->thinking <= 0;
}

/* U2: zeros say nothing beside counts that are not; an output of 0 alone does. */
static void
merge_counts(struct anthropic_message *m, const struct anthropic_counts *said, bool final)
{
    if (said->input < 0 && said->output < 0)
        return;
    if (m->counted && said->input >= 0 && is_all_zero(said) && !is_all_zero(&m->counts))
        return;
    if (m->counted && is_all_zero(&m->counts) && !is_all_zero(said))
        anthropic_counts_clear(&m->counts);
    take_counts(&m->counts, said);
    m->counted = true;
    m->told = false;
    m->final = m->final || (final && said->output >= 0);
}

static lens_status
tell_tier(struct anthropic_message *m, struct lens_stream *s,
          const struct lens_json_string *tier)
{
    const struct lens_bytes word = tier->raw;

    if (word.size == 0 || word.size >= sizeof m->tier ||
        (strlen(m->tier) == word.size && memcmp(m->tier, word.data, word.size) == 0))
        return LENS_OK;
    memcpy(m->tier, word.data, word.size);
    m->tier[word.size] = '\0';
    return lens_stream_word(s, LENS_EV_TIER, tier);
}

static lens_status
tell_word(struct lens_stream *s, const char *name, const struct lens_json_string *text)
{
    struct lens_event e = { .struct_size = sizeof e,
                            .kind = LENS_EV_EXTRA,
                            .code = 2,
                            .name = { name, strlen(name) },
                            .text = text->raw };

    return text->raw.size > 0 && !text->escaped ? s->sink->event(s->sink, &e) : LENS_OK;
}

lens_status
anthropic_usage_merge(struct anthropic_message *m, struct lens_stream *s,
                      struct lens_bytes json, bool final)
{
    struct said u = { 0 };
    struct anthropic_counts sum;
    int64_t iterations = 0;
    lens_status st;

    anthropic_counts_clear(&u.counts);
    read_usage(json, &u);
    if (u.iterations.size > 0 && sum_iterations(u.iterations, &sum, &iterations))
        take_counts(&u.counts, &sum);
    merge_counts(m, &u.counts, final);
    st = tell_tier(m, s, &u.tier);
    if (st == LENS_OK)
        st = tell_word(s, "inference_geo", &u.geo);
    if (st == LENS_OK)
        st = tell_word(s, "speed", &u.speed);
    if (st == LENS_OK && iterations > 1)
        st = lens_stream_extra(s, "iterations", iterations);
    return st == LENS_OK && u.server_tools.size > 0
               ? lens_emit_numbers(s->sink, u.server_tools, NULL, "")
               : st;
}

/* What is absent on the wire is 0 with this vendor, but for the two that are always
 * there.
 */
static int64_t
or_zero(int64_t count)
{
    return count >= 0 ? count : 0;
}

static int64_t
least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

lens_status
anthropic_usage_tell(struct anthropic_message *m, struct lens_stream *s)
{
    const struct anthropic_counts *c = &m->counts;
    const int64_t read = or_zero(c->cache_read), write_1h = or_zero(c->write_1h);
    const int64_t split = or_zero(c->write_5m) + write_1h;
    const int64_t write = c->cache_write >= 0 ? c->cache_write : split;
    lens_status st = LENS_OK;

    if (!m->counted || m->told)
        return LENS_OK;
    m->told = true;
    if (c->input >= 0)
        st = lens_emit_usage(s->sink, LENS_USAGE_INPUT, c->input + read + write);
    if (st == LENS_OK)
        st = lens_emit_usage(s->sink, LENS_USAGE_CACHE_READ, read);
    if (st == LENS_OK)
        st = lens_emit_usage(s->sink, LENS_USAGE_CACHE_WRITE, write);
    if (st == LENS_OK && c->write_1h >= 0)
        st = lens_emit_usage(s->sink, LENS_USAGE_CACHE_WRITE_1H, least(write_1h, write));
    if (st == LENS_OK && c->output >= 0)
        st = lens_emit_usage(s->sink, LENS_USAGE_OUTPUT, c->output);
    /* Counted anew from the thoughts, so it may come out larger than the whole. */
    if (st == LENS_OK && c->output >= 0 && c->thinking >= 0)
        st =
            lens_emit_usage(s->sink, LENS_USAGE_REASONING, least(c->thinking, c->output));
    return st;
}

lens_status
anthropic_settle(struct anthropic_message *m, struct lens_stream *s, bool ended)
{
    const lens_status st = anthropic_usage_tell(m, s);

    if (st == LENS_OK && ended && m->counted && !m->final)
        return lens_stream_warn(s, LENS_WARN_USAGE_PARTIAL);
    return st;
}
