#include "paper.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plain-text.h"

bool
paper_is_terminal(FILE *out)
{
    const char *term = getenv("TERM");
    const int fd = fileno(out);

    return fd >= 0 && isatty(fd) && term != NULL && *term != '\0' &&
           strcmp(term, "dumb") != 0;
}

paper
paper_on(FILE *out)
{
    const char *no_color = getenv("NO_COLOR");

    return (paper){ .out = out,
                    .colour = (no_color == NULL || *no_color == '\0') &&
                              paper_is_terminal(out) };
}

void
paper_ink(const paper *p, enum ink ink, const char *text)
{
    static const char *const codes[] = {
        [INK_PLAIN] = "",          [INK_BOLD] = "\033[1m",    [INK_DIM] = "\033[2m",
        [INK_GOOD] = "\033[1;32m", [INK_WARN] = "\033[1;33m", [INK_BAD] = "\033[1;31m",
    };

    if (p->colour && ink != INK_PLAIN)
        fprintf(p->out, "%s%s\033[0m", codes[ink], text);
    else
        fputs(text, p->out);
}

void
paper_label(const paper *p, const char *label)
{
    g_autofree char *text =
        g_strdup_printf("%-*s ", PAPER_LABEL - 1, label != NULL ? label : "");

    paper_ink(p, INK_DIM, text);
}

/* A word that is wider than the paper is broken. Gives the column behind it. */
static int
put_word(const paper *p, int column, int at, const char *word)
{
    for (; *word != '\0'; word = g_utf8_next_char(word), at++) {
        if (at >= PAPER_WIDTH) {
            fprintf(p->out, "\n%*s", column, "");
            at = column;
        }
        fwrite(word, 1, (size_t)(g_utf8_next_char(word) - word), p->out);
    }
    return at;
}

void
paper_wrapped(const paper *p, int column, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_auto(GStrv) words = g_strsplit(valid, " ", -1);
    int at = column;

    for (char **word = words; *word != NULL; word++) {
        const int width = (int)g_utf8_strlen(*word, -1);

        if (at > column && at + 1 + width > PAPER_WIDTH) {
            fprintf(p->out, "\n%*s", column, "");
            at = column;
        } else if (at > column) {
            fputc(' ', p->out);
            at++;
        }
        at = put_word(p, column, at, *word);
    }
    fputc('\n', p->out);
}

void
paper_entry(const paper *p, const char *label, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list list;

    va_start(list, format);
    text = g_strdup_vprintf(format, list);
    va_end(list);
    paper_label(p, label);
    paper_wrapped(p, PAPER_LABEL, text);
}

char *
paper_count(uint64_t value)
{
    g_autofree char *digits = g_strdup_printf("%" G_GUINT64_FORMAT, value);
    GString *out = g_string_new(NULL);
    const size_t count = strlen(digits);

    for (size_t i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            g_string_append_c(out, ',');
        g_string_append_c(out, digits[i]);
    }
    return g_string_free(out, FALSE);
}

char *
paper_amount(double value)
{
    if (!isfinite(value))
        return g_strdup("n/a");
    if (value >= 1000 && value < 1e15)
        return paper_count((uint64_t)llround(value));
    return g_strdup_printf("%.*f", value < 10 ? 2 : value < 100 ? 1 : 0, value);
}

char *
paper_ms(double ms)
{
    if (!isfinite(ms))
        return g_strdup("n/a");
    if (ms < 0.9995)
        return g_strdup_printf("%.0f us", ms * 1e3);
    if (ms < 9999.5)
        return g_strdup_printf("%.*f ms", ms < 9.995 ? 2 : ms < 999.5 ? 1 : 0, ms);
    return g_strdup_printf("%.1f s", ms / 1e3);
}

char *
paper_share(double ratio)
{
    if (!isfinite(ratio))
        return g_strdup("n/a");
    if (ratio == 0 || ratio == 1)
        return g_strdup_printf("%.0f %%", ratio * 100);
    return g_strdup_printf("%.*f %%", ratio < 0.0995 ? 2 : 1, ratio * 100);
}

char *
paper_bytes(int64_t bytes)
{
    const double mb = (double)bytes / 1e6;

    if (mb < 1000)
        return g_strdup_printf("%.*f MB", mb < 10 ? 1 : 0, mb);
    return g_strdup_printf("%.1f GB", mb / 1000);
}

char *
paper_cut(const char *text, int width)
{
    g_autofree char *valid = plain_text(text != NULL ? text : "-", -1);
    g_autofree char *head = NULL;

    if (g_utf8_strlen(valid, -1) <= width)
        return g_steal_pointer(&valid);
    head = g_utf8_substring(valid, 0, width - 3);
    return g_strconcat(head, "...", NULL);
}
