#include <string.h>

#include "json-scan.h"
#include "json.h"
#include "utf8.h"

int
lens_json_hex(const char *at, const char *end, uint32_t *ret)
{
    uint32_t code = 0;

    if (end - at < 4)
        return 0;
    for (int i = 0; i < 4; i++) {
        const char c = at[i];

        code <<= 4;
        if (c >= '0' && c <= '9')
            code |= (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            code |= (uint32_t)(c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            code |= (uint32_t)(c - 'A' + 10);
        else
            return 0;
    }
    *ret = code;
    return 1;
}

/* Resolves the escape at `at`; returns the bytes read and adds those written to `used`.
 */
static size_t
resolve(const char *at, const char *end, char *out, size_t *used)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *named = memchr(from, at[1], sizeof from - 1);
    uint32_t code, low;
    size_t step = 6;

    if (at[1] != 'u') {
        out[(*used)++] = named != NULL ? to[named - from] : at[1];
        return 2;
    }
    if (!lens_json_hex(at + 2, end, &code))
        code = 0xfffd;
    if (code >= 0xd800 && code < 0xdc00 && end - at >= 12 && at[6] == '\\' &&
        at[7] == 'u' && lens_json_hex(at + 8, end, &low) && low >= 0xdc00 &&
        low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        step = 12;
    } else if (code >= 0xd800 && code < 0xe000) {
        code = 0xfffd;
    }
    *used += lens_utf8_put(out + *used, code);
    return step;
}

size_t
lens_json_unescape(const struct lens_json_string *s, char *out)
{
    const char *at = s->raw.data, *end = at + s->raw.size;
    size_t used = 0;

    while (at < end) {
        const char *slash = memchr(at, '\\', (size_t)(end - at));
        const size_t plain = (size_t)((slash != NULL ? slash : end) - at);

        memmove(out + used, at, plain);
        used += plain;
        at += plain;
        if (at < end)
            at += resolve(at, end, out, &used);
    }
    return used;
}

int
lens_json_is(const struct lens_bytes *key, const char *name)
{
    const size_t size = strlen(name);
    const struct lens_json_string escaped = { *key, 1 };
    char plain[6 * 64];

    if (key->size == size)
        return memcmp(key->data, name, size) == 0;
    /* An escape takes at most six times the room of what it stands for. */
    if (key->size < size || key->size > 6 * size || key->size > sizeof plain ||
        memchr(key->data, '\\', key->size) == NULL)
        return 0;
    return lens_json_unescape(&escaped, plain) == size && memcmp(plain, name, size) == 0;
}
