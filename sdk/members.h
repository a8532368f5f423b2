/* members: reading a JSON object member by member, with keys that may be escaped and
 * values that may be null or of a surprising type. For decoders. */
#pragma once

#include <string.h>

#include "json.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Room for a key whose escapes are resolved; longer ones stay as they are. */
struct lens_key_room {
    char text[64];
};

/* Like lens_json_member; escapes in the key are resolved into `room`. */
int lens_read_member(struct lens_json *j, struct lens_bytes *ret_key,
                     struct lens_key_room *room);
/* Empty when the value is null or of another type. */
void lens_read_string(struct lens_json *j, struct lens_json_string *ret);
/* The raw value, empty when it is null. */
void lens_read_raw(struct lens_json *j, struct lens_bytes *ret);
/* Number of elements of an array; -1 when there is none. */
int64_t lens_read_count(struct lens_json *j);
/* A number of at least 0; `ret` stays when it is none. */
void lens_read_tokens(struct lens_json *j, int64_t *ret);
/* Enters an object for a walk by lens_read_member. 0: it is of another type, and skipped.
 */
int lens_read_object(struct lens_json *j);

/* Whether a key is a literal. */
#define LENS_KEY(key, literal)            \
    ((key).size == sizeof(literal) - 1 && \
     memcmp((key).data, literal, sizeof(literal) - 1) == 0)

#ifdef __cplusplus
}
#endif
