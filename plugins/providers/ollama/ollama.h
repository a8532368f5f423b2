/* ollama: the native protocol of Ollama, chat and generate, in lines of JSON.
 * Protocols.md 14.5. */
#pragma once

#include <lens/plugin.h>

#include "sdk/mock-kit.h"
#include "sdk/stream.h"

enum { OLLAMA_CHAT = 0, OLLAMA_GENERATE = 1, OLLAMA_API_COUNT };

struct ollama {
    const struct lens_host *host;
    uint32_t api;
    char *url, *models_url;
    char *authorization;    /* NULL: no key */
    const char *think;      /* true, false or a level; NULL: not sent */
    const char *keep_alive; /* NULL: not sent */
    int64_t num_ctx;        /* 0: not sent */
    int32_t raw;            /* generate: no template is put around the prompt */
};

/* describe.c */
lens_status ollama_describe(void *self, const struct lens_ask *, struct lens_request *);

/* messages.c: `messages` of chat. LENS_E_UNSUPPORTED: a kind of part without a place. */
lens_status ollama_write_messages(struct lens_writer *w, const struct lens_ask *ask);
/* `,"images":[..]` of one turn, or of all when it is NULL. */
lens_status ollama_write_images(struct lens_writer *w, const struct lens_ask *ask,
                                const struct lens_turn *turn);

/* The decoder of one answer. */
struct ollama_stream {
    struct lens_stream stream; /* first: the SDK's */
    uint32_t tools;            /* calls that were told */
    int32_t lines;             /* a line of a stream was seen */
};

/* line.c */
extern const struct lens_stream_ops ollama_stream_ops;

/* mock.c */
extern const struct lens_mock ollama_mock;
