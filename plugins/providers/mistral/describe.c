/* describe: an ask becomes a request of chat. Members that the vendor does not know are
 * refused, so there is no stream_options, and the seed has its own name. */
#include "mistral.h"
#include "sdk/body.h"
#include "sdk/messages.h"
#include "sdk/request.h"
#include "sdk/turns.h"

static void
write_sampling(const struct lens_ask *ask, struct lens_body *b)
{
    if (ask->set & LENS_SET_MAX_OUTPUT)
        lens_body_int(b, "max_tokens", ask->max_output);
    if (ask->set & LENS_SET_TEMPERATURE)
        lens_body_double(b, "temperature", ask->temperature);
    if (ask->set & LENS_SET_TOP_P)
        lens_body_double(b, "top_p", ask->top_p);
    if (ask->set & LENS_SET_SEED)
        lens_body_int(b, "random_seed", ask->seed);
    if (ask->set & LENS_SET_N)
        lens_body_int(b, "n", ask->n);
    if (ask->stop_count == 0 || !lens_body_member(b, "stop"))
        return;
    for (uint32_t i = 0; i < ask->stop_count; i++) {
        const struct lens_bytes stop = lens_stop_at(ask, i);

        lens_write(&b->w, i == 0 ? "[" : ",");
        lens_write_string(&b->w, stop.data, stop.size);
    }
    lens_write(&b->w, "]");
}

/* "required" is called "any" here. */
static void
write_tools(const struct lens_ask *ask, struct lens_body *b)
{
    lens_body_raw(b, "tools", ask->tools);
    if (!LENS_KEY(ask->tool_choice, "\"required\""))
        lens_body_raw(b, "tool_choice", ask->tool_choice);
    else if (lens_body_member(b, "tool_choice"))
        lens_write(&b->w, "\"any\"");
    lens_body_raw(b, "response_format", ask->response_format);
}

static lens_status
write_body(const struct mistral *m, const struct lens_ask *ask, struct lens_request *r)
{
    const struct lens_host *host = m->base.host;
    struct lens_body b;
    lens_status st;

    if (!lens_body_begin(&b, r, host->req_body, ask->extra))
        return host->fail(host, LENS_E_CONFIG,
                          "extra is not a JSON object, for instance {\"n\":2}");
    if (ask->model.size > 0)
        lens_body_string(&b, "model", ask->model);
    if (lens_body_member(&b, "messages")) {
        st = lens_messages_chat(&b.w, ask);
        if (st != LENS_OK)
            return host->fail(host, st,
                              "the prompt has parts that this api cannot carry");
    }
    if (lens_body_member(&b, "stream"))
        lens_write(&b.w, ask->flags & LENS_ASK_STREAM ? "true" : "false");
    write_sampling(ask, &b);
    write_tools(ask, &b);
    if (m->safe_prompt && lens_body_member(&b, "safe_prompt"))
        lens_write(&b.w, "true");
    lens_body_text(&b, "prompt_mode", m->prompt_mode);
    lens_body_text(&b, "reasoning_effort", m->effort);
    lens_body_text(&b, "prompt_cache_key", m->prompt_cache_key);
    return lens_body_end(&b);
}

lens_status
mistral_describe(void *self, const struct lens_ask *ask, struct lens_request *r)
{
    const struct mistral *m = self;
    const struct lens_host *host = m->base.host;
    lens_status st = lens_request_begin(host, ask, m->base.url, "text/event-stream",
                                        m->base.authorization, r);

    if (st == LENS_OK)
        st = lens_request_headers(host, ask, r);
    if (st != LENS_OK)
        return st;
    if (ask->body.size > 0)
        return host->req_body(r, ask->body.data, ask->body.size);
    return write_body(m, ask, r);
}
