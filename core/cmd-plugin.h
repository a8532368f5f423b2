/* cmd-plugin: the subcommands of `lens plugin` that have a file of their own. */
#pragma once

#include "args.h"

int cmd_plugin_check(const args *a); /* check FILE.so [--case F]... */
int cmd_plugin_new(const args *a);   /* new KIND NAME DIR */
