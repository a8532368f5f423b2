/* help: what people read about commands and flags, made from the table of flags.h. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "flags.h"

/* All commands. */
void help_print_overview(FILE *out);
/* One command with its flags; `name` with several subcommands lists these. `sub` may be
 * NULL. false: there is no such command. */
bool help_print_command(const char *name, const char *sub, FILE *out);
/* "lens 1.2.3". */
void version_print(FILE *out);
/* The man page, troff. */
void man_print(FILE *out);
/* "bash", "zsh" or "fish". */
bool completion_print(const char *shell, FILE *out);
