/* plugin-load: from a file to vetted plugins. Nothing that is in a file or a descriptor
 * takes the host down: whatever is wrong comes back as a reason that names the field and
 * both values. Main thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "registry.h"

/* Opens a shared object, for ever, and asks for its first descriptor. The file is looked
 * at before it is mapped, so that a truncated one is a reason and not a signal. */
const struct lens_plugin *plugin_load(const char *path, GError **error);
/* Whether the file is a whole shared object for this machine. */
bool elf_check(const char *path, GError **error);
/* Whether nobody but the user and root may write what is at `path`. `what` it is called
 * in the error, which the caller puts behind the path. */
bool path_check_private(const char *path, const char *what, GError **error);

/* Whether a descriptor may be read at all, its `next` included: magic, major version,
 * size. Pure. */
bool plugin_vet_head(const struct lens_plugin *d, GError **error);
/* The rest of the contract, for a descriptor with a good head: needs, kind, names,
 * mandatory operations, options. Pure. */
bool plugin_vet(const struct lens_plugin *d, GError **error);
/* Our copy of a vetted descriptor, for ever; the same one for the same descriptor. */
const plugin *plugin_adopt(const struct lens_plugin *d, const char *path);
