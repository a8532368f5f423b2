/* event: what a webhook says: one JSON object per event, lens.webhook/1. */
#pragma once

#include <lens/plugin.h>

#include "../common/text.h"

struct event_target {
    char *name, *provider, *api, *model, *url;
};

/* What is kept of the run. */
struct event_run {
    char *id, *version, *host_name, *plan_hash, *run_file;
    int64_t start_unix_ns;
    struct event_target *targets;
    uint32_t target_count;
    char **stages;
    uint32_t stage_count;
};
lens_status event_run_take(struct event_run *r, const struct lens_run *run);
void event_run_clear(struct event_run *r);

/* Each replaces `out`. */
void event_begin(const struct event_run *r, struct text *out);
void event_interval(const struct event_run *r, const struct lens_snapshot *s,
                    struct text *out);
/* `broken`: the SLOs of `result` that are not met any more. */
void event_slo(const struct event_run *r, const struct lens_snapshot *s,
               const struct lens_result *result, const struct lens_slo_state *broken,
               struct text *out);
void event_end(const struct event_run *r, const struct lens_summary *s, struct text *out);
