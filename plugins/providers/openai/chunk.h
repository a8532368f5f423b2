/* chunk: what one message of the protocol says, read but not yet told. A message is read
 * to its end before anything is told, because a broken one has to be dropped whole. */
#pragma once

#include <stdbool.h>

#include <lens/provider.h>

#include "sdk/json.h"

/* A fragment of output or a reason to finish, still escaped. */
struct piece {
    uint32_t kind; /* LENS_EV_TEXT, _REASONING, _REFUSAL, _TOOL or _FINISH */
    uint32_t lane, code;
    uint32_t id; /* of a tool call, hashed; 0: none */
    struct lens_json_string name, text;
};

enum { PIECE_MAX = 24 };

struct stream;

struct chunk {
    uint32_t classes; /* LENS_MSG_* */
    int64_t tokens;   /* -1: unknown */
    /* Second pass over a message with more pieces than fit: told as they come. */
    struct stream *direct;
    lens_status status; /* of telling in the second pass */
    bool overflow;
    bool has_choices, empty_choices;
    bool whole;      /* a whole answer stands in the message */
    bool error_body; /* the message itself is the error */
    uint64_t lanes, finished;
    struct lens_json_string id, model, tier;
    struct lens_bytes usage, choice_usage, error; /* raw JSON; empty when missing */
    struct lens_bytes timings, metrics, stats, groq_usage;
    uint32_t new_tools; /* calls without an index that start here */
    unsigned count;
    struct piece piece[PIECE_MAX];
};

void chunk_clear(struct chunk *c);
/* Takes a piece, unless it is empty, and its class. */
void chunk_add(struct chunk *c, const struct piece *p);
void chunk_add_text(struct chunk *c, uint32_t kind, uint32_t lane,
                    const struct lens_json_string *text);

/* chat.c: one message of chat or completions. False: not JSON. A text that is JSON but no
 * object leaves the chunk empty. */
bool chat_read(struct stream *s, struct lens_bytes json, struct chunk *c);
/* delta.c: the delta or message of one choice at the cursor. */
void delta_read(struct stream *s, struct chunk *c, struct lens_json *j, uint32_t lane);
/* responses.c: one event; `name` is the event field of the SSE message. */
struct lens_frame;
lens_status responses_message(struct stream *s, const struct lens_frame *f);
lens_status responses_whole(struct stream *s, struct lens_bytes json);
