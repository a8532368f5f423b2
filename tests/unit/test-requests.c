/* What the providers cohere, http, mistral, ollama and tgi ask for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"

static registry *plugins;

static const struct lens_part hello = { .kind = LENS_PART_TEXT,
                                        .data = { "Say \"hi\"\n", 9 } };
static const struct lens_part rules = { .kind = LENS_PART_TEXT,
                                        .data = { "Be brief", 8 } };
static const struct lens_turn turns[] = {
    { .role = LENS_ROLE_SYSTEM,
      .parts = &rules,
      .part_count = 1,
      .part_size = sizeof rules },
    { .role = LENS_ROLE_USER,
      .parts = &hello,
      .part_count = 1,
      .part_size = sizeof hello },
};
static const struct lens_bytes stop = { "END", 3 };

enum { FULL = 1, WHOLE = 2 };

/* One question, streamed, of model m; FULL: with all parameters, WHOLE: without stream.
 */
static struct lens_ask
make_ask(int how, const char *extra)
{
    struct lens_ask ask = {
        .struct_size = sizeof ask,
        .flags = how & WHOLE ? 0 : LENS_ASK_STREAM,
        .model = { "m", 1 },
        .turns = turns + 1,
        .turn_count = 1,
        .turn_size = sizeof turns[0],
        .stop_size = sizeof stop,
        .header_size = sizeof(struct lens_pair),
        .extra = { extra, extra != NULL ? strlen(extra) : 0 },
    };

    if (how & FULL) {
        ask.turns = turns;
        ask.turn_count = 2;
        ask.set = LENS_SET_TEMPERATURE | LENS_SET_TOP_P | LENS_SET_TOP_K | LENS_SET_SEED |
                  LENS_SET_MAX_OUTPUT;
        ask.temperature = 0.5;
        ask.top_p = 0.9;
        ask.top_k = 40;
        ask.seed = 7;
        ask.max_output = 64;
        ask.stop = &stop;
        ask.stop_count = 1;
    }
    return ask;
}

static const struct {
    const char *api, *options; /* one a line */
    int how;
    const char *extra;
    const char *line, *body;
} cases[] = {
    { "cohere.v2chat", "url=http://h", 0, NULL, "POST http://h/v2/chat",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Say "
      "\\\"hi\\\"\\n\"}],"
      "\"stream\":true}" },
    { "cohere.v2chat", "url=http://h/v2/\nthinking=disabled\npriority=0", FULL,
      "{\"k\":1}", "POST http://h/v2/chat",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Be "
      "brief\"},{\"role\":"
      "\"user\",\"content\":\"Say \\\"hi\\\"\\n\"}],\"stream\":true,\"max_tokens\":64,"
      "\"temperature\":0.5,\"p\":0.9,\"seed\":7,\"stop_sequences\":[\"END\"],"
      "\"thinking\":{"
      "\"type\":\"disabled\"},\"priority\":0,\"k\":1}" },
    { "mistral.chat", "url=http://h", FULL, NULL, "POST http://h/v1/chat/completions",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Be "
      "brief\"},{\"role\":"
      "\"user\",\"content\":\"Say \\\"hi\\\"\\n\"}],\"stream\":true,\"max_tokens\":64,"
      "\"temperature\":0.5,\"top_p\":0.9,\"random_seed\":7,\"stop\":[\"END\"]}" },
    { "mistral.chat", "url=http://h/v1\nsafe_prompt=true\nprompt_mode=reasoning", WHOLE,
      NULL, "POST http://h/v1/chat/completions",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Say "
      "\\\"hi\\\"\\n\"}],"
      "\"stream\":false,\"safe_prompt\":true,\"prompt_mode\":\"reasoning\"}" },
    { "ollama.chat", "url=http://h:1/\nthink=high\nkeep_alive=-1", FULL,
      "{\"options\":{\"top_k\":9,\"num_gpu\":1},\"truncate\":false}",
      "POST http://h:1/api/chat",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Be "
      "brief\"},{\"role\":"
      "\"user\",\"content\":\"Say \\\"hi\\\"\\n\"}],\"stream\":true,\"think\":\"high\","
      "\"keep_alive\":-1,\"options\":{\"num_predict\":64,\"temperature\":0.5,\"top_p\":0."
      "9,"
      "\"top_k\":9,\"seed\":7,\"stop\":[\"END\"],\"num_gpu\":1},\"truncate\":false}" },
    { "ollama.generate", "url=http://h:1/api\nraw=true\nthink=false", WHOLE, NULL,
      "POST http://h:1/api/generate",
      "{\"model\":\"m\",\"prompt\":\"Say "
      "\\\"hi\\\"\\n\",\"stream\":false,\"think\":false,"
      "\"raw\":true,\"options\":{}}" },
    { "tgi.generate_stream", "url=http://h", FULL,
      "{\"parameters\":{\"watermark\":true}}", "POST http://h/generate_stream",
      "{\"inputs\":\"Be brief\\n\\nSay \\\"hi\\\"\\n\",\"parameters\":{\"details\":true,"
      "\"max_new_tokens\":64,\"do_sample\":true,\"temperature\":0.5,\"top_p\":0.9,"
      "\"top_k\":40,\"seed\":7,\"stop\":[\"END\"],\"watermark\":true}}" },
    { "tgi.generate_stream", "url=http://h/generate_stream", WHOLE, NULL,
      "POST http://h/generate",
      "{\"inputs\":\"Say \\\"hi\\\"\\n\",\"parameters\":{\"details\":true}}" },
    { "tgi.generate", "url=http://h", 0, NULL, "POST http://h/generate",
      "{\"inputs\":\"Say \\\"hi\\\"\\n\",\"parameters\":{\"details\":true}}" },
    { "http.request", "url=http://h/x", FULL, NULL, "POST http://h/x",
      "{\"model\":\"m\",\"prompt\":\"Be brief\\n\\nSay \\\"hi\\\"\\n\",\"max_tokens\":64,"
      "\"temperature\":0.5,\"seed\":7,\"stream\":true}" },
    /* What is not set goes with its member or element, or has a default. */
    { "http.request",
      "url=http://h\nbody={\"a\":[{{seed}},1,{{top_k}}],\"b\":{\"t\":{{temperature}}},"
      "\"c\":\"{{system}}\",\"d\":\"<{{system}}>\",\"e\":{{max_tokens|9}},\"f\":{{n|null}"
      "},"
      "\"g\":\"{{user}}!\"}",
      0, NULL, "POST http://h",
      "{\"a\":[1],\"b\":{},\"d\":\"<>\",\"e\":9,\"f\":null,\"g\":\"Say "
      "\\\"hi\\\"\\n!\"}" },
    { "http.request",
      "url=http://h\nbody={\"m\":{{messages}},\"s\":{{stop}},\"k\":{\"a\":1}}", FULL,
      "{\"k\":{\"b\":2}}", "POST http://h",
      "{\"m\":[{\"role\":\"system\",\"content\":\"Be "
      "brief\"},{\"role\":\"user\",\"content\":"
      "\"Say \\\"hi\\\"\\n\"}],\"s\":[\"END\"],\"k\":{\"a\":1,\"b\":2}}" },
    { "http.request",
      "url=http://h?v=1\npath=/m/{{model}}/{{user}}\npath_whole=/w\nmethod=GET", 0, NULL,
      "GET http://h/m/m/Say%20%22hi%22%0A?v=1", "" },
    { "http.request",
      "url=http://h\npath=/s\npath_whole=/w\nbody=q={{prompt}}&n={{n|1}}\n"
      "body_form=form",
      WHOLE, NULL, "POST http://h/w", "q=Say%20%22hi%22%0A&n=1" },
    { "http.request", "url=http://h\nbody=<q>{{prompt}}</q>\nbody_form=text", 0, NULL,
      "POST http://h", "<q>Say \"hi\"\n</q>" },
};

static void
set_options(option_values *values, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GError) error = NULL;

    for (char **at = lines; *at != NULL; at++) {
        char *equals = strchr(*at, '=');

        *equals = '\0';
        assert_true(option_values_set(values, *at, equals + 1, &error));
    }
}

static void
every_ask_becomes_its_request(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) names = g_strsplit(cases[i].api, ".", 2);
        g_autoptr(GError) error = NULL;
        const plugin *p = registry_find(plugins, LENS_KIND_OF_PROVIDER, names[0], &error);
        const int api = p != NULL ? provider_api(p, names[1], &error) : -1;
        const struct lens_ask ask = make_ask(cases[i].how, cases[i].extra);
        g_autoptr(option_values) options = NULL;
        struct lens_request request;
        g_autofree char *line = NULL, *body = NULL;
        instance *one;

        assert_true(api >= 0);
        options = option_values_new(&p->ops.provider.options, names[0]);
        set_options(options, cases[i].options);
        assert_true(option_values_finish(options, true, &error));
        one = provider_open(p, (unsigned)api, options, 0, &error);
        assert_non_null(one);
        lens_request_init(&request);
        assert_int_equal(p->ops.provider.describe(one->self, &ask, &request), LENS_OK);
        line = g_strdup_printf("%s %s", request.method.data, request.url.data);
        body =
            g_strndup(request.body.size > 0 ? request.body.data : "", request.body.size);
        assert_string_equal(line, cases[i].line);
        assert_string_equal(body, cases[i].body);
        lens_request_clear(&request);
        instance_close(one);
    }
}

/* OLLAMA_HOST is often no URL. */
static void
an_address_in_a_variable_becomes_a_url(void **state)
{
    static const struct {
        const char *variable, *url;
    } hosts[] = {
        { "http://a:1", "http://a:1" },
        { "box", "http://box:11434" },
        { "box:8080", "http://box:8080" },
        { ":8080", "http://127.0.0.1:8080" },
        { "0.0.0.0", "http://0.0.0.0:11434" },
        { "[::1]:9", "http://[::1]:9" },
        { "https://a/ollama", "https://a/ollama" },
    };
    g_autoptr(GError) error = NULL;
    const plugin *p = registry_find(plugins, LENS_KIND_OF_PROVIDER, "ollama", &error);

    (void)state;
    assert_non_null(p);
    for (unsigned i = 0; i < G_N_ELEMENTS(hosts); i++) {
        g_autoptr(option_values) options =
            option_values_new(&p->ops.provider.options, "ollama");

        g_setenv("OLLAMA_HOST", hosts[i].variable, TRUE);
        assert_true(option_values_finish(options, true, &error));
        assert_string_equal(option_values_string(options, "url", 0), hosts[i].url);
    }
    g_unsetenv("OLLAMA_HOST");
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_ask_becomes_its_request),
        cmocka_unit_test(an_address_in_a_variable_becomes_a_url),
    };
    static const char *const dirs[] = { PLUGINS, NULL };
    int failed;

    plugins = registry_new(dirs, false);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    registry_free(plugins);
    return failed;
}
