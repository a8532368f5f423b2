/* One short request as a run sends it, to see whether a target answers at all. */
#include <string.h>

#include "chrono.h"
#include "error.h"
#include "side-call-private.h"

enum { SHORT = 16, FOLLOW_MAX = 8, HEADERS_MAX = 64 };

static struct lens_bytes
bytes_of(const char *text)
{
    return (struct lens_bytes){ text, text == NULL ? 0 : strlen(text) };
}

static unsigned
header_list(char **headers, struct lens_pair *ret)
{
    unsigned count = 0;

    for (; headers != NULL && headers[count] != NULL && count < HEADERS_MAX; count++) {
        const char *colon = strchr(headers[count], ':');

        ret[count].name =
            (struct lens_bytes){ headers[count], (size_t)(colon - headers[count]) };
        ret[count].value = bytes_of(colon + 1 + strspn(colon + 1, " "));
    }
    return count;
}

lens_status
side_call_describe_test(side_call *s, struct lens_request *request)
{
    const plan_target *t = s->target;
    const struct lens_part part = { .kind = LENS_PART_TEXT,
                                    .data = bytes_of("Say hello.") };
    const struct lens_turn turn = {
        .role = LENS_ROLE_USER, .parts = &part, .part_count = 1, .part_size = sizeof part
    };
    struct lens_pair headers[HEADERS_MAX];
    const struct lens_ask ask = {
        .struct_size = sizeof ask,
        .flags = t->stream ? LENS_ASK_STREAM : 0,
        .id = 1,
        .task = LENS_TASK_CHAT,
        .set = LENS_SET_MAX_OUTPUT,
        .model = bytes_of(s->model != NULL ? s->model : t->model),
        .turns = &turn,
        .turn_count = 1,
        .turn_size = sizeof turn,
        .max_output = t->max_tokens > 0 ? MIN(t->max_tokens, SHORT) : SHORT,
        .headers = headers,
        .header_count = header_list(t->headers, headers),
        .header_size = sizeof headers[0],
        .extra = bytes_of(t->extra),
        .unix_ns = chrono_wall(),
        .credential = { s->credential == NULL ? "" : s->credential->str,
                        s->credential == NULL ? 0 : s->credential->len },
    };
    const struct lens_provider *p = &s->provider->plugin->ops.provider;
    const lens_status status = p->describe(s->provider->self, &ask, request);

    return status >= 0 && request->failed ? LENS_E_FAILED : status;
}

/* Hands one answer to the decoder, or to classify. False: that is all. */
static bool
take_answer(side_call *s, void *stream, const struct transport_reply *reply,
            struct side_sink *sink)
{
    const struct lens_provider *p = &s->provider->plugin->ops.provider;
    const struct lens_pair *headers =
        (const struct lens_pair *)(void *)reply->headers->data;
    struct lens_head head = { .struct_size = sizeof head,
                              .status = (int32_t)reply->status,
                              .headers = headers,
                              .header_count = reply->headers->len,
                              .header_size = sizeof *headers,
                              .unix_ns = chrono_wall() };
    const struct lens_answer answer = { .struct_size = sizeof answer,
                                        .status = (int32_t)reply->status,
                                        .headers = headers,
                                        .header_count = reply->headers->len,
                                        .header_size = sizeof *headers,
                                        .body = { reply->body->str, reply->body->len },
                                        .unix_ns = chrono_wall() };

    sink->answer->status = reply->status;
    if (reply->status < 200 || reply->status > 299) {
        if (p->classify != NULL)
            p->classify(s->provider->self, &answer, &sink->sink);
        return false;
    }
    for (unsigned i = 0; i < reply->headers->len; i++)
        if (headers[i].name.size == 12 &&
            g_ascii_strncasecmp(headers[i].name.data, "content-type", 12) == 0)
            head.content_type = headers[i].value;
    return (p->head == NULL || p->head(stream, &head, &sink->sink) >= 0) &&
           p->decode(stream, reply->body->str, reply->body->len, &sink->sink) >= 0;
}

/* The request and what follows on it. */
static enum side_result
exchange_all(side_call *s, void *stream, struct lens_request *request,
             struct side_sink *sink, GError **error)
{
    const struct lens_provider *p = &s->provider->plugin->ops.provider;
    enum side_result result = SIDE_OK;
    bool more = true;

    for (unsigned i = 0; i < FOLLOW_MAX && more && result == SIDE_OK; i++) {
        struct transport_reply reply;
        g_autofree char *next = NULL;

        transport_reply_init(&reply);
        if (!transport_ask(s->target, request, SIDE_BODY_LIMIT, &reply, error)) {
            g_prefix_error(error, "target %s: ", s->target->name);
            result = SIDE_FAILED;
        }
        more = result == SIDE_OK && take_answer(s, stream, &reply, sink);
        transport_reply_clear(&reply);
        next = g_steal_pointer(&sink->answer->next);
        if (more && next == NULL) {
            p->finish(stream, &sink->sink);
            more = false;
        } else if (more) {
            lens_request_reset(request);
            more = side_call_describe(s, LENS_CALL_FOLLOW_UP, next, request) == LENS_OK;
        }
    }
    return result;
}

enum side_result
side_call_test_request(side_call *s, GError **error)
{
    const struct lens_provider *p = &s->provider->plugin->ops.provider;
    struct side_answer answer;
    struct side_sink sink;
    struct lens_request request;
    enum side_result result = SIDE_FAILED;
    void *stream = NULL;

    side_answer_init(&answer);
    side_sink_init(&sink, &answer);
    lens_request_init(&request);
    if (p->stream_open(s->provider->self, s->target->stream, &stream) < 0 ||
        side_call_describe_test(s, &request) < 0) {
        g_autofree char *words =
            request.failed ? g_strdup(request.why) : instance_failure(s->provider);

        g_set_error(error, LENS_ERROR, LENS_ERROR_PLUGIN, "target %s: %s",
                    s->target->name, words);
    } else {
        result = exchange_all(s, stream, &request, &sink, error);
        result = side_call_judge(s, &answer, result, error);
    }
    if (stream != NULL)
        p->stream_close(stream);
    lens_request_clear(&request);
    side_answer_clear(&answer);
    return result;
}
