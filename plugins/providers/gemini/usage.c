/* usage: token counts of usageMetadata, brought to one meaning (docs/streams.md 2). Tool
 * use adds to the prompt, thoughts add to the candidates, the cache lies in the prompt.
 */
#include "gemini.h"

#include "sdk/emit.h"

void
usage_clear(struct usage *u)
{
    *u = (struct usage){ -1, -1, -1, -1, -1, -1, -1, -1, -1 };
}

/* [{"modality":"AUDIO","tokenCount":5}]; frames of a video are images. */
static void
read_modalities(struct lens_json *j, int64_t *audio, int64_t *image)
{
    struct lens_json_string modality;
    struct lens_bytes key;
    struct lens_key_room room;
    int64_t count;

    if (lens_json_peek(j) != LENS_JSON_ARRAY) {
        lens_json_skip(j);
        return;
    }
    for (lens_json_array(j); lens_json_element(j);) {
        modality = (struct lens_json_string){ 0 };
        count = 0;
        if (!lens_read_object(j))
            continue;
        while (lens_read_member(j, &key, &room)) {
            if (LENS_KEY(key, "modality"))
                lens_read_string(j, &modality);
            else if (LENS_KEY(key, "tokenCount"))
                lens_read_tokens(j, &count);
            else
                lens_json_skip(j);
        }
        if (LENS_KEY(modality.raw, "AUDIO"))
            *audio = count;
        else if (LENS_KEY(modality.raw, "IMAGE"))
            *image = count;
    }
}

/* Vertex says what kind of traffic it was, AI Studio the tier itself: both become the
 * words that prices go by. */
lens_status
usage_tier(struct stream *s, struct lens_bytes tier)
{
    char room[64];
    struct lens_event e = { .struct_size = sizeof e, .kind = LENS_EV_TIER };

    if (s->tier_told || tier.size == 0 || tier.size > sizeof room)
        return LENS_OK;
    s->tier_told = true;
    if (LENS_KEY(tier, "ON_DEMAND")) {
        tier = (struct lens_bytes){ "default", 7 };
    } else if (tier.size > 10 && memcmp(tier.data, "ON_DEMAND_", 10) == 0) {
        tier.data += 10;
        tier.size -= 10;
    }
    for (size_t i = 0; i < tier.size; i++)
        room[i] = (char)(tier.data[i] >= 'A' && tier.data[i] <= 'Z' ? tier.data[i] + 32
                                                                    : tier.data[i]);
    e.text = (struct lens_bytes){ room, tier.size };
    return s->base.sink->event(s->base.sink, &e);
}

void
usage_read(struct lens_json *j, struct message *m)
{
    struct usage *u = &m->usage;
    struct lens_bytes key;
    struct lens_key_room room;

    if (!lens_read_object(j))
        return;
    m->has_usage = true;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "promptTokenCount"))
            lens_read_tokens(j, &u->prompt);
        else if (LENS_KEY(key, "candidatesTokenCount") ||
                 LENS_KEY(key, "responseTokenCount"))
            lens_read_tokens(j, &u->candidates);
        else if (LENS_KEY(key, "thoughtsTokenCount"))
            lens_read_tokens(j, &u->thoughts);
        else if (LENS_KEY(key, "cachedContentTokenCount"))
            lens_read_tokens(j, &u->cached);
        else if (LENS_KEY(key, "toolUsePromptTokenCount"))
            lens_read_tokens(j, &u->tool_use);
        else if (LENS_KEY(key, "promptTokensDetails"))
            read_modalities(j, &u->input_audio, &u->input_image);
        else if (LENS_KEY(key, "candidatesTokensDetails") ||
                 LENS_KEY(key, "responseTokensDetails"))
            read_modalities(j, &u->output_audio, &u->output_image);
        else if (LENS_KEY(key, "trafficType") || LENS_KEY(key, "serviceTier"))
            lens_read_string(j, &m->tier);
        else
            lens_json_skip(j);
    }
}

static void
take(int64_t *known, int64_t said)
{
    if (said >= 0)
        *known = said;
}

static bool
counts_anything(const struct usage *u)
{
    return u->prompt > 0 || u->cached > 0 || u->tool_use > 0 || u->candidates > 0 ||
           u->thoughts > 0;
}

void
usage_merge(struct stream *s, const struct usage *said)
{
    struct usage *u = &s->usage;

    /* U2: zeros alone say nothing beside counts. */
    if (counts_anything(u) && !counts_anything(said))
        return;
    take(&u->prompt, said->prompt);
    take(&u->cached, said->cached);
    take(&u->tool_use, said->tool_use);
    take(&u->candidates, said->candidates);
    take(&u->thoughts, said->thoughts);
    take(&u->input_audio, said->input_audio);
    take(&u->input_image, said->input_image);
    take(&u->output_audio, said->output_audio);
    take(&u->output_image, said->output_image);
    if (u->prompt < 0 && u->candidates < 0 && u->thoughts < 0)
        return;
    s->usage_said = true;
    s->usage_told = false;
}

static int64_t
or_zero(int64_t count)
{
    return count > 0 ? count : 0;
}

lens_status
usage_tell(struct stream *s)
{
    const struct usage *u = &s->usage;
    const bool output = u->candidates >= 0 || u->thoughts >= 0;
    const struct {
        uint32_t code;
        int64_t count;
    } all[] = {
        { LENS_USAGE_INPUT, u->prompt < 0 ? -1 : u->prompt + or_zero(u->tool_use) },
        /* What is absent of these is none. */
        { LENS_USAGE_CACHE_READ, or_zero(u->cached) },
        { LENS_USAGE_OUTPUT,
          output ? or_zero(u->candidates) + or_zero(u->thoughts) : -1 },
        { LENS_USAGE_REASONING, or_zero(u->thoughts) },
        { LENS_USAGE_INPUT_AUDIO, u->input_audio },
        { LENS_USAGE_INPUT_IMAGE, u->input_image },
        { LENS_USAGE_OUTPUT_AUDIO, u->output_audio },
        { LENS_USAGE_OUTPUT_IMAGE, u->output_image },
    };
    lens_status st = LENS_OK;

    if (!s->usage_said || s->usage_told)
        return LENS_OK;
    s->usage_told = true;
    for (size_t i = 0; i < sizeof all / sizeof all[0] && st == LENS_OK; i++)
        st = lens_emit_usage(s->base.sink, all[i].code, all[i].count);
    return st;
}
