/* mock: how `lens mock` speaks these protocols. */
#pragma once

#include <stdbool.h>
#include <string.h>

#include "sdk/mock-kit.h"

/* Members of scratch: tool calls that were started, or the next number of a sequence;
 * Responses uses all up to MOCK_OWN. */
enum {
    MOCK_AZURE = 5,  /* whether the answer is one of Azure's */
    MOCK_INPUTS = 6, /* embeddings: texts that were given */
    MOCK_SHAPE = 7   /* embeddings: length of a vector, doubled, and 1 for base64 */
};

/* Each adds the bytes of one step. */
void mock_chat(struct lens_mock_out *o);
void mock_completions(struct lens_mock_out *o);
void mock_responses(struct lens_mock_out *o);
void mock_embeddings(struct lens_mock_out *o);

/* mock.c: what both mocks recognise. */
lens_status mock_recognise(const struct lens_mock_request *r, struct lens_mock_turn *turn,
                           const char **why);
lens_status mock_encode(struct lens_mock_turn *turn, const struct lens_mock_step *step,
                        struct lens_buffer *buffer, lens_mock_append_fn append);

/* mock-write.c: what the apis have in common. */
/* `,"created":N,"model":"M"` */
void mock_model(struct lens_mock_out *o);
/* {"prompt_tokens":..}, as chat and completions say it. */
void mock_usage(struct lens_mock_out *o);
/* {"message":..,"type":..,"param":null,"code":..} */
void mock_error(struct lens_mock_out *o);
