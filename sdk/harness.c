/* The host that a harness plays. */
#include <dirent.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "harness-private.h"

#define GROW_LIMIT ((uint64_t)64 << 20)

/* ---- text ---- */

void
lens_sheet_add(struct lens_sheet *t, const void *data, size_t size)
{
    if (t->size + size + 1 > t->capacity) {
        t->capacity = (t->size + size + 1) * 2;
        t->data = realloc(t->data, t->capacity);
        if (t->data == NULL)
            abort();
    }
    if (size > 0)
        memcpy(t->data + t->size, data, size);
    t->size += size;
    t->data[t->size] = '\0';
}

void
lens_sheet_print(struct lens_sheet *t, const char *format, ...)
{
    char piece[1024];
    va_list list;
    int size;

    va_start(list, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): clang 14 is wrong here */
    size = vsnprintf(piece, sizeof piece, format, list);
    va_end(list);
    lens_sheet_add(t, piece, size < (int)sizeof piece ? (size_t)size : sizeof piece - 1);
}

void
lens_sheet_clear(struct lens_sheet *t)
{
    free(t->data);
    memset(t, 0, sizeof *t);
}

static void
empty(struct lens_sheet *t)
{
    t->size = 0;
    lens_sheet_add(t, "", 0);
}

/* ---- services ---- */

static struct lens_harness *
harness_of(const struct lens_host *host)
{
    return (struct lens_harness *)host;
}

int
harness_fails(struct lens_harness *h, const char *service)
{
    if (++h->calls != h->fail_at)
        return 0;
    h->injected = service;
    h->told = h->faults + h->warnings;
    return 1;
}

static void
host_log(const struct lens_host *host, int32_t level, const char *text)
{
    (void)level;
    if (text == NULL)
        lens_harness_problem(harness_of(host), "log: the text is NULL");
}

static lens_status
host_fail(const struct lens_host *host, lens_status why, const char *text)
{
    struct lens_harness *h = harness_of(host);

    h->why = why < 0 ? why : LENS_E_FAILED;
    if (why > 0 || (why == LENS_OK && !h->exporting))
        lens_harness_problem(h, "fail: the status is %d, which is no failure", why);
    if (text == NULL || *text == '\0')
        lens_harness_problem(h, "fail: gives no reason");
    return why == LENS_OK ? LENS_OK : h->why;
}

/* The declaration of an option; asking for one that is not declared is a problem. */
static int
declared(const struct lens_host *host, const char *name, struct lens_option *ret)
{
    struct lens_harness *h = harness_of(host);
    const uint32_t count = h->schema != NULL ? h->schema->count : 0;

    for (uint32_t i = 0; i < count; i++) {
        const size_t size = h->schema->item_size;

        memset(ret, 0, sizeof *ret);
        memcpy(ret, (const char *)h->schema->items + i * size,
               size < sizeof *ret ? size : sizeof *ret);
        if (strcmp(ret->name, name) == 0)
            return 1;
    }
    lens_harness_problem(h, "asks for the option `%s`, which is not declared", name);
    return 0;
}

static int32_t
host_opt_count(const struct lens_host *host, const char *name)
{
    const struct lens_harness *h = harness_of(host);
    struct lens_option option = { 0 };
    int32_t count = 0;

    if (!declared(host, name, &option))
        return 0;
    for (uint32_t i = 0; i < h->setting_count; i++)
        count += strcmp(h->settings[i].name, name) == 0;
    return count > 0 ? count : option.fallback != NULL;
}

static const char *
host_opt_string(const struct lens_host *host, const char *name, uint32_t nth)
{
    const struct lens_harness *h = harness_of(host);
    struct lens_option option = { 0 };
    int given = 0;

    if (!declared(host, name, &option))
        return NULL;
    for (uint32_t i = 0; i < h->setting_count; i++) {
        if (strcmp(h->settings[i].name, name) != 0)
            continue;
        given = 1;
        if (nth-- == 0)
            return h->settings[i].value;
    }
    return nth == 0 && !given ? option.fallback : NULL;
}

static int64_t
host_opt_int(const struct lens_host *host, const char *name)
{
    const char *text = host_opt_string(host, name, 0);
    struct lens_option option = { 0 };
    int64_t value = 0;

    if (text != NULL && declared(host, name, &option))
        lens_setting_to_int(text, option.type, &value);
    return value;
}

static double
host_opt_double(const struct lens_host *host, const char *name)
{
    const char *text = host_opt_string(host, name, 0);

    return text != NULL ? strtod(text, NULL) : 0;
}

static lens_status
host_req_line(struct lens_request *request, const char *method, const char *url)
{
    struct lens_harness *h = request->harness;

    if (harness_fails(h, "req_line"))
        return LENS_E_NOMEM;
    empty(&h->method);
    empty(&h->url);
    lens_sheet_print(&h->method, "%s", method);
    lens_sheet_add(&h->url, url, strlen(url));
    return LENS_OK;
}

static lens_status
host_req_header(struct lens_request *request, const char *name, const char *value,
                uint32_t flags)
{
    struct lens_harness *h = request->harness;

    (void)flags;
    if (harness_fails(h, "req_header"))
        return LENS_E_NOMEM;
    if (*name == '\0' || strpbrk(name, ": \r\n") != NULL ||
        strpbrk(value, "\r\n") != NULL) {
        lens_harness_problem(h, "req_header: `%s` is no header", name);
        return LENS_E_FAILED;
    }
    lens_sheet_print(&h->headers, "%s: ", name);
    lens_sheet_add(&h->headers, value, strlen(value));
    lens_sheet_add(&h->headers, "\n", 1);
    return LENS_OK;
}

static lens_status
host_req_body(struct lens_request *request, const void *data, size_t size)
{
    if (harness_fails(request->harness, "req_body"))
        return LENS_E_NOMEM;
    lens_sheet_add(&request->harness->body, data, size);
    return LENS_OK;
}

static lens_status
host_append(struct lens_buffer *buffer, const void *data, size_t size)
{
    if (harness_fails(buffer->harness, "append"))
        return LENS_E_NOMEM;
    lens_sheet_add(buffer->text, data, size);
    return LENS_OK;
}

static void *
host_grow(const struct lens_host *host, void *old, size_t old_size, size_t size)
{
    struct lens_harness *h = harness_of(host);
    void *grown;

    if (old_size > h->grown)
        lens_harness_problem(h, "grow: old_size is %zu, more than was given out",
                             old_size);
    if (size == 0) {
        free(old);
        h->grown -= old != NULL && old_size <= h->grown ? old_size : 0;
        return NULL;
    }
    if (harness_fails(h, "grow") || size > GROW_LIMIT)
        return NULL;
    /* Asking again for less, with success, is no failure any more. */
    if (h->injected != NULL && strcmp(h->injected, "grow") == 0)
        h->injected = NULL;
    grown = realloc(old, size);
    if (grown != NULL)
        h->grown += size - (old != NULL ? old_size : 0);
    return grown;
}

static uint64_t
host_rand(const struct lens_host *host, uint32_t stream, uint64_t index)
{
    uint64_t x = harness_of(host)->seed ^ (uint64_t)stream << 56;

    /* splitmix64 over the index: as good as any for a test. */
    x += (index + 1) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static lens_status
host_http(const struct lens_host *host, const struct lens_http_request *request,
          struct lens_http_answer *answer)
{
    struct lens_harness *h = harness_of(host);

    h->http_calls++;
    if (request->url == NULL || request->method == NULL)
        lens_harness_problem(h, "http: method or url is NULL");
    answer->status = 0;
    answer->headers = NULL;
    answer->header_count = 0;
    answer->header_size = (uint32_t)sizeof(struct lens_pair);
    answer->body.data = "";
    answer->body.size = 0;
    answer->retry_after_ns = -1;
    answer->error = NULL;
    if (h->receive != NULL)
        return h->receive(h->receive_data, request, answer);
    if (harness_fails(h, "http") || h->http_status == 0) {
        /* An exporter is not expected to fail for this, but to answer "later". */
        h->injected = NULL;
        answer->error = "connection refused";
        return LENS_E_IO;
    }
    answer->status = h->http_status;
    return LENS_OK;
}

/* ---- the harness itself ---- */

void
lens_harness_init(struct lens_harness *h, const struct lens_schema *schema,
                  const struct lens_setting *settings, uint32_t count)
{
    const struct lens_host host = {
        .struct_size = (uint32_t)sizeof host,
        .abi = LENS_ABI,
        .log = host_log,
        .fail = host_fail,
        .opt_count = host_opt_count,
        .opt_string = host_opt_string,
        .opt_int = host_opt_int,
        .opt_double = host_opt_double,
        .req_line = host_req_line,
        .req_header = host_req_header,
        .req_body = host_req_body,
        .append = host_append,
        .grow = host_grow,
        .rand = host_rand,
        .http = host_http,
    };

    memset(h, 0, sizeof *h);
    h->host = host;
    harness_add_services(&h->host);
    h->schema = schema;
    h->settings = settings;
    h->setting_count = count;
    h->http_status = 200;
    h->output_tokens = -1;
}

void
lens_harness_forget(struct lens_harness *h)
{
    empty(&h->method);
    empty(&h->url);
    empty(&h->headers);
    empty(&h->body);
    empty(&h->events);
    empty(&h->messages);
    empty(&h->answer);
    empty(&h->models);
    empty(&h->follow_up);
    h->credentials = 0;
    h->output_tokens = -1;
    h->faults = h->fault_class = h->fault_kind = h->warnings = h->classes = 0;
    h->body_size = h->message_end = 0;
    h->why = LENS_OK;
    h->injected = NULL;
}

void
lens_harness_clear(struct lens_harness *h)
{
    lens_sheet_clear(&h->method);
    lens_sheet_clear(&h->url);
    lens_sheet_clear(&h->headers);
    lens_sheet_clear(&h->body);
    lens_sheet_clear(&h->events);
    lens_sheet_clear(&h->messages);
    lens_sheet_clear(&h->answer);
    lens_sheet_clear(&h->models);
    lens_sheet_clear(&h->follow_up);
}

int
lens_harness_problem(struct lens_harness *h, const char *format, ...)
{
    va_list list;

    if (h->problem[0] != '\0')
        return 0;
    va_start(list, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): clang 14 is wrong here */
    vsnprintf(h->problem, sizeof h->problem, format, list);
    va_end(list);
    return 0;
}

int
lens_harness_settle(struct lens_harness *h, const char *operation, lens_status st)
{
    const char *injected = h->injected;
    const lens_status why = h->why;

    h->injected = NULL;
    h->why = LENS_OK;
    if (injected != NULL)
        /* A decoder may also tell it as a fault, or behind the end as a warning. */
        return st < 0 || h->faults + h->warnings > h->told
                   ? 0
                   : lens_harness_problem(h, "%s returns %d although %s failed",
                                          operation, st, injected);
    if (st >= 0)
        return 1;
    if (why == LENS_OK)
        return lens_harness_problem(
            h, "%s returns %d without saying why; call host->fail", operation, st);
    lens_sheet_print(&h->events, "%s returns %d\n", operation, st);
    return 0;
}

int
lens_harness_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    if (dir == NULL)
        return 0;
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}
