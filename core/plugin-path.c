#include "plugin-path.h"

#include <glib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Whether `path` is `root` or lies below. */
static bool
lies_in(const char *path, const char *root)
{
    const size_t size = strlen(root);

    return strncmp(path, root, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

/* LENS_PLUGIN_DIR as seen from the directory of the program, if it was installed there:
 * "bin" and "lib/lens/1" become "../lib/lens/1". */
static char *
beside(const char *program_dir)
{
    const char *program = LENS_BIN_DIR;
    const char *plugins = LENS_PLUGIN_DIR;
    g_autofree char *root = NULL;
    size_t same = 0, below;

    for (size_t i = 0; program[i] != '\0' && program[i] == plugins[i]; i++)
        if (program[i] == '/')
            same = i + 1;
    /* The program's own place below the prefix must be what was configured. */
    below = strlen(program + same);
    if (same == 0 || strlen(program_dir) <= below ||
        !g_str_has_suffix(program_dir, program + same) ||
        program_dir[strlen(program_dir) - below - 1] != '/')
        return NULL;
    root = g_strndup(program_dir, strlen(program_dir) - below);
    return g_build_filename(root, plugins + same, NULL);
}

char *
plugin_path_own(void)
{
    g_autofree char *program = realpath("/proc/self/exe", NULL);
    g_autofree char *program_dir = program == NULL ? NULL : g_path_get_dirname(program);
    g_autofree char *relative = program == NULL ? NULL : beside(program_dir);
    g_autofree char *build_parent = g_path_get_dirname(LENS_BUILD_PLUGIN_DIR);
    g_autofree char *build_root = realpath(build_parent, NULL);

    if (relative != NULL && g_file_test(relative, G_FILE_TEST_IS_DIR))
        return g_steal_pointer(&relative);
    if (program != NULL && build_root != NULL && lies_in(program, build_root))
        return g_strdup(LENS_BUILD_PLUGIN_DIR);
    return g_strdup(LENS_PLUGIN_DIR);
}
