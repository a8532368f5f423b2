/* describe: an ask becomes a prediction. */
#include <string.h>

#include "replicate.h"
#include "sdk/members.h"
#include "sdk/merge.h"
#include "sdk/request.h"
#include "sdk/turns.h"

/* Where a prediction of this model is made; `ret_version`: what the body names it by. */
static int
add_url(const struct replicate *p, struct lens_bytes model, struct lens_text *url,
        struct lens_bytes *ret_version)
{
    const char *colon = model.size == 0 ? NULL : memchr(model.data, ':', model.size);

    *ret_version = (struct lens_bytes){ "", 0 };
    if (p->deployment != NULL) {
        replicate_route(p, "/deployments/", url);
        lens_text_add_percent(url, p->deployment, strlen(p->deployment), "/");
    } else if (colon == NULL && memchr(model.data, '/', model.size) != NULL) {
        replicate_route(p, "/models/", url);
        lens_text_add_percent(url, model.data, model.size, "/");
    } else {
        *ret_version = model;
        if (colon != NULL)
            *ret_version =
                (struct lens_bytes){ colon + 1,
                                     (size_t)(model.data + model.size - colon - 1) };
        replicate_route(p, "", url);
    }
    lens_text_add(url, "/predictions");
    return ret_version->size > 0 || p->deployment != NULL || colon == NULL;
}

static int
is_apart(const struct replicate *p, uint32_t role)
{
    return role == LENS_ROLE_SYSTEM && *p->system_name != '\0';
}

/* The text of the turns, system turns or the others, by empty lines. */
static lens_status
add_turns(const struct replicate *p, const struct lens_ask *ask, int apart,
          struct lens_text *ret)
{
    for (uint32_t i = 0; i < ask->turn_count; i++) {
        const struct lens_turn *turn = lens_turn_at(ask, i);

        if (is_apart(p, turn->role) != apart)
            continue;
        lens_text_add(ret, ret->size > 0 ? "\n\n" : "");
        for (uint32_t k = 0; k < turn->part_count; k++) {
            const struct lens_part *part = lens_part_at(turn, k);

            if (part->kind != LENS_PART_TEXT)
                return LENS_E_UNSUPPORTED;
            lens_text_add_bytes(ret, part->data.data, part->data.size);
        }
    }
    return ret->failed ? LENS_E_NOMEM : LENS_OK;
}

static void
begin_member(struct lens_writer *w, const char *name)
{
    lens_write(w, ",");
    lens_write_string(w, name, strlen(name));
    lens_write(w, ":");
}

/* One string with commas between, as the models there take it. */
static void
write_stops(const struct lens_ask *ask, struct lens_writer *w)
{
    struct lens_text all = { 0 };

    if (ask->stop_count == 0)
        return;
    for (uint32_t i = 0; i < ask->stop_count; i++) {
        const struct lens_bytes stop = lens_stop_at(ask, i);

        lens_text_add(&all, i > 0 ? "," : "");
        lens_text_add_bytes(&all, stop.data, stop.size);
    }
    begin_member(w, "stop_sequences");
    lens_write_string(w, all.data, all.size);
    if (all.failed)
        w->status = LENS_E_NOMEM;
    lens_text_clear(&all);
}

/* Names are those that most language models there take. */
static void
write_parameters(const struct replicate *p, const struct lens_ask *ask,
                 struct lens_writer *w)
{
    if (ask->set & LENS_SET_MAX_OUTPUT && *p->max_tokens_name != '\0') {
        begin_member(w, p->max_tokens_name);
        lens_write_int(w, ask->max_output);
    }
    if (ask->set & LENS_SET_MIN_OUTPUT) {
        begin_member(w, "min_tokens");
        lens_write_int(w, ask->min_output);
    }
    if (ask->set & LENS_SET_TEMPERATURE) {
        begin_member(w, "temperature");
        lens_write_double(w, ask->temperature);
    }
    if (ask->set & LENS_SET_TOP_P) {
        begin_member(w, "top_p");
        lens_write_double(w, ask->top_p);
    }
    if (ask->set & LENS_SET_TOP_K) {
        begin_member(w, "top_k");
        lens_write_int(w, ask->top_k);
    }
    if (ask->set & LENS_SET_SEED) {
        begin_member(w, "seed");
        lens_write_int(w, ask->seed);
    }
    write_stops(ask, w);
}

static lens_status
write_base(const struct replicate *p, const struct lens_ask *ask,
           struct lens_bytes version, struct lens_text *ret)
{
    struct lens_text system = { 0 }, rest = { 0 };
    struct lens_writer w;
    lens_status st = add_turns(p, ask, 1, &system);

    if (st == LENS_OK)
        st = add_turns(p, ask, 0, &rest);
    if (st == LENS_OK) {
        lens_write_begin(&w, ret, lens_text_put);
        lens_write(&w, "{");
        if (version.size > 0) {
            lens_write(&w, "\"version\":");
            lens_write_string(&w, version.data, version.size);
            lens_write(&w, ",");
        }
        lens_write(&w, ask->flags & LENS_ASK_STREAM ? "\"stream\":true," : "");
        lens_write(&w, "\"input\":{");
        lens_write_string(&w, p->prompt_name, strlen(p->prompt_name));
        lens_write(&w, ":");
        lens_write_string(&w, rest.data, rest.size);
        if (system.size > 0) {
            begin_member(&w, p->system_name);
            lens_write_string(&w, system.data, system.size);
        }
        write_parameters(p, ask, &w);
        lens_write(&w, "}}");
        st = lens_write_end(&w);
    }
    lens_text_clear(&system);
    lens_text_clear(&rest);
    return st;
}

static lens_status
write_body(const struct replicate *p, const struct lens_ask *ask,
           struct lens_bytes version, struct lens_request *r)
{
    struct lens_text base = { 0 }, merged = { 0 };
    struct lens_writer w;
    lens_status st;

    if (ask->extra.size > 0 && !lens_is_object(ask->extra))
        return p->host->fail(p->host, LENS_E_CONFIG,
                             "extra is not a JSON object, for instance "
                             "{\"input\":{\"presence_penalty\":1}}");
    st = write_base(p, ask, version, &base);
    if (st == LENS_OK && ask->extra.size > 0) {
        lens_write_begin(&w, &merged, lens_text_put);
        lens_write_merged(&w, lens_text_bytes(&base), ask->extra);
        st = lens_write_end(&w);
    }
    if (st == LENS_E_UNSUPPORTED)
        p->host->fail(p->host, st, "the prompt has parts that are not text");
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
replicate_describe(void *self, const struct lens_ask *ask, struct lens_request *r)
{
    const struct replicate *p = self;
    struct lens_text url = { 0 };
    struct lens_bytes version;
    lens_status st = LENS_OK;

    if (!add_url(p, ask->model, &url, &version))
        st = p->host->fail(p->host, LENS_E_CONFIG,
                           "the model has no version behind its colon");
    else if (url.failed)
        st = p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    if (st == LENS_OK)
        st = lens_request_begin(p->host, ask, url.data, "application/json",
                                p->authorization, r);
    lens_text_clear(&url);
    /* Without a stream the server waits for the end; a minute is the most it does. */
    if (st == LENS_OK && !(ask->flags & LENS_ASK_STREAM))
        st = p->host->req_header(r, "Prefer", "wait=60", 0);
    if (st == LENS_OK)
        st = lens_request_headers(p->host, ask, r);
    if (st != LENS_OK)
        return st;
    if (ask->body.size > 0)
        return p->host->req_body(r, ask->body.data, ask->body.size);
    return write_body(p, ask, version, r);
}
