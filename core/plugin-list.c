#include <string.h>

#include "json-text.h"
#include "plugin-show.h"
#include "secret.h"
#include "wrap.h"

enum { KIND, NAME, VERSION, ABI, FILE_NAME, COLUMNS };

static const char *const titles[COLUMNS] = { "KIND", "NAME", "VERSION", "ABI", "FILE" };

const char *
plugin_abi_text(uint32_t abi)
{
    static char text[16];

    g_snprintf(text, sizeof text, "%u.%u", abi >> 16, abi & 0xffff);
    return text;
}

static const char *
file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static const char *
cell(const plugin *p, int column)
{
    switch (column) {
    case KIND:
        return plugin_kind_name(p->kind);
    case NAME:
        return p->name;
    case VERSION:
        return p->version;
    case ABI:
        return plugin_abi_text(p->abi);
    default:
        return file_name(p->path);
    }
}

static void
show_table(const GPtrArray *plugins, FILE *out)
{
    int widths[COLUMNS], start = 0;

    for (int column = 0; column < COLUMNS; column++) {
        widths[column] = wrap_width(titles[column]);
        for (unsigned i = 0; i < plugins->len; i++)
            widths[column] =
                MAX(widths[column], wrap_width(cell(plugins->pdata[i], column)));
        widths[column] += 2;
        start += widths[column];
        wrap_cell(out, titles[column], widths[column]);
    }
    fputs("SUMMARY\n", out);
    for (unsigned i = 0; i < plugins->len; i++) {
        const plugin *p = plugins->pdata[i];

        for (int column = 0; column < COLUMNS; column++)
            wrap_cell(out, cell(p, column), widths[column]);
        wrap_print(out, p->summary, start);
    }
}

/* The names of the files of `dir`, each once; caller frees. */
static char *
files_in(const char *dir, const GPtrArray *plugins)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (unsigned i = 0; i < plugins->len; i++) {
        const plugin *p = plugins->pdata[i];
        const char *name = file_name(p->path);

        if (strlen(dir) + 1 == (size_t)(name - p->path) &&
            g_str_has_prefix(p->path, dir) &&
            !g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
            g_ptr_array_add(names, (char *)name);
    }
    g_ptr_array_add(names, NULL);
    return g_strjoinv(" ", (char **)names->pdata);
}

/* Where the files lie; with several directories also which of them holds what. */
static void
show_directories(const GPtrArray *plugins, FILE *out)
{
    g_autoptr(GPtrArray) dirs = g_ptr_array_new_with_free_func(g_free);

    for (unsigned i = 0; i < plugins->len; i++) {
        const plugin *p = plugins->pdata[i];
        char *dir = g_path_get_dirname(p->path);

        if (g_ptr_array_find_with_equal_func(dirs, dir, g_str_equal, NULL))
            g_free(dir);
        else
            g_ptr_array_add(dirs, dir);
    }
    fputc('\n', out);
    for (unsigned d = 0; d < dirs->len; d++) {
        const char *dir = g_ptr_array_index(dirs, d);
        g_autofree char *files = files_in(dir, plugins);

        fprintf(out, "files in %s\n", dir);
        if (dirs->len > 1) {
            fputs("  ", out);
            wrap_print(out, files, 2);
        }
    }
}

static void
show_refusals(const GPtrArray *refusals, FILE *out)
{
    if (refusals->len > 0)
        fputs("\nrefused\n", out);
    for (unsigned i = 0; i < refusals->len; i++) {
        const struct plugin_refusal *refusal = refusals->pdata[i];

        fputs("  ", out);
        wrap_print(out, refusal->path, 2);
        fputs("    ", out);
        wrap_print(out, refusal->reason, 4);
    }
}

void
plugin_show_list(registry *r, FILE *out)
{
    const GPtrArray *plugins = registry_plugins(r);

    if (plugins->len > 0) {
        show_table(plugins, out);
        show_directories(plugins, out);
    } else {
        fputs("no plugin was found; name their directory with --plugin-dir DIR or in\n"
              "LENS_PLUGIN_PATH\n",
              out);
    }
    show_refusals(registry_refusals(r), out);
}

void
plugin_put_head(JsonBuilder *b, const plugin *p)
{
    json_put_string(b, "kind", plugin_kind_name(p->kind));
    json_put_string(b, "name", p->name);
    json_put_string(b, "version", p->version);
    json_put_string(b, "abi", plugin_abi_text(p->abi));
    json_put_string(b, "abi_needs", plugin_abi_text(p->abi_needs));
    json_put_string(b, "summary", p->summary);
    json_put_string(b, "file", p->path);
}

char *
plugin_list_json(registry *r)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    g_autoptr(JsonNode) root = NULL;
    const GPtrArray *plugins = registry_plugins(r), *refusals = registry_refusals(r);

    json_builder_begin_object(b);
    json_builder_set_member_name(b, "plugins");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < plugins->len; i++) {
        json_builder_begin_object(b);
        plugin_put_head(b, plugins->pdata[i]);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    json_builder_set_member_name(b, "refused");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < refusals->len; i++) {
        const struct plugin_refusal *refusal = refusals->pdata[i];

        json_builder_begin_object(b);
        json_put_string(b, "file", refusal->path);
        json_put_string(b, "reason", refusal->reason);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
    root = json_builder_get_root(b);
    return json_text(root);
}
