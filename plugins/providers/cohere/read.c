/* read: the JSON of one event, or of the whole answer. */
#include <string.h>

#include "message.h"
#include "sdk/members.h"

void
cohere_read_content(struct lens_json *j, struct message *m)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (lens_json_peek(j) == LENS_JSON_ARRAY) {
        lens_read_raw(j, &m->parts);
        return;
    }
    if (lens_json_peek(j) == LENS_JSON_STRING) {
        lens_read_string(j, &m->text);
        return;
    }
    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "text"))
            lens_read_string(j, &m->text);
        else if (LENS_KEY(key, "thinking"))
            lens_read_string(j, &m->thinking);
        else
            lens_json_skip(j);
    }
}

static void
read_inner_message(struct lens_json *j, struct message *m)
{
    struct lens_json_string role;
    struct lens_bytes key;
    struct lens_key_room room;

    if (lens_json_peek(j) == LENS_JSON_STRING) {
        lens_read_string(j, &m->words);
        return;
    }
    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "content")) {
            cohere_read_content(j, m);
        } else if (LENS_KEY(key, "tool_plan")) {
            lens_read_string(j, &m->tool_plan);
        } else if (LENS_KEY(key, "tool_calls")) {
            lens_read_raw(j, &m->tool_calls);
        } else if (LENS_KEY(key, "role")) {
            lens_read_string(j, &role);
            m->role = role.raw.size > 0;
        } else {
            lens_json_skip(j);
        }
    }
}

static void
read_delta(struct lens_json *j, struct message *m)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "message"))
            read_inner_message(j, m);
        else if (LENS_KEY(key, "finish_reason"))
            lens_read_string(j, &m->finish);
        else if (LENS_KEY(key, "usage"))
            lens_read_raw(j, &m->usage);
        else if (LENS_KEY(key, "error"))
            lens_read_raw(j, &m->error);
        else
            lens_json_skip(j);
    }
}

int
cohere_read_message(struct lens_bytes json, struct message *m)
{
    struct lens_json j;
    struct lens_bytes key;
    struct lens_key_room room;

    memset(m, 0, sizeof *m);
    m->index = -1;
    lens_json_begin(&j, json.data, json.size);
    if (!lens_read_object(&j))
        return lens_json_end(&j);
    while (lens_read_member(&j, &key, &room)) {
        if (LENS_KEY(key, "type"))
            lens_read_string(&j, &m->type);
        else if (LENS_KEY(key, "delta"))
            read_delta(&j, m);
        else if (LENS_KEY(key, "index"))
            lens_json_int(&j, &m->index);
        else if (LENS_KEY(key, "id"))
            lens_read_string(&j, &m->id);
        else if (LENS_KEY(key, "message"))
            read_inner_message(&j, m);
        else if (LENS_KEY(key, "finish_reason"))
            lens_read_string(&j, &m->finish);
        else if (LENS_KEY(key, "usage"))
            lens_read_raw(&j, &m->usage);
        else if (LENS_KEY(key, "error"))
            lens_read_raw(&j, &m->error);
        else
            lens_json_skip(&j);
    }
    return lens_json_end(&j);
}
