/* option-private: one value of an option, shared by option.c, option-schema.c and
 * option-json.c. */
#pragma once

#include "option.h"

typedef struct option_value {
    char *text;   /* as given */
    char *secret; /* resolved; NULL: not a secret, or not yet */
    int64_t integer;
    double number;
} option_value;

enum option_source { SOURCE_NONE, SOURCE_USER, SOURCE_VARIABLE, SOURCE_FALLBACK };

typedef struct option_slot {
    struct lens_option option; /* as long as ours, zeroes where the plugin's is shorter */
    GPtrArray *values;         /* option_value */
    enum option_source source;
    bool ignore_variable;
} option_slot;

struct option_values {
    const struct lens_schema *schema;
    char *owner;
    GArray *slots; /* option_slot */
    bool finished;
};

/* Element `index`, cut or filled to our size. */
struct lens_option option_at(const struct lens_schema *schema, uint32_t index);
/* Text to value, checked against type and choices; NULL with an error that says what was
 * expected. */
option_value *option_value_parse(const struct lens_option *option, const char *text,
                                 GError **error);
void option_value_free(option_value *v);
/* What an option takes, for people: "a number 0..2", "one of a, b". Caller frees. */
char *option_expectation(const struct lens_option *option);
