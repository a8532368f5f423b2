/* answers: bodies and trailers of OTLP receivers. */
#pragma once

#include <lens/plugin.h>

/* ExportMetricsServiceResponse and ExportTraceServiceResponse. */
struct partial {
    uint64_t rejected;
    char message[256]; /* the receiver's words, or empty */
};
void partial_protobuf(const struct lens_bytes *body, struct partial *ret);
void partial_json(const struct lens_bytes *body, struct partial *ret);

/* google.rpc.Status: its message, and RetryInfo's delay; -1: none. */
struct rpc_status {
    char message[256];
    int64_t retry_after_ns;
};
void rpc_status_protobuf(const struct lens_bytes *body, struct rpc_status *ret);

/* The status of a gRPC call, from its trailers or, when the answer is nothing but
 * trailers, its headers. `code` -1: none was sent. */
struct grpc_end {
    int32_t code;
    struct rpc_status status;
};
void grpc_end_read(const struct lens_http_answer *answer, struct grpc_end *ret);
/* The message of a unary answer; empty when there is none, or it is compressed. */
struct lens_bytes grpc_message(const struct lens_http_answer *answer);
