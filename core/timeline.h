/* timeline: the messages of one answer as a compact log, about 3 bytes a message. Sans
 * I/O.
 *
 * Times are kept in microseconds of the run's clock, without drift: what is read back is
 * each time rounded to a microsecond. Appending allocates only when the log doubles. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct timeline {
    uint8_t *data;
    size_t size, capacity;
    uint32_t count;
    int64_t last_us;
    uint32_t last_classes, last_clock;
    int64_t last_tokens;
} timeline;

struct timeline_mark {
    int64_t at_ns;
    uint32_t classes; /* LENS_MSG_* */
    uint32_t clock;   /* LENS_CLOCK_* */
    int64_t tokens;   /* -1 unknown */
    bool shared;      /* came with the same read as the one before */
};

void timeline_init(timeline *t);
void timeline_clear(timeline *t);  /* frees */
void timeline_rewind(timeline *t); /* empties, keeps the memory */
bool timeline_add(timeline *t, int64_t at_ns, uint32_t classes, uint32_t clock,
                  int64_t tokens, bool shared);

/* Reads a log from memory, for instance a blob of the run file. False at the end or at
 * garbage. */
typedef struct timeline_reader {
    const uint8_t *at, *end;
    int64_t us;
    uint32_t classes, clock;
    int64_t tokens;
} timeline_reader;
void timeline_read(timeline_reader *r, const void *data, size_t size);
bool timeline_next(timeline_reader *r, struct timeline_mark *ret_mark);
