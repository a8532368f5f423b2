/* complaint: what a server says of an error, read from any vendor's JSON, in a stream or
 * as the body of a failed answer. */
#pragma once

#include "failure.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The words of a complaint, cut to what anybody would read. */
struct lens_words {
    char message[2048], code_room[128], type_room[128], status_room[128], id_room[128];
    struct lens_complaint complaint; /* points into the rooms */
    struct lens_bytes request_id;
    int64_t retry_after_ns; /* said in the body (Google's RetryInfo); -1: not said */
};

/* Forgets everything. */
void lens_words_clear(struct lens_words *w);
/* Reads the value of an `error` member or a whole error object into cleared words:
 * `message`, `code`, `type`, `status`, Google's and Anthropic's `details`, AWS's
 * `__type`, FastAPI's `detail`, a nested `error`, an array around it. 0: no JSON object.
 */
int lens_words_read(struct lens_words *w, struct lens_bytes json);
/* An error page or a plain line: its first words become the message. */
void lens_words_page(struct lens_words *w, struct lens_bytes body);
/* Code, or type where there is no code. */
struct lens_bytes lens_words_code(const struct lens_words *w);

#ifdef __cplusplus
}
#endif
