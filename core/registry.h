/* registry: finds and loads plugins, and keeps the reason of each that could not be
 * loaded. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include <lens/plugin.h>

/* A loaded plugin; lives for ever. */
typedef struct plugin {
    uint32_t kind; /* LENS_KIND_OF_* */
    const char *name, *version, *summary;
    const char *path;
    uint32_t abi, abi_needs;
    /* The one of `kind`, as long as this host's, zeroes where the plugin's is shorter. */
    union {
        struct lens_provider provider;
        struct lens_workload workload;
        struct lens_exporter exporter;
    } ops;
    struct lens_mock mock; /* of a provider; recognise NULL: none */
} plugin;

struct plugin_refusal {
    char *path;
    char *reason;
};

typedef struct registry registry;

/* `dirs` (NULL-terminated, may be NULL) are searched first, then LENS_PLUGIN_PATH, then
 * the installed or build directory. The first of a name wins, the others are refused with
 * the winner's path. */
registry *registry_new(const char *const *dirs, bool allow_insecure);
/* Nothing loaded yet: for registry_load_file. */
registry *registry_new_empty(bool allow_insecure);
void registry_free(registry *r);
/* The plugin (kind 0: the first of the name), or an error with the nearest name, or the
 * reason why its file was refused.
 */
const plugin *registry_find(registry *r, uint32_t kind, const char *name, GError **error);
const GPtrArray *registry_plugins(registry *r);  /* const plugin, by kind and name */
const GPtrArray *registry_refusals(registry *r); /* struct plugin_refusal */
const char *plugin_kind_name(uint32_t kind);     /* "provider" ... */
/* Loads one file, without the search path; its plugins are added to `r`. False, with the
 * first reason, when any of them was refused. */
bool registry_load_file(registry *r, const char *path, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(registry, registry_free)
