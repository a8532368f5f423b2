/* exporter-listen: what stands behind host->listen: an HTTP server on a thread of its own
 * that asks the exporter's `serve`. */
#pragma once

#include <lens/host.h>

/* For host_set_listen. Built without libsoup it answers LENS_E_UNSUPPORTED. */
lens_status exporter_listen(const struct lens_host *host, const char *address,
                            uint32_t flags, uint16_t *ret_port);
/* Waits for a request that is being answered. */
void exporter_listen_free(void *listener);
