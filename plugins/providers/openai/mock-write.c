#include "mock.h"

#include <stdbool.h>

void
mock_model(struct lens_mock_out *o)
{
    lens_write(&o->w, ",\"created\":");
    lens_write_int(&o->w, o->turn->now_s);
    lens_write(&o->w, ",\"model\":\"");
    lens_write(&o->w, o->turn->model);
    lens_write(&o->w, "\"");
}

void
mock_usage(struct lens_mock_out *o)
{
    const struct lens_mock_step *s = o->step;

    lens_mock_number(o, "{\"prompt_tokens\":", s->input_tokens);
    lens_mock_number(o, ",\"completion_tokens\":", s->output_tokens);
    lens_mock_number(o, ",\"total_tokens\":", s->input_tokens + s->output_tokens);
    lens_mock_number(o,
                     ",\"prompt_tokens_details\":{\"cached_tokens\":", s->cached_tokens);
    lens_mock_number(
        o, ",\"audio_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":",
        s->reasoning_tokens);
    lens_write(&o->w, ",\"audio_tokens\":0,\"accepted_prediction_tokens\":0,"
                      "\"rejected_prediction_tokens\":0}}");
}

void
mock_error(struct lens_mock_out *o)
{
    static const struct {
        uint32_t kind;
        const char *type, *code;
    } words[] = {
        { LENS_KIND_RATE_LIMIT, "requests", "\"rate_limit_exceeded\"" },
        { LENS_KIND_QUOTA, "insufficient_quota", "\"insufficient_quota\"" },
        { LENS_KIND_OVERLOADED, "overloaded_error", "\"overloaded\"" },
        { LENS_KIND_TIMEOUT, "timeout", "\"timeout\"" },
        { LENS_KIND_AUTH, "invalid_request_error", "\"invalid_api_key\"" },
        { LENS_KIND_PERMISSION, "permission_error", "\"permission_denied\"" },
        { LENS_KIND_NOT_FOUND, "invalid_request_error", "\"model_not_found\"" },
        { LENS_KIND_CONTEXT_LENGTH, "invalid_request_error",
          "\"context_length_exceeded\"" },
        { LENS_KIND_BLOCKED, "invalid_request_error", "\"content_filter\"" },
        { LENS_KIND_CONTENT_FILTER, "invalid_request_error", "\"content_filter\"" },
        { LENS_KIND_INVALID_REQUEST, "invalid_request_error", "null" },
    };
    const char *type = "server_error", *code = "\"server_error\"";

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i].kind == o->step->error_kind) {
            type = words[i].type;
            code = words[i].code;
        }
    }
    lens_write(&o->w, "{\"message\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, ",\"type\":\"");
    lens_write(&o->w, type);
    lens_write(&o->w, "\",\"param\":null,\"code\":");
    lens_write(&o->w, code);
    lens_write(&o->w, "}");
}
