#include "body.h"

#include <string.h>

#include "json.h"

static lens_status
put_body(void *to, const void *data, size_t size)
{
    const struct lens_body_target *t = to;

    return t->put(t->request, data, size);
}

bool
lens_body_begin(struct lens_body *b, struct lens_request *r, lens_body_put_fn put,
                struct lens_bytes extra)
{
    struct lens_json j;

    b->target = (struct lens_body_target){ r, put };
    b->extra = extra;
    b->started = false;
    b->kept = NULL;
    lens_write_begin(&b->w, &b->target, put_body);
    lens_write(&b->w, "{");
    if (extra.size == 0)
        return true;
    lens_json_begin(&j, extra.data, extra.size);
    return lens_json_peek(&j) == LENS_JSON_OBJECT && lens_json_skip(&j) &&
           lens_json_end(&j);
}

/* Finds a member of a checked object; the last of equal names counts. */
static bool
find(struct lens_bytes object, const char *name, struct lens_bytes *ret)
{
    struct lens_json j;
    struct lens_bytes key;
    bool found = false;

    if (object.size == 0)
        return false;
    lens_json_begin(&j, object.data, object.size);
    for (lens_json_object(&j); lens_json_member(&j, &key);) {
        if (lens_json_is(&key, name)) {
            lens_json_raw(&j, ret);
            found = true;
        } else {
            lens_json_skip(&j);
        }
    }
    return found;
}

bool
lens_body_has_extra(const struct lens_body *b, const char *name)
{
    struct lens_bytes raw;

    return find(b->extra, name, &raw);
}

static void
separate(struct lens_body *b)
{
    if (b->started)
        lens_write(&b->w, ",");
    b->started = true;
}

static void
write_name(struct lens_body *b, const char *name)
{
    separate(b);
    lens_write(&b->w, "\"");
    lens_write(&b->w, name);
    lens_write(&b->w, "\":");
}

bool
lens_body_member(struct lens_body *b, const char *name)
{
    if (lens_body_has_extra(b, name))
        return false;
    write_name(b, name);
    return true;
}

void
lens_body_string(struct lens_body *b, const char *name, struct lens_bytes value)
{
    if (lens_body_member(b, name))
        lens_write_string(&b->w, value.data, value.size);
}

void
lens_body_text(struct lens_body *b, const char *name, const char *value)
{
    if (value != NULL && lens_body_member(b, name))
        lens_write_string(&b->w, value, strlen(value));
}

void
lens_body_int(struct lens_body *b, const char *name, int64_t value)
{
    if (lens_body_member(b, name))
        lens_write_int(&b->w, value);
}

void
lens_body_double(struct lens_body *b, const char *name, double value)
{
    if (lens_body_member(b, name))
        lens_write_double(&b->w, value);
}

void
lens_body_raw(struct lens_body *b, const char *name, struct lens_bytes json)
{
    if (json.size > 0 && lens_body_member(b, name))
        lens_write_bytes(&b->w, json.data, json.size);
}

/* The inside of an object, without its braces. */
static struct lens_bytes
inside(struct lens_bytes object)
{
    const char *open = memchr(object.data, '{', object.size);
    const char *close = memrchr(object.data, '}', object.size);
    struct lens_bytes in = { open + 1, (size_t)(close - open - 1) };

    while (in.size > 0 && strchr(" \t\r\n", in.data[0]) != NULL)
        in.data++, in.size--;
    return in;
}

void
lens_body_flag_in(struct lens_body *b, const char *name, const char *flag, bool value)
{
    struct lens_bytes theirs, raw;
    struct lens_json j;

    if (!find(b->extra, name, &theirs)) {
        write_name(b, name);
        lens_write(&b->w, "{\"");
        lens_write(&b->w, flag);
        lens_write(&b->w, value ? "\":true}" : "\":false}");
        return;
    }
    lens_json_begin(&j, theirs.data, theirs.size);
    if (lens_json_peek(&j) != LENS_JSON_OBJECT || find(theirs, flag, &raw))
        return; /* written with the rest of extra */
    b->kept = name;
    write_name(b, name);
    lens_write(&b->w, "{\"");
    lens_write(&b->w, flag);
    lens_write(&b->w, value ? "\":true" : "\":false");
    theirs = inside(theirs);
    lens_write(&b->w, theirs.size > 0 ? "," : "");
    lens_write_bytes(&b->w, theirs.data, theirs.size);
    lens_write(&b->w, "}");
}

/* Members of extra, all but the one that was merged already. */
static void
write_extra(struct lens_body *b)
{
    struct lens_json j;
    struct lens_bytes key, raw;

    if (b->extra.size == 0)
        return;
    lens_json_begin(&j, b->extra.data, b->extra.size);
    for (lens_json_object(&j); lens_json_member(&j, &key);) {
        lens_json_raw(&j, &raw);
        if (b->kept != NULL && lens_json_is(&key, b->kept))
            continue;
        separate(b);
        lens_write(&b->w, "\"");
        lens_write_bytes(&b->w, key.data, key.size);
        lens_write(&b->w, "\":");
        lens_write_bytes(&b->w, raw.data, raw.size);
    }
}

lens_status
lens_body_end(struct lens_body *b)
{
    write_extra(b);
    lens_write(&b->w, "}");
    return lens_write_end(&b->w);
}
