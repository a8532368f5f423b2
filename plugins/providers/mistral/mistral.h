/* mistral: chat of Mistral. What is OpenAI's in it is read by the files of ../openai;
 * what differs stands here. Protocols.md 13. */
#pragma once

#include "../openai/openai.h"

struct mistral {
    struct provider base; /* first: what the decoder of ../openai knows */
    const char *prompt_mode, *effort, *prompt_cache_key; /* NULL: not given */
    int32_t safe_prompt;
};

/* describe.c */
lens_status mistral_describe(void *self, const struct lens_ask *, struct lens_request *);

/* mock.c */
extern const struct lens_mock mistral_mock;
