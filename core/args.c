#include "args.h"

#include <math.h>
#include <stdio.h>

#include "args-private.h"
#include "error.h"
#include "secret.h"

void
args_free(args *a)
{
    if (a == NULL)
        return;
    registry_free(*a->plugins);
    g_free(a->plugins);
    g_free(a->command);
    g_free(a->subcommand);
    g_array_unref(a->given);
    g_ptr_array_unref(a->positional);
    g_free(a);
}

/* ---- what commands ask ---- */

const char *
args_command(const args *a)
{
    return a->command;
}

unsigned
args_command_bit(const args *a)
{
    return a->bit;
}

const char *
args_subcommand(const args *a)
{
    return a->subcommand;
}

static const flag *
table_row(const args *a, const char *name)
{
    const flag *f = args_find(a, name);

    if (f == NULL)
        g_error("bug: '%s' asks for --%s, which flags.c does not give it",
                a->command != NULL ? a->command : "lens", name);
    return f;
}

unsigned
args_count(const args *a, const char *name)
{
    const flag *f = table_row(a, name);
    unsigned count = 0;

    for (unsigned i = 0; i < a->given->len; i++)
        count += g_array_index(a->given, struct given, i).flag == f;
    return count;
}

bool
args_is_set(const args *a, const char *name)
{
    return args_count(a, name) > 0;
}

bool
args_bool(const args *a, const char *name)
{
    return args_is_set(a, name);
}

const char *
args_string(const args *a, const char *name, unsigned nth)
{
    const flag *f = table_row(a, name);
    const char *last = NULL;

    for (unsigned i = 0; i < a->given->len; i++) {
        const struct given *g = &g_array_index(a->given, struct given, i);

        if (g->flag != f)
            continue;
        if ((f->marks & FLAG_REPEATABLE) != 0 && nth-- == 0)
            return g->text;
        if ((f->marks & FLAG_REPEATABLE) == 0)
            last = g->text; /* of one that is given twice the last counts */
    }
    return last != NULL || nth > 0 ? last : f->fallback;
}

/* false: neither given nor a default. */
static bool
value_of(const args *a, const char *name, scalar_value *ret)
{
    const flag *f = table_row(a, name);
    const char *text = args_string(a, name, 0);

    return text != NULL && scalar_parse(f->type, f->range, text, ret, NULL);
}

int64_t
args_int(const args *a, const char *name)
{
    scalar_value v;

    return value_of(a, name, &v) ? v.number : -1;
}

int64_t
args_duration(const args *a, const char *name)
{
    return args_int(a, name);
}

int64_t
args_size(const args *a, const char *name)
{
    return args_int(a, name);
}

uint64_t
args_unsigned(const args *a, const char *name, uint64_t fallback)
{
    scalar_value v;

    return value_of(a, name, &v) ? v.bits : fallback;
}

double
args_double(const args *a, const char *name)
{
    scalar_value v;

    return value_of(a, name, &v) ? v.real : (double)NAN;
}

unsigned
args_positional_count(const args *a)
{
    return a->positional->len;
}

const char *
args_positional(const args *a, unsigned nth)
{
    return nth < a->positional->len ? g_ptr_array_index(a->positional, nth) : NULL;
}

registry *
args_plugins(const args *a)
{
    g_autoptr(GPtrArray) dirs = g_ptr_array_new();

    if (*a->plugins != NULL)
        return *a->plugins;
    for (unsigned i = 0; i < args_count(a, "plugin-dir"); i++)
        g_ptr_array_add(dirs, (void *)args_string(a, "plugin-dir", i));
    g_ptr_array_add(dirs, NULL);
    *a->plugins = registry_new((const char *const *)dirs->pdata,
                               args_bool(a, "allow-insecure-plugins"));
    return *a->plugins;
}

int
args_fail(const args *a, GError *error)
{
    g_autofree char *text = secret_redact(error->message, -1);
    const enum exit_code code = lens_error_exit(error);

    (void)a;
    fprintf(stderr, "lens: %s\n", text);
    g_error_free(error);
    return (int)code;
}
