#include <string.h>

#include "chrono.h"
#include "error.h"
#include "host-source.h"
#include "secret.h"
#include "side-call-args.h"
#include "side-call-private.h"

enum { FAULT_LIMIT = 500 };

/* ---- what the plugin says ---- */

static lens_status
on_event(struct lens_sink *sink, const struct lens_event *e)
{
    struct side_answer *a = ((struct side_sink *)sink)->answer;

    switch (e->kind) {
    case LENS_EV_MODEL:
        if (e->text.size > 0)
            g_ptr_array_add(a->models, g_strndup(e->text.data, e->text.size));
        break;
    case LENS_EV_USAGE:
        if (e->code < LENS_USAGE_COUNT)
            a->usage[e->code] = e->value;
        break;
    case LENS_EV_CREDENTIAL:
        if (a->credential == NULL)
            a->credential = g_string_new_len(e->text.data, (gssize)e->text.size);
        a->expires_ns = e->value;
        break;
    case LENS_EV_FOLLOW_UP:
        if (e->code == LENS_FOLLOW_AFTER)
            break;
        g_free(a->next);
        a->next = g_strndup(e->text.data, e->text.size);
        break;
    default:
        break;
    }
    return LENS_OK;
}

static lens_status
on_message(struct lens_sink *sink, uint32_t classes, uint64_t start, uint64_t end,
           int64_t tokens)
{
    (void)sink;
    (void)classes;
    (void)start;
    (void)end;
    (void)tokens;
    return LENS_OK;
}

static lens_status
on_fault(struct lens_sink *sink, const struct lens_failure *failure)
{
    struct side_answer *a = ((struct side_sink *)sink)->answer;

    if (a->failed)
        return LENS_OK; /* the first one counts */
    a->failed = true;
    a->fault_kind = failure->kind;
    if (failure->message.size > 0)
        a->fault = secret_redact(failure->message.data,
                                 (gssize)MIN(failure->message.size, (size_t)FAULT_LIMIT));
    return LENS_OK;
}

void
side_sink_init(struct side_sink *sink, struct side_answer *answer)
{
    sink->sink =
        (struct lens_sink){ sizeof sink->sink, 0, on_event, on_message, on_fault };
    sink->answer = answer;
}

void
side_answer_init(struct side_answer *a)
{
    *a = (struct side_answer){ .models = g_ptr_array_new_with_free_func(g_free) };
    for (unsigned i = 0; i < LENS_USAGE_COUNT; i++)
        a->usage[i] = -1;
}

void
side_answer_clear(struct side_answer *a)
{
    if (a->models != NULL)
        g_ptr_array_unref(a->models);
    if (a->credential != NULL) {
        explicit_bzero(a->credential->str, a->credential->allocated_len);
        g_string_free(a->credential, TRUE);
    }
    g_free(a->fault);
    g_free(a->next);
    *a = (struct side_answer){ 0 };
}

/* ---- life ---- */

side_call *
side_call_open(const plan_target *t, registry *plugins, uint64_t seed, GError **error)
{
    const plugin *p =
        registry_find(plugins, LENS_KIND_OF_PROVIDER, t->provider.kind, error);
    const int api = p == NULL ? -1 : provider_api(p, t->api, error);
    side_call *s;
    instance *provider;

    if (api < 0)
        return NULL;
    provider = provider_open(p, (unsigned)api, t->provider.options, seed, error);
    if (provider == NULL)
        return NULL;
    s = g_new0(side_call, 1);
    s->target = t;
    s->provider = provider;
    return s;
}

static void
drop_credential(side_call *s)
{
    if (s->credential == NULL)
        return;
    explicit_bzero(s->credential->str, s->credential->allocated_len);
    g_string_free(g_steal_pointer(&s->credential), TRUE);
}

void
side_call_close(side_call *s)
{
    if (s == NULL)
        return;
    drop_credential(s);
    instance_close(s->provider);
    g_free(s->model);
    g_free(s);
}

void
side_call_set_credential(side_call *s, struct lens_bytes credential)
{
    drop_credential(s);
    if (credential.size > 0)
        s->credential = g_string_new_len(credential.data, (gssize)credential.size);
}

void
side_call_set_model(side_call *s, const char *model)
{
    g_free(s->model);
    s->model = g_strdup(model);
}

instance *
side_call_instance(side_call *s)
{
    return s->provider;
}

/* ---- one exchange ---- */

static const struct lens_provider *
ops_of(const side_call *s)
{
    return &s->provider->plugin->ops.provider;
}

static enum side_result
fail(const side_call *s, GError **error, const char *words)
{
    g_set_error(error, LENS_ERROR, LENS_ERROR_PLUGIN, "target %s: %s", s->target->name,
                words);
    return SIDE_FAILED;
}

lens_status
side_call_describe(side_call *s, uint32_t kind, const char *about,
                   struct lens_request *request)
{
    const char *model = s->model != NULL ? s->model : s->target->model;
    const bool auth = kind == LENS_CALL_AUTH;
    const struct lens_call call = {
        .struct_size = sizeof call,
        .kind = kind,
        .args = { about, strlen(about) },
        .credential = { s->credential == NULL || auth ? "" : s->credential->str,
                        s->credential == NULL || auth ? 0 : s->credential->len },
        .model = { model, model == NULL ? 0 : strlen(model) },
        .unix_ns = chrono_wall(),
    };
    lens_status status;

    if (ops_of(s)->call_describe == NULL || ops_of(s)->call_decode == NULL)
        return LENS_E_UNSUPPORTED;
    status = ops_of(s)->call_describe(s->provider->self, &call, request);
    return status >= 0 && request->failed ? LENS_E_FAILED : status;
}

/* Hands over what came; the provider's own failure to read it is a fault, too. */
static void
hand_over(side_call *s, uint32_t kind, const struct transport_reply *reply,
          struct side_answer *ret)
{
    struct side_sink sink;
    const struct lens_answer answer = {
        .struct_size = sizeof answer,
        .status = (int32_t)reply->status,
        .headers = (const struct lens_pair *)(void *)reply->headers->data,
        .header_count = reply->headers->len,
        .header_size = sizeof(struct lens_pair),
        .body = { reply->body->str, reply->body->len },
        .unix_ns = chrono_wall(),
    };
    const bool fine = reply->status >= 200 && reply->status < 300;
    lens_status status = LENS_OK;

    side_sink_init(&sink, ret);
    ret->status = reply->status;
    if (fine || kind == LENS_CALL_AUTH)
        status = ops_of(s)->call_decode(s->provider->self, kind, &answer, &sink.sink);
    else if (ops_of(s)->classify != NULL)
        ops_of(s)->classify(s->provider->self, &answer, &sink.sink);
    if (status < 0 && !ret->failed) {
        ret->failed = true;
        ret->fault_kind = LENS_KIND_PROTOCOL;
        ret->fault = instance_failure(s->provider);
    }
}

/* The server did not answer; a chain of AUTH may know what to say about it. */
static void
no_answer(struct transport_reply *reply, const GError *why)
{
    reply->status = 0;
    g_string_assign(reply->body, why->message);
}

static enum side_result
exchange_once(side_call *s, uint32_t kind, const struct lens_request *request,
              struct transport_reply *reply, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (transport_ask(s->target, request, SIDE_BODY_LIMIT, reply, &why))
        return SIDE_OK;
    if (kind == LENS_CALL_AUTH) {
        no_answer(reply, why);
        return SIDE_OK;
    }
    g_propagate_prefixed_error(error, g_steal_pointer(&why),
                               "target %s: ", s->target->name);
    return SIDE_FAILED;
}

enum side_result
side_call_make(side_call *s, uint32_t kind, const char *about, struct side_answer *ret,
               GError **error)
{
    struct lens_request request;
    struct transport_reply reply;
    enum side_result result = SIDE_OK;
    lens_status status;

    side_answer_init(ret);
    lens_request_init(&request);
    transport_reply_init(&reply);
    status = side_call_describe(s, kind, about, &request);
    if (status == LENS_E_UNSUPPORTED) {
        result = SIDE_UNSUPPORTED;
    } else if (status < 0) {
        g_autofree char *words =
            request.failed ? g_strdup(request.why) : instance_failure(s->provider);

        result = fail(s, error, words);
    } else if (status != LENS_DONE) {
        result = exchange_once(s, kind, &request, &reply, error);
    }
    if (result == SIDE_OK)
        hand_over(s, kind, &reply, ret);
    host_forget_sources(s->provider);
    transport_reply_clear(&reply);
    lens_request_clear(&request);
    return result;
}

/* ---- the calls ---- */

static void
take_models(const struct side_answer *answer, GPtrArray *models)
{
    for (unsigned i = 0; i < answer->models->len; i++)
        g_ptr_array_add(models, g_strdup(answer->models->pdata[i]));
}

enum side_result
side_call_models(side_call *s, GPtrArray *models, long *ret_status, GError **error)
{
    struct side_answer answer;
    const enum side_result result =
        side_call_make(s, LENS_CALL_MODELS, "", &answer, error);

    if (result == SIDE_OK) {
        *ret_status = answer.status;
        take_models(&answer, models);
    }
    side_answer_clear(&answer);
    return result;
}

enum side_result
side_call_judge(const side_call *s, const struct side_answer *a, enum side_result result,
                GError **error)
{
    if (result != SIDE_OK || (!a->failed && a->status >= 200 && a->status < 300))
        return result;
    if (a->status >= 200 && a->status < 300)
        g_set_error(error, LENS_ERROR, LENS_ERROR_REACH, "target %s: %s", s->target->name,
                    a->fault == NULL ? "the answer is no answer to it" : a->fault);
    else
        g_set_error(error, LENS_ERROR, LENS_ERROR_REACH,
                    "target %s: the server answered with HTTP %ld%s%s", s->target->name,
                    a->status, a->fault == NULL ? "" : ": ",
                    a->fault == NULL ? "" : a->fault);
    return SIDE_FAILED;
}

enum side_result
side_call_list_models(side_call *s, GPtrArray *models, GError **error)
{
    struct side_answer answer;
    enum side_result result = side_call_make(s, LENS_CALL_MODELS, "", &answer, error);

    result = side_call_judge(s, &answer, result, error);
    if (result == SIDE_OK)
        take_models(&answer, models);
    side_answer_clear(&answer);
    return result;
}

enum side_result
side_call_health(side_call *s, GError **error)
{
    static const uint32_t kinds[] = { LENS_CALL_HEALTH, LENS_CALL_MODELS };
    enum side_result result = SIDE_UNSUPPORTED;

    for (unsigned i = 0; i < 2 && result == SIDE_UNSUPPORTED; i++) {
        struct side_answer answer;

        result = side_call_make(s, kinds[i], "", &answer, error);
        result = side_call_judge(s, &answer, result, error);
        side_answer_clear(&answer);
    }
    return result;
}

static enum side_result
count_by(side_call *s, uint32_t kind, const char *about, int64_t *ret_tokens,
         GError **error)
{
    struct side_answer answer;
    enum side_result result = side_call_make(s, kind, about, &answer, error);

    result = side_call_judge(s, &answer, result, error);
    if (result == SIDE_OK && answer.usage[LENS_USAGE_INPUT] < 0)
        result = SIDE_UNSUPPORTED;
    if (result == SIDE_OK)
        *ret_tokens = answer.usage[LENS_USAGE_INPUT];
    side_answer_clear(&answer);
    return result;
}

enum side_result
side_call_count(side_call *s, const prompt *p, int64_t *ret_tokens, bool *ret_rough,
                GError **error)
{
    const char *model = s->model != NULL ? s->model : s->target->model;
    g_autofree char *chat = side_call_chat_args(p, model);
    g_autofree char *text = side_call_text_args(p, model);
    g_autoptr(GError) first = NULL;
    enum side_result result = count_by(s, LENS_CALL_COUNT, chat, ret_tokens, &first);

    *ret_rough = result != SIDE_OK;
    if (result != SIDE_OK)
        result = count_by(s, LENS_CALL_TOKENIZE, text, ret_tokens, error);
    /* Many servers lack the one or the other: the first reason tells more. */
    if (result == SIDE_UNSUPPORTED && first != NULL) {
        g_propagate_error(error, g_steal_pointer(&first));
        result = SIDE_FAILED;
    }
    return result;
}
