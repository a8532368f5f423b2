#include "bucket.h"

#include <glib.h>
#include <pthread.h>

#include "chrono.h"

/* A bucket holds one second's worth, at least one request: limits are per minute, but a
 * burst of a minute's worth is what they are there to prevent. */
struct level {
    double per_ns; /* 0: no limit */
    double capacity, now;
};

struct bucket {
    pthread_mutex_t lock;
    struct level requests, tokens;
    int64_t filled_ns;
};

static struct level
level_new(double per_minute, double least)
{
    const double per_second = per_minute / 60;
    const double capacity = MAX(per_second, least);

    return (struct level){ per_second / (double)NS_PER_S, capacity, capacity };
}

bucket *
bucket_new(double requests_per_minute, double tokens_per_minute, int64_t now_ns)
{
    bucket *b;

    if (requests_per_minute <= 0 && tokens_per_minute <= 0)
        return NULL;
    b = g_new0(bucket, 1);
    pthread_mutex_init(&b->lock, NULL);
    b->requests = level_new(requests_per_minute, 1);
    b->tokens = level_new(tokens_per_minute, 1);
    b->filled_ns = now_ns;
    return b;
}

void
bucket_free(bucket *b)
{
    if (b == NULL)
        return;
    pthread_mutex_destroy(&b->lock);
    g_free(b);
}

static void
fill(struct level *l, int64_t elapsed_ns)
{
    l->now = MIN(l->capacity, l->now + l->per_ns * (double)elapsed_ns);
}

/* A request that is bigger than the bucket may overdraw it once it is full. */
static int64_t
wait_for(const struct level *l, double amount)
{
    const double need = MIN(amount, l->capacity);

    if (l->per_ns <= 0 || l->now >= need)
        return 0;
    return (int64_t)((need - l->now) / l->per_ns) + 1;
}

int64_t
bucket_take(bucket *b, double tokens, int64_t now_ns)
{
    int64_t wait_ns;

    if (b == NULL)
        return 0;
    pthread_mutex_lock(&b->lock);
    fill(&b->requests, now_ns - b->filled_ns);
    fill(&b->tokens, now_ns - b->filled_ns);
    b->filled_ns = now_ns;
    wait_ns = MAX(wait_for(&b->requests, 1), wait_for(&b->tokens, tokens));
    if (wait_ns == 0) {
        b->requests.now -= 1;
        b->tokens.now -= tokens;
    }
    pthread_mutex_unlock(&b->lock);
    return wait_ns == 0 ? 0 : now_ns + wait_ns;
}
