/* What all chains share: their state, faults, and reading of answers. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth-private.h"
#include "emit.h"

struct lens_auth *
auth_new(const struct lens_host *host, const struct lens_auth_chain *chain)
{
    struct lens_auth *a = calloc(1, sizeof *a);

    if (a != NULL) {
        a->host = host;
        a->chain = chain;
    }
    return a;
}

void
lens_auth_free(struct lens_auth *a)
{
    if (a == NULL)
        return;
    lens_text_clear(&a->fault);
    lens_text_clear(&a->ready);
    lens_text_clear(&a->note);
    lens_text_clear(&a->region);
    free(a);
}

lens_status
lens_auth_describe(struct lens_auth *a, const struct lens_call *call,
                   struct lens_request *request)
{
    if (a == NULL)
        return LENS_E_UNSUPPORTED;
    if (call->args.size == 0) {
        a->step = 0;
        a->tries = 0;
        lens_text_clear(&a->note);
        lens_text_clear(&a->region);
    }
    lens_text_clear(&a->fault);
    lens_text_clear(&a->ready);
    return a->chain->describe(a, call, request);
}

lens_status
lens_auth_decode(struct lens_auth *a, const struct lens_answer *answer,
                 struct lens_sink *sink)
{
    if (a == NULL)
        return LENS_E_UNSUPPORTED;
    if (a->fault.size > 0)
        return auth_tell_fault(a, sink);
    return a->chain->decode(a, answer, sink);
}

const char *
auth_setting(const struct lens_auth *a, const char *option, const char *variable,
             const char *otherwise)
{
    const char *value = option;

    if (value == NULL || *value == '\0')
        value = variable == NULL ? NULL : a->host->environment(a->host, variable);
    return value == NULL ? otherwise : value;
}

lens_status
auth_give_up(struct lens_auth *a, ...)
{
    const char *piece;
    va_list pieces;

    a->fault_kind = LENS_KIND_AUTH;
    lens_text_reset(&a->fault);
    va_start(pieces, a);
    while ((piece = va_arg(pieces, const char *)) != NULL)
        lens_text_add(&a->fault, piece);
    va_end(pieces);
    return a->fault.failed ? LENS_E_NOMEM : LENS_DONE;
}

lens_status
auth_tell_fault(struct lens_auth *a, struct lens_sink *sink)
{
    return lens_emit_fault(sink, LENS_CLASS_HTTP_ERROR, a->fault_kind, -1,
                           lens_text_bytes(&a->fault), (struct lens_bytes){ "", 0 });
}

/* What a failed answer says of itself. */
static void
add_reason(struct lens_text *t, const struct lens_answer *answer)
{
    static const char *const members[] = {
        "error_description", "error.message", "message", "Message", "error", "Code"
    };
    size_t i = 0;
    const size_t count = sizeof members / sizeof *members;
    struct lens_text words = { 0 };
    char status[32];

    if (answer->status == 0) {
        lens_text_add(t, ": ");
        lens_text_add_bytes(t, answer->body.data, answer->body.size);
        return;
    }
    snprintf(status, sizeof status, " answered with HTTP %d", answer->status);
    lens_text_add(t, status);
    while (i < count && !auth_json_string(answer->body, members[i], &words))
        i++;
    if (i < count) {
        lens_text_add(t, ": ");
        lens_text_add_bytes(t, words.data, words.size < 300 ? words.size : 300);
    }
    lens_text_clear(&words);
}

lens_status
auth_refused(struct lens_auth *a, const char *who, const struct lens_answer *answer,
             struct lens_sink *sink)
{
    /* Nothing is wrong with what the user gave. */
    a->fault_kind = answer->status == 0                              ? LENS_KIND_CONNECT
                    : answer->status >= 500 || answer->status == 429 ? LENS_KIND_SERVER
                                                                     : LENS_KIND_AUTH;
    lens_text_reset(&a->fault);
    lens_text_add(&a->fault, who);
    add_reason(&a->fault, answer);
    return auth_tell_fault(a, sink);
}

lens_status
auth_continue(struct lens_sink *sink, const char *args)
{
    const struct lens_event event = { .struct_size = sizeof event,
                                      .kind = LENS_EV_FOLLOW_UP,
                                      .text = { args, strlen(args) } };

    return sink->event(sink, &event);
}

int
auth_json_string(struct lens_bytes json, const char *name, struct lens_text *ret)
{
    struct lens_json j;
    struct lens_json_string string;
    char *out;

    if (!lens_json_find(json.data, json.size, name, &j) ||
        lens_json_peek(&j) != LENS_JSON_STRING || !lens_json_string(&j, &string) ||
        string.raw.size == 0)
        return 0;
    lens_text_reset(ret);
    out = malloc(string.raw.size);
    if (out == NULL)
        return 0;
    lens_text_add_bytes(ret, out, lens_json_unescape(&string, out));
    explicit_bzero(out, string.raw.size);
    free(out);
    return !ret->failed;
}

int
auth_json_int(struct lens_bytes json, const char *name, int64_t *ret)
{
    struct lens_text text = { 0 };
    struct lens_json j;
    char *end;
    int fine;

    if (lens_json_find(json.data, json.size, name, &j) && lens_json_int(&j, ret))
        return 1;
    fine = auth_json_string(json, name, &text);
    if (fine) {
        *ret = strtoll(text.data, &end, 10);
        fine = end != text.data && *end == '\0';
    }
    lens_text_clear(&text);
    return fine;
}

struct lens_bytes
auth_trim(struct lens_bytes text)
{
    while (text.size > 0 && strchr(" \t\r\n", text.data[text.size - 1]) != NULL)
        text.size--;
    while (text.size > 0 && strchr(" \t\r\n", *text.data) != NULL) {
        text.data++;
        text.size--;
    }
    return text;
}
