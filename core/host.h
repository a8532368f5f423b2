/* host: the service table of one plugin instance, and what its services keep. */
#pragma once

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <lens/plugin.h>

#include "grow.h" /* host_grown_bytes */
#include "option.h"
#include "random.h" /* random_at, behind host->rand */
#include "registry.h"

/* Bytes being collected for a plugin (lens_buffer). */
struct lens_buffer {
    char *data;
    size_t size, capacity;
};
/* Adds bytes and keeps a NUL behind them that `size` does not count; at most 64 MiB. */
lens_status buffer_append(struct lens_buffer *b, const void *data, size_t size);
void buffer_clear(struct lens_buffer *b);

/* A described request (lens_request). Re-usable: lens_request_reset keeps the memory. */
struct lens_request {
    struct lens_buffer method, url; /* NUL-terminated */
    GPtrArray *headers;             /* char *, "Name: value", or "Name;" without value */
    size_t header_bytes;
    struct lens_buffer body;
    bool failed;     /* a part was refused: bad header, no memory */
    const char *why; /* the first reason; static */
};
void lens_request_init(struct lens_request *r);
void lens_request_reset(struct lens_request *r);
void lens_request_clear(struct lens_request *r);
/* The services req_line, req_header and req_body. */
lens_status lens_request_line(struct lens_request *r, const char *method,
                              const char *url);
lens_status lens_request_header(struct lens_request *r, const char *name,
                                const char *value, uint32_t flags);
lens_status lens_request_body(struct lens_request *r, const void *data, size_t size);

typedef struct instance {
    struct lens_host host; /* first: the plugin's pointer is ours */
    const plugin *plugin;
    char *owner;                  /* "provider openai" */
    const option_values *options; /* borrowed */
    uint64_t seed;
    void *self;    /* of the plugin */
    char *failure; /* last text of `fail`, NULL: none */
    lens_status failure_status;
    void *http; /* exporters: the HTTP client behind host->http, made at first use */
    void (*http_free)(void *client);
    void *listener; /* exporters: the server behind host->listen; NULL: none */
    void (*listener_free)(void *listener);
    GPtrArray *sources; /* providers: what an AUTH call was given; NULL: it may not ask */
    /* Exporters: held while an operation runs, since `serve` comes on another thread. */
    pthread_mutex_t lock;
} instance;

void instance_lock(instance *i);
void instance_unlock(instance *i);

/* Opens an instance. `options` must be finished and outlive it. Errors carry the plugin's
 * words, prefixed by kind and name. */
instance *provider_open(const plugin *p, unsigned api, const option_values *options,
                        uint64_t seed, GError **error);
instance *workload_open(const plugin *p, const struct lens_workload_args *args,
                        const option_values *options, GError **error);
instance *exporter_open(const plugin *p, const option_values *options, uint64_t seed,
                        GError **error);
void instance_close(instance *i);
/* The text of the last failure, or "gave no reason"; cleared by the call. */
char *instance_failure(instance *i);
/* Index of the provider's api by name (NULL: the first); -1 with the nearest name as
 * error. */
int provider_api(const plugin *p, const char *name, GError **error);

/* What stands behind host->http of exporters that are opened from now on; NULL: nothing.
 * `call` finds its client in instance->http of the host that it is given (a struct
 * instance), NULL at first; `free_client` ends it when the instance is closed. */
typedef lens_status (*host_http_fn)(const struct lens_host *,
                                    const struct lens_http_request *,
                                    struct lens_http_answer *);
void host_set_http(host_http_fn call, void (*free_client)(void *client));
/* The same for host->listen; `free_listener` comes before the plugin's `close`. */
typedef lens_status (*host_listen_fn)(const struct lens_host *, const char *address,
                                      uint32_t flags, uint16_t *ret_port);
void host_set_listen(host_listen_fn call, void (*free_listener)(void *listener));
/* As host_set_http, for one open instance. */
void instance_set_http(instance *i, host_http_fn call, void (*free_client)(void *client));

G_DEFINE_AUTOPTR_CLEANUP_FUNC(instance, instance_close)
