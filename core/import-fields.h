/* What is known of fields, and of the columns that other tools write. */
#pragma once

#include "import.h"

enum field_kind {
    FIELD_MOMENT, /* a point in time: number with a unit, told by its size, or ISO 8601 */
    FIELD_TIME,
    FIELD_TIMES, /* a list */
    FIELD_NUMBER,
    FIELD_FLAG,
    FIELD_TEXT
};

struct field_info {
    const char *name;
    enum field_kind kind;
};
extern const struct field_info import_fields[FIELD_COUNT];

/* Field with its unit, for instance "ttft_s"; NULL ends a list. */
struct known_column {
    const char *field, *column;
};
struct dialect {
    const char *name;
    const char *signs[4]; /* columns that tell it */
    const struct known_column *columns;
};
extern const struct dialect import_dialects[];            /* name NULL ends it */
extern const struct known_column import_common_columns[]; /* whose unit is in the name */

/* ns of a name's unit, and the length of the name without it; 0: it has none. */
double import_unit_of(const char *name, size_t *ret_stem);
