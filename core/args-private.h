/* args-private: what parsing and asking share. */
#pragma once

#include "args.h"
#include "flags.h"

struct given {
    const flag *flag;
    char *text; /* NULL: a switch */
};

struct args {
    char *command, *subcommand;
    unsigned bit;
    GArray *given; /* struct given, in order */
    GPtrArray *positional;
    registry **plugins; /* loaded when first asked for */
};

/* Bits that a flag may have at this point: those of the command, or of all its
 * subcommands while that is open. */
unsigned args_known_bits(const args *a);
/* The flag's row in the table; NULL: the command (or none yet) does not know it. */
const flag *args_find(const args *a, const char *name);
/* The error of a flag that args_find does not give. */
void args_unknown_flag(const args *a, const char *name, GError **error);
