/* AWS credentials from the endpoint of a container, or of an instance (IMDSv2). */
#include <string.h>
#include <strings.h>

#include "auth-private.h"

enum { STEP_CONTAINER = 1, STEP_TOKEN, STEP_ROLE, STEP_KEYS };

/* ---- container ---- */

static int
begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Whoever may set a variable should not be sent a token in the clear. */
static int
is_trusted(const char *url)
{
    static const char *const hosts[] = { "127.",           "localhost",
                                         "[::1]",          "169.254.170.2",
                                         "169.254.170.23", "[fd00:ec2::23]" };

    if (begins(url, "https://"))
        return 1;
    if (!begins(url, "http://"))
        return 0;
    url += strlen("http://");
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        const char *behind = url + strlen(hosts[i]);

        if (!begins(url, hosts[i]))
            continue;
        if (i == 0) /* all of 127/8, and no name that begins so */
            behind += strspn(behind, "0123456789.");
        if (*behind == '\0' || *behind == ':' || *behind == '/')
            return 1;
    }
    return 0;
}

static lens_status
add_authorization(struct lens_auth *a, struct lens_request *request)
{
    const char *file =
        auth_setting(a, NULL, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", NULL);
    const char *token = auth_setting(a, NULL, "AWS_CONTAINER_AUTHORIZATION_TOKEN", NULL);
    struct lens_text value = { 0 };
    struct lens_bytes text = { 0 };
    lens_status status = LENS_OK;

    if (file != NULL && a->host->read_file(a->host, file, &text) != LENS_OK)
        return auth_give_up(a, "cannot read ", file,
                            ", which AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names", NULL);
    if (file != NULL)
        text = auth_trim(text);
    else if (token != NULL)
        text = (struct lens_bytes){ token, strlen(token) };
    lens_text_add_bytes(&value, text.data, text.size);
    if (value.failed)
        status = LENS_E_NOMEM;
    else if (value.size > 0)
        status =
            a->host->req_header(request, "Authorization", value.data, LENS_HEADER_SECRET);
    lens_text_clear(&value);
    return status;
}

lens_status
auth_aws_container(struct lens_auth *a, struct lens_request *request)
{
    const char *relative =
        auth_setting(a, NULL, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", NULL);
    const char *full = auth_setting(a, NULL, "AWS_CONTAINER_CREDENTIALS_FULL_URI", NULL);
    struct lens_text url = { 0 };
    lens_status status;

    if (relative == NULL && full == NULL)
        return LENS_E_UNSUPPORTED;
    a->step = STEP_CONTAINER;
    if (relative == NULL && !is_trusted(full))
        return auth_give_up(a,
                            "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor "
                            "an address of this machine or container: ",
                            full, NULL);
    lens_text_add(&url, relative != NULL ? "http://169.254.170.2" : full);
    lens_text_add(&url, relative != NULL ? relative : "");
    status = url.failed ? LENS_E_NOMEM : a->host->req_line(request, "GET", url.data);
    if (status == LENS_OK)
        status = a->host->req_header(request, "Accept", "application/json", 0);
    if (status == LENS_OK)
        status = add_authorization(a, request);
    lens_text_clear(&url);
    return status;
}

/* ---- instance ---- */

/* Everything but the first request carries the token, which is the first line of `note`;
 * the second is the role. */
static lens_status
add_token(struct lens_auth *a, struct lens_request *request)
{
    struct lens_text token = { 0 };
    const char *note = lens_text_get(&a->note);
    lens_status status = LENS_OK;

    lens_text_add_bytes(&token, note, strcspn(note, "\n"));
    if (token.size > 0)
        status = a->host->req_header(request, "X-aws-ec2-metadata-token", token.data,
                                     LENS_HEADER_SECRET);
    lens_text_clear(&token);
    return status;
}

lens_status
auth_aws_instance(struct lens_auth *a, struct lens_request *request)
{
    const char *server = auth_setting(a, NULL, "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                                      "http://169.254.169.254");
    const char *off = auth_setting(a, NULL, "AWS_EC2_METADATA_DISABLED", "");
    const size_t size = strlen(server);
    struct lens_text url = { 0 };
    lens_status status;

    if (strcasecmp(off, "true") == 0)
        return LENS_E_UNSUPPORTED;
    if (a->step < STEP_TOKEN)
        a->step = STEP_TOKEN;
    lens_text_add_bytes(&url, server, size - (server[size - 1] == '/'));
    if (a->step == STEP_TOKEN) {
        lens_text_add(&url, "/latest/api/token");
    } else {
        lens_text_add(&url, "/latest/meta-data/iam/security-credentials/");
        if (a->step == STEP_KEYS)
            lens_text_add(&url, strchr(lens_text_get(&a->note), '\n') + 1);
    }
    status =
        url.failed
            ? LENS_E_NOMEM
            : a->host->req_line(request, a->step == STEP_TOKEN ? "PUT" : "GET", url.data);
    if (status == LENS_OK)
        status = a->step == STEP_TOKEN
                     ? a->host->req_header(
                           request, "X-aws-ec2-metadata-token-ttl-seconds", "21600", 0)
                     : add_token(a, request);
    lens_text_clear(&url);
    return status;
}

static lens_status
no_instance(struct lens_auth *a, const struct lens_answer *answer, struct lens_sink *sink)
{
    if (answer->status != 0)
        return auth_refused(a, "the AWS instance's metadata service", answer, sink);
    auth_give_up(a,
                 "no AWS credentials found: set AWS_ACCESS_KEY_ID and "
                 "AWS_SECRET_ACCESS_KEY, or a profile; no metadata service answers "
                 "here",
                 NULL);
    return auth_tell_fault(a, sink);
}

/* The role's name is one line of plain text. */
static lens_status
take_role(struct lens_auth *a, const struct lens_answer *answer, struct lens_sink *sink)
{
    struct lens_bytes role = auth_trim(answer->body);
    const char *end = role.size == 0 ? NULL : memchr(role.data, '\n', role.size);

    if (end != NULL)
        role = auth_trim((struct lens_bytes){ role.data, (size_t)(end - role.data) });
    if (role.size == 0) {
        auth_give_up(a, "this AWS instance has no role, so it has no credentials", NULL);
        return auth_tell_fault(a, sink);
    }
    lens_text_add(&a->note, "\n");
    lens_text_add_percent(&a->note, role.data, role.size, "+=,@");
    a->step = STEP_KEYS;
    return auth_continue(sink, "{\"step\":\"keys\"}");
}

static lens_status
take_token(struct lens_auth *a, const struct lens_answer *answer, struct lens_sink *sink)
{
    const struct lens_bytes token = auth_trim(answer->body);

    /* Old stand-ins know only version 1, which needs no token. */
    if (answer->status >= 200 && answer->status < 300)
        lens_text_add_bytes(&a->note, token.data, token.size);
    else if (answer->status != 403 && answer->status != 404 && answer->status != 405)
        return no_instance(a, answer, sink);
    a->step = STEP_ROLE;
    return auth_continue(sink, "{\"step\":\"role\"}");
}

lens_status
auth_aws_answered(struct lens_auth *a, const struct lens_answer *answer,
                  struct lens_sink *sink)
{
    const int fine = answer->status >= 200 && answer->status < 300;

    switch (a->step) {
    case STEP_CONTAINER:
        if (!fine)
            return auth_refused(a, "the AWS container's credentials endpoint", answer,
                                sink);
        return auth_aws_keys(a, answer->body, "the AWS container's credentials endpoint",
                             sink);
    case STEP_TOKEN:
        return take_token(a, answer, sink);
    case STEP_ROLE:
        return fine ? take_role(a, answer, sink) : no_instance(a, answer, sink);
    default:
        if (!fine)
            return no_instance(a, answer, sink);
        return auth_aws_keys(a, answer->body, "the AWS instance's metadata service",
                             sink);
    }
}
