/* describe: an ask becomes a request of chat or generate. */
#include <string.h>

#include "ollama.h"
#include "sdk/members.h"
#include "sdk/merge.h"
#include "sdk/messages.h"
#include "sdk/request.h"
#include "sdk/text.h"
#include "sdk/turns.h"

static void
name(struct lens_writer *w, const char *member, int *started)
{
    lens_write(w, *started ? ",\"" : "\"");
    *started = 1;
    lens_write(w, member);
    lens_write(w, "\":");
}

/* What rules the model's choice of words lies in an object of its own. */
static void
write_options(const struct ollama *p, const struct lens_ask *ask, struct lens_writer *w)
{
    int started = 0;

    lens_write(w, ",\"options\":{");
    if (ask->set & LENS_SET_MAX_OUTPUT) {
        name(w, "num_predict", &started);
        lens_write_int(w, ask->max_output);
    }
    if (ask->set & LENS_SET_TEMPERATURE) {
        name(w, "temperature", &started);
        lens_write_double(w, ask->temperature);
    }
    if (ask->set & LENS_SET_TOP_P) {
        name(w, "top_p", &started);
        lens_write_double(w, ask->top_p);
    }
    if (ask->set & LENS_SET_TOP_K) {
        name(w, "top_k", &started);
        lens_write_int(w, ask->top_k);
    }
    if (ask->set & LENS_SET_SEED) {
        name(w, "seed", &started);
        lens_write_int(w, ask->seed);
    }
    if (p->num_ctx > 0) {
        name(w, "num_ctx", &started);
        lens_write_int(w, p->num_ctx);
    }
    for (uint32_t i = 0; i < ask->stop_count; i++) {
        const struct lens_bytes stop = lens_stop_at(ask, i);

        if (i == 0)
            name(w, "stop", &started);
        lens_write(w, i == 0 ? "[" : ",");
        lens_write_string(w, stop.data, stop.size);
    }
    lens_write(w, ask->stop_count > 0 ? "]}" : "}");
}

/* `{"type":"json_object"}` is "json" here, a schema stands bare; all else goes as it is.
 */
static void
write_format(struct lens_bytes format, struct lens_writer *w)
{
    struct lens_json j;
    struct lens_json_string type = { { NULL, 0 }, 0 };
    struct lens_bytes schema = { NULL, 0 };

    if (format.size == 0)
        return;
    if (lens_json_find(format.data, format.size, "type", &j))
        lens_read_string(&j, &type);
    if (LENS_KEY(type.raw, "text"))
        return;
    lens_write(w, ",\"format\":");
    if (LENS_KEY(type.raw, "json_object"))
        lens_write(w, "\"json\"");
    else if (LENS_KEY(type.raw, "json_schema") &&
             lens_json_find(format.data, format.size, "json_schema.schema", &j) &&
             lens_json_raw(&j, &schema))
        lens_write_bytes(w, schema.data, schema.size);
    else
        lens_write_bytes(w, format.data, format.size);
}

static void
write_settings(const struct ollama *p, const struct lens_ask *ask, struct lens_writer *w)
{
    lens_write(w,
               ask->flags & LENS_ASK_STREAM ? ",\"stream\":true" : ",\"stream\":false");
    if (p->think != NULL) {
        const int flag = strcmp(p->think, "true") == 0 || strcmp(p->think, "false") == 0;

        lens_write(w, ",\"think\":");
        if (flag)
            lens_write(w, p->think);
        else
            lens_write_string(w, p->think, strlen(p->think));
    }
    if (p->keep_alive != NULL) {
        const size_t digits = strspn(p->keep_alive, "-0123456789");

        lens_write(w, ",\"keep_alive\":");
        if (digits > 0 && p->keep_alive[digits] == '\0') /* seconds */
            lens_write(w, p->keep_alive);
        else
            lens_write_string(w, p->keep_alive, strlen(p->keep_alive));
    }
    if (p->raw)
        lens_write(w, ",\"raw\":true");
    write_format(ask->response_format, w);
    if (p->api == OLLAMA_CHAT && ask->tools.size > 0) {
        lens_write(w, ",\"tools\":");
        lens_write_bytes(w, ask->tools.data, ask->tools.size);
    }
    write_options(p, ask, w);
}

static lens_status
write_base(const struct ollama *p, const struct lens_ask *ask, struct lens_writer *w)
{
    lens_status st;

    lens_write(w, "{\"model\":");
    lens_write_string(w, ask->model.data, ask->model.size);
    if (p->api == OLLAMA_CHAT) {
        lens_write(w, ",\"messages\":");
        st = ollama_write_messages(w, ask);
    } else {
        lens_write(w, ",\"prompt\":");
        st = lens_messages_prompt(w, ask);
    }
    if (st != LENS_OK)
        return st;
    write_settings(p, ask, w);
    lens_write(w, "}");
    return lens_write_end(w);
}

/* `extra` goes into the options, too: members of objects on both sides are joined. */
static lens_status
write_body(const struct ollama *p, const struct lens_ask *ask, struct lens_request *r)
{
    struct lens_text base = { 0 }, merged = { 0 };
    struct lens_writer w;
    lens_status st;

    if (ask->extra.size > 0 && !lens_is_object(ask->extra))
        return p->host->fail(
            p->host, LENS_E_CONFIG,
            "extra is not a JSON object, for instance {\"options\":{\"num_ctx\":4096}}");
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
ollama_describe(void *self, const struct lens_ask *ask, struct lens_request *r)
{
    const struct ollama *p = self;
    lens_status st = lens_request_begin(p->host, ask, p->url, "application/x-ndjson",
                                        p->authorization, r);

    if (st == LENS_OK)
        st = lens_request_headers(p->host, ask, r);
    if (st != LENS_OK)
        return st;
    if (ask->body.size > 0)
        return p->host->req_body(r, ask->body.data, ask->body.size);
    return write_body(p, ask, r);
}
