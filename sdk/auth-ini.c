/* INI files as AWS's tools write and read them. */
#include <string.h>

#include "auth-private.h"

struct line {
    struct lens_bytes section; /* that this line opens, or empty */
    struct lens_bytes key, value;
    int indented; /* belongs to the value above */
};

static int
next_line(struct lens_bytes *file, struct line *ret)
{
    const char *end, *equals;
    struct lens_bytes text, trimmed;

    if (file->size == 0)
        return 0;
    end = memchr(file->data, '\n', file->size);
    text = (struct lens_bytes){ file->data,
                                end == NULL ? file->size : (size_t)(end - file->data) };
    file->size -= end == NULL ? text.size : text.size + 1;
    file->data += end == NULL ? text.size : text.size + 1;

    trimmed = auth_trim(text);
    *ret = (struct line){ .indented = trimmed.size > 0 && trimmed.data != text.data };
    if (trimmed.size == 0 || *trimmed.data == '#' || *trimmed.data == ';')
        return 1;
    if (*trimmed.data == '[') {
        end = memchr(trimmed.data, ']', trimmed.size);
        if (end != NULL)
            ret->section = auth_trim((struct lens_bytes){
                trimmed.data + 1, (size_t)(end - trimmed.data - 1) });
        return 1;
    }
    equals = memchr(trimmed.data, '=', trimmed.size);
    if (equals != NULL) {
        ret->key = auth_trim(
            (struct lens_bytes){ trimmed.data, (size_t)(equals - trimmed.data) });
        ret->value = auth_trim((struct lens_bytes){
            equals + 1, (size_t)(trimmed.data + trimmed.size - equals - 1) });
    }
    return 1;
}

static int
is(struct lens_bytes text, const char *name)
{
    return text.size == strlen(name) && memcmp(text.data, name, text.size) == 0;
}

/* "profile  name" and "profile name" are the same section. */
static int
is_section(struct lens_bytes text, const char *name)
{
    const char *space = strchr(name, ' ');
    size_t first;

    if (space == NULL)
        return is(text, name);
    first = (size_t)(space - name);
    if (text.size <= first || memcmp(text.data, name, first) != 0 ||
        strchr(" \t", text.data[first]) == NULL)
        return 0;
    return is(auth_trim((struct lens_bytes){ text.data + first, text.size - first }),
              space + 1);
}

int
auth_ini_value(struct lens_bytes file, const char *section, const char *key,
               struct lens_text *ret)
{
    struct line line;
    int inside = 0, found = 0;

    while (next_line(&file, &line)) {
        if (line.section.size > 0)
            inside = is_section(line.section, section);
        else if (inside && !line.indented && is(line.key, key)) {
            lens_text_reset(ret);
            lens_text_add_bytes(ret, line.value.data, line.value.size);
            found = line.value.size > 0;
        }
    }
    return found;
}

int
auth_ini_has_section(struct lens_bytes file, const char *section)
{
    struct line line;

    while (next_line(&file, &line))
        if (line.section.size > 0 && is_section(line.section, section))
            return 1;
    return 0;
}
