#include "layout.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"

#define MOST_BYTES (256 * 1024)

static lens_status fail(const struct layout *l, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static lens_status
fail(const struct layout *l, const char *format, ...)
{
    char why[1024];
    size_t used = (size_t)snprintf(why, sizeof why, "layout %s: ", l->path);
    va_list args;

    va_start(args, format);
    vsnprintf(why + used, used < sizeof why ? sizeof why - used : 0, format, args);
    va_end(args);
    return l->host->fail(l->host, LENS_E_CONFIG, why);
}

/* ---- the file ---- */

static char *
path_of(const char *name)
{
    static const char *const folders[] = { LENS_SOURCE_DATA_DIR, LENS_DATA_DIR };
    char program[4096], *path = NULL;
    const ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);

    if (strchr(name, '/') != NULL ||
        (strlen(name) > 5 && strcmp(name + strlen(name) - 5, ".json") == 0))
        return strdup(name);
    if (size > 0) { /* installed: ../share/lens beside the program */
        program[size] = '\0';
        if (asprintf(&path, "%s/../share/lens/layouts/%s.json", dirname(program), name) >
                0 &&
            access(path, R_OK) == 0)
            return path;
        free(path);
    }
    for (int i = 0; i < 2; i++) {
        if (asprintf(&path, "%s/layouts/%s.json", folders[i], name) > 0 &&
            access(path, R_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

static lens_status
read_file(struct layout *l)
{
    const int fd = open(l->path, O_RDONLY | O_CLOEXEC);
    char piece[4096];
    ssize_t got = 0;

    if (fd < 0)
        return fail(l, "cannot read it: %s", strerror(errno));
    while ((got = read(fd, piece, sizeof piece)) > 0 && l->file.size < MOST_BYTES)
        text_put(&l->file, piece, (size_t)got);
    if (got < 0)
        fail(l, "cannot read it: %s", strerror(errno));
    else if (l->file.size >= MOST_BYTES)
        fail(l, "more than %d KiB", MOST_BYTES / 1024);
    close(fd);
    return got < 0 || l->file.size >= MOST_BYTES ? LENS_E_CONFIG : LENS_OK;
}

/* ---- values ---- */

static char *
take_string(struct lens_json *j)
{
    struct lens_json_string s;
    char *copy;

    if (!lens_json_string(j, &s))
        return NULL;
    copy = malloc(s.raw.size + 1);
    if (copy != NULL)
        copy[lens_json_unescape(&s, copy)] = '\0';
    return copy;
}

static char *
copy_key(const struct lens_bytes *key)
{
    return strndup(key->data, key->size);
}

static lens_status
take_words(struct layout *l, struct lens_json *j, struct column *c)
{
    struct lens_bytes key;
    lens_status status = LENS_OK;

    if (lens_json_peek(j) != LENS_JSON_OBJECT)
        status = fail(l, "column `%s`: `values` is not an object", c->title);
    for (lens_json_object(j); lens_json_member(j, &key);) {
        struct column_word *grown =
            realloc(c->words, (c->word_count + 1) * sizeof *grown);

        if (grown == NULL) {
            lens_json_skip(j);
            continue;
        }
        c->words = grown;
        grown[c->word_count].from = copy_key(&key);
        grown[c->word_count].to = take_string(j);
        if (grown[c->word_count].to == NULL)
            grown[c->word_count].to = strdup("");
        c->word_count++;
    }
    return status;
}

/* One member of a column; `c` is made by `field`, which the first walk has found. */
static lens_status
take_member(struct layout *l, struct lens_json *j, const struct lens_bytes *key,
            struct column *c)
{
    int64_t decimals = -1;

    if (lens_json_is(key, "decimals")) {
        if (!lens_json_int(j, &decimals) || decimals < 0 || decimals > 9)
            return fail(l, "column `%s`: `decimals` is not a number from 0 to 9",
                        c->title);
        c->decimals = (int32_t)decimals;
    } else if (lens_json_is(key, "scale")) {
        if (!lens_json_double(j, &c->scale) || c->scale <= 0)
            return fail(l, "column `%s`: `scale` is not a number above 0", c->title);
    } else if (lens_json_is(key, "empty")) {
        c->empty = take_string(j);
    } else if (lens_json_is(key, "true")) {
        c->yes = take_string(j);
    } else if (lens_json_is(key, "false")) {
        c->no = take_string(j);
    } else if (lens_json_is(key, "values")) {
        return take_words(l, j, c);
    } else if (lens_json_is(key, "field") || lens_json_is(key, "title") ||
               lens_json_is(key, "note")) {
        lens_json_skip(j);
    } else {
        lens_json_skip(j);
        return fail(l,
                    "column `%s`: unknown member `%.*s`, expected title, field, "
                    "decimals, scale, empty, true, false, values or note",
                    c->title, (int)key->size, key->data);
    }
    return LENS_OK;
}

static char *
member_of(const struct lens_bytes *object, const char *name)
{
    struct lens_json j;

    return lens_json_find(object->data, object->size, name, &j) ? take_string(&j) : NULL;
}

/* A column without a title or a field: the misspelt member is what to tell, if any. */
static lens_status
refuse_column(const struct layout *l, const struct lens_bytes *object, uint32_t number)
{
    static const char *const known[] = { "title", "field", "decimals", "scale", "empty",
                                         "true",  "false", "values",   "note" };
    struct lens_bytes key;
    struct lens_json j;

    lens_json_begin(&j, object->data, object->size);
    for (lens_json_object(&j); lens_json_member(&j, &key); lens_json_skip(&j)) {
        size_t i = 0;

        while (i < sizeof known / sizeof *known && !lens_json_is(&key, known[i]))
            i++;
        if (i == sizeof known / sizeof *known)
            return fail(l,
                        "column %u: unknown member `%.*s`, expected title, field, "
                        "decimals, scale, empty, true, false, values or note",
                        number, (int)key.size, key.data);
    }
    return fail(l, "column %u: needs a title and a field", number);
}

lens_status
layout_column(struct layout *l, struct lens_json *at, struct columns *columns,
              const char *title)
{
    struct lens_bytes object = { "", 0 }, key;
    struct lens_json j;
    struct column *c = NULL;
    char *field, *own = NULL;
    lens_status status = LENS_OK;

    if (lens_json_peek(at) == LENS_JSON_OBJECT)
        lens_json_raw(at, &object);
    else
        lens_json_skip(at);
    field = member_of(&object, "field");
    own = title == NULL ? member_of(&object, "title") : strdup(title);
    if (field == NULL || own == NULL)
        status = refuse_column(l, &object, columns->count + 1);
    else if ((c = columns_add(columns, field, own)) == NULL) {
        char where[512];

        snprintf(where, sizeof where, "layout %s: column `%s`", l->path, own);
        status = columns_refuse(columns, l->host, where, field);
    }
    free(field);
    free(own);
    if (status < 0)
        return status;
    lens_json_begin(&j, object.data, object.size);
    for (lens_json_object(&j); lens_json_member(&j, &key);) {
        const lens_status one = take_member(l, &j, &key, c);

        status = status < 0 ? status : one;
    }
    return status;
}

/* ---- the layout ---- */

static lens_status
take_columns(struct layout *l, struct lens_json *j)
{
    lens_status status = LENS_OK;

    if (lens_json_peek(j) != LENS_JSON_ARRAY)
        status = fail(l, "`columns` is not a list");
    for (lens_json_array(j); lens_json_element(j);) {
        const lens_status one = status < 0 ? (lens_json_skip(j), status)
                                           : layout_column(l, j, &l->columns, NULL);

        status = one;
    }
    return status;
}

static lens_status
take_rows(struct layout *l, const char *rows)
{
    static const char *const names[] = { "samples", "intervals", "summary" };

    if (rows == NULL)
        return fail(l, "`rows` is missing: samples, intervals or summary");
    for (size_t i = 0; i < 3; i++)
        if (strcmp(rows, names[i]) == 0) {
            l->rows = l->columns.rows = (enum rows)i;
            return LENS_OK;
        }
    return fail(l, "`rows` is `%s`, expected samples, intervals or summary", rows);
}

static lens_status
take_pairs(struct layout *l, struct lens_json *j)
{
    int count = 0;

    l->pairs = 1;
    for (lens_json_array(j); lens_json_element(j);) {
        char *title = take_string(j);

        if (count < 2)
            l->pair_titles[count++] = title;
        else
            free(title);
    }
    return count == 2 ? LENS_OK : fail(l, "`pairs` is not a list of two titles");
}

static lens_status
take_member_of_file(struct layout *l, struct lens_json *j, const struct lens_bytes *key,
                    const char *format)
{
    char *text;
    lens_status status = LENS_OK;
    int32_t header = 1;

    if (lens_json_is(key, "columns"))
        return take_columns(l, j);
    if (lens_json_is(key, "pairs"))
        return take_pairs(l, j);
    if (lens_json_is(key, "document")) {
        lens_json_raw(j, &l->document);
    } else if (lens_json_is(key, "header")) {
        if (!lens_json_bool(j, &header))
            return fail(l, "`header` is not true or false");
        l->no_header = !header;
    } else if (lens_json_is(key, "format")) {
        text = take_string(j);
        if (text == NULL || strcmp(text, format) != 0)
            status = fail(l, "is a layout of %s files, this is the exporter %s",
                          text != NULL ? text : "no", format);
        free(text);
    } else if (lens_json_is(key, "rows") || lens_json_is(key, "source") ||
               lens_json_is(key, "note") || lens_json_is(key, "units")) {
        lens_json_skip(j);
    } else {
        lens_json_skip(j);
        return fail(l,
                    "unknown member `%.*s`, expected format, rows, columns, pairs, "
                    "header, document, source, units or note",
                    (int)key->size, key->data);
    }
    return status;
}

static lens_status
take_file(struct layout *l, const char *format)
{
    const struct lens_bytes whole = { l->file.data, l->file.size };
    struct lens_bytes key;
    struct lens_json j;
    char *rows;
    lens_status status;

    lens_json_begin(&j, whole.data, whole.size);
    if (!lens_json_skip(&j) || !lens_json_end(&j))
        return fail(l, "is not JSON");
    rows = member_of(&whole, "rows");
    status = take_rows(l, rows);
    free(rows);
    lens_json_begin(&j, whole.data, whole.size);
    for (lens_json_object(&j); lens_json_member(&j, &key);) {
        const lens_status one = status < 0 ? (lens_json_skip(&j), status)
                                           : take_member_of_file(l, &j, &key, format);

        status = one;
    }
    if (status == LENS_OK && l->columns.count == 0 && l->document.size == 0)
        return fail(l, "has no `columns` and no `document`");
    return status;
}

lens_status
layout_load(struct layout *l, const struct lens_host *host, const char *name,
            const char *format)
{
    char why[512];

    l->host = host;
    l->path = path_of(name);
    if (l->path == NULL) {
        snprintf(why, sizeof why,
                 "option layout: there is no layout `%s`, expected genai-bench, "
                 "genai-bench-summary, throughput, latency-lens, test-bench or the path "
                 "of a layout file",
                 name);
        return host->fail(host, LENS_E_CONFIG, why);
    }
    {
        const lens_status status = read_file(l);

        return status == LENS_OK ? take_file(l, format) : status;
    }
}

void
layout_clear(struct layout *l)
{
    columns_clear(&l->columns);
    text_clear(&l->file);
    free(l->path);
    free(l->pair_titles[0]);
    free(l->pair_titles[1]);
    *l = (struct layout){ 0 };
}
