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
