#include "slowest.h"

#include <stdlib.h>
#include <string.h>

#include "traces.h"

struct slowest {
    uint32_t most, count;
    struct lens_sample *items[];
};

struct slowest *
slowest_new(uint32_t most)
{
    struct slowest *s = calloc(1, sizeof *s + most * sizeof(struct lens_sample *));

    if (s != NULL)
        s->most = most;
    return s;
}

void
slowest_reset(struct slowest *s)
{
    for (uint32_t i = 0; i < s->count; i++)
        free(s->items[i]);
    s->count = 0;
}

void
slowest_free(struct slowest *s)
{
    if (s == NULL)
        return;
    slowest_reset(s);
    free(s);
}

/* ---- a copy in one piece ---- */

#define TEXTS 8

/* What a span tells as text. */
static void
texts_of(struct lens_sample *s, const char **texts[TEXTS])
{
    const char **all[TEXTS] = { &s->error_detail, &s->finish, &s->server_id,
                                &s->served_model, &s->tier,   &s->extra_json,
                                &s->text,         &s->prompt };

    memcpy(texts, all, sizeof all);
}

static size_t
padded(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

/* Without their details: the last one's stands in the sample. */
static const struct lens_attempt *
copy_attempts(const struct lens_sample *s, char *to)
{
    memcpy(to, s->attempts, (size_t)s->attempt_count * s->attempt_size);
    for (uint32_t i = 0; i < s->attempt_count; i++) {
        char *at = to + (size_t)i * s->attempt_size;

        ((struct lens_attempt *)(void *)at)->error_detail = NULL;
    }
    return (const struct lens_attempt *)(void *)to;
}

/* Attempts lie behind the sample, then the marks, then the texts. */
static struct lens_sample *
copy_of(const struct lens_sample *from)
{
    struct lens_sample head = { 0 }, *s;
    const char **texts[TEXTS];
    const size_t known =
        from->struct_size < sizeof head ? from->struct_size : sizeof head;
    size_t marks, attempts, size = padded(sizeof head);
    char *at;

    memcpy(&head, from, known);
    head.struct_size = (uint32_t)known;
    head.text = head.reasoning = head.prompt = NULL;
    marks = (size_t)head.mark_count * head.mark_size;
    attempts = (size_t)head.attempt_count * head.attempt_size;
    size += padded(marks) + padded(attempts);
    texts_of(&head, texts);
    for (size_t i = 0; i < TEXTS; i++)
        size += *texts[i] != NULL ? strlen(*texts[i]) + 1 : 0;
    at = malloc(size);
    if (at == NULL)
        return NULL;
    s = (struct lens_sample *)(void *)at;
    *s = head;
    at += padded(sizeof head);
    if (attempts > 0)
        s->attempts = copy_attempts(&head, at);
    at += padded(attempts);
    if (marks > 0)
        s->marks = memcpy(at, head.marks, marks);
    at += padded(marks);
    texts_of(s, texts);
    for (size_t i = 0; i < TEXTS; i++) {
        const size_t length = *texts[i] != NULL ? strlen(*texts[i]) + 1 : 0;

        if (length > 0)
            *texts[i] = memcpy(at, *texts[i], length);
        at += length;
    }
    return s;
}

/* ---- the list, fastest first ---- */

int
slowest_offer(struct slowest *s, const struct lens_sample *sample)
{
    const int64_t duration = traces_duration(sample);
    struct lens_sample *copy;
    uint32_t place = 0;

    for (uint32_t i = 0; i < s->count; i++)
        if (s->items[i]->id == sample->id)
            return 1;
    while (place < s->count && traces_duration(s->items[place]) < duration)
        place++;
    if (s->count == s->most && place == 0)
        return 1;
    copy = copy_of(sample);
    if (copy == NULL)
        return 0;
    if (s->count < s->most) {
        memmove(s->items + place + 1, s->items + place,
                (s->count - place) * sizeof(struct lens_sample *));
        s->count++;
        s->items[place] = copy;
        return 1;
    }
    free(s->items[0]);
    memmove(s->items, s->items + 1, (place - 1) * sizeof(struct lens_sample *));
    s->items[place - 1] = copy;
    return 1;
}

uint32_t
slowest_count(const struct slowest *s)
{
    return s->count;
}

const struct lens_sample *
slowest_at(const struct slowest *s, uint32_t nth)
{
    return s->items[nth];
}
