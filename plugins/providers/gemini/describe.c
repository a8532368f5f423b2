/* describe: an ask becomes an HTTP request. */
#include "gemini.h"
#include "sdk/merge.h"
#include "sdk/request.h"
#include "sdk/turns.h"

lens_status
describe_identity(const struct provider *p, struct lens_bytes credential,
                  struct lens_request *r)
{
    const struct lens_host *h = p->host;
    lens_status st = LENS_OK;

    if (p->authorization != NULL)
        st = h->req_header(r, "Authorization", p->authorization, LENS_HEADER_SECRET);
    else if (p->auth != NULL)
        st = lens_auth_bearer_add(h, credential, r);
    else if (p->key != NULL)
        st = h->req_header(r, "x-goog-api-key", p->key, LENS_HEADER_SECRET);
    if (st == LENS_OK && p->quota_project != NULL && p->quota_project[0] != '\0')
        st = h->req_header(r, "x-goog-user-project", p->quota_project, 0);
    return st;
}

/* Vertex AI chooses among its shared tiers by a header. */
static lens_status
write_tier(const struct provider *p, struct lens_request *r)
{
    if (p->tier == NULL || !p->vertex)
        return LENS_OK;
    return p->host->req_header(r, "X-Vertex-AI-LLM-Shared-Request-Type", p->tier, 0);
}

static lens_status
write_head(const struct provider *p, const struct lens_ask *ask, struct lens_request *r)
{
    const bool stream = (ask->flags & LENS_ASK_STREAM) != 0 && p->api != API_EMBED;
    const char *method = p->api == API_EMBED ? p->vertex ? "predict" : "embedContent"
                         : stream            ? "streamGenerateContent"
                                             : "generateContent";
    struct lens_text url = { 0 };
    lens_status st;

    url_method(p, ask->model, method, stream && p->api == API_SSE, &url);
    st = url.failed
             ? p->host->fail(p->host, LENS_E_NOMEM, "out of memory")
             : lens_request_begin(
                   p->host, ask, url.data,
                   p->api == API_SSE ? "text/event-stream" : "application/json", NULL, r);
    lens_text_clear(&url);
    if (st == LENS_OK)
        st = describe_identity(p, ask->credential, r);
    if (st == LENS_OK)
        st = write_tier(p, r);
    return st == LENS_OK ? lens_request_headers(p->host, ask, r) : st;
}

/* {"content":{"parts":[{"text":".."}]}}; Vertex AI: {"instances":[{"content":".."}]} */
static void
write_embedding(const struct provider *p, const struct lens_ask *ask,
                struct lens_writer *w)
{
    const bool sized = p->host->opt_count(p->host, "dimensions") > 0;

    lens_write(w, p->vertex ? "{\"instances\":[{\"content\":"
                            : "{\"content\":{\"parts\":[{\"text\":");
    lens_write_prompt(w, ask);
    lens_write(w, p->vertex ? "}]" : "}]}");
    if (sized) {
        lens_write(w, p->vertex ? ",\"parameters\":{\"outputDimensionality\":"
                                : ",\"outputDimensionality\":");
        lens_write_int(w, p->host->opt_int(p->host, "dimensions"));
        lens_write(w, p->vertex ? "}" : "");
    }
    lens_write(w, "}");
}

static lens_status
build(const struct provider *p, const struct lens_ask *ask, struct lens_writer *w)
{
    lens_status st = LENS_OK;

    if (p->api == API_EMBED) {
        write_embedding(p, ask, w);
    } else {
        lens_write(w, "{");
        st = contents_write(w, ask);
        config_write(p, ask, w);
        lens_write(w, "}");
    }
    return st == LENS_OK ? lens_write_end(w) : st;
}

struct target {
    const struct provider *provider;
    struct lens_request *request;
};

static lens_status
put_body(void *to, const void *data, size_t size)
{
    const struct target *t = to;

    return t->provider->host->req_body(t->request, data, size);
}

/* Only a body that `extra` has to be joined with is built in memory first. */
static lens_status
write_body(const struct provider *p, const struct lens_ask *ask, struct lens_request *r)
{
    struct target t = { p, r };
    struct lens_text base = { 0 };
    struct lens_writer w;
    lens_status st;

    if (ask->extra.size == 0) {
        lens_write_begin(&w, &t, put_body);
        return build(p, ask, &w);
    }
    lens_write_begin(&w, &base, lens_text_put);
    st = build(p, ask, &w);
    if (st == LENS_OK) {
        lens_write_begin(&w, &t, put_body);
        lens_write_merged(&w, lens_text_bytes(&base), ask->extra);
        st = lens_write_end(&w);
    }
    lens_text_clear(&base);
    return st;
}

lens_status
gemini_describe(void *self, const struct lens_ask *ask, struct lens_request *r)
{
    const struct provider *p = self;
    const struct lens_host *h = p->host;
    lens_status st;

    if (ask->model.size == 0 && !p->whole_url)
        return h->fail(h, LENS_E_CONFIG, "a model is needed: it stands in the URL");
    if (ask->extra.size > 0 && !lens_is_object(ask->extra))
        return h->fail(h, LENS_E_CONFIG,
                       "extra is not a JSON object, for instance "
                       "{\"generationConfig\":{\"topK\":40}}");
    st = write_head(p, ask, r);
    if (st != LENS_OK)
        return st;
    if (ask->body.size > 0)
        return h->req_body(r, ask->body.data, ask->body.size);
    st = write_body(p, ask, r);
    return st == LENS_E_UNSUPPORTED
               ? h->fail(h, st, "the prompt has parts that this api cannot carry")
               : st;
}
