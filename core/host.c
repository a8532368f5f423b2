/* The services that a plugin calls. Nothing of what a plugin says is believed: its text
 * may be a server's. */
#include <string.h>

#include "grow.h"
#include "histogram.h"
#include "host-private.h"
#include "host-source.h"
#include "secret.h"

/* A reason is one line for people, not a dump. */
enum { TEXT_MAX = 4096 };

static const instance *
instance_of(const struct lens_host *host)
{
    return (const instance *)host; /* its first member */
}

static char *
shown(const char *text)
{
    return secret_redact(text, (gssize)strnlen(text, TEXT_MAX));
}

static void
host_log(const struct lens_host *host, int32_t level, const char *text)
{
    g_autofree char *line = NULL;
    const GLogLevelFlags flags = level >= LENS_LOG_WARNING ? G_LOG_LEVEL_WARNING
                                 : level == LENS_LOG_INFO  ? G_LOG_LEVEL_INFO
                                                           : G_LOG_LEVEL_DEBUG;

    if (text == NULL)
        return;
    line = shown(text);
    g_log(G_LOG_DOMAIN, flags, "%s: %s", instance_of(host)->owner, line);
}

static lens_status
host_fail(const struct lens_host *host, lens_status why, const char *text)
{
    instance *i = (instance *)host;

    g_free(i->failure);
    i->failure = text == NULL || *text == '\0' ? NULL : shown(text);
    i->failure_status = why < 0 ? why : LENS_E_FAILED;
    /* An exporter's verdict says that it fails. */
    return why == LENS_OK && i->failure != NULL &&
                   i->plugin->kind == LENS_KIND_OF_EXPORTER
               ? LENS_OK
               : i->failure_status;
}

/* The options, when `name` is one of them; a plugin that asks for another has a bug. */
static const option_values *
options_with(const struct lens_host *host, const char *name)
{
    const instance *i = instance_of(host);

    if (name != NULL && option_values_has(i->options, name))
        return i->options;
    g_debug("%s asks for the option `%s`, which it does not declare", i->owner,
            name == NULL ? "" : name);
    return NULL;
}

static int32_t
host_opt_count(const struct lens_host *host, const char *name)
{
    const option_values *options = options_with(host, name);

    return options == NULL ? 0 : (int32_t)option_values_count(options, name);
}

static const char *
host_opt_string(const struct lens_host *host, const char *name, uint32_t nth)
{
    const option_values *options = options_with(host, name);

    return options == NULL ? NULL : option_values_string(options, name, nth);
}

static int64_t
host_opt_int(const struct lens_host *host, const char *name)
{
    const option_values *options = options_with(host, name);

    return options == NULL ? 0 : option_values_int(options, name);
}

static double
host_opt_double(const struct lens_host *host, const char *name)
{
    const option_values *options = options_with(host, name);

    return options == NULL ? 0 : option_values_double(options, name);
}

static void *
host_grow(const struct lens_host *host, void *old, size_t old_size, size_t size)
{
    return grow_memory(old, old_size, size);
}

static uint64_t
host_rand(const struct lens_host *host, uint32_t stream, uint64_t index)
{
    return random_at(instance_of(host)->seed, stream, index);
}

int32_t
host_histogram_next(const struct lens_host *host, const struct lens_histogram *h,
                    uint64_t *cursor, struct lens_bucket *ret)
{
    int64_t low, high;
    uint64_t count;

    (void)host;
    if (!histogram_next((const histogram *)h, cursor, &low, &high, &count))
        return 0;
    *ret = (struct lens_bucket){ low, high + 1, count };
    return 1;
}

void
host_init(struct lens_host *host)
{
    *host = (struct lens_host){
        .struct_size = sizeof *host,
        .abi = LENS_ABI,
        .log = host_log,
        .fail = host_fail,
        .opt_count = host_opt_count,
        .opt_string = host_opt_string,
        .opt_int = host_opt_int,
        .opt_double = host_opt_double,
        .req_line = lens_request_line,
        .req_header = lens_request_header,
        .req_body = lens_request_body,
        .append = buffer_append,
        .grow = host_grow,
        .rand = host_rand,
        .read_file = host_read_file,
        .environment = host_environment,
        .run = host_run,
    };
}
