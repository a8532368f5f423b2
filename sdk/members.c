#include "members.h"

int
lens_read_member(struct lens_json *j, struct lens_bytes *ret_key,
                 struct lens_key_room *room)
{
    if (!lens_json_member(j, ret_key))
        return 0;
    if (memchr(ret_key->data, '\\', ret_key->size) != NULL &&
        ret_key->size <= sizeof room->text) {
        const struct lens_json_string key = { *ret_key, 1 };

        ret_key->size = lens_json_unescape(&key, room->text);
        ret_key->data = room->text;
    }
    return 1;
}

void
lens_read_string(struct lens_json *j, struct lens_json_string *ret)
{
    const struct lens_json_string none = { { NULL, 0 }, 0 };

    if (!lens_json_string(j, ret))
        *ret = none;
}

void
lens_read_raw(struct lens_json *j, struct lens_bytes *ret)
{
    const enum lens_json_type type = lens_json_peek(j);
    const struct lens_bytes none = { NULL, 0 };

    if (!lens_json_raw(j, ret) || type == LENS_JSON_NULL)
        *ret = none;
}

int64_t
lens_read_count(struct lens_json *j)
{
    int64_t count = 0;

    if (lens_json_peek(j) != LENS_JSON_ARRAY) {
        lens_json_skip(j);
        return -1;
    }
    for (lens_json_array(j); lens_json_element(j); count++)
        lens_json_skip(j);
    return count;
}

void
lens_read_tokens(struct lens_json *j, int64_t *ret)
{
    int64_t value;

    if (lens_json_int(j, &value) && value >= 0)
        *ret = value;
}

int
lens_read_object(struct lens_json *j)
{
    if (lens_json_peek(j) != LENS_JSON_OBJECT) {
        lens_json_skip(j);
        return 0;
    }
    return lens_json_object(j);
}
