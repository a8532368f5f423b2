/* The mock of a real provider: any request is known, unknown or wrong, and what is known
 * can be answered step by step. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include <lens/plugin.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct lens_buffer {
    size_t size;
};

static lens_status
append(struct lens_buffer *to, const void *data, size_t size)
{
    (void)data;
    to->size += size;
    return LENS_OK;
}

#define EXPECT(condition)                                \
    do {                                                 \
        if (!(condition)) {                              \
            fprintf(stderr, "not so: %s\n", #condition); \
            abort();                                     \
        }                                                \
    } while (0)

static void
answer(const struct lens_mock *mock, struct lens_mock_turn *turn)
{
    static const char text[] = "a \"b\"\n\xc3\xa9";

    for (uint32_t kind = LENS_STEP_BEGIN; kind <= LENS_STEP_MODELS; kind++) {
        const struct lens_mock_step step = {
            .struct_size = (uint32_t)sizeof step,
            .kind = kind,
            .text = { text, sizeof text - 1 },
            .name = { "tool", 4 },
            .error_kind = LENS_KIND_SERVER,
            .status = 500,
            .input_tokens = 5,
            .output_tokens = 3,
            .finish = { "stop", 4 },
        };
        struct lens_buffer to = { 0 };

        mock->encode(turn, &step, &to, append);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const paths[] = { "/v1/chat/completions", "/v1/completions",
                                         "/v1/responses?x=1", "/v1/models", "/" };
    const struct lens_provider *p = lens_plugin_entry(LENS_ABI)->ops;
    struct lens_mock_turn turn = { .struct_size = (uint32_t)sizeof turn, .now_s = 1 };
    struct lens_mock_request request = { .struct_size = (uint32_t)sizeof request,
                                         .header_size =
                                             (uint32_t)sizeof(struct lens_pair),
                                         .method = { "POST", 4 } };
    const char *why = NULL;
    char quoted[sizeof turn.model + 2];
    struct lens_json j;
    lens_status st;

    if (size == 0)
        return 0;
    request.path.data = paths[data[0] % 5];
    request.path.size = strlen(request.path.data);
    request.body.data = (const char *)data + 1;
    request.body.size = size - 1;
    st = p->mock->recognise(&request, &turn, &why);
    EXPECT(st == LENS_OK || st == LENS_E_UNSUPPORTED || st == LENS_E_PROTOCOL);
    EXPECT(st != LENS_E_PROTOCOL || why != NULL);
    if (st != LENS_OK)
        return 0;
    EXPECT(turn.api < p->api_count || turn.api == LENS_MOCK_MODELS);
    EXPECT(memchr(turn.model, '\0', sizeof turn.model) != NULL);
    /* The model is safe inside a JSON string. */
    snprintf(quoted, sizeof quoted, "\"%s\"", turn.model);
    lens_json_begin(&j, quoted, strlen(quoted));
    EXPECT(lens_json_skip(&j) && lens_json_end(&j));
    answer(p->mock, &turn);
    return 0;
}
