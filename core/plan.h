/* plan: everything one invocation of `lens run` will do. Filled from defaults, then a
 * YAML or JSON file, then flags; checked once; constant afterwards. Contract sections 2
 * to 4. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "option.h"
#include "slo.h"

enum http_choice { HTTP_AUTO, HTTP_1_1, HTTP_2 };

/* A named plugin with its options, for instance a workload of a stage. */
typedef struct plugin_choice {
    char *kind;             /* the plugin's name */
    char *name;             /* of this use; defaults to kind */
    option_values *options; /* checked against the plugin's schema */
} plugin_choice;

typedef struct plan_target {
    char *name;
    plugin_choice provider; /* options url and api_key are among its options */
    char *api;
    char *model;  /* NULL: ask the server */
    char *url;    /* base URL as it will be used, for show */
    bool is_mock; /* the built-in mock stands behind it */
    /* Generic request parameters (lens_ask). */
    int64_t max_tokens, min_tokens; /* -1 none */
    double temperature, top_p;      /* NaN: unset */
    int64_t top_k, seed, n;         /* -1 unset; seed INT64_MIN unset */
    char **stop;                    /* NULL-terminated, or NULL */
    char **headers;                 /* "Name: value"; NULL-terminated, or NULL */
    char *extra;                    /* JSON object, or NULL */
    bool ignore_eos, stream;
    /* Limits and transport. */
    double rpm, tpm; /* 0: none */
    int64_t connect_timeout_ns, first_token_timeout_ns, idle_timeout_ns, timeout_ns;
    enum http_choice http;
    bool multiplex, reuse, compressed, follow_redirects, insecure;
    char *cacert, *cert, *key, *proxy;
    char **resolve; /* "host:port:addr"; NULL-terminated, or NULL */
} plan_target;

typedef struct plan_stage {
    char *name;
    plugin_choice workload;
    int64_t requests;                   /* -1: by duration */
    int64_t duration_ns;                /* -1: by requests */
    int64_t warmup_requests, warmup_ns; /* -1: none; at most one is set */
    int64_t drain_ns;
    int64_t max_in_flight; /* -1: the fd limit less a reserve */
    char **targets;        /* names; NULL: all */
} plan_stage;

typedef struct plan_prompts {
    char *text;  /* --prompt, NULL: built-in */
    char *file;  /* --prompts, NULL: none */
    bool seeded; /* order: by seed instead of in order */
    bool same;   /* --same-prompt: no unique head */
} plan_prompts;

typedef struct plan {
    uint64_t seed;
    bool seed_given;
    GPtrArray *targets; /* plan_target */
    GPtrArray *stages;  /* plan_stage */
    GPtrArray *exports; /* plugin_choice */
    GPtrArray *slos;    /* slo, slo.h */
    plan_prompts prompts;
    unsigned threads;
    unsigned retries;
    int64_t retry_max_wait_ns;
    int64_t abort_after; /* failures in a row; -1: off */
    int64_t interval_ns; /* of snapshots */
    int64_t export_wait_ns;
    bool preflight, strict, spin, record_text, deltas, force, dry_run;
    bool json, quiet;
    unsigned verbose;
    char *out;           /* run file; NULL: by date */
    char *dump_schedule; /* NULL: none */
    char *source;        /* plan file, or NULL */
} plan;

plan *plan_new(void);
void plan_free(plan *p);
/* The plan as one JSON object, secrets by name only; what the run file and exporters are
 * told. */
char *plan_to_json(const plan *p);
/* Hex SHA-256 of the plan without targets and labels: equal for runs that can be
 * compared. */
char *plan_hash(const plan *p);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(plan, plan_free)
