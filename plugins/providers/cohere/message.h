/* message: what one event of the stream, or the whole answer, says. */
#pragma once

#include "cohere.h"

struct message {
    struct lens_json_string type, id, finish;
    struct lens_json_string text, thinking, tool_plan;
    struct lens_bytes parts;      /* content as a list */
    struct lens_bytes tool_calls; /* one object or a list */
    struct lens_bytes usage;
    struct lens_bytes error;       /* of message-end, or of the body */
    struct lens_json_string words; /* `message` as a string: a complaint */
    int64_t index;
    int32_t role;
};

/* read.c */
/* 0: not JSON. The whole answer has the members of `delta` at its top. */
int cohere_read_message(struct lens_bytes json, struct message *m);
/* `content` of a message: text, an object, or a list. */
void cohere_read_content(struct lens_json *j, struct message *m);
