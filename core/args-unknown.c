/* Which flags a command knows, and what is said about the others. */
#include <string.h>

#include "args-private.h"
#include "error.h"
#include "option.h"

unsigned
args_known_bits(const args *a)
{
    unsigned count, bits = a->bit;
    const command *all = commands(&count);

    if (a->command == NULL || a->bit != 0)
        return bits;
    for (unsigned i = 0; i < count; i++) {
        const char *rest = all[i].name;

        if (g_str_has_prefix(rest, a->command) && rest[strlen(a->command)] == ' ')
            bits |= 1U << i;
    }
    return bits;
}

const flag *
args_find(const args *a, const char *name)
{
    const flag *f = flag_find(name, a->command != NULL ? args_known_bits(a) : ~0U);

    return f != NULL && a->command == NULL && f->on != (unsigned)ON_ALL ? NULL : f;
}

/* "run, validate": where a flag is known. */
static char *
where_known(const char *name)
{
    g_autoptr(GString) text = g_string_new(NULL);
    unsigned count;
    const command *all = commands(&count);

    for (unsigned i = 0; i < count; i++)
        if (flag_find(name, 1U << i) != NULL)
            g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", all[i].name);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static const char *
nearest_flag(const args *a, const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const unsigned bits = a->command != NULL ? args_known_bits(a) : ~0U;
    unsigned count;
    const flag *all = flags(&count);
    const char *near;

    for (unsigned i = 0; i < count; i++)
        if ((all[i].on & bits) != 0 && (all[i].marks & FLAG_HIDDEN) == 0)
            g_ptr_array_add(names, (void *)all[i].name);
    g_ptr_array_add(names, NULL);
    near = nearest_name(name, (const char *const *)names->pdata);
    for (unsigned i = 0; near == NULL && i + 1 < names->len; i++)
        if (strlen(name) >= 3 && g_str_has_prefix(g_ptr_array_index(names, i), name))
            near = g_ptr_array_index(names, i); /* cut short */
    return near;
}

static bool
sounds_like_a_key(const char *name)
{
    return strstr(name, "api-key") != NULL || strstr(name, "apikey") != NULL ||
           strstr(name, "api_key") != NULL || strstr(name, "token") != NULL ||
           strstr(name, "secret") != NULL || strstr(name, "password") != NULL;
}

void
args_unknown_flag(const args *a, const char *name, GError **error)
{
    g_autofree char *where = where_known(name);
    const char *near = nearest_flag(a, name);

    if (where[0] != '\0' && a->command == NULL)
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "--%s stands behind its command (%s)", name, where);
    else if (where[0] != '\0')
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "--%s is not a flag of '%s', it belongs to: %s", name, a->command,
                    where);
    else if (near != NULL && !g_str_has_prefix(near, "api-key"))
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "unknown flag --%s, did you mean --%s?", name, near);
    else if (sounds_like_a_key(name))
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "unknown flag --%s: a key is never an argument, use --api-key-env "
                    "NAME or --api-key-file FILE",
                    name);
    else
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "unknown flag --%s; 'lens help%s%s' shows them all", name,
                    a->command != NULL ? " " : "", a->command != NULL ? a->command : "");
}
