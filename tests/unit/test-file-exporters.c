/* The exporters json and csv as built, with samples that we make up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <lens/plugin.h>

/* ---- a host of which we know everything ---- */

struct setting {
    const char *name, *value;
};

struct bench {
    struct lens_host host; /* first */
    const struct setting *settings;
    char *complaint;
};

static const char *
get_string(const struct lens_host *host, const char *name, uint32_t nth)
{
    const struct bench *b = (const struct bench *)host;

    for (const struct setting *s = b->settings; nth == 0 && s->name != NULL; s++)
        if (strcmp(s->name, name) == 0)
            return s->value;
    return NULL;
}

static int64_t
get_int(const struct lens_host *host, const char *name)
{
    return get_string(host, name, 0) != NULL;
}

static lens_status
take_complaint(const struct lens_host *host, lens_status why, const char *text)
{
    struct bench *b = (struct bench *)host;

    g_free(b->complaint);
    b->complaint = g_strdup(text);
    return why;
}

struct place {
    char *folder, *path, *samples;
    struct bench bench;
    const struct lens_exporter *exporter;
    void *self;
};

static int
make_place(void **state)
{
    struct place *p = g_new0(struct place, 1);

    p->folder = g_dir_make_tmp("test-file-exporters-XXXXXX", NULL);
    p->path = g_build_filename(p->folder, "out", NULL);
    p->samples = g_build_filename(p->folder, "samples", NULL);
    p->bench.host = (struct lens_host){ .struct_size = sizeof(struct lens_host),
                                        .abi = LENS_ABI,
                                        .fail = take_complaint,
                                        .opt_string = get_string,
                                        .opt_int = get_int };
    *state = p;
    return 0;
}

static int
remove_place(void **state)
{
    struct place *p = *state;
    GDir *folder = g_dir_open(p->folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *path = g_build_filename(p->folder, name, NULL);

        g_unlink(path);
    }
    g_dir_close(folder);
    g_rmdir(p->folder);
    g_free(p->bench.complaint);
    g_free(p->folder);
    g_free(p->path);
    g_free(p->samples);
    g_free(p);
    return 0;
}

static lens_status
open_exporter(struct place *p, const char *name, const struct setting *settings)
{
    g_autofree char *path = g_strdup_printf("%s/%s.so", PLUGINS, name);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    lens_plugin_entry_fn entry;

    if (handle == NULL)
        fail_msg("%s", dlerror());
    entry = (lens_plugin_entry_fn)dlsym(handle, LENS_PLUGIN_ENTRY);
    p->exporter = entry(LENS_ABI)->ops;
    p->bench.settings = settings;
    return p->exporter->open(&p->bench.host, &p->self);
}

static lens_status
begin(struct place *p, uint64_t resumed)
{
    static const struct lens_target_info targets[] = { { .name = "a,b" },
                                                       { .name = "c" } };
    static const struct lens_stage_info stages[] = { { .name = "low \"1\"" } };
    const struct lens_run run = {
        .struct_size = sizeof run,
        .targets = targets,
        .target_count = 2,
        .target_size = sizeof targets[0],
        .stages = stages,
        .stage_count = 1,
        .stage_size = sizeof stages[0],
    };

    return p->exporter->begin(p->self, &run, resumed);
}

/* ---- samples ---- */

static struct lens_sample
make_sample(uint64_t id)
{
    struct lens_sample s = {
        .struct_size = sizeof s,
        .outcome = LENS_OUTCOME_OK,
        .id = id,
        .index = id - 1,
        .item = LENS_ITEM_ANY,
        .phase = LENS_PART_MEASURED,
        .unix_ns = INT64_C(1800000000000000007),
        .due_ns = 1000000,
        .start_ns = 2000000,
        .dns_ns = -1,
        .connect_ns = 2500000,
        .tls_ns = -1,
        .departure_first_ns = 3000000,
        .departure_ns = 3000000,
        .first_byte_ns = 4000000,
        .first_output_ns = 13000000,
        .first_text_ns = -1,
        .second_output_ns = 23000000,
        .last_output_ns = 43000000,
        .terminal_ns = 53000000,
        .end_ns = 54000000,
        .departure_clock = LENS_CLOCK_KERNEL,
        .first_clock = LENS_CLOCK_USER,
        .rtt_ns = 1000000,
        .http_version = 11,
        .http_status = 200,
        .streamed = 1,
        .asked_output_tokens = -1,
        .finish = "stop",
        .cost_reported_usd = NAN,
    };

    for (size_t u = 0; u < 16; u++)
        s.usage[u] = -1;
    s.usage[LENS_USAGE_INPUT] = 100;
    s.usage[LENS_USAGE_OUTPUT] = 4;
    return s;
}

static lens_status
put(struct place *p, struct lens_sample *samples, uint64_t count,
    struct lens_delivery *ret)
{
    const struct lens_sample *batch[16];

    for (uint64_t i = 0; i < count; i++)
        batch[i] = &samples[i];
    *ret = (struct lens_delivery){ .struct_size = sizeof *ret };
    return p->exporter->samples(p->self, batch, count, ret);
}

/* Puts the samples from..to, as one batch. */
static void
put_range(struct place *p, uint64_t from, uint64_t to)
{
    struct lens_sample samples[16];
    struct lens_delivery d;
    uint64_t count = 0;

    for (uint64_t id = from; id <= to; id++)
        samples[count++] = make_sample(id);
    assert_int_equal(put(p, samples, count, &d), LENS_OK);
    assert_int_equal(d.verdict, LENS_DELIVERY_OK);
    assert_int_equal(d.delivered_prefix, count);
}

static char *
contents(const char *path)
{
    g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, NULL);

    assert_non_null(file);
    return g_strndup(g_mapped_file_get_contents(file), g_mapped_file_get_length(file));
}

static JsonObject *
first_line(const char *path, JsonParser *parser)
{
    char *text = contents(path);
    bool loaded;

    strchr(text, '\n')[0] = '\0';
    loaded = json_parser_load_from_data(parser, text, -1, NULL);
    g_free(text);
    assert_true(loaded);
    return json_node_get_object(json_parser_get_root(parser));
}

/* ---- json ---- */

static void
json_tells_all_of_a_sample(void **state)
{
    struct place *p = *state;
    const struct setting settings[] = {
        { "path", p->path }, { "samples", p->samples }, { "marks", "true" }, { 0 }
    };
    const struct lens_mark marks[] = {
        { .at_ns = 5, .tokens = -1, .classes = LENS_MSG_ROLE, .clock = 1, .shared = 1 },
        { .at_ns = 9,
          .tokens = 2,
          .classes = LENS_MSG_TEXT | LENS_MSG_FINISH,
          .clock = 3,
          .shared = 2 },
    };
    struct lens_sample s = make_sample(7);
    struct lens_delivery d;
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *o, *mark;

    s.target = 1;
    s.marks = marks;
    s.mark_count = 2;
    s.mark_size = sizeof marks[0];
    s.extra_json = "{\"queue_ms\":5}";
    s.text = "two\nlines \"quoted\" \xc3\xa4";
    assert_int_equal(open_exporter(p, "json", settings), LENS_OK);
    assert_int_equal(begin(p, 0), LENS_OK);
    assert_int_equal(put(p, &s, 1, &d), LENS_OK);
    p->exporter->close(p->self);

    o = first_line(p->samples, parser);
    assert_int_equal(json_object_get_int_member(o, "id"), 7);
    assert_string_equal(json_object_get_string_member(o, "target"), "c");
    assert_string_equal(json_object_get_string_member(o, "stage"), "low \"1\"");
    assert_string_equal(json_object_get_string_member(o, "start_time"),
                        "2027-01-15T08:00:00.000000007Z");
    assert_true(json_object_get_null_member(o, "item"));
    assert_true(json_object_get_double_member(o, "ttft_ms") == 10);
    assert_true(json_object_get_null_member(o, "ttft_text_ms"));
    assert_true(json_object_get_double_member(o, "ttft_from_due_ms") == 12);
    assert_true(json_object_get_double_member(o, "ttst_ms") == 10);
    assert_true(json_object_get_double_member(o, "tpot_ms") == 10);
    assert_true(json_object_get_double_member(o, "e2e_ms") == 50);
    assert_true(json_object_get_double_member(o, "ttfb_ms") == 1);
    assert_true(json_object_get_double_member(o, "connect_ms") == 0.5);
    assert_true(json_object_get_double_member(o, "server_ms") == 9);
    assert_true(json_object_get_double_member(o, "output_tokens_per_s_per_request") ==
                80);
    assert_true(json_object_get_null_member(o, "error"));
    assert_string_equal(json_object_get_string_member(o, "text"), s.text);
    assert_int_equal(
        json_object_get_int_member(json_object_get_object_member(o, "tokens"), "input"),
        100);
    assert_true(json_object_get_null_member(json_object_get_object_member(o, "tokens"),
                                            "reasoning"));
    assert_int_equal(
        json_object_get_int_member(json_object_get_object_member(o, "extra"), "queue_ms"),
        5);
    mark = json_array_get_object_element(json_object_get_array_member(o, "marks"), 1);
    assert_string_equal(
        json_array_get_string_element(json_object_get_array_member(mark, "classes"), 1),
        "finish");
    assert_string_equal(json_object_get_string_member(mark, "clock"), "interval");
    assert_int_equal(json_object_get_int_member(mark, "shared"), 2);
}

static void
json_tells_how_a_request_failed(void **state)
{
    struct place *p = *state;
    const struct setting settings[] = { { "path", p->path },
                                        { "samples", p->samples },
                                        { 0 } };
    struct lens_sample s = make_sample(1);
    struct lens_delivery d;
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *o;

    s.outcome = LENS_OUTCOME_FAILED;
    s.error_kind = LENS_KIND_RATE_LIMIT;
    s.error_class = LENS_CLASS_HTTP_ERROR;
    s.error_where = 2;
    s.error_detail = "slow down";
    s.terminal_ns = s.first_output_ns = -1;
    s.streamed = 0;
    assert_int_equal(open_exporter(p, "json", settings), LENS_OK);
    assert_int_equal(begin(p, 0), LENS_OK);
    assert_int_equal(put(p, &s, 1, &d), LENS_OK);
    p->exporter->close(p->self);

    o = first_line(p->samples, parser);
    assert_string_equal(json_object_get_string_member(o, "outcome"), "failed");
    assert_true(json_object_get_null_member(o, "ttft_ms"));
    assert_true(json_object_get_null_member(o, "tpot_ms"));
    o = json_object_get_object_member(o, "error");
    assert_string_equal(json_object_get_string_member(o, "kind"), "rate_limit");
    assert_string_equal(json_object_get_string_member(o, "where"), "http");
    assert_string_equal(json_object_get_string_member(o, "class"), "http_error");
    assert_string_equal(json_object_get_string_member(o, "detail"), "slow down");
}

static void
json_summary_is_replaced_as_a_whole(void **state)
{
    struct place *p = *state;
    const struct setting settings[] = { { "path", p->path }, { 0 } };
    const char json[] = "{\"schema\":\"lens.summary/1\"}";
    const struct lens_summary summary = { .struct_size = sizeof summary,
                                          .json = json,
                                          .json_size = sizeof json - 1 };
    struct lens_delivery d = { .struct_size = sizeof d };
    g_autofree char *text = NULL;
    g_autoptr(GDir) folder = NULL;

    assert_true(g_file_set_contents(p->path, "old and longer than the new one ........",
                                    -1, NULL));
    assert_int_equal(open_exporter(p, "json", settings), LENS_OK);
    assert_int_equal(begin(p, 3), LENS_OK); /* no samples: nothing to go on with */
    text = contents(p->path);
    assert_true(g_str_has_prefix(text, "old")); /* until the end */
    g_free(text);
    assert_int_equal(p->exporter->end(p->self, &summary, &d), LENS_OK);
    text = contents(p->path);
    assert_string_equal(text, "{\"schema\":\"lens.summary/1\"}\n");
    p->exporter->close(p->self);
    folder = g_dir_open(p->folder, 0, NULL);
    assert_string_equal(g_dir_read_name(folder), "out");
    assert_null(g_dir_read_name(folder)); /* no temporary file is left */
}

/* ---- going on ---- */

/* Whatever stands behind the last delivered record is cut: a torn line, whole ones. */
static void
files_go_on_behind_the_last_delivered_record(void **state)
{
    struct place *p = *state;
    const struct setting json[] = { { "path", p->path },
                                    { "samples", p->samples },
                                    { 0 } };
    const struct setting csv[] = { { "path", p->samples },
                                   { "what", "samples" },
                                   { "columns", "id+target+finish+ttft" },
                                   { 0 } };
    const struct {
        const char *name;
        const struct setting *settings;
    } cases[] = { { "json", json }, { "csv", csv } };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *whole = NULL;
        size_t size;

        g_unlink(p->samples);
        assert_int_equal(open_exporter(p, cases[i].name, cases[i].settings), LENS_OK);
        assert_int_equal(begin(p, 0), LENS_OK);
        put_range(p, 1, 3);
        put_range(p, 4, 6);
        p->exporter->close(p->self);
        whole = contents(p->samples);
        size = strlen(whole);

        for (size_t cut = 0; cut <= size; cut++) {
            g_autofree char *again = NULL;
            uint64_t records = 0;

            /* What is whole may have been told to the host, but for the last two. */
            for (size_t k = 0; k < cut; k++)
                records += whole[k] == '\n';
            if (strcmp(cases[i].name, "csv") == 0 && records > 0)
                records--;
            records = records > 2 ? records - 2 : 0;
            assert_true(g_file_set_contents(p->samples, whole, (gssize)cut, NULL));
            assert_int_equal(open_exporter(p, cases[i].name, cases[i].settings), LENS_OK);
            assert_int_equal(begin(p, records), LENS_OK);
            put_range(p, records + 1, 6);
            p->exporter->close(p->self);
            again = contents(p->samples);
            assert_string_equal(again, whole);
        }
    }
}

static void
files_that_lack_what_was_delivered_say_so(void **state)
{
    struct place *p = *state;
    const struct setting settings[] = {
        { "path", p->samples }, { "what", "samples" }, { "columns", "id" }, { 0 }
    };
    static const char *const files[] = { "", "id\n1\n2\n", "id\n1\n2\n3",
                                         "x\n1\n2\n3\n" };

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        assert_true(g_file_set_contents(p->samples, files[i], -1, NULL));
        assert_int_equal(open_exporter(p, "csv", settings), LENS_OK);
        assert_int_equal(begin(p, 3), LENS_E_UNSUPPORTED);
        assert_int_equal(begin(p, 0), LENS_OK);
        put_range(p, 1, 3);
        p->exporter->close(p->self);
        {
            g_autofree char *text = contents(p->samples);

            assert_string_equal(text, "id\n1\n2\n3\n");
        }
    }
}

/* A line end inside quotes ends no record. */
static void
csv_counts_records_not_lines(void **state)
{
    struct place *p = *state;
    const struct setting settings[] = { { "path", p->samples },
                                        { "what", "samples" },
                                        { "columns", "id+error_detail" },
                                        { 0 } };
    struct lens_sample two[] = { make_sample(1), make_sample(2) };
    struct lens_delivery d;
    g_autofree char *text = NULL;

    two[0].error_detail = "one\ntwo \"three\",\r\n";
    assert_int_equal(open_exporter(p, "csv", settings), LENS_OK);
    assert_int_equal(begin(p, 0), LENS_OK);
    assert_int_equal(put(p, two, 2, &d), LENS_OK);
    assert_int_equal(begin(p, 1), LENS_OK);
    assert_int_equal(put(p, &two[1], 1, &d), LENS_OK);
    p->exporter->close(p->self);
    text = contents(p->samples);
    assert_string_equal(text, "id,error_detail\n1,\"one\ntwo \"\"three\"\",\r\n\"\n2,\n");
}

/* ---- csv ---- */

static void
csv_has_the_columns_that_were_asked_for(void **state)
{
    struct place *p = *state;
    const struct setting settings[] = { { "path", p->samples },
                                        { "what", "samples" },
                                        { "columns",
                                          "target+ttft+e2e_ms+ttft_text+stage+reused" },
                                        { 0 } };
    g_autofree char *text = NULL;

    assert_int_equal(open_exporter(p, "csv", settings), LENS_OK);
    assert_int_equal(begin(p, 0), LENS_OK);
    put_range(p, 1, 1);
    p->exporter->close(p->self);
    text = contents(p->samples);
    assert_string_equal(text, "target,ttft,e2e_ms,ttft_text,stage,reused\n"
                              "\"a,b\",10,50,,\"low \"\"1\"\"\",false\n");
}

static void
csv_refuses_columns_that_are_not_there(void **state)
{
    struct place *p = *state;
    const struct setting samples[] = {
        { "path", p->samples }, { "what", "samples" }, { "columns", "id+tfft" }, { 0 }
    };
    const struct setting summary[] = {
        { "path", p->samples }, { "what", "summary" }, { "columns", "target+ttft" }, { 0 }
    };

    assert_int_equal(open_exporter(p, "csv", samples), LENS_E_CONFIG);
    assert_non_null(strstr(p->bench.complaint, "`tfft`"));
    assert_non_null(strstr(p->bench.complaint, "ttft_ms"));
    assert_int_equal(open_exporter(p, "csv", summary), LENS_E_CONFIG);
    assert_non_null(strstr(p->bench.complaint, "`ttft`"));
    assert_false(g_file_test(p->samples, G_FILE_TEST_EXISTS));
}

static void
csv_shows_the_summary_by_the_names_of_its_json(void **state)
{
    struct place *p = *state;
    const struct setting settings[] = {
        { "path", p->path },
        { "what", "summary" },
        { "columns",
          "target+requests.ok+ttft.p99+latency.ttft.p50+verdict+goodput.ratio" },
        { 0 }
    };
    const struct lens_quantile quantiles[] = { { 0.5, 12.5 }, { 0.99, NAN } };
    const struct lens_metric metrics[] = { { .name = "ttft",
                                             .count = 3,
                                             .quantiles = quantiles,
                                             .quantile_count = 2,
                                             .quantile_size = sizeof quantiles[0] } };
    const struct lens_number numbers[] = { { "requests.ok", "requests", 9 } };
    const struct lens_result results[] = { { .target = 1,
                                             .metrics = metrics,
                                             .metric_count = 1,
                                             .metric_size = sizeof metrics[0],
                                             .numbers = numbers,
                                             .number_count = 1,
                                             .number_size = sizeof numbers[0],
                                             .verdict = "VALID" } };
    const struct lens_summary summary = { .struct_size = sizeof summary,
                                          .results = results,
                                          .result_count = 1,
                                          .result_size = sizeof results[0] };
    struct lens_delivery d = { .struct_size = sizeof d };
    g_autofree char *text = NULL;

    assert_int_equal(open_exporter(p, "csv", settings), LENS_OK);
    assert_int_equal(begin(p, 5), LENS_OK);
    assert_int_equal(p->exporter->end(p->self, &summary, &d), LENS_OK);
    p->exporter->close(p->self);
    text = contents(p->path);
    assert_string_equal(
        text,
        "target,requests.ok,latency.ttft.p99,latency.ttft.p50,verdict,goodput.ratio\n"
        "c,9,,12.5,VALID,\n");
}

/* ---- trouble ---- */

static void
a_full_disk_is_worth_another_try(void **state)
{
    struct place *p = *state;
    const struct setting settings[] = { { "path", p->path },
                                        { "samples", "/dev/full" },
                                        { 0 } };
    struct lens_sample s = make_sample(1);
    struct lens_delivery d;

    assert_int_equal(open_exporter(p, "json", settings), LENS_OK);
    assert_int_equal(begin(p, 0), LENS_OK);
    assert_int_equal(put(p, &s, 1, &d), LENS_E_IO);
    assert_int_equal(d.delivered_prefix, 0);
    assert_int_not_equal(d.verdict, LENS_DELIVERY_OK);
    assert_non_null(strstr(p->bench.complaint, "/dev/full: No space left on device"));
    p->exporter->close(p->self);
}

static void
a_place_that_cannot_be_written_is_told_at_once(void **state)
{
    struct place *p = *state;
    const struct setting cases[][4] = {
        { { "path", "/nowhere/at/all" }, { 0 } },
        { { "path", p->path }, { "samples", "/nowhere/at/all" }, { 0 } },
        { { "path", p->path }, { "samples", p->path }, { 0 } },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_int_equal(open_exporter(p, "json", cases[i]), LENS_E_CONFIG);
        assert_non_null(
            strstr(p->bench.complaint, i < 2 ? "/nowhere/at/all" : "same file"));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(json_tells_all_of_a_sample),
        TEST(json_tells_how_a_request_failed),
        TEST(json_summary_is_replaced_as_a_whole),
        TEST(files_go_on_behind_the_last_delivered_record),
        TEST(files_that_lack_what_was_delivered_say_so),
        TEST(csv_counts_records_not_lines),
        TEST(csv_has_the_columns_that_were_asked_for),
        TEST(csv_refuses_columns_that_are_not_there),
        TEST(csv_shows_the_summary_by_the_names_of_its_json),
        TEST(a_full_disk_is_worth_another_try),
        TEST(a_place_that_cannot_be_written_is_told_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
