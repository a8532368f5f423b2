#include "mock-kit.h"

#include <string.h>

/* ---- reading ---- */

int
lens_mock_method_is(const struct lens_mock_request *r, const char *method)
{
    return r->method.size == strlen(method) &&
           memcmp(r->method.data, method, r->method.size) == 0;
}

int
lens_mock_path_ends(const struct lens_mock_request *r, const char *end)
{
    const struct lens_bytes path = r->path;
    const char *query = path.size > 0 ? memchr(path.data, '?', path.size) : NULL;
    size_t size = query != NULL ? (size_t)(query - path.data) : path.size;
    const size_t end_size = strlen(end);

    while (size > 0 && path.data[size - 1] == '/')
        size--;
    return size >= end_size && memcmp(path.data + size - end_size, end, end_size) == 0;
}

void
lens_mock_turn_begin(struct lens_mock_turn *turn, uint32_t api)
{
    turn->api = api;
    turn->max_output = -1;
    turn->input_tokens = 1;
    memcpy(turn->model, "mock", sizeof "mock");
}

/* As it stands, escapes and all; cut before anything that is not whole. */
void
lens_mock_read_model(struct lens_json *j, struct lens_mock_turn *turn)
{
    struct lens_json_string name;
    size_t size;

    if (!lens_json_string(j, &name) || name.raw.size == 0)
        return;
    size = name.raw.size;
    if (size >= sizeof turn->model) {
        const char *escape;

        size = sizeof turn->model - 1;
        escape = memchr(name.raw.data, '\\', size);
        if (escape != NULL)
            size = (size_t)(escape - name.raw.data);
        while (size > 0 && ((unsigned char)name.raw.data[size] & 0xc0) == 0x80)
            size--;
    }
    memcpy(turn->model, name.raw.data, size);
    turn->model[size] = '\0';
}

int
lens_mock_read_limit(struct lens_json *j, struct lens_mock_turn *turn)
{
    int64_t limit;

    if (lens_json_peek(j) == LENS_JSON_NULL) {
        lens_json_skip(j);
        return 1;
    }
    if (!lens_json_int(j, &limit) || limit < 1)
        return 0;
    turn->max_output = limit;
    return 1;
}

/* About four bytes make a token. */
int
lens_mock_read_prompt(struct lens_json *j, struct lens_mock_turn *turn)
{
    const enum lens_json_type type = lens_json_peek(j);
    struct lens_bytes raw;

    if (!lens_json_raw(j, &raw) || type == LENS_JSON_NULL)
        return 0;
    turn->input_tokens = raw.size > 4 ? (int64_t)(raw.size / 4) : 1;
    return 1;
}

/* ---- writing ---- */

static lens_status
put(void *to, const void *data, size_t size)
{
    struct lens_mock_out *o = to;

    return o->append(o->buffer, data, size);
}

void
lens_mock_out_begin(struct lens_mock_out *o, struct lens_mock_turn *turn,
                    const struct lens_mock_step *step, struct lens_buffer *buffer,
                    lens_mock_append_fn append)
{
    o->turn = turn;
    o->step = step;
    o->buffer = buffer;
    o->append = append;
    lens_write_begin(&o->w, o, put);
}

void
lens_mock_string(struct lens_mock_out *o, struct lens_bytes text)
{
    lens_write_string(&o->w, text.data, text.size);
}

void
lens_mock_id(struct lens_mock_out *o, const char *prefix)
{
    static const char digits[] = "0123456789abcdef";
    char text[16];

    for (int i = 0; i < 16; i++)
        text[i] = digits[o->turn->id >> (60 - 4 * i) & 15];
    lens_write(&o->w, "\"");
    lens_write(&o->w, prefix);
    lens_write_bytes(&o->w, text, sizeof text);
    lens_write(&o->w, "\"");
}

void
lens_mock_number(struct lens_mock_out *o, const char *name, int64_t value)
{
    lens_write(&o->w, name);
    lens_write_int(&o->w, value > 0 ? value : 0);
}

int
lens_mock_finish_is(struct lens_bytes finish, const char *name)
{
    return finish.size == strlen(name) && memcmp(finish.data, name, finish.size) == 0;
}
