#include <string.h>

#include "json-text.h"
#include "option-private.h"
#include "plugin-show.h"
#include "secret.h"
#include "wrap.h"

struct bit {
    uint64_t bit;
    const char *name;
};

static const struct bit capabilities[] = {
    { LENS_CAP_USAGE, "usage" },
    { LENS_CAP_CACHED_USAGE, "cached usage" },
    { LENS_CAP_FORCE_LENGTH, "forced length" },
    { LENS_CAP_COUNT, "token count" },
    { LENS_CAP_TOKENIZE, "tokenize" },
    { LENS_CAP_TOOLS, "tools" },
    { LENS_CAP_IMAGES, "images" },
    { LENS_CAP_AUDIO, "audio" },
    { LENS_CAP_HISTORY_ON_SERVER, "history on the server" },
    { LENS_CAP_SERVER_TIMES, "server times" },
    { LENS_CAP_NO_MODEL, "no model needed" },
    { 0, NULL },
};
static const struct bit workload_flags[] = {
    { LENS_WORKLOAD_OPEN, "open loop" },
    { LENS_WORKLOAD_CLOSED, "closed loop" },
    { LENS_WORKLOAD_SEMI_OPEN, "semi-open loop" },
    { LENS_WORKLOAD_ONE_SHARD, "one thread only" },
    { 0, NULL },
};
static const struct bit exporter_flags[] = {
    { LENS_EXPORT_SAMPLES, "every sample" },
    { LENS_EXPORT_INTERVALS, "every interval" },
    { LENS_EXPORT_LAST_STATE, "last state" },
    { LENS_EXPORT_BEST_EFFORT, "best effort" },
    { LENS_EXPORT_IDEMPOTENT, "repeats change nothing" },
    { 0, NULL },
};

/* Lines are "  NAME   TEXT"; names longer than this push the text on. */
enum { INDENT = 2, NAME_WIDTH_MIN = 8, NAME_WIDTH_MAX = 24 };

char *
plugin_traits(const plugin *p)
{
    const struct bit *names = exporter_flags;
    uint64_t bits = p->ops.exporter.flags;
    GString *out = g_string_new(NULL);

    if (p->kind == LENS_KIND_OF_PROVIDER) {
        names = capabilities;
        bits = p->ops.provider.capabilities;
    } else if (p->kind == LENS_KIND_OF_WORKLOAD) {
        names = workload_flags;
        bits = p->ops.workload.flags;
    }
    for (; names->name != NULL; names++)
        if (bits & names->bit)
            g_string_append_printf(out, "%s%s", out->len > 0 ? ", " : "", names->name);
    return g_string_free(out, FALSE);
}

const struct lens_schema *
plugin_schema(const plugin *p)
{
    if (p->kind == LENS_KIND_OF_PROVIDER)
        return &p->ops.provider.options;
    if (p->kind == LENS_KIND_OF_WORKLOAD)
        return &p->ops.workload.options;
    return &p->ops.exporter.options;
}

static const struct lens_api *
api_at(const plugin *p, uint32_t index)
{
    return (const struct lens_api *)((const char *)p->ops.provider.apis +
                                     (size_t)index * p->ops.provider.api_size);
}

static uint32_t
api_count(const plugin *p)
{
    return p->kind == LENS_KIND_OF_PROVIDER ? p->ops.provider.api_count : 0;
}

static void
show_line(FILE *out, const char *name, int width, const char *text)
{
    fprintf(out, "%*s", INDENT, "");
    wrap_cell(out, name, width);
    wrap_print(out, text, INDENT + MAX(width, wrap_width(name) + 1));
}

/* "double 0..2 req/s, default 1, variable RATE, required, repeatable". */
static char *
option_line(const struct lens_option *option)
{
    GString *line = g_string_new(NULL);
    g_auto(GStrv) choices =
        g_strsplit(option->choices == NULL ? "" : option->choices, "|", -1);

    if (option->type == LENS_OPT_CHOICE) {
        g_autofree char *list = g_strjoinv(" | ", choices);

        g_string_append(line, list);
    } else {
        g_string_append(line, option_type_name(option->type));
        if (option->choices != NULL)
            g_string_append_printf(line, " %s", option->choices);
    }
    if (option->unit != NULL)
        g_string_append_printf(line, " %s", option->unit);
    if (option->flags & LENS_OPT_REQUIRED)
        g_string_append(line, ", required");
    if (option->flags & LENS_OPT_REPEATABLE)
        g_string_append(line, ", repeatable");
    if (option->fallback != NULL)
        g_string_append_printf(line, ", default %s",
                               *option->fallback == '\0' ? "empty" : option->fallback);
    if (option->variable != NULL)
        g_string_append_printf(line, ", or $%s", option->variable);
    return g_string_free(line, FALSE);
}

static void
show_options(const plugin *p, FILE *out)
{
    const struct lens_schema *schema = plugin_schema(p);
    int width = NAME_WIDTH_MIN;

    if (schema->count == 0) {
        fputs("\n  it has no options\n", out);
        return;
    }
    for (uint32_t i = 0; i < schema->count; i++)
        width = MAX(width, wrap_width(option_at(schema, i).name) + 2);
    width = MIN(width, NAME_WIDTH_MAX);
    fputs("\noptions\n", out);
    for (uint32_t i = 0; i < schema->count; i++) {
        const struct lens_option option = option_at(schema, i);
        g_autofree char *line = option_line(&option);

        show_line(out, option.name, width, option.help);
        show_line(out, "", width, line);
    }
}

static void
show_apis(const plugin *p, FILE *out)
{
    int width = NAME_WIDTH_MIN;

    if (api_count(p) == 0)
        return;
    fputs("\napis, the first is the default\n", out);
    for (uint32_t i = 0; i < api_count(p); i++)
        width = MAX(width, wrap_width(api_at(p, i)->name) + 2);
    for (uint32_t i = 0; i < api_count(p); i++)
        show_line(out, api_at(p, i)->name, MIN(width, NAME_WIDTH_MAX),
                  api_at(p, i)->summary);
}

/* How an option is given, by kind. */
static void
show_usage(const plugin *p, FILE *out)
{
    const char *kind = plugin_kind_name(p->kind);
    const char *flag = p->kind == LENS_KIND_OF_EXPORTER ? "export" : kind;

    if (plugin_schema(p)->count == 0)
        return;
    if (p->kind == LENS_KIND_OF_EXPORTER)
        fprintf(out,
                "\ngiven as --export %s:KEY=VALUE,... or --set export.%s.KEY=VALUE\n",
                p->name, p->name);
    else
        fprintf(out, "\ngiven as --%s %s:KEY=VALUE,... or --set %s.KEY=VALUE\n", flag,
                p->name, kind);
}

void
plugin_show_info(const plugin *p, FILE *out)
{
    g_autofree char *title =
        g_strdup_printf("%s %s %s", plugin_kind_name(p->kind), p->name, p->version);
    g_autofree char *traits = plugin_traits(p);
    const char *does = p->kind == LENS_KIND_OF_PROVIDER   ? "can"
                       : p->kind == LENS_KIND_OF_WORKLOAD ? "is"
                                                          : "delivers";

    wrap_print(out, title, 0);
    fprintf(out, "%*s", INDENT, "");
    wrap_print(out, p->summary, INDENT);
    fputc('\n', out);
    show_line(out, "file", 10, p->path);
    show_line(out, "abi", 10, plugin_abi_text(p->abi));
    if (*traits != '\0')
        show_line(out, does, 10, traits);
    if (p->kind == LENS_KIND_OF_PROVIDER)
        show_line(out, "mock", 10,
                  p->mock.recognise != NULL ? "its protocol is spoken by `lens mock`"
                                            : "none");
    show_apis(p, out);
    show_options(p, out);
    show_usage(p, out);
}

static void
put_option(JsonBuilder *b, const struct lens_option *option)
{
    json_builder_begin_object(b);
    json_put_string(b, "name", option->name);
    json_put_string(b, "type", option_type_name(option->type));
    json_put_string(b, "default", option->fallback);
    json_put_string(b, "choices", option->choices);
    json_put_string(b, "unit", option->unit);
    json_put_string(b, "variable", option->variable);
    json_builder_set_member_name(b, "required");
    json_builder_add_boolean_value(b, (option->flags & LENS_OPT_REQUIRED) != 0);
    json_builder_set_member_name(b, "repeatable");
    json_builder_add_boolean_value(b, (option->flags & LENS_OPT_REPEATABLE) != 0);
    json_put_string(b, "help", option->help);
    json_builder_end_object(b);
}

static void
put_provider(JsonBuilder *b, const plugin *p)
{
    json_builder_set_member_name(b, "mock");
    json_builder_add_boolean_value(b, p->mock.recognise != NULL);
    json_builder_set_member_name(b, "apis");
    json_builder_begin_array(b);
    for (uint32_t i = 0; i < api_count(p); i++) {
        json_builder_begin_object(b);
        json_put_string(b, "name", api_at(p, i)->name);
        json_put_string(b, "summary", api_at(p, i)->summary);
        json_put_string(b, "content_type", api_at(p, i)->content_type);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void
put_plugin(JsonBuilder *b, const plugin *p)
{
    const struct lens_schema *schema = plugin_schema(p);
    g_autofree char *traits = plugin_traits(p);
    g_auto(GStrv) list = g_strsplit(traits, ", ", -1);

    json_builder_begin_object(b);
    plugin_put_head(b, p);
    json_builder_set_member_name(b, "traits");
    json_builder_begin_array(b);
    for (char **trait = list; *trait != NULL; trait++)
        json_builder_add_string_value(b, *trait);
    json_builder_end_array(b);
    if (p->kind == LENS_KIND_OF_PROVIDER)
        put_provider(b, p);
    json_builder_set_member_name(b, "options");
    json_builder_begin_array(b);
    for (uint32_t i = 0; i < schema->count; i++) {
        const struct lens_option option = option_at(schema, i);

        put_option(b, &option);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
}

char *
plugin_info_json(const char *name, const GPtrArray *found)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    g_autoptr(JsonNode) root = NULL;

    json_builder_begin_object(b);
    json_put_string(b, "name", name);
    json_builder_set_member_name(b, "plugins");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < found->len; i++)
        put_plugin(b, found->pdata[i]);
    json_builder_end_array(b);
    json_builder_end_object(b);
    root = json_builder_get_root(b);
    return json_text(root);
}
