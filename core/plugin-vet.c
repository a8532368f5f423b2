/* Is a descriptor what it says? Pure functions over its fields. */
#include <string.h>

#include "error.h"
#include "option.h"
#include "plugin-load.h"
#include "plugin-name.h"

/* The size that a struct had in ABI 1.0, by its last member then: minors append. */
#define SIZE_1_0(type, last) (offsetof(type, last) + sizeof(((type *)0)->last))

enum { APIS_MAX = 64 };

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool
refuse(GError **error, const char *format, ...)
{
    g_autofree char *why = NULL;
    va_list list;

    va_start(list, format);
    why = g_strdup_vprintf(format, list);
    va_end(list);
    g_set_error_literal(error, LENS_ERROR, LENS_ERROR_PLUGIN, why);
    return false;
}

static bool
check_size(const char *what, uint32_t size, size_t needed, GError **error)
{
    if (size >= needed)
        return true;
    return refuse(error, "%s: struct_size is %u, at least %zu is needed", what, size,
                  needed);
}

bool
plugin_vet_head(const struct lens_plugin *d, GError **error)
{
    if (d->magic != LENS_MAGIC)
        return refuse(error, "descriptor: magic is 0x%08x, expected 0x%08x", d->magic,
                      LENS_MAGIC);
    if (d->abi >> 16 != LENS_ABI_MAJOR)
        return refuse(error,
                      "descriptor: abi is %u.%u, this lens speaks plugin ABI %d.%d; the "
                      "major versions must be equal",
                      d->abi >> 16, d->abi & 0xffff, LENS_ABI_MAJOR, LENS_ABI_MINOR);
    return check_size("descriptor", d->struct_size, SIZE_1_0(struct lens_plugin, next),
                      error);
}

struct operation {
    const char *name;
    bool there;
};

static bool
check_operations(const char *kind, const struct operation *list, size_t count,
                 GError **error)
{
    for (size_t i = 0; i < count; i++)
        if (!list[i].there)
            return refuse(error, "%s: the operation `%s` is NULL, it is mandatory", kind,
                          list[i].name);
    return true;
}

/* Options that have a meaning for the host must be of its type. */
static bool
check_host_option(const struct lens_schema *schema, const char *name, uint32_t type,
                  GError **error)
{
    for (uint32_t i = 0; i < schema->count; i++) {
        struct lens_option option = { 0 };

        memcpy(&option, (const char *)schema->items + (size_t)i * schema->item_size,
               MIN(sizeof option, schema->item_size));
        if (strcmp(option.name, name) == 0 && option.type != type)
            return refuse(error, "option %s: type is %s, the host expects %s", name,
                          option_type_name(option.type), option_type_name(type));
    }
    return true;
}

static bool
check_apis(const struct lens_provider *p, GError **error)
{
    const char *names[APIS_MAX];

    if (p->api_count == 0 || p->api_count > APIS_MAX || p->apis == NULL)
        return refuse(error, "provider: api_count is %u, expected 1 to %d", p->api_count,
                      APIS_MAX);
    if (p->api_size < SIZE_1_0(struct lens_api, content_type) ||
        p->api_size % _Alignof(struct lens_api) != 0)
        return refuse(error,
                      "provider: api_size is %u, at least %zu is needed, in steps of %zu",
                      p->api_size, SIZE_1_0(struct lens_api, content_type),
                      _Alignof(struct lens_api));
    for (uint32_t i = 0; i < p->api_count; i++) {
        const struct lens_api *api =
            (const struct lens_api *)((const char *)p->apis + (size_t)i * p->api_size);

        if (!plugin_name_is_good(api->name, true))
            return refuse(error, "provider: the name of api %u is %s, expected %s", i,
                          api->name == NULL ? "NULL" : "malformed", "[a-z][a-z0-9_-]*");
        if (api->summary == NULL)
            return refuse(error, "provider: api %s: summary is NULL", api->name);
        if (api->content_type == NULL && (api->flags & LENS_API_NO_STREAM) == 0)
            return refuse(error, "provider: api %s: content_type is NULL", api->name);
        for (uint32_t k = 0; k < i; k++)
            if (strcmp(names[k], api->name) == 0)
                return refuse(error, "provider: api %s is declared twice", api->name);
        names[i] = api->name;
    }
    return true;
}

static bool
check_mock(const struct lens_mock *mock, GError **error)
{
    if (mock == NULL)
        return true;
    if (!check_size("mock", mock->struct_size, SIZE_1_0(struct lens_mock, encode), error))
        return false;
    if (mock->recognise == NULL || mock->encode == NULL)
        return refuse(error, "mock: the operation `%s` is NULL, it is mandatory",
                      mock->recognise == NULL ? "recognise" : "encode");
    return true;
}

static bool
vet_provider(const struct lens_provider *p, GError **error)
{
    if (!check_size("provider", p->struct_size, SIZE_1_0(struct lens_provider, mock),
                    error))
        return false;
    const struct operation mandatory[] = {
        { "open", p->open != NULL },
        { "close", p->close != NULL },
        { "describe", p->describe != NULL },
        { "stream_open", p->stream_open != NULL },
        { "stream_close", p->stream_close != NULL },
        { "decode", p->decode != NULL },
        { "finish", p->finish != NULL },
        { "classify", p->classify != NULL },
    };

    return check_operations("provider", mandatory, G_N_ELEMENTS(mandatory), error) &&
           option_schema_check(&p->options, error) &&
           check_host_option(&p->options, "url", LENS_OPT_URL, error) &&
           check_host_option(&p->options, "api_key", LENS_OPT_SECRET, error) &&
           check_apis(p, error) && check_mock(p->mock, error);
}

static bool
vet_workload(const struct lens_workload *w, GError **error)
{
    const uint32_t shapes =
        LENS_WORKLOAD_OPEN | LENS_WORKLOAD_CLOSED | LENS_WORKLOAD_SEMI_OPEN;

    if (!check_size("workload", w->struct_size, SIZE_1_0(struct lens_workload, estimate),
                    error))
        return false;
    const struct operation mandatory[] = {
        { "open", w->open != NULL },
        { "close", w->close != NULL },
        { "next", w->next != NULL },
        { "event", w->event != NULL || w->wants == 0 },
    };

    if ((w->flags & shapes) == 0)
        return refuse(error,
                      "workload: flags is 0x%x, one of open (0x%x), closed (0x%x), "
                      "semi-open (0x%x) is needed",
                      w->flags, LENS_WORKLOAD_OPEN, LENS_WORKLOAD_CLOSED,
                      LENS_WORKLOAD_SEMI_OPEN);
    return check_operations("workload", mandatory, G_N_ELEMENTS(mandatory), error) &&
           option_schema_check(&w->options, error);
}

static bool
vet_exporter(const struct lens_exporter *e, GError **error)
{
    if (!check_size("exporter", e->struct_size, SIZE_1_0(struct lens_exporter, serve),
                    error))
        return false;
    const struct operation mandatory[] = {
        { "open", e->open != NULL },
        { "close", e->close != NULL },
        { "begin", e->begin != NULL },
        { "end", e->end != NULL },
        { "samples", e->samples != NULL || (e->flags & LENS_EXPORT_SAMPLES) == 0 },
        { "snapshot", e->snapshot != NULL || (e->flags & LENS_EXPORT_INTERVALS) == 0 },
    };

    return check_operations("exporter", mandatory, G_N_ELEMENTS(mandatory), error) &&
           option_schema_check(&e->options, error);
}

bool
plugin_vet(const struct lens_plugin *d, GError **error)
{
    const char *kind = plugin_kind_name(d->kind);
    bool good;

    if (d->abi_needs > LENS_ABI)
        return refuse(error,
                      "descriptor: abi_needs is %u.%u, this lens has %d.%d; a newer lens "
                      "is needed",
                      d->abi_needs >> 16, d->abi_needs & 0xffff, LENS_ABI_MAJOR,
                      LENS_ABI_MINOR);
    if (kind == NULL)
        return refuse(error, "descriptor: kind is %u, this lens knows 1 to %d", d->kind,
                      LENS_KIND_OF_EXPORTER);
    if (!plugin_name_is_good(d->name, true))
        return refuse(error, "descriptor: name is %s, expected [a-z][a-z0-9_-]*",
                      d->name == NULL ? "NULL" : "malformed");
    if (d->version == NULL || d->summary == NULL || d->ops == NULL)
        return refuse(error, "%s %s: %s is NULL", kind, d->name,
                      d->version == NULL   ? "version"
                      : d->summary == NULL ? "summary"
                                           : "ops");
    if (d->kind == LENS_KIND_OF_PROVIDER)
        good = vet_provider(d->ops, error);
    else if (d->kind == LENS_KIND_OF_WORKLOAD)
        good = vet_workload(d->ops, error);
    else
        good = vet_exporter(d->ops, error);
    if (!good)
        g_prefix_error(error, "%s %s: ", kind, d->name);
    return good;
}
