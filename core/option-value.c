/* One value: text to a typed value within its range. */
#include <string.h>

#include "error.h"
#include "option-private.h"
#include "secret.h"

const char *
option_type_name(uint32_t type)
{
    static const char *const names[] = {
        [LENS_OPT_STRING] = "string",     [LENS_OPT_INT] = "int",
        [LENS_OPT_DOUBLE] = "double",     [LENS_OPT_BOOL] = "bool",
        [LENS_OPT_DURATION] = "duration", [LENS_OPT_SIZE] = "size",
        [LENS_OPT_CHOICE] = "choice",     [LENS_OPT_SECRET] = "secret",
        [LENS_OPT_PATH] = "path",         [LENS_OPT_URL] = "url",
        [LENS_OPT_JSON] = "json",
    };

    return type < G_N_ELEMENTS(names) ? names[type] : NULL;
}

char *
option_expectation(const struct lens_option *option)
{
    g_auto(GStrv) choices = NULL;
    g_autofree char *list = NULL;
    const char *range = option->choices == NULL ? "" : option->choices;
    const char *space = *range == '\0' ? "" : " ";

    switch (option->type) {
    case LENS_OPT_INT:
        return g_strconcat("a whole number", space, range, NULL);
    case LENS_OPT_DOUBLE:
        return g_strconcat("a number", space, range, NULL);
    case LENS_OPT_DURATION:
        return g_strconcat("a duration", space, range, NULL);
    case LENS_OPT_SIZE:
        return g_strconcat("a size", space, range, NULL);
    case LENS_OPT_CHOICE:
        choices = g_strsplit(range, "|", -1);
        list = g_strjoinv(", ", choices);
        return g_strconcat("one of ", list, NULL);
    default:
        return g_strdup("another value");
    }
}

/* Whether the number lies in "MIN..MAX"; both ends are read by the option's own type and
 * may be missing. */
static bool
in_range(const struct lens_option *option, const option_value *v)
{
    const struct lens_option end_type = { .name = option->name, .type = option->type };
    const char *dots = option->choices == NULL ? NULL : strstr(option->choices, "..");
    g_autofree char *low = NULL;
    option_value *end;
    bool inside = true;

    if (dots == NULL)
        return true;
    low = g_strndup(option->choices, (size_t)(dots - option->choices));
    if (*low != '\0' && (end = option_value_parse(&end_type, low, NULL)) != NULL) {
        inside = v->number >= end->number && v->integer >= end->integer;
        option_value_free(end);
    }
    if (inside && dots[2] != '\0' &&
        (end = option_value_parse(&end_type, dots + 2, NULL)) != NULL) {
        inside = v->number <= end->number && v->integer <= end->integer;
        option_value_free(end);
    }
    return inside;
}

static bool
is_choice(const char *choices, const char *text)
{
    g_auto(GStrv) list = g_strsplit(choices == NULL ? "" : choices, "|", -1);

    return g_strv_contains((const char *const *)list, text);
}

static bool
refuse_choice(const struct lens_option *option, const char *text, GError **error)
{
    g_autofree char *expected = option_expectation(option);
    g_auto(GStrv) choices =
        g_strsplit(option->choices == NULL ? "" : option->choices, "|", -1);
    const char *near = option->type == LENS_OPT_CHOICE
                           ? nearest_name(text, (const char *const *)choices)
                           : NULL;

    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "expected %s, got `%s`%s%s%s",
                expected, text, near == NULL ? "" : "; did you mean `",
                near == NULL ? "" : near, near == NULL ? "" : "`?");
    return false;
}

/* A string that is a DSN with a password: "postgresql://user:password@host". */
static bool
holds_password(const char *text)
{
    const char *user = strstr(text, "://");
    const char *colon;

    if (user == NULL || !g_ascii_isalpha(*text) || strcspn(text, " \t\n") < strlen(text))
        return false;
    user += 3;
    colon = strchr(user, ':');
    return colon != NULL && (size_t)(colon - user) < strcspn(user, "@/?#") &&
           strcspn(user, "@") < strcspn(user, "/?#");
}

static bool
check_text(const struct lens_option *option, const char *text, GError **error)
{
    if (option->type == LENS_OPT_PATH && *text == '\0') {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "expected a file name, got none");
        return false;
    }
    if (option->type == LENS_OPT_STRING && holds_password(text)) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "a password inside an address is refused, since it would be shown; "
                    "leave it out and name it with a secret option, as env:VAR");
        return false;
    }
    return true;
}

static bool
parse_text(const struct lens_option *option, const char *text, option_value *v,
           GError **error)
{
    bool truth = false;

    switch (option->type) {
    case LENS_OPT_INT:
        return parse_int(text, &v->integer, error);
    case LENS_OPT_DURATION:
        return parse_duration(text, &v->integer, error);
    case LENS_OPT_SIZE:
        return parse_size(text, &v->integer, error);
    case LENS_OPT_DOUBLE:
        return parse_double(text, &v->number, error);
    case LENS_OPT_BOOL:
        if (!parse_bool(text, &truth, error))
            return false;
        v->integer = truth;
        return true;
    case LENS_OPT_CHOICE:
        return is_choice(option->choices, text) || refuse_choice(option, text, error);
    case LENS_OPT_SECRET:
        return secret_check(text, error);
    case LENS_OPT_URL:
        return check_url(text, error);
    case LENS_OPT_JSON:
        return check_json(text, error);
    default:
        return check_text(option, text, error);
    }
}

option_value *
option_value_parse(const struct lens_option *option, const char *text, GError **error)
{
    option_value *v = g_new0(option_value, 1);

    if (!parse_text(option, text, v, error)) {
        option_value_free(v);
        return NULL;
    }
    v->text = g_strdup(text);
    if ((option->type == LENS_OPT_INT || option->type == LENS_OPT_DOUBLE ||
         option->type == LENS_OPT_DURATION || option->type == LENS_OPT_SIZE) &&
        !in_range(option, v)) {
        refuse_choice(option, text, error);
        option_value_free(v);
        return NULL;
    }
    return v;
}

void
option_value_free(option_value *v)
{
    if (v == NULL)
        return;
    g_free(v->text);
    secret_free(v->secret);
    g_free(v);
}
