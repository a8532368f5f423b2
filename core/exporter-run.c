#include "exporter-run.h"

#include <json-glib/json-glib.h>

struct run_shown {
    struct lens_run run;
    GArray *targets, *stages; /* struct lens_target_info, lens_stage_info */
    GStringChunk *strings;
};

static const char *
keep(run_shown *r, const char *text)
{
    return g_string_chunk_insert_const(r->strings, text != NULL ? text : "");
}

static struct lens_target_info *
target_at(run_shown *r, guint nth)
{
    if (nth >= r->targets->len)
        g_array_set_size(r->targets, nth + 1);
    return &g_array_index(r->targets, struct lens_target_info, nth);
}

static struct lens_stage_info *
stage_at(run_shown *r, guint nth)
{
    if (nth >= r->stages->len)
        g_array_set_size(r->stages, nth + 1);
    return &g_array_index(r->stages, struct lens_stage_info, nth);
}

/* ---- from the plan ---- */

static const char *
string_member(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);

    return node != NULL && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

static JsonArray *
list_member(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);

    return node != NULL && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

static void
take_planned_target(run_shown *r, guint nth, JsonObject *planned)
{
    *target_at(r, nth) = (struct lens_target_info){
        .name = keep(r, string_member(planned, "name")),
        .provider = keep(r, string_member(planned, "provider")),
        .api = keep(r, string_member(planned, "api")),
        .model = keep(r, string_member(planned, "model")),
        .url = keep(r, string_member(planned, "url")),
    };
}

/* A planned workload is its kind among its options. */
static const char *
keep_options(run_shown *r, JsonObject *workload)
{
    g_autoptr(JsonObject) options = json_object_new();
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    g_autofree char *text = NULL;
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;

    json_object_iter_init_ordered(&iter, workload);
    while (json_object_iter_next_ordered(&iter, &name, &node))
        if (!g_str_equal(name, "kind"))
            json_object_set_member(options, name, json_node_copy(node));
    json_node_set_object(root, options);
    text = json_to_string(root, FALSE);
    return keep(r, text);
}

static void
take_planned_stage(run_shown *r, guint nth, JsonObject *planned)
{
    JsonNode *workload = json_object_get_member(planned, "workload");
    struct lens_stage_info *stage = stage_at(r, nth);

    stage->name = keep(r, string_member(planned, "name"));
    if (workload == NULL || !JSON_NODE_HOLDS_OBJECT(workload))
        return;
    stage->workload = keep(r, string_member(json_node_get_object(workload), "kind"));
    stage->options_json = keep_options(r, json_node_get_object(workload));
}

static void
take_plan(run_shown *r, const char *plan_json)
{
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    JsonNode *root;
    JsonArray *targets, *stages;

    if (plan_json == NULL || !json_parser_load_from_data(parser, plan_json, -1, NULL))
        return;
    root = json_parser_get_root(parser);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root))
        return;
    targets = list_member(json_node_get_object(root), "targets");
    stages = list_member(json_node_get_object(root), "stages");
    for (guint i = 0; targets != NULL && i < json_array_get_length(targets); i++)
        if (JSON_NODE_HOLDS_OBJECT(json_array_get_element(targets, i)))
            take_planned_target(r, i, json_array_get_object_element(targets, i));
    for (guint i = 0; stages != NULL && i < json_array_get_length(stages); i++)
        if (JSON_NODE_HOLDS_OBJECT(json_array_get_element(stages, i)))
            take_planned_stage(r, i, json_array_get_object_element(stages, i));
}

/* ---- from the results ---- */

static void
take_result(run_shown *r, const result *from)
{
    *target_at(r, from->target) = (struct lens_target_info){
        .name = keep(r, from->target_name),
        .provider = keep(r, from->provider),
        .api = keep(r, from->api),
        .model = keep(r, from->model),
        .url = keep(r, from->url),
    };
    *stage_at(r, from->stage) = (struct lens_stage_info){
        .name = keep(r, from->stage_name),
        .workload = keep(r, from->workload),
        .options_json = keep(r, from->workload_options),
    };
}

/* A reader may count on strings. */
static void
fill_gaps(run_shown *r)
{
    for (guint i = 0; i < r->targets->len; i++)
        if (target_at(r, i)->name == NULL)
            *target_at(r, i) = (struct lens_target_info){ "", "", "", "", "" };
    for (guint i = 0; i < r->stages->len; i++) {
        struct lens_stage_info *s = stage_at(r, i);

        s->name = s->name != NULL ? s->name : "";
        s->workload = s->workload != NULL ? s->workload : "";
        s->options_json = s->options_json != NULL ? s->options_json : "{}";
    }
}

run_shown *
run_shown_new(const run_info *info, const char *path)
{
    run_shown *r = g_new0(run_shown, 1);
    g_autofree char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, info->seed);

    r->strings = g_string_chunk_new(1024);
    r->targets = g_array_new(FALSE, TRUE, sizeof(struct lens_target_info));
    r->stages = g_array_new(FALSE, TRUE, sizeof(struct lens_stage_info));
    take_plan(r, info->plan_json);
    for (guint i = 0; i < info->results->len; i++)
        take_result(r, info->results->pdata[i]);
    fill_gaps(r);
    r->run = (struct lens_run){
        .struct_size = sizeof r->run,
        .id = keep(r, info->id),
        .version = keep(r, info->version),
        .seed = keep(r, seed),
        .plan_hash = keep(r, info->plan_hash),
        .host_name = keep(r, info->host_name),
        .plan_json = keep(r, info->plan_json),
        .start_unix_ns = info->start_unix_ns,
        .targets = (const struct lens_target_info *)(const void *)r->targets->data,
        .target_count = r->targets->len,
        .target_size = sizeof(struct lens_target_info),
        .stages = (const struct lens_stage_info *)(const void *)r->stages->data,
        .stage_count = r->stages->len,
        .stage_size = sizeof(struct lens_stage_info),
        .run_file = keep(r, path),
    };
    return r;
}

void
run_shown_free(run_shown *r)
{
    if (r == NULL)
        return;
    g_array_unref(r->targets);
    g_array_unref(r->stages);
    g_string_chunk_free(r->strings);
    g_free(r);
}

const struct lens_run *
run_shown_get(const run_shown *r)
{
    return &r->run;
}
