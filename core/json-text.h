/* json-text: a JSON tree as text, with numbers as short as 15 digits allow. */
#pragma once

#include <glib.h>
#include <stdint.h>

#include <json-glib/json-glib.h>

/* Indented by two spaces; ends with a newline. Caller frees. */
char *json_text(JsonNode *root);
/* Members of an object that is being built; NaN and infinity become null. */
void json_put_number(JsonBuilder *b, const char *name, double value);
void json_put_int(JsonBuilder *b, const char *name, int64_t value);
/* NULL becomes null; what is not UTF-8 is replaced. */
void json_put_string(JsonBuilder *b, const char *name, const char *value);
