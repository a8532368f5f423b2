#include "args.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "flags.h"
#include "option.h"
#include "secret.h"

struct given {
    const flag *flag;
    char *text; /* NULL: a switch */
};

struct args {
    char *command, *subcommand;
    unsigned bit;
    GArray *given; /* struct given, in order */
    GPtrArray *positional;
    registry **plugins; /* loaded when first asked for */
};

/* The words that are left to read. */
struct reader {
    char *const *words;
    int left;
    bool only_positional; /* behind "--" */
};

static void
given_clear(void *data)
{
    g_free(((struct given *)data)->text);
}

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

/* ---- which flags and commands there are ---- */

/* Bits that a flag may have at this point: those of the command, or of all its
 * subcommands while that is open. */
static unsigned
known_bits(const args *a)
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

static const flag *
find(const args *a, const char *name)
{
    const flag *f = flag_find(name, a->command != NULL ? known_bits(a) : ~0U);

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
    const unsigned bits = a->command != NULL ? known_bits(a) : ~0U;
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

static void
unknown_flag(const args *a, const char *name, GError **error)
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

/* ---- flags with their values ---- */

static bool
keep(args *a, const flag *f, const char *text, GError **error)
{
    const struct given g = { f, g_strdup(text) };
    scalar_value ignored;

    if (text != NULL && !scalar_parse(f->type, f->range, text, &ignored, error)) {
        g_free(g.text);
        g_prefix_error(error, "--%s: ", f->name);
        return false;
    }
    g_array_append_val(a->given, g);
    return true;
}

/* A value may start with a dash, but a word that is a flag was not meant as one. */
static bool
is_flag_word(const args *a, const char *word)
{
    g_autofree char *name = NULL;

    if (word[0] != '-' || word[1] != '-' || word[2] == '\0')
        return false;
    name = g_strndup(word + 2, strcspn(word + 2, "="));
    return find(a, name) != NULL;
}

static bool
next_value(args *a, struct reader *r, const flag *f, GError **error)
{
    if (r->left == 0) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "--%s needs a value: --%s %s",
                    f->name, f->name, f->value);
        return false;
    }
    if (is_flag_word(a, r->words[0])) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "--%s needs a value, found the flag %.40s; write --%s=%.40s if that "
                    "is the value",
                    f->name, r->words[0], f->name, r->words[0]);
        return false;
    }
    r->left--;
    return keep(a, f, *r->words++, error);
}

static bool
read_long(args *a, struct reader *r, const char *word, GError **error)
{
    const char *equals = strchr(word, '=');
    g_autofree char *name =
        equals != NULL ? g_strndup(word, (size_t)(equals - word)) : g_strdup(word);
    const flag *f = find(a, name);

    if (f == NULL) {
        unknown_flag(a, name, error);
        return false;
    }
    if (f->value != NULL)
        return equals != NULL ? keep(a, f, equals + 1, error)
                              : next_value(a, r, f, error);
    if (equals != NULL) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "--%s takes no value", f->name);
        return false;
    }
    return keep(a, f, NULL, error);
}

/* "-c4", "-c=4", "-c 4", "-vv". */
static bool
read_short(args *a, struct reader *r, const char *letters, GError **error)
{
    for (; *letters != '\0'; letters++) {
        const flag *f = flag_find_letter(*letters, a->command != NULL ? known_bits(a)
                                                                      : (unsigned)ON_ALL);

        if (f == NULL || (a->command == NULL && f->on != (unsigned)ON_ALL)) {
            g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                        f != NULL ? "-%c stands behind its command" : "unknown flag -%c",
                        *letters);
            return false;
        }
        if (f->value != NULL && letters[1] != '\0')
            return keep(a, f, letters + (letters[1] == '=' ? 2 : 1), error);
        if (f->value != NULL)
            return next_value(a, r, f, error);
        if (!keep(a, f, NULL, error))
            return false;
    }
    return true;
}

/* ---- commands ---- */

static void
unknown_command(const args *a, const char *word, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const size_t skip = a->command != NULL ? strlen(a->command) + 1 : 0;
    unsigned count;
    const command *all = commands(&count);
    const char *near;

    for (unsigned i = 0; i < count; i++)
        if (skip == 0 || g_str_has_prefix(all[i].name, a->command))
            g_ptr_array_add(names, (void *)(all[i].name + skip));
    g_ptr_array_add(names, NULL);
    near = nearest_name(word, (const char *const *)names->pdata);
    if (skip == 0 && near == NULL && g_str_has_prefix("plugin", word))
        near = "plugin";
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "unknown %s '%.60s'%s%s%s; %s",
                skip == 0 ? "command" : "subcommand", word,
                near != NULL ? ", did you mean '" : "", near != NULL ? near : "",
                near != NULL ? "'?" : "", "'lens help' shows them all");
}

static bool
read_word(args *a, const char *word, GError **error)
{
    if (a->command == NULL) {
        a->bit = command_bit(word, NULL);
        if (a->bit == 0 && !command_has_subcommands(word)) {
            unknown_command(a, word, error);
            return false;
        }
        a->command = g_strdup(word);
    } else if (a->bit == 0) {
        a->bit = command_bit(a->command, word);
        if (a->bit == 0) {
            unknown_command(a, word, error);
            return false;
        }
        a->subcommand = g_strdup(word);
    } else {
        g_ptr_array_add(a->positional, g_strdup(word));
    }
    return true;
}

static bool
read_next(args *a, struct reader *r, GError **error)
{
    const char *word = *r->words++;

    r->left--;
    if (r->only_positional || word[0] != '-' || word[1] == '\0')
        return read_word(a, word, error);
    if (g_str_equal(word, "--")) {
        r->only_positional = true;
        return true;
    }
    return word[1] == '-' ? read_long(a, r, word + 2, error)
                          : read_short(a, r, word + 1, error);
}

static bool
check_flags(const args *a, GError **error)
{
    for (unsigned i = 0; i < a->given->len; i++) {
        const flag *f = g_array_index(a->given, struct given, i).flag;

        if (a->bit != 0 && (f->on & a->bit) == 0) {
            unknown_flag(a, f->name, error);
            return false;
        }
    }
    return true;
}

static bool
check_positional(const args *a, GError **error)
{
    const command *c = command_of(a->bit);
    const unsigned count = a->positional->len;

    if (a->command == NULL)
        return true;
    if (c == NULL) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "'%s' needs a subcommand; 'lens help %s' shows them", a->command,
                    a->command);
        return false;
    }
    if (count >= c->least && count <= c->most)
        return true;
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "%s: %s: lens %s%s%s", c->name,
                count < c->least ? "an argument is missing"
                                 : "too many arguments (values with spaces need quotes)",
                c->name, c->arguments != NULL ? " " : "",
                c->arguments != NULL ? c->arguments : "");
    return false;
}

static args *
args_new(void)
{
    args *a = g_new0(args, 1);

    a->plugins = g_new0(registry *, 1);
    a->given = g_array_new(FALSE, FALSE, sizeof(struct given));
    a->positional = g_ptr_array_new_with_free_func(g_free);
    g_array_set_clear_func(a->given, given_clear);
    return a;
}

static bool
read_all(args *a, struct reader *r, GError **error)
{
    while (r->left > 0)
        if (!read_next(a, r, error))
            return false;
    return check_flags(a, error) &&
           (args_is_set(a, "help") || args_is_set(a, "version") ||
            check_positional(a, error));
}

args *
args_parse(int argc, char *const *argv, GError **error)
{
    struct reader r = { .words = argv + 1, .left = argc - 1 };
    args *a = args_new();

    if (read_all(a, &r, error))
        return a;
    args_free(a);
    return NULL;
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
    const flag *f = find(a, name);

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
