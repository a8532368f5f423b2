#include "api.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "text.h"

/* ---- what answers mean ---- */

#define V1 "https://docs.influxdata.com/influxdb/v1/tools/api/#write-http-endpoint"
#define V2 "https://docs.influxdata.com/influxdb/v2/api/#operation/PostWrite"
#define V3 "https://docs.influxdata.com/influxdb3/core/write-data/http-api/v3-write-lp/"

static const struct answer_rule rules[] = {
    { 200, 299, NULL, ANSWER_OK, NULL, V1 ", 204" },
    { 400, 400, "database not found", ANSWER_GIVE_UP,
      "create it, or name another by db=", "seen with gateways in front of v1" },
    { 400, 400, "invalid precision", ANSWER_GIVE_UP, "try another api=", V2 ", 400" },
    { 400, 400, NULL, ANSWER_BAD_DATA, NULL, V1 ", 400; " V2 ", 400; " V3 ", 400" },
    { 401, 401, NULL, ANSWER_GIVE_UP,
      "check token= (or username= and password=); INFLUX_TOKEN is read by default",
      V2 ", 401" },
    { 403, 403, NULL, ANSWER_GIVE_UP,
      "a token or user that may write is needed: token=, or username= and password=",
      V1 ", 401; 1.6.7 answers 403" },
    { 404, 404, "not found", ANSWER_GIVE_UP,
      "create the database or bucket, or name another by db=", V1 ", 404; " V2 ", 404" },
    { 404, 404, NULL, ANSWER_GIVE_UP,
      "check the URL, or name the interface by api=", V1 ", 404" },
    { 408, 408, NULL, ANSWER_LATER, NULL, "RFC 9110, 15.5.9" },
    { 413, 413, NULL, ANSWER_SPLIT, NULL, V1 ", 413; " V2 ", 413" },
    { 422, 422, NULL, ANSWER_BAD_DATA, NULL, V2 ", 422" },
    { 429, 429, NULL, ANSWER_LATER, NULL, V2 ", 429" },
    { 500, 500, "retention policy not found", ANSWER_GIVE_UP,
      "create it, or name another by retention_policy=", "influxd 1.6.7" },
};

/* ---- options ---- */

/* The scheme differs: v3 wants Bearer, the others Token or a user and a password. */
static lens_status
set_authorization(struct influx_api *a)
{
    struct lens_text *t = &a->authorization;
    struct lens_text pair = { 0 };

    lens_text_clear(t);
    a->receiver.header_count = 1; /* the content type */
    if (a->token != NULL && *a->token != '\0') {
        lens_text_add(t, a->version == INFLUX_V3 ? "Bearer " : "Token ");
        lens_text_add(t, a->token);
    } else if (a->user != NULL) {
        lens_text_add(&pair, a->user);
        lens_text_add(&pair, ":");
        lens_text_add(&pair, a->password != NULL ? a->password : "");
        lens_text_add(t, "Basic ");
        lens_text_add_base64(t, pair.data, pair.size);
    } else {
        return LENS_OK;
    }
    t->failed |= pair.failed;
    lens_text_clear(&pair);
    if (t->failed)
        return LENS_E_NOMEM;
    receiver_header(&a->receiver, "Authorization", lens_text_get(t));
    return LENS_OK;
}

static enum influx_version
version_of(const char *api)
{
    return api != NULL && api[0] == 'v' ? (enum influx_version)(api[1] - '0')
                                        : INFLUX_AUTO;
}

lens_status
influx_api_open(struct influx_api *a, const struct lens_host *host)
{
    const char *bucket = host->opt_string(host, "bucket", 0);
    const char *database = host->opt_string(host, "db", 0);

    receiver_open(&a->receiver, host, 1);
    receiver_header(&a->receiver, "Content-Type", "text/plain; charset=utf-8");
    a->base = host->opt_string(host, "url", 0);
    a->version = version_of(host->opt_string(host, "api", 0));
    a->policy = host->opt_string(host, "retention_policy", 0);
    a->organization = host->opt_string(host, "org", 0);
    a->token = host->opt_string(host, "token", 0);
    a->user = host->opt_string(host, "username", 0);
    a->password = host->opt_string(host, "password", 0);
    if (bucket != NULL && database != NULL && strcmp(bucket, database) != 0)
        return host->fail(host, LENS_E_CONFIG,
                          "options db and bucket name two places, expected one of them");
    a->database = bucket != NULL ? bucket : database != NULL ? database : "lens";
    if (a->password != NULL && a->user == NULL && a->token == NULL)
        return host->fail(host, LENS_E_CONFIG,
                          "option password needs option username beside it");
    return LENS_OK;
}

void
influx_api_close(struct influx_api *a)
{
    lens_text_clear(&a->url);
    lens_text_clear(&a->authorization);
}

/* ---- which interface ---- */

static int
major_of(const struct lens_bytes *text)
{
    size_t i = 0;

    while (i < text->size && !isdigit((unsigned char)text->data[i]))
        i++;
    return i < text->size ? text->data[i] - '0' : 0;
}

/* 1.x and 2.x say it in a header, 3.x in a JSON body, which may ask for a token first. */
static enum influx_version
version_told(const struct influx_api *a, const struct lens_http_answer *ping)
{
    struct lens_bytes told = answer_header(ping, "X-Influxdb-Version");
    struct lens_json_string version;
    struct lens_json j;

    if (told.size == 0 &&
        lens_json_find(ping->body.data, ping->body.size, "version", &j) &&
        lens_json_string(&j, &version))
        told = version.raw;
    switch (major_of(&told)) {
    case 0:
        break;
    case 1:
        return INFLUX_V1;
    case 2:
        return INFLUX_V2;
    default:
        return INFLUX_V3;
    }
    if (a->organization != NULL)
        return INFLUX_V2;
    if (ping->status == 401 || ping->status == 403)
        return INFLUX_V3;
    return a->token != NULL ? INFLUX_V2 : INFLUX_V1;
}

/* 501 and the like: there is no ping, which is not trouble. */
static int
is_busy(int32_t status)
{
    return status == 429 || status == 500 || (status >= 502 && status <= 504);
}

static void
add_parameter(struct lens_text *url, const char *name, const char *value)
{
    if (value == NULL)
        return;
    lens_text_add(url, name);
    lens_text_add_percent(url, value, strlen(value), "");
}

static lens_status
make_url(struct influx_api *a)
{
    static const char *const paths[] = {
        /* nanoseconds when nothing is said; 1.6 takes some words for others */
        [INFLUX_V1] = "/write?db=",
        [INFLUX_V2] = "/api/v2/write?precision=ns&bucket=",
        [INFLUX_V3] = "/api/v3/write_lp?precision=nanosecond&accept_partial=true"
                      "&no_sync=false&db=",
    };
    char *joined = receiver_join(a->base, paths[a->version]);

    if (joined == NULL)
        return LENS_E_NOMEM;
    lens_text_clear(&a->url);
    add_parameter(&a->url, joined, a->database);
    if (a->version == INFLUX_V1)
        add_parameter(&a->url, "&rp=", a->policy);
    if (a->version == INFLUX_V2)
        add_parameter(&a->url, "&org=", a->organization);
    free(joined);
    return a->url.failed ? LENS_E_NOMEM : LENS_OK;
}

lens_status
influx_api_find(struct influx_api *a)
{
    struct lens_http_answer ping;
    lens_status status;
    char *url;

    if (a->url.size > 0)
        return LENS_OK;
    status = set_authorization(a);
    if (status == LENS_OK && a->version == INFLUX_AUTO) {
        url = receiver_join(a->base, "/ping");
        if (url == NULL)
            return LENS_E_NOMEM;
        status = receiver_exchange(&a->receiver, "GET", url, NULL, 0, &ping);
        free(url);
        if (status != LENS_OK || is_busy(ping.status)) {
            snprintf(a->why, sizeof a->why, "%s: %s", a->base,
                     status == LENS_OK ? "it is there, but not ready" : ping.error);
            return LENS_E_IO;
        }
        a->version = version_told(a, &ping);
        status = set_authorization(a);
    }
    if (status == LENS_OK)
        status = make_url(a);
    if (status != LENS_OK)
        snprintf(a->why, sizeof a->why, "out of memory");
    return status;
}

/* ---- writing ---- */

lens_status
influx_api_write(struct influx_api *a, const char *lines, size_t size,
                 struct lens_http_answer *ret, const struct answer_rule **ret_rule)
{
    static const char *const members[] = { "error", "message", NULL };

    if (receiver_exchange(&a->receiver, "POST", lens_text_get(&a->url), lines, size,
                          ret) != LENS_OK) {
        snprintf(a->why, sizeof a->why, "%s: %s", a->base,
                 ret->error != NULL ? ret->error : "no answer");
        return LENS_E_IO;
    }
    *ret_rule = answer_rule_for(rules, sizeof rules / sizeof rules[0], ret);
    if ((*ret_rule)->act != ANSWER_OK)
        answer_say(a->base, ret, *ret_rule, members, a->why, sizeof a->why);
    return LENS_OK;
}
