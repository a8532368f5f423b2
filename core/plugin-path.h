/* plugin-path: where plugins are searched when nothing else is said. */
#pragma once

/* The directory that belongs to this very program: beside its own installation (also
 * when that was moved or staged), in its build tree when it runs from there, else the
 * configured one. Caller frees. */
char *plugin_path_own(void);
