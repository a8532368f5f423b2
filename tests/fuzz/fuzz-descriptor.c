/* A descriptor whose every field is the fuzzer's. All that it points to has exactly the
 * size that it claims, so that a read beyond is seen. What passes the vetting must then
 * carry options that can be set, shown and freed. */
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "option.h"
#include "plugin-load.h"
#include "secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STRINGS = 8, ITEMS_MAX = 12, BLOCKS_MAX = 64 };

struct input {
    const uint8_t *at;
    size_t left;
    char *strings[STRINGS];
    void *blocks[BLOCKS_MAX];
    int block_count;
};

static uint8_t
take(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

static uint32_t
take_number(struct input *in)
{
    static const uint32_t usual[] = { 0, 1, 2, 3, 4, 24, 56, 64, 1u << 16, UINT32_MAX };
    const uint8_t which = take(in);

    return which < G_N_ELEMENTS(usual)
               ? usual[which]
               : (uint32_t)take(in) | (uint32_t)take(in) << 8 | (uint32_t)take(in) << 16;
}

static const char *
take_string(struct input *in)
{
    const uint8_t which = take(in);

    return which % (STRINGS + 1) == STRINGS ? NULL : in->strings[which % (STRINGS + 1)];
}

/* A copy of the first `size` bytes of `from` with nothing behind. */
static void *
exact(struct input *in, const void *from, size_t from_size, size_t size)
{
    char *block = malloc(MAX(size, 1));

    memset(block, 0, size);
    memcpy(block, from, MIN(from_size, size));
    in->blocks[in->block_count++] = block;
    return block;
}

/* A size that is often right. */
static uint32_t
take_size(struct input *in, size_t right)
{
    const uint8_t which = take(in);

    return which < 200 ? (uint32_t)right : which;
}

static struct lens_schema
take_schema(struct input *in)
{
    struct lens_schema schema = { .count = take(in) % ITEMS_MAX };
    char *items;

    schema.item_size = take_size(in, sizeof(struct lens_option));
    items = exact(in, "", 0, (size_t)schema.count * schema.item_size);
    for (uint32_t i = 0; i < schema.count; i++) {
        const struct lens_option option = {
            .name = take_string(in),
            .type = take_number(in),
            .flags = take(in),
            .fallback = take_string(in),
            .choices = take_string(in),
            .unit = take_string(in),
            .help = take_string(in),
        };

        memcpy(items + (size_t)i * schema.item_size, &option,
               MIN(sizeof option, schema.item_size));
    }
    schema.items = take(in) == 255 ? NULL : (const struct lens_option *)items;
    return schema;
}

static void
nothing(void)
{
}

/* A function that is there, or not; it is never called. */
static void *
take_function(struct input *in)
{
    void (*function)(void) = nothing;
    void *pointer = NULL;

    if (take(in) != 255)
        memcpy(&pointer, &function, sizeof pointer);
    return pointer;
}

#define SET_FUNCTION(member, in)                         \
    do {                                                 \
        void *function_ = take_function(in);             \
        memcpy(&(member), &function_, sizeof function_); \
    } while (0)

static const void *
take_provider(struct input *in)
{
    struct lens_provider ops = { .flags = take(in), .options = take_schema(in) };
    struct lens_mock mock = { .struct_size = take_size(in, sizeof mock) };
    struct lens_api apis[4] = { 0 };

    ops.api_count = take(in) % 5;
    ops.api_size = take_size(in, sizeof apis[0]);
    for (uint32_t i = 0; i < MIN(ops.api_count, 4); i++)
        apis[i] = (struct lens_api){ .name = take_string(in),
                                     .summary = take_string(in),
                                     .content_type = take_string(in) };
    ops.apis = exact(in, apis, sizeof apis, (size_t)ops.api_count * ops.api_size);
    SET_FUNCTION(ops.open, in);
    SET_FUNCTION(ops.close, in);
    SET_FUNCTION(ops.describe, in);
    SET_FUNCTION(ops.stream_open, in);
    SET_FUNCTION(ops.stream_close, in);
    SET_FUNCTION(ops.decode, in);
    SET_FUNCTION(ops.finish, in);
    SET_FUNCTION(ops.classify, in);
    SET_FUNCTION(mock.recognise, in);
    SET_FUNCTION(mock.encode, in);
    ops.mock = take(in) % 2 ? NULL : exact(in, &mock, sizeof mock, mock.struct_size);
    ops.struct_size = take_size(in, sizeof ops);
    return exact(in, &ops, sizeof ops, MAX(ops.struct_size, sizeof(uint32_t)));
}

static const void *
take_workload(struct input *in)
{
    struct lens_workload ops = { .flags = take(in), .wants = take(in) };

    ops.options = take_schema(in);
    SET_FUNCTION(ops.open, in);
    SET_FUNCTION(ops.close, in);
    SET_FUNCTION(ops.next, in);
    SET_FUNCTION(ops.event, in);
    ops.struct_size = take_size(in, sizeof ops);
    return exact(in, &ops, sizeof ops, MAX(ops.struct_size, sizeof(uint32_t)));
}

static const void *
take_exporter(struct input *in)
{
    struct lens_exporter ops = { .flags = take(in), .options = take_schema(in) };

    SET_FUNCTION(ops.open, in);
    SET_FUNCTION(ops.close, in);
    SET_FUNCTION(ops.begin, in);
    SET_FUNCTION(ops.samples, in);
    SET_FUNCTION(ops.snapshot, in);
    SET_FUNCTION(ops.end, in);
    ops.struct_size = take_size(in, sizeof ops);
    return exact(in, &ops, sizeof ops, MAX(ops.struct_size, sizeof(uint32_t)));
}

static const struct lens_plugin *
take_descriptor(struct input *in)
{
    enum { HEAD = 16 }; /* what no version changes */
    struct lens_plugin d = {
        .magic = take(in) == 255 ? take_number(in) : LENS_MAGIC,
        .abi = take(in) == 255 ? take_number(in) : LENS_ABI,
        .abi_needs = take(in) == 255 ? take_number(in) : LENS_ABI,
        .kind = take(in) % 5,
        .name = take_string(in),
        .version = take_string(in),
        .summary = take_string(in),
    };

    d.struct_size = take_size(in, sizeof d);
    if (d.kind == LENS_KIND_OF_PROVIDER)
        d.ops = take_provider(in);
    else if (d.kind == LENS_KIND_OF_WORKLOAD)
        d.ops = take_workload(in);
    else if (take(in) != 255)
        d.ops = take_exporter(in);
    return exact(in, &d, sizeof d, MAX(d.struct_size, HEAD));
}

static const struct lens_schema *
schema_of(const struct lens_plugin *d)
{
    if (d->kind == LENS_KIND_OF_PROVIDER)
        return &((const struct lens_provider *)d->ops)->options;
    if (d->kind == LENS_KIND_OF_WORKLOAD)
        return &((const struct lens_workload *)d->ops)->options;
    return &((const struct lens_exporter *)d->ops)->options;
}

/* Secrets are only checked for their form: the fuzzer may not run commands. */
static void
use_options(const struct lens_schema *schema, struct input *in)
{
    option_values *values = option_values_new(schema, "provider fuzz");
    g_autofree char *text = NULL;

    for (int i = 0; i < STRINGS; i++)
        option_values_set_list(values, in->strings[i], NULL);
    for (int i = 0; i + 1 < STRINGS; i++)
        option_values_set(values, in->strings[i], in->strings[i + 1], NULL);
    if (option_values_finish(values, false, NULL)) {
        option_values *copy = option_values_copy(values);

        text = option_values_to_json(copy, true);
        if (!check_json(text, NULL))
            abort();
        option_values_free(copy);
    }
    option_values_free(values);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { .at = data, .left = size };
    const struct lens_plugin *d;
    GError *error = NULL;

    for (int i = 0; i < STRINGS; i++) {
        const size_t asked = take(&in) % 32;
        const size_t length = MIN(asked, in.left);
        g_autofree char *raw = g_strndup((const char *)in.at, length);

        in.at += length;
        in.left -= length;
        in.strings[i] = secret_redact(raw, -1);
    }
    d = take_descriptor(&in);
    if (plugin_vet_head(d, &error) && plugin_vet(d, &error))
        use_options(schema_of(d), &in);
    else if (error == NULL || !g_utf8_validate(error->message, -1, NULL))
        abort(); /* every refusal has a reason */
    g_clear_error(&error);
    for (int i = 0; i < in.block_count; i++)
        free(in.blocks[i]);
    for (int i = 0; i < STRINGS; i++)
        g_free(in.strings[i]);
    return 0;
}
