/* check: the proofs behind `lens plugin check`, one function a kind. They play the host
 * by the SDK's harness: the one place where core includes it. They run in a process of
 * their own, which a plugin may crash. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

#include "decode.h"
#include "harness.h"
#include "registry.h"

enum { CHECK_SETTINGS = 128, CHECK_NAME = 256, CHECK_SECONDS = 300 };

/* What the parent sees when the child is gone. */
struct check_state {
    char current[CHECK_NAME]; /* the proof that is running */
    unsigned failed, passed;
};

typedef struct check {
    const plugin *plugin;
    registry *plugins;
    const GPtrArray *cases; /* decode_case */
    const char *dir;        /* a scratch directory, the current one */
    FILE *out;
    struct check_state *state;
} check;

/* Says what is proven next; a crash is blamed on it. */
void check_begin(check *c, const char *what);
/* Ends it; `problem` NULL or empty: it is so. */
void check_end(check *c, const char *problem);

/* A harness with the options that `p` requires, `given` first. */
struct check_host {
    struct lens_harness harness;
    struct lens_setting settings[CHECK_SETTINGS];
    uint32_t given, count; /* of them: given, all */
};
void check_host_init(struct check_host *h, const check *c, JsonObject *given);
void check_host_clear(struct check_host *h);

/* Repeats `cycle` with the first, second, ... host call failing, until none is left. */
void check_failing_calls(check *c, struct check_host *h, int (*cycle)(void *),
                         void *data);
/* Memory and descriptors after many cycles. */
void check_leaks(check *c, struct check_host *h, int (*cycle)(void *), void *data);

void check_provider(check *c);
void check_workload(check *c);
void check_exporter(check *c);
