/* lens calibrate: how far the numbers of lens are from what a server really did. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calibrate.h"
#include "command.h"
#include "error.h"

/* Wide: a busy machine must not fail a build, a broken clock must. */
#define JUDGED_MS 1.0
enum { TRIES = 3, ROUNDS = 4, LEAST_REQUESTS = 8 };

static const char *const clocks[] = { "kernel", "user" };
static const char *const stat_names[CALIBRATE_STATS] = { "p50", "p99", "max" };

static void
clear_row(void *data)
{
    g_free(((struct calibrate_row *)data)->verdict);
}

/* Without rounding to "-0.000". */
static void
print_error(double reported, double truth)
{
    const double off = reported - truth;

    if (isnan(off))
        printf("%9s", "-");
    else
        printf("%+9.3f", fabs(off) < 0.0005 ? 0.0 : off);
}

static void
print_row(const struct calibrate_row *row)
{
    printf("%9" G_GINT64_FORMAT "  %-6s", row->concurrency, row->clock);
    for (int i = 0; i < CALIBRATE_STATS; i++)
        print_error(row->reported.ttft[i], row->truth.ttft[i]);
    printf(" ");
    for (int i = 0; i < CALIBRATE_STATS; i++)
        print_error(row->reported.itl[i], row->truth.itl[i]);
    printf("\n");
    fflush(stdout);
}

static void
print_table_head(const calibrate_settings *s)
{
    printf("reported - truth, ms (TTFT %g ms, a token every %g ms, %" G_GINT64_FORMAT
           " tokens)\n\n",
           (double)s->ttft_ns / 1e6, (double)s->itl_ns / 1e6, s->tokens);
    printf("%9s  %-6s%9s%9s%9s %9s%9s%9s\n", "in flight", "clock", "TTFT p50", "p99",
           "max", "gap p50", "p99", "max");
}

static void
print_stats(const char *name, const double values[static CALIBRATE_STATS])
{
    printf("\"%s\":{", name);
    for (int i = 0; i < CALIBRATE_STATS; i++) {
        printf("%s\"%s\":", i > 0 ? "," : "", stat_names[i]);
        if (isnan(values[i]))
            printf("null");
        else
            printf("%.6f", values[i]);
    }
    printf("}");
}

static void
print_numbers(const char *name, const struct calibrate_numbers *n)
{
    printf("\"%s\":{", name);
    print_stats("ttft", n->ttft);
    printf(",");
    print_stats("itl", n->itl);
    printf("}");
}

static void
print_json(const calibrate_settings *s, const GArray *rows)
{
    printf("{\"schema\":\"lens.calibration/1\",\"ttft_ms\":%g,\"itl_ms\":%g,"
           "\"tokens\":%" G_GINT64_FORMAT ",\"rows\":[",
           (double)s->ttft_ns / 1e6, (double)s->itl_ns / 1e6, s->tokens);
    for (unsigned i = 0; i < rows->len; i++) {
        const struct calibrate_row *row = &g_array_index(rows, struct calibrate_row, i);
        struct calibrate_numbers off;

        for (int k = 0; k < CALIBRATE_STATS; k++) {
            off.ttft[k] = row->reported.ttft[k] - row->truth.ttft[k];
            off.itl[k] = row->reported.itl[k] - row->truth.itl[k];
        }
        printf("%s\n {\"concurrency\":%" G_GINT64_FORMAT ",\"clock\":\"%s\",\"requests\":"
               "%" G_GINT64_FORMAT ",\"verdict\":\"%s\",",
               i > 0 ? "," : "", row->concurrency, row->clock, row->requests,
               row->verdict);
        print_numbers("error", &off);
        printf(",");
        print_numbers("reported", &row->reported);
        printf(",");
        print_numbers("truth", &row->truth);
        printf("}");
    }
    printf("]}\n");
}

static bool
within_bound(const struct calibrate_row *row)
{
    return fabs(row->reported.ttft[CALIBRATE_P50] - row->truth.ttft[CALIBRATE_P50]) <=
               JUDGED_MS &&
           fabs(row->reported.itl[CALIBRATE_P50] - row->truth.itl[CALIBRATE_P50]) <=
               JUDGED_MS;
}

/* Only the kernel clock's medians are judged, the best of three. */
static bool
measure(calibrator *c, const args *a, struct calibrate_row *row, bool *ret_good,
        GError **error)
{
    const bool judged = args_bool(a, "judge") && strcmp(row->clock, "kernel") == 0;
    const int64_t requests = row->requests;

    *ret_good = true;
    for (int i = 0; i < TRIES; i++) {
        row->requests = requests;
        if (!calibrator_measure(c, row, error))
            return false;
        *ret_good = !judged || within_bound(row);
        if (*ret_good)
            break;
    }
    return true;
}

static GArray *
plan_rows(const args *a)
{
    GArray *rows = g_array_new(FALSE, TRUE, sizeof(struct calibrate_row));
    g_auto(GStrv) list = g_strsplit(args_string(a, "concurrency", 0), ",", -1);

    g_array_set_clear_func(rows, clear_row);
    for (unsigned i = 0; list[i] != NULL; i++) {
        const int64_t concurrency = g_ascii_strtoll(list[i], NULL, 10);

        for (unsigned k = 0; k < G_N_ELEMENTS(clocks); k++) {
            const struct calibrate_row row = {
                .concurrency = concurrency,
                .requests = args_is_set(a, "requests")
                                ? args_int(a, "requests")
                                : MAX(LEAST_REQUESTS, ROUNDS * concurrency),
                .clock = clocks[k],
            };

            g_array_append_val(rows, row);
        }
    }
    return rows;
}

static GPtrArray *
plugin_flags(const args *a)
{
    GPtrArray *flags = g_ptr_array_new_with_free_func(g_free);

    for (unsigned i = 0; i < args_count(a, "plugin-dir"); i++)
        g_ptr_array_add(
            flags, g_strconcat("--plugin-dir=", args_string(a, "plugin-dir", i), NULL));
    if (args_bool(a, "allow-insecure-plugins"))
        g_ptr_array_add(flags, g_strdup("--allow-insecure-plugins"));
    g_ptr_array_add(flags, NULL);
    return flags;
}

int
cmd_calibrate(const args *a)
{
    g_autoptr(GPtrArray) flags = plugin_flags(a);
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autoptr(GArray) rows = plan_rows(a);
    const calibrate_settings settings = {
        .program = program != NULL ? program : "lens",
        .plugin_flags = (const char *const *)flags->pdata,
        .ttft_ns = args_duration(a, "ttft"),
        .itl_ns = args_duration(a, "itl"),
        .tokens = args_int(a, "tokens"),
    };
    const bool json = args_bool(a, "json");
    g_autoptr(calibrator) c = NULL;
    GError *error = NULL;
    bool all_good = true;

    c = calibrator_new(&settings, &error);
    if (c == NULL)
        return args_fail(a, error);
    if (!json)
        print_table_head(&settings);
    for (unsigned i = 0; i < rows->len; i++) {
        struct calibrate_row *row = &g_array_index(rows, struct calibrate_row, i);
        bool good;

        if (!measure(c, a, row, &good, &error))
            return args_fail(a, error);
        all_good = all_good && good;
        if (!json)
            print_row(row);
    }
    if (json)
        print_json(&settings, rows);
    if (!all_good)
        fprintf(stderr,
                "lens: the median is more than %g ms off with the kernel's clock\n",
                JUDGED_MS);
    return all_good ? EXIT_OK : EXIT_SLO;
}
