#include "exposition.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "write.h"

/* ---- labels ---- */

static void
put_escaped(struct text *t, const char *value, int quotes)
{
    for (; *value != '\0'; value++) {
        if (*value == '\n')
            text_put(t, "\\n", 2);
        else if (*value == '\\' || (quotes && *value == '"')) {
            text_put(t, "\\", 1);
            text_put(t, value, 1);
        } else {
            text_put(t, value, 1);
        }
    }
}

static void
put_labels(struct text *t, const struct label *labels, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            text_put(t, ",", 1);
        text_add(t, labels[i].name);
        text_put(t, "=\"", 2);
        put_escaped(t, labels[i].value, 1);
        text_put(t, "\"", 1);
    }
}

char *
exposition_labels(const struct label *labels, uint32_t count)
{
    struct text t = { 0 };

    put_labels(&t, labels, count);
    text_put(&t, "", 1);
    if (!t.failed)
        return t.data;
    text_clear(&t);
    return NULL;
}

uint32_t
exposition_sorted(const struct point *p, struct label *ret)
{
    const uint32_t first = p->series != NULL ? p->series->label_count : 0;
    uint32_t count = 0;

    for (uint32_t i = 0; i < first + p->label_count; i++) {
        const struct label l = i < first ? p->series->labels[i] : p->labels[i - first];
        uint32_t at = count++;

        for (; at > 0 && strcmp(ret[at - 1].name, l.name) > 0; at--)
            ret[at] = ret[at - 1];
        ret[at] = l;
    }
    return count;
}

/* ---- lines ---- */

struct sheet {
    struct text *text;
    int open; /* OpenMetrics */
};

static void
put_number(struct text *t, double value)
{
    struct lens_writer w;

    if (!isfinite(value)) {
        text_add(t, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
        return;
    }
    lens_write_begin(&w, t, text_put);
    lens_write_double(&w, value);
    lens_write_end(&w);
}

static void
put_count(struct text *t, uint64_t value)
{
    char digits[24];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    text_put(t, digits + at, sizeof digits - at);
}

static void
put_name(struct text *t, const char *name, const char *suffix, const struct point *p)
{
    const uint32_t own = p->label_count;

    text_add(t, name);
    text_add(t, suffix);
    if (p->series == NULL && own == 0)
        return;
    text_put(t, "{", 1);
    if (p->series != NULL)
        text_add(t, p->series->text);
    if (p->series != NULL && *p->series->text != '\0' && own > 0)
        text_put(t, ",", 1);
    put_labels(t, p->labels, own);
}

static void
put_bucket(const struct sheet *s, const char *name, const struct point *p,
           const char *bound, uint64_t count)
{
    struct text *t = s->text;

    put_name(t, name, "_bucket", p);
    text_add(t, p->series != NULL && *p->series->text != '\0' ? ",le=\"" : "le=\"");
    text_add(t, bound);
    if (s->open && strpbrk(bound, ".eI") == NULL) /* canonical there: 1.0 */
        text_put(t, ".0", 2);
    text_put(t, "\"} ", 3);
    put_count(t, count);
    text_put(t, "\n", 1);
}

static void
close_name(struct text *t, const struct point *p)
{
    text_add(t, p->series == NULL && p->label_count == 0 ? " " : "} ");
}

static void
put_distribution(const struct sheet *s, const char *name, const struct point *p)
{
    const struct distribution *d = p->distribution;
    struct text *t = s->text;

    for (uint32_t i = 0; i < d->bounds->count; i++)
        put_bucket(s, name, p, d->bounds->texts[i], d->classic[i]);
    put_bucket(s, name, p, "+Inf", d->count);
    put_name(t, name, "_sum", p);
    close_name(t, p);
    put_number(t, d->sum);
    text_put(t, "\n", 1);
    put_name(t, name, "_count", p);
    close_name(t, p);
    put_count(t, d->count);
    text_put(t, "\n", 1);
}

size_t
exposition_family_size(const struct lens_name *name)
{
    const size_t size = strlen(name->prometheus);

    return name->kind == LENS_NAME_COUNTER && size > 6 &&
                   strcmp(name->prometheus + size - 6, "_total") == 0
               ? size - 6
               : size;
}

/* OpenMetrics wants the unit at the end of the name. */
static void
put_unit(struct text *t, const char *family, size_t size)
{
    static const char *const units[] = { "seconds", "bytes", "dollars", "ratio" };

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        const size_t unit = strlen(units[i]);

        if (size <= unit + 1 || family[size - unit - 1] != '_' ||
            strncmp(family + size - unit, units[i], unit) != 0)
            continue;
        text_add(t, "# UNIT ");
        text_put(t, family, size);
        text_put(t, " ", 1);
        text_add(t, units[i]);
        text_put(t, "\n", 1);
        return;
    }
}

static void
put_head(const struct sheet *s, const struct lens_name *name)
{
    static const char *const types[] = { [LENS_NAME_HISTOGRAM] = "histogram",
                                         [LENS_NAME_COUNTER] = "counter",
                                         [LENS_NAME_GAUGE] = "gauge" };
    const size_t size = s->open ? exposition_family_size(name) : strlen(name->prometheus);
    struct text *t = s->text;

    text_add(t, "# HELP ");
    text_put(t, name->prometheus, size);
    text_put(t, " ", 1);
    put_escaped(t, name->help, s->open);
    text_add(t, "\n# TYPE ");
    text_put(t, name->prometheus, size);
    text_put(t, " ", 1);
    text_add(t, types[name->kind]);
    text_put(t, "\n", 1);
    if (s->open)
        put_unit(t, name->prometheus, size);
}

static void
write_family(const struct family *f, void *data)
{
    const struct sheet *s = data;

    put_head(s, f->name);
    for (uint32_t i = 0; i < f->count; i++) {
        const struct point *p = &f->points[i];

        if (p->distribution != NULL) {
            put_distribution(s, f->name->prometheus, p);
            continue;
        }
        put_name(s->text, f->name->prometheus, "", p);
        close_name(s->text, p);
        put_number(s->text, p->value);
        text_put(s->text, "\n", 1);
    }
}

int
exposition_write(const struct state *s, enum exposition format, struct text *to)
{
    struct sheet sheet = { to, format == EXPOSE_OPENMETRICS };

    text_rewind(to);
    if (format == EXPOSE_PROTOBUF)
        return exposition_protobuf(s, to);
    if (!families_each(s, NULL, write_family, &sheet))
        return 0;
    if (sheet.open)
        text_add(to, "# EOF\n");
    return !to->failed;
}
