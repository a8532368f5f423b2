/* host-source: the services read_file, environment and run, through which an AUTH call
 * reaches what a credential lies in. An instance has them only after it was allowed. */
#pragma once

#include "host.h"

/* From now on `i` may read files and variables and run commands. */
void host_allow_sources(instance *i);
/* Wipes what the services gave; after each operation. */
void host_forget_sources(instance *i);

/* The services. */
lens_status host_read_file(const struct lens_host *host, const char *path,
                           struct lens_bytes *ret);
const char *host_environment(const struct lens_host *host, const char *name);
lens_status host_run(const struct lens_host *host, const char *command,
                     struct lens_bytes *ret);
