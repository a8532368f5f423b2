/* The lists of columns: what docs/run-file.md documents. */
#include "runfile-private.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

#define OF(kind, name, field, type)                       \
    {                                                     \
        name, offsetof(kind, field), COLUMN_##type, false \
    }
#define INNER(kind, name, field, type)                   \
    {                                                    \
        name, offsetof(kind, field), COLUMN_##type, true \
    }
#define S(name, field, type) OF(sample, name, field, type)
#define S_INNER(name, field, type) INNER(sample, name, field, type)
#define A(name, field, type) OF(attempt, name, field, type)
#define A_INNER(name, field, type) INNER(attempt, name, field, type)
#define T(name, field, type) OF(tally, name, field, type)
#define K(name, code) OF(struct token_row, name, tokens[code], INT64)
#define R(name, field, type) OF(result, name, field, type)
#define I(name, field, type) OF(run_info, name, field, type)

/* `rank` stands before these; the last attempt's columns and the timeline behind. */
const struct column sample_columns[] = {
    S("id", id, UINT64),
    S("sequence", index, UINT64),
    S("session", session, COOKIE),
    S("turn", turn, COOKIE),
    S("item", item, COOKIE),
    S_INNER("prompt_id", prompt_id, COOKIE),
    S("target", target, UINT32),
    S("stage", stage, UINT32),
    S_INNER("worker", worker, UINT32),
    S("outcome", outcome, UINT32),
    S("phase", phase, UINT32),
    S("attempts", attempt_count, UINT32),
    S("unix_ns", start_unix_ns, INT64),
    S("due_ns", due_ns, INT64),
    S_INNER("bucket_wait_ns", bucket_wait_ns, INT64),
    S("asked_output_tokens", asked_output_tokens, INT64),
    S("trace_id", trace_id, TRACE),
    S("span_id", span_id, SPAN),
    S("cost_input_uncached", cost[LENS_COST_INPUT_UNCACHED], INT64),
    S("cost_cache_read", cost[LENS_COST_CACHE_READ], INT64),
    S("cost_cache_write_5m", cost[LENS_COST_CACHE_WRITE_5M], INT64),
    S("cost_cache_write_1h", cost[LENS_COST_CACHE_WRITE_1H], INT64),
    S("cost_output_visible", cost[LENS_COST_OUTPUT_VISIBLE], INT64),
    S("cost_reasoning", cost[LENS_COST_REASONING], INT64),
    S("cost_request", cost[LENS_COST_REQUEST], INT64),
    S("cost_total", cost_total, INT64),
    S_INNER("cache_saving", cache_saving, INT64),
    S("prompt", prompt, TEXT),
    S("text", text, TEXT),
    S("reasoning", reasoning, TEXT),
};
const size_t sample_column_count = COUNT(sample_columns);

const struct column attempt_columns[] = {
    A("start_ns", start_ns, INT64),
    A("dns_ns", dns_ns, INT64),
    A("connect_ns", connect_ns, INT64),
    A("tls_ns", tls_ns, INT64),
    A("departure_first_ns", departure_first_ns, INT64),
    A("departure_ns", departure_ns, INT64),
    A("first_byte_ns", first_byte_ns, INT64),
    A_INNER("first_message_ns", first_message_ns, INT64),
    A("first_output_ns", first_output_ns, INT64),
    A("first_text_ns", first_text_ns, INT64),
    A("second_output_ns", second_output_ns, INT64),
    A("last_output_ns", last_output_ns, INT64),
    A("terminal_ns", terminal_ns, INT64),
    A("end_ns", end_ns, INT64),
    A("departure_clock", departure_clock, UINT32),
    A("first_clock", first_clock, UINT32),
    A("rtt_ns", rtt_ns, INT64),
    A("bytes_sent", bytes_sent, UINT64),
    A("bytes_received", bytes_received, UINT64),
    A("reused", reused, BOOL),
    A("streamed", streamed, BOOL),
    A_INNER("resends", resends, UINT32),
    A("http_version", http_version, UINT16),
    A("http_status", http_status, INT32),
    A("messages", messages, UINT32),
    A("output_messages", output_messages, UINT32),
    A_INNER("shared_messages", shared_messages, UINT32),
    A_INNER("interval_messages", interval_messages, UINT32),
    A_INNER("kernel_stamps", kernel_stamps, UINT32),
    A_INNER("user_stamps", user_stamps, UINT32),
    A_INNER("interval_stamps", interval_stamps, UINT32),
    A_INNER("warnings", warnings, UINT32),
    A("input_tokens", usage[LENS_USAGE_INPUT], INT64),
    A("cache_read_tokens", usage[LENS_USAGE_CACHE_READ], INT64),
    A("cache_write_tokens", usage[LENS_USAGE_CACHE_WRITE], INT64),
    A("cache_write_1h_tokens", usage[LENS_USAGE_CACHE_WRITE_1H], INT64),
    A("output_tokens", usage[LENS_USAGE_OUTPUT], INT64),
    A("reasoning_tokens", usage[LENS_USAGE_REASONING], INT64),
    A("billed_input", usage[LENS_USAGE_BILLED_INPUT], INT64),
    A("billed_output", usage[LENS_USAGE_BILLED_OUTPUT], INT64),
    A("input_audio_tokens", usage[LENS_USAGE_INPUT_AUDIO], INT64),
    A("input_image_tokens", usage[LENS_USAGE_INPUT_IMAGE], INT64),
    A("output_audio_tokens", usage[LENS_USAGE_OUTPUT_AUDIO], INT64),
    A("output_image_tokens", usage[LENS_USAGE_OUTPUT_IMAGE], INT64),
    A("usage_partial", usage_partial, BOOL),
    A("error_class", error_class, UINT32),
    A("error_kind", error_kind, UINT32),
    A("error_where", error_where, UINT32),
    A_INNER("retryable", retryable, BOOL),
    A_INNER("retry_after_ns", retry_after_ns, INT64),
    A("error_detail", error_detail, TEXT),
    A_INNER("error_code", error_code, TEXT),
    A("finish", finish, TEXT),
    A("server_id", server_id, TEXT),
    A("served_model", served_model, TEXT),
    A("tier", tier, TEXT),
    A("extra", extra_json, TEXT),
    A("cost_reported_usd", cost_reported_usd, DOUBLE),
};
const size_t attempt_column_count = COUNT(attempt_columns);

/* Of a result and of an interval. */
const struct column tally_columns[] = {
    T("total", total, UINT64),
    T("ok", ok, UINT64),
    T("failed", failed, UINT64),
    T("cancelled", cancelled, UINT64),
    T("censored", censored, UINT64),
    T("warmup", warmup, UINT64),
    T("cooldown", cooldown, UINT64),
    T("no_output", no_output, UINT64),
    T("retries", retries, UINT64),
    T("unknown_tokens", tokens_unknown, UINT64),
    T("window_requests", window_requests, DOUBLE),
    T("window_output_tokens", window_output_tokens, DOUBLE),
    T("window_input_tokens", window_input_tokens, DOUBLE),
    T("window_tokens_known", window_tokens_known, BOOL),
    T("stamps_kernel", stamps_kernel, UINT64),
    T("stamps_user", stamps_user, UINT64),
    T("stamps_interval", stamps_interval, UINT64),
    T("merged", merged_samples, UINT64),
    T("output_messages", messages_output, UINT64),
    T("shared_messages", messages_shared, UINT64),
    T("reused", reused, UINT64),
    T("attempts", attempts, UINT64),
    T("judged", judged, UINT64),
    T("good", good, UINT64),
    T("cost_input_uncached", cost[LENS_COST_INPUT_UNCACHED], INT64),
    T("cost_cache_read", cost[LENS_COST_CACHE_READ], INT64),
    T("cost_cache_write_5m", cost[LENS_COST_CACHE_WRITE_5M], INT64),
    T("cost_cache_write_1h", cost[LENS_COST_CACHE_WRITE_1H], INT64),
    T("cost_output_visible", cost[LENS_COST_OUTPUT_VISIBLE], INT64),
    T("cost_reasoning", cost[LENS_COST_REASONING], INT64),
    T("cost_request", cost[LENS_COST_REQUEST], INT64),
    T("cost_total", cost_total, INT64),
    T("cache_saving", cache_saving, INT64),
    T("cost_known", cost_known, UINT64),
    T("cost_unknown", cost_unknown, UINT64),
    T("cost_output_tokens", cost_output_tokens, INT64),
    T("cost_other", cost_other, INT64),
    T("cost_reported", cost_reported, INT64),
    T("cost_reported_count", reported_count, UINT64),
    T("due_in_window", due_in_window, UINT64),
    T("first_due_ns", first_due_ns, INT64),
    T("last_due_ns", last_due_ns, INT64),
    T("first_start_ns", first_start_ns, INT64),
    T("last_start_ns", last_start_ns, INT64),
    T("last_end_ns", last_end_ns, INT64),
    T("deltas_missing", deltas_missing, BOOL),
    T("stall_ns", stall_ns, INT64),
    T("burst_spread_ns", burst_spread_ns, INT64),
    T("cpu_share_ppm", cpu_ns_max_share_ppm, INT64),
    T("cpu_ns", cpu_ns, INT64),
    T("clock_step_ns", clock_step_ns, INT64),
    T("lost", lost, UINT64),
    T("resources", resources, UINT64),
    T("in_flight_max", in_flight_max, UINT32),
    T("in_flight_time", in_flight_time, DOUBLE),
    T("in_flight_wall_ns", in_flight_wall_ns, INT64),
    T("max_rss_bytes", max_rss_bytes, INT64),
    T("concurrency", concurrency, DOUBLE),
};
const size_t tally_column_count = COUNT(tally_columns);

const struct column window_columns[] = {
    T("window_start_ns", window_start_ns, BOUND),
    T("window_end_ns", window_end_ns, BOUND),
};
const size_t window_column_count = COUNT(window_columns);

const struct column token_columns[] = {
    K("input_tokens", LENS_USAGE_INPUT),
    K("cache_read_tokens", LENS_USAGE_CACHE_READ),
    K("cache_write_tokens", LENS_USAGE_CACHE_WRITE),
    K("cache_write_1h_tokens", LENS_USAGE_CACHE_WRITE_1H),
    K("output_tokens", LENS_USAGE_OUTPUT),
    K("reasoning_tokens", LENS_USAGE_REASONING),
    K("billed_input", LENS_USAGE_BILLED_INPUT),
    K("billed_output", LENS_USAGE_BILLED_OUTPUT),
    K("input_audio_tokens", LENS_USAGE_INPUT_AUDIO),
    K("input_image_tokens", LENS_USAGE_INPUT_IMAGE),
    K("output_audio_tokens", LENS_USAGE_OUTPUT_AUDIO),
    K("output_image_tokens", LENS_USAGE_OUTPUT_IMAGE),
};
const size_t token_column_count = COUNT(token_columns);

const struct column result_columns[] = {
    R("target", target, UINT32),
    R("stage", stage, UINT32),
    R("target_name", target_name, TEXT),
    R("stage_name", stage_name, TEXT),
    R("provider", provider, TEXT),
    R("api", api, TEXT),
    R("model", model, TEXT),
    R("url", url, TEXT),
    R("workload", workload, TEXT),
    R("workload_options", workload_options, TEXT),
    R("start_ns", start_ns, INT64),
    R("end_ns", end_ns, INT64),
    R("stop_requests", requests, INT64),
    R("stop_duration_ns", duration_ns, INT64),
    R("open_loop", judge.open_loop, BOOL),
    R("asked", judge.asked, DOUBLE),
    R("realised", judge.realised, DOUBLE),
    R("ended", judge.ended, UINT32),
    R("price_provider", price_provider, TEXT),
    R("price_model", price_model, TEXT),
    R("price_multiplier", price_multiplier, TEXT),
    R("price_date", price_date, TEXT),
    R("gpu_hour_usd", gpu_hour_usd, TEXT),
    R("gpus", gpus, INT64),
};
const size_t result_column_count = COUNT(result_columns);

const struct column run_columns[] = {
    I("id", id, TEXT),
    I("lens_version", version, TEXT),
    I("plan_hash", plan_hash, TEXT),
    I("plan", plan_json, TEXT),
    I("start_unix_ns", start_unix_ns, INT64),
    I("host_name", host_name, TEXT),
    I("host_cpu", host_cpu, TEXT),
    I("host_kernel", host_kernel, TEXT),
    I("host_cores", host_cores, UINT32),
    I("is_mock", is_mock, BOOL),
};
const size_t run_column_count = COUNT(run_columns);
