/* Profiles in ~/.aws/credentials and ~/.aws/config. */
#include <string.h>

#include "auth-private.h"

struct files {
    struct lens_text credentials, config;
    struct lens_text section; /* of the profile in `config` */
};

static void
read_file(const struct lens_auth *a, const char *path, struct lens_text *ret)
{
    struct lens_bytes text;

    if (a->host->read_file(a->host, path, &text) == LENS_OK)
        lens_text_add_bytes(ret, text.data, text.size);
}

static void
files_read(struct files *f, const struct lens_auth *a, const char *name)
{
    read_file(a,
              auth_setting(a, a->options.aws.credentials_file,
                           "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
              &f->credentials);
    read_file(a, auth_setting(a, NULL, "AWS_CONFIG_FILE", "~/.aws/config"), &f->config);
    if (strcmp(name, "default") != 0)
        lens_text_add(&f->section, "profile ");
    lens_text_add(&f->section, name);
}

static void
files_clear(struct files *f)
{
    lens_text_clear(&f->credentials);
    lens_text_clear(&f->config);
    lens_text_clear(&f->section);
}

static int
value_of(const struct files *f, const char *name, const char *key, struct lens_text *ret)
{
    return auth_ini_value(lens_text_bytes(&f->credentials), name, key, ret) ||
           auth_ini_value(lens_text_bytes(&f->config), lens_text_get(&f->section), key,
                          ret);
}

static void
add_member(struct lens_text *t, const char *before, const struct lens_text *value)
{
    lens_text_add(t, before);
    for (size_t i = 0; i < value->size; i++) {
        if (value->data[i] == '"' || value->data[i] == '\\')
            lens_text_add(t, "\\");
        lens_text_add_bytes(t, value->data + i, 1);
    }
    lens_text_add(t, "\"");
}

/* Static keys in the form of a credential_process. */
static int
take_keys(struct lens_auth *a, const struct files *f, const char *name)
{
    struct lens_text id = { 0 }, secret = { 0 }, token = { 0 };
    const int found = value_of(f, name, "aws_access_key_id", &id) &&
                      value_of(f, name, "aws_secret_access_key", &secret);

    if (found) {
        add_member(&a->ready, "{\"AccessKeyId\":\"", &id);
        add_member(&a->ready, ",\"SecretAccessKey\":\"", &secret);
        if (value_of(f, name, "aws_session_token", &token))
            add_member(&a->ready, ",\"SessionToken\":\"", &token);
        lens_text_add(&a->ready, "}");
    }
    lens_text_clear(&id);
    lens_text_clear(&secret);
    lens_text_clear(&token);
    return found;
}

/* What a profile may say that is not done here. */
static const char *
unsupported(const struct files *f, const char *name)
{
    static const char *const keys[] = { "role_arn", "sso_session", "sso_start_url",
                                        "web_identity_token_file", "login_session" };
    struct lens_text value = { 0 };
    const char *found = NULL;

    for (size_t i = 0; found == NULL && i < sizeof keys / sizeof *keys; i++)
        if (value_of(f, name, keys[i], &value))
            found = keys[i];
    lens_text_clear(&value);
    return found;
}

static lens_status
take(struct lens_auth *a, const struct files *f, const char *name)
{
    struct lens_text command = { 0 };
    const char *other = unsupported(f, name);
    struct lens_bytes printed;
    lens_status status = LENS_E_UNSUPPORTED;

    value_of(f, name, "region", &a->region);
    /* A role wins over the keys beside it, which are only there to take it on. */
    if (other != NULL && strcmp(other, "role_arn") != 0 && take_keys(a, f, name))
        return LENS_OK;
    if (other != NULL)
        return auth_give_up(
            a, "the AWS profile `", name, "` uses ", other,
            ", which is not supported: set credential_process = aws configure "
            "export-credentials --profile ",
            name, " in a profile of its own", NULL);
    if (take_keys(a, f, name))
        return LENS_OK;
    if (value_of(f, name, "credential_process", &command)) {
        status = a->host->run(a->host, command.data, &printed);
        if (status == LENS_OK)
            lens_text_add_bytes(&a->ready, printed.data, printed.size);
        else
            status = auth_give_up(a, "the credential_process of the AWS profile `", name,
                                  "` failed", NULL);
    }
    lens_text_clear(&command);
    return status;
}

lens_status
auth_aws_profile(struct lens_auth *a, const char *name)
{
    struct files f = { 0 };
    lens_status status;

    files_read(&f, a, name);
    status = take(a, &f, name);
    if (status == LENS_E_UNSUPPORTED &&
        (auth_ini_has_section(lens_text_bytes(&f.credentials), name) ||
         auth_ini_has_section(lens_text_bytes(&f.config), lens_text_get(&f.section))) &&
        strcmp(name, "default") != 0)
        status = auth_give_up(a, "the AWS profile `", name, "` holds no keys", NULL);
    files_clear(&f);
    return status;
}
