/* decode-sink: collects what a decoder tells into a result. */
#pragma once

#include "decode.h"

/* The sink of one run, and where the run stands. */
struct collector {
    struct lens_sink sink; /* first: the plugin's pointer is ours */
    decode_result *result;
    int64_t chunk;
    bool failed;
};

/* An empty result, and a sink that fills it. */
void collector_init(struct collector *c);
/* A fault that the host itself has to tell. */
void collector_fault(struct collector *c, uint32_t kind, const char *words);
