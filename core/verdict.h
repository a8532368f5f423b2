/* verdict: whether a result may be believed: one row of the table in
 * docs/metrics.md per id. */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "tally.h"

enum verdict_state { VERDICT_VALID, VERDICT_SUSPECT, VERDICT_INVALID };

struct verdict_reason {
    const char *id; /* "merged", "lag_user", ... */
    enum verdict_state state;
    double value, limit; /* in the unit of the text: share 0..1, ms */
    char *text;          /* one sentence for people */
};

typedef struct verdict {
    enum verdict_state state;
    GArray *reasons; /* struct verdict_reason */
} verdict;

enum ended { ENDED_DONE, ENDED_INTERRUPTED, ENDED_ABORTED, ENDED_COST };

/* What the table needs beside the tally. */
struct verdict_input {
    bool open_loop;
    double asked;    /* concurrency or req/s that was asked for; NaN: not judged */
    double realised; /* what came of it; NaN: not judged */
    enum ended ended;
};

verdict *verdict_judge(const tally *t, const struct verdict_input *in);
/* The worst of both; reasons of `from` that are not there yet are added. */
void verdict_add(verdict *to, const verdict *from);
verdict *verdict_new(void);
void verdict_free(verdict *v);
const char *verdict_name(enum verdict_state s); /* "VALID" ... */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(verdict, verdict_free)
