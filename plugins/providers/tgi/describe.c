/* describe: an ask becomes a request of generate_stream or generate. */
#include <string.h>

#include "sdk/members.h"
#include "sdk/merge.h"
#include "sdk/messages.h"
#include "sdk/request.h"
#include "sdk/text.h"
#include "sdk/turns.h"
#include "tgi.h"

/* A temperature of 0 is refused; without sampling the likeliest token is taken. */
static void
write_temperature(const struct lens_ask *ask, struct lens_writer *w)
{
    if (!(ask->set & LENS_SET_TEMPERATURE))
        return;
    if (ask->temperature <= 0) {
        lens_write(w, ",\"do_sample\":false");
        return;
    }
    lens_write(w, ",\"do_sample\":true,\"temperature\":");
    lens_write_double(w, ask->temperature);
}

static void
write_parameters(const struct tgi *p, const struct lens_ask *ask, struct lens_writer *w)
{
    lens_write(w, ",\"parameters\":{\"details\":true");
    if (ask->set & LENS_SET_MAX_OUTPUT) {
        lens_write(w, ",\"max_new_tokens\":");
        lens_write_int(w, ask->max_output);
    }
    write_temperature(ask, w);
    /* 1 is refused, and means the same as none. */
    if (ask->set & LENS_SET_TOP_P && ask->top_p < 1) {
        lens_write(w, ",\"top_p\":");
        lens_write_double(w, ask->top_p);
    }
    if (ask->set & LENS_SET_TOP_K) {
        lens_write(w, ",\"top_k\":");
        lens_write_int(w, ask->top_k);
    }
    if (ask->set & LENS_SET_SEED) {
        lens_write(w, ",\"seed\":");
        lens_write_int(w, ask->seed);
    }
    for (uint32_t i = 0; i < ask->stop_count; i++) {
        const struct lens_bytes stop = lens_stop_at(ask, i);

        lens_write(w, i == 0 ? ",\"stop\":[" : ",");
        lens_write_string(w, stop.data, stop.size);
    }
    lens_write(w, ask->stop_count > 0 ? "]" : "");
    if (p->adapter_id != NULL) {
        lens_write(w, ",\"adapter_id\":");
        lens_write_string(w, p->adapter_id, strlen(p->adapter_id));
    }
    lens_write(w, "}");
}

static lens_status
write_base(const struct tgi *p, const struct lens_ask *ask, struct lens_writer *w)
{
    lens_status st;

    lens_write(w, "{\"inputs\":");
    st = lens_messages_prompt(w, ask);
    if (st != LENS_OK)
        return st;
    write_parameters(p, ask, w);
    lens_write(w, "}");
    return lens_write_end(w);
}

/* `extra` goes into the parameters, too: members of objects on both sides are joined. */
static lens_status
write_body(const struct tgi *p, const struct lens_ask *ask, struct lens_request *r)
{
    struct lens_text base = { 0 }, merged = { 0 };
    struct lens_writer w;
    lens_status st;

    if (ask->extra.size > 0 && !lens_is_object(ask->extra))
        return p->host->fail(p->host, LENS_E_CONFIG,
                             "extra is not a JSON object, for instance "
                             "{\"parameters\":{\"watermark\":true}}");
    lens_write_begin(&w, &base, lens_text_put);
    st = write_base(p, ask, &w);
    if (st == LENS_OK && ask->extra.size > 0) {
        lens_write_begin(&w, &merged, lens_text_put);
        lens_write_merged(&w, lens_text_bytes(&base), ask->extra);
        st = lens_write_end(&w);
    }
    if (st == LENS_E_UNSUPPORTED)
        p->host->fail(p->host, st, "the prompt has parts that this api cannot carry");
    else if (st != LENS_OK)
        p->host->fail(p->host, st, "out of memory");
    else
        st = ask->extra.size > 0 ? p->host->req_body(r, merged.data, merged.size)
                                 : p->host->req_body(r, base.data, base.size);
    lens_text_clear(&base);
    lens_text_clear(&merged);
    return st;
}

lens_status
tgi_describe(void *self, const struct lens_ask *ask, struct lens_request *r)
{
    const struct tgi *p = self;
    const int stream = p->api == TGI_STREAM && (ask->flags & LENS_ASK_STREAM) != 0;
    lens_status st =
        lens_request_begin(p->host, ask, stream ? p->stream_url : p->generate_url,
                           "text/event-stream", p->authorization, r);

    if (st == LENS_OK)
        st = lens_request_headers(p->host, ask, r);
    if (st != LENS_OK)
        return st;
    if (ask->body.size > 0)
        return p->host->req_body(r, ask->body.data, ask->body.size);
    return write_body(p, ask, r);
}
