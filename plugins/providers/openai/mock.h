/* mock: how `lens mock` speaks these protocols. */
#pragma once

#include <string.h>

#include <lens/mock.h>

#include "sdk/write.h"

typedef lens_status (*mock_append_fn)(struct lens_buffer *, const void *, size_t);

/* An answer in the making. */
struct mock_out {
    struct lens_writer w;
    struct lens_mock_turn *turn;
    const struct lens_mock_step *step;
    struct lens_buffer *buffer;
    mock_append_fn append;
};

/* Each adds the bytes of one step. */
void mock_chat(struct mock_out *o);
void mock_completions(struct mock_out *o);
void mock_responses(struct mock_out *o);

/* mock-write.c: what the three have in common. */
void mock_string(struct mock_out *o, struct lens_bytes text);
/* `prefix` and the id of the turn, for instance "chatcmpl-12", with quotes. */
void mock_id(struct mock_out *o, const char *prefix);
/* `,"created":N,"model":"M"` */
void mock_model(struct mock_out *o);
/* {"prompt_tokens":..}, as chat and completions say it. */
void mock_usage(struct mock_out *o);
/* {"message":..,"type":..,"param":null,"code":..} */
void mock_error(struct mock_out *o);
