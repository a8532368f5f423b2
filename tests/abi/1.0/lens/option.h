/* option: what can be set, declared as data by the plugin, parsed and checked by the
 * host.
 *
 * A plugin never parses its own options: `open` reads values of the right type and range
 * through the host. Help, plan errors and `lens plugin info` come from the same table. */
#ifndef LENS_OPTION_H
#define LENS_OPTION_H

#include "abi.h"

enum {
    LENS_OPT_STRING = 1,
    LENS_OPT_INT = 2,      /* choices: "MIN..MAX" */
    LENS_OPT_DOUBLE = 3,   /* choices: "MIN..MAX" */
    LENS_OPT_BOOL = 4,     /* true|false */
    LENS_OPT_DURATION = 5, /* "250ms"; read as int, nanoseconds */
    LENS_OPT_SIZE = 6,     /* "64KiB"; read as int, bytes */
    LENS_OPT_CHOICE = 7,   /* choices: "a|b|c"; read as string */
    LENS_OPT_SECRET = 8,   /* given as env:VAR, file:PATH or cmd:ARGV; never shown */
    LENS_OPT_PATH = 9,     /* a file name, relative to the working directory */
    LENS_OPT_URL = 10,     /* http or https, no user info, no fragment */
    LENS_OPT_JSON = 11     /* a JSON value; read as string */
};

/* Flags. */
enum {
    LENS_OPT_REQUIRED = 1,
    LENS_OPT_REPEATABLE = 2 /* several values, read by `nth` */
};

struct lens_option {
    const char *name; /* [a-z][a-z0-9_]*, unique within the schema */
    uint32_t type;
    uint32_t flags;
    const char *fallback; /* parsed like the user's input; NULL: unset */
    const char *choices;  /* by type, see above; NULL: any */
    const char *unit;     /* shown in help, for instance "req/s"; NULL: none */
    const char
        *variable;    /* environment variable read when nothing is given; NULL: none */
    const char *help; /* one line, no full stop */
};

struct lens_schema {
    const struct lens_option *items;
    uint32_t count;
    uint32_t item_size; /* sizeof(struct lens_option) */
};

#define LENS_SCHEMA(array)                                       \
    {                                                            \
        (array), (uint32_t)(sizeof(array) / sizeof((array)[0])), \
            (uint32_t)sizeof((array)[0])                         \
    }

#endif
