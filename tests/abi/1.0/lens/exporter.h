/* exporter: puts what was recorded somewhere. It is fed from the run file by a cursor on
 * a thread of its own, where blocking is allowed; whatever it answers, the run goes on
 * and nothing is lost: what was not delivered is sent later from the run file (`lens
 * export`).
 *
 *   open - begin - (samples | snapshot)* - end - close */
#ifndef LENS_EXPORTER_H
#define LENS_EXPORTER_H

#include "host.h"
#include "option.h"

/* What is promised for samples and intervals: flags of lens_exporter. */
enum {
    LENS_EXPORT_SAMPLES = 1,    /* every sample at least once */
    LENS_EXPORT_INTERVALS = 2,  /* every interval at least once */
    LENS_EXPORT_LAST_STATE = 4, /* the newest totals */
    LENS_EXPORT_BEST_EFFORT = 8,
    LENS_EXPORT_IDEMPOTENT = 16, /* a repeat changes nothing at the receiver */
    LENS_EXPORT_NO_MARKS = 32 /* lens_sample.marks are not looked at: they are left out */
};

/* Verdict of a delivery. */
enum {
    LENS_DELIVERY_OK = 0,     /* all of it, but for `refused` */
    LENS_DELIVERY_LATER = 1,  /* keep the rest and try again after retry_after_ns */
    LENS_DELIVERY_SPLIT = 2,  /* too big: offer it again in smaller batches */
    LENS_DELIVERY_GIVE_UP = 3 /* never again in this run; say why by host->fail */
};

/* The exporter's answer. The host zeroes it; `refused` must live until the next call. */
struct lens_delivery {
    uint32_t struct_size;
    uint32_t verdict;
    uint64_t delivered_prefix; /* how many of the batch are done, refused ones included */
    const uint64_t *refused; /* indexes in the batch that the receiver will never take */
    uint64_t refused_count;
    int64_t retry_after_ns; /* 0: the host's own backoff */
};

struct lens_target_info {
    const char *name, *provider, *api, *model, *url;
};
struct lens_stage_info {
    const char *name, *workload, *options_json;
};

/* What a run is, known before it starts. */
struct lens_run {
    uint32_t struct_size;
    uint32_t flags;
    const char *id, *version, *seed, *plan_hash, *host_name;
    const char *plan_json; /* secrets removed */
    int64_t start_unix_ns;
    const struct lens_target_info *targets;
    uint32_t target_count, target_size;
    const struct lens_stage_info *stages;
    uint32_t stage_count, stage_size;
    const char *run_file;
    int64_t interval_ns; /* of snapshots */
};

enum { LENS_CLOCK_KERNEL = 1, LENS_CLOCK_USER = 2, LENS_CLOCK_INTERVAL = 3 };

/* One message of the stream. */
struct lens_mark {
    int64_t at_ns;    /* arrival, since the start of the run */
    int64_t tokens;   /* -1: unknown */
    uint32_t classes; /* LENS_MSG_* */
    uint32_t clock;   /* LENS_CLOCK_* */
    uint32_t shared;  /* how many messages came with the same read, itself included */
    uint32_t reserved;
};

/* One try of a request; times as in lens_sample. */
struct lens_attempt {
    uint32_t number; /* from 0 */
    uint32_t error_class, error_kind, error_where;
    int32_t http_status;
    uint32_t flags;
    int64_t start_ns, departure_ns, first_byte_ns, first_output_ns, end_ns;
    const char *error_detail; /* NULL: none */
    uint8_t span_id[8];
};

/* Parts of a bill, exclusive: they sum up to the total. Indexes of lens_sample.cost. */
enum {
    LENS_COST_INPUT_UNCACHED = 0,
    LENS_COST_CACHE_READ = 1,
    LENS_COST_CACHE_WRITE_5M = 2,
    LENS_COST_CACHE_WRITE_1H = 3,
    LENS_COST_OUTPUT_VISIBLE = 4,
    LENS_COST_REASONING = 5,
    LENS_COST_REQUEST = 6,
    LENS_COST_COUNT = 7
};

enum {
    LENS_OUTCOME_OK = 1,
    LENS_OUTCOME_FAILED = 2,
    LENS_OUTCOME_CANCEL = 3,
    LENS_OUTCOME_CENSOR = 4
};
enum { LENS_PART_WARMUP = 1, LENS_PART_MEASURED = 2, LENS_PART_COOLDOWN = 3 };

/* The record of a request. Times are since the start of the run, -1: it never came to
 * that. With retries they are the last attempt's; the earlier ones stand in `attempts`.
 */
struct lens_sample {
    uint32_t struct_size;
    uint32_t outcome; /* LENS_OUTCOME_OK ... */
    uint64_t id, index, session, turn, item;
    uint32_t target, stage; /* indexes into lens_run */
    uint32_t phase;         /* LENS_PART_WARMUP ... */
    uint32_t attempt;       /* of the last attempt, from 0 */
    int64_t unix_ns;        /* wall clock of start; unique within the run */
    int64_t due_ns, start_ns, dns_ns, connect_ns, tls_ns, departure_first_ns,
        departure_ns, first_byte_ns, first_output_ns, first_text_ns, second_output_ns,
        last_output_ns, terminal_ns, end_ns;
    uint32_t departure_clock, first_clock; /* LENS_CLOCK_* */
    int64_t rtt_ns;
    uint64_t bytes_sent, bytes_received;
    uint32_t reused, http_version; /* 10, 11, 20 */
    int32_t http_status;
    uint32_t streamed;
    uint64_t messages, output_messages;
    int64_t asked_output_tokens;
    int64_t usage[16]; /* by LENS_USAGE_*, -1: unknown */
    uint32_t usage_partial;
    uint32_t error_class, error_kind; /* LENS_CLASS_*, LENS_KIND_* */
    uint32_t error_where;             /* 1 connect, 2 http, 3 stream, 4 client */
    const char *error_detail;         /* NULL: none */
    const char *finish, *server_id, *served_model, *tier;
    const char *extra_json;                /* object, or NULL */
    const char *text, *reasoning, *prompt; /* only with --record-text, else NULL */
    const struct lens_mark *marks;
    uint32_t mark_count, mark_size;
    double cost_reported_usd; /* NaN: none */
    int64_t cost[8];          /* by LENS_COST_*, in 10^-12 USD; -1: unknown */
    int64_t cost_total;       /* in 10^-12 USD; -1: unknown */
    /* Derived from run, request and attempt, so that a repeat is the same. `span_id` is
     * the request's; the target saw it in `traceparent` where that was asked for. */
    uint8_t trace_id[16], span_id[8];
    const struct lens_attempt *attempts; /* all, the last one too */
    uint32_t attempt_count, attempt_size;
};

struct lens_quantile {
    double q, value; /* value: NaN when there are too few */
};

/* One distribution. Values in `unit`. */
struct lens_metric {
    const char *name, *unit;
    uint64_t count;
    double min, max, mean, stddev, sum;
    const struct lens_quantile *quantiles;
    uint32_t quantile_count, quantile_size;
    const struct lens_histogram *histogram; /* host->histogram_next; NULL: none kept */
    struct lens_bytes hdr_v2; /* HdrHistogram V2 compressed, nanoseconds; or empty */
    double scale; /* bounds of the histogram's ranges times this are in `unit` */
};

/* One number. NaN: unknown. */
struct lens_number {
    const char *name, *unit;
    double value;
};

/* Failed requests of one kind. */
struct lens_error_count {
    const char *kind;  /* "rate_limit"; docs/streams.md 4 */
    const char *where; /* "connect", "http", "stream" or "client": where the first was */
    const char *example; /* the server's words; NULL: none */
    uint64_t count;
    const struct lens_metric *duration; /* from start to end; NULL: none kept */
};

/* An SLO that judges results. */
struct lens_slo_state {
    const char *expr, *unit; /* "ttft.p99<500ms", "ms" */
    double value;            /* NaN: unknown, which does not meet it */
    uint32_t met, reserved;
};

/* Totals and distributions of one target and stage, over an interval or the whole window.
 */
struct lens_result {
    uint32_t target, stage;
    const struct lens_metric *metrics;
    uint32_t metric_count, metric_size;
    const struct lens_number *numbers; /* named by their path in the summary JSON */
    uint32_t number_count, number_size;
    const char *verdict;                   /* VALID, SUSPECT, INVALID */
    const struct lens_error_count *errors; /* of the kinds that occurred */
    uint32_t error_count, error_size;
    const struct lens_slo_state *slos;
    uint32_t slo_count, slo_size;
};

/* How far an exporter of the same process has come. */
struct lens_export_info {
    const char *kind, *name;
    const char *error;      /* why something waits; NULL: nothing does */
    uint64_t delivered, of; /* samples */
    uint64_t refused;       /* of these, by the receiver for good */
    uint64_t failures;      /* tries that delivered nothing */
};

struct lens_snapshot {
    uint32_t struct_size;
    uint32_t flags;
    uint64_t index;
    int64_t begin_ns, end_ns;           /* since the start of the run */
    int64_t unix_ns;                    /* of the end; unique within the run */
    const struct lens_result *interval; /* one per result that was active */
    const struct lens_result *total;    /* the same ones, since their begin */
    uint32_t result_count, result_size;
    const struct lens_export_info *exports; /* now, this one too */
    uint32_t export_count, export_size;
};

struct lens_summary {
    uint32_t struct_size;
    uint32_t flags;
    const char *json; /* lens.summary/1 */
    size_t json_size;
    const struct lens_result *results;
    uint32_t result_count, result_size;
};

/* An answer to a scrape. The host zeroes it; `content_type` is static text of the plugin,
 * the body is written with host->append. */
struct lens_http_reply {
    uint32_t struct_size;
    int32_t status; /* 0: 200 */
    const char *content_type;
    struct lens_buffer *body;
};

struct lens_exporter {
    uint32_t struct_size;
    uint32_t flags;
    struct lens_schema options;
    lens_status (*open)(const struct lens_host *, void **ret_self);
    void (*close)(void *self);
    /* `resumed`: samples delivered before; a file exporter then goes on where it stopped.
     * LENS_E_UNSUPPORTED: that is not there any more; `begin` comes again with 0, and all
     * samples. LENS_E_IO: nobody there yet; `begin` is tried again later. */
    lens_status (*begin)(void *self, const struct lens_run *, uint64_t resumed);
    lens_status (*samples)(void *self, const struct lens_sample *const *batch,
                           uint64_t count, struct lens_delivery *); /* optional */
    lens_status (*snapshot)(void *self, const struct lens_snapshot *,
                            struct lens_delivery *); /* optional */
    lens_status (*end)(void *self, const struct lens_summary *, struct lens_delivery *);
    /* Answers a request that came to where host->listen listens; on the host's thread,
     * while no other operation of the instance runs. Optional. */
    lens_status (*serve)(void *self, const struct lens_http_request *,
                         struct lens_http_reply *);
};

#endif
