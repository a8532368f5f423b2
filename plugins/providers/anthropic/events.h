/* events: the events of Anthropic's Messages API (docs/providers/anthropic.md), whatever
 * carries them. The plugin `bedrock` compiles events.c, block.c and usage.c too:
 * InvokeModelWithResponseStream brings the same events in binary frames. They need the
 * SDK alone, and are told through its struct lens_stream. */
#pragma once

#include <stdbool.h>

#include "sdk/stream.h"

/* Token counts as the protocol says them, -1: not said. Cache reads and writes are not
 * part of `input` there. */
struct anthropic_counts {
    int64_t input, cache_read, cache_write, write_5m, write_1h, output, thinking;
};

/* What is known of one answer; anthropic_message_clear makes it. */
struct anthropic_message {
    struct anthropic_counts counts;
    bool counted;           /* some usage was said */
    bool final;             /* not only what message_start guesses */
    bool told;              /* all that is known was told to the sink */
    bool stopped;           /* a stop reason was said */
    bool refused;           /* and it was a refusal */
    uint32_t tools;         /* calls that were started */
    int64_t tool_block[16]; /* block index of each of the first calls */
    char tier[32];
};

void anthropic_message_clear(struct anthropic_message *m);
/* One event of a stream, told with its message. `json` is the event's data; `frame` gives
 * its place in the body and, where the data names no type, its name. message_stop ends
 * the stream. */
lens_status anthropic_event(struct anthropic_message *m, struct lens_stream *s,
                            struct lens_bytes json, const struct lens_frame *frame);
/* A whole answer. */
lens_status anthropic_document(struct anthropic_message *m, struct lens_stream *s,
                               struct lens_bytes json);
/* Tells counts that were not told yet. With `ended` counts that stayed provisional are
 * warned of: for the end of the stream, however it came. */
lens_status anthropic_settle(struct anthropic_message *m, struct lens_stream *s,
                             bool ended);

/* ---- between the three files ---- */

/* A content block, or its start. */
struct anthropic_block {
    struct lens_json_string type, text, thinking, data, name;
    struct lens_bytes input; /* raw */
};

/* block.c: reads a block at the cursor. */
void anthropic_block_read(struct lens_json *j, struct anthropic_block *b);
/* Tells what it brings and adds its classes; `index`: of the block. */
lens_status anthropic_block_tell(struct anthropic_message *m, struct lens_stream *s,
                                 const struct anthropic_block *b, int64_t index,
                                 uint32_t *classes);
/* Number of the call that the block at `index` is. */
uint32_t anthropic_tool_of(const struct anthropic_message *m, int64_t index);

/* usage.c */
void anthropic_counts_clear(struct anthropic_counts *c);
/* Merges a usage object; per member the last value counts. `final`: not message_start. */
lens_status anthropic_usage_merge(struct anthropic_message *m, struct lens_stream *s,
                                  struct lens_bytes json, bool final);
lens_status anthropic_usage_tell(struct anthropic_message *m, struct lens_stream *s);
