/* The order in which AWS credentials are looked for. */
#include <string.h>

#include "auth-private.h"

static void
add_json(struct lens_text *t, const char *name, const char *value)
{
    lens_text_add(t, t->size == 0 ? "{\"" : ",\"");
    lens_text_add(t, name);
    lens_text_add(t, "\":\"");
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\')
            lens_text_add(t, "\\");
        lens_text_add_bytes(t, value, 1);
    }
    lens_text_add(t, "\"");
}

/* Keys in the environment into `ready`; 0: there are none. */
static int
from_environment(struct lens_auth *a)
{
    const char *id = auth_setting(a, NULL, "AWS_ACCESS_KEY_ID", NULL);
    const char *secret = auth_setting(a, NULL, "AWS_SECRET_ACCESS_KEY", NULL);
    const char *token = auth_setting(a, NULL, "AWS_SESSION_TOKEN", NULL);

    if (id == NULL || secret == NULL)
        return 0;
    add_json(&a->ready, "AccessKeyId", id);
    add_json(&a->ready, "SecretAccessKey", secret);
    if (token != NULL)
        add_json(&a->ready, "SessionToken", token);
    lens_text_add(&a->ready, "}");
    return 1;
}

static lens_status
from_process(struct lens_auth *a, const char *command)
{
    struct lens_bytes printed;

    if (a->host->run(a->host, command, &printed) != LENS_OK)
        return auth_give_up(a, "the command for AWS credentials failed: ", command, NULL);
    lens_text_add_bytes(&a->ready, printed.data, printed.size);
    return LENS_DONE;
}

/* LENS_E_UNSUPPORTED: go on with the endpoints. */
static lens_status
without_request(struct lens_auth *a)
{
    const struct lens_auth_aws_options *o = &a->options.aws;
    const char *profile = auth_setting(a, o->profile, "AWS_PROFILE", NULL);
    const int asked = o->profile != NULL && *o->profile != '\0';
    lens_status status;

    if (o->process != NULL && *o->process != '\0')
        return from_process(a, o->process);
    if (!asked && o->credentials_file == NULL && from_environment(a))
        return LENS_DONE;
    status = auth_aws_profile(a, profile == NULL ? "default" : profile);
    if (status == LENS_OK)
        return LENS_DONE;
    if (status == LENS_E_UNSUPPORTED && profile != NULL)
        return auth_give_up(a, "there is no AWS profile `", profile,
                            "` in the files of credentials", NULL);
    if (status == LENS_E_UNSUPPORTED && o->credentials_file != NULL)
        return auth_give_up(a, "there are no credentials in ", o->credentials_file, NULL);
    return status;
}

static lens_status
aws_describe(struct lens_auth *a, const struct lens_call *call,
             struct lens_request *request)
{
    lens_status status;

    if (call->args.size > 0)
        return auth_aws_instance(a, request);
    status = without_request(a);
    if (status == LENS_E_UNSUPPORTED &&
        auth_setting(a, NULL, "AWS_WEB_IDENTITY_TOKEN_FILE", NULL) != NULL)
        return auth_give_up(a,
                            "AWS_WEB_IDENTITY_TOKEN_FILE is not supported: get keys "
                            "with `aws configure export-credentials`",
                            NULL);
    if (status == LENS_E_UNSUPPORTED)
        status = auth_aws_container(a, request);
    if (status == LENS_E_UNSUPPORTED)
        status = auth_aws_instance(a, request);
    if (status == LENS_E_UNSUPPORTED)
        status = auth_give_up(a,
                              "no AWS credentials found: set AWS_ACCESS_KEY_ID and "
                              "AWS_SECRET_ACCESS_KEY, or a profile",
                              NULL);
    return status;
}

lens_status
auth_aws_keys(struct lens_auth *a, struct lens_bytes json, const char *who,
              struct lens_sink *sink)
{
    /* AWS_REGION is the plugin's own option. */
    const char *region =
        auth_setting(a, NULL, "AWS_DEFAULT_REGION", lens_text_get(&a->region));
    struct lens_text id = { 0 }, secret = { 0 }, token = { 0 }, end = { 0 };
    struct lens_auth_aws keys;
    lens_status status;

    if (!auth_json_string(json, "AccessKeyId", &id) ||
        !auth_json_string(json, "SecretAccessKey", &secret)) {
        auth_give_up(a, who, " gave no AccessKeyId or no SecretAccessKey", NULL);
        status = auth_tell_fault(a, sink);
    } else {
        if (!auth_json_string(json, "SessionToken", &token))
            auth_json_string(json, "Token", &token);
        auth_json_string(json, "Expiration", &end);
        keys = (struct lens_auth_aws){ lens_text_bytes(&id),
                                       lens_text_bytes(&secret),
                                       lens_text_bytes(&token),
                                       { region, strlen(region) } };
        status = lens_auth_emit_aws(sink, &keys, auth_time(lens_text_get(&end)));
    }
    lens_text_clear(&id);
    lens_text_clear(&secret);
    lens_text_clear(&token);
    lens_text_clear(&end);
    return status;
}

static lens_status
aws_decode(struct lens_auth *a, const struct lens_answer *answer, struct lens_sink *sink)
{
    if (a->ready.size > 0)
        return auth_aws_keys(a, lens_text_bytes(&a->ready), "the command", sink);
    return auth_aws_answered(a, answer, sink);
}

struct lens_auth *
lens_auth_aws_new(const struct lens_host *host,
                  const struct lens_auth_aws_options *options)
{
    static const struct lens_auth_chain chain = { aws_describe, aws_decode };
    struct lens_auth *a = auth_new(host, &chain);

    if (a != NULL)
        a->options.aws = *options;
    return a;
}
