/* mock: how `lens mock` speaks Converse and InvokeModel. */
#pragma once

#include "bedrock.h"
#include "sdk/mock-kit.h"

/* Uses of lens_mock_turn.scratch. */
enum {
    MOCK_BLOCK = 0, /* index of the content block that is open or comes next */
    MOCK_OPEN = 1,  /* kind of the open block: MOCK_BLOCK_* */
    MOCK_BLOCK_NONE = 0,
    MOCK_BLOCK_TEXT = 1,
    MOCK_BLOCK_REASONING = 2,
    MOCK_BLOCK_TOOL = 3
};

/* mock-converse.c, mock-invoke.c: the bytes of one step. */
void mock_converse(struct lens_mock_out *o);
void mock_invoke(struct lens_mock_out *o);
/* mock.c */
/* A frame of an event; `payload` is cleared. */
void mock_frame(struct lens_mock_out *o, const char *event, struct lens_text *payload);
/* Closes the block unless it is of `kind`; true: one has to be opened. */
bool mock_needs_block(struct lens_mock_out *o, uint64_t kind,
                      void (*close)(struct lens_mock_out *));
const char *mock_exception_of(uint32_t kind);
