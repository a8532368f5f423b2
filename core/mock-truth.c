#include "mock-private.h"

#include <stdio.h>

void
truth_init(struct truth *t)
{
    *t = (struct truth){ .ttft_kernel = histogram_new(),
                         .ttft_read = histogram_new(),
                         .itl = histogram_new(),
                         .e2e = histogram_new(),
                         .late = histogram_new() };
}

void
truth_clear(struct truth *t)
{
    histogram_free(t->ttft_kernel);
    histogram_free(t->ttft_read);
    histogram_free(t->itl);
    histogram_free(t->e2e);
    histogram_free(t->late);
    *t = (struct truth){ 0 };
}

void
truth_reset(struct truth *t)
{
    truth_clear(t);
    truth_init(t);
}

static void
append_histogram(GString *json, const char *name, const histogram *h)
{
    static const struct {
        const char *name;
        double q;
    } quantiles[] = { { "p50", 0.5 },
                      { "p90", 0.9 },
                      { "p95", 0.95 },
                      { "p99", 0.99 },
                      { "p99_9", 0.999 } };
    const uint64_t count = histogram_count(h);
    g_autoptr(GBytes) encoded = histogram_encode(h);
    g_autofree char *text = NULL;
    char mean[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append_printf(json, "\"%s\":{\"count\":%" G_GUINT64_FORMAT, name, count);
    for (size_t i = 0; i < G_N_ELEMENTS(quantiles); i++) {
        g_string_append_printf(json, ",\"%s\":", quantiles[i].name);
        if (count == 0)
            g_string_append(json, "null");
        else
            g_string_append_printf(json, "%" G_GINT64_FORMAT,
                                   histogram_quantile(h, quantiles[i].q));
    }
    if (count == 0)
        g_string_append(json, ",\"min\":null,\"max\":null,\"mean\":null");
    else
        g_string_append_printf(
            json,
            ",\"min\":%" G_GINT64_FORMAT ",\"max\":%" G_GINT64_FORMAT ",\"mean\":%s",
            histogram_min(h), histogram_max(h),
            g_ascii_formatd(mean, sizeof mean, "%.1f", histogram_mean(h)));
    text = g_base64_encode(g_bytes_get_data(encoded, NULL), g_bytes_get_size(encoded));
    g_string_append_printf(json, ",\"histogram\":\"%s\"}", text);
}

char *
truth_json(mock *m)
{
    const struct truth *t = &m->truth;
    GString *json = g_string_new("{\"schema\":\"lens.truth/1\"");
    const char *comma = "";

    g_string_append_printf(
        json,
        ",\"counts\":{\"requests\":%" G_GUINT64_FORMAT ",\"streams\":%" G_GUINT64_FORMAT
        ",\"tokens\":%" G_GUINT64_FORMAT ",\"answered\":%" G_GUINT64_FORMAT
        ",\"refused\":%" G_GUINT64_FORMAT ",\"aborted\":%" G_GUINT64_FORMAT
        ",\"open_connections\":%" G_GUINT64_FORMAT ",\"in_flight\":%" G_GUINT64_FORMAT
        ",\"faults\":{",
        t->requests, t->streams, t->tokens, t->answered, t->refused, t->aborted,
        m->open_connections, m->in_flight);
    for (int i = 0; i < FAULT_COUNT; i++) {
        g_string_append_printf(json, "%s\"%s\":%" G_GUINT64_FORMAT, comma,
                               mock_fault_name((enum mock_fault)i), t->faults[i]);
        comma = ",";
    }
    g_string_append(json, "}},\"ttft\":{");
    append_histogram(json, "from_read", t->ttft_read);
    g_string_append_c(json, ',');
    append_histogram(json, "from_kernel", t->ttft_kernel);
    g_string_append(json, "},");
    append_histogram(json, "itl", t->itl);
    g_string_append_c(json, ',');
    append_histogram(json, "e2e", t->e2e);
    g_string_append_c(json, ',');
    append_histogram(json, "late", t->late);
    g_string_append(json, "}\n");
    return g_string_free(json, FALSE);
}
