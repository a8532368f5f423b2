/* The canonical form of a request: method, path, query, headers, hash of the body. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth-sigv4.h"

enum { HEADERS_MAX = 64 };

static int
compare_bytes(struct lens_bytes a, struct lens_bytes b)
{
    const size_t shorter = a.size < b.size ? a.size : b.size;
    const int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);

    return order != 0 ? order : a.size < b.size ? -1 : a.size > b.size;
}

/* ---- path ---- */

/* Without dot segments and doubled slashes. `out` has room for path.size + 1. */
static size_t
normalise(struct lens_bytes path, char *out)
{
    size_t used = 0;

    out[used++] = '/';
    for (size_t at = 0; at < path.size;) {
        const char *part = path.data + at;
        size_t size = 0;

        while (at + size < path.size && part[size] != '/')
            size++;
        if (size == 2 && memcmp(part, "..", 2) == 0) {
            if (used > 1)
                used--; /* the slash behind the last one */
            while (used > 1 && out[used - 1] != '/')
                used--;
        } else if (size > 0 && !(size == 1 && *part == '.')) {
            memcpy(out + used, part, size);
            used += size;
            out[used++] = '/';
        }
        at += size + 1;
    }
    /* Only a path that ended in a slash does. */
    if (used > 1 && path.data[path.size - 1] != '/')
        used--;
    return used;
}

static lens_status
add_path(struct lens_text *t, const struct lens_auth_sigv4 *what, struct lens_bytes path)
{
    char *plain;

    if (what->flags & LENS_SIGV4_SINGLE_ENCODED) {
        lens_text_add_percent(t, path.data, path.size, "/%");
        if (path.size == 0)
            lens_text_add(t, "/");
        return LENS_OK;
    }
    plain = malloc(path.size + 2);
    if (plain == NULL)
        return LENS_E_NOMEM;
    lens_text_add_percent(t, plain, normalise(path, plain), "/");
    free(plain);
    return LENS_OK;
}

/* ---- query ---- */

struct parameter {
    struct lens_text name, value; /* encoded */
};

static int
hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes, and encodes again in the one canonical way. */
static void
add_recoded(struct lens_text *t, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char c = text[i];

        if (c == '%' && i + 2 < size && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
            c = (char)(hex(text[i + 1]) << 4 | hex(text[i + 2]));
            i += 2;
        }
        lens_text_add_percent(t, &c, 1, "");
    }
}

static int
by_name_and_value(const void *left, const void *right)
{
    const struct parameter *a = left, *b = right;
    const int order = compare_bytes(lens_text_bytes(&a->name), lens_text_bytes(&b->name));

    return order != 0
               ? order
               : compare_bytes(lens_text_bytes(&a->value), lens_text_bytes(&b->value));
}

static size_t
split_query(struct lens_bytes query, struct parameter *parameters)
{
    size_t count = 0;

    for (size_t at = 0; at < query.size;) {
        const char *part = query.data + at;
        const char *end = memchr(part, '&', query.size - at);
        const size_t size = end == NULL ? query.size - at : (size_t)(end - part);
        const char *equals = memchr(part, '=', size);
        const size_t name = equals == NULL ? size : (size_t)(equals - part);

        at += size + 1;
        if (size == 0)
            continue;
        add_recoded(&parameters[count].name, part, name);
        if (equals != NULL)
            add_recoded(&parameters[count].value, equals + 1, size - name - 1);
        count++;
    }
    return count;
}

static lens_status
add_query(struct lens_text *t, struct lens_bytes query)
{
    struct parameter *parameters;
    size_t count = 1;

    for (size_t i = 0; i < query.size; i++)
        count += query.data[i] == '&';
    parameters = calloc(count, sizeof *parameters);
    if (parameters == NULL)
        return LENS_E_NOMEM;
    count = split_query(query, parameters);
    qsort(parameters, count, sizeof *parameters, by_name_and_value);
    for (size_t i = 0; i < count; i++) {
        lens_text_add(t, i > 0 ? "&" : "");
        lens_text_add(t, lens_text_get(&parameters[i].name));
        lens_text_add(t, "=");
        lens_text_add(t, lens_text_get(&parameters[i].value));
        t->failed |= parameters[i].name.failed | parameters[i].value.failed;
        lens_text_clear(&parameters[i].name);
        lens_text_clear(&parameters[i].value);
    }
    free(parameters);
    return LENS_OK;
}

/* ---- headers ---- */

struct field {
    struct lens_bytes name; /* as given */
    struct lens_bytes value;
    size_t place; /* repeated headers keep their order */
};

struct fields {
    struct field field[HEADERS_MAX];
    size_t count;
};

static int
named(struct lens_bytes name, const char *other)
{
    return name.size == strlen(other) && strncasecmp(name.data, other, name.size) == 0;
}

/* What a proxy on the way may change or take out. */
static int
is_unsigned(struct lens_bytes name)
{
    static const char *const list[] = {
        "accept-encoding",
        "authorization",
        "cache-control",
        "connection",
        "expect",
        "from",
        "keep-alive",
        "max-forwards",
        "pragma",
        "referer",
        "te",
        "trailer",
        "traceparent",
        "tracestate",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "via",
        "x-amzn-trace-id",
        "x-forwarded-for",
    };

    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (named(name, list[i]))
            return 1;
    return name.size > 6 && strncasecmp(name.data, "proxy-", 6) == 0;
}

static void
add_field(struct fields *f, struct lens_bytes name, struct lens_bytes value)
{
    if (f->count < HEADERS_MAX)
        f->field[f->count] = (struct field){ name, value, f->count };
    f->count++;
}

static void
add_own(struct fields *f, const char *name, struct lens_bytes value)
{
    add_field(f, (struct lens_bytes){ name, strlen(name) }, value);
}

static int
by_name(const void *left, const void *right)
{
    const struct field *a = left, *b = right;
    const size_t shorter = a->name.size < b->name.size ? a->name.size : b->name.size;
    const int order = strncasecmp(a->name.data, b->name.data, shorter);

    if (order != 0)
        return order;
    if (a->name.size != b->name.size)
        return a->name.size < b->name.size ? -1 : 1;
    return a->place < b->place ? -1 : 1;
}

/* Trimmed, runs of spaces as one. */
static void
add_value(struct lens_text *t, struct lens_bytes value)
{
    int space = 0, begun = 0;

    for (size_t i = 0; i < value.size; i++) {
        const char c = value.data[i];

        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            space = begun;
            continue;
        }
        if (space)
            lens_text_add(t, " ");
        lens_text_add_bytes(t, &c, 1);
        space = 0;
        begun = 1;
    }
}

static void
add_lower(struct lens_text *t, struct lens_bytes name)
{
    for (size_t i = 0; i < name.size; i++) {
        const char c = name.data[i];
        const char lower = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;

        lens_text_add_bytes(t, &lower, 1);
    }
}

static void
add_headers(struct sigv4_parts *p, struct fields *f)
{
    qsort(f->field, f->count, sizeof *f->field, by_name);
    for (size_t i = 0; i < f->count; i++) {
        const struct field *field = &f->field[i];
        const int repeated = i > 0 && field->name.size == f->field[i - 1].name.size &&
                             strncasecmp(field->name.data, f->field[i - 1].name.data,
                                         field->name.size) == 0;

        if (repeated) {
            lens_text_add(&p->canonical, ",");
        } else {
            lens_text_add(&p->canonical, i > 0 ? "\n" : "");
            add_lower(&p->canonical, field->name);
            lens_text_add(&p->canonical, ":");
            lens_text_add(&p->signed_headers, i > 0 ? ";" : "");
            add_lower(&p->signed_headers, field->name);
        }
        add_value(&p->canonical, field->value);
    }
    lens_text_add(&p->canonical, "\n\n");
}

/* The caller's headers that are signed, and ours. */
static lens_status
collect(struct sigv4_parts *p, const struct lens_auth_sigv4 *what,
        const struct sigv4_url *url, struct fields *f)
{
    int host = 0, hash = 0, token = what->keys.session_token.size == 0;

    for (uint32_t i = 0; i < what->header_count; i++) {
        const struct lens_bytes name = what->headers[i].name;
        const struct lens_bytes value = what->headers[i].value;

        if (is_unsigned(name))
            continue;
        host |= named(name, "host");
        token |= named(name, "x-amz-security-token");
        if (named(name, "x-amz-content-sha256") && value.size < sizeof p->hash) {
            memcpy(p->hash, value.data, value.size);
            p->hash[value.size] = '\0';
            hash = 1;
        }
        if (named(name, "x-amz-date") && value.size < sizeof p->date) {
            memcpy(p->date, value.data, value.size);
            p->date[value.size] = '\0';
            p->date_given = 1;
        }
        add_field(f, name, value);
    }
    p->add_hash = !hash && (what->flags & LENS_SIGV4_CONTENT_SHA256);
    p->add_token = !token;
    if (!host)
        add_own(f, "host", url->host);
    if (!p->date_given)
        add_own(f, "x-amz-date", (struct lens_bytes){ p->date, strlen(p->date) });
    if (p->add_hash)
        add_own(f, "x-amz-content-sha256",
                (struct lens_bytes){ p->hash, strlen(p->hash) });
    if (p->add_token)
        add_own(f, "x-amz-security-token", what->keys.session_token);
    return f->count <= HEADERS_MAX ? LENS_OK : LENS_E_TOO_LARGE;
}

lens_status
sigv4_parts_make(struct sigv4_parts *p, const struct lens_auth_sigv4 *what)
{
    struct fields fields = { .count = 0 };
    struct sigv4_url url;
    lens_status status;

    if (!sigv4_split(what->url, &url))
        return LENS_E_CONFIG;
    sigv4_date(what->unix_ns, p->date);
    if (what->flags & LENS_SIGV4_UNSIGNED_PAYLOAD)
        strcpy(p->hash, "UNSIGNED-PAYLOAD");
    else
        lens_auth_sha256_hex(what->body.data, what->body.size, p->hash);
    lens_text_add(&p->canonical, what->method);
    lens_text_add(&p->canonical, "\n");
    status = add_path(&p->canonical, what, url.path);
    lens_text_add(&p->canonical, "\n");
    if (status == LENS_OK)
        status = add_query(&p->canonical, url.query);
    lens_text_add(&p->canonical, "\n");
    if (status == LENS_OK)
        status = collect(p, what, &url, &fields);
    if (status != LENS_OK)
        return status;
    add_headers(p, &fields);
    lens_text_add(&p->canonical, lens_text_get(&p->signed_headers));
    lens_text_add(&p->canonical, "\n");
    lens_text_add(&p->canonical, p->hash);
    return p->canonical.failed || p->signed_headers.failed ? LENS_E_NOMEM : LENS_OK;
}

void
sigv4_parts_clear(struct sigv4_parts *p)
{
    lens_text_clear(&p->canonical);
    lens_text_clear(&p->signed_headers);
}
