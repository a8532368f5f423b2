/* What the provider anthropic asks for, at all doors, and what its mock understands. */
#include "asked.h"

/* The members that every body of the plain ask starts with. */
#define HEAD "{\"model\":\"m\",\"max_tokens\":64,"
#define PROMPT "\"messages\":[{\"role\":\"user\",\"content\":\"Say \\\"hi\\\"\\n\"}]"

static struct lens_ask
limited_ask(void)
{
    struct lens_ask ask = plain_ask();

    ask.set = LENS_SET_MAX_OUTPUT;
    ask.max_output = 64;
    return ask;
}

static void
the_url_has_its_version_once(void **state)
{
    static const struct {
        const char *options, *url;
    } cases[] = {
        { "url=http://h", "http://h/v1/messages" },
        { "url=http://h/", "http://h/v1/messages" },
        { "url=http://h/v1", "http://h/v1/messages" },
        { "url=http://h/v1/messages/", "http://h/v1/messages" },
        { "url=http://h/anthropic", "http://h/anthropic/v1/messages" },
        { "url=http://h/v2beta", "http://h/v2beta/messages" },
        { "url=http://h?a=b", "http://h/v1/messages?a=b" },
        { "platform=foundry,url=https://r.services.ai.azure.com/anthropic/",
          "https://r.services.ai.azure.com/anthropic/v1/messages" },
        { "platform=vertex,project=p,location=us-east5",
          "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/"
          "publishers/anthropic/models/m:streamRawPredict" },
        { "platform=vertex,project=p,location=global",
          "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/"
          "anthropic/models/m:streamRawPredict" },
        { "platform=vertex,project=p,location=eu,url=http://h",
          "http://h/v1/projects/p/locations/eu/publishers/anthropic/models/"
          "m:streamRawPredict" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct lens_ask ask = plain_ask();
        struct asked a;

        asked_open(&a, "anthropic.messages", cases[i].options);
        describe(&a, &ask);
        assert_string_equal(a.request.url.data, cases[i].url);
        asked_close(&a);
    }
}

static void
options_become_members(void **state)
{
    static const struct {
        const char *options, *body;
    } cases[] = {
        { "url=http://h", HEAD PROMPT ",\"stream\":true}" },
        { "url=http://h,thinking=adaptive,thinking_display=omitted,effort=low",
          HEAD PROMPT ",\"stream\":true,\"thinking\":{\"type\":\"adaptive\",\"display\":"
                      "\"omitted\"},\"output_config\":{\"effort\":\"low\"}}" },
        { "url=http://h,thinking=disabled,thinking_display=omitted",
          HEAD PROMPT ",\"stream\":true,\"thinking\":{\"type\":\"disabled\"}}" },
        { "url=http://h,service_tier=standard_only,inference_geo=us,speed=fast",
          HEAD PROMPT ",\"stream\":true,\"service_tier\":\"standard_only\","
                      "\"inference_geo\":\"us\",\"speed\":\"fast\"}" },
        { "url=http://h,cache=auto,cache_ttl=1h",
          HEAD PROMPT ",\"stream\":true,\"cache_control\":{\"type\":\"ephemeral\","
                      "\"ttl\":\"1h\"}}" },
        { "url=http://h,cache=prompt", HEAD
          "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","
          "\"text\":\"Say \\\"hi\\\"\\n\",\"cache_control\":{\"type\":\"ephemeral\"}}"
          "]}],\"stream\":true}" },
        { "platform=vertex,project=p,location=us-east5",
          "{\"anthropic_version\":\"vertex-2023-10-16\",\"max_tokens\":64," PROMPT
          ",\"stream\":true}" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct lens_ask ask = limited_ask();
        g_autofree char *body = NULL;
        struct asked a;

        asked_open(&a, "anthropic.messages", cases[i].options);
        describe(&a, &ask);
        body = body_of(&a);
        assert_string_equal(body, cases[i].body);
        asked_close(&a);
    }
}

static void
parameters_have_their_names(void **state)
{
    const struct lens_bytes stop[] = { { "a", 1 }, { "b", 1 } };
    struct lens_ask ask = limited_ask();
    g_autofree char *body = NULL, *own = NULL;
    struct asked a;

    (void)state;
    ask.flags = 0;
    ask.set |= LENS_SET_TEMPERATURE | LENS_SET_TOP_P | LENS_SET_TOP_K | LENS_SET_SEED;
    ask.temperature = 0.5;
    ask.top_p = 1;
    ask.top_k = 40;
    ask.stop = stop;
    ask.stop_count = 2;
    asked_open(&a, "anthropic.messages", "url=http://h");
    describe(&a, &ask);
    body = body_of(&a);
    assert_string_equal(body, HEAD PROMPT ",\"stream\":false,\"temperature\":0.5,"
                                          "\"top_p\":1,\"top_k\":40,\"stop_sequences\":["
                                          "\"a\",\"b\"]}");
    lens_request_reset(&a.request);
    ask = limited_ask();
    ask.extra = bytes_of("{\"max_tokens\":5,\"metadata\":{\"user_id\":\"u\"}}");
    describe(&a, &ask);
    own = body_of(&a);
    assert_string_equal(own, "{\"model\":\"m\"," PROMPT ",\"stream\":true,\"max_tokens\":"
                             "5,\"metadata\":{\"user_id\":\"u\"}}");
    asked_close(&a);
}

/* The server refuses a limit that leaves no room for an answer; so does lens, with the
 * name of the flag. */
static void
a_limit_below_the_thinking_is_refused(void **state)
{
    struct lens_ask ask = limited_ask();
    g_autofree char *words = NULL, *body = NULL;
    struct asked a;

    (void)state;
    asked_open(&a, "anthropic.messages", "url=http://h,thinking_budget=1024");
    assert_true(a.instance->plugin->ops.provider.describe(a.instance->self, &ask,
                                                          &a.request) < 0);
    words = instance_failure(a.instance);
    assert_non_null(strstr(words, "--max-tokens"));
    lens_request_reset(&a.request);
    ask.max_output = 2048;
    describe(&a, &ask);
    body = body_of(&a);
    assert_non_null(
        strstr(body, "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024}"));
    asked_close(&a);
}

static void
turns_become_system_and_blocks(void **state)
{
    static const char *const want =
        "{\"max_tokens\":64,\"system\":\"Be brief\",\"messages\":[{\"role\":"
        "\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"c1\",\"name\":\"f\","
        "\"input\":{\"a\":1}}]},{\"role\":\"user\",\"content\":[{\"type\":"
        "\"tool_result\",\"tool_use_id\":\"c1\",\"content\":\"ok\"}]},{\"role\":\"user\","
        "\"content\":[{\"type\":\"text\",\"text\":\"What?\",\"cache_control\":{\"type\":"
        "\"ephemeral\"}},{\"type\":\"image\",\"source\":{\"type\":\"base64\","
        "\"media_type\":\"image/png\",\"data\":\"AQID\"}},{\"type\":\"image\","
        "\"source\":{\"type\":\"url\",\"url\":\"https://e/x.png\"}}]}],\"stream\":true}";
    const struct lens_part system = { .kind = LENS_PART_TEXT, .data = { "Be brief", 8 } };
    const struct lens_part call = { .kind = LENS_PART_TOOL_CALL,
                                    .name = { "f", 1 },
                                    .id = { "c1", 2 },
                                    .data = { "{\"a\":1}", 7 } };
    const struct lens_part answer = { .kind = LENS_PART_TOOL_RESULT,
                                      .id = { "c1", 2 },
                                      .data = { "ok", 2 } };
    const struct lens_part question[] = {
        { .kind = LENS_PART_TEXT, .flags = LENS_PART_CACHE_MARK, .data = { "What?", 5 } },
        { .kind = LENS_PART_IMAGE, .mime = { "image/png", 9 }, .data = { "\1\2\3", 3 } },
        { .kind = LENS_PART_IMAGE, .url = { "https://e/x.png", 15 } },
    };
    const struct lens_turn turns[] = {
        { LENS_ROLE_SYSTEM, 0, &system, 1, sizeof system },
        { LENS_ROLE_ASSISTANT, 0, &call, 1, sizeof call },
        { LENS_ROLE_TOOL, 0, &answer, 1, sizeof answer },
        { LENS_ROLE_USER, 0, question, 3, sizeof question[0] },
    };
    struct lens_ask ask = limited_ask();
    g_autofree char *body = NULL, *marked = NULL;
    struct asked a;

    (void)state;
    ask.model = bytes_of("");
    ask.turns = turns;
    ask.turn_count = G_N_ELEMENTS(turns);
    asked_open(&a, "anthropic.messages", "url=http://h");
    describe(&a, &ask);
    body = body_of(&a);
    assert_string_equal(body, want);
    asked_close(&a);

    asked_open(&a, "anthropic.messages", "url=http://h,cache=system");
    describe(&a, &ask);
    marked = body_of(&a);
    assert_non_null(strstr(marked, "\"system\":[{\"type\":\"text\",\"text\":\"Be brief\","
                                   "\"cache_control\":{\"type\":\"ephemeral\"}}]"));
    asked_close(&a);
}

/* Plans hold tools in OpenAI's form. */
static void
tools_are_translated(void **state)
{
    static const struct {
        const char *tools, *choice, *format, *tail;
    } cases[] = {
        { "[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\","
          "\"parameters\":{\"type\":\"object\"}}}]",
          "\"required\"", "",
          "\"tools\":[{\"name\":\"f\",\"description\":\"d\",\"input_schema\":{\"type\":"
          "\"object\"},\"cache_control\":{\"type\":\"ephemeral\"}}],\"tool_choice\":{"
          "\"type\":\"any\"}}" },
        { "[{\"name\":\"f\",\"input_schema\":{}}]", "{\"type\":\"tool\",\"name\":\"f\"}",
          "",
          "\"tools\":[{\"name\":\"f\",\"input_schema\":{},\"cache_control\":{\"type\":"
          "\"ephemeral\"}}],\"tool_choice\":{\"type\":\"tool\",\"name\":\"f\"}}" },
        { "", "{\"type\":\"function\",\"function\":{\"name\":\"f\"}}",
          "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"schema\":{"
          "\"type\":"
          "\"object\"}}}",
          "\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":{\"type\":"
          "\"object\"}}},\"tool_choice\":{\"type\":\"tool\",\"name\":\"f\"}}" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *body = NULL;
        struct lens_ask ask = limited_ask();
        struct asked a;

        ask.tools = bytes_of(cases[i].tools);
        ask.tool_choice = bytes_of(cases[i].choice);
        ask.response_format = bytes_of(cases[i].format);
        asked_open(&a, "anthropic.messages", "url=http://h,cache=tools");
        describe(&a, &ask);
        body = body_of(&a);
        assert_true(g_str_has_suffix(body, cases[i].tail));
        asked_close(&a);
    }
}

static void
keys_go_where_they_belong(void **state)
{
    static const struct {
        const char *options, *key, *api_key, *authorization;
    } cases[] = {
        { "url=http://h,api_key=env:TEST_KEY", "k-1", NULL, NULL },
        { "url=http://h,api_key=env:TEST_KEY,auth=bearer", NULL, NULL, "Bearer k-1" },
        { "url=http://h,auth_token=env:TEST_TOKEN", NULL, NULL, "Bearer t-1" },
        { "url=http://h,api_key=env:TEST_KEY,auth_token=env:TEST_TOKEN", "k-1", NULL,
          "Bearer t-1" },
        { "platform=foundry,url=http://h,api_key=env:TEST_KEY", NULL, "k-1", NULL },
        { "platform=foundry,url=http://h,api_key=env:TEST_KEY,token=env:TEST_TOKEN", NULL,
          NULL, "Bearer t-1" },
        { "platform=vertex,project=p,location=l,api_key=env:TEST_KEY", NULL, NULL, NULL },
        { "platform=vertex,project=p,location=l,token=env:TEST_TOKEN", NULL, NULL,
          "Bearer t-1" },
        { "platform=vertex,project=p,location=l,auth_token=env:TEST_TOKEN", NULL, NULL,
          NULL },
    };

    (void)state;
    g_setenv("TEST_KEY", "k-1", TRUE);
    g_setenv("TEST_TOKEN", "t-1", TRUE);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct lens_ask ask = plain_ask();
        struct asked a;

        asked_open(&a, "anthropic.messages", cases[i].options);
        describe(&a, &ask);
        assert_int_equal(g_strcmp0(header_of(&a, "x-api-key"), cases[i].key), 0);
        assert_int_equal(g_strcmp0(header_of(&a, "api-key"), cases[i].api_key), 0);
        assert_int_equal(
            g_strcmp0(header_of(&a, "Authorization"), cases[i].authorization), 0);
        asked_close(&a);
    }
}

static void
versions_are_said(void **state)
{
    const struct lens_ask ask = plain_ask();
    struct asked a;

    (void)state;
    asked_open(&a, "anthropic.messages", "url=http://h");
    describe(&a, &ask);
    assert_string_equal(header_of(&a, "anthropic-version"), "2023-06-01");
    assert_null(header_of(&a, "anthropic-beta"));
    asked_close(&a);
    asked_open(&a, "anthropic.messages",
               "url=http://h,version=2026-10-21,beta=one-2026,beta=two-2026");
    describe(&a, &ask);
    assert_string_equal(header_of(&a, "anthropic-version"), "2026-10-21");
    assert_string_equal(header_of(&a, "anthropic-beta"), "one-2026,two-2026");
    asked_close(&a);
}

static void
what_cannot_work_is_refused(void **state)
{
    static const struct {
        const char *options, *words;
    } cases[] = {
        { "platform=vertex,project=p", "location" },
        { "platform=foundry", "url" },
        { "url=http://h,thinking=enabled", "thinking_budget" },
        { "url=http://h,thinking=enabled,thinking_budget=1000", "1024" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        const plugin *p =
            registry_find(plugins, LENS_KIND_OF_PROVIDER, "anthropic", NULL);
        option_values *v = option_values_new(&p->ops.provider.options, "anthropic");

        assert_true(option_values_set_list(v, cases[i].options, NULL));
        assert_true(option_values_finish(v, true, NULL));
        assert_null(provider_open(p, 0, v, 0, &error));
        assert_non_null(strstr(error->message, cases[i].words));
        option_values_free(v);
    }
}

/* ---- side calls ---- */

static void
prompts_are_counted(void **state)
{
    const struct lens_call call = {
        .struct_size = sizeof call,
        .kind = LENS_CALL_COUNT,
        .args =
            bytes_of("{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":"
                     "\"s\"},{\"role\":\"user\",\"content\":\"u\"},{\"content\":[],"
                     "\"role\":\"assistant\"}]}"),
    };
    static const struct {
        const char *options, *url;
    } cases[] = {
        { "url=http://h", "http://h/v1/messages/count_tokens" },
        { "platform=vertex,project=p,location=l,url=http://h",
          "http://h/v1/projects/p/locations/l/publishers/anthropic/models/"
          "count-tokens:rawPredict" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *body = NULL;
        struct asked a;

        asked_open(&a, "anthropic.messages", cases[i].options);
        assert_int_equal(a.instance->plugin->ops.provider.call_describe(
                             a.instance->self, &call, &a.request),
                         LENS_OK);
        assert_string_equal(a.request.url.data, cases[i].url);
        body = body_of(&a);
        assert_string_equal(body,
                            "{\"model\":\"m\",\"system\":[{\"type\":\"text\",\"text\":"
                            "\"s\"}],\"messages\":[{\"role\":\"user\",\"content\":\"u\"},"
                            "{\"role\":\"assistant\",\"content\":[]}]}");
        asked_close(&a);
    }
}

static void
side_calls_know_their_doors(void **state)
{
    static const struct {
        const char *options;
        uint32_t kind;
        lens_status status;
        const char *url;
    } cases[] = {
        { "url=http://h", LENS_CALL_MODELS, LENS_OK, "http://h/v1/models?limit=1000" },
        { "url=http://h", LENS_CALL_HEALTH, LENS_OK, "http://h/v1/models?limit=1" },
        { "url=http://h", LENS_CALL_AUTH, LENS_E_UNSUPPORTED, NULL },
        { "url=http://h", LENS_CALL_TOKENIZE, LENS_E_UNSUPPORTED, NULL },
        { "platform=foundry,url=http://h", LENS_CALL_MODELS, LENS_E_UNSUPPORTED, NULL },
        { "platform=foundry,url=http://h", LENS_CALL_AUTH, LENS_E_UNSUPPORTED, NULL },
        { "platform=vertex,project=p,location=l,url=http://h", LENS_CALL_AUTH,
          LENS_E_UNSUPPORTED, NULL },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct lens_call call = { .struct_size = sizeof call,
                                        .kind = cases[i].kind };
        struct asked a;

        asked_open(&a, "anthropic.messages", cases[i].options);
        assert_int_equal(a.instance->plugin->ops.provider.call_describe(
                             a.instance->self, &call, &a.request),
                         cases[i].status);
        if (cases[i].url != NULL)
            assert_string_equal(a.request.url.data, cases[i].url);
        asked_close(&a);
    }
}

/* ---- the mock ---- */

static void
the_mock_understands_requests(void **state)
{
    static const struct lens_pair version = { { "anthropic-version", 17 },
                                              { "2026-10-21", 10 } };
    static const struct {
        const char *method, *path, *body;
        uint32_t headers;
        lens_status status;
        uint32_t api, stream;
        int64_t limit;
        const char *model;
    } cases[] = {
        { "POST", "/v1/messages", "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[]}", 0,
          LENS_OK, 0, 0, 9, "m" },
        { "POST", "/v1/messages?beta=true",
          "{\"stream\":true,\"max_tokens\":9,\"messages\":[]}", 1, LENS_OK, 0, 1, 9,
          "mock" },
        { "POST", "/v1/messages/count_tokens", "{\"model\":\"m\",\"messages\":[]}", 1,
          LENS_OK, 0, 0, 1, "m" },
        { "POST",
          "/v1/projects/p/locations/l/publishers/anthropic/models/c@1:streamRawPredict",
          "{\"max_tokens\":9,\"messages\":[]}", 0, LENS_OK, 0, 1, 9, "c@1" },
        { "GET", "/v1/models", "", 1, LENS_OK, LENS_MOCK_MODELS, 0, -1, "mock" },
        { "GET", "/v1/models", "", 0, LENS_E_UNSUPPORTED, 0, 0, -1, NULL },
        { "POST", "/v1/chat/completions", "{}", 1, LENS_E_UNSUPPORTED, 0, 0, -1, NULL },
        { "POST", "/v1/messages", "{\"max_tokens\":9}", 0, LENS_E_PROTOCOL, 0, 0, -1,
          NULL },
        { "POST", "/v1/messages", "{\"messages\":[]}", 0, LENS_E_PROTOCOL, 0, 0, -1,
          NULL },
        { "POST", "/v1/messages", "{\"messages\":[],\"max_tokens\":0}", 0,
          LENS_E_PROTOCOL, 0, 0, -1, NULL },
        { "POST", "/v1/messages", "no", 0, LENS_E_PROTOCOL, 0, 0, -1, NULL },
    };
    const plugin *p = registry_find(plugins, LENS_KIND_OF_PROVIDER, "anthropic", NULL);

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct lens_mock_request request = { .struct_size = sizeof request,
                                                   .method = bytes_of(cases[i].method),
                                                   .path = bytes_of(cases[i].path),
                                                   .headers = &version,
                                                   .header_count = cases[i].headers,
                                                   .header_size = sizeof version,
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
        assert_int_equal(turn.max_output, cases[i].limit);
        assert_string_equal(turn.model, cases[i].model);
    }
}

int
main(void)
{
    const char *const dirs[] = { PLUGINS, NULL };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_url_has_its_version_once),
        cmocka_unit_test(options_become_members),
        cmocka_unit_test(parameters_have_their_names),
        cmocka_unit_test(a_limit_below_the_thinking_is_refused),
        cmocka_unit_test(turns_become_system_and_blocks),
        cmocka_unit_test(tools_are_translated),
        cmocka_unit_test(keys_go_where_they_belong),
        cmocka_unit_test(versions_are_said),
        cmocka_unit_test(what_cannot_work_is_refused),
        cmocka_unit_test(prompts_are_counted),
        cmocka_unit_test(side_calls_know_their_doors),
        cmocka_unit_test(the_mock_understands_requests),
    };
    int failed;

    plugins = registry_new(dirs, false);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    registry_free(plugins);
    return failed;
}
