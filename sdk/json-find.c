#include <stdlib.h>
#include <string.h>

#include "json.h"

/* Whether `key` is the `size` bytes of `name`, escapes resolved. */
static int
key_is(const struct lens_bytes *key, const char *name, size_t size)
{
    char part[128];

    if (size >= sizeof part)
        return key->size == size && memcmp(key->data, name, size) == 0;
    memcpy(part, name, size);
    part[size] = '\0';
    return lens_json_is(key, part);
}

/* The value of a member; the last one of a name wins. */
static int
find_member(struct lens_json *j, const char *name, size_t size, struct lens_bytes *ret)
{
    struct lens_bytes key;
    int found = 0;

    for (lens_json_object(j); lens_json_member(j, &key);) {
        if (key_is(&key, name, size))
            found = lens_json_raw(j, ret);
        else
            lens_json_skip(j);
    }
    return found;
}

static int
find_element(struct lens_json *j, const char *name, size_t size, struct lens_bytes *ret)
{
    uint64_t wanted = 0, index = 0;
    int found = 0;

    for (size_t i = 0; i < size; i++) {
        if (name[i] < '0' || name[i] > '9' || wanted > UINT32_MAX)
            return 0;
        wanted = wanted * 10 + (uint64_t)(name[i] - '0');
    }
    for (lens_json_array(j); lens_json_element(j); index++) {
        if (index == wanted)
            found = lens_json_raw(j, ret);
        else
            lens_json_skip(j);
    }
    return found;
}

int
lens_json_find(const void *data, size_t size, const char *path, struct lens_json *ret)
{
    struct lens_bytes value = { data, size };
    struct lens_json j;

    lens_json_begin(&j, data, size);
    if (!lens_json_raw(&j, &value) || !lens_json_end(&j))
        return 0;
    while (*path != '\0') {
        const size_t part = strcspn(path, ".");
        int found;

        lens_json_begin(&j, value.data, value.size);
        if (lens_json_peek(&j) == LENS_JSON_ARRAY)
            found = find_element(&j, path, part, &value);
        else
            found = find_member(&j, path, part, &value);
        if (!found || j.bad)
            return 0;
        path += part + (path[part] == '.');
    }
    lens_json_begin(ret, value.data, value.size);
    return 1;
}
