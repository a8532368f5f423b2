/* A token that somebody else fetched: printed by a command, or kept in a file. */
#include <stdlib.h>
#include <string.h>

#include "auth-private.h"

/* The `exp` claim of a JWT in Unix ns; 0: it is none, or says none. */
static int64_t
jwt_end(struct lens_bytes token)
{
    const char *claims = memchr(token.data, '.', token.size);
    const char *end;
    int64_t size, seconds = 0;
    char *json;

    if (claims == NULL)
        return 0;
    claims++;
    end = memchr(claims, '.', (size_t)(token.data + token.size - claims));
    if (end == NULL)
        return 0;
    json = malloc((size_t)(end - claims) + 4);
    if (json == NULL)
        return 0;
    size = lens_base64_decode(claims, (size_t)(end - claims), json);
    if (size < 0 ||
        !auth_json_int((struct lens_bytes){ json, (size_t)size }, "exp", &seconds) ||
        seconds <= 0 || seconds > INT64_C(9000000000))
        seconds = 0;
    free(json);
    return seconds * 1000000000;
}

/* What `az` and `gcloud` call the end. */
static int64_t
said_end(struct lens_bytes json)
{
    static const char *const members[] = { "expires_on", "expiresOnTimestamp", "exp" };
    static const char *const times[] = { "token_expiry", "expiry", "expires_at",
                                         "status.expirationTimestamp" };
    struct lens_text text = { 0 };
    int64_t value = 0;

    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (auth_json_int(json, members[i], &value) && value > 0)
            return value > INT64_C(100000000000) ? value * 1000000 : value * 1000000000;
    value = 0;
    for (size_t i = 0; value == 0 && i < sizeof times / sizeof *times; i++)
        if (auth_json_string(json, times[i], &text))
            value = auth_time(lens_text_get(&text));
    lens_text_clear(&text);
    return value;
}

lens_status
auth_emit_printed(struct lens_auth *a, struct lens_bytes printed, struct lens_sink *sink)
{
    static const char *const members[] = { "accessToken", "access_token", "token",
                                           "id_token", "status.token" };
    const struct lens_bytes text = auth_trim(printed);
    const struct lens_bytes none = { "", 0 };
    struct lens_text token = { 0 };
    int64_t end = 0;
    lens_status status;

    if (text.size > 0 && *text.data == '{') {
        for (size_t i = 0; token.size == 0 && i < sizeof members / sizeof *members; i++)
            auth_json_string(text, members[i], &token);
        end = said_end(text);
    } else {
        lens_text_add_bytes(&token, text.data, text.size);
    }
    if (token.size == 0 || memchr(token.data, '\n', token.size) != NULL) {
        lens_text_clear(&token);
        auth_give_up(a, "there is no token in ",
                     a->options.token.command != NULL ? "the output of the command"
                                                      : a->options.token.file,
                     "; expected one line, or JSON with accessToken or access_token",
                     NULL);
        return auth_tell_fault(a, sink);
    }
    if (end == 0)
        end = jwt_end(lens_text_bytes(&token));
    status = lens_auth_emit_bearer(sink, lens_text_bytes(&token), none, end);
    lens_text_clear(&token);
    return status;
}

static lens_status
token_describe(struct lens_auth *a, const struct lens_call *call,
               struct lens_request *request)
{
    const struct lens_auth_token_options *o = &a->options.token;
    struct lens_bytes text = { 0 };
    lens_status status = LENS_E_FAILED;

    (void)call;
    (void)request;
    if (o->command != NULL) {
        status = a->host->run(a->host, o->command, &text);
        if (status != LENS_OK)
            return auth_give_up(a, "the command for the token failed: ", o->command,
                                NULL);
    } else if (o->file != NULL) {
        status = a->host->read_file(a->host, o->file, &text);
        if (status != LENS_OK)
            return auth_give_up(a, "cannot read the token from ", o->file, NULL);
    } else {
        return LENS_E_UNSUPPORTED;
    }
    lens_text_add_bytes(&a->ready, text.data, text.size);
    return a->ready.failed ? LENS_E_NOMEM : LENS_DONE;
}

static lens_status
token_decode(struct lens_auth *a, const struct lens_answer *answer,
             struct lens_sink *sink)
{
    (void)answer;
    return auth_emit_printed(a, lens_text_bytes(&a->ready), sink);
}

struct lens_auth *
lens_auth_token_new(const struct lens_host *host,
                    const struct lens_auth_token_options *options)
{
    static const struct lens_auth_chain chain = { token_describe, token_decode };
    struct lens_auth *a = auth_new(host, &chain);

    if (a != NULL)
        a->options.token = *options;
    return a;
}
