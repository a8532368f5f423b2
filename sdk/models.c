#include "models.h"

#include "members.h"

static lens_status
tell(struct lens_sink *sink, const struct lens_json_string *name)
{
    char room[512];
    struct lens_event e = { .struct_size = (uint32_t)sizeof e, .kind = LENS_EV_MODEL };

    if (name->raw.size == 0 || name->raw.size > sizeof room)
        return LENS_OK;
    e.text.data = room;
    e.text.size = lens_json_unescape(name, room);
    return sink->event(sink, &e);
}

static lens_status
read_model(struct lens_json *j, const char *member, struct lens_sink *sink)
{
    struct lens_json_string name = { { NULL, 0 }, 0 };
    struct lens_bytes key;

    if (lens_json_peek(j) == LENS_JSON_STRING) {
        lens_read_string(j, &name);
        return tell(sink, &name);
    }
    if (!lens_read_object(j))
        return LENS_OK;
    while (lens_json_member(j, &key)) {
        if (lens_json_is(&key, member))
            lens_read_string(j, &name);
        else
            lens_json_skip(j);
    }
    return tell(sink, &name);
}

lens_status
lens_emit_models(struct lens_sink *sink, struct lens_bytes body, const char *list,
                 const char *name)
{
    struct lens_json j;
    lens_status st = LENS_OK;

    if (!lens_json_find(body.data, body.size, list, &j) ||
        lens_json_peek(&j) != LENS_JSON_ARRAY)
        return LENS_E_PROTOCOL;
    for (lens_json_array(&j); st == LENS_OK && lens_json_element(&j);)
        st = read_model(&j, name, sink);
    return st;
}
