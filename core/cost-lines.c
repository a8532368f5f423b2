/* `lens cost -`: one JSON object a line, one answer a line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cost.h"
#include "error.h"

enum { LINE_LIMIT = 1024 * 1024 };

static bool
read_line(cost_query *q, const char *line, size_t size, GError **error)
{
    if (strlen(line) == size && size <= LINE_LIMIT)
        return cost_query_parse(q, line, error);
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                size > LINE_LIMIT ? "the line is longer than 1 MiB"
                                  : "the line has a NUL byte in it");
    return false;
}

/* Every line gets one, so that answers can be told apart by counting; of a line that
 * cannot be read the cost is unknown. */
static void
answer(const price_book *b, const char *line, size_t size, int day, GError **error)
{
    price_match m = { 0 };
    g_autofree char *text = NULL;
    cost_query q;
    bill paid;

    cost_query_init(&q);
    if (read_line(&q, line, size, error)) {
        paid = cost_bill(b, &q, day, &m);
        cost_say_match(&m, q.model);
    } else {
        paid = (bill){ .why = (*error)->message };
    }
    text = cost_answer(&q, b, &paid, &m);
    puts(text);
    fflush(stdout); /* somebody may wait for it before the next question */
    cost_query_clear(&q);
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
        answer(b, line, (size_t)size, day, &error);
        if (error != NULL) {
            g_prefix_error(&error, "standard input:%u: ", number);
            code = args_fail(a, error);
        }
    }
    free(line);
    return code;
}
