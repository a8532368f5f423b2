/* plan-private: what the files of the plan share. */
#pragma once

#include <stddef.h>

#include "doc.h"
#include "plan.h"
#include "presets.h"
#include "scalar.h"

enum plan_store {
    STORE_INT64,
    STORE_UNSIGNED,
    STORE_DOUBLE,
    STORE_BOOL,
    STORE_STRING,
    STORE_LIST, /* char **, each value is appended */
    STORE_HTTP,
    STORE_SEED,   /* of the plan */
    STORE_WARMUP, /* of a stage */
    STORE_SEEDED  /* of prompts */
};

/* A key of a plan and the flag that overrides it. */
typedef struct plan_key {
    const char *name;
    const char *flag; /* NULL: none */
    enum scalar type;
    enum plan_store store;
    size_t offset; /* in the struct that holds it */
    const char *range;
    bool inverse; /* the flag says no: --no-stream */
    bool (*check)(const char *text, GError **error);
} plan_key;

/* Each ends with a NULL name. */
extern const plan_key plan_keys[];
extern const plan_key plan_target_keys[];
extern const plan_key plan_request_keys[]; /* of a target's options */
extern const plan_key plan_limit_keys[];   /* of a target's limits */
extern const plan_key plan_price_keys[];   /* of a target */
extern const plan_key plan_stage_keys[];
extern const plan_key plan_prompt_keys[];

const plan_key *plan_key_find(const plan_key *keys, const char *name);
/* Appends the names of `keys` to `names`, for nearest_name. */
void plan_key_names(const plan_key *keys, GPtrArray *names);
bool plan_key_set(const plan_key *key, void *base, const char *text, GError **error);
/* Empties a list, so that other values can replace it. */
void plan_key_clear(const plan_key *key, void *base);

plan_target *plan_target_new(void);
plan_stage *plan_stage_new(void);
plugin_choice *plugin_choice_new(void);

/* Fills `p` from a plan file. */
bool plan_read(plan *p, registry *plugins, const doc *d, GError **error);

/* Makes `c` the plugin `kind_name`, options unset. */
bool plan_choice_set_kind(plugin_choice *c, registry *plugins, uint32_t kind,
                          const char *kind_name, GError **error);
/* From "NAME:k=v,k=v". */
bool plan_choice_parse(plugin_choice *c, registry *plugins, uint32_t kind,
                       const char *text, GError **error);
/* The same for a provider, whose name may be that of a preset. */
bool plan_target_set_provider(plan_target *t, registry *plugins, const char *text,
                              GError **error);
/* Sets an option of one of `exports` (plugin_choice); `rest` is "NAME.KEY". */
bool plan_set_export(const GPtrArray *exports, const char *rest, const char *value,
                     GError **error);
/* A request parameter of lens, or an option of the provider. */
bool plan_target_set_option(plan_target *t, const char *name, const char *text,
                            GError **error);
/* Sets the error for an option that neither lens nor the provider has; gives false. */
bool plan_unknown_option(const plan_target *t, const char *name, GError **error);
/* The base URL; "host:port" gets "http://". */
bool plan_target_set_url(plan_target *t, const char *text, GError **error);
/* The name of an environment variable, not the key itself. */
bool plan_target_set_key_env(plan_target *t, const char *name, GError **error);

/* "Name: value" that carries no credential. */
bool plan_check_header(const char *text, GError **error);
/* Dollars, and a factor. */
bool plan_check_amount(const char *text, GError **error);
bool plan_check_factor(const char *text, GError **error);
/* A proxy URL without user info. */
bool plan_check_proxy(const char *text, GError **error);
/* "host:port:address". */
bool plan_check_resolve(const char *text, GError **error);
/* Whether `text` is host:port, perhaps with a path. */
bool plan_is_host_port(const char *text);
/* "D(100,100)" can be read two ways; an error that says both. */
bool plan_refuse_shape(const char *text, GError **error);

/* "WHERE: MESSAGE" (`where` may be NULL); both give false. */
bool plan_fail(const char *where, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
bool plan_locate(const char *where, GError **error);
/* Fills in the rest of the options; secrets are resolved, or only looked for. */
bool plan_finish_choice(plugin_choice *c, bool resolve, GError **error);
/* Whether a file (NULL: none) can be read. */
bool plan_check_file(const char *path, const char *what, GError **error);
bool plan_check_target(plan_target *t, registry *plugins, bool resolve, GError **error);

/* The workload's own estimate for the stage's stop condition. */
bool plan_estimate(const plan *p, const plan_stage *s, registry *plugins,
                   struct lens_estimate *ret, GError **error);
/* The name of the provider's api that `t` will use; NULL with an error. */
const char *plan_api_name(const plan_target *t, registry *plugins, GError **error);
