/* The form of credentials: a kind, then one value a line. */
#include <string.h>

#include "auth.h"

/* Takes the next line off `rest`. */
static struct lens_bytes
take_line(struct lens_bytes *rest)
{
    const char *end = rest->size == 0 ? NULL : memchr(rest->data, '\n', rest->size);
    const size_t size = end == NULL ? rest->size : (size_t)(end - rest->data);
    const struct lens_bytes line = { rest->data, size };

    rest->data += end == NULL ? size : size + 1;
    rest->size -= end == NULL ? size : size + 1;
    return line;
}

static int
is_kind(struct lens_bytes *rest, const char *kind)
{
    const struct lens_bytes line = take_line(rest);

    return line.size == strlen(kind) && memcmp(line.data, kind, line.size) == 0;
}

int
lens_auth_aws_read(struct lens_bytes credential, struct lens_auth_aws *ret)
{
    struct lens_auth_aws keys;

    if (credential.size == 0 || !is_kind(&credential, "aws"))
        return 0;
    keys.key_id = take_line(&credential);
    keys.secret = take_line(&credential);
    keys.session_token = take_line(&credential);
    keys.region = take_line(&credential);
    if (keys.key_id.size == 0 || keys.secret.size == 0)
        return 0;
    *ret = keys;
    return 1;
}

int
lens_auth_bearer_read(struct lens_bytes credential, struct lens_bytes *ret_token,
                      struct lens_bytes *ret_project)
{
    struct lens_bytes token, project;

    if (credential.size == 0 || !is_kind(&credential, "jwt"))
        return 0;
    token = take_line(&credential);
    project = take_line(&credential);
    if (token.size == 0)
        return 0;
    *ret_token = token;
    if (ret_project != NULL)
        *ret_project = project;
    return 1;
}

lens_status
lens_auth_bearer_add(const struct lens_host *host, struct lens_bytes credential,
                     struct lens_request *request)
{
    struct lens_text value = { 0 };
    struct lens_bytes token;
    lens_status status;

    if (!lens_auth_bearer_read(credential, &token, NULL))
        return LENS_OK;
    lens_text_add(&value, "Bearer ");
    lens_text_add_bytes(&value, token.data, token.size);
    status = value.failed ? LENS_E_NOMEM
                          : host->req_header(request, "Authorization",
                                             lens_text_get(&value), LENS_HEADER_SECRET);
    lens_text_clear(&value);
    return status;
}

static lens_status
emit(struct lens_sink *sink, const struct lens_bytes *lines, size_t count,
     int64_t expires_ns)
{
    struct lens_text text = { 0 };
    struct lens_event event = { .struct_size = sizeof event,
                                .kind = LENS_EV_CREDENTIAL,
                                .value = expires_ns };
    lens_status status = LENS_OK;

    for (size_t i = 0; i < count; i++) {
        if (lines[i].size > 0 && (memchr(lines[i].data, '\n', lines[i].size) != NULL ||
                                  memchr(lines[i].data, '\0', lines[i].size) != NULL))
            status = LENS_E_PROTOCOL;
        lens_text_add(&text, i > 0 ? "\n" : "");
        lens_text_add_bytes(&text, lines[i].data, lines[i].size);
    }
    if (text.failed)
        status = LENS_E_NOMEM;
    event.text = lens_text_bytes(&text);
    if (status == LENS_OK)
        status = sink->event(sink, &event);
    lens_text_clear(&text);
    return status;
}

lens_status
lens_auth_emit_aws(struct lens_sink *sink, const struct lens_auth_aws *keys,
                   int64_t expires_ns)
{
    const struct lens_bytes lines[] = {
        { "aws", 3 }, keys->key_id, keys->secret, keys->session_token, keys->region
    };

    return emit(sink, lines, sizeof lines / sizeof *lines, expires_ns);
}

lens_status
lens_auth_emit_bearer(struct lens_sink *sink, struct lens_bytes token,
                      struct lens_bytes project, int64_t expires_ns)
{
    const struct lens_bytes lines[] = { { "jwt", 3 }, token, project };

    return emit(sink, lines, sizeof lines / sizeof *lines, expires_ns);
}
