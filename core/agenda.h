/* agenda: what is to be done at which time; a binary heap. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct agenda_entry {
    int64_t at_ns;
    void *data;
    int what; /* the caller's */
};

typedef struct agenda {
    struct agenda_entry *entries;
    unsigned count, capacity;
} agenda;

void agenda_clear(agenda *a);
void agenda_add(agenda *a, int64_t at_ns, int what, void *data);
/* The earliest time; INT64_MAX when empty. */
int64_t agenda_next(const agenda *a);
/* Takes the earliest entry that is due by `now_ns`. */
bool agenda_take(agenda *a, int64_t now_ns, struct agenda_entry *ret);
