/* describe: an ask becomes an HTTP request, signed or with a key. */
#include "bedrock.h"
#include "sdk/merge.h"
#include "sdk/request.h"
#include "sdk/turns.h"

#define REGION "us-east-1"

enum { HEADERS_MAX = 40 };

/* A request in the making: its headers have to be known before it is signed. */
struct draft {
    const struct provider *provider;
    struct lens_request *request;
    struct lens_pair headers[HEADERS_MAX];
    uint32_t count;
    struct lens_auth_aws keys; /* key_id is empty: not to be signed */
    char region[64];
};

static const char *
option(const struct provider *p, const char *name)
{
    const char *value = p->host->opt_string(p->host, name, 0);

    return value != NULL ? value : "";
}

static void
copy(char *to, size_t room, struct lens_bytes from)
{
    const size_t size = from.size < room ? from.size : room - 1;

    if (size > 0)
        memcpy(to, from.data, size);
    to[size] = '\0';
}

static struct lens_bytes
text_bytes(const char *text)
{
    return (struct lens_bytes){ text, strlen(text) };
}

/* The keys of the options, then what AUTH got; the region as the user, his URL, or his
 * profile says it. */
static void
begin(struct draft *d, const struct provider *p, struct lens_bytes credential,
      struct lens_request *r)
{
    d->provider = p;
    d->request = r;
    d->count = 0;
    memset(&d->keys, 0, sizeof d->keys);
    if (p->authorization == NULL) {
        if (p->keys.key_id.size > 0)
            d->keys = p->keys;
        else
            lens_auth_aws_read(credential, &d->keys);
    }
    copy(d->region, sizeof d->region,
         option(p, "region")[0] != '\0' ? text_bytes(option(p, "region"))
         : p->url_region[0] != '\0'     ? text_bytes(p->url_region)
         : d->keys.region.size > 0      ? d->keys.region
                                        : text_bytes(REGION));
}

static void
add_url(const struct draft *d, bool control, const char *path, struct lens_text *url)
{
    if (d->provider->base != NULL) {
        lens_text_add(url, d->provider->base);
    } else {
        lens_text_add(url, control ? "https://bedrock." : "https://bedrock-runtime.");
        lens_text_add(url, d->region);
        lens_text_add(url, strncmp(d->region, "cn-", 3) == 0 ? ".amazonaws.com.cn"
                                                             : ".amazonaws.com");
    }
    lens_text_add(url, path);
}

static lens_status
add_header(struct draft *d, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return LENS_OK;
    if (d->count < HEADERS_MAX)
        d->headers[d->count++] =
            (struct lens_pair){ text_bytes(name), text_bytes(value) };
    return d->provider->host->req_header(d->request, name, value, 0);
}

/* Signs what stands there, or adds the key. */
static lens_status
authorise(const struct draft *d, const char *method, const char *url,
          struct lens_bytes body, int64_t unix_ns)
{
    const struct lens_host *h = d->provider->host;
    const struct lens_auth_sigv4 what = {
        .method = method,
        .url = url,
        .headers = d->headers,
        .header_count = d->count,
        .body = body,
        .keys = d->keys,
        .region = d->region,
        .service = "bedrock",
        .unix_ns = unix_ns,
    };

    if (d->provider->authorization != NULL)
        return h->req_header(d->request, "Authorization", d->provider->authorization,
                             LENS_HEADER_SECRET);
    return d->keys.key_id.size > 0 ? lens_auth_sign_request(h, &what, d->request)
                                   : LENS_OK;
}

lens_status
describe_call(const struct provider *p, const struct lens_call *call, const char *path,
              bool control, struct lens_bytes body, struct lens_request *r)
{
    const char *method = body.size > 0 ? "POST" : "GET";
    struct lens_text url = { 0 };
    struct draft d;
    lens_status st;

    begin(&d, p, call->credential, r);
    add_url(&d, control, path, &url);
    st = url.failed ? p->host->fail(p->host, LENS_E_NOMEM, "out of memory")
                    : p->host->req_line(r, method, url.data);
    if (st == LENS_OK && body.size > 0)
        st = add_header(&d, "Content-Type", "application/json");
    if (st == LENS_OK)
        st = add_header(&d, "Accept", "application/json");
    if (st == LENS_OK)
        st = authorise(&d, method, url.data, body, call->unix_ns);
    if (st == LENS_OK && body.size > 0)
        st = p->host->req_body(r, body.data, body.size);
    lens_text_clear(&url);
    return st;
}

/* ---- asks ---- */

static void
add_path(const struct provider *p, const struct lens_ask *ask, struct lens_text *path)
{
    const bool stream = (ask->flags & LENS_ASK_STREAM) != 0;

    lens_text_add(path, "/model/");
    lens_text_add_percent(path, ask->model.data, ask->model.size, "");
    if (p->api == API_CONVERSE)
        lens_text_add(path, stream ? "/converse-stream" : "/converse");
    else
        lens_text_add(path, stream ? "/invoke-with-response-stream" : "/invoke");
}

/* What Converse says in its body an invocation says in headers. */
static lens_status
add_headers(struct draft *d, const struct lens_ask *ask)
{
    const struct provider *p = d->provider;
    const bool stream = (ask->flags & LENS_ASK_STREAM) != 0;
    lens_status st = add_header(d, "Content-Type", "application/json");

    if (st == LENS_OK)
        st = add_header(d, "Accept",
                        stream ? "application/vnd.amazon.eventstream"
                               : "application/json");
    if (st != LENS_OK || p->api != API_INVOKE)
        return st;
    if (stream)
        st = add_header(d, "X-Amzn-Bedrock-Accept", "application/json");
    if (st == LENS_OK)
        st = add_header(d, "X-Amzn-Bedrock-PerformanceConfig-Latency",
                        option(p, "performance"));
    if (st == LENS_OK)
        st = add_header(d, "X-Amzn-Bedrock-Service-Tier", option(p, "service_tier"));
    if (st == LENS_OK)
        st = add_header(d, "X-Amzn-Bedrock-GuardrailIdentifier",
                        option(p, "guardrail_id"));
    return st == LENS_OK ? add_header(d, "X-Amzn-Bedrock-GuardrailVersion",
                                      option(p, "guardrail_version"))
                         : st;
}

/* The user's own headers are sent unsigned: nothing depends on them. */
static lens_status
send_ask(struct draft *d, const struct lens_ask *ask, struct lens_bytes body)
{
    const struct lens_host *h = d->provider->host;
    struct lens_text path = { 0 }, url = { 0 };
    lens_status st;

    add_path(d->provider, ask, &path);
    add_url(d, false, lens_text_get(&path), &url);
    st = path.failed || url.failed ? h->fail(h, LENS_E_NOMEM, "out of memory")
                                   : h->req_line(d->request, "POST", url.data);
    if (st == LENS_OK)
        st = add_headers(d, ask);
    if (st == LENS_OK)
        st = authorise(d, "POST", url.data, body, ask->unix_ns);
    if (st == LENS_OK)
        st = lens_request_headers(h, ask, d->request);
    lens_text_clear(&path);
    lens_text_clear(&url);
    return st == LENS_OK ? h->req_body(d->request, body.data, body.size) : st;
}

/* The body lies in memory as a whole, because its hash is signed. */
static lens_status
build(const struct provider *p, const struct lens_ask *ask, struct lens_text *ret)
{
    struct lens_text base = { 0 };
    struct lens_writer w;
    lens_status st;

    lens_write_begin(&w, &base, lens_text_put);
    st = p->api == API_CONVERSE ? converse_body(p, ask, &w) : invoke_body(p, ask, &w);
    if (st == LENS_OK)
        st = lens_write_end(&w);
    if (st == LENS_OK) {
        lens_write_begin(&w, ret, lens_text_put);
        lens_write_merged(&w, lens_text_bytes(&base), ask->extra);
        st = lens_write_end(&w);
    }
    lens_text_clear(&base);
    return st;
}

lens_status
bedrock_describe(void *self, const struct lens_ask *ask, struct lens_request *r)
{
    struct provider *p = self;
    const struct lens_host *h = p->host;
    struct lens_text body = { 0 };
    struct draft d;
    lens_status st = LENS_OK;

    if (ask->model.size == 0)
        return h->fail(h, LENS_E_CONFIG, "a model is needed: it stands in the URL");
    if (ask->extra.size > 0 && !lens_is_object(ask->extra))
        return h->fail(h, LENS_E_CONFIG,
                       "extra is not a JSON object, for instance "
                       "{\"additionalModelRequestFields\":{\"top_k\":40}}");
    p->last_family =
        p->family != FAMILY_UNKNOWN ? p->family : family_of_model(ask->model);
    begin(&d, p, ask->credential, r);
    if (ask->body.size > 0)
        return send_ask(&d, ask, ask->body);
    st = build(p, ask, &body);
    if (st == LENS_OK)
        st = send_ask(&d, ask, lens_text_bytes(&body));
    lens_text_clear(&body);
    return st == LENS_E_UNSUPPORTED
               ? h->fail(h, st, "the prompt has parts that this api cannot carry")
               : st;
}
