/* emit: the events that nearly every decoder tells, in one call each. */
#pragma once

#include <lens/provider.h>

#include "json.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Text of `kind` (LENS_EV_TEXT, ...) as it stands in JSON; escapes are resolved. Nothing
 * is told when it is empty. */
lens_status lens_emit_text(struct lens_sink *sink, uint32_t kind, uint32_t lane,
                           const struct lens_json_string *text);
/* Tokens of a usage code; nothing is told when `tokens` is negative, which is: unknown.
 */
lens_status lens_emit_usage(struct lens_sink *sink, uint32_t code, int64_t tokens);
/* `retry_ns`: -1 when it was not said. */
lens_status lens_emit_fault(struct lens_sink *sink, uint32_t error_class, uint32_t kind,
                            int64_t retry_ns, struct lens_bytes message,
                            struct lens_bytes code);
/* For `classify`: id, limits and server times of the head, then the one fault of a failed
 * answer, whatever its form (complaint.h). */
lens_status lens_emit_refusal(struct lens_sink *sink, const struct lens_answer *answer);

#ifdef __cplusplus
}
#endif
