/* args: the command line, parsed against the one table of commands and flags from which
 * help, man page and completion are made too. A value has been checked against its flag's
 * type when a command sees it. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "registry.h"

typedef struct args args;

/* Parses a command line (argv[0] is the program). Values are checked against their types,
 * except when help or the version is asked for. */
args *args_parse(int argc, char *const *argv, GError **error);
void args_free(args *a);
/* "run", "plugin"; NULL: none was given. */
const char *args_command(const args *a);
/* The bit of the command and subcommand (flags.h); 0: none. */
unsigned args_command_bit(const args *a);

/* Names are without dashes: "max-tokens". Asking for a flag that the table does not have
 * for this command is a bug and aborts. */
bool args_is_set(const args *a, const char *flag);
unsigned args_count(const args *a, const char *flag); /* of a repeatable one */
/* The nth of a repeatable flag, the last one given of another; when unset the table's
 * default, or NULL. */
const char *args_string(const args *a, const char *flag, unsigned nth);
/* The last one given, or the table's default; without one -1, or NaN. */
int64_t args_int(const args *a, const char *flag);
int64_t args_duration(const args *a, const char *flag); /* ns */
int64_t args_size(const args *a, const char *flag);
uint64_t args_unsigned(const args *a, const char *flag, uint64_t fallback);
double args_double(const args *a, const char *flag);
bool args_bool(const args *a, const char *flag);
/* Positional arguments behind the command (and its subcommand). */
unsigned args_positional_count(const args *a);
const char *args_positional(const args *a, unsigned nth);
/* The subcommand of "plugin list" and the like; NULL: none. */
const char *args_subcommand(const args *a);
/* Plugins, loaded at the first call with --plugin-dir and --allow-insecure-plugins. */
registry *args_plugins(const args *a);

/* Prints "lens: MESSAGE" on stderr, without secrets and control characters; gives the
 * exit code. */
int args_fail(const args *a, GError *error); /* takes over the error; `a` may be NULL */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(args, args_free)
