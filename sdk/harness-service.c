/* The services that few plugins use: a server, histograms, and what credentials lie in.
 */
#include <string.h>

#include "harness-private.h"

static struct lens_harness *
harness_of(const struct lens_host *host)
{
    return (struct lens_harness *)host;
}

static lens_status
host_listen(const struct lens_host *host, const char *address, uint32_t flags,
            uint16_t *ret_port)
{
    struct lens_harness *h = harness_of(host);

    (void)flags;
    if (address == NULL || strchr(address, ':') == NULL) {
        lens_harness_problem(h, "listen: `%s` is no address",
                             address == NULL ? "" : address);
        return LENS_E_CONFIG;
    }
    if (harness_fails(h, "listen"))
        return LENS_E_IO;
    h->listens = 1;
    if (ret_port != NULL)
        *ret_port = 9;
    return LENS_OK;
}

static int32_t
host_histogram_next(const struct lens_host *host, const struct lens_histogram *histogram,
                    uint64_t *cursor, struct lens_bucket *ret)
{
    if (histogram == NULL) {
        lens_harness_problem(harness_of(host), "histogram_next: there is none");
        return 0;
    }
    if (*cursor >= histogram->count)
        return 0;
    *ret = histogram->buckets[(*cursor)++];
    return 1;
}

/* The setting of that name among h->sources; NULL: none. */
static const char *
source(const struct lens_harness *h, const char *name)
{
    for (uint32_t i = 0; i < h->source_count; i++)
        if (strcmp(h->sources[i].name, name) == 0)
            return h->sources[i].value;
    return NULL;
}

static int
may_ask(struct lens_harness *h, const char *service, const char *what)
{
    if (what == NULL)
        return lens_harness_problem(h, "%s: the argument is NULL", service);
    if (!h->auth)
        return lens_harness_problem(h, "%s is called outside of an AUTH call", service);
    return 1;
}

static lens_status
give(struct lens_harness *h, const char *text, struct lens_bytes *ret)
{
    if (text == NULL)
        return LENS_E_IO;
    h->given = text;
    *ret = (struct lens_bytes){ text, strlen(text) };
    return LENS_OK;
}

static lens_status
host_read_file(const struct lens_host *host, const char *path, struct lens_bytes *ret)
{
    struct lens_harness *h = harness_of(host);

    /* That it is not there is news, not a failure. */
    return may_ask(h, "read_file", path) ? give(h, source(h, path), ret) : LENS_E_IO;
}

static const char *
host_environment(const struct lens_host *host, const char *name)
{
    struct lens_harness *h = harness_of(host);

    return may_ask(h, "environment", name) ? source(h, name) : NULL;
}

static lens_status
host_run(const struct lens_host *host, const char *command, struct lens_bytes *ret)
{
    struct lens_harness *h = harness_of(host);

    return may_ask(h, "run", command) ? give(h, source(h, command), ret) : LENS_E_FAILED;
}

void
harness_add_services(struct lens_host *host)
{
    host->listen = host_listen;
    host->histogram_next = host_histogram_next;
    host->read_file = host_read_file;
    host->environment = host_environment;
    host->run = host_run;
}
