/* exporter-http: what stands behind host->http: one blocking HTTP exchange at a time, on
 * the thread of the exporter. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "host.h"

/* For host_set_http. */
lens_status exporter_http(const struct lens_host *host,
                          const struct lens_http_request *request,
                          struct lens_http_answer *answer);
void exporter_http_free(void *client);
/* Exchanges of the calling thread end soon after `*stop` became true. */
void exporter_http_watch(const atomic_bool *stop);
/* What the last answer of an instance said of Retry-After; 0: nothing. */
int64_t exporter_http_retry_after(const instance *i);
/* Whether the last exchange of an instance ended for want of progress. */
bool exporter_http_timed_out(const instance *i);
