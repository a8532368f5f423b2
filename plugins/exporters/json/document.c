#include "document.h"

#include <stdlib.h>
#include <string.h>

#include "../common/value.h"
#include "json.h"

/* What stands in a template: {"field": NAME, ...} a value, {"samples": TEMPLATE} the list
 * of samples, other objects, lists and values themselves. */
struct render {
    const struct layout *layout;
    const struct row *row;
    const struct text *samples;
    struct lens_writer w;
    lens_status status;
    int32_t checking, in_samples;
};

static int
has_member(const struct lens_bytes *object, const char *name)
{
    struct lens_json j;

    return lens_json_find(object->data, object->size, name, &j);
}

static void render_value(struct render *r, struct lens_json *j);

static void
render_field(struct render *r, const struct lens_bytes *object)
{
    struct columns columns = {
        .rows = (r->checking ? r->in_samples : r->row->sample != NULL) ? ROWS_SAMPLES
                                                                       : ROWS_SUMMARY,
    };
    struct layout local = *r->layout;
    struct lens_json j;
    struct value value;
    lens_status status;

    lens_json_begin(&j, object->data, object->size);
    status = layout_column(&local, &j, &columns, "value");
    if (status < 0)
        r->status = status;
    if (status == LENS_OK && !r->checking) {
        column_read(&columns.items[0], r->row, &value);
        value_to_json(&value, &r->w);
    }
    columns_clear(&columns);
}

static void
render_samples(struct render *r, const struct lens_bytes *object)
{
    struct lens_json j;

    if (!lens_json_find(object->data, object->size, "samples", &j))
        return;
    if (r->checking) {
        r->in_samples = 1;
        render_value(r, &j);
        r->in_samples = 0;
        return;
    }
    lens_write(&r->w, "[");
    if (r->samples != NULL && r->samples->size > 2) /* without the first comma */
        lens_write_bytes(&r->w, r->samples->data + 1, r->samples->size - 1);
    lens_write(&r->w, "]");
}

static void
render_object(struct render *r, struct lens_json *j)
{
    struct lens_bytes whole = { "", 0 }, key;
    struct lens_json inner;
    const char *comma = "{";

    lens_json_raw(j, &whole);
    if (has_member(&whole, "field")) {
        render_field(r, &whole);
        return;
    }
    if (has_member(&whole, "samples")) {
        render_samples(r, &whole);
        return;
    }
    lens_json_begin(&inner, whole.data, whole.size);
    for (lens_json_object(&inner); lens_json_member(&inner, &key);) {
        lens_write(&r->w, comma);
        lens_write(&r->w, "\"");
        lens_write_bytes(&r->w, key.data, key.size);
        lens_write(&r->w, "\":");
        render_value(r, &inner);
        comma = ",";
    }
    lens_write(&r->w, *comma == '{' ? "{}" : "}");
}

static void
render_value(struct render *r, struct lens_json *j)
{
    struct lens_bytes raw = { "", 0 };
    const char *comma = "[";

    switch (lens_json_peek(j)) {
    case LENS_JSON_OBJECT:
        render_object(r, j);
        return;
    case LENS_JSON_ARRAY:
        for (lens_json_array(j); lens_json_element(j);) {
            lens_write(&r->w, comma);
            render_value(r, j);
            comma = ",";
        }
        lens_write(&r->w, *comma == '[' ? "[]" : "]");
        return;
    default:
        lens_json_raw(j, &raw);
        lens_write_bytes(&r->w, raw.data, raw.size);
    }
}

static lens_status
drop(void *to, const void *data, size_t size)
{
    (void)to, (void)data, (void)size;
    return LENS_OK;
}

lens_status
document_check(struct layout *l)
{
    struct render r = { .layout = l, .checking = 1 };
    struct lens_json j;

    lens_write_begin(&r.w, NULL, drop);
    lens_json_begin(&j, l->document.data, l->document.size);
    render_value(&r, &j);
    return r.status;
}

/* The element's template stands somewhere in the document: looked for once a batch would
 * be enough, but a sample costs more than that anyway. */
static struct lens_bytes
element_of(const struct layout *l)
{
    struct lens_bytes element = { "", 0 };
    const char *at = l->document.data;
    const char *end = at + l->document.size;

    while (at + 9 < end &&
           (at = memmem(at, (size_t)(end - at), "\"samples\"", 9)) != NULL) {
        struct lens_json j;

        at += 9;
        while (at < end && (*at == ' ' || *at == '\n' || *at == ':'))
            at++;
        lens_json_begin(&j, at, (size_t)(end - at));
        if (lens_json_peek(&j) == LENS_JSON_OBJECT && lens_json_raw(&j, &element))
            break;
    }
    return element;
}

void
document_sample(const struct layout *l, const struct row *row, struct text *t)
{
    struct render r = { .layout = l, .row = row };
    const struct lens_bytes element = element_of(l);
    struct lens_json j;

    if (element.size == 0)
        return;
    lens_write_begin(&r.w, t, text_put);
    lens_write(&r.w, ",");
    lens_json_begin(&j, element.data, element.size);
    render_value(&r, &j);
    lens_write(&r.w, "\n");
    lens_write_end(&r.w);
}

void
document_write(const struct layout *l, const struct row *row, const struct text *samples,
               struct text *t)
{
    struct render r = { .layout = l, .row = row, .samples = samples };
    struct lens_json j;

    lens_write_begin(&r.w, t, text_put);
    lens_json_begin(&j, l->document.data, l->document.size);
    render_value(&r, &j);
    lens_write(&r.w, "\n");
    lens_write_end(&r.w);
}
