#include <string.h>

#include "check.h"

enum { ARRIVALS = 1000, SHARDS = 3 };

struct drive {
    check *c;
    struct check_host host;
    struct lens_sheet arrivals;
};

static int
drive(struct drive *d, uint64_t seed, uint32_t shard, uint32_t shards, uint32_t most)
{
    d->arrivals.size = 0;
    lens_sheet_add(&d->arrivals, "", 0);
    return lens_harness_workload(&d->host.harness, &d->c->plugin->ops.workload, seed,
                                 shard, shards, most, &d->arrivals);
}

static void
check_arrivals(check *c)
{
    struct drive d = { .c = c };
    g_autofree char *first = NULL;

    check_begin(c, "arrivals");
    check_host_init(&d.host, c, NULL);
    if (drive(&d, 42, 0, 1, ARRIVALS)) {
        first = g_strdup(d.arrivals.data);
        if (drive(&d, 42, 0, 1, ARRIVALS) && strcmp(first, d.arrivals.data) != 0)
            lens_harness_problem(&d.host.harness,
                                 "the same seed gives other arrivals the second time");
    } else {
        lens_harness_problem(&d.host.harness,
                             "open fails with the options that the schema requires");
    }
    check_end(c, d.host.harness.problem);
    lens_sheet_clear(&d.arrivals);
    check_host_clear(&d.host);
}

/* No index comes from two shards. */
static void
check_disjoint(struct drive *d, GHashTable *seen)
{
    g_auto(GStrv) lines = g_strsplit(d->arrivals.data, "\n", -1);

    for (char **line = lines; *line != NULL && **line != '\0'; line++) {
        char *index = g_strndup(*line, strcspn(*line, " "));

        if (g_hash_table_contains(seen, index))
            lens_harness_problem(&d->host.harness, "index %s comes from two shards",
                                 index);
        g_hash_table_add(seen, index);
    }
}

/* Every "index due" of a shard must be one of the undivided sequence, as far as it goes:
 * when something is due does not depend on the number of threads. */
static void
compare_shard(struct drive *d, GHashTable *all, uint64_t last)
{
    g_auto(GStrv) lines = g_strsplit(d->arrivals.data, "\n", -1);

    for (char **line = lines; *line != NULL && **line != '\0'; line++)
        if (g_ascii_strtoull(*line, NULL, 10) <= last &&
            !g_hash_table_contains(all, *line))
            lens_harness_problem(&d->host.harness,
                                 "`%s` (index, due) of a shard is not so in one shard",
                                 *line);
}

static void
check_shards(check *c)
{
    const struct lens_workload *w = &c->plugin->ops.workload;
    g_autoptr(GHashTable) all =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) seen =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_auto(GStrv) lines = NULL;
    struct drive d = { .c = c };
    uint64_t last = 0;

    check_begin(c, "shards");
    check_host_init(&d.host, c, NULL);
    drive(&d, 42, 0, 1, SHARDS * ARRIVALS);
    lines = g_strsplit(d.arrivals.data, "\n", -1);
    for (char **line = lines; *line != NULL && **line != '\0'; line++) {
        last = g_ascii_strtoull(*line, NULL, 10);
        g_hash_table_add(all, g_strdup(*line));
    }
    for (uint32_t shard = 0; shard < SHARDS && d.host.harness.problem[0] == '\0'; shard++)
        if (drive(&d, 42, shard, SHARDS, ARRIVALS)) {
            check_disjoint(&d, seen);
            if (w->flags & LENS_WORKLOAD_OPEN)
                compare_shard(&d, all, last);
        }
    check_end(c, d.host.harness.problem);
    lens_sheet_clear(&d.arrivals);
    check_host_clear(&d.host);
}

static int
run_cycle(void *data)
{
    struct drive *d = data;

    drive(d, 42, 0, 1, 20);
    return d->host.harness.problem[0] == '\0';
}

void
check_workload(check *c)
{
    struct drive d = { .c = c };

    check_arrivals(c);
    if ((c->plugin->ops.workload.flags & LENS_WORKLOAD_ONE_SHARD) == 0)
        check_shards(c);
    check_begin(c, "each failing host call");
    check_host_init(&d.host, c, NULL);
    check_failing_calls(c, &d.host, run_cycle, &d);
    check_host_clear(&d.host);
    check_begin(c, "leaks");
    check_host_init(&d.host, c, NULL);
    check_leaks(c, &d.host, run_cycle, &d);
    check_host_clear(&d.host);
    lens_sheet_clear(&d.arrivals);
}
