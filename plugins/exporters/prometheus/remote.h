/* remote: remote write 1.0 (https://prometheus.io/docs/specs/prw/remote_write_spec/): all
 * totals of a result at the moment of its snapshot, and stale markers at the end. */
#pragma once

#include "../common/answer.h"
#include "../common/receiver.h"
#include "protobuf.h"
#include "state.h"
#include "text.h"

#define MOST_REMOTE_LABELS 16

struct remote {
    const char *url; /* NULL: not asked for */
    struct receiver receiver;
    struct lens_text authorization;
    struct label labels[MOST_REMOTE_LABELS]; /* of all series: job, instance, run_id */
    uint32_t label_count, own_count;         /* own: the user's, which come first */
    char *own;
    int32_t classic, native;
    struct lens_protobuf message;
    struct lens_text body;
    int32_t told; /* that something was refused */
    char why[1400];
};

lens_status remote_open(struct remote *r, const struct lens_host *host);
void remote_close(struct remote *r);
/* The labels that name the run. */
void remote_begin(struct remote *r, const struct state *s, const char *job,
                  const char *instance);
/* Sends the totals of a series, and those of no series, with the time of the series.
 * `stale`: that they end here. LENS_OK and `ret_refused`: it is told to the user. */
enum answer_act remote_write(struct remote *r, const struct state *s,
                             const struct series *of, int stale, int64_t time_ms,
                             int64_t *ret_retry_after_ns);
/* The block format of snappy, literals only, which is all that a decoder must see:
 * https://github.com/google/snappy/blob/main/format_description.txt */
void remote_snappy(struct lens_text *to, const void *data, size_t size);
