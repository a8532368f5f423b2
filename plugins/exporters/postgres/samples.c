#include "samples.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <write.h>

/* ---- types ---- */

static int
is_among(const char *name, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(name, *list) == 0)
            return 1;
    return 0;
}

static int
ends_with(const char *name, const char *end)
{
    const size_t size = strlen(name), tail = strlen(end);

    return size >= tail && strcmp(name + size - tail, end) == 0;
}

/* What a field is in the database. */
static const char *
type_of(const char *field)
{
    static const char *const texts[] = {
        "run_id",       "target",          "stage",       "phase",
        "outcome",      "provider",        "api",         "model",
        "url",          "error",           "error_class", "error_where",
        "error_detail", "finish",          "server_id",   "served_model",
        "tier",         "departure_clock", "first_clock", "prompt",
        "text",         "reasoning",       "trace_id",    "span_id",
        "http_version", "status",          "error_type",  NULL
    };
    static const char *const flags[] = { "streamed", "reused", "tokens_partial",
                                         "success", NULL };

    if (is_among(field, texts))
        return "text";
    if (is_among(field, flags))
        return "boolean";
    if (strcmp(field, "extra") == 0)
        return "jsonb";
    if (strcmp(field, "cost_usd") == 0 || strcmp(field, "cost_reported_usd") == 0)
        return "numeric";
    if (ends_with(field, "_time"))
        return "timestamptz";
    if (ends_with(field, "_ms") || ends_with(field, "_per_request") ||
        ends_with(field, "_s"))
        return "double precision";
    return "bigint";
}

/* ---- our own table ---- */

static int
add_field(struct sample_table *t, const char *name, const char *field)
{
    return columns_add(&t->columns, field, name) != NULL &&
           table_add(&t->table, name, type_of(field), field, 0);
}

lens_status
sample_table_own(struct sample_table *t, const struct lens_host *host)
{
    static const char *const first[] = { "run_id",   "id",      "start_time",
                                         "provider", "api",     "model",
                                         "trace_id", "span_id", NULL };
    static const char *const never[] = {
        "number", "url", "success", "total_tokens", "start_unix_s", "end_time", NULL
    };
    int fine = 1;

    t->columns.rows = ROWS_SAMPLES;
    for (size_t i = 0; first[i] != NULL; i++)
        fine =
            fine && add_field(t, strcmp(first[i], "start_time") == 0 ? "time" : first[i],
                              first[i]);
    for (uint32_t i = 0; i < sample_field_count; i++) {
        const char *name = field_column(&sample_fields[i]);
        const int extra = (sample_fields[i].flags & FIELD_EXTRA) != 0;

        if (is_among(name, first) || is_among(name, never) ||
            (extra && ends_with(name, "_ns")))
            continue;
        fine = fine && add_field(t, name, name);
    }
    t->table.key = "run_id, id, time";
    t->table.time = "time";
    return fine ? LENS_OK : host->fail(host, LENS_E_NOMEM, "out of memory");
}

/* ---- a table of the user's ---- */

/* What a mapped column may show besides the fields. */
static const struct {
    const char *source, *type;
} computed[] = {
    { "time", "timestamptz" },
    { "prompt_cost_usd", "numeric" },
    { "completion_cost_usd", "numeric" },
    { "attributes", "jsonb" },
};

/* The usual columns of a table of LLM calls. */
static const char usual[] = "ts = time\n"
                            "trace_id = trace_id\n"
                            "span_id = span_id\n"
                            "provider = provider\n"
                            "model = model\n"
                            "input_type = 'text'\n"
                            "prompt_tokens = input_tokens\n"
                            "completion_tokens = output_tokens\n"
                            "total_tokens = total_tokens\n"
                            "prompt_cost_usd = prompt_cost_usd\n"
                            "completion_cost_usd = completion_cost_usd\n"
                            "total_cost_usd = cost_usd\n"
                            "duration_ms = e2e_ms\n"
                            "ttft_ms = ttft_ms\n"
                            "status_code = http_status\n"
                            "error_message = error_detail\n"
                            "attributes = attributes\n";

static int
add_mapped(struct sample_table *t, const char *name, char *source)
{
    const size_t size = strlen(source);

    if (size >= 2 && source[0] == '\'' && source[size - 1] == '\'') {
        source[size - 1] = '\0';
        return table_add(&t->table, name, "text", source + 1, 1);
    }
    for (size_t i = 0; i < sizeof computed / sizeof computed[0]; i++)
        if (strcmp(source, computed[i].source) == 0)
            return table_add(&t->table, name, computed[i].type, source, 2);
    if (columns_add(&t->columns, source, name) == NULL)
        return 0;
    return table_add(&t->table, name,
                     type_of(field_column(t->columns.items[t->columns.count - 1].field)),
                     source, 0);
}

static char *
trim(char *text)
{
    size_t size;

    while (isspace((unsigned char)*text))
        text++;
    size = strlen(text);
    while (size > 0 && isspace((unsigned char)text[size - 1]))
        text[--size] = '\0';
    return text;
}

static lens_status
refuse(const struct lens_host *host, const char *path, unsigned line, const char *what,
       const char *why)
{
    char text[512];

    snprintf(text, sizeof text, "%.200s: line %u: `%.100s`: %s", path, line, what, why);
    return host->fail(host, LENS_E_CONFIG, text);
}

static lens_status
refuse_file(const struct lens_host *host, const char *path, const char *why)
{
    char text[512];

    snprintf(text, sizeof text, "option map: cannot read %.200s: %s", path, why);
    return host->fail(host, LENS_E_CONFIG, text);
}

static lens_status
take_line(struct sample_table *t, const struct lens_host *host, const char *path,
          unsigned number, char *line)
{
    char *hash = strchr(line, '#'), *equals;

    if (hash != NULL)
        *hash = '\0';
    line = trim(line);
    if (*line == '\0')
        return LENS_OK;
    equals = strchr(line, '=');
    if (equals == NULL)
        return refuse(host, path, number, line, "expected COLUMN = SOURCE");
    *equals = '\0';
    if (*trim(line) == '\0' || *trim(equals + 1) == '\0')
        return refuse(host, path, number, line, "expected COLUMN = SOURCE");
    if (!add_mapped(t, trim(line), trim(equals + 1)))
        return refuse(host, path, number, trim(equals + 1),
                      "no such source: expected a column of `lens export --to csv`, "
                      "time, prompt_cost_usd, completion_cost_usd, attributes, or a "
                      "'text' in quotes");
    return LENS_OK;
}

static lens_status
take_map(struct sample_table *t, const struct lens_host *host, const char *path,
         char *text)
{
    unsigned number = 0;
    char *line;

    t->columns.rows = ROWS_SAMPLES;
    while ((line = strsep(&text, "\n")) != NULL) {
        const lens_status status = take_line(t, host, path, ++number, line);

        if (status != LENS_OK)
            return status;
    }
    if (t->table.count == 0)
        return refuse(host, path, number, "", "no column is mapped");
    for (uint32_t i = 0; i < t->table.count && t->table.time == NULL; i++)
        if (strcmp(t->table.items[i].type, "timestamptz") == 0)
            t->table.time = t->table.items[i].name;
    return LENS_OK;
}

lens_status
sample_table_mapped(struct sample_table *t, const struct lens_host *host,
                    const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file;
    lens_status status;

    if (path == NULL) {
        text = strdup(usual);
    } else {
        file = fopen(path, "re");
        if (file == NULL)
            return refuse_file(host, path, strerror(errno));
        if (getdelim(&text, &size, '\0', file) < 0) {
            free(text);
            text = strdup("");
        }
        fclose(file);
    }
    if (text == NULL)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    status = take_map(t, host, path != NULL ? path : "the usual columns", text);
    free(text);
    return status;
}

void
sample_table_clear(struct sample_table *t)
{
    table_clear(&t->table);
    columns_clear(&t->columns);
}

/* ---- a row ---- */

/* Dollars from 10^-12 USD: the parts `from` to `to`; null when one is unknown. */
static void
put_cost(const struct lens_sample *s, size_t from, size_t to, struct text *out)
{
    int64_t sum = 0;
    char text[40];

    for (size_t i = from; i <= to; i++) {
        if (!LENS_HAS(s, struct lens_sample, cost_total) || s->cost[i] < 0) {
            row_null(out);
            return;
        }
        sum += s->cost[i];
    }
    snprintf(text, sizeof text, "%lld.%012lld", (long long)(sum / 1000000000000),
             (long long)(sum % 1000000000000));
    text_add(out, text);
}

/* What an observatory has no column for. */
static void
put_attributes(const struct lens_sample *s, const struct run_names *names,
               struct text *out)
{
    static const char *const fields[] = {
        "run_id",           "id",          "target", "stage",   "phase",
        "outcome",          "error",       "finish", "tpot_ms", "cache_read_tokens",
        "reasoning_tokens", "first_clock", NULL
    };
    struct text json = { 0 };
    struct lens_writer w;
    const char *comma = "";
    struct value v;

    lens_write_begin(&w, &json, text_put);
    lens_write(&w, "{");
    for (uint32_t i = 0; i < sample_field_count; i++) {
        const char *name = field_column(&sample_fields[i]);

        if (!is_among(name, fields))
            continue;
        field_read(&sample_fields[i], s, names, &v);
        if (v.kind == VALUE_NONE)
            continue;
        lens_write(&w, comma);
        lens_write_string(&w, name, strlen(name));
        lens_write(&w, ":");
        if (v.kind == VALUE_INT)
            lens_write_int(&w, v.integer);
        else if (v.kind == VALUE_DOUBLE)
            lens_write_double(&w, v.number);
        else
            lens_write_string(&w, v.string, strlen(v.string));
        comma = ",";
    }
    lens_write(&w, "}");
    if (lens_write_end(&w) == LENS_OK) {
        text_put(&json, "", 1);
        row_text(out, json.data);
    } else {
        row_null(out);
    }
    text_clear(&json);
}

static void
put_computed(const char *source, const struct lens_sample *s,
             const struct run_names *names, struct text *out)
{
    struct value v = { .kind = VALUE_NONE };

    if (strcmp(source, "time") == 0) {
        value_set_time(&v, s->unix_ns);
        row_value(out, &v);
    } else if (strcmp(source, "prompt_cost_usd") == 0) {
        put_cost(s, LENS_COST_INPUT_UNCACHED, LENS_COST_CACHE_WRITE_1H, out);
    } else if (strcmp(source, "completion_cost_usd") == 0) {
        put_cost(s, LENS_COST_OUTPUT_VISIBLE, LENS_COST_REASONING, out);
    } else {
        put_attributes(s, names, out);
    }
}

void
sample_table_row(const struct sample_table *t, const struct lens_sample *s,
                 const struct run_names *names, struct text *out)
{
    const struct row row = { .sample = s, .names = names, .run_s = (double)NAN };
    uint32_t field = 0;
    struct value v;

    for (uint32_t i = 0; i < t->table.count; i++) {
        row_next(out, i == 0);
        if (t->table.items[i].fixed == 1) {
            row_text(out, t->table.items[i].source);
        } else if (t->table.items[i].fixed == 2) {
            put_computed(t->table.items[i].source, s, names, out);
        } else {
            column_read(&t->columns.items[field++], &row, &v);
            row_value(out, &v);
        }
    }
    row_end(out);
}
