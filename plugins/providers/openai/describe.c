/* describe: an ask becomes an HTTP request of one of the three apis. */
#include <stdlib.h>
#include <string.h>

#include "openai.h"
#include "sdk/auth.h"
#include "sdk/body.h"
#include "sdk/messages.h"
#include "sdk/request.h"
#include "sdk/turns.h"

lens_status
describe_identity(const struct provider *p, struct lens_bytes credential,
                  struct lens_request *r)
{
    const struct lens_host *h = p->host;
    lens_status st = LENS_OK;

    if (p->azure.auth != NULL)
        st = lens_auth_bearer_add(h, credential, r);
    else if (p->authorization != NULL)
        st = h->req_header(r, "Authorization", p->authorization, LENS_HEADER_SECRET);
    else if (p->azure.api_key != NULL)
        st = h->req_header(r, "api-key", p->azure.api_key, LENS_HEADER_SECRET);
    if (st == LENS_OK && p->organization != NULL)
        st = h->req_header(r, "OpenAI-Organization", p->organization, 0);
    if (st == LENS_OK && p->project != NULL)
        st = h->req_header(r, "OpenAI-Project", p->project, 0);
    return st;
}

static lens_status
write_head(const struct provider *p, const struct lens_ask *ask, struct lens_request *r)
{
    char *own = p->is_azure ? azure_url(p, p->api, ask->model) : NULL;
    lens_status st;

    if (p->is_azure && own == NULL)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    st = lens_request_begin(p->host, ask, own != NULL ? own : p->url, "text/event-stream",
                            NULL, r);
    free(own);
    if (st == LENS_OK)
        st = describe_identity(p, ask->credential, r);
    return st == LENS_OK ? lens_request_headers(p->host, ask, r) : st;
}

/* The limit has another name in each api, and servers refuse a second one. */
static void
write_limit(const struct provider *p, const struct lens_ask *ask, struct lens_body *b)
{
    if (!(ask->set & LENS_SET_MAX_OUTPUT) || lens_body_has_extra(b, "max_tokens") ||
        lens_body_has_extra(b, "max_completion_tokens") ||
        lens_body_has_extra(b, "max_output_tokens"))
        return;
    lens_body_int(b, p->limit_name, ask->max_output);
}

static void
write_forced_length(const struct provider *p, const struct lens_ask *ask,
                    struct lens_body *b)
{
    const bool ignore_eos = (ask->flags & LENS_ASK_IGNORE_EOS) != 0;

    if (!p->compat)
        return;
    if (ignore_eos && lens_body_member(b, "ignore_eos"))
        lens_write(&b->w, "true");
    if (ask->set & LENS_SET_MIN_OUTPUT)
        lens_body_int(b, "min_tokens", ask->min_output);
    else if (ignore_eos && ask->set & LENS_SET_MAX_OUTPUT)
        lens_body_int(b, "min_tokens", ask->max_output);
}

static void
write_sampling(const struct provider *p, const struct lens_ask *ask, struct lens_body *b)
{
    if (ask->set & LENS_SET_TEMPERATURE)
        lens_body_double(b, "temperature", ask->temperature);
    if (ask->set & LENS_SET_TOP_P)
        lens_body_double(b, "top_p", ask->top_p);
    if (ask->set & LENS_SET_TOP_K)
        lens_body_int(b, "top_k", ask->top_k);
    if (ask->set & LENS_SET_SEED)
        lens_body_int(b, "seed", ask->seed);
    if (ask->set & LENS_SET_N && p->api != API_RESPONSES)
        lens_body_int(b, "n", ask->n);
    if (ask->stop_count > 0 && lens_body_member(b, "stop")) {
        for (uint32_t i = 0; i < ask->stop_count; i++) {
            const struct lens_bytes stop = lens_stop_at(ask, i);

            lens_write(&b->w, i == 0 ? "[" : ",");
            lens_write_string(&b->w, stop.data, stop.size);
        }
        lens_write(&b->w, "]");
    }
}

static void
write_stream(const struct provider *p, const struct lens_ask *ask, struct lens_body *b)
{
    const bool stream = (ask->flags & LENS_ASK_STREAM) != 0;

    if (lens_body_member(b, "stream"))
        lens_write(&b->w, stream ? "true" : "false");
    if (!stream)
        return;
    if (p->api != API_RESPONSES && p->include_usage)
        lens_body_flag_in(b, "stream_options", "include_usage", true);
    else if (p->api == API_RESPONSES && !p->compat && !p->is_azure)
        lens_body_flag_in(b, "stream_options", "include_obfuscation", p->obfuscation);
}

static void
write_tools(const struct provider *p, const struct lens_ask *ask, struct lens_body *b)
{
    lens_body_raw(b, "tools", ask->tools);
    lens_body_raw(b, "tool_choice", ask->tool_choice);
    if (p->api != API_RESPONSES) {
        lens_body_raw(b, "response_format", ask->response_format);
    } else if (ask->response_format.size > 0 && lens_body_member(b, "text")) {
        lens_write(&b->w, "{\"format\":");
        lens_write_bytes(&b->w, ask->response_format.data, ask->response_format.size);
        lens_write(&b->w, "}");
    }
}

static void
write_reasoning(const struct provider *p, struct lens_body *b)
{
    if (p->effort == NULL)
        return;
    if (p->api != API_RESPONSES) {
        lens_body_text(b, "reasoning_effort", p->effort);
    } else if (lens_body_member(b, "reasoning")) {
        lens_write(&b->w, "{\"effort\":");
        lens_write_string(&b->w, p->effort, strlen(p->effort));
        lens_write(&b->w, "}");
    }
}

static lens_status
write_prompt(const struct provider *p, const struct lens_ask *ask, struct lens_body *b)
{
    static const char *const names[API_COUNT] = { "messages", "prompt", "input",
                                                  "input" };

    if (!lens_body_member(b, names[p->api]))
        return LENS_OK;
    switch (p->api) {
    case API_CHAT:
        return lens_messages_chat(&b->w, ask);
    case API_COMPLETIONS:
        return lens_messages_prompt(&b->w, ask);
    default:
        return lens_messages_input(&b->w, ask);
    }
}

static void
write_parameters(const struct provider *p, const struct lens_ask *ask,
                 struct lens_body *b)
{
    write_stream(p, ask, b);
    write_limit(p, ask, b);
    write_sampling(p, ask, b);
    write_forced_length(p, ask, b);
    write_tools(p, ask, b);
    write_reasoning(p, b);
    lens_body_text(b, "service_tier", p->tier);
    if (p->echo && lens_body_member(b, "echo"))
        lens_write(&b->w, "true");
    if (p->api == API_RESPONSES && lens_body_member(b, "store"))
        lens_write(&b->w, p->store ? "true" : "false");
}

/* With Azure the model of a body is its deployment. */
static void
write_model(const struct provider *p, const struct lens_ask *ask, struct lens_body *b)
{
    if (p->azure.deployment != NULL)
        lens_body_text(b, "model", p->azure.deployment);
    else if (ask->model.size > 0)
        lens_body_string(b, "model", ask->model);
}

static lens_status
write_body(const struct provider *p, const struct lens_ask *ask, struct lens_request *r)
{
    struct lens_body b;
    lens_status st;

    if (!lens_body_begin(&b, r, p->host->req_body, ask->extra))
        return p->host->fail(p->host, LENS_E_CONFIG,
                             "extra is not a JSON object, for instance {\"top_k\":40}");
    write_model(p, ask, &b);
    st = p->api == API_EMBEDDINGS ? embeddings_write(p, ask, &b)
                                  : write_prompt(p, ask, &b);
    if (st != LENS_OK)
        return p->host->fail(p->host, st,
                             st == LENS_E_NOMEM
                                 ? "out of memory"
                                 : "the prompt has parts that this api cannot carry");
    if (p->api != API_EMBEDDINGS)
        write_parameters(p, ask, &b);
    return lens_body_end(&b);
}

lens_status
openai_describe(void *self, const struct lens_ask *ask, struct lens_request *r)
{
    const struct provider *p = self;
    const lens_status st = write_head(p, ask, r);

    if (st != LENS_OK)
        return st;
    if (ask->body.size > 0)
        return p->host->req_body(r, ask->body.data, ask->body.size);
    return write_body(p, ask, r);
}
