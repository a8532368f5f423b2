/* stream: the decoder of one answer, all but what its messages mean: tells a stream from
 * a document whatever was asked for and announced, cuts it, remembers what was told, and
 * ends it. A provider puts it first in its own struct and gives three or four functions.
 */
#pragma once

#include <lens/provider.h>

#include "frame.h"
#include "json.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Flags of a stream. */
enum {
    LENS_STREAM_FAILED = 1,     /* a fault was told */
    LENS_STREAM_DONE = 2,       /* the terminal message was seen */
    LENS_STREAM_OUTPUT = 4,     /* output was seen */
    LENS_STREAM_HAS_ID = 8,     /* the server's request id was told */
    LENS_STREAM_HAS_MODEL = 16, /* the model that answered was told */
    LENS_STREAM_BYTES = 32,     /* something but white space came */
    LENS_STREAM_MESSAGES = 64,  /* a message of the protocol was seen */
    LENS_STREAM_JSON = 128,     /* content type says JSON */
    LENS_STREAM_FOREIGN = 256,  /* content type is neither JSON nor that of a stream */
    LENS_STREAM_EVENTS = 512    /* content type is that of a stream */
};

/* Of `is_whole`: the protocol has no terminal message. */
enum { LENS_STREAM_AS_USUAL = 2 };

struct lens_stream;

/* What a provider adds. `frame` lives for the call. */
struct lens_stream_ops {
    /* Content type of a stream: any other one that is not JSON is foreign. */
    const char *content_type;
    /* One message of a stream. */
    lens_status (*message)(struct lens_stream *s, const struct lens_frame *frame);
    /* The one document that the body is, asked for or not. */
    lens_status (*document)(struct lens_stream *s, struct lens_bytes json);
    /* A message behind the terminal one. NULL: it is warned of. */
    lens_status (*after_done)(struct lens_stream *s, const struct lens_frame *frame);
    /* The body ended in order without its terminal message: whether the answer is whole
     * nevertheless, which is warned of, unless it is LENS_STREAM_AS_USUAL. NULL: it never
     * is. */
    int (*is_whole)(const struct lens_stream *s);
    /* Last words, when the body ended without its terminal message: what is known of
     * usage, and that it is partial. NULL: none. */
    lens_status (*settle)(struct lens_stream *s);
};

struct lens_stream {
    const struct lens_host *host;
    const struct lens_stream_ops *ops;
    struct lens_sink *sink; /* of the running call */
    struct lens_framer framer;
    enum lens_framing framing; /* of a stream */
    int32_t streamed;          /* a stream was asked for */
    uint32_t mode;
    uint32_t flags;      /* LENS_STREAM_* */
    uint32_t warned;     /* bit 1 << LENS_WARN_* */
    uint32_t held_count; /* bytes that came before the mode was known */
    char held[64];
    char *scratch; /* for unescaping; from host->grow */
    size_t scratch_size;
};

/* Of a zeroed struct. */
void lens_stream_init(struct lens_stream *s, const struct lens_host *host,
                      enum lens_framing framing, const struct lens_stream_ops *ops);
/* For the start of an answer, also of a used one. */
void lens_stream_start(struct lens_stream *s, int32_t streamed);
void lens_stream_clear(struct lens_stream *s);

/* These three stand in the table of operations as they are. */
lens_status lens_stream_head(void *stream, const struct lens_head *head,
                             struct lens_sink *sink);
lens_status lens_stream_decode(void *stream, const void *data, size_t size,
                               struct lens_sink *sink);
lens_status lens_stream_finish(void *stream, struct lens_sink *sink);

/* ---- telling, inside a call; stream-emit.c ---- */

/* Text as it stands in JSON, with or without a name. Nothing but LENS_EV_FINISH is told
 * when the host wants no content; nothing is told when both are empty. */
lens_status lens_stream_text(struct lens_stream *s, uint32_t kind, uint32_t lane,
                             uint32_t code, const struct lens_json_string *name,
                             const struct lens_json_string *text);
/* A short word (id, model, tier); nothing when it is empty or longer than 256 bytes. */
lens_status lens_stream_word(struct lens_stream *s, uint32_t kind,
                             const struct lens_json_string *text);
/* The id or the model, once. */
lens_status lens_stream_id(struct lens_stream *s, const struct lens_json_string *text);
lens_status lens_stream_model(struct lens_stream *s, const struct lens_json_string *text);
lens_status lens_stream_extra(struct lens_stream *s, const char *name, int64_t value);
/* The message itself; classes 0 is LENS_MSG_OTHER. LENS_MSG_DONE ends the stream. */
lens_status lens_stream_message(struct lens_stream *s, uint32_t classes,
                                const struct lens_frame *frame, int64_t tokens);
/* Once each. */
lens_status lens_stream_warn(struct lens_stream *s, uint32_t code);
/* The first one counts. */
lens_status lens_stream_fault(struct lens_stream *s, uint32_t error_class, uint32_t kind,
                              const char *message);
/* A complaint inside the answer, as the fault; a refused prompt (kind blocked, no output
 * yet) is of class blocked. */
lens_status lens_stream_complain(struct lens_stream *s, struct lens_bytes json);
/* Whether JSON, an object or a list, ends inside a string or before its last bracket. */
int lens_is_cut_json(struct lens_bytes json);
/* A message that is no JSON: a fault when it was meant as JSON, else a keep-alive; one
 * that the end of the body cut off is dropped. */
lens_status lens_stream_broken(struct lens_stream *s, const struct lens_frame *frame);
/* A document that is no JSON: an error page, or one that was cut. */
lens_status lens_stream_broken_document(struct lens_stream *s, struct lens_bytes json);
/* Each number of a JSON object as an extra; with `only` those whose name ends like that.
 * `unit` is put behind the name. */
lens_status lens_emit_numbers(struct lens_sink *sink, struct lens_bytes object,
                              const char *only, const char *unit);

#ifdef __cplusplus
}
#endif
