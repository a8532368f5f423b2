/* Values of options in a harness. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"

static const struct unit {
    const char *name;
    uint32_t type;
    int64_t factor;
} UNITS[] = {
    { "ns", LENS_OPT_DURATION, 1 },
    { "us", LENS_OPT_DURATION, 1000 },
    { "ms", LENS_OPT_DURATION, 1000000 },
    { "s", LENS_OPT_DURATION, 1000000000 },
    { "m", LENS_OPT_DURATION, INT64_C(60000000000) },
    { "h", LENS_OPT_DURATION, INT64_C(3600000000000) },
    { "B", LENS_OPT_SIZE, 1 },
    { "KiB", LENS_OPT_SIZE, 1 << 10 },
    { "MiB", LENS_OPT_SIZE, 1 << 20 },
    { "GiB", LENS_OPT_SIZE, 1 << 30 },
};

int
lens_setting_to_int(const char *text, uint32_t type, int64_t *ret)
{
    char *end;
    const double value = strtod(text, &end);

    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        *ret = *text == 't';
        return 1;
    }
    if (end == text)
        return 0;
    if (*end == '\0') {
        *ret = strtoll(text, NULL, 10);
        return 1;
    }
    for (size_t i = 0; i < sizeof UNITS / sizeof UNITS[0]; i++) {
        if (UNITS[i].type == type && strcmp(end, UNITS[i].name) == 0) {
            *ret = (int64_t)(value * (double)UNITS[i].factor);
            return 1;
        }
    }
    return 0;
}

/* The lower end of "MIN..MAX", or the first of "a|b". */
static char *
first_choice(const char *choices, const char *otherwise)
{
    const size_t size = choices != NULL ? strcspn(choices, "|.") : 0;

    if (size == 0)
        return strdup(otherwise);
    /* A lower end may be a fraction: "0.5..2". */
    if (choices[size] == '.' && choices[size + 1] != '.')
        return strndup(choices, size + 1 + strcspn(choices + size + 1, "."));
    return strndup(choices, size);
}

/* Something valid for an option. */
static char *
sample_value(const struct lens_option *option, const char *dir)
{
    char *path;

    switch (option->type) {
    case LENS_OPT_INT:
    case LENS_OPT_DOUBLE:
        return first_choice(option->choices, "1");
    case LENS_OPT_DURATION:
        return first_choice(option->choices, "1s");
    case LENS_OPT_SIZE:
        return first_choice(option->choices, "64KiB");
    case LENS_OPT_CHOICE:
        return first_choice(option->choices, "");
    case LENS_OPT_BOOL:
        return strdup("true");
    case LENS_OPT_URL:
        return strdup("http://127.0.0.1:9/v1");
    case LENS_OPT_JSON:
        return strdup("{}");
    case LENS_OPT_PATH:
        path = malloc(strlen(dir) + strlen(option->name) + 2);
        if (path != NULL)
            sprintf(path, "%s/%s", dir, option->name);
        return path;
    default:
        return strdup("sample");
    }
}

uint32_t
lens_harness_fill(const struct lens_schema *schema, const char *dir,
                  struct lens_setting *settings, uint32_t count, uint32_t room)
{
    for (uint32_t i = 0; i < schema->count; i++) {
        struct lens_option option = { 0 };
        uint32_t given = 0;

        memcpy(&option, (const char *)schema->items + (size_t)i * schema->item_size,
               schema->item_size < sizeof option ? schema->item_size : sizeof option);
        while (given < count && strcmp(settings[given].name, option.name) != 0)
            given++;
        if (given < count || count == room ||
            ((option.flags & LENS_OPT_REQUIRED) == 0 && strcmp(option.name, "url") != 0))
            continue;
        settings[count].name = option.name;
        settings[count++].value = sample_value(&option, dir);
    }
    return count;
}

void
lens_harness_unfill(struct lens_setting *settings, uint32_t given, uint32_t count)
{
    for (uint32_t i = given; i < count; i++)
        free((char *)settings[i].value);
}
