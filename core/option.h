/* option: values of a schema: parsed, checked against type and range, documented. The
 * schema comes from a plugin or from a host table; both look the same. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include <lens/option.h>

typedef struct option_values option_values;

/* Values of `schema`, all unset; keeps the pointer. `owner` names the plugin in messages,
 * for instance "provider openai". */
option_values *option_values_new(const struct lens_schema *schema, const char *owner);
option_values *option_values_copy(const option_values *v);
void option_values_free(option_values *v);

/* Sets one value from text; repeatable options collect. Unknown names are an error that
 * names the nearest one. A secret must be named (secret.h). */
bool option_values_set(option_values *v, const char *name, const char *text,
                       GError **error);
/* Forgets the values of `name`. */
void option_values_unset(option_values *v, const char *name);
/* "k=v,k2=v2"; `\,` is a comma inside a value. */
bool option_values_set_list(option_values *v, const char *list, GError **error);
/* `finish` will not read the environment variable of `name`: the usual key of a provider
 * must not go to a URL that it was not made for. */
void option_values_ignore_variable(option_values *v, const char *name);
/* Reads variables and fallbacks for what is unset, checks what is required, resolves
 * secrets when `resolve` (else only their form is checked). After this the values are
 * constant. */
bool option_values_finish(option_values *v, bool resolve, GError **error);
/* Resolves what finish left, commands too. */
bool option_values_resolve(const option_values *v, GError **error);

bool option_values_finished(const option_values *v);

const struct lens_schema *option_values_schema(const option_values *v);
bool option_values_has(const option_values *v, const char *name); /* in the schema */
bool option_values_is_set(const option_values *v,
                          const char *name); /* given by the user */
unsigned option_values_count(const option_values *v, const char *name);
const char *option_values_string(const option_values *v, const char *name, unsigned nth);
int64_t option_values_int(const option_values *v, const char *name);
double option_values_double(const option_values *v, const char *name);
/* As JSON object {"name": value}, secrets as their spec (env:VAR), never their value. Set
 * values and fallbacks when `all`, else only what was given. */
char *option_values_to_json(const option_values *v, bool all);

/* Whether a schema keeps the rules of lens/option.h: names, types, ranges, and fallbacks
 * that its own types accept. Pure; reads `count` elements of `item_size`. */
bool option_schema_check(const struct lens_schema *schema, GError **error);
const char *option_type_name(uint32_t type); /* "int", "duration"; NULL: unknown */

/* The scalar forms, also used by flags and plans. Messages name what was expected. */
bool parse_duration(const char *text, int64_t *ret_ns, GError **error);
bool parse_size(const char *text, int64_t *ret_bytes, GError **error);
bool parse_int(const char *text, int64_t *ret, GError **error);
bool parse_double(const char *text, double *ret, GError **error);
bool parse_bool(const char *text, bool *ret, GError **error);
/* An http or https URL with a host; user info is refused without being shown, so is a
 * fragment. */
bool check_url(const char *text, GError **error);
/* One JSON value, nothing behind it. */
bool check_json(const char *text, GError **error);
/* "250ms", "1.5s", for show. */
char *format_duration(int64_t ns);
/* The candidate nearest to `word` by edit distance, or NULL when none is near. */
const char *nearest_name(const char *word, const char *const *candidates);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(option_values, option_values_free)
