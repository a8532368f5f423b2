/* bucket: a target's limits of requests and tokens per minute, shared by all workers. A
 * request may start when neither is overdrawn; the wait shows in the times from due. Any
 * thread. */
#pragma once

#include <stdint.h>

typedef struct bucket bucket;

/* Per minute; 0: no limit. NULL when there is none at all. `now_ns`: both are full. */
bucket *bucket_new(double requests_per_minute, double tokens_per_minute, int64_t now_ns);
void bucket_free(bucket *b);
/* Takes one request of `tokens` and returns 0, or returns the time at which to ask again.
 */
int64_t bucket_take(bucket *b, double tokens, int64_t now_ns);
