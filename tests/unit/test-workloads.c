/* The workloads as built: what they answer, at times that we set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lens/plugin.h>

#include "random.h"

#define SEED 42
#define MS INT64_C(1000000)
#define S (1000 * MS)

/* ---- a host of which we know everything ---- */

struct setting {
    const char *name;
    double value;
};

struct bench {
    struct lens_host host; /* first */
    const struct setting *settings;
    uint64_t seed;
    const char *complaint;
};

static double
get_double(const struct lens_host *host, const char *name)
{
    const struct bench *b = (const struct bench *)host;

    for (const struct setting *s = b->settings; s->name != NULL; s++)
        if (strcmp(s->name, name) == 0)
            return s->value;
    fail_msg("no option %s", name);
    return 0;
}

static int64_t
get_int(const struct lens_host *host, const char *name)
{
    return (int64_t)get_double(host, name);
}

static uint64_t
get_random(const struct lens_host *host, uint32_t stream, uint64_t index)
{
    return random_at(((const struct bench *)host)->seed, stream, index);
}

static lens_status
take_complaint(const struct lens_host *host, lens_status why, const char *text)
{
    ((struct bench *)host)->complaint = text;
    return why;
}

static struct bench
bench_of(const struct setting *settings, uint64_t seed)
{
    return (struct bench){
        .host = { .struct_size = sizeof(struct lens_host),
                  .abi = LENS_ABI,
                  .fail = take_complaint,
                  .opt_int = get_int,
                  .opt_double = get_double,
                  .rand = get_random },
        .settings = settings,
        .seed = seed,
    };
}

static const struct lens_workload *
load(const char *name)
{
    char path[4096];
    void *handle;
    lens_plugin_entry_fn entry;

    snprintf(path, sizeof path, "%s/%s.so", PLUGINS, name);
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        fail_msg("%s", dlerror());
    entry = (lens_plugin_entry_fn)dlsym(handle, LENS_PLUGIN_ENTRY);
    assert_non_null(entry);
    assert_string_equal(entry(LENS_ABI)->name, name);
    return entry(LENS_ABI)->ops;
}

static void *
open_shard(const struct lens_workload *w, struct bench *b, uint32_t shard,
           uint32_t shards)
{
    const struct lens_workload_args args = { .struct_size = sizeof args,
                                             .seed = b->seed,
                                             .shard = shard,
                                             .shards = shards,
                                             .requests = -1,
                                             .duration_ns = -1 };
    void *self = NULL;

    assert_int_equal(w->open(&b->host, &args, &self), LENS_OK);
    return self;
}

static struct lens_arrival
take(const struct lens_workload *w, void *self, int64_t now_ns)
{
    struct lens_arrival a = { .struct_size = sizeof a };

    assert_int_equal(w->next(self, now_ns, &a), LENS_OK);
    return a;
}

/* The due times of the first `count` requests, put together from all shards. */
static int64_t *
due_list(const char *name, const struct setting *settings, uint64_t seed, uint32_t shards,
         uint64_t count)
{
    const struct lens_workload *w = load(name);
    struct bench b = bench_of(settings, seed);
    int64_t *due = calloc(count, sizeof *due);

    for (uint32_t shard = 0; shard < shards; shard++) {
        void *self = open_shard(w, &b, shard, shards);

        for (uint64_t k = shard; k < count; k += shards) {
            const struct lens_arrival a = take(w, self, 0);

            assert_int_equal(a.index, k);
            assert_int_equal(a.content_seed, random_at(seed, LENS_RAND_CONTENT, k));
            due[k] = a.at_ns;
        }
        w->close(self);
    }
    return due;
}

/* ---- closed ---- */

static void
finish_slot(const struct lens_workload *w, void *self, uint64_t slot)
{
    const struct lens_outcome done = { .struct_size = sizeof done,
                                       .phase = LENS_PHASE_DONE,
                                       .ticket = slot };

    w->event(self, &done);
}

static void
closed_never_has_more_in_flight_than_asked(void **state)
{
    static const struct setting three[] = { { "concurrency", 3 }, { 0 } };
    const struct lens_workload *w = load("closed");
    struct bench b = bench_of(three, SEED);
    void *self = open_shard(w, &b, 0, 1);
    struct lens_arrival a = { 0 };

    (void)state;
    for (uint64_t k = 0; k < 3; k++) {
        a = take(w, self, 5 * MS);
        assert_int_equal(a.at_ns, 5 * MS);
        assert_int_equal(a.index, k);
        assert_int_equal(a.session, k);
    }
    assert_int_equal(w->next(self, 6 * MS, &a), LENS_WAIT);
    finish_slot(w, self, 1);
    a = take(w, self, 7 * MS);
    assert_int_equal(a.at_ns, 7 * MS);
    assert_int_equal(a.index, 3);
    assert_int_equal(a.session, 1);
    assert_int_equal(w->next(self, 8 * MS, &a), LENS_WAIT);
    w->close(self);
}

/* Every slot and every index belongs to one shard, also with more shards than slots. */
static void
closed_shards_share_slots_and_indices(void **state)
{
    static const uint32_t cases[][2] = {
        { 8, 3 }, { 7, 7 }, { 2, 5 }, { 1, 4 }, { 64, 1 }
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint32_t concurrency = cases[i][0], shards = cases[i][1];
        const struct setting settings[] = { { "concurrency", concurrency }, { 0 } };
        const struct lens_workload *w = load("closed");
        struct bench b = bench_of(settings, SEED);
        bool slot_seen[64] = { false }, index_seen[256] = { false };
        uint32_t slots = 0;

        for (uint32_t shard = 0; shard < shards; shard++) {
            void *self = open_shard(w, &b, shard, shards);
            struct lens_arrival a = { 0 };
            lens_status status;

            while ((status = w->next(self, 0, &a)) == LENS_OK) {
                assert_in_range(a.session, 0, concurrency - 1);
                assert_false(slot_seen[a.session]);
                slot_seen[a.session] = true;
                slots++;
                for (int round = 0; round < 3; round++) {
                    assert_false(index_seen[a.index]);
                    index_seen[a.index] = true;
                    if (round < 2) {
                        finish_slot(w, self, a.ticket);
                        a = take(w, self, 0);
                    }
                }
            }
            assert_int_equal(status, shard < concurrency ? LENS_WAIT : LENS_DONE);
            w->close(self);
        }
        assert_int_equal(slots, concurrency);
        assert_true(index_seen[0]);
    }
}

/* ---- open ---- */

static void
constant_does_not_drift(void **state)
{
    static const double rates[] = { 1, 3, 5, 7.5, 1000, 33333 };

    (void)state;
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        const struct setting settings[] = { { "rate", rates[i] }, { 0 } };
        int64_t *due = due_list("constant", settings, SEED, 1, 100001);

        assert_int_equal(due[0], 0);
        assert_int_equal(due[1], llroundl(1e9L / rates[i]));
        for (uint64_t k = 0; k <= 100000; k++)
            assert_int_equal(due[k], llroundl(k * 1e9L / rates[i]));
        free(due);
    }
}

static void
burst_starts_n_together(void **state)
{
    static const struct setting settings[] = {
        { "n", 3 }, { "every", 2.0 * S }, { "times", 4 }, { 0 }
    };
    const struct lens_workload *w = load("burst");
    struct bench b = bench_of(settings, SEED);
    void *self = open_shard(w, &b, 0, 1);
    struct lens_arrival a = { 0 };

    (void)state;
    for (uint64_t k = 0; k < 12; k++)
        assert_int_equal(take(w, self, 0).at_ns, (int64_t)(k / 3) * 2 * S);
    assert_int_equal(w->next(self, 0, &a), LENS_DONE);
    w->close(self);
}

static void
burst_refuses_no_time_between(void **state)
{
    static const struct setting settings[] = {
        { "n", 3 }, { "every", 0 }, { "times", 0 }, { 0 }
    };
    const struct lens_workload_args args = { .struct_size = sizeof args, .shards = 1 };
    struct bench b = bench_of(settings, SEED);
    void *self = NULL;

    (void)state;
    assert_int_equal(load("burst")->open(&b.host, &args, &self), LENS_E_CONFIG);
    assert_non_null(strstr(b.complaint, "every"));
}

static void
due_list_is_the_same_for_any_number_of_shards(void **state)
{
    static const struct {
        const char *name;
        struct setting settings[4];
    } cases[] = {
        { "constant", { { "rate", 123.4 } } },
        { "poisson", { { "rate", 123.4 } } },
        { "burst", { { "n", 5 }, { "every", 1.0 * S }, { "times", 0 } } },
    };
    static const uint32_t shards[] = { 2, 3, 7 };
    const uint64_t count = 5000;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t *one = due_list(cases[i].name, cases[i].settings, SEED, 1, count);

        for (uint64_t k = 1; k < count; k++)
            assert_true(one[k] >= one[k - 1]);
        for (size_t s = 0; s < sizeof shards / sizeof shards[0]; s++) {
            int64_t *many =
                due_list(cases[i].name, cases[i].settings, SEED, shards[s], count);

            assert_memory_equal(one, many, count * sizeof *one);
            free(many);
        }
        free(one);
    }
}

/* Largest distance between the gaps' distribution and the exponential one. */
static int
compare_doubles(const void *x, const void *y)
{
    const double a = *(const double *)x, b = *(const double *)y;

    return (a > b) - (a < b);
}

static double
kolmogorov_distance(double *gaps, uint64_t n)
{
    double largest = 0;

    qsort(gaps, n, sizeof *gaps, compare_doubles);
    for (uint64_t i = 0; i < n; i++) {
        const double p = 1 - exp(-gaps[i]);

        largest = fmax(largest, fmax(fabs(p - (double)i / (double)n),
                                     fabs((double)(i + 1) / (double)n - p)));
    }
    return largest;
}

/* Five standard errors for mean and variance; for the distance the value that one in
 * 100,000 good generators passes. */
static void
poisson_gaps_are_exponential_and_independent(void **state)
{
    static const struct setting settings[] = { { "rate", 1000 }, { 0 } };
    static const uint64_t seeds[] = { 1, 2, 42, 1234567890123 };
    enum { N = 40000 };
    double *gaps = calloc(N, sizeof *gaps);

    (void)state;
    for (size_t s = 0; s < sizeof seeds / sizeof seeds[0]; s++) {
        int64_t *due = due_list("poisson", settings, seeds[s], 1, N);
        double mean = 0, variance = 0, covariance = 0;

        for (int k = 0; k < N; k++) {
            gaps[k] = (double)(due[k] - (k > 0 ? due[k - 1] : 0)) / (double)MS;
            mean += gaps[k] / N;
        }
        for (int k = 0; k < N; k++) {
            variance += (gaps[k] - mean) * (gaps[k] - mean) / N;
            if (k > 0)
                covariance += (gaps[k] - mean) * (gaps[k - 1] - mean) / N;
        }
        assert_true(fabs(mean - 1) < 5 / sqrt(N));
        assert_true(fabs(variance - 1) < 5 * sqrt(8) / sqrt(N));
        assert_true(fabs(covariance) < 5 / sqrt(N));
        assert_true(kolmogorov_distance(gaps, N) < 2.47 / sqrt(N));
        free(due);
    }
    free(gaps);
}

static void
poisson_follows_the_draws(void **state)
{
    static const struct setting slow[] = { { "rate", 0.5 }, { 0 } };
    static const struct setting fast[] = { { "rate", 50 }, { 0 } };
    int64_t *a = due_list("poisson", slow, SEED, 1, 1000);
    int64_t *b = due_list("poisson", fast, SEED, 1, 1000);
    int64_t *other = due_list("poisson", fast, SEED + 1, 1, 1000);
    long double sum = 0;

    (void)state;
    for (uint64_t k = 0; k < 1000; k++) {
        const double u = (double)(random_at(SEED, LENS_RAND_ARRIVAL, k) >> 11) * 0x1p-53;

        sum += -log1pl(-u);
        assert_true(llabs(b[k] - llroundl(sum * 1e9L / 50)) <= 1);
        assert_true(llabs(a[k] - 100 * b[k]) <= 51); /* the same gaps, stretched */
    }
    assert_true(memcmp(b, other, 1000 * sizeof *b) != 0);
    free(a);
    free(b);
    free(other);
}

static void
estimates_follow_the_stop_conditions(void **state)
{
    static const struct {
        const char *name;
        struct setting settings[4];
        int64_t requests, duration_ns;
        int64_t arrivals, lasts_ns;
    } cases[] = {
        { "constant", { { "rate", 10 } }, 100, -1, 100, 9900 * MS },
        { "constant", { { "rate", 10 } }, -1, 2 * S, 20, 2 * S },
        { "constant", { { "rate", 10 } }, 5, 2 * S, 5, 400 * MS },
        { "poisson", { { "rate", 10 } }, -1, 60 * S, 600, 60 * S },
        { "poisson", { { "rate", 10 } }, 100, -1, 100, 10 * S },
        { "burst",
          { { "n", 5 }, { "every", 1.0 * S }, { "times", 3 } },
          -1,
          -1,
          15,
          2 * S },
        { "burst",
          { { "n", 5 }, { "every", 1.0 * S }, { "times", 0 } },
          12,
          -1,
          12,
          2 * S },
        { "burst",
          { { "n", 5 }, { "every", 1.0 * S }, { "times", 0 } },
          -1,
          2500 * MS,
          15,
          2500 * MS },
        { "burst", { { "n", 5 }, { "every", 1.0 * S }, { "times", 0 } }, -1, -1, -1, -1 },
        { "closed", { { "concurrency", 4 } }, 100, -1, 100, -1 },
        { "closed", { { "concurrency", 4 } }, -1, 5 * S, -1, 5 * S },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct lens_workload *w = load(cases[i].name);
        struct bench b = bench_of(cases[i].settings, SEED);
        const struct lens_workload_args args = { .struct_size = sizeof args,
                                                 .shards = 1,
                                                 .requests = cases[i].requests,
                                                 .duration_ns = cases[i].duration_ns };
        struct lens_estimate total = { .struct_size = sizeof total,
                                       .arrivals = -1,
                                       .input_tokens = -1,
                                       .output_tokens = -1,
                                       .duration_ns = -1 };
        void *self = NULL;

        assert_int_equal(w->open(&b.host, &args, &self), LENS_OK);
        assert_int_equal(w->estimate(self, &total), LENS_OK);
        assert_int_equal(total.arrivals, cases[i].arrivals);
        assert_int_equal(total.duration_ns, cases[i].lasts_ns);
        w->close(self);
    }
}

/* A rate so slow that the due time fits no clock ends the sequence instead of wrapping.
 */
static void
due_times_do_not_overflow(void **state)
{
    static const struct setting settings[] = { { "rate", 1e-6 }, { 0 } };
    const struct lens_workload *w = load("constant");
    struct bench b = bench_of(settings, SEED);
    void *self = open_shard(w, &b, 0, 1);
    struct lens_arrival a = { 0 };
    int64_t last = -1;
    uint64_t count = 0;

    (void)state;
    while (w->next(self, 0, &a) == LENS_OK) {
        assert_true(a.at_ns > last);
        last = a.at_ns;
        count++;
    }
    assert_true(count > 9000 && count < 10000);
    w->close(self);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_never_has_more_in_flight_than_asked),
        cmocka_unit_test(closed_shards_share_slots_and_indices),
        cmocka_unit_test(constant_does_not_drift),
        cmocka_unit_test(burst_starts_n_together),
        cmocka_unit_test(burst_refuses_no_time_between),
        cmocka_unit_test(due_list_is_the_same_for_any_number_of_shards),
        cmocka_unit_test(poisson_gaps_are_exponential_and_independent),
        cmocka_unit_test(poisson_follows_the_draws),
        cmocka_unit_test(estimates_follow_the_stop_conditions),
        cmocka_unit_test(due_times_do_not_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
