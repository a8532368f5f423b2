#include <string.h>

#include "option.h"

enum { WORD_MAX = 64 };

/* Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`, without
 * regard to case; Damerau-Levenshtein, restricted. */
static size_t
distance(const char *a, const char *b)
{
    const size_t a_size = strlen(a), b_size = strlen(b);
    size_t rows[3][WORD_MAX + 1];

    for (size_t j = 0; j <= b_size; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];
        const size_t *above_two = rows[(i + 1) % 3]; /* i - 2 */

        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            const char left = g_ascii_tolower(a[i - 1]);
            const char right = g_ascii_tolower(b[j - 1]);

            row[j] = above[j - 1] + (left != right);
            row[j] = MIN(row[j], above[j] + 1);
            row[j] = MIN(row[j], row[j - 1] + 1);
            if (i > 1 && j > 1 && left == g_ascii_tolower(b[j - 2]) &&
                g_ascii_tolower(a[i - 2]) == right)
                row[j] = MIN(row[j], above_two[j - 2] + 1);
        }
    }
    return rows[a_size % 3][b_size];
}

const char *
nearest_name(const char *word, const char *const *candidates)
{
    const char *nearest = NULL;
    size_t least = SIZE_MAX;

    if (word == NULL || candidates == NULL || *word == '\0' || strlen(word) > WORD_MAX)
        return NULL;
    for (; *candidates != NULL; candidates++) {
        /* A third of the word may be wrong. */
        const size_t longer = MAX(strlen(word), strlen(*candidates));
        size_t edits;

        if (strlen(*candidates) > WORD_MAX)
            continue;
        edits = distance(word, *candidates);
        if (edits <= (longer + 2) / 3 && edits < longer && edits < least) {
            least = edits;
            nearest = *candidates;
        }
    }
    return nearest;
}
