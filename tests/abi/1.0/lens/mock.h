/* mock: lets `lens mock` speak a provider's protocol. Pure functions without an instance:
 * what a conversation needs stands in struct lens_mock_turn, which the host keeps per
 * request. The host owns the schedule, HTTP, faults and chunk boundaries; the plugin only
 * knows the bytes. */
#ifndef LENS_MOCK_H
#define LENS_MOCK_H

#include "provider.h"

struct lens_mock_request {
    uint32_t struct_size;
    uint32_t flags;
    struct lens_bytes method;
    struct lens_bytes path; /* with query */
    const struct lens_pair *headers;
    uint32_t header_count, header_size;
    struct lens_bytes body;
};

/* What was asked. The host zeroes it and sets struct_size and `now_s`; `recognise` fills
 * the rest.
 */
struct lens_mock_turn {
    uint32_t struct_size;
    uint32_t api;         /* index into lens_provider.apis, or LENS_MOCK_MODELS */
    uint32_t stream;      /* 1: as a stream */
    uint32_t usage;       /* 1: the client wants usage in the stream */
    int64_t max_output;   /* -1: no limit given */
    int64_t input_tokens; /* a guess from the request's size, at least 1 */
    int64_t now_s;        /* Unix time, for `created` members */
    uint64_t id;          /* unique, for id members */
    char model[128];      /* as asked for, cut, terminated; safe inside a JSON string */
    uint64_t scratch[8];  /* the plugin's own: block indexes, sequence numbers, ... */
};
#define LENS_MOCK_MODELS UINT32_C(0xffffffff)

/* Steps of an answer, in the order in which the host asks for them. */
enum {
    LENS_STEP_BEGIN = 1, /* what precedes the first output (role chunk, created events) */
    LENS_STEP_REASONING = 2, /* text: a fragment */
    LENS_STEP_TEXT = 3,      /* text: a fragment */
    LENS_STEP_TOOL = 4,      /* name: starts a call; text: a fragment of its arguments */
    LENS_STEP_FINISH = 5, /* text: stop | length | tool_calls; usage stands in the step */
    LENS_STEP_ERROR = 6,  /* in-band error of `kind` with `text` as message */
    LENS_STEP_WHOLE = 7, /* the whole answer of a request without stream: text, reasoning,
                            name, usage */
    LENS_STEP_REFUSED =
        8, /* body of a failed answer with HTTP `status`, `kind` and `text` */
    LENS_STEP_MODELS = 9 /* answer to a model list; text: the one model's name */
};

struct lens_mock_step {
    uint32_t struct_size;
    uint32_t kind; /* LENS_STEP_* */
    struct lens_bytes text, reasoning, name;
    uint32_t error_kind; /* LENS_KIND_* */
    int32_t status;
    int64_t input_tokens, cached_tokens, output_tokens, reasoning_tokens;
    struct lens_bytes finish;    /* WHOLE: stop | length | tool_calls */
    struct lens_bytes arguments; /* WHOLE: of the tool call */
    /* FINISH: all visible text that was sent, for protocols that repeat it at the end;
     * `reasoning`, `name` and `arguments` likewise. Empty where the host keeps none. */
    struct lens_bytes said;
};

struct lens_mock {
    uint32_t struct_size;
    uint32_t flags;
    /* LENS_OK: ours, `turn` is filled. LENS_E_UNSUPPORTED: not ours. LENS_E_PROTOCOL:
     * ours, but the request is wrong; `why` then holds a short text (static). */
    lens_status (*recognise)(const struct lens_mock_request *, struct lens_mock_turn *,
                             const char **why);
    /* Appends the bytes of one step, complete messages only. */
    lens_status (*encode)(struct lens_mock_turn *, const struct lens_mock_step *,
                          struct lens_buffer *,
                          lens_status (*append)(struct lens_buffer *, const void *,
                                                size_t));
    /* Appends header lines, each "name: value" with CR LF, of an answer that is no
     * stream; `step` is that of its body (WHOLE, REFUSED or MODELS). Optional. */
    lens_status (*headers)(struct lens_mock_turn *, const struct lens_mock_step *,
                           struct lens_buffer *,
                           lens_status (*append)(struct lens_buffer *, const void *,
                                                 size_t));
};

#endif
