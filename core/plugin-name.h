/* plugin-name: the form of names in the ABI. */
#pragma once

#include <glib.h>
#include <stdbool.h>

enum { PLUGIN_NAME_MAX = 64 };

/* [a-z][a-z0-9_]*, with `dash` also "-", at most PLUGIN_NAME_MAX characters. NULL is
 * none. */
static inline bool
plugin_name_is_good(const char *name, bool dash)
{
    int size = 0;

    if (name == NULL || !g_ascii_islower(*name))
        return false;
    for (; name[size] != '\0'; size++) {
        const char c = name[size];

        if (size == PLUGIN_NAME_MAX ||
            !(g_ascii_islower(c) || g_ascii_isdigit(c) || c == '_' || (dash && c == '-')))
            return false;
    }
    return true;
}
