/* exporter-http-private: what the files of the exporters' HTTP client share. */
#pragma once

#include <curl/curl.h>
#include <glib.h>
#include <stdbool.h>
#include <zlib.h>

#include <lens/host.h>

struct http_client {
    CURL *curl;
    CURLM *multi; /* of this one exchange, so that it can be looked at */
    GString *head, *body, *trailer;
    bool head_done;             /* header lines from now on are trailers */
    GArray *headers, *trailers; /* struct lens_pair, into head and trailer */
    char why[CURL_ERROR_SIZE];
    char *error;                  /* what the plugin was told */
    z_stream deflate;             /* made at the first compressed request */
    GByteArray *packed;           /* the compressed body; NULL: none yet */
    int64_t timeout_ns, moved_ns; /* without any byte so long; when the last one moved */
    curl_off_t moved;             /* bytes, both ways */
    bool timed_out;
    int64_t retry_after_ns; /* of the last answer; 0: it said nothing */
};

/* ---- exporter-http-answer.c ---- */

/* libcurl's callbacks; `user` is the client. */
size_t http_take_header(char *data, size_t size, size_t count, void *user);
size_t http_take_body(char *data, size_t size, size_t count, void *user);
/* Forgets the last answer. */
void http_answer_begin(struct http_client *c);
/* Fills what an answer that came in order says. */
void http_answer_fill(struct http_client *c, struct lens_http_answer *answer);
/* LENS_KIND_* of a failed exchange. */
uint32_t http_error_kind(CURLcode code);

/* ---- exporter-http-gzip.c ---- */

/* The bytes in gzip's format, level 1; they live until the next call. NULL: no memory. */
const GByteArray *http_gzip(struct http_client *c, struct lens_bytes body);
void http_gzip_free(struct http_client *c);
