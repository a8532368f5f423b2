#include "json-row.h"

#include <string.h>

#include "field-names.h"
#include "value.h"

/* ---- all that is known of a sample ---- */

static void
write_name(struct lens_writer *w, const char *name, size_t size)
{
    lens_write_string(w, name, size);
    lens_write(w, ":");
}

/* Writes the fields that share the object of the first one; returns how many they are. An
 * object of which nothing is known is null. */
static uint32_t
write_object(struct lens_writer *w, const struct field *first, uint32_t left,
             const struct lens_sample *s, const struct run_names *names)
{
    const size_t prefix = (size_t)(strchr(first->name, '.') - first->name);
    uint32_t count = 0, known = 0;
    struct value value;

    while (count < left && strncmp(first[count].name, first->name, prefix + 1) == 0) {
        field_read(&first[count++], s, names, &value);
        known += value.kind != VALUE_NONE;
    }
    write_name(w, first->name, prefix);
    if (known == 0) {
        lens_write(w, "null");
        return count;
    }
    for (uint32_t i = 0; i < count; i++) {
        const char *name = first[i].name + prefix + 1;

        lens_write(w, i == 0 ? "{" : ",");
        write_name(w, name, strlen(name));
        field_read(&first[i], s, names, &value);
        value_to_json(&value, w);
    }
    lens_write(w, "}");
    return count;
}

static void
write_mark(struct lens_writer *w, const struct lens_mark *m)
{
    uint32_t rest = m->classes;
    const char *word, *comma = "";

    lens_write(w, "{\"at_ns\":");
    lens_write_int(w, m->at_ns);
    lens_write(w, ",\"classes\":[");
    while ((word = message_word(&rest)) != NULL) {
        lens_write(w, comma);
        lens_write_string(w, word, strlen(word));
        comma = ",";
    }
    lens_write(w, "],\"tokens\":");
    if (m->tokens >= 0)
        lens_write_int(w, m->tokens);
    else
        lens_write(w, "null");
    word = clock_word(m->clock);
    lens_write(w, ",\"clock\":");
    lens_write_string(w, word, word != NULL ? strlen(word) : 0);
    lens_write(w, ",\"shared\":");
    lens_write_int(w, m->shared);
    lens_write(w, "}");
}

static void
write_marks(struct lens_writer *w, const struct lens_sample *s)
{
    lens_write(w, ",\"marks\":[");
    for (uint32_t i = 0; i < s->mark_count; i++) {
        const char *at = (const char *)s->marks + (size_t)i * s->mark_size;

        if (i > 0)
            lens_write(w, ",");
        write_mark(w, (const struct lens_mark *)(const void *)at);
    }
    lens_write(w, "]");
}

void
json_sample(const struct lens_sample *s, const struct run_names *names, int marks,
            struct text *t)
{
    struct lens_writer w;

    lens_write_begin(&w, t, text_put);
    for (uint32_t i = 0; i < sample_field_count;) {
        const struct field *f = &sample_fields[i];
        struct value value;

        if ((f->flags & FIELD_NAMED) != 0) {
            i++;
            continue;
        }
        lens_write(&w, i == 0 ? "{" : ",");
        if (strchr(f->name, '.') != NULL) {
            i += write_object(&w, f, sample_field_count - i, s, names);
            continue;
        }
        write_name(&w, f->name, strlen(f->name));
        field_read(f, s, names, &value);
        value_to_json(&value, &w);
        i++;
    }
    if (marks)
        write_marks(&w, s);
    lens_write(&w, "}\n");
    lens_write_end(&w);
}

/* ---- columns ---- */

void
json_row(const struct columns *columns, const struct row *row, struct text *t)
{
    struct lens_writer w;

    lens_write_begin(&w, t, text_put);
    for (uint32_t i = 0; i < columns->count; i++) {
        const struct column *c = &columns->items[i];
        struct value value;

        lens_write(&w, i == 0 ? "{" : ",");
        write_name(&w, c->title, strlen(c->title));
        column_read(c, row, &value);
        value_to_json(&value, &w);
    }
    lens_write(&w, "}\n");
    lens_write_end(&w);
}
