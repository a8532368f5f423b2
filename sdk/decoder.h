/* decoder: the stream of a provider whose messages are cut by a framer: memory, life
 * cycle and the end of the body. What is left to the provider is one message. */
#pragma once

#include <lens/provider.h>

#include "frame.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lens_decoder;
typedef lens_status (*lens_decoder_fn)(struct lens_decoder *d,
                                       const struct lens_frame *frame);

struct lens_decoder {
    const struct lens_host *host;
    struct lens_framer framer;
    enum lens_framing framing;
    lens_decoder_fn on_message;
    struct lens_sink *sink; /* of this call */
    int32_t streamed;
    int32_t over; /* set by the provider: the terminal message, or a fault */
};

/* For `stream_open`: `framing` of a stream; an answer that is not streamed is one
 * message, unless the framing is NDJSON. */
lens_status lens_decoder_open(const struct lens_host *host, enum lens_framing framing,
                              int32_t streamed, lens_decoder_fn on_message,
                              void **ret_stream);
/* These four stand in the table of operations as they are. */
void lens_decoder_close(void *stream);
lens_status lens_decoder_reset(void *stream, int32_t streamed);
/* What comes after `over` is not looked at. */
lens_status lens_decoder_decode(void *stream, const void *data, size_t size,
                                struct lens_sink *sink);
/* Tells the fault `truncated` when it was not over. */
lens_status lens_decoder_finish(void *stream, struct lens_sink *sink);

/* Tells the message itself: `classes` 0 is LENS_MSG_OTHER; nothing of an answer that is
 * not streamed. Terminal classes set `over`. */
lens_status lens_decoder_message(struct lens_decoder *d, const struct lens_frame *frame,
                                 uint32_t classes);

#ifdef __cplusplus
}
#endif
