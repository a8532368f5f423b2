/* url: where a request goes: the service, the version of its API, the model, the method.
 */
#include <stdlib.h>

#include "gemini.h"

#define STUDIO_URL "https://generativelanguage.googleapis.com"

static const char *
option(const struct provider *p, const char *name)
{
    const char *value = p->host->opt_string(p->host, name, 0);

    return value != NULL ? value : "";
}

/* The host of Vertex AI for a location. */
static void
add_vertex_host(const char *location, struct lens_text *to)
{
    lens_text_add(to, "https://");
    if (location[0] == '\0' || strcmp(location, "global") == 0) {
        lens_text_add(to, "aiplatform.googleapis.com");
    } else if (strcmp(location, "us") == 0 || strcmp(location, "eu") == 0) {
        lens_text_add(to, "aiplatform.");
        lens_text_add(to, location);
        lens_text_add(to, ".rep.googleapis.com");
    } else {
        lens_text_add(to, location);
        lens_text_add(to, "-aiplatform.googleapis.com");
    }
}

/* What stands between the version and the method's model on Vertex AI; a key alone
 * (express mode) needs no project. */
static char *
vertex_place(const struct provider *p)
{
    const char *project = option(p, "project"), *location = option(p, "location");
    struct lens_text text = { 0 };

    if (project[0] == '\0')
        return strdup("/");
    lens_text_add(&text, "/projects/");
    lens_text_add_percent(&text, project, strlen(project), ":");
    lens_text_add(&text, "/locations/");
    lens_text_add(&text, location[0] != '\0' ? location : "global");
    lens_text_add(&text, "/");
    return text.failed ? NULL : text.data;
}

/* "http://host" has no path. */
static bool
is_bare(const char *url, size_t size)
{
    const char *scheme = strstr(url, "://");
    const size_t host = scheme != NULL ? (size_t)(scheme + 3 - url) : 0;

    return size <= host || memchr(url + host, '/', size - host) == NULL;
}

/* Whether the URL ends in a method: then it is taken as it stands. */
static bool
names_method(const char *url, size_t size)
{
    static const char *const methods[] = { ":generateContent", ":streamGenerateContent",
                                           ":embedContent" };

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        const size_t length = strlen(methods[i]);

        if (size >= length && memcmp(url + size - length, methods[i], length) == 0)
            return true;
    }
    return false;
}

bool
url_settle(struct provider *p)
{
    const char *url = option(p, "url"), *version = option(p, "api_version");
    const char *query = url + strcspn(url, "?");
    size_t size = (size_t)(query - url);
    struct lens_text base = { 0 };

    while (size > 0 && url[size - 1] == '/')
        size--;
    p->own_url = size != strlen(STUDIO_URL) || memcmp(url, STUDIO_URL, size) != 0;
    p->whole_url = names_method(url, size);
    if (p->vertex && !p->own_url)
        add_vertex_host(option(p, "location"), &base);
    else
        lens_text_add_bytes(&base, url, size);
    if (!p->own_url || is_bare(url, size)) {
        lens_text_add(&base, "/");
        lens_text_add(&base, version[0] != '\0' ? version
                             : p->vertex        ? "v1beta1"
                                                : "v1beta");
    }
    p->base = base.failed ? NULL : base.data;
    p->query = strdup(query);
    p->models = p->vertex ? vertex_place(p) : strdup("/");
    return p->base != NULL && p->query != NULL && p->models != NULL;
}

static bool
starts_with(struct lens_bytes text, const char *start)
{
    const size_t size = strlen(start);

    return text.size >= size && memcmp(text.data, start, size) == 0;
}

/* `gemini-x` is Google's own; `anthropic/claude-x` another publisher's; longer names are
 * taken as they are. */
static void
add_model(const struct provider *p, struct lens_bytes model, struct lens_text *to)
{
    const char *slash = memchr(model.data, '/', model.size);

    if (!p->vertex) {
        lens_text_add(to, "/");
        if (slash == NULL)
            lens_text_add(to, "models/");
    } else if (starts_with(model, "projects/")) {
        lens_text_add(to, "/");
    } else {
        lens_text_add(to, p->models);
        if (slash == NULL) {
            lens_text_add(to, "publishers/google/models/");
        } else if (!starts_with(model, "publishers/") && !starts_with(model, "models/") &&
                   !starts_with(model, "endpoints/")) {
            lens_text_add(to, "publishers/");
            lens_text_add_percent(to, model.data, (size_t)(slash - model.data), "");
            lens_text_add(to, "/models/");
            model.size -= (size_t)(slash + 1 - model.data);
            model.data = slash + 1;
        }
    }
    lens_text_add_percent(to, model.data, model.size, "/@:");
}

void
url_method(const struct provider *p, struct lens_bytes model, const char *method,
           bool sse, struct lens_text *ret)
{
    lens_text_add(ret, p->base);
    if (!p->whole_url) {
        add_model(p, model, ret);
        lens_text_add(ret, ":");
        lens_text_add(ret, method);
    }
    lens_text_add(ret, p->query);
    if (sse && strstr(p->query, "alt=") == NULL)
        lens_text_add(ret, p->query[0] == '\0' ? "?alt=sse" : "&alt=sse");
}

void
url_models(const struct provider *p, int page_size, struct lens_text *ret)
{
    lens_text_add(ret, p->base);
    lens_text_add(ret, p->vertex ? "/publishers/google/models" : "/models");
    lens_text_add(ret, p->query[0] == '\0' ? "?pageSize=" : p->query);
    if (p->query[0] != '\0')
        lens_text_add(ret, "&pageSize=");
    lens_text_add(ret, page_size == 1 ? "1" : "1000");
}
