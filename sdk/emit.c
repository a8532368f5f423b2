#include "emit.h"

#include <stdlib.h>

#include "failure.h"

lens_status
lens_emit_text(struct lens_sink *sink, uint32_t kind, uint32_t lane,
               const struct lens_json_string *text)
{
    struct lens_event e = {
        .struct_size = (uint32_t)sizeof e, .kind = kind, .lane = lane, .text = text->raw
    };
    char small[2048], *plain = small;
    lens_status st;

    if (text->raw.size == 0)
        return LENS_OK;
    if (text->escaped) {
        if (text->raw.size > sizeof small)
            plain = malloc(text->raw.size);
        if (plain == NULL)
            return LENS_E_NOMEM;
        e.text.size = lens_json_unescape(text, plain);
        e.text.data = plain;
    }
    st = sink->event(sink, &e);
    if (plain != small)
        free(plain);
    return st;
}

lens_status
lens_emit_usage(struct lens_sink *sink, uint32_t code, int64_t tokens)
{
    const struct lens_event e = { .struct_size = (uint32_t)sizeof e,
                                  .kind = LENS_EV_USAGE,
                                  .code = code,
                                  .value = tokens };

    return tokens < 0 ? LENS_OK : sink->event(sink, &e);
}

lens_status
lens_emit_fault(struct lens_sink *sink, uint32_t error_class, uint32_t kind,
                int64_t retry_ns, struct lens_bytes message, struct lens_bytes code)
{
    const struct lens_failure f = { .struct_size = (uint32_t)sizeof f,
                                    .error_class = error_class,
                                    .kind = kind,
                                    .retryable = lens_failure_retryable(kind),
                                    .retry_after_ns = retry_ns,
                                    .message = message,
                                    .code = code };

    return sink->fault(sink, &f);
}

/* The string or number at `path`; empty when there is none. */
static struct lens_bytes
at_path(const struct lens_bytes *body, const char *path)
{
    struct lens_bytes none = { NULL, 0 }, number;
    struct lens_json_string text;
    struct lens_json j;

    if (!lens_json_find(body->data, body->size, path, &j))
        return none;
    if (lens_json_peek(&j) == LENS_JSON_NUMBER && lens_json_raw(&j, &number))
        return number;
    return lens_json_string(&j, &text) ? text.raw : none;
}

lens_status
lens_emit_refusal(struct lens_sink *sink, const struct lens_answer *answer)
{
    const struct lens_bytes *body = &answer->body;
    const int says =
        lens_should_retry(answer->headers, answer->header_count, answer->header_size);
    struct lens_complaint c = { .code = at_path(body, "error.code"),
                                .type = at_path(body, "error.type"),
                                .status_text = at_path(body, "error.status"),
                                .message = at_path(body, "error.message"),
                                .http_status = answer->status };
    struct lens_failure f = { .struct_size = (uint32_t)sizeof f,
                              .error_class = LENS_CLASS_HTTP_ERROR };

    if (c.type.size == 0 && c.message.size == 0)
        c.type = at_path(body, "error");
    if (c.message.size == 0)
        c.message = at_path(body, "message");
    f.kind = lens_failure_kind(&c);
    f.retryable = says >= 0 ? says : lens_failure_retryable(f.kind);
    f.retry_after_ns = lens_retry_after(answer->headers, answer->header_count,
                                        answer->header_size, answer->unix_ns);
    f.message = c.message.size > 0 ? c.message : c.type;
    f.code = c.code.size > 0 ? c.code : c.type;
    return sink->fault(sink, &f);
}
