/* describe: an ask becomes an HTTP request of one of the three apis. */
#include <stdlib.h>
#include <string.h>

#include "openai.h"
#include "sdk/body.h"
#include "sdk/messages.h"

static lens_status
add_header(const struct provider *p, struct lens_request *r, const struct lens_pair *h)
{
    const size_t size = h->name.size + h->value.size + 2;
    char *copy = malloc(size), *value;
    lens_status st;

    if (copy == NULL)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    value = copy + h->name.size + 1;
    memcpy(copy, h->name.data, h->name.size);
    copy[h->name.size] = '\0';
    memcpy(value, h->value.data, h->value.size);
    value[h->value.size] = '\0';
    st = p->host->req_header(r, copy, value, 0);
    free(copy);
    return st;
}

lens_status
describe_identity(const struct provider *p, struct lens_request *r)
{
    lens_status st = LENS_OK;

    if (p->authorization != NULL)
        st =
            p->host->req_header(r, "Authorization", p->authorization, LENS_HEADER_SECRET);
    if (st == LENS_OK && p->organization != NULL)
        st = p->host->req_header(r, "OpenAI-Organization", p->organization, 0);
    if (st == LENS_OK && p->project != NULL)
        st = p->host->req_header(r, "OpenAI-Project", p->project, 0);
    return st;
}

static lens_status
write_headers(const struct provider *p, const struct lens_ask *ask,
              struct lens_request *r)
{
    const bool stream = (ask->flags & LENS_ASK_STREAM) != 0;
    lens_status st = p->host->req_header(r, "Content-Type", "application/json", 0);

    if (st == LENS_OK)
        st = p->host->req_header(r, "Accept",
                                 stream ? "text/event-stream" : "application/json", 0);
    if (st == LENS_OK)
        st = describe_identity(p, r);
    for (uint32_t i = 0; i < ask->header_count && st == LENS_OK; i++)
        st = add_header(p, r,
                        (const struct lens_pair *)((const char *)ask->headers +
                                                   (size_t)i * ask->header_size));
    return st;
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
            const struct lens_bytes *stop =
                (const struct lens_bytes *)((const char *)ask->stop +
                                            (size_t)i * ask->stop_size);

            lens_write(&b->w, i == 0 ? "[" : ",");
            lens_write_string(&b->w, stop->data, stop->size);
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
    else if (p->api == API_RESPONSES && !p->compat)
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
    static const char *const names[API_COUNT] = { "messages", "prompt", "input" };

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

static lens_status
write_body(const struct provider *p, const struct lens_ask *ask, struct lens_request *r)
{
    struct lens_body b;
    lens_status st;

    if (!lens_body_begin(&b, r, p->host->req_body, ask->extra))
        return p->host->fail(p->host, LENS_E_CONFIG,
                             "extra is not a JSON object, for instance {\"top_k\":40}");
    if (ask->model.size > 0)
        lens_body_string(&b, "model", ask->model);
    st = write_prompt(p, ask, &b);
    if (st != LENS_OK)
        return p->host->fail(p->host, st,
                             st == LENS_E_NOMEM
                                 ? "out of memory"
                                 : "the prompt has parts that this api cannot carry");
    write_stream(p, ask, &b);
    write_limit(p, ask, &b);
    write_sampling(p, ask, &b);
    write_forced_length(p, ask, &b);
    write_tools(p, ask, &b);
    write_reasoning(p, &b);
    lens_body_text(&b, "service_tier", p->tier);
    if (p->echo && lens_body_member(&b, "echo"))
        lens_write(&b.w, "true");
    if (p->api == API_RESPONSES && lens_body_member(&b, "store"))
        lens_write(&b.w, p->store ? "true" : "false");
    return lens_body_end(&b);
}

lens_status
openai_describe(void *self, const struct lens_ask *ask, struct lens_request *r)
{
    const struct provider *p = self;
    lens_status st = p->host->req_line(r, "POST", p->url);

    if (st == LENS_OK)
        st = write_headers(p, ask, r);
    if (st != LENS_OK)
        return st;
    if (ask->body.size > 0)
        return p->host->req_body(r, ask->body.data, ask->body.size);
    return write_body(p, ask, r);
}
