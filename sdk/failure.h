/* failure: the one mapping from vendors' codes, types, statuses and words to the kinds of
 * docs/streams.md 4, and how long to wait before a retry. */
#pragma once

#include <lens/provider.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a server said of an error, as far as it said it; empty where it did not. */
struct lens_complaint {
    struct lens_bytes code, type, status_text, message;
    int32_t http_status; /* 0: none, as in a stream */
};

/* The kind: by code, then type, then status text, then HTTP status, then message.
 * `content_filter` of a refused prompt comes back as LENS_KIND_BLOCKED. */
uint32_t lens_failure_kind(const struct lens_complaint *c);
/* Whether a failure of this kind may be tried again. */
int lens_failure_retryable(uint32_t kind);
/* Value of a header by name, case-insensitively; empty when missing. */
struct lens_bytes lens_header(const struct lens_pair *headers, uint32_t count,
                              uint32_t size, const char *name);
/* retry-after-ms, then retry-after in both forms; -1: none. */
int64_t lens_retry_after(const struct lens_pair *headers, uint32_t count, uint32_t size,
                         int64_t unix_ns);
/* x-should-retry: 1, 0, or -1 when it is not there. */
int lens_should_retry(const struct lens_pair *headers, uint32_t count, uint32_t size);

#ifdef __cplusplus
}
#endif
