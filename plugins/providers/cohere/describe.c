/* describe: an ask becomes a request of v2 chat. */
#include <string.h>

#include "cohere.h"
#include "sdk/body.h"
#include "sdk/members.h"
#include "sdk/messages.h"
#include "sdk/request.h"
#include "sdk/turns.h"

/* `required` and `none` are written in capitals; `auto` is what happens anyway. */
static void
write_tool_choice(struct lens_body *b, struct lens_bytes choice)
{
    if (LENS_KEY(choice, "\"required\"")) {
        if (lens_body_member(b, "tool_choice"))
            lens_write(&b->w, "\"REQUIRED\"");
    } else if (LENS_KEY(choice, "\"none\"")) {
        if (lens_body_member(b, "tool_choice"))
            lens_write(&b->w, "\"NONE\"");
    } else if (!LENS_KEY(choice, "\"auto\"")) {
        lens_body_raw(b, "tool_choice", choice);
    }
}

static void
write_thinking(const struct cohere *p, struct lens_body *b)
{
    if ((p->thinking == NULL && p->thinking_budget == 0) ||
        !lens_body_member(b, "thinking"))
        return;
    lens_write(&b->w, "{\"type\":\"");
    lens_write(&b->w, p->thinking != NULL ? p->thinking : "enabled");
    lens_write(&b->w, "\"");
    if (p->thinking_budget > 0) {
        lens_write(&b->w, ",\"token_budget\":");
        lens_write_int(&b->w, p->thinking_budget);
    }
    lens_write(&b->w, "}");
}

static void
write_sampling(const struct lens_ask *ask, struct lens_body *b)
{
    if (ask->set & LENS_SET_MAX_OUTPUT)
        lens_body_int(b, "max_tokens", ask->max_output);
    if (ask->set & LENS_SET_TEMPERATURE)
        lens_body_double(b, "temperature", ask->temperature);
    if (ask->set & LENS_SET_TOP_P)
        lens_body_double(b, "p", ask->top_p);
    if (ask->set & LENS_SET_TOP_K)
        lens_body_int(b, "k", ask->top_k);
    if (ask->set & LENS_SET_SEED)
        lens_body_int(b, "seed", ask->seed);
    if (ask->stop_count == 0 || !lens_body_member(b, "stop_sequences"))
        return;
    for (uint32_t i = 0; i < ask->stop_count; i++) {
        const struct lens_bytes stop = lens_stop_at(ask, i);

        lens_write(&b->w, i == 0 ? "[" : ",");
        lens_write_string(&b->w, stop.data, stop.size);
    }
    lens_write(&b->w, "]");
}

static lens_status
write_body(const struct cohere *p, const struct lens_ask *ask, struct lens_request *r)
{
    struct lens_body b;

    if (!lens_body_begin(&b, r, p->host->req_body, ask->extra))
        return p->host->fail(p->host, LENS_E_CONFIG,
                             "extra is not a JSON object, for instance {\"k\":40}");
    if (ask->model.size > 0)
        lens_body_string(&b, "model", ask->model);
    if (lens_body_member(&b, "messages") && lens_messages_chat(&b.w, ask) != LENS_OK)
        return p->host->fail(p->host, LENS_E_UNSUPPORTED,
                             "the prompt has parts that this api cannot carry");
    if (lens_body_member(&b, "stream"))
        lens_write(&b.w, ask->flags & LENS_ASK_STREAM ? "true" : "false");
    write_sampling(ask, &b);
    lens_body_raw(&b, "tools", ask->tools);
    if (ask->tool_choice.size > 0)
        write_tool_choice(&b, ask->tool_choice);
    lens_body_raw(&b, "response_format", ask->response_format);
    write_thinking(p, &b);
    lens_body_text(&b, "safety_mode", p->safety_mode);
    if (p->priority >= 0)
        lens_body_int(&b, "priority", p->priority);
    return lens_body_end(&b);
}

lens_status
cohere_describe(void *self, const struct lens_ask *ask, struct lens_request *r)
{
    const struct cohere *p = self;
    lens_status st = lens_request_begin(p->host, ask, p->url, "text/event-stream",
                                        p->authorization, r);

    if (st == LENS_OK && p->client_name != NULL)
        st = p->host->req_header(r, "X-Client-Name", p->client_name, 0);
    if (st == LENS_OK)
        st = lens_request_headers(p->host, ask, r);
    if (st != LENS_OK)
        return st;
    if (ask->body.size > 0)
        return p->host->req_body(r, ask->body.data, ask->body.size);
    return write_body(p, ask, r);
}
