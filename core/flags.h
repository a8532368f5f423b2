/* flags: the one table of commands and flags. The parser, the help, the man page and the
 * completions are all made from it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "scalar.h"

/* Commands as bits; their order is that of the table. */
enum {
    ON_RUN = 1 << 0,
    ON_SHOW = 1 << 1,
    ON_EXPORT = 1 << 2,
    ON_IMPORT = 1 << 3,
    ON_INIT = 1 << 4,
    ON_VALIDATE = 1 << 5,
    ON_DECODE = 1 << 6,
    ON_MOCK = 1 << 7,
    ON_CALIBRATE = 1 << 8,
    ON_PLUGIN_LIST = 1 << 9,
    ON_PLUGIN_INFO = 1 << 10,
    ON_PLUGIN_CHECK = 1 << 11,
    ON_PLUGIN_NEW = 1 << 12,
    ON_HELP = 1 << 13,
    ON_COST = 1 << 14,
    ON_PRICES = 1 << 15,
    ON_MODELS = 1 << 16,
    ON_PLAN = ON_RUN | ON_VALIDATE | ON_MODELS,
    ON_ALL = -1
};

typedef struct command {
    const char *name;      /* with its subcommand: "plugin list" */
    const char *arguments; /* for show; NULL: none */
    unsigned least, most;  /* positional arguments behind it */
    const char *summary;   /* one line, no full stop */
    const char *text;      /* paragraphs of its help, lines separated by \n; NULL */
    const char *examples;  /* lines, or NULL */
} command;

enum {
    FLAG_REPEATABLE = 1,
    FLAG_HIDDEN = 2 /* not in help, man page and completion */
};

/* The order in which help shows them. */
enum flag_group {
    GROUP_LOAD,
    GROUP_TARGET,
    GROUP_REQUEST,
    GROUP_PROMPTS,
    GROUP_LIMITS,
    GROUP_TRANSPORT,
    GROUP_RESULTS,
    GROUP_OTHER,
    GROUP_GLOBAL,
    GROUP_COUNT
};

typedef struct flag {
    const char *name; /* without dashes */
    char letter;      /* short form, 0: none */
    enum scalar type;
    unsigned marks;       /* FLAG_* */
    unsigned on;          /* commands that know it, ON_* */
    const char *fallback; /* text, NULL: none */
    const char *range;    /* see enum scalar */
    const char *value;    /* its value in help, "N"; NULL: a switch */
    enum flag_group group;
    const char *help;  /* one line, no full stop */
    const char *alias; /* other spelling, or NULL */
} flag;

const command *commands(unsigned *ret_count);
const flag *flags(unsigned *ret_count);
const char *flag_group_name(enum flag_group group);

/* Whether help, man page and completion show a flag of that command. */
bool flag_is_shown(const flag *f, unsigned bit);
/* The bit of the command called `name` (with `sub`, which may be NULL); 0: unknown. */
unsigned command_bit(const char *name, const char *sub);
/* Whether `name` has subcommands. */
bool command_has_subcommands(const char *name);
const command *command_of(unsigned bit);
/* The flag called `name` (or alias) or `letter` of the commands in `on`; NULL: none. */
const flag *flag_find(const char *name, unsigned on);
const flag *flag_find_letter(char letter, unsigned on);
