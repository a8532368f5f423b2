/* What the two sources of SigV4 share. */
#pragma once

#include "auth.h"

struct sigv4_url {
    struct lens_bytes host, path, query; /* as sent; without a default port */
};

/* What is signed of a request, and what has to be added to it. */
struct sigv4_parts {
    char date[17]; /* x-amz-date */
    char hash[65]; /* of the body */
    struct lens_text canonical, signed_headers;
    int date_given, add_hash, add_token;
};

int sigv4_split(const char *url, struct sigv4_url *ret);
void sigv4_date(int64_t unix_ns, char ret[17]);
lens_status sigv4_parts_make(struct sigv4_parts *p, const struct lens_auth_sigv4 *what);
void sigv4_parts_clear(struct sigv4_parts *p);
