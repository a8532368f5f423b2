/* scalar: one value of the command line or of a plan, read from text. Flags and plan keys
 * share these types and their messages. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum scalar {
    SCALAR_SWITCH, /* there or not; as text: true|false */
    SCALAR_STRING,
    SCALAR_PATH,
    SCALAR_INT,               /* range "MIN..MAX", either end may be missing */
    SCALAR_DOUBLE,            /* the same */
    SCALAR_DURATION,          /* the same, "1ms..1h" */
    SCALAR_SIZE,              /* the same, "1KiB.." */
    SCALAR_CHOICE,            /* range "a|b|c" */
    SCALAR_UNSIGNED,          /* any unsigned 64 bit number */
    SCALAR_OBJECT,            /* a JSON object */
    SCALAR_COUNT_OR_DURATION, /* "10" or "10s" */
    SCALAR_INT_OR_OFF,        /* a number, or "off" = -1 */
    SCALAR_INT_LIST           /* "1,64,256" */
};

typedef struct scalar_value {
    int64_t number;   /* also ns, bytes, 0 or 1, index of the choice */
    uint64_t bits;    /* SCALAR_UNSIGNED */
    double real;      /* SCALAR_DOUBLE */
    bool is_duration; /* SCALAR_COUNT_OR_DURATION */
} scalar_value;

/* `range` may be NULL. Messages say what was expected, not whose value it is: the caller
 * prefixes that. */
bool scalar_parse(enum scalar type, const char *range, const char *text,
                  scalar_value *ret, GError **error);
