/* Columns of the files that other benchmarks write for each request. */
#include "import-fields.h"

#define END        \
    {              \
        NULL, NULL \
    }

static const struct known_column genai_bench[] = {
    { "ttft_s", "ttft" },
    { "tpot_s", "tpot" },
    { "e2e_s", "e2e_latency" },
    { "input_tokens", "num_input_tokens" },
    { "output_tokens", "num_output_tokens" },
    { "reasoning_tokens", "num_reasoning_tokens" },
    { "status", "error_code" },
    { "error", "error_message" },
    END,
};

static const struct known_column vllm_bench[] = {
    { "start_s", "start_times" },
    { "ttft_s", "ttfts" },
    { "itl_s", "itls" },
    { "e2e_s", "e2els" },
    { "input_tokens", "input_lens" },
    { "output_tokens", "output_lens" },
    { "error", "errors" },
    { "model", "model_id" },
    END,
};

static const struct known_column llmperf[] = {
    { "ttft_s", "ttft_s" },
    { "e2e_s", "end_to_end_latency_s" },
    { "tpot_s", "inter_token_latency_s" },
    { "itl_ms", "itl_ms_vec" },
    { "input_tokens", "number_input_tokens" },
    { "output_tokens", "number_output_tokens" },
    { "status", "error_code" },
    { "error", "error_msg" },
    { "finish", "finish_reason" },
    END,
};

static const struct known_column guidellm[] = {
    { "start", "start_time" },
    { "start", "request_start_time" },
    { "end", "end_time" },
    { "end", "request_end_time" },
    { "ttft_ms", "time_to_first_token_ms" },
    { "tpot_ms", "inter_token_latency_ms" },
    { "e2e_s", "request_latency" },
    { "input_tokens", "prompt_tokens" },
    { "output_tokens", "output_tokens" },
    { "id", "request_id" },
    END,
};

static const struct known_column aiperf[] = {
    { "start_unix_ns", "metadata.request_start_ns" },
    { "end_unix_ns", "metadata.request_end_ns" },
    { "phase", "metadata.benchmark_phase" },
    { "cancelled", "metadata.was_cancelled" },
    { "id", "metadata.x_request_id" },
    { "ttft", "metrics.time_to_first_token" },
    { "e2e", "metrics.request_latency" },
    { "tpot", "metrics.inter_token_latency" },
    { "itl", "metrics.inter_chunk_latency" },
    { "input_tokens", "metrics.input_sequence_length" },
    { "output_tokens", "metrics.output_sequence_length" },
    { "reasoning_tokens", "metrics.reasoning_token_count" },
    { "error", "error.message" },
    { "status", "error.code" },
    END,
};

const struct dialect import_dialects[] = {
    { "genai-bench", { "ttft", "e2e_latency", "num_output_tokens" }, genai_bench },
    { "vllm bench serve", { "ttfts", "input_lens", "output_lens" }, vllm_bench },
    { "LLMPerf", { "end_to_end_latency_s", "number_output_tokens" }, llmperf },
    { "GuideLLM", { "time_to_first_token_ms", "request_latency" }, guidellm },
    { "AIPerf", { "metadata.request_start_ns" }, aiperf },
    { NULL },
};

const struct known_column import_common_columns[] = {
    { "start", "start_time" },
    { "start", "started_at" },
    { "start", "timestamp" },
    { "start", "request_start" },
    { "start_s", "start_time_s" },
    { "start_ms", "start_time_ms" },
    { "end", "end_time" },
    { "end", "completed_at" },
    { "end", "finished_at" },
    { "ttft_ms", "time_to_first_token_ms" },
    { "ttft_s", "time_to_first_token_s" },
    { "ttft_s", "time_to_first_token_seconds" },
    { "ttft_ms", "first_token_ms" },
    { "e2e_ms", "latency_ms" },
    { "e2e_ms", "e2e_latency_ms" },
    { "e2e_ms", "request_latency_ms" },
    { "e2e_ms", "total_latency_ms" },
    { "e2e_ms", "duration_ms" },
    { "e2e_s", "latency_s" },
    { "e2e_s", "e2e_latency_s" },
    { "e2e_s", "request_latency_s" },
    { "e2e_s", "end_to_end_latency_s" },
    { "e2e_s", "duration_s" },
    { "tpot_ms", "time_per_output_token_ms" },
    { "tpot_s", "time_per_output_token_s" },
    { "itl_ms", "inter_token_latencies_ms" },
    { "itl_s", "inter_token_latencies_s" },
    { "input_tokens", "prompt_tokens" },
    { "input_tokens", "num_input_tokens" },
    { "input_tokens", "input_len" },
    { "input_tokens", "prompt_len" },
    { "output_tokens", "completion_tokens" },
    { "output_tokens", "num_output_tokens" },
    { "output_tokens", "generated_tokens" },
    { "output_tokens", "output_len" },
    { "status", "status_code" },
    { "status", "http_status" },
    { "error", "error_message" },
    { "error", "error_msg" },
    { "error", "errors" },
    { "ok", "success" },
    { "ok", "successful" },
    { "model", "model_name" },
    { "model", "model_id" },
    { "id", "request_id" },
    { "finish", "finish_reason" },
    END,
};
