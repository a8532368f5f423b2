#include <stdlib.h>
#include <string.h>

#include "anthropic.h"
#include "sdk/text.h"

static char *
taken(struct lens_text *t)
{
    char *text = t->failed ? NULL : strdup(lens_text_get(t));

    lens_text_clear(t);
    return text;
}

static bool
ends_with(const char *text, size_t size, const char *end)
{
    const size_t length = strlen(end);

    return size >= length && memcmp(text + size - length, end, length) == 0;
}

/* "/v1", "/v1beta": a version that the user chose stays. */
static bool
ends_with_version(const char *url, size_t size)
{
    while (size > 0 && url[size - 1] != '/')
        size--;
    return size > 0 && url[size] == 'v' && url[size + 1] >= '0' && url[size + 1] <= '9';
}

char *
url_base(const char *url, char **ret_query)
{
    size_t size = strcspn(url, "?");
    struct lens_text t = { 0 };

    *ret_query = strdup(url + size);
    while (size > 0 && url[size - 1] == '/')
        size--;
    if (ends_with(url, size, "/messages"))
        size -= strlen("/messages");
    lens_text_add_bytes(&t, url, size);
    if (!ends_with_version(url, size))
        lens_text_add(&t, "/v1");
    return taken(&t);
}

/* Multi-regions and the global endpoint have hosts of their own form. */
static void
add_vertex_host(struct lens_text *t, const char *location)
{
    lens_text_add(t, "https://");
    if (strcmp(location, "us") == 0 || strcmp(location, "eu") == 0) {
        lens_text_add(t, "aiplatform.");
        lens_text_add(t, location);
        lens_text_add(t, ".rep");
    } else if (strcmp(location, "global") == 0) {
        lens_text_add(t, "aiplatform");
    } else {
        lens_text_add(t, location);
        lens_text_add(t, "-aiplatform");
    }
    lens_text_add(t, ".googleapis.com/v1");
}

char *
url_vertex(const char *url, const char *project, const char *location)
{
    struct lens_text t = { 0 };

    if (url != NULL)
        lens_text_add(&t, url);
    else
        add_vertex_host(&t, location);
    lens_text_add(&t, "/projects/");
    lens_text_add_percent(&t, project, strlen(project), ":");
    lens_text_add(&t, "/locations/");
    lens_text_add_percent(&t, location, strlen(location), "");
    return taken(&t);
}

char *
url_join(const struct provider *p, const char *tail)
{
    struct lens_text t = { 0 };

    lens_text_add(&t, p->base);
    lens_text_add(&t, tail);
    lens_text_add(&t, p->query);
    return taken(&t);
}

char *
url_vertex_call(const struct provider *p, struct lens_bytes model, const char *method)
{
    struct lens_text t = { 0 };

    lens_text_add(&t, p->base);
    lens_text_add(&t, "/publishers/anthropic/models/");
    lens_text_add_percent(&t, model.data, model.size, "@");
    lens_text_add(&t, method);
    lens_text_add(&t, p->query);
    return taken(&t);
}
