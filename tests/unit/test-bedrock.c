/* What the provider bedrock asks for: Converse, and each vendor's body of InvokeModel. */
#include "asked.h"

#define CONVERSE \
    "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"Say \\\"hi\\\"\\n\"}]}]"
#define CLAUDE                                                                        \
    "{\"anthropic_version\":\"bedrock-2023-05-31\",\"messages\":[{\"role\":\"user\"," \
    "\"content\":[{\"type\":\"text\",\"text\":\"Say \\\"hi\\\"\\n\"}]}]"

static void
the_url_names_region_model_and_method(void **state)
{
    static const struct {
        const char *api, *options, *model, *credential;
        bool stream;
        const char *url;
    } cases[] = {
        { "bedrock.converse", "", "m", "", true,
          "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse-stream" },
        { "bedrock.converse", "region=eu-west-1", "anthropic.c-v1:0", "", false,
          "https://bedrock-runtime.eu-west-1.amazonaws.com/model/anthropic.c-v1%3A0/"
          "converse" },
        { "bedrock.invoke", "", "m", "aws\nAK\nSK\n\nap-south-1\n", true,
          "https://bedrock-runtime.ap-south-1.amazonaws.com/model/m/"
          "invoke-with-response-stream" },
        { "bedrock.invoke", "url=http://h:1/", "arn:aws:bedrock:x:1:p/us.m", "", false,
          "http://h:1/model/arn%3Aaws%3Abedrock%3Ax%3A1%3Ap%2Fus.m/invoke" },
        { "bedrock.converse", "region=cn-north-1", "m", "", true,
          "https://bedrock-runtime.cn-north-1.amazonaws.com.cn/model/m/converse-stream" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct lens_ask ask = plain_ask();
        struct asked a;

        ask.model = bytes_of(cases[i].model);
        ask.credential = bytes_of(cases[i].credential);
        ask.flags = cases[i].stream ? LENS_ASK_STREAM : 0;
        asked_open(&a, cases[i].api, cases[i].options);
        describe(&a, &ask);
        assert_string_equal(a.request.url.data, cases[i].url);
        asked_close(&a);
    }
}

static void
each_family_has_its_body(void **state)
{
    static const struct {
        const char *api, *options, *model, *body;
    } cases[] = {
        { "bedrock.converse", "", "m",
          CONVERSE ",\"inferenceConfig\":{\"maxTokens\":64}}" },
        { "bedrock.converse", "service_tier=flex,performance=optimized", "m",
          CONVERSE ",\"inferenceConfig\":{\"maxTokens\":64},\"performanceConfig\":{"
                   "\"latency\":\"optimized\"},\"serviceTier\":{\"type\":\"flex\"}}" },
        { "bedrock.converse", "cache_points=prompt,cache_ttl=1h,thinking_budget=2048",
          "m",
          "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"Say "
          "\\\"hi\\\"\\n\"},{"
          "\"cachePoint\":{\"type\":\"default\",\"ttl\":\"1h\"}}]}],\"inferenceConfig\":{"
          "\"maxTokens\":64},\"additionalModelRequestFields\":{\"thinking\":{\"type\":"
          "\"enabled\",\"budget_tokens\":2048}}}" },
        { "bedrock.invoke", "", "us.anthropic.claude-x", CLAUDE ",\"max_tokens\":64}" },
        { "bedrock.invoke", "family=anthropic", "arn:aws:bedrock:x:1:y/z",
          CLAUDE ",\"max_tokens\":64}" },
        { "bedrock.invoke", "", "meta.llama3-70b",
          "{\"prompt\":\"Say \\\"hi\\\"\\n\",\"max_gen_len\":64}" },
        { "bedrock.invoke", "", "amazon.nova-pro-v1:0",
          "{\"schemaVersion\":\"messages-v1\",\"messages\":[{\"role\":\"user\","
          "\"content\":[{"
          "\"text\":\"Say \\\"hi\\\"\\n\"}]}],\"inferenceConfig\":{\"maxTokens\":64}}" },
        { "bedrock.invoke", "", "amazon.titan-text",
          "{\"inputText\":\"Say \\\"hi\\\"\\n\",\"textGenerationConfig\":{"
          "\"maxTokenCount\":64}}" },
        { "bedrock.invoke", "", "cohere.command-r",
          "{\"message\":\"Say \\\"hi\\\"\\n\",\"max_tokens\":64}" },
        { "bedrock.invoke", "", "openai.gpt-oss-120b-1:0",
          "{\"messages\":[{\"role\":\"user\",\"content\":\"Say \\\"hi\\\"\\n\"}],"
          "\"max_completion_tokens\":64}" },
        { "bedrock.invoke", "", "qwen.qwen3",
          "{\"messages\":[{\"role\":\"user\",\"content\":\"Say \\\"hi\\\"\\n\"}],"
          "\"max_tokens\":64}" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *body = NULL;
        struct lens_ask ask = plain_ask();
        struct asked a;

        ask.model = bytes_of(cases[i].model);
        ask.set = LENS_SET_MAX_OUTPUT;
        ask.max_output = 64;
        asked_open(&a, cases[i].api, cases[i].options);
        describe(&a, &ask);
        body = body_of(&a);
        assert_string_equal(body, cases[i].body);
        asked_close(&a);
    }
}

static void
extra_is_joined_at_every_depth(void **state)
{
    g_autofree char *body = NULL;
    struct lens_ask ask = plain_ask();
    struct asked a;

    (void)state;
    ask.set = LENS_SET_MAX_OUTPUT;
    ask.max_output = 64;
    ask.extra = bytes_of("{\"inferenceConfig\":{\"topP\":0.5},\"requestMetadata\":{}}");
    asked_open(&a, "bedrock.converse", "");
    describe(&a, &ask);
    body = body_of(&a);
    assert_string_equal(body,
                        CONVERSE ",\"inferenceConfig\":{\"maxTokens\":64,\"topP\":0.5},"
                                 "\"requestMetadata\":{}}");
    asked_close(&a);
}

static void
tools_are_translated(void **state)
{
    g_autofree char *body = NULL;
    struct lens_ask ask = plain_ask();
    struct asked a;

    (void)state;
    ask.tools = bytes_of("[{\"type\":\"function\",\"function\":{\"name\":\"f\","
                         "\"parameters\":{\"type\":\"object\"}}}]");
    ask.tool_choice = bytes_of("\"required\"");
    asked_open(&a, "bedrock.converse", "cache_points=tools");
    describe(&a, &ask);
    body = body_of(&a);
    assert_string_equal(body, CONVERSE
                        ",\"toolConfig\":{\"tools\":[{\"toolSpec\":{\"name\":\"f\","
                        "\"inputSchema\":{\"json\":{\"type\":\"object\"}}}},{"
                        "\"cachePoint\":{\"type\":\"default\"}}],\"toolChoice\":{"
                        "\"any\":{}}}}");
    asked_close(&a);
}

static void
turns_of_one_side_are_one_message(void **state)
{
    static const struct lens_part rules = { .kind = LENS_PART_TEXT,
                                            .data = { "Be brief", 8 } };
    static const struct lens_part image = { .kind = LENS_PART_IMAGE,
                                            .mime = { "image/jpg", 9 },
                                            .data = { "ABC", 3 } };
    static const struct lens_part result = { .kind = LENS_PART_TOOL_RESULT,
                                             .id = { "t1", 2 },
                                             .data = { "{\"a\":1}", 7 } };
    const struct lens_turn turns[] = {
        { LENS_ROLE_SYSTEM, 0, &rules, 1, sizeof rules },
        { LENS_ROLE_USER, 0, &image, 1, sizeof image },
        { LENS_ROLE_TOOL, 0, &result, 1, sizeof result },
    };
    g_autofree char *body = NULL;
    struct lens_ask ask = plain_ask();
    struct asked a;

    (void)state;
    ask.turns = turns;
    ask.turn_count = G_N_ELEMENTS(turns);
    asked_open(&a, "bedrock.converse", "cache_points=system");
    describe(&a, &ask);
    body = body_of(&a);
    assert_string_equal(
        body,
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"image\":{\"format\":\"jpeg\","
        "\"source\":{\"bytes\":\"QUJD\"}}},{\"toolResult\":{\"toolUseId\":\"t1\","
        "\"content\":[{\"json\":{\"a\":1}}]}}]}],\"system\":[{\"text\":\"Be brief\"},{"
        "\"cachePoint\":{\"type\":\"default\"}}]}");
    asked_close(&a);
}

static void
requests_are_signed_or_carry_a_key(void **state)
{
    struct lens_ask ask = plain_ask();
    struct asked a;

    (void)state;
    g_setenv("LENS_TEST_KEY", "k", true);
    ask.unix_ns = INT64_C(1440938160) * 1000000000;
    ask.credential = bytes_of("aws\nAKIDEXAMPLE\nsecret\ntoken\neu-west-1\n");
    asked_open(&a, "bedrock.converse", "");
    describe(&a, &ask);
    assert_true(g_str_has_prefix(
        header_of(&a, "Authorization"),
        "AWS4-HMAC-SHA256 "
        "Credential=AKIDEXAMPLE/20150830/eu-west-1/bedrock/aws4_request, "
        "SignedHeaders=accept;content-type;host;x-amz-date;x-amz-security-token, "));
    assert_string_equal(header_of(&a, "x-amz-security-token"), "token");
    asked_close(&a);

    asked_open(&a, "bedrock.converse", "api_key=env:LENS_TEST_KEY");
    describe(&a, &ask);
    assert_string_equal(header_of(&a, "Authorization"), "Bearer k");
    assert_null(header_of(&a, "x-amz-date"));
    asked_close(&a);

    asked_open(&a, "bedrock.converse",
               "access_key_id=MINE,secret_access_key=env:LENS_TEST_KEY,region=us-west-2");
    describe(&a, &ask);
    assert_true(g_str_has_prefix(
        header_of(&a, "Authorization"),
        "AWS4-HMAC-SHA256 Credential=MINE/20150830/us-west-2/bedrock/aws4_request, "));
    asked_close(&a);

    /* A dry run has no credential. */
    ask.credential = bytes_of("");
    asked_open(&a, "bedrock.converse", "");
    describe(&a, &ask);
    assert_null(header_of(&a, "Authorization"));
    asked_close(&a);
}

int
main(void)
{
    const char *const dirs[] = { PLUGINS, NULL };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_url_names_region_model_and_method),
        cmocka_unit_test(each_family_has_its_body),
        cmocka_unit_test(extra_is_joined_at_every_depth),
        cmocka_unit_test(tools_are_translated),
        cmocka_unit_test(turns_of_one_side_are_one_message),
        cmocka_unit_test(requests_are_signed_or_carry_a_key),
    };
    int failed;

    g_unsetenv("AWS_BEARER_TOKEN_BEDROCK");
    g_unsetenv("AWS_REGION");
    g_unsetenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME");
    plugins = registry_new(dirs, false);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    registry_free(plugins);
    return failed;
}
