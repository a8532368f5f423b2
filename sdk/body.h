/* body: builds the JSON object of a request, member by member. What the user gave as
 * `extra` wins over every member of the same name. */
#pragma once

#include <stdbool.h>

#include <lens/provider.h>

#include "write.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef lens_status (*lens_body_put_fn)(struct lens_request *, const void *, size_t);

struct lens_body_target {
    struct lens_request *request;
    lens_body_put_fn put;
};

struct lens_body {
    struct lens_writer w;
    struct lens_body_target target;
    struct lens_bytes extra; /* JSON object, or empty */
    const char *kept;        /* member of extra that was joined already; NULL: none */
    bool started;
};

/* False: `extra` is no JSON object. */
bool lens_body_begin(struct lens_body *b, struct lens_request *r, lens_body_put_fn put,
                     struct lens_bytes extra);
/* Writes the name. False: `extra` has the member, so the value must not be written. */
bool lens_body_member(struct lens_body *b, const char *name);
void lens_body_string(struct lens_body *b, const char *name, struct lens_bytes value);
void lens_body_text(struct lens_body *b, const char *name,
                    const char *value); /* NULL: left out */
void lens_body_int(struct lens_body *b, const char *name, int64_t value);
void lens_body_double(struct lens_body *b, const char *name, double value);
void lens_body_raw(struct lens_body *b, const char *name, struct lens_bytes json);
bool lens_body_has_extra(const struct lens_body *b, const char *name);
/* `"name":{"flag":true}`, joined with the members that `extra` has in an object of that
 * name; its own value of the flag wins. */
void lens_body_flag_in(struct lens_body *b, const char *name, const char *flag,
                       bool value);
/* Adds `extra` and closes the object. */
lens_status lens_body_end(struct lens_body *b);

#ifdef __cplusplus
}
#endif
