#include "agenda.h"

#include <glib.h>

void
agenda_clear(agenda *a)
{
    g_free(a->entries);
    *a = (agenda){ 0 };
}

static void
swap(agenda *a, unsigned i, unsigned j)
{
    const struct agenda_entry kept = a->entries[i];

    a->entries[i] = a->entries[j];
    a->entries[j] = kept;
}

void
agenda_add(agenda *a, int64_t at_ns, int what, void *data)
{
    unsigned i = a->count++;

    if (a->count > a->capacity) {
        a->capacity = MAX(16, a->capacity * 2);
        a->entries = g_renew(struct agenda_entry, a->entries, a->capacity);
    }
    a->entries[i] = (struct agenda_entry){ at_ns, data, what };
    for (; i > 0 && a->entries[(i - 1) / 2].at_ns > a->entries[i].at_ns; i = (i - 1) / 2)
        swap(a, i, (i - 1) / 2);
}

int64_t
agenda_next(const agenda *a)
{
    return a->count > 0 ? a->entries[0].at_ns : INT64_MAX;
}

static void
sink_first(agenda *a)
{
    unsigned i = 0;

    for (;;) {
        unsigned least = i;

        for (unsigned child = 2 * i + 1; child <= 2 * i + 2 && child < a->count;
             child++) {
            if (a->entries[child].at_ns < a->entries[least].at_ns)
                least = child;
        }
        if (least == i)
            return;
        swap(a, i, least);
        i = least;
    }
}

bool
agenda_take(agenda *a, int64_t now_ns, struct agenda_entry *ret)
{
    if (a->count == 0 || a->entries[0].at_ns > now_ns)
        return false;
    *ret = a->entries[0];
    a->entries[0] = a->entries[--a->count];
    sink_first(a);
    return true;
}
