/* describe: an ask becomes an HTTP request. */
#include <stdlib.h>
#include <string.h>

#include "anthropic.h"
#include "sdk/auth.h"
#include "sdk/body.h"
#include "sdk/request.h"
#include "sdk/turns.h"

static bool
is_streamed(const struct lens_ask *ask)
{
    return (ask->flags & LENS_ASK_STREAM) != 0;
}

lens_status
describe_identity(const struct provider *p, struct lens_bytes credential,
                  struct lens_request *r)
{
    const struct lens_host *h = p->host;
    lens_status st = LENS_OK;

    if (p->auth != NULL)
        st = lens_auth_bearer_add(h, credential, r);
    else if (p->authorization != NULL)
        st = h->req_header(r, "Authorization", p->authorization, LENS_HEADER_SECRET);
    /* Foundry's token wins over its key; Anthropic's own clients send both. */
    if (st == LENS_OK && p->api_key != NULL && p->platform == PLATFORM_ANTHROPIC)
        st = h->req_header(r, "x-api-key", p->api_key, LENS_HEADER_SECRET);
    else if (st == LENS_OK && p->api_key != NULL && p->platform == PLATFORM_FOUNDRY &&
             p->authorization == NULL)
        st = h->req_header(r, "api-key", p->api_key, LENS_HEADER_SECRET);
    if (st == LENS_OK && p->version != NULL && p->platform != PLATFORM_VERTEX)
        st = h->req_header(r, "anthropic-version", p->version, 0);
    if (st == LENS_OK && p->betas != NULL)
        st = h->req_header(r, "anthropic-beta", p->betas, 0);
    return st;
}

static lens_status
write_head(const struct provider *p, const struct lens_ask *ask, struct lens_request *r)
{
    char *url;
    lens_status st;

    if (p->platform == PLATFORM_VERTEX && ask->model.size == 0)
        return p->host->fail(p->host, LENS_E_CONFIG,
                             "a model is needed: it is part of the URL");
    url = p->platform == PLATFORM_VERTEX
              ? url_vertex_call(p, ask->model,
                                is_streamed(ask) ? ":streamRawPredict" : ":rawPredict")
              : url_join(p, "/messages");
    if (url == NULL)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    st = lens_request_begin(p->host, ask, url, "text/event-stream", NULL, r);
    free(url);
    if (st == LENS_OK)
        st = describe_identity(p, ask->credential, r);
    return st == LENS_OK ? lens_request_headers(p->host, ask, r) : st;
}

static void
write_sampling(const struct lens_ask *ask, struct lens_body *b)
{
    if (ask->set & LENS_SET_TEMPERATURE)
        lens_body_double(b, "temperature", ask->temperature);
    if (ask->set & LENS_SET_TOP_P)
        lens_body_double(b, "top_p", ask->top_p);
    if (ask->set & LENS_SET_TOP_K)
        lens_body_int(b, "top_k", ask->top_k);
    if (ask->stop_count == 0 || !lens_body_member(b, "stop_sequences"))
        return;
    for (uint32_t i = 0; i < ask->stop_count; i++) {
        const struct lens_bytes stop = lens_stop_at(ask, i);

        lens_write(&b->w, i == 0 ? "[" : ",");
        lens_write_string(&b->w, stop.data, stop.size);
    }
    lens_write(&b->w, "]");
}

static void
write_thinking(const struct provider *p, struct lens_body *b)
{
    if (p->thinking == NULL || !lens_body_member(b, "thinking"))
        return;
    lens_write(&b->w, "{\"type\":\"");
    lens_write(&b->w, p->thinking);
    lens_write(&b->w, "\"");
    if (strcmp(p->thinking, "enabled") == 0) {
        lens_write(&b->w, ",\"budget_tokens\":");
        lens_write_int(&b->w, p->budget);
    }
    if (p->display != NULL && strcmp(p->thinking, "disabled") != 0) {
        lens_write(&b->w, ",\"display\":\"");
        lens_write(&b->w, p->display);
        lens_write(&b->w, "\"");
    }
    lens_write(&b->w, "}");
}

/* The server refuses a request whose limit leaves no room behind the thinking. */
static lens_status
check_limit(const struct provider *p, const struct lens_ask *ask, int64_t limit,
            const struct lens_body *b)
{
    if (p->thinking == NULL || strcmp(p->thinking, "enabled") != 0 || limit > p->budget ||
        ask->extra.size > 0 || lens_body_has_extra(b, "thinking"))
        return LENS_OK;
    return p->host->fail(p->host, LENS_E_CONFIG,
                         "the limit of output tokens must be larger than "
                         "thinking_budget, for it includes the thinking: give more with "
                         "--max-tokens");
}

static lens_status
write_body(const struct provider *p, const struct lens_ask *ask, struct lens_request *r)
{
    const int64_t limit = ask->set & LENS_SET_MAX_OUTPUT ? ask->max_output : 1024;
    struct lens_body b;
    lens_status st;

    if (!lens_body_begin(&b, r, p->host->req_body, ask->extra))
        return p->host->fail(p->host, LENS_E_CONFIG,
                             "extra is not a JSON object, for instance {\"top_k\":40}");
    st = check_limit(p, ask, limit, &b);
    if (st != LENS_OK)
        return st;
    if (p->platform == PLATFORM_VERTEX)
        lens_body_text(&b, "anthropic_version", "vertex-2023-10-16");
    else if (ask->model.size > 0)
        lens_body_string(&b, "model", ask->model);
    lens_body_int(&b, "max_tokens", limit);
    st = content_write(p, ask, &b);
    if (st != LENS_OK)
        return p->host->fail(p->host, st,
                             "the prompt has parts that this api cannot carry");
    if (lens_body_member(&b, "stream"))
        lens_write(&b.w, is_streamed(ask) ? "true" : "false");
    write_sampling(ask, &b);
    write_thinking(p, &b);
    lens_body_text(&b, "service_tier", p->tier);
    lens_body_text(&b, "inference_geo", p->geo);
    lens_body_text(&b, "speed", p->speed);
    tools_write(p, ask, &b);
    if ((p->cache & CACHE_AUTO) && lens_body_member(&b, "cache_control"))
        content_cache_control(p, &b.w);
    return lens_body_end(&b);
}

lens_status
anthropic_describe(void *self, const struct lens_ask *ask, struct lens_request *r)
{
    const struct provider *p = self;
    const lens_status st = write_head(p, ask, r);

    if (st != LENS_OK)
        return st;
    if (ask->body.size > 0)
        return p->host->req_body(r, ask->body.data, ask->body.size);
    return write_body(p, ask, r);
}
