/* What the providers openai, azure and compat ask for, and what their mocks understand.
 */
#include "asked.h"

static void
the_url_is_joined_with_or_without_v1(void **state)
{
    static const struct {
        const char *api, *base, *url;
    } cases[] = {
        { "compat.chat", "http://h:8000", "http://h:8000/v1/chat/completions" },
        { "compat.chat", "http://h:8000/", "http://h:8000/v1/chat/completions" },
        { "compat.chat", "http://h:8000/v1", "http://h:8000/v1/chat/completions" },
        { "compat.chat", "http://h:8000/v1/", "http://h:8000/v1/chat/completions" },
        { "compat.chat", "http://[::1]:8000", "http://[::1]:8000/v1/chat/completions" },
        { "compat.chat", "https://h/openai/v1", "https://h/openai/v1/chat/completions" },
        { "compat.chat", "https://h/api/v3", "https://h/api/v3/chat/completions" },
        { "compat.completions", "http://h", "http://h/v1/completions" },
        { "compat.responses", "http://h", "http://h/v1/responses" },
        { "openai.chat", "https://h/v1", "https://h/v1/chat/completions" },
        { "compat.chat", "http://h/v1/chat/completions/",
          "http://h/v1/chat/completions" },
        { "compat.chat", "http://h/chat/completions", "http://h/chat/completions" },
        { "compat.completions", "http://responses", "http://responses/v1/completions" },
        { "compat.chat", "http://h/v1/?a=b", "http://h/v1/chat/completions?a=b" },
        { "compat.chat", "http://h?a=b/c", "http://h/v1/chat/completions?a=b/c" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *options = g_strconcat("url=", cases[i].base, NULL);
        const struct lens_ask ask = plain_ask();
        struct asked a;

        asked_open(&a, cases[i].api, options);
        describe(&a, &ask);
        assert_string_equal(a.request.method.data, "POST");
        assert_string_equal(a.request.url.data, cases[i].url);
        asked_close(&a);
    }
}

/* As the portal and the clients write them. */
static void
azure_has_a_path_of_its_own(void **state)
{
    static const struct {
        const char *api, *options, *url;
    } cases[] = {
        { "azure.chat", "url=https://r.openai.azure.com",
          "https://r.openai.azure.com/openai/v1/chat/completions" },
        { "azure.chat", "url=https://r.openai.azure.com/openai/v1/",
          "https://r.openai.azure.com/openai/v1/chat/completions" },
        { "azure.chat", "url=https://r.openai.azure.com/,api_version=preview",
          "https://r.openai.azure.com/openai/v1/chat/completions?api-version=preview" },
        { "azure.chat", "url=https://r.openai.azure.com,api_version=2024-10-21",
          "https://r.openai.azure.com/openai/deployments/m/chat/completions"
          "?api-version=2024-10-21" },
        { "azure.embeddings",
          "url=https://r.openai.azure.com/openai,api_version=2024-10-21,deployment=d 1",
          "https://r.openai.azure.com/openai/deployments/d%201/embeddings"
          "?api-version=2024-10-21" },
        { "azure.responses",
          "url=https://r.openai.azure.com,api_version=2025-03-01-preview",
          "https://r.openai.azure.com/openai/responses?api-version=2025-03-01-preview" },
        { "azure.chat",
          "url=https://r.openai.azure.com/openai/deployments/gpt/chat/completions"
          "?api-version=2024-06-01",
          "https://r.openai.azure.com/openai/deployments/gpt/chat/completions"
          "?api-version=2024-06-01" },
        { "azure.completions", "url=https://r.openai.azure.com?api-version=2024-06-01",
          "https://r.openai.azure.com/openai/deployments/m/completions"
          "?api-version=2024-06-01" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct lens_ask ask = plain_ask();
        struct asked a;

        asked_open(&a, cases[i].api, cases[i].options);
        describe(&a, &ask);
        assert_string_equal(a.request.url.data, cases[i].url);
        asked_close(&a);
    }
}

static void
azure_takes_a_key_or_a_token(void **state)
{
    struct lens_ask ask = plain_ask();
    g_autofree char *body = NULL;
    struct asked a;

    (void)state;
    g_setenv("TEST_KEY", "k-1", TRUE);
    g_setenv("TEST_TOKEN", "t-1", TRUE);
    asked_open(&a, "azure.chat", "url=http://h,api_key=env:TEST_KEY,deployment=d");
    describe(&a, &ask);
    assert_string_equal(header_of(&a, "api-key"), "k-1");
    assert_null(header_of(&a, "Authorization"));
    body = body_of(&a);
    assert_true(g_str_has_prefix(body, "{\"model\":\"d\","));
    asked_close(&a);

    asked_open(&a, "azure.chat",
               "url=http://h,api_key=env:TEST_KEY,token=env:TEST_TOKEN");
    describe(&a, &ask);
    assert_null(header_of(&a, "api-key"));
    assert_string_equal(header_of(&a, "Authorization"), "Bearer t-1");
    asked_close(&a);

    /* What was fetched comes with the ask; before that nothing is sent. */
    asked_open(&a, "azure.chat", "url=http://h,auth=entra,api_key=env:TEST_KEY");
    describe(&a, &ask);
    assert_null(header_of(&a, "api-key"));
    assert_null(header_of(&a, "Authorization"));
    lens_request_reset(&a.request);
    ask.credential = bytes_of("jwt\nt-2\n");
    describe(&a, &ask);
    assert_string_equal(header_of(&a, "Authorization"), "Bearer t-2");
    asked_close(&a);
}

static void
embeddings_take_each_turn_for_a_text(void **state)
{
    static const struct {
        const char *api, *options, *body;
        unsigned turns;
    } cases[] = {
        { "openai.embeddings", "url=http://h",
          "{\"model\":\"m\",\"input\":\"Say \\\"hi\\\"\\n\",\"encoding_format\":"
          "\"base64\"}",
          1 },
        { "compat.embeddings", "url=http://h,dimensions=256",
          "{\"model\":\"m\",\"input\":[\"Say \\\"hi\\\"\\n\",\"Say \\\"hi\\\"\\n\"],"
          "\"encoding_format\":\"float\",\"dimensions\":256}",
          2 },
    };
    const struct lens_turn two[] = { user, user };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *body = NULL;
        struct lens_ask ask = plain_ask();
        struct asked a;

        ask.flags = 0;
        ask.set = LENS_SET_MAX_OUTPUT | LENS_SET_TEMPERATURE;
        ask.max_output = 5;
        ask.turns = two;
        ask.turn_count = cases[i].turns;
        asked_open(&a, cases[i].api, cases[i].options);
        describe(&a, &ask);
        body = body_of(&a);
        assert_string_equal(body, cases[i].body);
        asked_close(&a);
    }
}

static void
the_body_says_what_was_asked(void **state)
{
    static const struct {
        const char *api, *options, *body;
    } cases[] = {
        { "openai.chat", "url=http://h",
          "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Say "
          "\\\"hi\\\"\\n\"}],\"stream\":true,\"stream_options\":{\"include_usage\":true},"
          "\"max_completion_tokens\":64,\"temperature\":0.5,\"top_p\":1,\"seed\":7,"
          "\"stop\":["
          "\"a\",\"b\"]}" },
        { "compat.chat", "url=http://h",
          "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Say "
          "\\\"hi\\\"\\n\"}],\"stream\":true,\"stream_options\":{\"include_usage\":true},"
          "\"max_tokens\":64,\"temperature\":0.5,\"top_p\":1,\"seed\":7,\"stop\":[\"a\","
          "\"b\"],\"ignore_eos\":true,\"min_tokens\":64}" },
        { "compat.chat",
          "url=http://h,include_usage=false,max_tokens_name=max_completion_"
          "tokens,service_tier=flex,reasoning_effort=low",
          "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Say "
          "\\\"hi\\\"\\n\"}],\"stream\":true,\"max_completion_tokens\":64,"
          "\"temperature\":0.5,"
          "\"top_p\":1,\"seed\":7,\"stop\":[\"a\",\"b\"],\"ignore_eos\":true,\"min_"
          "tokens\":64,"
          "\"reasoning_effort\":\"low\",\"service_tier\":\"flex\"}" },
        { "openai.completions", "url=http://h",
          "{\"model\":\"m\",\"prompt\":\"Say \\\"hi\\\"\\n\",\"stream\":true,"
          "\"stream_options\":{\"include_usage\":true},\"max_tokens\":64,\"temperature\":"
          "0.5,"
          "\"top_p\":1,\"seed\":7,\"stop\":[\"a\",\"b\"]}" },
        { "openai.responses", "url=http://h,reasoning_effort=low",
          "{\"model\":\"m\",\"input\":\"Say \\\"hi\\\"\\n\",\"stream\":true,"
          "\"stream_options\":{\"include_obfuscation\":false},\"max_output_tokens\":64,"
          "\"temperature\":0.5,\"top_p\":1,\"seed\":7,\"stop\":[\"a\",\"b\"],"
          "\"reasoning\":{"
          "\"effort\":\"low\"},\"store\":false}" },
    };
    const struct lens_bytes stop[] = { { "a", 1 }, { "b", 1 } };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *body = NULL;
        struct lens_ask ask = plain_ask();
        struct asked a;

        ask.flags |= LENS_ASK_IGNORE_EOS;
        ask.set =
            LENS_SET_MAX_OUTPUT | LENS_SET_TEMPERATURE | LENS_SET_TOP_P | LENS_SET_SEED;
        ask.max_output = 64;
        ask.temperature = 0.5;
        ask.top_p = 1;
        ask.seed = 7;
        ask.stop = stop;
        ask.stop_count = 2;
        asked_open(&a, cases[i].api, cases[i].options);
        describe(&a, &ask);
        body = body_of(&a);
        assert_string_equal(body, cases[i].body);
        asked_close(&a);
    }
}

static void
extra_wins_over_every_member(void **state)
{
    static const struct {
        const char *extra, *body;
    } cases[] = {
        { "{}", "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Say "
                "\\\"hi\\\"\\n\"}],\"stream\":true,\"stream_options\":{\"include_usage\":"
                "true},\"max_tokens\":64}" },
        { " { \"messages\" : [] , \"model\":\"x\", \"top_k\":40 } ",
          "{\"stream\":true,\"stream_options\":{\"include_usage\":true},\"max_tokens\":"
          "64,"
          "\"messages\":[],\"model\":\"x\",\"top_k\":40}" },
        { "{\"messages\":[],\"max_completion_tokens\":5}",
          "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true},"
          "\"messages\":[],\"max_completion_tokens\":5}" },
        { "{\"messages\":[],\"stream_options\":{\"continuous_usage_stats\":true}}",
          "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true,"
          "\"continuous_usage_stats\":true},\"max_tokens\":64,\"messages\":[]}" },
        { "{\"messages\":[],\"stream_options\":{\"include_usage\":false}}",
          "{\"model\":\"m\",\"stream\":true,\"max_tokens\":64,\"messages\":[],"
          "\"stream_options\":{\"include_usage\":false}}" },
        { "{\"messages\":[],\"stream_options\":{}}",
          "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true},"
          "\"max_tokens\":64,\"messages\":[]}" },
        { "{\"messages\":[],\"stream_options\":null}",
          "{\"model\":\"m\",\"stream\":true,\"max_tokens\":64,\"messages\":[],"
          "\"stream_options\":null}" },
        { "{\"m\\u006fdel\":\"x\",\"messages\":[]}",
          "{\"stream\":true,\"stream_options\":{\"include_usage\":true},\"max_tokens\":"
          "64,"
          "\"m\\u006fdel\":\"x\",\"messages\":[]}" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *body = NULL;
        struct lens_ask ask = plain_ask();
        struct asked a;

        ask.set = LENS_SET_MAX_OUTPUT;
        ask.max_output = 64;
        ask.extra = bytes_of(cases[i].extra);
        asked_open(&a, "compat.chat", "url=http://h");
        describe(&a, &ask);
        body = body_of(&a);
        assert_string_equal(body, cases[i].body);
        asked_close(&a);
    }
}

static void
extra_that_is_no_object_is_refused(void **state)
{
    static const char *const wrong[] = { "[]", "1", "{\"a\":1", "{\"a\":}", "{} x" };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        const struct lens_provider *ops;
        g_autofree char *words = NULL;
        struct lens_ask ask = plain_ask();
        struct asked a;

        ask.extra = bytes_of(wrong[i]);
        asked_open(&a, "compat.chat", "url=http://h");
        ops = &a.instance->plugin->ops.provider;
        assert_true(ops->describe(a.instance->self, &ask, &a.request) < 0);
        words = instance_failure(a.instance);
        assert_non_null(strstr(words, "extra"));
        asked_close(&a);
    }
}

static void
turns_and_tools_have_their_places(void **state)
{
    static const struct {
        const char *api, *body;
    } cases[] = {
        { "compat.chat",
          "{\"messages\":[{\"role\":\"system\",\"content\":\"Be brief\"},{\"role\":"
          "\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c1\",\"type\":"
          "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},{\"role\":"
          "\"tool\",\"tool_call_id\":\"c1\",\"content\":\"ok\"},{\"role\":\"user\","
          "\"content\":[{\"type\":\"text\",\"text\":\"What?\"},{\"type\":\"image_url\","
          "\"image_url\":{\"url\":\"data:image/"
          "png;base64,AQID\"}}]}],\"stream\":false}" },
        { "compat.responses",
          "{\"input\":[{\"role\":\"system\",\"content\":\"Be brief\"},{\"type\":"
          "\"function_call\",\"call_id\":\"c1\",\"name\":\"f\",\"arguments\":\"{}\"},{"
          "\"type\":\"function_call_output\",\"call_id\":\"c1\",\"output\":\"ok\"},{"
          "\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"What?\"},{"
          "\"type\":\"input_image\",\"image_url\":\"data:image/png;base64,AQID\"}]}],"
          "\"stream\":false,\"store\":false}" },
    };
    const struct lens_part system = { .kind = LENS_PART_TEXT, .data = { "Be brief", 8 } };
    const struct lens_part call = { .kind = LENS_PART_TOOL_CALL,
                                    .name = { "f", 1 },
                                    .id = { "c1", 2 },
                                    .data = { "{}", 2 } };
    const struct lens_part answer = { .kind = LENS_PART_TOOL_RESULT,
                                      .id = { "c1", 2 },
                                      .data = { "ok", 2 } };
    const struct lens_part question[] = {
        { .kind = LENS_PART_TEXT, .data = { "What?", 5 } },
        { .kind = LENS_PART_IMAGE, .mime = { "image/png", 9 }, .data = { "\1\2\3", 3 } },
    };
    const struct lens_turn turns[] = {
        { LENS_ROLE_SYSTEM, 0, &system, 1, sizeof system },
        { LENS_ROLE_ASSISTANT, 0, &call, 1, sizeof call },
        { LENS_ROLE_TOOL, 0, &answer, 1, sizeof answer },
        { LENS_ROLE_USER, 0, question, 2, sizeof question[0] },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *body = NULL;
        struct lens_ask ask = plain_ask();
        struct asked a;

        ask.flags = 0;
        ask.model = bytes_of("");
        ask.turns = turns;
        ask.turn_count = G_N_ELEMENTS(turns);
        asked_open(&a, cases[i].api, "url=http://h");
        describe(&a, &ask);
        body = body_of(&a);
        assert_string_equal(body, cases[i].body);
        asked_close(&a);
    }
}

static void
headers_carry_key_and_owner(void **state)
{
    const struct lens_pair own = { { "X-Own", 5 }, { "a b", 3 } };
    struct lens_ask ask = plain_ask();
    struct asked a;

    (void)state;
    g_setenv("TEST_KEY", "sk-1", TRUE);
    ask.headers = &own;
    ask.header_count = 1;
    asked_open(&a, "openai.chat",
               "url=http://h,api_key=env:TEST_KEY,organization=o,project=p");
    describe(&a, &ask);
    assert_string_equal(header_of(&a, "Authorization"), "Bearer sk-1");
    assert_string_equal(header_of(&a, "OpenAI-Organization"), "o");
    assert_string_equal(header_of(&a, "OpenAI-Project"), "p");
    assert_string_equal(header_of(&a, "Content-Type"), "application/json");
    assert_string_equal(header_of(&a, "Accept"), "text/event-stream");
    assert_string_equal(header_of(&a, "X-Own"), "a b");
    asked_close(&a);

    asked_open(&a, "compat.chat", "url=http://h");
    ask.flags = 0;
    describe(&a, &ask);
    assert_null(header_of(&a, "Authorization"));
    assert_string_equal(header_of(&a, "Accept"), "application/json");
    asked_close(&a);
}

static void
a_given_body_is_sent_as_it_is(void **state)
{
    g_autofree char *body = NULL;
    struct lens_ask ask = plain_ask();
    struct asked a;

    (void)state;
    ask.body = bytes_of("{\"x\" : 1}");
    ask.extra = bytes_of("{\"y\":2}");
    asked_open(&a, "compat.chat", "url=http://h");
    describe(&a, &ask);
    body = body_of(&a);
    assert_string_equal(body, "{\"x\" : 1}");
    asked_close(&a);
}

/* ---- models ---- */

struct names {
    struct lens_sink sink; /* first: the plugin's pointer is ours */
    GString *names;
};

static lens_status
add_name(struct lens_sink *sink, const struct lens_event *e)
{
    GString *names = ((struct names *)sink)->names;

    if (e->kind == LENS_EV_MODEL) {
        g_string_append_len(names, e->text.data, (gssize)e->text.size);
        g_string_append_c(names, '|');
    }
    return LENS_OK;
}

static lens_status
no_message(struct lens_sink *sink, uint32_t classes, uint64_t start, uint64_t end,
           int64_t tokens)
{
    (void)sink;
    (void)classes;
    (void)start;
    (void)end;
    (void)tokens;
    return LENS_OK;
}

static lens_status
add_fault(struct lens_sink *sink, const struct lens_failure *f)
{
    g_string_append_printf(((struct names *)sink)->names, "fault %u", f->kind);
    return LENS_OK;
}

static void
models_are_listed(void **state)
{
    static const struct {
        int status;
        const char *body, *names;
    } cases[] = {
        { 200,
          "{\"object\":\"list\",\"data\":[{\"id\":\"a\"},{\"x\":1,\"id\":\"b/"
          "c\\u00e9\"}]}",
          "a|b/c\u00e9|" },
        { 200, "{\"data\":[]}", "" },
        { 200, "[{\"id\":\"a\"}]", "a|" },
        { 200, "{\"models\":[{\"name\":\"a\"}]}", "a|" },
        { 401, "{\"error\":{\"code\":\"invalid_api_key\"}}", "fault 15" },
    };
    struct asked a;
    const struct lens_provider *ops;

    (void)state;
    const struct lens_call call = { .struct_size = sizeof call,
                                    .kind = LENS_CALL_MODELS };

    asked_open(&a, "compat.chat", "url=http://h:1");
    ops = &a.instance->plugin->ops.provider;
    assert_int_equal(ops->call_describe(a.instance->self, &call, &a.request), LENS_OK);
    assert_string_equal(a.request.method.data, "GET");
    assert_string_equal(a.request.url.data, "http://h:1/v1/models");
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct names n = { { sizeof n.sink, 0, add_name, no_message, add_fault },
                           g_string_new(NULL) };
        const struct lens_answer answer = { .struct_size = sizeof answer,
                                            .status = cases[i].status,
                                            .header_size = sizeof(struct lens_pair),
                                            .body = bytes_of(cases[i].body) };

        assert_int_equal(
            ops->call_decode(a.instance->self, LENS_CALL_MODELS, &answer, &n.sink),
            LENS_OK);
        assert_string_equal(n.names->str, cases[i].names);
        g_string_free(n.names, TRUE);
    }
    asked_close(&a);
}

/* ---- the mock's ears ---- */

static void
the_mock_understands_requests(void **state)
{
    static const struct {
        const char *method, *path, *body;
        lens_status status;
        uint32_t api, stream, usage;
        int64_t limit;
        const char *model;
    } cases[] = {
        { "POST", "/v1/chat/completions", "{\"model\":\"m\",\"messages\":[]}", LENS_OK, 0,
          0, 0, -1, "m" },
        { "POST", "/chat/completions?x=1",
          "{\"stream\":true,\"stream_options\":{\"include_usage\":true},\"max_tokens\":5,"
          "\"messages\":[],\"model\":\"a\\\"b\"}",
          LENS_OK, 0, 1, 1, 5, "a\\\"b" },
        { "POST", "/api/v3/completions/",
          "{\"prompt\":\"x\",\"max_completion_tokens\":7}", LENS_OK, 1, 0, 0, 7, "mock" },
        { "POST", "/v1/responses",
          "{\"input\":\"x\",\"max_output_tokens\":9,\"stream\":true}", LENS_OK, 2, 1, 0,
          9, "mock" },
        { "GET", "/v1/models", "", LENS_OK, LENS_MOCK_MODELS, 0, 0, -1, "mock" },
        { "GET", "/v1/chat/completions", "", LENS_E_UNSUPPORTED, 0, 0, 0, -1, NULL },
        { "POST", "/v1/embeddings", "{}", LENS_E_PROTOCOL, 0, 0, 0, -1, NULL },
        { "POST", "/v1/embeddings", "{\"model\":\"e\",\"input\":\"a\"}", LENS_OK, 3, 0, 0,
          1, "e" },
        { "POST", "/v1/rerank", "{}", LENS_E_UNSUPPORTED, 0, 0, 0, -1, NULL },
        { "POST", "/v1/chat/completions", "{\"model\":\"m\"}", LENS_E_PROTOCOL, 0, 0, 0,
          -1, NULL },
        { "POST", "/v1/chat/completions", "{\"messages\":", LENS_E_PROTOCOL, 0, 0, 0, -1,
          NULL },
        { "POST", "/v1/chat/completions", "{\"messages\":[],\"max_tokens\":0}",
          LENS_E_PROTOCOL, 0, 0, 0, -1, NULL },
        { "POST", "/v1/chat/completions", "", LENS_E_PROTOCOL, 0, 0, 0, -1, NULL },
    };
    const plugin *p = registry_find(plugins, LENS_KIND_OF_PROVIDER, "openai", NULL);

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct lens_mock_request request = { .struct_size = sizeof request,
                                                   .method = bytes_of(cases[i].method),
                                                   .path = bytes_of(cases[i].path),
                                                   .body = bytes_of(cases[i].body) };
        struct lens_mock_turn turn = { .struct_size = sizeof turn };
        const char *why = NULL;

        assert_int_equal(p->mock.recognise(&request, &turn, &why), cases[i].status);
        if (cases[i].status == LENS_E_PROTOCOL)
            assert_non_null(why);
        if (cases[i].status != LENS_OK)
            continue;
        assert_int_equal(turn.api, cases[i].api);
        assert_int_equal(turn.stream, cases[i].stream);
        assert_int_equal(turn.usage, cases[i].usage);
        assert_int_equal(turn.max_output, cases[i].limit);
        assert_true(turn.input_tokens >= 1);
        assert_string_equal(turn.model, cases[i].model);
    }
}

int
main(void)
{
    const char *const dirs[] = { PLUGINS, NULL };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_url_is_joined_with_or_without_v1),
        cmocka_unit_test(azure_has_a_path_of_its_own),
        cmocka_unit_test(azure_takes_a_key_or_a_token),
        cmocka_unit_test(embeddings_take_each_turn_for_a_text),
        cmocka_unit_test(the_body_says_what_was_asked),
        cmocka_unit_test(extra_wins_over_every_member),
        cmocka_unit_test(extra_that_is_no_object_is_refused),
        cmocka_unit_test(turns_and_tools_have_their_places),
        cmocka_unit_test(headers_carry_key_and_owner),
        cmocka_unit_test(a_given_body_is_sent_as_it_is),
        cmocka_unit_test(models_are_listed),
        cmocka_unit_test(the_mock_understands_requests),
    };
    int failed;

    plugins = registry_new(dirs, false);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    registry_free(plugins);
    return failed;
}
