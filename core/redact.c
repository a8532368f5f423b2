/* The half of secret.h that forgets nothing: the values that must never be shown, in
 * every spelling in which a server or a library could echo them. */
#include <string.h>

#include "plain-text.h"
#include "secret.h"

#define MARK "[redacted]"
enum { SHORTEST = 4, SHORTEST_PART = 8 };

static GMutex lock;
static GHashTable *known;   /* char *, the values as registered */
static GPtrArray *patterns; /* char *, longest first */
static bool starts[256];    /* first bytes of the patterns */

static int
by_length(const void *a, const void *b)
{
    const size_t left = strlen(*(char *const *)a);
    const size_t right = strlen(*(char *const *)b);

    return left < right ? 1 : left > right ? -1 : 0;
}

static void
add_pattern(char *pattern)
{
    if (strlen(pattern) < SHORTEST ||
        g_ptr_array_find_with_equal_func(patterns, pattern, g_str_equal, NULL)) {
        g_free(pattern);
        return;
    }
    starts[(unsigned char)*pattern] = true;
    g_ptr_array_add(patterns, pattern);
}

static void
add_base64(char *encoded)
{
    char *url_safe = g_strdelimit(g_strdup(encoded), "+", '-');

    add_pattern(encoded);
    add_pattern(g_strdelimit(url_safe, "/", '_'));
}

/* Base64 of the value alone, and the part of it that shows inside the encoding of a
 * longer text ("user:KEY"), whatever stands before and behind. */
static void
add_base64_forms(const char *value)
{
    static const size_t touched[3] = { 0, 2,
                                       3 }; /* characters mixed with what precedes */
    const size_t size = strlen(value);

    add_base64(g_base64_encode((const guchar *)value, size));
    for (size_t shift = 0; shift < 3; shift++) {
        g_autofree char *shifted = g_strdup_printf("%.*s%s", (int)shift, "..", value);
        g_autofree char *encoded =
            g_base64_encode((const guchar *)shifted, strlen(shifted));
        const size_t whole = (size + shift) * 8 / 6;

        add_base64(g_strndup(encoded + touched[shift], whole - touched[shift]));
    }
}

static char *
json_escape(const char *value, bool slash)
{
    GString *out = g_string_new(NULL);

    for (; *value != '\0'; value++) {
        const unsigned char c = (unsigned char)*value;

        if (c == '"' || c == '\\' || (slash && c == '/'))
            g_string_append_printf(out, "\\%c", c);
        else if (c == '\n')
            g_string_append(out, "\\n");
        else if (c < 0x20)
            g_string_append_printf(out, "\\u%04x", c);
        else
            g_string_append_c(out, (char)c);
    }
    return g_string_free(out, FALSE);
}

static char *
lower_hex(char *escaped)
{
    for (char *c = escaped; *c != '\0'; c++) {
        if (*c == '%' && c[1] != '\0' && c[2] != '\0') {
            c[1] = g_ascii_tolower(c[1]);
            c[2] = g_ascii_tolower(c[2]);
            c += 2;
        }
    }
    return escaped;
}

static void
add_forms(const char *value)
{
    if (strlen(value) < SHORTEST)
        return;
    add_pattern(plain_text(value, -1));
    add_pattern(json_escape(value, false));
    add_pattern(json_escape(value, true));
    add_pattern(g_uri_escape_string(value, NULL, FALSE));
    add_pattern(lower_hex(g_uri_escape_string(value, NULL, FALSE)));
    add_base64_forms(value);
}

/* The key behind a scheme: "Bearer KEY". */
static void
add_without_scheme(const char *value)
{
    static const char *const schemes[] = { "Bearer ", "Basic ", "Token ", "Key " };

    for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++) {
        const size_t size = strlen(schemes[i]);

        if (g_ascii_strncasecmp(value, schemes[i], size) == 0)
            add_forms(value + size);
    }
}

/* The values of a list like OTEL_EXPORTER_OTLP_HEADERS: "api-key=KEY,x=Bearer%20KEY". */
static void
add_list_values(const char *value)
{
    g_auto(GStrv) items = g_strsplit(value, ",", -1);

    for (char **item = items; *item != NULL; item++) {
        const char *equals = strchr(*item, '=');
        g_autofree char *decoded = NULL;

        if (equals == NULL || strlen(equals + 1) < SHORTEST_PART)
            continue;
        decoded = g_uri_unescape_string(equals + 1, NULL);
        add_forms(equals + 1);
        if (decoded != NULL) {
            add_forms(decoded);
            add_without_scheme(decoded);
        }
    }
}

void
secret_register(const char *value)
{
    if (value == NULL || strlen(value) < SHORTEST)
        return;
    g_mutex_lock(&lock);
    if (known == NULL) {
        known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        patterns = g_ptr_array_new_with_free_func(g_free);
    }
    if (!g_hash_table_contains(known, value)) {
        g_hash_table_add(known, g_strdup(value));
        add_forms(value);
        add_without_scheme(value);
        add_list_values(value);
        g_ptr_array_sort(patterns, by_length);
    }
    g_mutex_unlock(&lock);
}

static size_t
pattern_at(const char *text)
{
    if (!starts[(unsigned char)*text])
        return 0;
    for (unsigned i = 0; i < patterns->len; i++) {
        const char *pattern = g_ptr_array_index(patterns, i);
        const size_t size = strlen(pattern);

        if (strncmp(text, pattern, size) == 0)
            return size;
    }
    return 0;
}

char *
secret_redact(const char *text, gssize size)
{
    g_autofree char *plain = NULL;
    GString *out;

    if (text == NULL)
        return NULL;
    plain = plain_text(text, size);
    g_mutex_lock(&lock);
    if (patterns == NULL) {
        g_mutex_unlock(&lock);
        return g_steal_pointer(&plain);
    }
    out = g_string_sized_new(strlen(plain));
    for (const char *at = plain; *at != '\0';) {
        const size_t found = pattern_at(at);

        if (found > 0)
            g_string_append(out, MARK);
        else
            g_string_append_c(out, *at);
        at += MAX(found, 1);
    }
    g_mutex_unlock(&lock);
    return g_string_free(out, FALSE);
}
