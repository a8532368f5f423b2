/* decode-json: a result as the JSON of `lens decode`. All members stand there always. */
#include <math.h>
#include <string.h>

#include "decode.h"
#include "sample.h"

/* U+0085, U+2028 and U+2029 end lines for some readers of JSON lines. */
static bool
ends_line(const char *at)
{
    return strncmp(at, "\xc2\x85", 2) == 0 || strncmp(at, "\xe2\x80\xa8", 3) == 0 ||
           strncmp(at, "\xe2\x80\xa9", 3) == 0;
}

/* Returns the last byte of the character. */
static const char *
add_escape(GString *to, const char *at)
{
    g_string_append_printf(to, "\\u%04x", g_utf8_get_char(at));
    return g_utf8_next_char(at) - 1;
}

static void
add_string(GString *to, const char *text, size_t size)
{
    g_autofree char *valid = NULL;

    /* Content may hold NUL, which a JSON string can carry. */
    g_string_append_c(to, '"');
    for (size_t at = 0; at < size;) {
        const size_t run = strnlen(text + at, size - at);

        g_free(valid);
        valid = g_utf8_make_valid(text + at, (gssize)run);
        for (const char *p = valid; *p != '\0'; p++) {
            if (*p == '"' || *p == '\\')
                g_string_append_printf(to, "\\%c", *p);
            else if (*p == '\n')
                g_string_append(to, "\\n");
            else if ((unsigned char)*p < 0x20 || *p == 0x7f)
                g_string_append_printf(to, "\\u%04x", *p);
            else if (ends_line(p))
                p = add_escape(to, p);
            else
                g_string_append_c(to, *p);
        }
        at += run;
        if (at < size) {
            g_string_append(to, "\\u0000");
            at++;
        }
    }
    g_string_append_c(to, '"');
}

static void
add_text(GString *to, const char *text)
{
    if (text == NULL)
        g_string_append(to, "null");
    else
        add_string(to, text, strlen(text));
}

static void
add_place(GString *to, const char *name, const struct decode_place *p)
{
    if (p->chunk < 0) {
        g_string_append_printf(to, ",\"%s\":null", name);
        return;
    }
    g_string_append_printf(to,
                           ",\"%s\":{\"chunk\":%" G_GINT64_FORMAT
                           ",\"event\":%" G_GINT64_FORMAT ",\"start\":%" G_GUINT64_FORMAT
                           ",\"end\":%" G_GUINT64_FORMAT "}",
                           name, p->chunk, p->event, p->start, p->end);
}

/* A string, or with several choices an object by choice. */
static void
add_lanes(GString *to, const char *name, const GPtrArray *lanes, const char *empty)
{
    unsigned count = 0;
    const GString *only = NULL;
    const char *comma = "";

    for (unsigned i = 0; i < lanes->len; i++) {
        if (lanes->pdata[i] == NULL)
            continue;
        only = lanes->pdata[i];
        count++;
    }
    g_string_append_printf(to, ",\"%s\":", name);
    if (count == 0) {
        g_string_append(to, empty);
    } else if (count == 1) {
        add_string(to, only->str, only->len);
    } else {
        g_string_append_c(to, '{');
        for (unsigned i = 0; i < lanes->len; i++) {
            const GString *text = lanes->pdata[i];

            if (text == NULL)
                continue;
            g_string_append_printf(to, "%s\"%u\":", comma, i);
            add_string(to, text->str, text->len);
            comma = ",";
        }
        g_string_append_c(to, '}');
    }
}

static void
add_tools(GString *to, const GPtrArray *tools)
{
    g_string_append(to, ",\"tools\":[");
    for (unsigned i = 0; i < tools->len; i++) {
        const struct decode_tool *tool = tools->pdata[i];

        g_string_append(to, i == 0 ? "{\"name\":" : ",{\"name\":");
        add_string(to, tool->name->str, tool->name->len);
        g_string_append(to, ",\"arguments\":");
        add_string(to, tool->arguments->str, tool->arguments->len);
        g_string_append_c(to, '}');
    }
    g_string_append_c(to, ']');
}

static void
add_usage(GString *to, const int64_t usage[LENS_USAGE_COUNT])
{
    static const char *const names[LENS_USAGE_COUNT] = {
        NULL,       "in",        "cache_read", "cache_write", "cache_write_1h",
        "out",      "reasoning", "billed_in",  "billed_out",  "in_audio",
        "in_image", "out_audio", "out_image",
    };
    const char *before = "{";

    g_string_append(to, ",\"usage\":");
    for (unsigned i = 1; i < LENS_USAGE_COUNT; i++) {
        if (usage[i] < 0)
            continue;
        g_string_append_printf(to, "%s\"%s\":%" G_GINT64_FORMAT, before, names[i],
                               usage[i]);
        before = ",";
    }
    g_string_append(to, *before == '{' ? "null" : "}");
}

static void
add_number(GString *to, double number)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    if (isfinite(number))
        g_string_append(to, g_ascii_dtostr(text, sizeof text, number));
    else
        g_string_append(to, "null");
}

static void
add_error(GString *to, const decode_result *r)
{
    g_string_append(to, ",\"error\":{\"class\":");
    add_text(to, error_class_name(r->error_class));
    if (r->error_class != LENS_CLASS_NONE) {
        g_string_append(to, ",\"kind\":");
        add_text(to, error_kind_name(r->error_kind));
        g_string_append_printf(
            to, ",\"retryable\":%s,\"retry_after_ms\":", r->retryable ? "true" : "false");
        if (r->retry_after_ns < 0)
            g_string_append(to, "null");
        else
            add_number(to, (double)r->retry_after_ns / 1e6);
        g_string_append(to, ",\"request_id\":");
        add_text(to, r->request_id);
        g_string_append(to, ",\"code\":");
        add_text(to, r->code);
        g_string_append(to, ",\"message\":");
        add_text(to, r->message);
    }
    g_string_append_c(to, '}');
}

static void
add_warnings(GString *to, const GArray *warnings)
{
    g_string_append(to, ",\"warn\":[");
    for (unsigned i = 0; i < warnings->len; i++) {
        g_string_append(to, i == 0 ? "" : ",");
        add_text(to, warning_name(g_array_index(warnings, uint32_t, i)));
    }
    g_string_append_c(to, ']');
}

static void
add_extras(GString *to, const GPtrArray *extras)
{
    g_string_append(to, ",\"extra\":{");
    for (unsigned i = 0; i < extras->len; i++) {
        const struct decode_extra *e = extras->pdata[i];

        g_string_append(to, i == 0 ? "" : ",");
        add_text(to, e->name);
        g_string_append_c(to, ':');
        if (e->code == 2)
            add_text(to, e->text);
        else if (e->code == 1)
            add_number(to, e->number);
        else
            g_string_append_printf(to, "%" G_GINT64_FORMAT, e->value);
    }
    g_string_append_c(to, '}');
}

char *
decode_result_json(const decode_result *r, const char *id)
{
    GString *to = g_string_new("{\"id\":");

    add_text(to, id);
    add_place(to, "first", &r->first);
    add_place(to, "first_text", &r->first_text);
    g_string_append_printf(to, ",\"events\":%" G_GINT64_FORMAT, r->outputs);
    add_lanes(to, "text", r->texts, "\"\"");
    add_lanes(to, "reasoning", r->reasonings, "\"\"");
    add_lanes(to, "refusal", r->refusals, "\"\"");
    add_tools(to, r->tools);
    add_usage(to, r->usage);
    add_lanes(to, "finish", r->finishes, "null");
    add_error(to, r);
    add_warnings(to, r->warnings);
    add_extras(to, r->extras);
    g_string_append_c(to, '}');
    return g_string_free(to, FALSE);
}

/* ---- comparing ---- */

static bool same(JsonNode *want, JsonNode *got, bool subset);

static bool
same_object(JsonObject *want, JsonObject *got, bool subset)
{
    g_autoptr(GList) names = json_object_get_members(want);

    if (!subset && json_object_get_size(want) != json_object_get_size(got))
        return false;
    for (GList *at = names; at != NULL; at = at->next)
        if (!json_object_has_member(got, at->data) ||
            !same(json_object_get_member(want, at->data),
                  json_object_get_member(got, at->data), subset))
            return false;
    return true;
}

static bool
same_list(JsonArray *want, JsonArray *got)
{
    if (json_array_get_length(want) != json_array_get_length(got))
        return false;
    for (unsigned i = 0; i < json_array_get_length(want); i++)
        if (!same(json_array_get_element(want, i), json_array_get_element(got, i), false))
            return false;
    return true;
}

/* Numbers are equal by value: 10 is 10.0. */
static bool
same(JsonNode *want, JsonNode *got, bool subset)
{
    if (JSON_NODE_TYPE(want) != JSON_NODE_TYPE(got))
        return false;
    if (JSON_NODE_HOLDS_OBJECT(want))
        return same_object(json_node_get_object(want), json_node_get_object(got), subset);
    if (JSON_NODE_HOLDS_ARRAY(want))
        return same_list(json_node_get_array(want), json_node_get_array(got));
    if (JSON_NODE_HOLDS_NULL(want))
        return true;
    if (json_node_get_value_type(want) == G_TYPE_DOUBLE ||
        json_node_get_value_type(got) == G_TYPE_DOUBLE)
        return fabs(json_node_get_double(want) - json_node_get_double(got)) < 1e-9;
    return json_node_equal(want, got);
}

static char *
shown(JsonNode *node)
{
    return node != NULL ? json_to_string(node, FALSE) : g_strdup("nothing");
}

char *
decode_result_differs(const decode_result *r, JsonObject *expect)
{
    g_autofree char *text = decode_result_json(r, NULL);
    g_autoptr(JsonNode) root = json_from_string(text, NULL);
    g_autoptr(GList) names = json_object_get_members(expect);

    for (GList *at = names; at != NULL; at = at->next) {
        const char *name = at->data;
        JsonNode *want = json_object_get_member(expect, name);
        JsonNode *got = json_object_get_member(json_node_get_object(root), name);
        /* Of an error and of extras a case names what it checks. */
        const bool subset = strcmp(name, "error") == 0 || strcmp(name, "extra") == 0;

        if (got == NULL || !same(want, got, subset)) {
            g_autofree char *wanted = shown(want), *found = shown(got);

            return g_strdup_printf("%s: expected %s, got %s", name, wanted, found);
        }
    }
    return NULL;
}
