#include "timeline.h"

#include <stdlib.h>

/* Each message is a varint of (distance in us << 2 | changed << 1 | shared). When
 * `changed` is set a byte of CHANGED_* follows, then what it names, as varints. */
enum {
    CHANGED_CLASSES = 1,
    CHANGED_CLOCK = 2,
    CHANGED_TOKENS = 4,
    CHANGED_BACKWARDS = 8 /* the distance is negative */
};
/* Three bytes of head for up to 524 ms; a changed one takes at most 10+1+5+5+10. */
#define MESSAGE_MAX 31
#define FIRST_CAPACITY 64
/* Times beyond this do not survive the way to nanoseconds. */
#define US_MAX (INT64_MAX / 1000)

void
timeline_init(timeline *t)
{
    *t = (timeline){ .last_tokens = -1 };
}

void
timeline_clear(timeline *t)
{
    free(t->data);
    timeline_init(t);
}

void
timeline_rewind(timeline *t)
{
    *t = (timeline){ .data = t->data, .capacity = t->capacity, .last_tokens = -1 };
}

static bool
make_room(timeline *t)
{
    const size_t capacity = t->capacity > 0 ? 2 * t->capacity : FIRST_CAPACITY;
    uint8_t *data;

    if (t->size + MESSAGE_MAX <= t->capacity)
        return true;
    data = realloc(t->data, capacity);
    if (data == NULL)
        return false;
    t->data = data;
    t->capacity = capacity;
    return true;
}

static void
put(timeline *t, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        t->data[t->size++] = (uint8_t)(value | 0x80);
    t->data[t->size++] = (uint8_t)value;
}

static uint64_t
zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
}

/* To the nearest microsecond. */
static int64_t
to_us(int64_t ns)
{
    int64_t us = ns / 1000;
    const int64_t rest = ns % 1000;

    if (rest >= 500 && us < US_MAX)
        us++;
    else if (rest < -500 && us > -US_MAX)
        us--;
    return us;
}

bool
timeline_add(timeline *t, int64_t at_ns, uint32_t classes, uint32_t clock, int64_t tokens,
             bool shared)
{
    const int64_t us = to_us(at_ns);
    const bool backwards = us < t->last_us;
    const uint64_t distance = (uint64_t)(backwards ? t->last_us - us : us - t->last_us);
    const unsigned changed = (classes != t->last_classes ? CHANGED_CLASSES : 0) |
                             (clock != t->last_clock ? CHANGED_CLOCK : 0) |
                             (tokens != t->last_tokens ? CHANGED_TOKENS : 0) |
                             (backwards ? CHANGED_BACKWARDS : 0);

    if (!make_room(t))
        return false;
    put(t, distance << 2 | (changed != 0 ? 2 : 0) | (shared ? 1 : 0));
    if (changed != 0)
        put(t, changed);
    if (changed & CHANGED_CLASSES)
        put(t, classes);
    if (changed & CHANGED_CLOCK)
        put(t, clock);
    if (changed & CHANGED_TOKENS)
        put(t, zigzag(tokens));
    t->last_us = us;
    t->last_classes = classes;
    t->last_clock = clock;
    t->last_tokens = tokens;
    t->count++;
    return true;
}

void
timeline_read(timeline_reader *r, const void *data, size_t size)
{
    const uint8_t *at = data;

    *r = (timeline_reader){ .at = at, .end = size > 0 ? at + size : at, .tokens = -1 };
}

static bool
get(timeline_reader *r, uint64_t max, uint64_t *ret)
{
    uint64_t value = 0;

    for (unsigned shift = 0; r->at < r->end && shift < 64; shift += 7) {
        const uint8_t byte = *r->at++;

        if (shift == 63 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret = value;
            return value <= max;
        }
    }
    return false;
}

static bool
get_changes(timeline_reader *r, uint64_t *ret_changed)
{
    uint64_t value;

    if (!get(r, 0xf, ret_changed))
        return false;
    if (*ret_changed & CHANGED_CLASSES) {
        if (!get(r, UINT32_MAX, &value))
            return false;
        r->classes = (uint32_t)value;
    }
    if (*ret_changed & CHANGED_CLOCK) {
        if (!get(r, UINT32_MAX, &value))
            return false;
        r->clock = (uint32_t)value;
    }
    if (*ret_changed & CHANGED_TOKENS) {
        if (!get(r, UINT64_MAX, &value))
            return false;
        r->tokens = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
    }
    return true;
}

bool
timeline_next(timeline_reader *r, struct timeline_mark *ret_mark)
{
    uint64_t head, changed = 0;
    int64_t distance, us;

    if (r->at == r->end || !get(r, UINT64_MAX, &head) ||
        ((head & 2) != 0 && !get_changes(r, &changed))) {
        r->at = r->end; /* what follows garbage is garbage */
        return false;
    }
    distance = (int64_t)(head >> 2);
    if (changed & CHANGED_BACKWARDS)
        distance = -distance;
    us = r->us + distance; /* at most 2^62 + 2^54 */
    if (us > US_MAX || us < -US_MAX) {
        r->at = r->end;
        return false;
    }
    r->us = us;
    *ret_mark = (struct timeline_mark){ .at_ns = us * 1000,
                                        .classes = r->classes,
                                        .clock = r->clock,
                                        .tokens = r->tokens,
                                        .shared = (head & 1) != 0 };
    return true;
}
