/* prompts: where the text of requests comes from: built in, --prompt, or --prompts FILE
 * (text lines, or JSON lines with `prompt` or `messages` and optional `max_tokens`).
 * Constant after prompts_new, so any thread may draw. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include <lens/provider.h>

#include "plan.h"

typedef struct prompts prompts;

/* One drawn prompt, as turns that can be handed to a provider. The caller's, re-usable:
 * memory is kept between draws. */
typedef struct prompt {
    struct lens_turn *turns;
    struct lens_part *parts; /* one text part a turn */
    uint32_t turn_count, capacity;
    GString *text; /* holds the varied text; the parts point into it or into prompts */
    uint64_t id;   /* of the row: equal rows have equal ids in every run */
    int64_t max_tokens; /* the row's own; -1: none */
} prompt;

void prompt_clear(prompt *p);

/* Errors name the file and line. */
prompts *prompts_new(const plan_prompts *settings, uint64_t seed, GError **error);
void prompts_free(prompts *p);
uint64_t prompts_count(const prompts *p);
/* Draws the prompt of request `index`; `item` names a row, LENS_ITEM_ANY: in order or by
 * seed as the plan says. The built-in text gets a head that is unique to (seed, index),
 * unless `same`. */
void prompts_draw(const prompts *p, uint64_t index, uint64_t item, prompt *ret);
/* The prompt as plain text for --record-text. Caller frees. */
char *prompt_to_text(const prompt *p);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(prompts, prompts_free)
