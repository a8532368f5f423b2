#include "plain-text.h"

#include <stdbool.h>
#include <string.h>

/* A string sequence without an end in sight is not taken for one, so that a stray
 * introducer cannot hide what follows. */
enum { STRING_SEQUENCE_MAX = 4096 };

/* Length of a control string (OSC, DCS, SOS, PM, APC) after its introducer: up to BEL or
 * ESC \ or U+009C. */
static size_t
string_sequence(const char *text, size_t size)
{
    const size_t limit = MIN(size, STRING_SEQUENCE_MAX);

    for (size_t i = 0; i < limit; i++) {
        if (text[i] == '\a')
            return i + 1;
        if (text[i] == '\033' && i + 1 < size && text[i + 1] == '\\')
            return i + 2;
        if (text[i] == '\xc2' && i + 1 < size && text[i + 1] == '\x9c')
            return i + 2;
    }
    return 0;
}

/* Length of a control sequence after CSI (ECMA-48, 5.4): parameters, intermediates and a
 * final byte. */
static size_t
control_sequence(const char *text, size_t size)
{
    size_t i = 0;

    while (i < size && text[i] >= 0x30 && text[i] <= 0x3f)
        i++;
    while (i < size && text[i] >= 0x20 && text[i] <= 0x2f)
        i++;
    if (i < size && text[i] >= 0x40 && text[i] <= 0x7e)
        i++;
    return i;
}

/* Length of what follows an ESC and belongs to it. */
static size_t
escape_sequence(const char *text, size_t size)
{
    size_t i = 0;

    if (size == 0)
        return 0;
    if (text[0] == '[')
        return 1 + control_sequence(text + 1, size - 1);
    if (strchr("]PX^_", text[0]) != NULL)
        return 1 + string_sequence(text + 1, size - 1);
    while (i < size && text[i] >= 0x20 && text[i] <= 0x2f)
        i++;
    if (i < size && text[i] >= 0x30 && text[i] <= 0x7e)
        i++;
    return i;
}

static bool
is_break(gunichar c)
{
    return c == '\n' || c == '\r' || c == '\t' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

/* Marks that change the order or the sight of what stands around them. */
static bool
is_invisible(gunichar c)
{
    return c == 0x061c || (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
           (c >= 0xe0000 && c <= 0xe007f);
}

/* Appends what is left of the character at `text`; returns how many bytes it took. */
static size_t
clean_one(GString *out, const char *text, size_t size)
{
    const gunichar c = g_utf8_get_char_validated(text, (gssize)size);
    size_t used;

    if (*text == '\0')
        return 1;
    if (c == (gunichar)-1 || c == (gunichar)-2) {
        g_string_append(out, "\xef\xbf\xbd");
        return 1;
    }
    used = (size_t)(g_utf8_next_char(text) - text);
    if (is_break(c))
        g_string_append_c(out, ' ');
    else if (c == 0x1b)
        used += escape_sequence(text + used, size - used);
    else if (c == 0x9b)
        used += control_sequence(text + used, size - used);
    else if (c == 0x90 || c == 0x98 || (c >= 0x9d && c <= 0x9f))
        used += string_sequence(text + used, size - used);
    else if (c >= 0x20 && !(c >= 0x7f && c < 0xa0) && !is_invisible(c))
        g_string_append_len(out, text, (gssize)used);
    return used;
}

/* Nearly all of what a server sends. */
static size_t
printable_run(const char *text, size_t size)
{
    size_t run = 0;

    while (run < size && (unsigned char)(text[run] - 0x20) < 0x5f)
        run++;
    return run;
}

char *
plain_text(const char *text, gssize size)
{
    const size_t length = size < 0 ? strlen(text) : (size_t)size;
    GString *out = g_string_sized_new(length);

    for (size_t i = 0; i < length;) {
        const size_t run = printable_run(text + i, length - i);

        g_string_append_len(out, text + i, (gssize)run);
        i += run;
        if (i < length)
            i += clean_one(out, text + i, length - i);
    }
    return g_string_free(out, FALSE);
}

int
plain_text_cut(const char *text, int limit)
{
    const int length = (int)strnlen(text, (size_t)limit + 1);
    int cut = limit;

    if (length <= limit)
        return length;
    while (cut > 0 && ((unsigned char)text[cut] & 0xc0) == 0x80)
        cut--;
    return cut;
}
