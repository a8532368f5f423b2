/* From words to flags and arguments. */
#include <string.h>

#include "args-private.h"
#include "error.h"
#include "option.h"
#include "plain-text.h"

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
    return args_find(a, name) != NULL;
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
    const flag *f = args_find(a, name);

    if (f == NULL) {
        args_unknown_flag(a, name, error);
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
        const flag *f = flag_find_letter(*letters, a->command != NULL ? args_known_bits(a)
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
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "unknown %s '%.*s'%s%s%s; %s",
                skip == 0 ? "command" : "subcommand", plain_text_cut(word, 60), word,
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
            args_unknown_flag(a, f->name, error);
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
