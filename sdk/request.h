/* request: the URL and the headers that requests of most providers have. */
#pragma once

#include <lens/provider.h>

#ifdef __cplusplus
extern "C" {
#endif

/* `base` and `route` with one slash between; a base that ends in the route already is
 * left as it is, a query of the base stays behind. For free(); NULL: out of memory. */
char *lens_url_join(const char *base, const char *route);
/* `prefix` and `secret` in one, for a header; NULL: out of memory. */
char *lens_secret_join(const char *prefix, const char *secret);
/* Wipes and frees; NULL is fine. */
void lens_secret_free(char *secret);

/* POST to `url`, Content-Type, Accept by whether a stream is asked for, Authorization
 * unless NULL. */
lens_status lens_request_begin(const struct lens_host *host, const struct lens_ask *ask,
                               const char *url, const char *stream_type,
                               const char *authorization, struct lens_request *r);
/* The ask's own headers; they come last. */
lens_status lens_request_headers(const struct lens_host *host, const struct lens_ask *ask,
                                 struct lens_request *r);
/* GET of JSON. */
lens_status lens_request_get(const struct lens_host *host, const char *url,
                             const char *authorization, struct lens_request *r);

#ifdef __cplusplus
}
#endif
