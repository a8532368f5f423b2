/* What the provider gemini asks for, on AI Studio and on Vertex AI. */
#include "asked.h"

#define PROMPT \
    "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Say \\\"hi\\\"\\n\"}]}]"

static void
the_url_names_service_model_and_method(void **state)
{
    static const struct {
        const char *api, *options, *model;
        bool stream;
        const char *url;
    } cases[] = {
        { "gemini.sse", "api_key=env:PATH", "m", true,
          "https://generativelanguage.googleapis.com/v1beta/models/"
          "m:streamGenerateContent?alt=sse" },
        { "gemini.sse", "api_key=env:PATH", "m", false,
          "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent" },
        { "gemini.array", "url=http://h", "m", true,
          "http://h/v1beta/models/m:streamGenerateContent" },
        { "gemini.sse", "url=http://h/", "tunedModels/a b", true,
          "http://h/v1beta/tunedModels/a%20b:streamGenerateContent?alt=sse" },
        { "gemini.sse", "url=http://h/v1", "models/m", true,
          "http://h/v1/models/m:streamGenerateContent?alt=sse" },
        { "gemini.sse", "url=http://h,api_version=v1alpha", "m", true,
          "http://h/v1alpha/models/m:streamGenerateContent?alt=sse" },
        { "gemini.sse", "url=http://h?a=b", "m", true,
          "http://h/v1beta/models/m:streamGenerateContent?a=b&alt=sse" },
        { "gemini.sse", "url=http://h/x/models/m:streamGenerateContent?alt=sse", "m",
          true, "http://h/x/models/m:streamGenerateContent?alt=sse" },
        { "gemini.embed", "url=http://h", "m", true,
          "http://h/v1beta/models/m:embedContent" },
        { "gemini.sse", "project=p,location=europe-west4", "m", true,
          "https://europe-west4-aiplatform.googleapis.com/v1beta1/projects/p/locations/"
          "europe-west4/publishers/google/models/m:streamGenerateContent?alt=sse" },
        { "gemini.sse", "project=p", "anthropic/c@1", true,
          "https://aiplatform.googleapis.com/v1beta1/projects/p/locations/global/"
          "publishers/anthropic/models/c@1:streamGenerateContent?alt=sse" },
        { "gemini.sse", "project=p,location=eu", "projects/q/locations/eu/endpoints/7",
          true,
          "https://aiplatform.eu.rep.googleapis.com/v1beta1/projects/q/locations/eu/"
          "endpoints/7:streamGenerateContent?alt=sse" },
        { "gemini.sse", "vertex=true,api_key=env:PATH", "m", true,
          "https://aiplatform.googleapis.com/v1beta1/publishers/google/models/"
          "m:streamGenerateContent?alt=sse" },
        { "gemini.sse", "vertex=true,project=p,location=us-east1,url=http://h", "m",
          false,
          "http://h/v1beta1/projects/p/locations/us-east1/publishers/google/models/"
          "m:generateContent" },
        { "gemini.embed", "project=p", "e", true,
          "https://aiplatform.googleapis.com/v1beta1/projects/p/locations/global/"
          "publishers/google/models/e:predict" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct lens_ask ask = plain_ask();
        struct asked a;

        ask.model = bytes_of(cases[i].model);
        ask.flags = cases[i].stream ? LENS_ASK_STREAM : 0;
        asked_open(&a, cases[i].api, cases[i].options);
        describe(&a, &ask);
        assert_string_equal(a.request.url.data, cases[i].url);
        asked_close(&a);
    }
}

static void
options_become_members(void **state)
{
    static const struct {
        const char *options, *extra, *body;
    } cases[] = {
        { "", "", PROMPT ",\"generationConfig\":{\"maxOutputTokens\":64}}" },
        { "thinking_budget=0,include_thoughts=true", "",
          PROMPT ",\"generationConfig\":{\"maxOutputTokens\":64,\"thinkingConfig\":{"
                 "\"thinkingBudget\":0,\"includeThoughts\":true}}}" },
        { "thinking_level=low,candidate_count=2,media_resolution=X", "",
          PROMPT ",\"generationConfig\":{\"maxOutputTokens\":64,\"candidateCount\":2,"
                 "\"mediaResolution\":\"X\",\"thinkingConfig\":{\"thinkingLevel\":"
                 "\"low\"}}}" },
        { "cached_content=cachedContents/1,service_tier=flex", "",
          PROMPT ",\"generationConfig\":{\"maxOutputTokens\":64},\"cachedContent\":"
                 "\"cachedContents/1\",\"serviceTier\":\"flex\"}" },
        { "", "{\"generationConfig\":{\"topK\":4,\"maxOutputTokens\":1},\"labels\":{}}",
          PROMPT
          ",\"generationConfig\":{\"maxOutputTokens\":1,\"topK\":4},\"labels\":{}}" },
        { "", "{\"contents\":[]}",
          "{\"contents\":[],\"generationConfig\":{\"maxOutputTokens\":64}}" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *options = g_strconcat("url=http://h,", cases[i].options, NULL);
        g_autofree char *body = NULL;
        struct lens_ask ask = plain_ask();
        struct asked a;

        if (cases[i].options[0] == '\0')
            options[strlen(options) - 1] = '\0';
        ask.set = LENS_SET_MAX_OUTPUT;
        ask.max_output = 64;
        ask.extra = bytes_of(cases[i].extra);
        asked_open(&a, "gemini.sse", options);
        describe(&a, &ask);
        body = body_of(&a);
        assert_string_equal(body, cases[i].body);
        asked_close(&a);
    }
}

static void
turns_and_media_have_their_places(void **state)
{
    static const struct lens_part rules = { .kind = LENS_PART_TEXT,
                                            .data = { "Be brief", 8 } };
    static const struct lens_part parts[] = {
        { .kind = LENS_PART_IMAGE, .mime = { "image/png", 9 }, .data = { "\x89P", 2 } },
        { .kind = LENS_PART_IMAGE, .url = { "data:image/gif;base64,QUJD", 26 } },
        { .kind = LENS_PART_FILE,
          .mime = { "application/pdf", 15 },
          .url = { "gs://b/f", 8 } },
    };
    static const struct lens_part call = { .kind = LENS_PART_TOOL_CALL,
                                           .name = { "f", 1 },
                                           .data = { "{\"a\":1}", 7 } };
    static const struct lens_part result = { .kind = LENS_PART_TOOL_RESULT,
                                             .name = { "f", 1 },
                                             .data = { "sunny", 5 } };
    const struct lens_turn turns[] = {
        { LENS_ROLE_SYSTEM, 0, &rules, 1, sizeof rules },
        { LENS_ROLE_USER, 0, parts, 3, sizeof parts[0] },
        { LENS_ROLE_ASSISTANT, 0, &call, 1, sizeof call },
        { LENS_ROLE_TOOL, 0, &result, 1, sizeof result },
    };
    g_autofree char *body = NULL;
    struct lens_ask ask = plain_ask();
    struct asked a;

    (void)state;
    ask.turns = turns;
    ask.turn_count = G_N_ELEMENTS(turns);
    asked_open(&a, "gemini.sse", "url=http://h");
    describe(&a, &ask);
    body = body_of(&a);
    assert_string_equal(
        body,
        "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"inlineData\":{\"mimeType\":"
        "\"image/png\",\"data\":\"iVA=\"}},{\"inlineData\":{\"mimeType\":\"image/gif\","
        "\"data\":\"QUJD\"}},{\"fileData\":{\"mimeType\":\"application/pdf\","
        "\"fileUri\":\"gs://b/f\"}}]},{\"role\":\"model\",\"parts\":[{\"functionCall\":{"
        "\"name\":\"f\",\"args\":{\"a\":1}}}]},{\"role\":\"user\",\"parts\":[{"
        "\"functionResponse\":{\"name\":\"f\",\"response\":{\"result\":\"sunny\"}}}]}],"
        "\"systemInstruction\":{\"parts\":[{\"text\":\"Be brief\"}]}}");
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
                         "\"description\":\"d\",\"parameters\":{\"type\":\"object\"}}}]");
    ask.tool_choice = bytes_of("{\"type\":\"function\",\"function\":{\"name\":\"f\"}}");
    asked_open(&a, "gemini.sse", "url=http://h");
    describe(&a, &ask);
    body = body_of(&a);
    assert_string_equal(body, PROMPT
                        ",\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\","
                        "\"description\":\"d\",\"parametersJsonSchema\":{\"type\":"
                        "\"object\"}}]}],\"toolConfig\":{\"functionCallingConfig\":{"
                        "\"mode\":\"ANY\",\"allowedFunctionNames\":[\"f\"]}}}");
    asked_close(&a);
}

static void
credentials_go_where_they_belong(void **state)
{
    static const struct {
        const char *options, *key, *authorization;
    } cases[] = {
        { "api_key=env:LENS_TEST_KEY", "k", NULL },
        { "project=p", NULL, "Bearer fetched" },
        { "project=p,token=env:LENS_TEST_KEY", NULL, "Bearer k" },
        /* Default credentials are Google's. */
        { "vertex=true,project=p,url=http://h", NULL, NULL },
        { "vertex=true,project=p,url=http://h,credentials_file=/x", NULL,
          "Bearer fetched" },
    };

    (void)state;
    g_setenv("LENS_TEST_KEY", "k", true);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct lens_ask ask = plain_ask();
        struct asked a;

        ask.credential = bytes_of("jwt\nfetched\n\n");
        asked_open(&a, "gemini.sse", cases[i].options);
        describe(&a, &ask);
        if (cases[i].key != NULL)
            assert_string_equal(header_of(&a, "x-goog-api-key"), cases[i].key);
        else
            assert_null(header_of(&a, "x-goog-api-key"));
        if (cases[i].authorization != NULL)
            assert_string_equal(header_of(&a, "Authorization"), cases[i].authorization);
        else
            assert_null(header_of(&a, "Authorization"));
        asked_close(&a);
    }
}

int
main(void)
{
    const char *const dirs[] = { PLUGINS, NULL };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_url_names_service_model_and_method),
        cmocka_unit_test(options_become_members),
        cmocka_unit_test(turns_and_media_have_their_places),
        cmocka_unit_test(tools_are_translated),
        cmocka_unit_test(credentials_go_where_they_belong),
    };
    int failed;

    g_unsetenv("GEMINI_API_KEY");
    g_unsetenv("GOOGLE_API_KEY");
    g_unsetenv("GOOGLE_CLOUD_PROJECT");
    g_unsetenv("GOOGLE_GENAI_USE_VERTEXAI");
    plugins = registry_new(dirs, false);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    registry_free(plugins);
    return failed;
}
