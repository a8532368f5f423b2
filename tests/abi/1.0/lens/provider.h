/* provider: describes requests and turns bytes into events. It never sees a socket or a
 * clock: the host owns both, so every provider is timed by the same code.
 *
 * Life cycle of an instance:
 *   open - (describe - stream_open - head? - decode* - finish? - stream_close)* - close
 * `describe` may be called ahead of time, several streams of one instance may be open at
 * once. `finish` is called when the body ended in order, not when the connection broke.
 */
#ifndef LENS_PROVIDER_H
#define LENS_PROVIDER_H

#include "host.h"
#include "option.h"

/* ---- what to ask ---- */

enum {
    LENS_PART_TEXT = 1,
    LENS_PART_IMAGE,
    LENS_PART_AUDIO,
    LENS_PART_FILE,
    LENS_PART_TOOL_CALL,
    LENS_PART_TOOL_RESULT,
    LENS_PART_JSON,
    LENS_PART_REASONING
};
enum { LENS_PART_CACHE_MARK = 1 }; /* flag: a cache breakpoint after this part */

struct lens_part {
    uint32_t kind;
    uint32_t flags;
    struct lens_bytes mime, name, id;
    struct lens_bytes data; /* the content itself, or */
    struct lens_bytes url;  /* where it lies */
};

enum { LENS_ROLE_SYSTEM = 1, LENS_ROLE_USER, LENS_ROLE_ASSISTANT, LENS_ROLE_TOOL };

struct lens_turn {
    uint32_t role;
    uint32_t flags;
    const struct lens_part *parts;
    uint32_t part_count, part_size;
};

enum { LENS_TASK_CHAT = 1, LENS_TASK_COMPLETION, LENS_TASK_EMBEDDING, LENS_TASK_RERANK };

/* Flags of an ask. */
enum { LENS_ASK_STREAM = 1, LENS_ASK_IGNORE_EOS = 2 };

/* Which parameters are set: bits of lens_ask.set. */
enum {
    LENS_SET_TEMPERATURE = 1,
    LENS_SET_TOP_P = 2,
    LENS_SET_TOP_K = 4,
    LENS_SET_SEED = 8,
    LENS_SET_N = 16,
    LENS_SET_MIN_OUTPUT = 32,
    LENS_SET_MAX_OUTPUT = 64
};

struct lens_ask {
    uint32_t struct_size;
    uint32_t flags;
    uint64_t id; /* of the request, unique within the run */
    uint32_t task;
    uint32_t attempt; /* from 0 */
    uint64_t set;
    struct lens_bytes model; /* empty: none given */
    const struct lens_turn *turns;
    uint32_t turn_count, turn_size;
    double temperature, top_p;
    int64_t top_k, seed, n, min_output, max_output;
    const struct lens_bytes *stop;
    uint32_t stop_count, stop_size;
    const struct lens_pair *headers; /* extra headers; the provider adds them last */
    uint32_t header_count, header_size;
    struct lens_bytes tools, tool_choice, response_format; /* JSON; empty: none */
    struct lens_bytes extra; /* JSON object, wins over all members */
    struct lens_bytes body;  /* sent as it is; empty: build one */
    int64_t unix_ns;         /* wall clock, only for signing */
    uint64_t content_seed;
    /* What the AUTH call got, newest; secret. Empty: there was none. Set for side calls,
     * too: struct lens_call. */
    struct lens_bytes credential;
};

/* ---- what a stream says ---- */

/* Classes of a message, a bit mask (docs/streams.md C1-C7): one message may carry
 * several.
 */
enum {
    LENS_MSG_ROLE = 1,
    LENS_MSG_TEXT = 2,
    LENS_MSG_REASONING = 4,
    LENS_MSG_REFUSAL = 8,
    LENS_MSG_TOOL = 16,
    LENS_MSG_MEDIA = 32,
    LENS_MSG_FINISH = 64,
    LENS_MSG_USAGE = 128,
    LENS_MSG_DONE = 256, /* terminal: the request is complete whatever follows */
    LENS_MSG_PING = 512,
    LENS_MSG_ERROR = 1024,
    LENS_MSG_OTHER = 2048
};
/* A message is output when one of these is set. */
#define LENS_MSG_OUTPUT                                                      \
    (LENS_MSG_TEXT | LENS_MSG_REASONING | LENS_MSG_REFUSAL | LENS_MSG_TOOL | \
     LENS_MSG_MEDIA)

/* Kinds of event. */
enum {
    LENS_EV_TEXT = 1,      /* text: a fragment of visible text; lane: choice */
    LENS_EV_REASONING = 2, /* text: a fragment of reasoning */
    LENS_EV_REFUSAL = 3,
    LENS_EV_TOOL = 4, /* name: the tool's name, or empty; text: a fragment of its
                         arguments; lane: choice; code: index of the call */
    LENS_EV_USAGE =
        5, /* code: LENS_USAGE_*, value: tokens; the last value of a code wins */
    LENS_EV_FINISH = 6, /* text: the raw reason; lane: choice */
    LENS_EV_WARN = 7,   /* code: LENS_WARN_* */
    LENS_EV_MODEL = 8,  /* text: the model that answered; in call_decode: one per model */
    LENS_EV_ID = 9,     /* text: the server's id of this request */
    LENS_EV_TIER = 10,  /* text: the service tier that was used */
    LENS_EV_EXTRA =
        11, /* name and value (integer) or number (code 1) or text (code 2): the
               server's own times in the unit its name says, rate limits, ... */
    LENS_EV_COST = 12, /* number: the server's own bill in USD */
    /* Only from call_decode of AUTH: text: the credential, in a form of the plugin's own;
     * value: Unix time in ns when it ends, 0: never. */
    LENS_EV_CREDENTIAL = 13,
    /* Another request belongs to this one; text: the args of its call_describe (kind
     * FOLLOW_UP); code: LENS_FOLLOW_*. From call_decode of AUTH: the next step of the
     * chain, args for call_describe (kind AUTH); code is 0. */
    LENS_EV_FOLLOW_UP = 14
};

/* What a follow-up is (code of LENS_EV_FOLLOW_UP). */
enum {
    /* The output comes there: when the first answer has ended in order, the follow-up is
     * sent and its head and body go to the same decoder, after the first body's end and
     * without a `finish` between. Its time belongs to the request. */
    LENS_FOLLOW_STREAM = 1,
    /* Asked when the request is over and its times are taken; its answer goes to
     * call_decode, and usage, model, extra and cost events found there are added to the
     * sample. A failure of it changes nothing else. */
    LENS_FOLLOW_AFTER = 2
};

/* Token counts (docs/streams.md 2): cache kinds are part of INPUT, REASONING is part of
 * OUTPUT. */
enum {
    LENS_USAGE_INPUT = 1,
    LENS_USAGE_CACHE_READ = 2,
    LENS_USAGE_CACHE_WRITE = 3,
    LENS_USAGE_CACHE_WRITE_1H = 4, /* part of CACHE_WRITE */
    LENS_USAGE_OUTPUT = 5,
    LENS_USAGE_REASONING = 6,
    LENS_USAGE_BILLED_INPUT = 7, /* where the vendor bills other counts than tokens */
    LENS_USAGE_BILLED_OUTPUT = 8,
    LENS_USAGE_INPUT_AUDIO = 9, /* part of INPUT, like INPUT_IMAGE */
    LENS_USAGE_INPUT_IMAGE = 10,
    LENS_USAGE_OUTPUT_AUDIO = 11, /* part of OUTPUT, like OUTPUT_IMAGE */
    LENS_USAGE_OUTPUT_IMAGE = 12
};
enum { LENS_USAGE_COUNT = 13 }; /* one more than the highest code of this version */

enum {
    LENS_WARN_DATA_AFTER_DONE = 1,
    LENS_WARN_NO_DONE = 2,
    LENS_WARN_NO_END = 3,
    LENS_WARN_USAGE_PARTIAL = 4,
    LENS_WARN_NOT_STREAMED = 5,
    LENS_WARN_NON_JSON_DATA = 6,
    LENS_WARN_UNTERMINATED_EVENT = 7
};

struct lens_event {
    uint32_t struct_size;
    uint32_t kind;
    uint32_t lane; /* choice or content block, from 0 */
    uint32_t code;
    int64_t value;
    double number;
    struct lens_bytes name;
    struct lens_bytes text; /* UTF-8, JSON escapes resolved */
};

/* How a stream ended (docs/streams.md 3). */
enum {
    LENS_CLASS_NONE = 0,
    LENS_CLASS_HTTP_ERROR = 1,
    LENS_CLASS_STREAM_ERROR = 2,
    LENS_CLASS_PROTOCOL_ERROR = 3,
    LENS_CLASS_TRUNCATED = 4,
    LENS_CLASS_BLOCKED = 5,
    LENS_CLASS_TRANSPORT = 6
};

/* What a failed request is counted as (docs/streams.md 4). */
enum {
    LENS_KIND_NONE = 0,
    LENS_KIND_DNS = 1,
    LENS_KIND_CONNECT = 2,
    LENS_KIND_TLS = 3,
    LENS_KIND_NETWORK = 4,
    LENS_KIND_TIMEOUT = 5,
    LENS_KIND_REDIRECT = 6,
    LENS_KIND_PROTOCOL = 7,
    LENS_KIND_TRUNCATED = 8,
    LENS_KIND_BLOCKED = 9,
    LENS_KIND_TOO_LARGE = 10,
    LENS_KIND_CANCELLED = 11,
    LENS_KIND_RATE_LIMIT = 12,
    LENS_KIND_QUOTA = 13,
    LENS_KIND_OVERLOADED = 14,
    LENS_KIND_AUTH = 15,
    LENS_KIND_PERMISSION = 16,
    LENS_KIND_NOT_FOUND = 17,
    LENS_KIND_INVALID_REQUEST = 18,
    LENS_KIND_CONTEXT_LENGTH = 19,
    LENS_KIND_CONTENT_FILTER = 20,
    LENS_KIND_SERVER = 21
};

struct lens_failure {
    uint32_t struct_size;
    uint32_t error_class;      /* LENS_CLASS_* */
    uint32_t kind;             /* LENS_KIND_* */
    int32_t retryable;         /* 1 yes, 0 no */
    int64_t retry_after_ns;    /* -1: not said */
    struct lens_bytes message; /* the server's words */
    struct lens_bytes code;    /* the server's machine code */
    struct lens_bytes request_id;
};

/* Where a decoder puts what it finds. Events of a message come before the message itself.
 */
struct lens_sink {
    uint32_t struct_size;
    uint32_t wants; /* LENS_WANT_* */
    lens_status (*event)(struct lens_sink *, const struct lens_event *);
    /* One call for each message of the stream: its classes, its byte range in the body
     * (`end` exclusive) and the tokens it carries (-1: unknown). */
    lens_status (*message)(struct lens_sink *, uint32_t classes, uint64_t start,
                           uint64_t end, int64_t tokens);
    /* The stream or the answer failed. The first one counts. */
    lens_status (*fault)(struct lens_sink *, const struct lens_failure *);
};
/* The host wants the content of text, reasoning, refusal and tool events. Without it a
 * decoder may leave those events out, but never the message, nor any other event. */
enum { LENS_WANT_CONTENT = 1 };

/* The head of an answer, before its body. */
struct lens_head {
    uint32_t struct_size;
    int32_t status;
    struct lens_bytes content_type; /* as sent, empty when missing */
    const struct lens_pair *headers;
    uint32_t header_count, header_size;
    int64_t unix_ns;
};

/* A whole answer: a failed one, or that of a side call. */
struct lens_answer {
    uint32_t struct_size;
    int32_t status;
    const struct lens_pair *headers;
    uint32_t header_count, header_size;
    struct lens_bytes body; /* may be cut at 64 KiB */
    int64_t unix_ns;        /* for Retry-After dates */
};

/* ---- the operations ---- */

/* One way to talk to the provider, named provider.api. */
struct lens_api {
    const char *name;
    const char *summary;
    uint32_t task;            /* LENS_TASK_* */
    uint32_t flags;           /* LENS_API_* */
    const char *content_type; /* of a streamed answer */
};
enum { LENS_API_NO_STREAM = 1 };

/* Capability bits. */
enum {
    LENS_CAP_USAGE = 1,
    LENS_CAP_CACHED_USAGE = 2,
    LENS_CAP_FORCE_LENGTH = 4,
    LENS_CAP_COUNT = 8,
    LENS_CAP_TOKENIZE = 16,
    LENS_CAP_TOOLS = 32,
    LENS_CAP_IMAGES = 64,
    LENS_CAP_AUDIO = 128,
    LENS_CAP_HISTORY_ON_SERVER = 256,
    LENS_CAP_SERVER_TIMES = 512,
    /* A target needs no model: where none is named and the server lists none, requests
     * go out without one. */
    LENS_CAP_NO_MODEL = 1024
};

/* Side calls: requests outside the measurement. `args` is JSON unless said otherwise.
 *
 * AUTH: gets what `describe` needs to sign or authorise, one HTTP call after another. The
 * host opens an instance of its own for it, once per target and off the workers, calls
 * call_describe with empty args, sends the request, and hands the answer (any status) to
 * call_decode, which says LENS_EV_CREDENTIAL, or LENS_EV_FOLLOW_UP for one more call, or
 * a fault. LENS_DONE of call_describe: no request is needed, call_decode follows with an
 * answer of status 0; so it does, with the reason as the body, when there was no answer.
 * A fault of LENS_KIND_AUTH is the user's to mend, any other the server's.
 * LENS_E_UNSUPPORTED: this configuration needs no AUTH. It is renewed
 * 5 minutes before its end and once after a 401. */
enum {
    LENS_CALL_MODELS = 1,
    LENS_CALL_COUNT = 2, /* args: a chat body's `messages` and `model`; answer: usage */
    LENS_CALL_TOKENIZE = 3, /* args: {"text","model"}; answer: usage */
    LENS_CALL_HEALTH = 4,   /* free of charge; a failed answer goes to `classify` */
    LENS_CALL_AUTH = 5,
    LENS_CALL_FOLLOW_UP = 6 /* args: the text of LENS_EV_FOLLOW_UP */
};

struct lens_provider_args {
    uint32_t struct_size;
    uint32_t api; /* index into lens_provider.apis */
};

/* What a side call is about. */
struct lens_call {
    uint32_t struct_size;
    uint32_t kind;                /* LENS_CALL_* */
    struct lens_bytes args;       /* by kind, see above; or empty */
    struct lens_bytes credential; /* as in struct lens_ask; empty for AUTH itself */
    struct lens_bytes model;      /* empty: none given */
    int64_t unix_ns;              /* wall clock, only for signing */
};

struct lens_mock;

struct lens_provider {
    uint32_t struct_size;
    uint32_t flags;
    uint64_t capabilities;
    /* Options with a meaning for the host: `url` (base URL, its fallback is the
     * provider's own), `api_key` (sent only to that URL or to the one of the url's
     * variable, unless given). */
    struct lens_schema options;
    const struct lens_api *apis; /* the first is the default */
    uint32_t api_count, api_size;

    lens_status (*open)(const struct lens_host *, const struct lens_provider_args *,
                        void **ret_self);
    void (*close)(void *self);

    lens_status (*describe)(void *self, const struct lens_ask *, struct lens_request *);

    /* A decoder for one answer. `streamed`: whether a stream was asked for. */
    lens_status (*stream_open)(void *self, int32_t streamed, void **ret_stream);
    void (*stream_close)(void *stream);
    /* Makes a used decoder as good as new; optional, saves allocations. */
    lens_status (*stream_reset)(void *stream, int32_t streamed);
    /* Head of a 2xx answer; optional. */
    lens_status (*head)(void *stream, const struct lens_head *, struct lens_sink *);
    /* Body bytes, any number of them, cut anywhere. */
    lens_status (*decode)(void *stream, const void *data, size_t size,
                          struct lens_sink *);
    /* End of the body. Says truncated when the terminal message is missing. */
    lens_status (*finish)(void *stream, struct lens_sink *);

    /* A non-2xx answer: exactly one fault, and id, extra events as found. */
    lens_status (*classify)(void *self, const struct lens_answer *, struct lens_sink *);

    /* Side calls; optional, LENS_E_UNSUPPORTED for kinds that are not known. */
    lens_status (*call_describe)(void *self, const struct lens_call *,
                                 struct lens_request *);
    lens_status (*call_decode)(void *self, uint32_t kind, const struct lens_answer *,
                               struct lens_sink *);

    const struct lens_mock *mock; /* optional, mock.h */
};

#endif
