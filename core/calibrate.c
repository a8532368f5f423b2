#include "calibrate.h"

#include <curl/curl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <signal.h>
#include <string.h>

#include "error.h"

struct calibrator {
    calibrate_settings settings;
    GSubprocess *mock;
    char *url;
    char *directory; /* for the files of a run */
};

static void
append_plugin_flags(GPtrArray *argv, const calibrate_settings *s)
{
    for (const char *const *flag = s->plugin_flags; flag != NULL && *flag != NULL; flag++)
        g_ptr_array_add(argv, g_strdup(*flag));
}

static GPtrArray *
command_new(const calibrate_settings *s, const char *command)
{
    GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(argv, g_strdup(s->program));
    append_plugin_flags(argv, s);
    g_ptr_array_add(argv, g_strdup(command));
    return argv;
}

G_GNUC_PRINTF(2, 3)
static void
append_argument(GPtrArray *argv, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    g_ptr_array_add(argv, g_strdup_vprintf(format, values));
    va_end(values);
}

/* "listening on URL" is the first line of the mock. */
static bool
read_url(calibrator *c, GError **error)
{
    g_autoptr(GDataInputStream) lines =
        g_data_input_stream_new(g_subprocess_get_stdout_pipe(c->mock));
    g_autofree char *line = NULL;

    g_filter_input_stream_set_close_base_stream(G_FILTER_INPUT_STREAM(lines), FALSE);
    line = g_data_input_stream_read_line(lines, NULL, NULL, error);
    if (line != NULL && g_str_has_prefix(line, "listening on ")) {
        c->url = g_strdup(line + strlen("listening on "));
        return true;
    }
    g_clear_error(error);
    g_set_error(error, LENS_ERROR, LENS_ERROR_SYSTEM, "the mock did not start");
    return false;
}

static bool
start_mock(calibrator *c, GError **error)
{
    const calibrate_settings *s = &c->settings;
    g_autoptr(GPtrArray) argv = command_new(s, "mock");

    append_argument(argv, "--port=0");
    append_argument(argv, "--ttft=%" G_GINT64_FORMAT "us", s->ttft_ns / 1000);
    append_argument(argv, "--itl=%" G_GINT64_FORMAT "us", s->itl_ns / 1000);
    append_argument(argv, "--tokens=%" G_GINT64_FORMAT, s->tokens);
    append_argument(argv, "--seed=1");
    g_ptr_array_add(argv, NULL);
    c->mock = g_subprocess_newv((const char *const *)argv->pdata,
                                G_SUBPROCESS_FLAGS_STDOUT_PIPE, error);
    return c->mock != NULL && read_url(c, error);
}

calibrator *
calibrator_new(const calibrate_settings *s, GError **error)
{
    calibrator *c = g_new0(calibrator, 1);

    c->settings = *s;
    c->directory = g_dir_make_tmp("lens-calibrate-XXXXXX", error);
    if (c->directory != NULL && start_mock(c, error))
        return c;
    calibrator_free(c);
    return NULL;
}

static void
remove_files(const char *directory)
{
    GDir *dir = g_dir_open(directory, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(directory, name, NULL);

        g_unlink(path);
    }
    g_clear_pointer(&dir, g_dir_close);
    g_rmdir(directory);
}

void
calibrator_free(calibrator *c)
{
    if (c == NULL)
        return;
    if (c->mock != NULL) {
        g_subprocess_send_signal(c->mock, SIGTERM);
        g_subprocess_wait(c->mock, NULL, NULL);
        g_object_unref(c->mock);
    }
    if (c->directory != NULL)
        remove_files(c->directory);
    g_free(c->directory);
    g_free(c->url);
    g_free(c);
}

static size_t
collect(char *data, size_t size, size_t count, void *to)
{
    g_string_append_len(to, data, (gssize)(size * count));
    return size * count;
}

/* Asks the mock; the answer's text. */
static char *
ask_mock(const calibrator *c, const char *path, bool post, GError **error)
{
    g_autofree char *url = g_strconcat(c->url, path, NULL);
    GString *text = g_string_new(NULL);
    CURL *easy = curl_easy_init();
    CURLcode result;

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, 30L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, text);
    if (post)
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
    result = curl_easy_perform(easy);
    curl_easy_cleanup(easy);
    if (result == CURLE_OK)
        return g_string_free(text, FALSE);
    g_string_free(text, TRUE);
    g_set_error(error, LENS_ERROR, LENS_ERROR_REACH, "%s: %s", url,
                curl_easy_strerror(result));
    return NULL;
}

static double
member_number(JsonObject *from, const char *name, double scale)
{
    JsonNode *node = from != NULL ? json_object_get_member(from, name) : NULL;

    return node != NULL && JSON_NODE_HOLDS_VALUE(node)
               ? json_node_get_double(node) / scale
               : NAN;
}

static JsonObject *
member_object(JsonObject *from, const char *name)
{
    JsonNode *node = from != NULL ? json_object_get_member(from, name) : NULL;

    return node != NULL && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node)
                                                        : NULL;
}

static void
take_stats(JsonObject *from, double scale, double to[static CALIBRATE_STATS])
{
    static const char *const names[] = { "p50", "p99", "max" };

    for (int i = 0; i < CALIBRATE_STATS; i++)
        to[i] = member_number(from, names[i], scale);
}

static bool
take_truth(const calibrator *c, struct calibrate_row *row, GError **error)
{
    g_autofree char *text = ask_mock(c, "/truth", false, error);
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *truth;

    if (text == NULL || !json_parser_load_from_data(parser, text, -1, error))
        return false;
    truth = json_node_get_object(json_parser_get_root(parser));
    take_stats(member_object(member_object(truth, "ttft"), "from_kernel"), 1e6,
               row->truth.ttft);
    take_stats(member_object(truth, "itl"), 1e6, row->truth.itl);
    return true;
}

static bool
take_summary(const char *path, struct calibrate_row *row, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *summary, *result, *latency, *requests;
    JsonArray *results;

    if (!json_parser_load_from_file(parser, path, error))
        return false;
    summary = json_node_get_object(json_parser_get_root(parser));
    results = json_object_get_array_member(summary, "results");
    if (results == NULL || json_array_get_length(results) == 0) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_FILE, "%s: no results", path);
        return false;
    }
    result = json_array_get_object_element(results, 0);
    latency = member_object(result, "latency");
    requests = member_object(result, "requests");
    take_stats(member_object(latency, "ttft"), 1, row->reported.ttft);
    take_stats(member_object(latency, "itl"), 1, row->reported.itl);
    row->merged = member_number(member_object(result, "client"), "merged", 1);
    row->requests = (int64_t)member_number(requests, "ok", 1);
    g_free(row->verdict);
    row->verdict = g_strdup(json_object_get_string_member_with_default(
        member_object(result, "verdict"), "state", ""));
    return true;
}

static GPtrArray *
run_command(const calibrator *c, const struct calibrate_row *row, const char *summary)
{
    GPtrArray *argv = command_new(&c->settings, "run");

    append_argument(argv, "%s", c->url);
    append_argument(argv, "--concurrency=%" G_GINT64_FORMAT, row->concurrency);
    append_argument(argv, "--requests=%" G_GINT64_FORMAT, row->requests);
    append_argument(argv, "--max-tokens=%" G_GINT64_FORMAT, c->settings.tokens);
    append_argument(argv, "--model=mock-model");
    append_argument(argv, "--seed=1");
    append_argument(argv, "--clock=%s", row->clock);
    append_argument(argv, "--export");
    append_argument(argv, "json:path=%s", summary);
    append_argument(argv, "--out=%s/calibrate.lens", c->directory);
    append_argument(argv, "--force");
    append_argument(argv, "--quiet");
    g_ptr_array_add(argv, NULL);
    return argv;
}

bool
calibrator_measure(calibrator *c, struct calibrate_row *row, GError **error)
{
    g_autofree char *summary = g_build_filename(c->directory, "summary.json", NULL);
    g_autoptr(GPtrArray) argv = run_command(c, row, summary);
    g_autofree char *reset = ask_mock(c, "/truth/reset", true, error);
    g_autofree char *talk = NULL;
    g_autoptr(GSubprocess) run = NULL;

    if (reset == NULL)
        return false;
    g_unlink(summary);
    run = g_subprocess_newv(
        (const char *const *)argv->pdata,
        G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_PIPE, error);
    if (run == NULL ||
        !g_subprocess_communicate_utf8(run, NULL, NULL, NULL, &talk, error))
        return false;
    if (!g_subprocess_get_successful(run)) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_SYSTEM,
                    "lens run failed with %" G_GINT64_FORMAT " in flight: %s",
                    row->concurrency, g_strstrip(talk));
        return false;
    }
    return take_summary(summary, row, error) && take_truth(c, row, error);
}
