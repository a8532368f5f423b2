#include "registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "error.h"
#include "option.h"
#include "plugin-load.h"
#include "plugin-path.h"
#include "secret.h"

/* A chain longer than this is a loop. */
enum { CHAIN_MAX = 64 };

struct registry {
    GPtrArray *plugins;  /* const plugin, by kind and name */
    GPtrArray *refusals; /* struct plugin_refusal */
    GPtrArray *searched; /* char *, real paths of directories */
    bool allow_insecure;
};

const char *
plugin_kind_name(uint32_t kind)
{
    static const char *const names[] = { NULL, "provider", "workload", "exporter" };

    return kind < G_N_ELEMENTS(names) ? names[kind] : NULL;
}

static void
refusal_free(void *data)
{
    struct plugin_refusal *refusal = data;

    g_free(refusal->path);
    g_free(refusal->reason);
    g_free(refusal);
}

/* Takes over `error`. */
static void
refuse(registry *r, const char *path, GError *error)
{
    struct plugin_refusal *refusal = g_new0(struct plugin_refusal, 1);

    refusal->path = g_strdup(path);
    refusal->reason = secret_redact(error->message, -1);
    g_ptr_array_add(r->refusals, refusal);
    g_error_free(error);
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
by_kind_and_name(const void *a, const void *b)
{
    const plugin *left = *(const plugin *const *)a;
    const plugin *right = *(const plugin *const *)b;

    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    return strcmp(left->name, right->name);
}

static const plugin *
lookup(const registry *r, uint32_t kind, const char *name)
{
    for (unsigned i = 0; i < r->plugins->len; i++) {
        const plugin *p = g_ptr_array_index(r->plugins, i);

        if ((kind == 0 || p->kind == kind) && strcmp(p->name, name) == 0)
            return p;
    }
    return NULL;
}

static bool
add_plugin(registry *r, const struct lens_plugin *d, const char *path, GError **error)
{
    const plugin *taken, *fresh;

    if (!plugin_vet(d, error))
        return false;
    fresh = plugin_adopt(d, path);
    taken = lookup(r, d->kind, d->name);
    if (taken == fresh)
        return true;
    if (taken != NULL) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_PLUGIN,
                    "%s %s: the name is taken by %s", plugin_kind_name(d->kind), d->name,
                    taken->path);
        return false;
    }
    g_ptr_array_add(r->plugins, (void *)fresh);
    return true;
}

/* Whether the file and the directory where it really lies are ours alone. */
static bool
check_private(const char *path, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(path);
    g_autofree char *its = g_strdup_printf("its directory %s", dir);

    return path_check_private(path, "the file", error) &&
           path_check_private(dir, its, error);
}

/* Adds the plugins of a file; each one that cannot be is a refusal. */
static void
load(registry *r, const char *path)
{
    g_autofree char *real = realpath(path, NULL);
    const struct lens_plugin *d = NULL;
    GError *error = NULL;

    if (real == NULL)
        g_set_error(&error, LENS_ERROR, LENS_ERROR_PLUGIN, "cannot read it: %s",
                    g_strerror(errno));
    else if (r->allow_insecure || check_private(real, &error))
        d = plugin_load(real, &error);
    for (int i = 0; d != NULL; i++) {
        if (i == CHAIN_MAX)
            g_set_error(&error, LENS_ERROR, LENS_ERROR_PLUGIN,
                        "the chain of plugins does not end after %d", CHAIN_MAX);
        if (error != NULL || !plugin_vet_head(d, &error))
            break;
        if (!add_plugin(r, d, path, &error))
            refuse(r, path, g_steal_pointer(&error));
        d = d->next;
    }
    if (error != NULL)
        refuse(r, path, error);
}

/* Names of the *.so files in `dir`, sorted. */
static GPtrArray *
list_files(const char *dir, GError **error)
{
    g_autoptr(GDir) handle = g_dir_open(dir, 0, error);
    GPtrArray *names;
    const char *name;

    if (handle == NULL)
        return NULL;
    names = g_ptr_array_new_with_free_func(g_free);
    while ((name = g_dir_read_name(handle)) != NULL)
        if (g_str_has_suffix(name, ".so") && *name != '.')
            g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, by_text);
    return names;
}

/* `origin` says who named the directory; NULL: nobody, so it may be missing. */
static void
search(registry *r, const char *dir, const char *origin)
{
    g_autofree char *real = realpath(dir, NULL);
    g_autoptr(GPtrArray) names = NULL;
    GError *error = NULL;

    if (real == NULL) {
        if (origin == NULL)
            return;
        g_set_error(&error, LENS_ERROR, LENS_ERROR_PLUGIN,
                    "the directory that %s names cannot be read: %s", origin,
                    g_strerror(errno));
    } else if (g_ptr_array_find_with_equal_func(r->searched, real, g_str_equal, NULL)) {
        return;
    } else if (r->allow_insecure || path_check_private(real, "the directory", &error)) {
        g_ptr_array_add(r->searched, g_strdup(real));
        names = list_files(real, &error);
    }
    if (error != NULL && origin != NULL)
        g_warning("%s: no plugin is taken from there: %s", dir, error->message);
    if (error != NULL)
        refuse(r, dir, error);
    for (unsigned i = 0; names != NULL && i < names->len; i++) {
        g_autofree char *path = g_build_filename(real, g_ptr_array_index(names, i), NULL);

        load(r, path);
    }
}

registry *
registry_new_empty(bool allow_insecure)
{
    registry *r = g_new0(registry, 1);

    r->plugins = g_ptr_array_new();
    r->refusals = g_ptr_array_new_with_free_func(refusal_free);
    r->searched = g_ptr_array_new_with_free_func(g_free);
    r->allow_insecure = allow_insecure;
    return r;
}

registry *
registry_new(const char *const *dirs, bool allow_insecure)
{
    registry *r = registry_new_empty(allow_insecure);
    const char *variable = g_getenv("LENS_PLUGIN_PATH");
    g_auto(GStrv) more = g_strsplit(variable == NULL ? "" : variable, ":", -1);
    g_autofree char *own = plugin_path_own();

    for (; dirs != NULL && *dirs != NULL; dirs++)
        search(r, *dirs, "--plugin-dir");
    for (char **dir = more; *dir != NULL; dir++)
        if (**dir != '\0')
            search(r, *dir, "LENS_PLUGIN_PATH");
    search(r, own, NULL);
    g_ptr_array_sort(r->plugins, by_kind_and_name);
    return r;
}

void
registry_free(registry *r)
{
    if (r == NULL)
        return;
    g_ptr_array_unref(r->plugins);
    g_ptr_array_unref(r->refusals);
    g_ptr_array_unref(r->searched);
    g_free(r);
}

/* The refused file that is called like the plugin that is missed. */
static const struct plugin_refusal *
refused_namesake(const registry *r, const char *name)
{
    g_autofree char *file = g_strconcat(name, ".so", NULL);

    for (unsigned i = 0; i < r->refusals->len; i++) {
        const struct plugin_refusal *refusal = g_ptr_array_index(r->refusals, i);
        g_autofree char *base = g_path_get_basename(refusal->path);

        if (strcmp(base, file) == 0)
            return refusal;
    }
    return NULL;
}

static void
set_missing(registry *r, uint32_t kind, const char *name, GError **error)
{
    const char *what = kind == 0 ? "plugin" : plugin_kind_name(kind);
    const struct plugin_refusal *refusal = refused_namesake(r, name);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *list = NULL;
    const char *near;

    for (unsigned i = 0; i < r->plugins->len; i++) {
        const plugin *p = g_ptr_array_index(r->plugins, i);

        if (kind == 0 || p->kind == kind)
            g_ptr_array_add(names, (char *)p->name);
    }
    g_ptr_array_add(names, NULL);
    near = nearest_name(name, (const char *const *)names->pdata);
    list = g_strjoinv(", ", (char **)names->pdata);
    if (refusal != NULL)
        g_set_error(error, LENS_ERROR, LENS_ERROR_PLUGIN, "%s `%s`: %s was refused: %s",
                    what, name, refusal->path, refusal->reason);
    else if (near != NULL)
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "there is no %s `%s`; did you mean `%s`?", what, name, near);
    else if (*list != '\0')
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "there is no %s `%s`; there is %s", what, name, list);
    else
        g_set_error(
            error, LENS_ERROR, LENS_ERROR_PLUGIN,
            "there is no %s `%s`, nor any other: no plugin was found; name their "
            "directory with --plugin-dir or LENS_PLUGIN_PATH, and see `lens plugin "
            "list`",
            what, name);
}

const plugin *
registry_find(registry *r, uint32_t kind, const char *name, GError **error)
{
    const plugin *p = lookup(r, kind, name);

    if (p == NULL)
        set_missing(r, kind, name, error);
    return p;
}

const GPtrArray *
registry_plugins(registry *r)
{
    return r->plugins;
}

const GPtrArray *
registry_refusals(registry *r)
{
    return r->refusals;
}

bool
registry_load_file(registry *r, const char *path, GError **error)
{
    const unsigned before = r->refusals->len;
    const struct plugin_refusal *refusal;

    load(r, path);
    g_ptr_array_sort(r->plugins, by_kind_and_name);
    if (r->refusals->len == before)
        return true;
    refusal = g_ptr_array_index(r->refusals, before);
    g_set_error(error, LENS_ERROR, LENS_ERROR_PLUGIN, "%s: %s", path, refusal->reason);
    return false;
}
