/* import: rows of numbers measured elsewhere, made into samples. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "sample.h"

enum import_format { IMPORT_CSV, IMPORT_JSONL };

/* ---- rows ---- */

/* One row: column (char *) to text (char *). Members of nested objects are called
 * "outer.inner", lists stand as JSON text; what is empty or null is absent. `line` is
 * where the row begins. */
typedef struct import_row {
    GHashTable *cells;
    uint64_t line;
} import_row;
typedef bool (*import_row_fn)(const import_row *row, void *data, GError **error);

/* Calls fn for each row until it fails. JSONL also takes one array of objects, and one
 * object whose members are lists, one element a row. Errors name file and line. */
bool import_each_row(const char *path, enum import_format format, import_row_fn fn,
                     void *data, GError **error);

/* ---- fields ---- */

enum import_field {
    FIELD_START,
    FIELD_DUE,
    FIELD_END,
    FIELD_TTFT,
    FIELD_TTFB,
    FIELD_E2E,
    FIELD_TPOT,
    FIELD_ITL,
    FIELD_INPUT_TOKENS,
    FIELD_OUTPUT_TOKENS,
    FIELD_CACHED_TOKENS,
    FIELD_REASONING_TOKENS,
    FIELD_OK,
    FIELD_CANCELLED,
    FIELD_ERROR,
    FIELD_ERROR_KIND,
    FIELD_STATUS,
    FIELD_MODEL,
    FIELD_TARGET,
    FIELD_STAGE,
    FIELD_PHASE,
    FIELD_ID,
    FIELD_FINISH,
    FIELD_COUNT
};

/* Which column holds a field. Times have a unit in ns; 0: it is told by the value. */
typedef struct import_map {
    struct {
        char *column; /* NULL: none */
        double unit_ns;
    } fields[FIELD_COUNT];
    const char *dialect; /* the tool whose columns were recognised; NULL: none */
} import_map;

void import_map_clear(import_map *m);
/* From "FIELD=COLUMN,..." texts (NULL-terminated), and what can be told from the names of
 * the columns for the rest. An empty COLUMN leaves the field out. */
bool import_map_make(const char *const *texts, const char *const *columns,
                     import_map *ret_map, GError **error);
/* As JSON object {"field": "column"}. Caller frees. */
char *import_map_to_json(const import_map *m);

/* ---- values ---- */

/* What a row says; NEVER, -1 or NULL: nothing. Texts are the row's. */
typedef struct import_values {
    int64_t start_ns, due_ns, end_ns; /* wall clock, or since any moment */
    int64_t ttft_ns, ttfb_ns, e2e_ns, tpot_ns;
    GArray *itl_ns; /* int64_t; empty: not known */
    int64_t input_tokens, output_tokens, cached_tokens, reasoning_tokens;
    int64_t status;
    bool ok, cancelled;
    const char *error, *error_kind, *model, *target, *stage, *phase, *id, *finish;
} import_values;

void import_values_init(import_values *v);
void import_values_clear(import_values *v);
/* `path` and the row's line are named in errors. */
bool import_values_read(import_values *v, const import_map *m, const import_row *row,
                        const char *path, GError **error);
/* A sample of them; times count from `origin_ns`. */
sample *import_sample(const import_values *v, int64_t origin_ns);
