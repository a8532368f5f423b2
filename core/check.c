#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "option.h"
#include "plain-text.h"

/* Beyond this many host calls in one cycle the later ones are more of the same. */
enum { FAILING_CALLS_MAX = 3000 };

void
check_begin(check *c, const char *what)
{
    snprintf(c->state->current, sizeof c->state->current, "%s %s: %s",
             plugin_kind_name(c->plugin->kind), c->plugin->name, what);
    alarm(CHECK_SECONDS);
}

void
check_end(check *c, const char *problem)
{
    g_autofree char *plain = NULL;

    alarm(0);
    if (problem == NULL || *problem == '\0') {
        c->state->passed++;
        fprintf(c->out, "ok      %s\n", c->state->current);
    } else {
        c->state->failed++;
        plain = plain_text(problem, -1);
        fprintf(c->out, "FAILED  %s: %s\n", c->state->current, plain);
    }
    fflush(c->out);
}

static const struct lens_schema *
schema_of(const plugin *p)
{
    return p->kind == LENS_KIND_OF_PROVIDER   ? &p->ops.provider.options
           : p->kind == LENS_KIND_OF_WORKLOAD ? &p->ops.workload.options
                                              : &p->ops.exporter.options;
}

static uint32_t
add_setting(struct lens_setting *settings, uint32_t count, const char *name,
            JsonNode *node)
{
    const bool is_string =
        JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING;

    if (count >= CHECK_SETTINGS)
        return count;
    settings[count].name = g_strdup(name);
    settings[count].value =
        is_string ? json_node_dup_string(node) : json_to_string(node, FALSE);
    return count + 1;
}

/* A list gives an option several values. */
static uint32_t
add_given(struct lens_setting *settings, JsonObject *given)
{
    g_autoptr(GList) names = given != NULL ? json_object_get_members(given) : NULL;
    uint32_t count = 0;

    for (GList *at = names; at != NULL; at = at->next) {
        JsonNode *node = json_object_get_member(given, at->data);
        JsonArray *list;

        if (!JSON_NODE_HOLDS_ARRAY(node)) {
            count = add_setting(settings, count, at->data, node);
            continue;
        }
        list = json_node_get_array(node);
        for (unsigned i = 0; i < json_array_get_length(list); i++)
            count =
                add_setting(settings, count, at->data, json_array_get_element(list, i));
    }
    return count;
}

void
check_host_init(struct check_host *h, const check *c, JsonObject *given)
{
    const struct lens_schema *schema = schema_of(c->plugin);

    h->given = add_given(h->settings, given);
    h->count = lens_harness_fill(schema, c->dir, h->settings, h->given, CHECK_SETTINGS);
    lens_harness_init(&h->harness, schema, h->settings, h->count);
}

void
check_host_clear(struct check_host *h)
{
    lens_harness_clear(&h->harness);
    lens_harness_unfill(h->settings, h->given, h->count);
    for (uint32_t i = 0; i < h->given; i++) {
        g_free((char *)h->settings[i].name);
        g_free((char *)h->settings[i].value);
    }
}

void
check_failing_calls(check *c, struct check_host *h, int (*cycle)(void *), void *data)
{
    struct lens_harness *harness = &h->harness;

    for (uint64_t nth = 1; nth <= FAILING_CALLS_MAX; nth++) {
        harness->calls = 0;
        harness->fail_at = nth;
        cycle(data);
        harness->fail_at = 0;
        if (harness->problem[0] != '\0') {
            g_autofree char *where =
                g_strdup_printf("call %u: %s", (unsigned)nth, harness->problem);

            check_end(c, where);
            return;
        }
        if (harness->calls < nth)
            break;
    }
    check_end(c, NULL);
}

void
check_leaks(check *c, struct check_host *h, int (*cycle)(void *), void *data)
{
    const int before = lens_harness_descriptors();
    const int64_t leak = lens_harness_leak(cycle, data);
    const int after = lens_harness_descriptors();

    if (leak > 0)
        lens_harness_problem(&h->harness, "each cycle loses %d bytes of the heap",
                             (int)leak);
    if (after > before)
        lens_harness_problem(&h->harness, "%d file descriptors were left open",
                             after - before);
    check_end(c, h->harness.problem);
}
