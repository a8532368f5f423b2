/* Line protocol, and what becomes of lines when a server refuses some. The server is a
 * script that answers as InfluxDB's documents say; tests/peers has real ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "../../plugins/exporters/influxdb/line.h"
#include "../../plugins/exporters/influxdb/send.h"

/* ---- lines ---- */

static void
expect_line(struct lines *l, const char *text)
{
    g_autofree char *got = g_strndup(l->text.data, l->text.size);

    assert_string_equal(got, text);
    lines_rewind(l);
}

static void
tag_values_are_escaped(void **state)
{
    static const struct {
        const char *value, *line;
    } cases[] = {
        { "plain", "m,k=plain f=1i 5\n" },
        { "a,b=c d", "m,k=a\\,b\\=c\\ d f=1i 5\n" },
        { "a\"b", "m,k=a\"b f=1i 5\n" },
        { "m\xc3\xa9 \xf0\x9f\x98\x80", "m,k=m\xc3\xa9\\ \xf0\x9f\x98\x80 f=1i 5\n" },
        { "in\\side", "m,k=in\\side f=1i 5\n" },
        { "end\\", "m,k=end/ f=1i 5\n" },
        { "two\\\\", "m,k=two// f=1i 5\n" },
        { "c:\\ x", "m,k=c:/\\ x f=1i 5\n" },
        { "b\\,c", "m,k=b/\\,c f=1i 5\n" },
        { "l\nine\tx\x7f", "m,k=l\\ ine\\ x\\  f=1i 5\n" },
        { "b\\\nc", "m,k=b/\\ c f=1i 5\n" },
        { "", "m f=1i 5\n" },
        { NULL, "m f=1i 5\n" },
        { "#", "m,k=# f=1i 5\n" },
    };
    struct lines l = { 0 };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        line_begin(&l, "m");
        line_tag(&l, "k", cases[i].value);
        line_int(&l, "f", 1);
        line_end(&l, 5);
        expect_line(&l, cases[i].line);
    }
    line_begin(&l, "a b,c=d");
    line_int(&l, "x y,z=w", 1);
    line_end(&l, 0);
    expect_line(&l, "a\\ b\\,c=d x\\ y\\,z\\=w=1i 0\n");
    lines_clear(&l);
}

static void
values_have_the_forms_of_their_types(void **state)
{
    struct lines l = { 0 };

    (void)state;
    line_begin(&l, "m");
    line_float(&l, "a", 1.5);
    line_float(&l, "b", NAN);
    line_float(&l, "c", INFINITY);
    line_int(&l, "d", INT64_MIN);
    line_bool(&l, "e", 1);
    line_string(&l, "f", "say \"hi\" \\ to\nme, = x");
    line_string(&l, "g", NULL);
    line_string(&l, "h", "");
    line_seconds(&l, "i", 40005162);
    line_seconds(&l, "j", INT64_C(-1500000000));
    line_seconds(&l, "k", 0);
    line_end(&l, INT64_C(1700000000000000001));
    expect_line(&l, "m a=1.5,d=-9223372036854775808i,e=true,"
                    "f=\"say \\\"hi\\\" \\\\ to me, = x\",h=\"\",i=0.040005162,j=-1.5,"
                    "k=0.0 1700000000000000001\n");
    line_begin(&l, "m"); /* a point without a field is none */
    line_tag(&l, "k", "v");
    line_float(&l, "f", NAN);
    line_end(&l, 1);
    expect_line(&l, "");
    lines_clear(&l);
}

/* No string is cut inside of a character, however long it is. */
static void
long_strings_are_cut_between_characters(void **state)
{
    struct lines l = { 0 };
    g_autoptr(GString) text = g_string_new("x");

    (void)state;
    while (text->len < 10000)
        g_string_append(text, "\xe2\x82\xac");
    line_begin(&l, "m");
    line_string(&l, "f", text->str);
    line_end(&l, 1);
    assert_true(l.text.size < 9000);
    assert_true(g_utf8_validate(l.text.data, (gssize)l.text.size, NULL));
    lines_clear(&l);
}

static void
names_that_influxdb_keeps_for_itself_are_refused(void **state)
{
    (void)state;
    assert_null(line_bad_key("team"));
    assert_null(line_bad_key("a b"));
    assert_non_null(line_bad_key(""));
    assert_non_null(line_bad_key("_field"));
    assert_non_null(line_bad_key("time"));
    assert_non_null(line_bad_key("a\nb"));
}

/* ---- a scripted server ---- */

enum style { STYLE_V1, STYLE_V2, STYLE_V3, STYLE_V3_NONSENSE };

struct server {
    struct lens_host host; /* first */
    enum style style;
    const char *ping_version;         /* NULL: none */
    int32_t ping_status, only_status; /* 0: as the lines deserve */
    const char *only_body;
    int32_t after; /* so many posts are fine before only_status */
    size_t most;   /* longest body; 0: any */
    GHashTable *stored;
    GString *body, *url, *authorization;
    unsigned posts;
    int64_t retry_after_ns;
    GHashTable *settings;
    char *complaint;
};

static const char *
get_string(const struct lens_host *host, const char *name, uint32_t nth)
{
    const struct server *s = (const struct server *)host;

    return nth == 0 ? g_hash_table_lookup(s->settings, name) : NULL;
}

static int64_t
get_int(const struct lens_host *host, const char *name)
{
    return get_string(host, name, 0) != NULL;
}

static int32_t
get_count(const struct lens_host *host, const char *name)
{
    return get_string(host, name, 0) != NULL;
}

static lens_status
take_complaint(const struct lens_host *host, lens_status why, const char *text)
{
    struct server *s = (struct server *)host;

    g_free(s->complaint);
    s->complaint = g_strdup(text);
    return why;
}

static void
take_log(const struct lens_host *host, int32_t level, const char *text)
{
    (void)host, (void)level, (void)text;
}

/* "bad" in a line makes it one. Stores what this version stores; how many were bad. */
static unsigned
take_lines(struct server *s, const struct lens_bytes *data)
{
    g_autofree char *text = g_strndup(data->data, data->size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    unsigned bad = 0;

    for (unsigned i = 0; lines[i] != NULL; i++)
        bad += strstr(lines[i], "bad") != NULL;
    g_string_assign(s->body, "{\"error\":\"partial write of line protocol occurred\","
                             "\"data\":[");
    for (unsigned i = 0; lines[i] != NULL && *lines[i] != '\0'; i++) {
        const bool is_bad = strstr(lines[i], "bad") != NULL;

        if (is_bad)
            g_string_append_printf(s->body, "%s{\"line_number\":%u}",
                                   s->body->str[s->body->len - 1] == '[' ? "" : ",",
                                   s->style == STYLE_V3 ? i + 1 : 99999);
        else if (bad == 0 || s->style != STYLE_V2)
            g_hash_table_add(s->stored, g_strdup(lines[i]));
    }
    g_string_append(s->body, "]}");
    if (s->style == STYLE_V2)
        g_string_assign(s->body,
                        "{\"code\":\"invalid\",\"message\":\"unable to parse\"}");
    if (s->style == STYLE_V1)
        g_string_assign(s->body, "{\"error\":\"partial write: unable to parse 'bad': "
                                 "missing fields dropped=0\"}");
    return bad;
}

static lens_status
exchange(const struct lens_host *host, const struct lens_http_request *request,
         struct lens_http_answer *answer)
{
    static struct lens_pair version;
    struct server *s = (struct server *)host;

    g_string_assign(s->authorization, "");
    for (uint32_t i = 0; i < request->header_count; i++)
        if (strncmp(request->headers[i].name.data, "Authorization", 13) == 0)
            g_string_assign(s->authorization, request->headers[i].value.data);
    answer->retry_after_ns = -1;
    if (strcmp(request->method, "GET") == 0) {
        answer->status = s->ping_status;
        answer->error = "connection refused";
        if (s->ping_version != NULL) {
            version = (struct lens_pair){ { "X-INFLUXDB-VERSION", 18 },
                                          { s->ping_version, strlen(s->ping_version) } };
            answer->headers = &version;
            answer->header_count = 1;
            answer->header_size = sizeof version;
        }
        return s->ping_status == 0 ? LENS_E_IO : LENS_OK;
    }
    g_string_assign(s->url, request->url);
    s->posts++;
    if (s->only_status != 0 && (int32_t)s->posts > s->after) {
        answer->status = s->only_status;
        answer->body = (struct lens_bytes){ s->only_body, strlen(s->only_body) };
        answer->retry_after_ns = s->retry_after_ns;
        return LENS_OK;
    }
    if (s->most > 0 && request->body.size > s->most) {
        answer->status = 413;
        return LENS_OK;
    }
    if (take_lines(s, &request->body) == 0) {
        answer->status = 204;
        return LENS_OK;
    }
    answer->status = 400;
    answer->body = (struct lens_bytes){ s->body->str, s->body->len };
    return LENS_OK;
}

static int
make_server(void **state)
{
    struct server *s = g_new0(struct server, 1);

    s->host = (struct lens_host){ .struct_size = sizeof(struct lens_host),
                                  .abi = LENS_ABI,
                                  .fail = take_complaint,
                                  .log = take_log,
                                  .opt_string = get_string,
                                  .opt_int = get_int,
                                  .opt_count = get_count,
                                  .http = exchange };
    s->stored = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    s->settings = g_hash_table_new(g_str_hash, g_str_equal);
    s->body = g_string_new(NULL);
    s->url = g_string_new(NULL);
    s->authorization = g_string_new(NULL);
    s->ping_status = 204;
    s->only_body = "";
    g_hash_table_insert(s->settings, "url", "http://127.0.0.1:8086");
    g_hash_table_insert(s->settings, "api", "v2");
    *state = s;
    return 0;
}

static int
free_server(void **state)
{
    struct server *s = *state;

    g_hash_table_unref(s->stored);
    g_hash_table_unref(s->settings);
    g_string_free(s->body, TRUE);
    g_string_free(s->url, TRUE);
    g_string_free(s->authorization, TRUE);
    g_free(s->complaint);
    g_free(s);
    return 0;
}

static struct sender
make_sender(struct server *s)
{
    struct sender sender = { .most = 5000 };

    assert_int_equal(influx_api_open(&sender.api, &s->host), LENS_OK);
    assert_int_equal(influx_api_find(&sender.api), LENS_OK);
    return sender;
}

/* Lines 0..count-1; those whose bit is set in `bad` are bad. */
static void
fill(struct lines *l, uint32_t count, const bool *bad)
{
    lines_rewind(l);
    for (uint32_t i = 0; i < count; i++) {
        line_begin(l, bad[i] ? "bad" : "good");
        line_int(l, "id", i);
        line_end(l, i);
    }
}

/* ---- one bad line costs one line ---- */

static void
only_bad_lines_are_refused(void **state)
{
    struct server *s = *state;
    struct lines l = { 0 };

    for (int style = STYLE_V1; style <= STYLE_V3_NONSENSE; style++)
        for (uint32_t count = 1; count <= 24; count++)
            for (uint32_t first = 0; first < count; first++) {
                struct sender sender = make_sender(s);
                bool bad[24] = { false };
                uint32_t expected = 1;

                bad[first] = true;
                if (count % 3 == 0 && first != count / 2) {
                    bad[count / 2] = true;
                    expected = 2;
                }
                s->style = (enum style)style;
                g_hash_table_remove_all(s->stored);
                fill(&l, count, bad);
                assert_int_equal(sender_send(&sender, &l), ANSWER_OK);
                assert_int_equal(sender.done, count);
                assert_int_equal(sender.refused_count, expected);
                for (uint32_t i = 0; i < expected; i++)
                    assert_true(bad[sender.refused[i]]);
                assert_int_equal(g_hash_table_size(s->stored), count - expected);
                sender_close(&sender);
            }
    lines_clear(&l);
}

static void
a_bad_line_among_many_is_found_with_few_posts(void **state)
{
    struct server *s = *state;
    struct sender sender = make_sender(s);
    bool bad[5000] = { false };
    struct lines l = { 0 };

    s->style = STYLE_V2;
    bad[3210] = true;
    fill(&l, 5000, bad);
    assert_int_equal(sender_send(&sender, &l), ANSWER_OK);
    assert_int_equal(sender.refused_count, 1);
    assert_int_equal(sender.refused[0], 3210);
    assert_true(s->posts <= 2 * 13 + 1);
    sender_close(&sender);
    lines_clear(&l);
}

/* Nothing is counted as refused: it is the receiver that takes nothing. */
static void
a_server_that_refuses_all_is_given_up(void **state)
{
    struct server *s = *state;
    struct sender sender = make_sender(s);
    static bool bad[1000];
    struct lines l = { 0 };

    memset(bad, true, sizeof bad);
    s->style = STYLE_V2;
    fill(&l, 1000, bad);
    assert_int_equal(sender_send(&sender, &l), ANSWER_GIVE_UP);
    assert_int_equal(sender.done, 0);
    assert_int_equal(sender.refused_count, 0);
    assert_true(s->posts < 1000);
    sender_close(&sender);
    lines_clear(&l);
}

/* "dropped=N" of all N lines: there is nothing to look for. */
static void
lines_that_were_all_dropped_are_not_tried_again(void **state)
{
    struct server *s = *state;
    struct sender sender = make_sender(s);
    static const bool good[300];
    struct lines l = { 0 };

    s->only_status = 400;
    s->only_body = "{\"error\":\"partial write: points beyond retention policy "
                   "dropped=300\"}";
    fill(&l, 300, good);
    assert_int_equal(sender_send(&sender, &l), ANSWER_OK);
    assert_int_equal(sender.refused_count, 300);
    assert_int_equal(s->posts, 1);
    sender_close(&sender);
    lines_clear(&l);
}

static void
too_big_bodies_are_halved_and_stay_so(void **state)
{
    struct server *s = *state;
    struct sender sender = make_sender(s);
    static const bool good[64];
    struct lines l = { 0 };
    unsigned posts;

    fill(&l, 64, good);
    s->most = l.text.size / 5;
    assert_int_equal(sender_send(&sender, &l), ANSWER_OK);
    assert_int_equal(sender.refused_count, 0);
    assert_int_equal(g_hash_table_size(s->stored), 64);
    posts = s->posts;
    s->posts = 0;
    assert_int_equal(sender_send(&sender, &l), ANSWER_OK);
    assert_true(s->posts < posts);

    s->most = 3; /* not even one fits */
    assert_int_equal(sender_send(&sender, &l), ANSWER_OK);
    assert_int_equal(sender.refused_count, 64);
    sender_close(&sender);
    lines_clear(&l);
}

static void
what_was_taken_before_trouble_counts(void **state)
{
    static const struct {
        int32_t status;
        enum answer_act act;
    } cases[] = {
        { 503, ANSWER_LATER },   { 429, ANSWER_LATER },   { 500, ANSWER_LATER },
        { 401, ANSWER_GIVE_UP }, { 404, ANSWER_GIVE_UP }, { 301, ANSWER_GIVE_UP },
    };
    struct server *s = *state;
    static const bool good[25];
    struct lines l = { 0 };

    fill(&l, 25, good);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct sender sender = make_sender(s);

        sender.most = 10;
        s->posts = 0;
        s->after = 2;
        s->only_status = cases[i].status;
        s->retry_after_ns = 7;
        assert_int_equal(sender_send(&sender, &l), cases[i].act);
        assert_int_equal(sender.done, 20);
        assert_int_equal(sender.retry_after_ns, 7);
        assert_non_null(strstr(sender.api.why, "answered"));
        sender_close(&sender);
    }
    lines_clear(&l);
}

/* ---- the interface ---- */

static void
the_interface_is_found_by_ping(void **state)
{
    static const struct {
        const char *version, *organization, *token, *user;
        int32_t status;
        const char *path, *authorization;
    } cases[] = {
        { "1.6.7~rc0", NULL, NULL, NULL, 204, "/write?db=lens", "" },
        { "1.8.10", NULL, NULL, "u", 204, "/write?db=lens", "Basic dTo=" },
        { "v2.7.12", "o/1", "t", NULL, 204,
          "/api/v2/write?precision=ns&bucket=lens&org=o%2F1", "Token t" },
        { "3.2.1", NULL, "t", NULL, 200,
          "/api/v3/write_lp?precision=nanosecond&accept_partial=true&no_sync=false"
          "&db=lens",
          "Bearer t" },
        { NULL, NULL, "t", NULL, 401,
          "/api/v3/write_lp?precision=nanosecond&accept_partial=true&no_sync=false"
          "&db=lens",
          "Bearer t" },
        { NULL, "o", "t", NULL, 404, "/api/v2/write?precision=ns&bucket=lens&org=o",
          "Token t" },
        { NULL, NULL, NULL, NULL, 404, "/write?db=lens", "" },
        { NULL, NULL, NULL, NULL, 501, "/write?db=lens", "" },
    };
    struct server *s = *state;
    static const bool good[1];
    struct lines l = { 0 };

    fill(&l, 1, good);
    g_hash_table_insert(s->settings, "api", "auto");
    g_hash_table_insert(s->settings, "url", "http://127.0.0.1:8086/");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct sender sender;
        g_autofree char *url = g_strconcat("http://127.0.0.1:8086", cases[i].path, NULL);

        g_hash_table_insert(s->settings, "org", (void *)cases[i].organization);
        g_hash_table_insert(s->settings, "token", (void *)cases[i].token);
        g_hash_table_insert(s->settings, "username", (void *)cases[i].user);
        s->ping_version = cases[i].version;
        s->ping_status = cases[i].status;
        sender = make_sender(s);
        assert_int_equal(sender_send(&sender, &l), ANSWER_OK);
        assert_string_equal(s->url->str, url);
        assert_string_equal(s->authorization->str, cases[i].authorization);
        sender_close(&sender);
    }
    lines_clear(&l);
}

static void
nobody_there_is_tried_again(void **state)
{
    static const int32_t statuses[] = { 0, 503, 429 };
    struct server *s = *state;

    g_hash_table_insert(s->settings, "api", "auto");
    for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++) {
        struct influx_api api = { 0 };

        s->ping_status = statuses[i];
        assert_int_equal(influx_api_open(&api, &s->host), LENS_OK);
        assert_int_equal(influx_api_find(&api), LENS_E_IO);
        assert_non_null(strstr(api.why, "127.0.0.1:8086"));
        s->ping_status = 204;
        assert_int_equal(influx_api_find(&api), LENS_OK);
        influx_api_close(&api);
    }
}

int
main(void)
{
#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, make_server, free_server)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tag_values_are_escaped),
        cmocka_unit_test(values_have_the_forms_of_their_types),
        cmocka_unit_test(long_strings_are_cut_between_characters),
        cmocka_unit_test(names_that_influxdb_keeps_for_itself_are_refused),
        WITH_SERVER(only_bad_lines_are_refused),
        WITH_SERVER(a_bad_line_among_many_is_found_with_few_posts),
        WITH_SERVER(a_server_that_refuses_all_is_given_up),
        WITH_SERVER(lines_that_were_all_dropped_are_not_tried_again),
        WITH_SERVER(too_big_bodies_are_halved_and_stay_so),
        WITH_SERVER(what_was_taken_before_trouble_counts),
        WITH_SERVER(the_interface_is_found_by_ping),
        WITH_SERVER(nobody_there_is_tried_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
