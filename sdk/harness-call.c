/* Side calls: whatever a server answers, a call ends with something. */
#include <stdio.h>
#include <string.h>

#include "harness-private.h"

enum { STEPS_MAX = 16, ARGS_MAX = 4096 };

static struct lens_bytes
bytes(const char *text)
{
    return (struct lens_bytes){ text, strlen(text) };
}

static int
describe(struct lens_harness *h, const struct lens_provider *p, void *self, uint32_t kind,
         struct lens_bytes args, lens_status *ret)
{
    struct lens_request request = { h };
    const struct lens_call call = {
        .struct_size = (uint32_t)sizeof call,
        .kind = kind,
        .args = args,
        .model = bytes("model-x"),
        .unix_ns = INT64_C(1700000000000000000),
    };

    *ret = p->call_describe(self, &call, &request);
    if (*ret == LENS_E_UNSUPPORTED) {
        h->why = LENS_OK;
        h->injected = NULL;
        return 0;
    }
    if (!lens_harness_settle(h, "call_describe", *ret))
        return 0;
    if (*ret == LENS_OK && (h->method.size == 0 || strncmp(h->url.data, "http", 4) != 0))
        return lens_harness_problem(h, "call_describe gives no request line: `%s %s`",
                                    h->method.data, h->url.data);
    return 1;
}

/* One answer to a call; 1: a further step is wanted, its args stand in `next`. */
static int
answer_call(struct lens_harness *h, const struct lens_provider *p, void *self,
            uint32_t kind, int32_t status, const char *body, char *next)
{
    const struct lens_answer answer = {
        .struct_size = (uint32_t)sizeof answer,
        .status = status,
        .header_size = (uint32_t)sizeof(struct lens_pair),
        .body = bytes(body),
        .unix_ns = INT64_C(1700000000000000000),
    };
    const lens_status st =
        p->call_decode(self, kind, &answer, lens_harness_sink(h, LENS_WANT_CONTENT));

    if (!lens_harness_settle(h, "call_decode", st) || kind != LENS_CALL_AUTH)
        return 0;
    if (h->follow_up.size > 0) {
        snprintf(next, ARGS_MAX, "%s", h->follow_up.data);
        return 1;
    }
    if (h->faults == 0 && h->credentials == 0)
        lens_harness_problem(h,
                             "call_decode of AUTH tells neither a credential nor a "
                             "further call nor a fault for HTTP %d `%s`",
                             status, body);
    return 0;
}

/* The same answer to every step. */
static void
walk(struct lens_harness *h, const struct lens_provider *p, void *self, uint32_t kind,
     const char *args, int32_t status, const char *body)
{
    char about[ARGS_MAX], next[ARGS_MAX] = "";
    lens_status st;
    int more = 1, steps = 0;

    snprintf(about, sizeof about, "%s", args);
    while (more && steps++ < STEPS_MAX) {
        lens_harness_forget(h);
        more = describe(h, p, self, kind, bytes(about), &st) &&
               answer_call(h, p, self, kind, st == LENS_DONE ? 0 : status,
                           st == LENS_DONE ? "" : body, next);
        memcpy(about, next, sizeof about);
    }
    if (steps > STEPS_MAX)
        lens_harness_problem(h, "AUTH asks for more than %d calls for HTTP %d `%s`",
                             STEPS_MAX, status, body);
}

int
lens_harness_calls(struct lens_harness *h, const struct lens_provider *p, void *self)
{
    static const struct {
        uint32_t kind;
        const char *args;
    } calls[] = {
        { LENS_CALL_MODELS, "" },
        { LENS_CALL_COUNT, "{\"model\":\"model-x\",\"messages\":[{\"role\":\"user\","
                           "\"content\":\"hi\"}]}" },
        { LENS_CALL_TOKENIZE, "{\"text\":\"say \\\"hi\\\"\",\"model\":\"model-x\"}" },
        { LENS_CALL_HEALTH, "" },
        { LENS_CALL_AUTH, "" },
        { LENS_CALL_FOLLOW_UP, "" },
        { 4711, "" },
    };
    static const struct {
        int32_t status;
        const char *body;
    } answers[] = {
        { 200, "{}" },
        { 200, "" },
        { 200, "<html>" },
        { 200,
          "{\"data\":[{\"id\":\"a\"},{\"id\":null},7],\"access_token\":5,\"x\":[[[" },
        { 200, "[null,{\"name\":\"\\ud800\"}]" },
        { 401, "{\"error\":\"invalid_client\",\"error_description\":\"no\"}" },
        { 500, "" },
        { 0, "cannot reach it" },
    };

    if (p->call_describe == NULL || p->call_decode == NULL)
        return 1;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        h->auth = calls[i].kind == LENS_CALL_AUTH;
        for (size_t a = 0; a < sizeof answers / sizeof *answers; a++)
            if (h->auth || (answers[a].status >= 200 && answers[a].status < 300))
                walk(h, p, self, calls[i].kind, calls[i].args, answers[a].status,
                     answers[a].body);
    }
    h->auth = 0;
    return h->problem[0] == '\0';
}
