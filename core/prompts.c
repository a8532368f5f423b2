#include "prompts.h"

#include <lens/workload.h>
#include <string.h>

#include "prompt-rows.h"
#include "random.h"
#include "shuffle.h"

/* About 100 words. */
static const char built_in[] =
    "A small harbour town lives by its tides. Every morning the boats leave before "
    "sunrise, "
    "and the women who run the market count the crates as they come back. Years ago a "
    "storm "
    "took half of the pier, and since then the town has argued about how to build it "
    "again: "
    "in stone, as the old masters did, or in steel, as the engineer from the city wants. "
    "Stone lasts, but it is slow and dear. Steel is quick, but the salt eats it. Explain "
    "to "
    "the council in plain words what speaks for each of the two, and which one you would "
    "choose.";

/* Short words that are one token to most tokenizers, so that heads are of one length. */
static const char *const words[64] = {
    "apple", "bird",  "blue",  "boat",   "bread", "chair", "city",   "cloud",
    "coat",  "cold",  "corn",  "dark",   "door",  "dream", "earth",  "east",
    "fire",  "fish",  "floor", "food",   "game",  "glass", "gold",   "grass",
    "green", "hand",  "hill",  "home",   "horse", "house", "iron",   "island",
    "king",  "lake",  "land",  "leaf",   "light", "line",  "milk",   "moon",
    "music", "night", "north", "ocean",  "paper", "path",  "rain",   "red",
    "river", "road",  "rock",  "salt",   "sand",  "ship",  "silver", "snow",
    "star",  "stone", "storm", "summer", "table", "tree",  "water",  "wind",
};
#define HEAD_WORDS 8
#define HEADS (UINT64_C(1) << 6 * HEAD_WORDS)

struct prompts {
    prompt_rows *rows;
    char *text; /* of --prompt */
    uint64_t seed;
    bool seeded;
    bool varied; /* built-in text with a head */
};

static bool
load(prompts *p, const plan_prompts *settings, GError **error)
{
    if (settings->file != NULL)
        return prompt_rows_load(p->rows, settings->file, error);
    if (settings->text != NULL) {
        p->text = g_strdup(settings->text);
        prompt_rows_add(p->rows, p->text, strlen(p->text));
    } else {
        p->varied = !settings->same;
        prompt_rows_add(p->rows, built_in, sizeof built_in - 1);
    }
    return true;
}

prompts *
prompts_new(const plan_prompts *settings, uint64_t seed, GError **error)
{
    prompts *p = g_new0(prompts, 1);

    p->rows = prompt_rows_new();
    p->seed = seed;
    p->seeded = settings->seeded;
    if (!load(p, settings, error)) {
        prompts_free(p);
        return NULL;
    }
    return p;
}

void
prompts_free(prompts *p)
{
    if (p == NULL)
        return;
    prompt_rows_free(p->rows);
    g_free(p->text);
    g_free(p);
}

uint64_t
prompts_count(const prompts *p)
{
    return p->rows->rows->len;
}

static const struct prompt_row *
choose_row(const prompts *p, uint64_t index, uint64_t item)
{
    const uint64_t count = prompts_count(p);
    uint64_t nth = item != LENS_ITEM_ANY ? item % count : index % count;

    if (item == LENS_ITEM_ANY && p->seeded)
        nth = shuffle_at(random_at(p->seed, LENS_RAND_MIX, index / count), nth, count);
    return &g_array_index(p->rows->rows, struct prompt_row, nth);
}

/* A head is a number of 48 bits written in words. Numbers of different requests differ,
 * because they are a permutation of the request numbers. */
static void
put_head(const prompts *p, uint64_t index, GString *text)
{
    uint64_t number = shuffle_at(random_at(p->seed, LENS_RAND_CONTENT, UINT64_MAX),
                                 index % HEADS, HEADS);

    for (int i = 0; i < HEAD_WORDS; i++, number >>= 6) {
        g_string_append(text, words[number & 63]);
        g_string_append_c(text, i + 1 < HEAD_WORDS ? ' ' : '\n');
    }
}

static void
reserve(prompt *p, uint32_t turns)
{
    if (p->text == NULL)
        p->text = g_string_sized_new(1024);
    if (p->capacity >= turns)
        return;
    p->turns = g_renew(struct lens_turn, p->turns, turns);
    p->parts = g_renew(struct lens_part, p->parts, turns);
    p->capacity = turns;
}

void
prompts_draw(const prompts *p, uint64_t index, uint64_t item, prompt *ret)
{
    const struct prompt_row *row = choose_row(p, index, item);

    reserve(ret, row->count);
    ret->turn_count = row->count;
    ret->id = row->id;
    ret->max_tokens = row->max_tokens;
    for (uint32_t i = 0; i < row->count; i++) {
        const struct prompt_message *m =
            &g_array_index(p->rows->messages, struct prompt_message, row->first + i);

        ret->parts[i] = (struct lens_part){ .kind = LENS_PART_TEXT, .data = m->text };
        ret->turns[i] = (struct lens_turn){
            .role = m->role,
            .parts = &ret->parts[i],
            .part_count = 1,
            .part_size = sizeof ret->parts[i],
        };
    }
    if (p->varied) {
        g_string_truncate(ret->text, 0);
        put_head(p, index, ret->text);
        g_string_append_len(ret->text, built_in, sizeof built_in - 1);
        ret->parts[0].data = (struct lens_bytes){ ret->text->str, ret->text->len };
    }
}

char *
prompt_to_text(const prompt *p)
{
    GString *text = g_string_new(NULL);

    for (uint32_t i = 0; i < p->turn_count; i++) {
        if (p->turn_count > 1)
            g_string_append_printf(text, "%s%s: ", i > 0 ? "\n" : "",
                                   role_name(p->turns[i].role));
        g_string_append_len(text, p->parts[i].data.data, (gssize)p->parts[i].data.size);
    }
    return g_string_free(text, FALSE);
}

void
prompt_clear(prompt *p)
{
    g_free(p->turns);
    g_free(p->parts);
    if (p->text != NULL)
        g_string_free(p->text, TRUE);
    *p = (prompt){ 0 };
}
