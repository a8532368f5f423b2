#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "chrono.h"
#include "error.h"
#include "import.h"
#include "measure.h"

static char *
write_file(const char *content)
{
    char *path = NULL;
    const int fd = g_file_open_tmp("test-import-XXXXXX", &path, NULL);

    assert_true(fd >= 0);
    close(fd);
    assert_true(g_file_set_contents(path, content, -1, NULL));
    return path;
}

static void
drop_file(char *path)
{
    g_unlink(path);
    g_free(path);
}

/* Rows as "LINE:a=1,b=2;" with the columns a to d. */
static bool
spell(const import_row *row, void *data, GError **error)
{
    static const char *const columns[] = { "a", "b", "c", "d.e" };
    GString *seen = data;

    (void)error;
    g_string_append_printf(seen, "%d:", (int)row->line);
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++) {
        const char *text = g_hash_table_lookup(row->cells, columns[i]);

        if (text != NULL)
            g_string_append_printf(seen, "%s=%s,", columns[i], text);
    }
    g_string_append_c(seen, ';');
    return true;
}

static void
rows_are_read_whatever_their_form(void **state)
{
    static const struct {
        enum import_format format;
        const char *text, *rows;
    } cases[] = {
        { IMPORT_CSV, "a,b\n1,2\n3,4\n", "2:a=1,b=2,;3:a=3,b=4,;" },
        { IMPORT_CSV, "a,b\r\n1,2\r\n", "2:a=1,b=2,;" },
        { IMPORT_CSV,
          "\xef\xbb\xbf"
          "a;b\n1;2,5",
          "2:a=1,b=2,5,;" },
        { IMPORT_CSV, "a\tb\n1\t\n", "2:a=1,;" },
        { IMPORT_CSV, "a,b\n\"x,\"\"y\"\"\n z\",2\n3,4\n",
          "2:a=x,\"y\"\n z,b=2,;4:a=3,b=4,;" },
        { IMPORT_CSV, "a,b\n\n1,2\n", "3:a=1,b=2,;" },
        { IMPORT_JSONL, "{\"a\":1,\"b\":\"x\"}\n\n{\"a\":null,\"c\":true}\n",
          "1:a=1,b=x,;3:c=true,;" },
        { IMPORT_JSONL, "{\"a\":[1,2.5],\"d\":{\"e\":3}}", "1:a=[1,2.5],d.e=3,;" },
        { IMPORT_JSONL, "[{\"a\":1},\n{\"a\":2}]", "1:a=1,;2:a=2,;" },
        { IMPORT_JSONL, "{\"a\":[1,2],\"b\":[3,4],\"c\":[[5],[6]],\"n\":7}",
          "1:a=1,b=3,c=[5],;2:a=2,b=4,c=[6],;" },
        { IMPORT_JSONL, "{\"a\":[1,2],\n\"b\":[3,4]}", "1:a=1,b=3,;2:a=2,b=4,;" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *path = write_file(cases[i].text);
        g_autoptr(GString) seen = g_string_new(NULL);
        g_autoptr(GError) error = NULL;

        if (!import_each_row(path, cases[i].format, spell, seen, &error))
            fail_msg("%s: %s", cases[i].text, error->message);
        assert_string_equal(seen->str, cases[i].rows);
        drop_file(path);
    }
}

static void
broken_rows_are_named_by_line(void **state)
{
    static const struct {
        enum import_format format;
        const char *text, *where, *why;
    } cases[] = {
        { IMPORT_CSV, "", ":1:", "empty" },
        { IMPORT_CSV, "a,b\n1,2\n3\n", ":3:", "has 1 cells, the head has 2" },
        { IMPORT_CSV, "a,b\n1,\"2\n3,4\n", ":2:", "never closed" },
        { IMPORT_JSONL, "\n", ":1:", "empty" },
        { IMPORT_JSONL, "{\"a\":1}\n{\"a\":\n", ":2:", "not JSON" },
        { IMPORT_JSONL, "{\"a\":1}\n[1]\n", ":2:", "JSON object" },
        { IMPORT_JSONL, "hello", ":1:", "not JSON" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *path = write_file(cases[i].text);
        g_autoptr(GString) seen = g_string_new(NULL);
        g_autoptr(GError) error = NULL;

        assert_false(import_each_row(path, cases[i].format, spell, seen, &error));
        if (strstr(error->message, cases[i].where) == NULL ||
            strstr(error->message, cases[i].why) == NULL ||
            strstr(error->message, path) == NULL)
            fail_msg("%s: %s", cases[i].text, error->message);
        drop_file(path);
    }
}

static const char *const known[][12] = {
    { "ttft", "tpot", "e2e_latency", "num_input_tokens", "num_output_tokens" },
    { "ttfts", "itls", "input_lens", "output_lens", "errors", "start_times" },
    { "ttft_s", "end_to_end_latency_s", "number_output_tokens", "inter_token_latency_s" },
    { "time_to_first_token_ms", "request_latency", "start_time", "prompt_tokens" },
    { "metadata.request_start_ns", "metrics.request_latency.value",
      "metrics.request_latency.unit", "metrics.time_to_first_token.value" },
    { "Start", "TTFT_ms", "latency ms", "e2e-s" },
};

static void
columns_of_other_tools_are_known(void **state)
{
    static const struct {
        const char *dialect;
        enum import_field field;
        const char *column;
        double unit_ns;
    } cases[] = {
        { "genai-bench", FIELD_E2E, "e2e_latency", 1e9 },
        { "vllm bench serve", FIELD_ITL, "itls", 1e9 },
        { "LLMPerf", FIELD_TPOT, "inter_token_latency_s", 1e9 },
        { "GuideLLM", FIELD_TTFT, "time_to_first_token_ms", 1e6 },
        { "AIPerf", FIELD_TTFT, "metrics.time_to_first_token.value", 0 },
        { NULL, FIELD_E2E, "e2e-s", 1e9 },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        import_map map;
        g_autoptr(GError) error = NULL;

        if (!import_map_make(NULL, known[i], &map, &error))
            fail_msg("%s", error->message);
        assert_int_equal(g_strcmp0(map.dialect, cases[i].dialect), 0);
        assert_non_null(map.fields[cases[i].field].column);
        assert_string_equal(map.fields[cases[i].field].column, cases[i].column);
        assert_true(map.fields[cases[i].field].unit_ns == cases[i].unit_ns);
        import_map_clear(&map);
    }
}

static void
a_map_that_cannot_be_is_explained(void **state)
{
    static const char *const columns[] = { "first_token", "latency", "tokens_out", NULL };
    static const struct {
        const char *map, *why;
    } cases[] = {
        { "ttft_ms", "expected FIELD=COLUMN" },
        { "tfft_ms=first_token", "did you mean 'ttft'" },
        { "nonsense_at_all=latency", "expected one of: start" },
        { "ttft_ms=first_tokn", "did you mean 'first_token'" },
        { "ttft_ms=whatever it is", "the file has: first_token, latency" },
        { "ttft=first_token", "ttft_ms=first_token" },
        { "output_tokens=tokens_out", "no column is known for ttft or e2e" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *texts[] = { cases[i].map, NULL };
        g_autoptr(GError) error = NULL;
        import_map map;

        assert_false(import_map_make(texts, columns, &map, &error));
        assert_true(g_error_matches(error, LENS_ERROR, LENS_ERROR_USAGE));
        if (strstr(error->message, cases[i].why) == NULL)
            fail_msg("%s: %s", cases[i].map, error->message);
    }
}

/* One row as a sample; NULL: refused. */
static sample *
sample_of(const char *header, const char *cells, GError **error)
{
    g_auto(GStrv) names = g_strsplit(header, "|", -1);
    g_auto(GStrv) texts = g_strsplit(cells, "|", -1);
    g_autoptr(GHashTable) table = g_hash_table_new(g_str_hash, g_str_equal);
    import_row row = { table, 12 };
    import_map map;
    import_values values;
    sample *s = NULL;

    for (int i = 0; names[i] != NULL; i++)
        if (*texts[i] != '\0')
            g_hash_table_insert(table, names[i], texts[i]);
    assert_true(import_map_make(NULL, (const char *const *)names, &map, NULL));
    import_values_init(&values);
    if (import_values_read(&values, &map, &row, "rows.csv", error))
        s = import_sample(&values, 1000 * NS_PER_S);
    import_values_clear(&values);
    import_map_clear(&map);
    return s;
}

static void
a_row_becomes_a_sample(void **state)
{
    sample *s =
        sample_of("start_s|ttft_ms|itl_ms|e2e_ms|input_tokens|output_tokens|model",
                  "1001.5|100.25|[10, 20.5]|131|7|3|m", NULL);
    const attempt *a;

    (void)state;
    assert_non_null(s);
    a = sample_last(s);
    assert_int_equal(s->outcome, LENS_OUTCOME_OK);
    assert_int_equal(s->phase, LENS_PART_MEASURED);
    assert_int_equal(s->due_ns, NEVER);
    assert_int_equal(a->start_ns, 1500 * NS_PER_MS);
    assert_int_equal(a->departure_ns, a->start_ns);
    assert_int_equal(a->first_output_ns - a->start_ns, 100250 * NS_PER_US);
    assert_int_equal(a->second_output_ns - a->first_output_ns, 10 * NS_PER_MS);
    assert_int_equal(a->last_output_ns - a->first_output_ns, 30500 * NS_PER_US);
    assert_int_equal(a->terminal_ns - a->start_ns, 131 * NS_PER_MS);
    assert_int_equal(a->output_messages, 3);
    assert_int_equal(a->messages_log.count, 3);
    assert_int_equal(a->first_clock, LENS_CLOCK_USER);
    assert_int_equal(a->usage[LENS_USAGE_INPUT], 7);
    assert_int_equal(a->usage[LENS_USAGE_OUTPUT], 3);
    assert_int_equal(a->usage[LENS_USAGE_CACHE_READ], -1);
    assert_string_equal(a->served_model, "m");
    sample_free(s);
}

static void
a_row_without_a_first_token_was_not_streamed(void **state)
{
    sample *s = sample_of("e2e_s|output_tokens", "2|5", NULL);

    (void)state;
    assert_false(sample_last(s)->streamed);
    assert_int_equal(sample_last(s)->first_output_ns, NEVER);
    assert_int_equal(sample_last(s)->terminal_ns, 2 * NS_PER_S);
    sample_free(s);
}

static void
the_pace_is_known_without_a_list_of_gaps(void **state)
{
    static const struct {
        const char *header, *cells;
        int64_t last_ms; /* since the first token */
    } cases[] = {
        { "ttft_ms|tpot_ms|e2e_ms|output_tokens", "100|10|200|5", 40 },
        { "ttft_ms|e2e_ms|output_tokens", "100|200|5", 100 },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        sample *s = sample_of(cases[i].header, cases[i].cells, NULL);
        const attempt *a = sample_last(s);

        assert_int_equal(a->last_output_ns - a->first_output_ns,
                         cases[i].last_ms * NS_PER_MS);
        assert_int_equal(measure_metric(s, METRIC_TPOT),
                         cases[i].last_ms * NS_PER_MS / 4);
        assert_int_equal(a->messages_log.size, 0); /* single gaps are not made up */
        sample_free(s);
    }
}

static void
moments_are_understood(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } cases[] = {
        { "1001.25", 1250000000 },
        { "1767323045", INT64_C(1767322045000000000) },
        { "1767323045.5", INT64_C(1767322045500000000) },
        { "1767323045678", INT64_C(1767322045678000000) },
        { "1767323045678901234", INT64_C(1767322045678901234) },
        { "2026-01-02T03:04:05Z", INT64_C(1767322045000000000) },
        { "2026-01-02 03:04:05.250", INT64_C(1767322045250000000) },
        { "2026-01-02T04:04:05+01:00", INT64_C(1767322045000000000) },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *cells = g_strconcat(cases[i].text, "|5", NULL);
        GError *error = NULL;
        sample *s = sample_of("start|e2e_ms", cells, &error);

        if (s == NULL)
            fail_msg("%s", error->message);
        assert_int_equal(sample_last(s)->start_ns, cases[i].ns);
        sample_free(s);
    }
}

static void
failures_have_a_kind(void **state)
{
    static const struct {
        const char *cells; /* status, error, error_kind, ok */
        uint32_t outcome, kind, where;
    } cases[] = {
        { "1|200||||", LENS_OUTCOME_OK, 0, 0 },
        { "1|429||||", LENS_OUTCOME_FAILED, LENS_KIND_RATE_LIMIT, WHERE_HTTP },
        { "1|500|oh no|||", LENS_OUTCOME_FAILED, LENS_KIND_SERVER, WHERE_HTTP },
        { "1||Request timed out|||", LENS_OUTCOME_FAILED, LENS_KIND_TIMEOUT,
          WHERE_CLIENT },
        { "1||Connection refused|||", LENS_OUTCOME_FAILED, LENS_KIND_CONNECT,
          WHERE_CONNECT },
        { "1|||quota||", LENS_OUTCOME_FAILED, LENS_KIND_QUOTA, WHERE_STREAM },
        { "1||||False|", LENS_OUTCOME_FAILED, LENS_KIND_SERVER, WHERE_STREAM },
        { "1||None||true|", LENS_OUTCOME_OK, 0, 0 },
        { "1||||true|true", LENS_OUTCOME_CANCEL, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        sample *s = sample_of("e2e_ms|status|error|error_kind|ok|cancelled",
                              cases[i].cells, NULL);

        assert_non_null(s);
        if (s->outcome != cases[i].outcome ||
            sample_last(s)->error_kind != cases[i].kind ||
            sample_last(s)->error_where != cases[i].where)
            fail_msg("%s: outcome %u, %s at %u", cases[i].cells, s->outcome,
                     error_kind_name(sample_last(s)->error_kind),
                     sample_last(s)->error_where);
        sample_free(s);
    }
}

static void
bad_cells_are_named_by_file_line_and_column(void **state)
{
    static const struct {
        const char *header, *cells, *why;
    } cases[] = {
        { "ttft_ms", "fast",
          "rows.csv:12: ttft_ms: expected a time of 0 or more, got "
          "'fast'" },
        { "ttft_ms", "-1", "expected a time" },
        { "ttft_ms", "nan0", "expected a time" },
        { "ttft_ms|output_tokens", "1|2.5", "output_tokens: expected a whole number" },
        { "ttft_ms|start", "1|yesterday", "start: expected a number or a date" },
        { "ttft_ms|itl_ms", "1|[1,x]", "itl_ms: expected a time of 0 or more, got 'x'" },
        { "ttft_ms|ok", "1|maybe", "ok: expected true or false" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        assert_null(sample_of(cases[i].header, cases[i].cells, &error));
        if (strstr(error->message, cases[i].why) == NULL)
            fail_msg("%s: %s", cases[i].cells, error->message);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_read_whatever_their_form),
        cmocka_unit_test(broken_rows_are_named_by_line),
        cmocka_unit_test(columns_of_other_tools_are_known),
        cmocka_unit_test(a_map_that_cannot_be_is_explained),
        cmocka_unit_test(a_row_becomes_a_sample),
        cmocka_unit_test(a_row_without_a_first_token_was_not_streamed),
        cmocka_unit_test(the_pace_is_known_without_a_list_of_gaps),
        cmocka_unit_test(moments_are_understood),
        cmocka_unit_test(failures_have_a_kind),
        cmocka_unit_test(bad_cells_are_named_by_file_line_and_column),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
