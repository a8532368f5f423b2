#include "near.h"

#include <string.h>

#include "field.h"

#define MOST 64 /* no column is longer */

static unsigned
least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance of `word` to the first `size` bytes of `name`. */
static unsigned
distance(const char *word, const char *name, size_t size)
{
    unsigned row[MOST + 1];

    for (size_t i = 0; i <= size; i++)
        row[i] = (unsigned)i;
    for (unsigned w = 1; *word != '\0'; w++, word++) {
        unsigned diagonal = row[0];

        row[0] = w;
        for (size_t i = 1; i <= size; i++) {
            const unsigned above = row[i];

            row[i] =
                least(least(above, row[i - 1]) + 1, diagonal + (name[i - 1] != *word));
            diagonal = above;
        }
    }
    return row[size];
}

const char *
field_near(const char *word)
{
    const size_t length = strlen(word);
    unsigned best = length < 3 ? 2 : (unsigned)(length / 3) + 1;
    const char *near = NULL;

    for (uint32_t i = 0; length < MOST && i < sample_field_count; i++) {
        const char *name = field_column(&sample_fields[i]);
        const size_t size = strlen(name);
        unsigned away;

        if (size > MOST)
            continue;
        away = distance(word, name, size);
        if (size > 3 && strcmp(name + size - 3, "_ms") == 0)
            away = least(away, distance(word, name, size - 3));
        if (away < best) {
            best = away;
            near = name;
        }
    }
    return near;
}
