/* replicate: a prediction is created, then its stream is read from the address that the
 * answer names, and what it took is asked when all is over. Protocols.md 14.8. */
#pragma once

#include <lens/plugin.h>

#include "sdk/stream.h"
#include "sdk/text.h"

struct replicate {
    const struct lens_host *host;
    const char *url;         /* base, with /v1 or without */
    const char *deployment;  /* OWNER/NAME, or NULL */
    const char *prompt_name; /* input member of the prompt */
    const char *system_name; /* input member of system turns; "": in the prompt */
    const char *max_tokens_name;
    char *authorization; /* NULL: no key */
};

/* The decoder of one answer, and of the two of a stream. */
struct replicate_stream {
    struct lens_stream stream;  /* first: the SDK's */
    struct lens_framer creates; /* cuts the answer of the create call */
    uint32_t heads;             /* that were seen */
    int32_t creating;           /* that answer is under way */
};

/* url.c */
/* The base with `route` behind, the version in between. */
void replicate_route(const struct replicate *p, const char *route, struct lens_text *ret);
/* An address that an answer names, made whole; 0: none of http or https. */
int replicate_resolve(const struct replicate *p, struct lens_bytes link,
                      struct lens_text *ret);
/* Whether the token may go to a URL: the vendor's hosts over TLS, or the user's server.
 */
int replicate_is_trusted(const struct replicate *p, const char *url);

/* describe.c */
lens_status replicate_describe(void *self, const struct lens_ask *,
                               struct lens_request *);

/* prediction.c */
/* The answer of the create call of a stream: says where the rest is. */
lens_status replicate_created(struct replicate_stream *s, struct lens_bytes json);
/* A prediction as the one answer. */
lens_status replicate_document(struct lens_stream *s, struct lens_bytes json);
/* Usage and times of a prediction that is over. */
lens_status replicate_metrics(struct lens_sink *sink, struct lens_bytes json);

/* decode.c */
extern const struct lens_stream_ops replicate_stream_ops;
lens_status replicate_stream_open(void *self, int32_t streamed, void **ret_stream);
lens_status replicate_stream_reset(void *stream, int32_t streamed);
void replicate_stream_close(void *stream);
lens_status replicate_head(void *stream, const struct lens_head *, struct lens_sink *);
lens_status replicate_decode(void *stream, const void *data, size_t size,
                             struct lens_sink *);
lens_status replicate_finish(void *stream, struct lens_sink *);

/* calls.c */
lens_status replicate_call_describe(void *self, const struct lens_call *,
                                    struct lens_request *);
lens_status replicate_call_decode(void *self, uint32_t kind, const struct lens_answer *,
                                  struct lens_sink *);

/* mock.c */
extern const struct lens_mock replicate_mock;
