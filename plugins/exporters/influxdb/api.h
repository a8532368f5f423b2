/* api: the three write interfaces of InfluxDB, and how one is found out. */
#pragma once

#include "../common/answer.h"
#include "../common/receiver.h"
#include "text.h"

enum influx_version { INFLUX_AUTO = 0, INFLUX_V1, INFLUX_V2, INFLUX_V3 };

struct influx_api {
    struct receiver receiver;
    const char *base; /* the URL that was given */
    const char *database, *policy, *organization;
    const char *user, *password, *token;
    enum influx_version version; /* AUTO: not known yet */
    struct lens_text url;        /* where lines go; empty: not known yet */
    struct lens_text authorization;
    char why[1024]; /* the last failure */
};

/* Reads the options. LENS_E_CONFIG when they contradict each other. */
lens_status influx_api_open(struct influx_api *a, const struct lens_host *host);
void influx_api_close(struct influx_api *a);
/* Finds out which interface there is. LENS_E_IO: nobody answers yet; `why` says so. */
lens_status influx_api_find(struct influx_api *a);
/* Posts lines. LENS_E_IO: no answer. `ret_rule` says what follows from one, and `why` is
 * set unless that is ANSWER_OK. */
lens_status influx_api_write(struct influx_api *a, const char *lines, size_t size,
                             struct lens_http_answer *ret,
                             const struct answer_rule **ret_rule);
