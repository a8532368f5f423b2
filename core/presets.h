/* presets: names for servers that are used often: a provider, its base URL and the
 * variable that holds its key. Shipped as data/presets.yaml, to which the user's
 * ~/.config/lens/presets.yaml adds. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct preset {
    char *name;
    char *provider;
    char *url;
    char *api_key_env; /* NULL: needs no key */
    char **options;    /* of the provider: name, value, ..., NULL */
} preset;

/* NULL without an error: there is none of this name; its nearest is put into `ret_near`
 * (caller frees). NULL with an error: a file is not right. */
preset *preset_find(const char *name, char **ret_near, GError **error);
void preset_free(preset *p);

/* A file that comes with lens, for instance "presets.yaml"; NULL: not found. */
char *data_file_path(const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(preset, preset_free)
