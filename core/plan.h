/* plan: everything one invocation of `lens run` will do. Filled from defaults, then a
 * YAML or JSON file, then flags; checked once; constant afterwards. docs/guide.md. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "args.h"
#include "option.h"
#include "registry.h"
#include "slo.h"

enum http_choice { HTTP_AUTO, HTTP_1_1, HTTP_2 };

/* A named plugin with its options, for instance a workload of a stage. */
typedef struct plugin_choice {
    char *kind;             /* the plugin's name */
    char *name;             /* of this use; defaults to kind */
    option_values *options; /* checked against the plugin's schema */
    char *where;            /* "plan.yaml:7:15"; NULL: by flag or default */
} plugin_choice;

typedef struct plan_target {
    char *name;
    plugin_choice provider; /* options url and api_key are among its options */
    char *api;
    char *model;  /* NULL: ask the server */
    char *url;    /* base URL as it will be used, for show; NULL: the provider has none */
    bool is_mock; /* the built-in mock stands behind it: plan_set_mock_url */
    char *where;  /* "plan.yaml:7:5"; NULL: by flags */
    /* What the user or a preset gave, before it went into the provider's options. */
    char *given_url, *given_key; /* the key as env:VAR, file:PATH or cmd:ARGV */
    char *preset_url, *preset_key;
    char **preset_options; /* name, value, ..., NULL; or NULL */
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
    /* How it is priced, docs/money.md. NULL: by its model, no factor, not by the hour. */
    char *price_model, *price_multiplier, *gpu_hour_usd;
    int64_t gpus;
    int64_t connect_timeout_ns, first_token_timeout_ns, idle_timeout_ns, timeout_ns;
    enum http_choice http;
    bool multiplex, reuse, compressed, follow_redirects, insecure, traceparent;
    char *cacert, *cert, *key, *proxy;
    char **resolve; /* "host:port:addr"; NULL-terminated, or NULL */
} plan_target;

typedef struct plan_stage {
    char *name;
    plugin_choice workload;
    char *where;                        /* "plan.yaml:12:5"; NULL: by flags */
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
    char *where; /* "plan.yaml:9:10"; NULL: by flags */
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
    bool user_clock; /* stamps of the user clock only */
    unsigned verbose;
    char **pricing;      /* files; NULL-terminated, or NULL */
    char *max_cost;      /* USD; NULL: no limit */
    bool online;         /* a dry run may ask the network */
    char *out;           /* run file; NULL: by date */
    char *dump_schedule; /* NULL: none */
    char *source;        /* plan file, or NULL */
} plan;

plan *plan_new(void);
void plan_free(plan *p);
/* The plan of a command line: defaults, then its plan file or URL, then its flags;
 * checked. Secrets are resolved unless it is a dry run or `lens validate`. Errors end
 * with exit code 2. */
plan *plan_from_args(const args *a, GError **error);
/* Reads a YAML or JSON text into `p`; errors begin with NAME:LINE:COLUMN. Any input is
 * fine, however hostile. What `p` holds after a failure can only be freed. */
bool plan_parse(const char *text, size_t size, const char *name, registry *plugins,
                plan *p, GError **error);
/* Fills in defaults and checks what one key alone cannot show. Once, after the last
 * change. */
bool plan_check(plan *p, registry *plugins, bool resolve, GError **error);
/* The URL of the built-in mock, for the targets that stand before it. */
bool plan_set_mock_url(plan *p, const char *url, GError **error);
/* NULL: there is none of this name. */
plan_target *plan_find_target(const plan *p, const char *name);
/* Whether the stage goes to the target. */
bool plan_stage_has_target(const plan_stage *s, const plan_target *t);
/* What would be run, and what it would cost, for `lens validate` and --dry-run. */
bool plan_print(const plan *p, registry *plugins, FILE *out, GError **error);
/* The plan as one JSON object, secrets by name only; what the run file and exporters are
 * told. */
char *plan_to_json(const plan *p);
/* Hex SHA-256 of the plan without targets and labels: equal for runs that can be
 * compared. */
char *plan_hash(const plan *p);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(plan, plan_free)
