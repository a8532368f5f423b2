#include "object.h"

#include <string.h>

#include "turns.h"

struct lens_object
lens_object_inside(struct lens_object *outer, const char *name)
{
    const struct lens_object o = { outer->w, outer, name, 0 };

    return o;
}

void
lens_object_end(struct lens_object *o)
{
    if (o->outer != NULL && o->started)
        lens_write(o->w, "}");
}

void
lens_object_name(struct lens_object *o, const char *name)
{
    if (!o->started && o->outer != NULL) {
        lens_object_name(o->outer, o->name);
        lens_write(o->w, "{\"");
    } else {
        lens_write(o->w, o->started ? ",\"" : "\"");
    }
    o->started = 1;
    lens_write(o->w, name);
    lens_write(o->w, "\":");
}

void
lens_object_int(struct lens_object *o, const char *name, int64_t value)
{
    lens_object_name(o, name);
    lens_write_int(o->w, value);
}

void
lens_object_double(struct lens_object *o, const char *name, double value)
{
    lens_object_name(o, name);
    lens_write_double(o->w, value);
}

void
lens_object_bool(struct lens_object *o, const char *name, int value)
{
    lens_object_name(o, name);
    lens_write(o->w, value ? "true" : "false");
}

void
lens_object_text(struct lens_object *o, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    lens_object_name(o, name);
    lens_write_string(o->w, value, strlen(value));
}

void
lens_object_raw(struct lens_object *o, const char *name, struct lens_bytes json)
{
    if (json.size == 0)
        return;
    lens_object_name(o, name);
    lens_write_bytes(o->w, json.data, json.size);
}

void
lens_object_stops(struct lens_object *o, const char *name, const struct lens_ask *ask)
{
    if (ask->stop_count == 0)
        return;
    lens_object_name(o, name);
    for (uint32_t i = 0; i < ask->stop_count; i++) {
        const struct lens_bytes stop = lens_stop_at(ask, i);

        lens_write(o->w, i == 0 ? "[" : ",");
        lens_write_string(o->w, stop.data, stop.size);
    }
    lens_write(o->w, "]");
}

void
lens_object_opt_int(struct lens_object *o, const char *name, const struct lens_host *host,
                    const char *option)
{
    if (host->opt_count(host, option) > 0)
        lens_object_int(o, name, host->opt_int(host, option));
}

void
lens_object_opt_text(struct lens_object *o, const char *name,
                     const struct lens_host *host, const char *option)
{
    lens_object_text(o, name, host->opt_string(host, option, 0));
}

void
lens_object_opt_json(struct lens_object *o, const char *name,
                     const struct lens_host *host, const char *option)
{
    const char *text = host->opt_string(host, option, 0);
    struct lens_bytes json = { text, 0 };

    if (text != NULL)
        json.size = strlen(text);
    lens_object_raw(o, name, json);
}
