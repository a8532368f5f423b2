/* object: writes a JSON object member by member. An object inside another one appears
 * with its first member, so what has nothing to say is not there. */
#pragma once

#include "write.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lens_object {
    struct lens_writer *w;
    struct lens_object *outer; /* NULL: the braces are the caller's */
    const char *name;          /* in `outer` */
    int started;               /* a member stands there already */
};

/* An object of that name inside `outer`; to be ended with lens_object_end. */
struct lens_object lens_object_inside(struct lens_object *outer, const char *name);
void lens_object_end(struct lens_object *o);

/* Comma and name; the value is for the caller to write. */
void lens_object_name(struct lens_object *o, const char *name);
void lens_object_int(struct lens_object *o, const char *name, int64_t value);
void lens_object_double(struct lens_object *o, const char *name, double value);
void lens_object_bool(struct lens_object *o, const char *name, int value);
/* NULL and "" are left out. */
void lens_object_text(struct lens_object *o, const char *name, const char *value);
/* JSON as it stands; nothing when it is empty. */
void lens_object_raw(struct lens_object *o, const char *name, struct lens_bytes json);
/* The stop sequences of an ask as a list; nothing when there are none. */
void lens_object_stops(struct lens_object *o, const char *name,
                       const struct lens_ask *ask);

/* The value of an option of the instance; nothing when it is not set. */
void lens_object_opt_int(struct lens_object *o, const char *name,
                         const struct lens_host *host, const char *option);
void lens_object_opt_text(struct lens_object *o, const char *name,
                          const struct lens_host *host, const char *option);
void lens_object_opt_json(struct lens_object *o, const char *name,
                          const struct lens_host *host, const char *option);

#ifdef __cplusplus
}
#endif
