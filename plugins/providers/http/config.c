/* config: the options of an instance, checked as far as that can be done without a
 * server; each mistake is told with the option and with what is wrong. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http.h"

static lens_status refuse(const struct http *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static lens_status
refuse(const struct http *p, const char *format, ...)
{
    char text[768];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return p->host->fail(p->host, LENS_E_CONFIG, text);
}

static const char *
option(const struct http *p, const char *name)
{
    const char *value = p->host->opt_string(p->host, name, 0);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* Number of a choice among its names. */
static int
choice(const struct http *p, const char *name, const char *const *names, int count)
{
    const char *value = option(p, name);

    for (int i = 0; i < count && value != NULL; i++)
        if (strcmp(value, names[i]) == 0)
            return i;
    return 0;
}

/* ---- paths ---- */

static const struct {
    const char *option;
    uint32_t slot;
} paths[] = {
    { "text_path", SLOT_TEXT },
    { "reasoning_path", SLOT_REASONING },
    { "refusal_path", SLOT_REFUSAL },
    { "tool_name_path", SLOT_TOOL_NAME },
    { "tool_arguments_path", SLOT_TOOL_ARGUMENTS },
    { "tool_index_path", SLOT_TOOL_INDEX },
    { "finish_path", SLOT_FINISH },
    { "done_path", SLOT_DONE },
    { "error_path", SLOT_ERROR },
    { "error_message_path", SLOT_ERROR_MESSAGE },
    { "error_code_path", SLOT_ERROR_CODE },
    { "model_path", SLOT_MODEL },
    { "id_path", SLOT_ID },
    { "tier_path", SLOT_TIER },
    { "cost_path", SLOT_COST },
    { "tokens_path", SLOT_TOKENS },
    { "total_tokens_path", SLOT_TOTAL },
    { "input_tokens_path", SLOT_USAGE + LENS_USAGE_INPUT },
    { "cache_read_tokens_path", SLOT_USAGE + LENS_USAGE_CACHE_READ },
    { "cache_write_tokens_path", SLOT_USAGE + LENS_USAGE_CACHE_WRITE },
    { "cache_write_1h_tokens_path", SLOT_USAGE + LENS_USAGE_CACHE_WRITE_1H },
    { "output_tokens_path", SLOT_USAGE + LENS_USAGE_OUTPUT },
    { "reasoning_tokens_path", SLOT_USAGE + LENS_USAGE_REASONING },
    { "billed_input_path", SLOT_USAGE + LENS_USAGE_BILLED_INPUT },
    { "billed_output_path", SLOT_USAGE + LENS_USAGE_BILLED_OUTPUT },
};

static lens_status
read_paths(struct http *p)
{
    char why[512];

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const char *text = option(p, paths[i].option);

        if (text != NULL && !tree_add(&p->tree, paths[i].slot, text, why, sizeof why))
            return refuse(p, "option %s: %s", paths[i].option, why);
    }
    return LENS_OK;
}

static lens_status
read_time(struct http *p, const char *text)
{
    struct time_rule *rule = &p->times[p->time_count];
    const char *equals = strchr(text, '=');
    const size_t size = equals != NULL ? (size_t)(equals - text) : 0;
    char why[512];

    if (size == 0 || equals[1] == '\0')
        return refuse(p, "option time: `%.80s` is not NAME=PATH or NAME=header:FIELD",
                      text);
    if (size >= sizeof rule->name)
        return refuse(p, "option time: the name in `%.80s` is longer than %zu bytes",
                      text, sizeof rule->name - 1);
    if (p->time_count == TIMES_MAX)
        return refuse(p, "option time: more than %d of them", TIMES_MAX);
    memcpy(rule->name, text, size);
    rule->name[size] = '\0';
    if (strncmp(equals + 1, "header:", 7) == 0)
        rule->header = equals + 8;
    else if (!tree_add(&p->tree, SLOT_TIME + p->time_count, equals + 1, why, sizeof why))
        return refuse(p, "option time: %s", why);
    p->time_count++;
    return LENS_OK;
}

static lens_status
read_kind(struct http *p, const char *text)
{
    struct kind_rule *rule = &p->kinds[p->kind_count];
    const char *equals = strrchr(text, '=');

    if (equals == NULL || equals == text)
        return refuse(p, "option error_kind: `%.80s` is not PATTERN=KIND", text);
    if (p->kind_count == KINDS_MAX)
        return refuse(p, "option error_kind: more than %d of them", KINDS_MAX);
    rule->pattern = (struct lens_bytes){ text, (size_t)(equals - text) };
    rule->kind = http_kind_of_name((struct lens_bytes){ equals + 1, strlen(equals + 1) });
    if (rule->kind == 0)
        return refuse(p, "option error_kind: `%.80s` names no kind; there is %s", text,
                      http_kind_names);
    p->kind_count++;
    return LENS_OK;
}

/* ---- headers ---- */

static char *
copy_trimmed(const char *text, size_t size)
{
    while (size > 0 && (*text == ' ' || *text == '\t'))
        text++, size--;
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t'))
        size--;
    return strndup(text, size);
}

static int
ends_in(const char *text, const char *end)
{
    const size_t size = strlen(text), wanted = strlen(end);

    return size >= wanted && strcasecmp(text + size - wanted, end) == 0;
}

/* Names of headers that usually carry a credential, whoever the vendor is. */
static int
carries_credential(const char *name)
{
    static const char *const parts[] = { "authorization", "api-key",   "apikey",
                                         "api_key",       "cookie",    "secret",
                                         "password",      "credential" };
    static const char *const ends[] = { "-token", "_token", "-auth", "subscription-key",
                                        "access-key" };

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strcasestr(name, parts[i]) != NULL)
            return 1;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (ends_in(name, ends[i]))
            return 1;
    return 0;
}

/* A secret is only named: it is read here, once, and never shown. */
static lens_status
read_secret(struct http *p, char **value, uint32_t *flags)
{
    const char *found;

    if (strncmp(*value, "env:", 4) != 0)
        return LENS_OK;
    found = getenv(*value + 4);
    if (found == NULL || found[0] == '\0')
        return refuse(p, "option header: the environment variable %.80s is not set",
                      *value + 4);
    free(*value);
    *value = strdup(found);
    *flags = LENS_HEADER_SECRET;
    return *value != NULL ? LENS_OK
                          : p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
}

static lens_status
read_header(struct http *p, const char *text)
{
    const char *colon = strchr(text, ':');
    char *name, *value;

    if (colon == NULL || colon == text)
        return refuse(p, "option header: `%.80s` is not `Name: value`", text);
    if (p->header_count == HEADERS_MAX)
        return refuse(p, "option header: more than %d of them", HEADERS_MAX);
    name = copy_trimmed(text, (size_t)(colon - text));
    value = copy_trimmed(colon + 1, strlen(colon + 1));
    p->headers[p->header_count].name = name;
    p->headers[p->header_count].value = value;
    p->header_count++;
    if (name == NULL || value == NULL)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    if (strpbrk(name, " \t\r\n\"(),/;<=>?@[]{}") != NULL || name[0] == '\0')
        return refuse(p, "option header: `%.80s` is no name of a header", name);
    if (carries_credential(name) && strncmp(value, "env:", 4) != 0)
        return refuse(p,
                      "option header: %.80s carries a credential, which is never written "
                      "out: write `%.80s: env:NAME`",
                      name, name);
    return read_secret(p, &p->headers[p->header_count - 1].value,
                       &p->headers[p->header_count - 1].flags);
}

static lens_status
read_list(struct http *p, const char *name,
          lens_status (*read)(struct http *, const char *))
{
    const int32_t count = p->host->opt_count(p->host, name);
    lens_status st = LENS_OK;

    for (int32_t i = 0; i < count && st == LENS_OK; i++)
        st = read(p, p->host->opt_string(p->host, name, (uint32_t)i));
    return st;
}

static lens_status
read_event(struct http *p, const char *name)
{
    if (p->event_count == EVENTS_MAX)
        return refuse(p, "option events: more than %d of them", EVENTS_MAX);
    p->events[p->event_count++] = name;
    return LENS_OK;
}

/* ---- templates ---- */

static const char DEFAULT_BODY[] =
    "{\"model\":{{model}},\"prompt\":{{prompt}},\"max_tokens\":{{max_tokens}},"
    "\"temperature\":{{temperature}},\"seed\":{{seed}},\"stream\":{{stream}}}";

static lens_status
read_templates(struct http *p)
{
    static const char *const forms[] = { "json", "text", "form" };
    char why[512];

    p->body_form = (enum template_form)choice(p, "body_form", forms, 3);
    p->body = option(p, "body");
    if (p->body == NULL && strcmp(p->method, "GET") != 0) {
        if (p->body_form != TEMPLATE_JSON)
            return refuse(p, "option body is missing: the request, with placeholders "
                             "such as {{prompt}}");
        p->body = DEFAULT_BODY;
    }
    if (p->body != NULL &&
        template_check(p->body, p->body_form, why, sizeof why) != LENS_OK)
        return refuse(p, "option body: %s", why);
    p->path = option(p, "path");
    p->path_whole = option(p, "path_whole");
    if (p->path != NULL &&
        template_check(p->path, TEMPLATE_FORM, why, sizeof why) != LENS_OK)
        return refuse(p, "option path: %s", why);
    if (p->path_whole != NULL &&
        template_check(p->path_whole, TEMPLATE_FORM, why, sizeof why) != LENS_OK)
        return refuse(p, "option path_whole: %s", why);
    return LENS_OK;
}

/* ---- what belongs together ---- */

static lens_status
check_answer(const struct http *p)
{
    const int sse = p->framing == FRAMING_SSE;

    if (p->framing != FRAMING_RAW && !p->text_data && !tree_has(&p->tree, SLOT_TEXT) &&
        !tree_has(&p->tree, SLOT_REASONING) && !tree_has(&p->tree, SLOT_TOOL_NAME))
        return refuse(p, "option text_path is missing: where the text of a message lies, "
                         "for instance choices[0].delta.content");
    if (p->done_value != NULL && !tree_has(&p->tree, SLOT_DONE))
        return refuse(p, "option done_value needs done_path: where the value lies");
    if (!sse &&
        (p->event_count > 0 || p->text_event != NULL || p->reasoning_event != NULL ||
         p->done_event != NULL || p->error_event != NULL))
        return refuse(p, "options events, text_event, reasoning_event, error_event and "
                         "done_event need framing=sse: other streams name no events");
    if (!p->text_data && (p->text_event != NULL || p->reasoning_event != NULL))
        return refuse(p, "options text_event and reasoning_event need data=text; with "
                         "JSON, write event:NAME in front of a path");
    if (p->cumulative && (p->text_data || p->framing == FRAMING_RAW))
        return refuse(p, "option text_mode=cumulative needs messages of JSON");
    return LENS_OK;
}

lens_status
http_configure(struct http *p)
{
    static const char *const framings[] = { "sse",          "ndjson", "json-array",
                                            "concatenated", "raw",    "whole" };
    static const char *const data[] = { "json", "text" };
    static const char *const modes[] = { "delta", "cumulative" };
    static const char *const relations[] = { "included", "additional" };
    lens_status st;

    tree_init(&p->tree);
    p->url = option(p, "url");
    if (p->url == NULL)
        return refuse(p, "option url is missing: where requests go");
    p->method = option(p, "method");
    if (p->method == NULL)
        p->method = "POST";
    p->content_type = option(p, "content_type");
    p->accept = option(p, "accept");
    p->framing = (enum framing)choice(p, "framing", framings, 6);
    p->text_data = choice(p, "data", data, 2);
    p->cumulative = choice(p, "text_mode", modes, 2);
    p->cache_outside = choice(p, "cache_relation", relations, 2);
    p->reasoning_outside = choice(p, "reasoning_relation", relations, 2);
    p->text_event = option(p, "text_event");
    p->reasoning_event = option(p, "reasoning_event");
    p->done_event = option(p, "done_event");
    p->error_event = option(p, "error_event");
    p->done_data = option(p, "done_data");
    p->done_value = option(p, "done_value");
    p->id_header = option(p, "id_header");
    p->models_path = option(p, "models_path");
    p->models_list = option(p, "models_list");
    p->models_name = option(p, "models_name");
    st = read_paths(p);
    if (st == LENS_OK)
        st = read_list(p, "time", read_time);
    if (st == LENS_OK)
        st = read_list(p, "error_kind", read_kind);
    if (st == LENS_OK)
        st = read_list(p, "header", read_header);
    if (st == LENS_OK)
        st = read_list(p, "events", read_event);
    if (st == LENS_OK)
        st = read_templates(p);
    return st == LENS_OK ? check_answer(p) : st;
}

void
http_forget(struct http *p)
{
    for (uint32_t i = 0; i < p->header_count; i++) {
        free(p->headers[i].name);
        if (p->headers[i].value != NULL)
            explicit_bzero(p->headers[i].value, strlen(p->headers[i].value));
        free(p->headers[i].value);
    }
    tree_clear(&p->tree);
}
