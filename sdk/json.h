/* json: an in-place cursor over one JSON text (RFC 8259), for the per-token path.
 *
 * One pass, no allocation, no copy: what is skipped is checked as strictly as what is
 * read. A text is accepted exactly when RFC 8259 allows it, which is what json-glib
 * accepts without its extensions of the language (comments, single quotes, octal and hex
 * numbers, raw control characters, ...); a byte order mark in front is passed over, an
 * escaped lone surrogate is allowed. With duplicate keys it is the reader's business that
 * the last one wins. Errors stick: after the first one every call answers false, so a
 * reader may check once, with lens_json_end. What is walked may be
 * 256 deep, what is skipped 16384.
 *
 *   struct lens_json j;
 *   struct lens_bytes key;
 *   lens_json_begin(&j, data, size);
 *   for (lens_json_object(&j); lens_json_member(&j, &key);)
 *       if (lens_json_is(&key, "id")) ... else lens_json_skip(&j);
 *   if (!lens_json_end(&j)) ...not JSON...
 */
#pragma once

#include <lens/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

enum lens_json_type {
    LENS_JSON_NONE = 0, /* error, or nothing there */
    LENS_JSON_NULL,
    LENS_JSON_BOOL,
    LENS_JSON_NUMBER,
    LENS_JSON_STRING,
    LENS_JSON_OBJECT,
    LENS_JSON_ARRAY
};

struct lens_json {
    const char *at, *end;
    uint32_t depth;
    int32_t bad;        /* 1 after an error */
    uint8_t level[260]; /* by depth: what is known of the container */
};

/* A string as it stands in the text, without quotes; `escaped`: has backslashes. */
struct lens_json_string {
    struct lens_bytes raw;
    int32_t escaped;
};

void lens_json_begin(struct lens_json *j, const void *data, size_t size);
/* Nothing but white space is left, and there was no error. */
int lens_json_end(struct lens_json *j);
/* Type of the value at the cursor; reads nothing. */
enum lens_json_type lens_json_peek(struct lens_json *j);

/* Enters an object or array; the following calls walk it. After false from member or
 * element the cursor stands behind it. A value must be read or skipped before the next
 * member. A value of another type is skipped, the answer is 0, and the walk that follows
 * ends at once: use these as a `for` loop, which is never left early, and peek where the
 * type matters. */
int lens_json_object(struct lens_json *j);
int lens_json_member(struct lens_json *j,
                     struct lens_bytes *ret_key); /* key: raw, unescaped only
                                                     if it has no escapes */
int lens_json_array(struct lens_json *j);
int lens_json_element(struct lens_json *j);

/* Each reads one value. A value of another type is skipped and the answer is 0 (no
 * error), so that `null` or a surprising type reads as "not there". */
int lens_json_string(struct lens_json *j, struct lens_json_string *ret);
int lens_json_int(struct lens_json *j,
                  int64_t *ret); /* 64 bit exact; 10.0 is an integer too */
int lens_json_double(struct lens_json *j, double *ret);
int lens_json_bool(struct lens_json *j, int32_t *ret);
int lens_json_skip(struct lens_json *j); /* 1 unless error */
/* The bytes of the value at the cursor, which is skipped. */
int lens_json_raw(struct lens_json *j, struct lens_bytes *ret);

int lens_json_is(const struct lens_bytes *key, const char *name);
/* Resolves escapes into `out` (at least raw.size bytes); returns the length. Lone
 * surrogates become U+FFFD. */
size_t lens_json_unescape(const struct lens_json_string *s, char *out);
/* The value at a path like "choices.0.delta.content" of a whole text; 0 when missing. For
 * what is off the hot path. */
int lens_json_find(const void *data, size_t size, const char *path,
                   struct lens_json *ret);

#ifdef __cplusplus
}
#endif
