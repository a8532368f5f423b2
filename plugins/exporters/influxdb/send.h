/* send: delivers lines so that each is either taken, refused by itself, or kept. */
#pragma once

#include "api.h"
#include "line.h"

struct sender {
    struct influx_api api;
    uint32_t most;     /* lines in a post */
    uint64_t *refused; /* numbers of lines that were refused, rising */
    uint32_t refused_count, refused_capacity;
    uint32_t done;     /* so many lines from the front are dealt with */
    uint32_t hopeless; /* refused since the last one that was taken */
    int64_t retry_after_ns;
    int32_t told; /* the first refusal was told to the user */
};

void sender_close(struct sender *s);
/* Sends all lines; what stands in `done` and `refused` then is sure. ANSWER_OK: all are
 * dealt with. ANSWER_LATER, ANSWER_GIVE_UP: `api.why` says why. */
enum answer_act sender_send(struct sender *s, const struct lines *lines);
