#include "wrap.h"

#include <glib.h>

#include "secret.h"

/* A column is never narrower than this, be the page as it may. */
enum { NARROWEST = 24 };

int
wrap_width(const char *text)
{
    return (int)g_utf8_strlen(text, -1);
}

void
wrap_cell(FILE *out, const char *text, int width)
{
    g_autofree char *shown = secret_redact(text, -1);

    fprintf(out, "%s%*s", shown, MAX(width - wrap_width(shown), 1), "");
}

void
wrap_print(FILE *out, const char *text, int column)
{
    const int end = MAX(WRAP_PAGE, column + NARROWEST);
    g_autofree char *shown = secret_redact(text, -1);
    g_auto(GStrv) words = g_strsplit(shown, " ", -1);
    int at = column;

    for (char **word = words; *word != NULL; word++) {
        const int width = wrap_width(*word);

        if (width == 0)
            continue;
        if (at > column && at + 1 + width > end) {
            fprintf(out, "\n%*s", column, "");
            at = column;
        }
        if (at > column) {
            fputc(' ', out);
            at++;
        }
        fputs(*word, out);
        at += width;
    }
    fputc('\n', out);
}
