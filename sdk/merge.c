#include "merge.h"

#include <string.h>

#include "json.h"

/* Deeper ones are taken from `over` as they are. */
enum { DEPTH_MAX = 64 };

int
lens_is_object(struct lens_bytes json)
{
    struct lens_json j;

    lens_json_begin(&j, json.data, json.size);
    return lens_json_peek(&j) == LENS_JSON_OBJECT && lens_json_skip(&j) &&
           lens_json_end(&j);
}

/* The last member of that name, as both texts spell it; 0: none. */
static int
find(struct lens_bytes object, struct lens_bytes name, struct lens_bytes *ret)
{
    struct lens_json j;
    struct lens_bytes key;
    int found = 0;

    lens_json_begin(&j, object.data, object.size);
    for (lens_json_object(&j); lens_json_member(&j, &key);) {
        if (key.size == name.size && memcmp(key.data, name.data, name.size) == 0)
            found = lens_json_raw(&j, ret);
        else
            lens_json_skip(&j);
    }
    return found;
}

static int
is_object(struct lens_bytes json)
{
    struct lens_json j;

    lens_json_begin(&j, json.data, json.size);
    return lens_json_peek(&j) == LENS_JSON_OBJECT;
}

static void
write_name(struct lens_writer *w, struct lens_bytes key, int *started)
{
    lens_write(w, *started ? ",\"" : "\"");
    *started = 1;
    lens_write_bytes(w, key.data, key.size);
    lens_write(w, "\":");
}

static void
merge(struct lens_writer *w, struct lens_bytes base, struct lens_bytes over, int depth)
{
    struct lens_json j;
    struct lens_bytes key, mine, theirs;
    int started = 0;

    lens_write(w, "{");
    lens_json_begin(&j, base.data, base.size);
    for (lens_json_object(&j); lens_json_member(&j, &key);) {
        lens_json_raw(&j, &mine);
        write_name(w, key, &started);
        if (!find(over, key, &theirs))
            lens_write_bytes(w, mine.data, mine.size);
        else if (depth < DEPTH_MAX && is_object(mine) && is_object(theirs))
            merge(w, mine, theirs, depth + 1);
        else
            lens_write_bytes(w, theirs.data, theirs.size);
    }
    lens_json_begin(&j, over.data, over.size);
    for (lens_json_object(&j); lens_json_member(&j, &key);) {
        lens_json_raw(&j, &theirs);
        if (find(base, key, &mine))
            continue;
        write_name(w, key, &started);
        lens_write_bytes(w, theirs.data, theirs.size);
    }
    lens_write(w, "}");
}

void
lens_write_merged(struct lens_writer *w, struct lens_bytes base, struct lens_bytes over)
{
    if (over.size == 0)
        lens_write_bytes(w, base.data, base.size);
    else
        merge(w, base, over, 0);
}
