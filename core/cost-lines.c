/* `lens cost -`: one JSON object a line, one answer a line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cost.h"
#include "error.h"

enum { LINE_LIMIT = 1024 * 1024 };

static bool
answer(const price_book *b, const char *line, int day, GError **error)
{
    cost_query q;
    bool good;

    cost_query_init(&q);
    good = cost_query_parse(&q, line, error);
    if (good) {
        price_match m;
        const bill paid = cost_bill(b, &q, day, &m);
        g_autofree char *text = cost_answer(&q, b, &paid, &m);

        cost_say_match(&m, q.model);
        puts(text);
        fflush(stdout); /* somebody may wait for it before the next question */
    }
    cost_query_clear(&q);
    return good;
}

static bool
is_blank(const char *line)
{
    return line[strspn(line, " \t\r\n")] == '\0';
}

int
cost_lines(const args *a, const price_book *b, int day)
{
    size_t capacity = 0;
    char *line = NULL;
    int code = EXIT_OK;
    ssize_t size;

    for (unsigned number = 1; (size = getline(&line, &capacity, stdin)) >= 0; number++) {
        GError *error = NULL;

        if (is_blank(line))
            continue;
        if (strlen(line) != (size_t)size || size > LINE_LIMIT)
            g_set_error(&error, LENS_ERROR, LENS_ERROR_USAGE,
                        size > LINE_LIMIT ? "the line is longer than 1 MiB"
                                          : "the line has a NUL byte in it");
        else
            answer(b, line, day, &error);
        if (error != NULL) {
            /* One that cannot be read does not hide the others. */
            g_prefix_error(&error, "standard input:%u: ", number);
            fflush(stdout);
            code = args_fail(a, error);
        }
    }
    free(line);
    return code;
}
