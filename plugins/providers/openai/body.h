/* body: builds the JSON object of a request, member by member. What the user gave as
 * `extra` wins over every member of the same name. */
#pragma once

#include <stdbool.h>

#include <lens/provider.h>

#include "sdk/write.h"

typedef lens_status (*body_put_fn)(struct lens_request *, const void *, size_t);

struct put_target {
    struct lens_request *request;
    body_put_fn put;
};

struct body {
    struct lens_writer w;
    struct put_target target;
    struct lens_bytes extra; /* JSON object, or empty */
    const char *kept;        /* member of extra that was joined already; NULL: none */
    bool started;
};

/* False: `extra` is no JSON object. */
bool body_begin(struct body *b, struct lens_request *r, body_put_fn put,
                struct lens_bytes extra);
/* Writes the name. False: `extra` has the member, so the value must not be written. */
bool body_member(struct body *b, const char *name);
void body_string(struct body *b, const char *name, struct lens_bytes value);
void body_text(struct body *b, const char *name, const char *value); /* NULL: left out */
void body_int(struct body *b, const char *name, int64_t value);
void body_double(struct body *b, const char *name, double value);
void body_raw(struct body *b, const char *name, struct lens_bytes json);
bool body_has_extra(const struct body *b, const char *name);
/* `"name":{"flag":true}`, joined with the members that `extra` has in an object of that
 * name; its own value of the flag wins. */
void body_flag_in(struct body *b, const char *name, const char *flag, bool value);
/* Adds `extra` and closes the object. */
lens_status body_end(struct body *b);
