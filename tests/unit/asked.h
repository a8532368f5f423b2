/* asked: what a provider makes of an ask, for tests of requests. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"

static registry *plugins;

/* A described request. */
struct asked {
    option_values *options;
    instance *instance;
    struct lens_request request;
};

static inline struct lens_bytes
bytes_of(const char *text)
{
    return (struct lens_bytes){ text, text != NULL ? strlen(text) : 0 };
}

/* `api` is provider.api; `options` as in `--provider`. */
static inline void
asked_open(struct asked *a, const char *api, const char *options)
{
    g_auto(GStrv) names = g_strsplit(api, ".", 2);
    g_autoptr(GError) error = NULL;
    const plugin *p = registry_find(plugins, LENS_KIND_OF_PROVIDER, names[0], &error);
    int index;

    assert_non_null(p);
    index = provider_api(p, names[1], &error);
    assert_true(index >= 0);
    a->options = option_values_new(&p->ops.provider.options, names[0]);
    assert_true(option_values_set_list(a->options, options, &error));
    assert_true(option_values_finish(a->options, true, &error));
    a->instance = provider_open(p, (unsigned)index, a->options, 0, &error);
    assert_non_null(a->instance);
    lens_request_init(&a->request);
}

static inline void
asked_close(struct asked *a)
{
    lens_request_clear(&a->request);
    instance_close(a->instance);
    option_values_free(a->options);
}

static const struct lens_part hello = { .kind = LENS_PART_TEXT,
                                        .data = { "Say \"hi\"\n", 9 } };
static const struct lens_turn user = {
    .role = LENS_ROLE_USER, .parts = &hello, .part_count = 1, .part_size = sizeof hello
};

/* One question, streamed, of model m. */
static inline struct lens_ask
plain_ask(void)
{
    return (struct lens_ask){
        .struct_size = sizeof(struct lens_ask),
        .flags = LENS_ASK_STREAM,
        .model = { "m", 1 },
        .turns = &user,
        .turn_count = 1,
        .turn_size = sizeof user,
        .stop_size = sizeof(struct lens_bytes),
        .header_size = sizeof(struct lens_pair),
    };
}

static inline void
describe(struct asked *a, const struct lens_ask *ask)
{
    const struct lens_provider *ops = &a->instance->plugin->ops.provider;

    assert_int_equal(ops->describe(a->instance->self, ask, &a->request), LENS_OK);
    assert_false(a->request.failed);
}

static inline char *
body_of(const struct asked *a)
{
    return g_strndup(a->request.body.data, a->request.body.size);
}

static inline const char *
header_of(const struct asked *a, const char *name)
{
    for (unsigned i = 0; i < a->request.headers->len; i++) {
        const char *line = a->request.headers->pdata[i];

        if (g_ascii_strncasecmp(line, name, strlen(name)) == 0 &&
            line[strlen(name)] == ':')
            return g_str_has_prefix(line + strlen(name), ": ") ? line + strlen(name) + 2
                                                               : line + strlen(name) + 1;
    }
    return NULL;
}
