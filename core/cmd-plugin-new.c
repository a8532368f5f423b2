/* cmd-plugin-new: `lens plugin new KIND NAME DIR`, a complete project of its own that
 * builds against the installed headers. The templates stand in sdk/template/. */
#include <errno.h>
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>

#include "cmd-plugin.h"
#include "error.h"
#include "lens-template.h"
#include "plugin-name.h"

static const struct kind {
    const char *name;
    const char *use; /* how its plugin is used, for the README */
} KINDS[] = {
    { "provider", "\nTry it against its own mock:\n\n"
                  "    lens --plugin-dir build mock --provider @NAME@ --port 8080 &\n"
                  "    lens --plugin-dir build run --provider "
                  "@NAME@:url=http://127.0.0.1:8080 -m any -n 20\n" },
    { "workload", "    lens --plugin-dir build run --workload @NAME@:rate=20 -n 100\n" },
    { "exporter",
      "    lens --plugin-dir build run -n 20 --export @NAME@:path=out.txt\n" },
};

/* One project to write. */
struct project {
    const struct kind *kind;
    const char *name, *dir;
    bool is_cxx;
};

static const struct kind *
find_kind(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(KINDS); i++)
        if (strcmp(KINDS[i].name, name) == 0)
            return &KINDS[i];
    return NULL;
}

static char *
fill_in(const struct project *p, const char *text)
{
    g_autoptr(GString) filled = g_string_new(text);
    g_autofree char *upper = g_ascii_strup(p->name, -1);
    const bool is_provider = strcmp(p->kind->name, "provider") == 0;
    const char *const values[][2] = {
        { "@USE@", p->kind->use }, /* first: holds a name itself */
        { "@NAME@", p->name },
        { "@UPPER@", upper },
        { "@KIND@", p->kind->name },
        { "@LANG@", p->is_cxx ? "cpp" : "c" },
        { "@EXT@", p->is_cxx ? "cc" : "c" },
        { "@STANDARD@", p->is_cxx ? "cpp_std=c++17" : "c_std=gnu17" },
        { "@VERSION@", LENS_VERSION },
        { "@CASE@", is_provider ? ",\n    '--case', files('cases.jsonl')" : "" },
    };

    g_strdelimit(upper, "-", '_');
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
        g_string_replace(filled, values[i][0], values[i][1], 0);
    return g_string_free(g_steal_pointer(&filled), FALSE);
}

static bool
write_file(const struct project *p, const char *template, const char *name,
           GError **error)
{
    g_autofree char *resource = g_strdup_printf("/lens/template/%s.in", template);
    g_autofree char *path = g_build_filename(p->dir, name, NULL);
    g_autoptr(GBytes) raw = NULL;
    g_autofree char *text = NULL;
    g_autoptr(GError) broken = NULL;

    raw = g_resource_lookup_data(lens_template_get_resource(), resource,
                                 G_RESOURCE_LOOKUP_FLAGS_NONE, error);
    if (raw == NULL)
        return false;
    text = fill_in(p, g_bytes_get_data(raw, NULL));
    if (g_file_set_contents(path, text, -1, &broken))
        return true;
    g_set_error(error, LENS_ERROR, LENS_ERROR_FILE, "cannot write %s: %s", path,
                broken->message);
    return false;
}

/* A new directory, or one that is empty: nothing is ever overwritten. */
static bool
make_dir(const char *path, GError **error)
{
    g_autoptr(GDir) dir = NULL;

    if (g_mkdir_with_parents(path, 0755) < 0) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_FILE, "cannot create %s: %s", path,
                    g_strerror(errno));
        return false;
    }
    dir = g_dir_open(path, 0, error);
    if (dir == NULL)
        return false;
    if (g_dir_read_name(dir) != NULL) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "%s is not empty; name a new directory", path);
        return false;
    }
    return true;
}

static bool
write_project(const struct project *p, GError **error)
{
    g_autofree char *source = g_strdup_printf("%s.c", p->kind->name);
    g_autofree char *test = g_strdup_printf("test-%s.c", p->kind->name);
    g_autofree char *source_name =
        g_strdup_printf("%s.%s", p->name, p->is_cxx ? "cc" : "c");

    return make_dir(p->dir, error) && write_file(p, source, source_name, error) &&
           write_file(p, test, p->is_cxx ? "test.cc" : "test.c", error) &&
           write_file(p, "project.build", "meson.build", error) &&
           write_file(p, "README.md", "README.md", error) &&
           (strcmp(p->kind->name, "provider") != 0 ||
            write_file(p, "cases.jsonl", "cases.jsonl", error));
}

int
cmd_plugin_new(const args *a)
{
    const struct project p = {
        .kind = find_kind(args_positional(a, 0)),
        .name = args_positional(a, 1),
        .dir = args_positional(a, 2),
        .is_cxx = g_strcmp0(args_string(a, "lang", 0), "c++") == 0,
    };
    GError *error = NULL;

    if (p.kind == NULL)
        return args_fail(a, g_error_new(LENS_ERROR, LENS_ERROR_USAGE,
                                        "there is no kind of plugin `%s`; expected "
                                        "provider, workload or exporter",
                                        args_positional(a, 0)));
    if (!plugin_name_is_good(p.name, true) || strcmp(p.name, "test") == 0)
        return args_fail(a, g_error_new(LENS_ERROR, LENS_ERROR_USAGE,
                                        "`%s` is no name for a plugin; expected "
                                        "[a-z][a-z0-9_-]*, and not test",
                                        p.name));
    if (!write_project(&p, &error))
        return args_fail(a, error);
    printf("wrote the %s %s to %s\n", p.kind->name, p.name, p.dir);
    printf("next: meson setup %s/build %s && meson test -C %s/build\n", p.dir, p.dir,
           p.dir);
    return EXIT_OK;
}
