#include "presets.h"

#include <string.h>

#include "doc.h"
#include "error.h"
#include "option.h"

void
preset_free(preset *p)
{
    if (p == NULL)
        return;
    g_free(p->name);
    g_free(p->provider);
    g_free(p->url);
    g_free(p->api_key_env);
    g_strfreev(p->options);
    g_free(p);
}

static bool
lies_in(const char *path, const char *dir)
{
    return g_str_has_prefix(path, dir) &&
           (path[strlen(dir)] == '\0' || path[strlen(dir)] == '/');
}

/* Installed: ../share/lens beside the program. In the build tree: the source. */
char *
data_file_path(const char *name)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *dir = program != NULL ? g_path_get_dirname(program) : NULL;
    g_autofree char *beside =
        dir != NULL ? g_build_filename(dir, "..", "share", "lens", name, NULL) : NULL;

    if (dir != NULL && lies_in(dir, LENS_BUILD_DIR))
        return g_build_filename(LENS_SOURCE_DATA_DIR, name, NULL);
    if (beside != NULL && g_file_test(beside, G_FILE_TEST_EXISTS))
        return g_steal_pointer(&beside);
    g_free(beside);
    beside = g_build_filename(LENS_DATA_DIR, name, NULL);
    return g_file_test(beside, G_FILE_TEST_EXISTS) ? g_steal_pointer(&beside) : NULL;
}

static char *
copy_text(const doc_node *map, const char *key)
{
    const doc_node *n = doc_get(map, key);

    return n != NULL ? g_strdup(doc_text(n)) : NULL;
}

static bool
check_options(const doc_node *n, GError **error)
{
    if (doc_kind(n) != DOC_MAP)
        return doc_fail(n, error, "options: expected {NAME: VALUE}");
    for (unsigned i = 0; i < doc_count(n); i++)
        if (doc_text(doc_item(n, i)) == NULL)
            return doc_fail(doc_item(n, i), error, "%s: expected a text",
                            doc_key_text(n, i));
    return true;
}

/* name, value, ..., NULL */
static char **
copy_options(const doc_node *n)
{
    GStrvBuilder *list = g_strv_builder_new();
    char **options;

    for (unsigned i = 0; n != NULL && i < doc_count(n); i++) {
        g_strv_builder_add(list, doc_key_text(n, i));
        g_strv_builder_add(list, doc_text(doc_item(n, i)));
    }
    options = g_strv_builder_end(list);
    g_strv_builder_unref(list);
    return options;
}

static bool
check_preset(const doc_node *n, GError **error)
{
    static const char *const known[] = { "provider", "url", "api_key_env", "options",
                                         NULL };

    if (doc_kind(n) != DOC_MAP)
        return doc_fail(n, error,
                        "expected {provider: NAME, url: URL, api_key_env: NAME, "
                        "options: {NAME: VALUE}}");
    for (unsigned i = 0; i < doc_count(n); i++) {
        if (!g_strv_contains(known, doc_key_text(n, i)))
            return doc_fail(doc_key(n, i), error,
                            "unknown key '%s', expected provider, url, api_key_env or "
                            "options",
                            doc_key_text(n, i));
        if (g_str_equal(doc_key_text(n, i), "options")) {
            if (!check_options(doc_item(n, i), error))
                return false;
            continue;
        }
        if (doc_text(doc_item(n, i)) == NULL)
            return doc_fail(doc_item(n, i), error, "%s: expected a text",
                            doc_key_text(n, i));
    }
    if (doc_get(n, "url") == NULL)
        return doc_fail(n, error, "a preset needs a url");
    return check_url(doc_text(doc_get(n, "url")), error) ||
           doc_locate(doc_get(n, "url"), "url", error);
}

static preset *
read_preset(const char *name, const doc_node *n, GError **error)
{
    preset *p;

    if (!check_preset(n, error))
        return NULL;
    p = g_new0(preset, 1);
    p->name = g_strdup(name);
    p->provider = copy_text(n, "provider");
    p->url = copy_text(n, "url");
    p->api_key_env = copy_text(n, "api_key_env");
    p->options = copy_options(doc_get(n, "options"));
    if (p->provider == NULL)
        p->provider = g_strdup(LENS_DEFAULT_PROVIDER);
    return p;
}

/* Looks in one file; its names are added to `names`. */
static preset *
find_in(const char *path, const char *name, GPtrArray *names, GError **error)
{
    g_autoptr(doc) d = doc_read_file(path, error);
    const doc_node *root, *found;

    if (d == NULL)
        return NULL;
    root = doc_root(d);
    if (doc_kind(root) != DOC_MAP) {
        doc_fail(root, error, "expected presets: NAME: {url: URL}");
        return NULL;
    }
    for (unsigned i = 0; i < doc_count(root); i++)
        g_ptr_array_add(names, g_strdup(doc_key_text(root, i)));
    found = doc_get(root, name);
    return found != NULL ? read_preset(name, found, error) : NULL;
}

preset *
preset_find(const char *name, char **ret_near, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *shipped = data_file_path("presets.yaml");
    g_autofree char *own =
        g_build_filename(g_get_user_config_dir(), "lens", "presets.yaml", NULL);
    const char *const paths[] = { own, shipped }; /* the user's own come first */
    GError *cause = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(paths); i++) {
        preset *p = NULL;

        if (paths[i] != NULL && g_file_test(paths[i], G_FILE_TEST_EXISTS))
            p = find_in(paths[i], name, names, &cause);
        if (p != NULL || cause != NULL) {
            if (cause != NULL)
                g_propagate_error(error, cause);
            return p;
        }
    }
    g_ptr_array_add(names, NULL);
    *ret_near = g_strdup(nearest_name(name, (const char *const *)names->pdata));
    return NULL;
}
