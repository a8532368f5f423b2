/* The chains that get credentials, step by step, against a host that we play. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cmocka.h>

#include "auth.h"
#include "json.h"

#define NOW INT64_C(1700000000000000000)
#define S INT64_C(1000000000)

/* What a machine has: variables, files, outputs of commands. */
struct source {
    const char *name, *value;
};

struct lens_request {
    char text[8192]; /* "METHOD URL\nName: value\n...\n\nbody" */
};

struct world {
    struct lens_host host; /* first */
    const struct source *sources;
    struct lens_request request;
    struct lens_sink sink;
    char credential[4096], next[256], fault[512];
    uint32_t fault_kind;
    int64_t expires_ns;
};

static const char *
find(const struct lens_host *host, const char *name)
{
    const struct source *s = ((const struct world *)host)->sources;

    for (; s->name != NULL; s++)
        if (strcmp(s->name, name) == 0)
            return s->value;
    return NULL;
}

static lens_status
read_file(const struct lens_host *host, const char *path, struct lens_bytes *ret)
{
    const char *text = find(host, path);

    if (text == NULL)
        return LENS_E_IO;
    *ret = (struct lens_bytes){ text, strlen(text) };
    return LENS_OK;
}

static lens_status
run(const struct lens_host *host, const char *command, struct lens_bytes *ret)
{
    return read_file(host, command, ret) == LENS_OK ? LENS_OK : LENS_E_FAILED;
}

static lens_status
req_line(struct lens_request *r, const char *method, const char *url)
{
    sprintf(r->text, "%s %s\n", method, url);
    return LENS_OK;
}

static lens_status
req_header(struct lens_request *r, const char *name, const char *value, uint32_t flags)
{
    (void)flags;
    sprintf(r->text + strlen(r->text), "%s: %s\n", name, value);
    return LENS_OK;
}

static lens_status
req_body(struct lens_request *r, const void *data, size_t size)
{
    sprintf(r->text + strlen(r->text), "\n%.*s", (int)size, (const char *)data);
    return LENS_OK;
}

static struct world *
world_of(struct lens_sink *sink)
{
    return (struct world *)(void *)((char *)sink - offsetof(struct world, sink));
}

static lens_status
on_event(struct lens_sink *sink, const struct lens_event *e)
{
    struct world *w = world_of(sink);
    char *to = e->kind == LENS_EV_CREDENTIAL ? w->credential : w->next;

    sprintf(to, "%.*s", (int)e->text.size, e->text.data);
    if (e->kind == LENS_EV_CREDENTIAL)
        w->expires_ns = e->value;
    return LENS_OK;
}

static lens_status
on_fault(struct lens_sink *sink, const struct lens_failure *f)
{
    struct world *w = world_of(sink);

    sprintf(w->fault, "%.*s", (int)f->message.size, f->message.data);
    w->fault_kind = f->kind;
    return LENS_OK;
}

static void
world_init(struct world *w, const struct source *sources)
{
    *w = (struct world){
        .host = { .struct_size = sizeof w->host,
                  .abi = LENS_ABI,
                  .req_line = req_line,
                  .req_header = req_header,
                  .req_body = req_body,
                  .read_file = read_file,
                  .environment = find,
                  .run = run },
        .sources = sources,
        .sink = { .struct_size = sizeof w->sink, .event = on_event, .fault = on_fault },
    };
}

/* One call of a chain; what it asks stands in w->request. */
static lens_status
ask(struct world *w, struct lens_auth *a)
{
    const struct lens_call call = { .struct_size = sizeof call,
                                    .kind = LENS_CALL_AUTH,
                                    .args = { w->next, strlen(w->next) },
                                    .unix_ns = NOW };

    w->request.text[0] = '\0';
    return lens_auth_describe(a, &call, &w->request);
}

static void
answer(struct world *w, struct lens_auth *a, int32_t status, const char *body)
{
    const struct lens_answer got = { .struct_size = sizeof got,
                                     .status = status,
                                     .body = { body, strlen(body) },
                                     .unix_ns = NOW };

    w->next[0] = w->credential[0] = w->fault[0] = '\0';
    assert_int_equal(lens_auth_decode(a, &got, &w->sink), LENS_OK);
}

/* A chain that needs no request. */
static void
settle(struct world *w, struct lens_auth *a)
{
    assert_int_equal(ask(w, a), LENS_DONE);
    answer(w, a, 0, "");
}

static void
asks(struct world *w, struct lens_auth *a, const char *expected)
{
    assert_int_equal(ask(w, a), LENS_OK);
    assert_string_equal(w->request.text, expected);
}

static struct lens_auth *
aws(struct world *w, const char *profile)
{
    const struct lens_auth_aws_options o = { .struct_size = sizeof o,
                                             .profile = profile };

    return lens_auth_aws_new(&w->host, &o);
}

/* ---- AWS ---- */

static const struct source profiles[] = {
    { "AWS_ACCESS_KEY_ID", "ENVKEY" },
    { "AWS_SECRET_ACCESS_KEY", "env/secret" },
    { "AWS_SESSION_TOKEN", "env-token" },
    { "~/.aws/credentials", "[default]\naws_access_key_id = FILEKEY\n"
                            "aws_secret_access_key = file\"secret\n[half]\nregion=x\n" },
    { "~/.aws/config",
      "[default]\nregion = eu-west-1\n[profile tool]\nregion = us-east-2\n"
      "credential_process = keys --json\n[profile sso]\nsso_session = s\n"
      "[profile role]\nrole_arn = r\nsource_profile = default\n" },
    { "keys --json",
      "{\"Version\":1,\"AccessKeyId\":\"TOOLKEY\",\"SecretAccessKey\":\"t\","
      "\"SessionToken\":\"tt\",\"Expiration\":\"2023-11-14T23:13:20Z\"}" },
    { NULL, NULL },
};

static void
aws_keys_come_from_the_environment_unless_a_profile_is_named(void **state)
{
    struct world w;
    struct lens_auth *a;

    (void)state;
    world_init(&w, profiles);
    a = aws(&w, NULL);
    settle(&w, a);
    assert_string_equal(w.credential, "aws\nENVKEY\nenv/secret\nenv-token\n");
    assert_int_equal(w.expires_ns, 0);
    lens_auth_free(a);
    a = aws(&w, "default");
    settle(&w, a);
    assert_string_equal(w.credential, "aws\nFILEKEY\nfile\"secret\n\neu-west-1");
    lens_auth_free(a);
    a = aws(&w, "tool");
    settle(&w, a);
    assert_string_equal(w.credential, "aws\nTOOLKEY\nt\ntt\nus-east-2");
    assert_int_equal(w.expires_ns, NOW + 3600 * S);
    lens_auth_free(a);
}

static void
aws_profiles_that_cannot_work_say_why(void **state)
{
    static const char *const cases[][2] = {
        { "sso", "the AWS profile `sso` uses sso_session, which is not supported" },
        { "role", "the AWS profile `role` uses role_arn, which is not supported" },
        { "none", "there is no AWS profile `none`" },
        { "half", "the AWS profile `half` holds no keys" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;
        struct lens_auth *a;

        world_init(&w, profiles);
        a = aws(&w, cases[i][0]);
        settle(&w, a);
        assert_non_null(strstr(w.fault, cases[i][1]));
        assert_int_equal(w.fault_kind, LENS_KIND_AUTH);
        assert_string_equal(w.credential, "");
        lens_auth_free(a);
    }
}

static void
aws_containers_are_asked(void **state)
{
    static const struct source relative[] = {
        { "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/id" }, { NULL, NULL }
    };
    static const struct source full[] = {
        { "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1" },
        { "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/token" },
        { "/token", "pod-token\n" },
        { NULL, NULL },
    };
    static const struct source foreign[] = { { "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                               "http://127.0.0.1.evil.example/" },
                                             { NULL, NULL } };
    struct world w;
    struct lens_auth *a;

    (void)state;
    world_init(&w, relative);
    a = aws(&w, NULL);
    asks(&w, a, "GET http://169.254.170.2/v2/id\nAccept: application/json\n");
    answer(&w, a, 200,
           "{\"AccessKeyId\":\"K\",\"SecretAccessKey\":\"S\",\"Token\":\"T\","
           "\"Expiration\":\"2023-11-14T22:13:20Z\"}");
    assert_string_equal(w.credential, "aws\nK\nS\nT\n");
    assert_int_equal(w.expires_ns, NOW);
    lens_auth_free(a);
    world_init(&w, full);
    a = aws(&w, NULL);
    asks(&w, a,
         "GET http://169.254.170.23/v1\nAccept: application/json\n"
         "Authorization: pod-token\n");
    answer(&w, a, 500, "{\"message\":\"no\"}");
    assert_string_equal(w.fault, "the AWS container's credentials endpoint answered with "
                                 "HTTP 500: no");
    assert_int_equal(w.fault_kind, LENS_KIND_SERVER);
    lens_auth_free(a);
    world_init(&w, foreign);
    a = aws(&w, NULL);
    settle(&w, a);
    assert_non_null(strstr(w.fault, "neither https nor an address of this machine"));
    lens_auth_free(a);
}

static void
aws_instances_are_asked_with_a_token(void **state)
{
    static const struct source nothing[] = { { NULL, NULL } };
    struct world w;
    struct lens_auth *a;

    (void)state;
    world_init(&w, nothing);
    a = aws(&w, NULL);
    for (int round = 0; round < 2; round++) { /* a renewal begins anew */
        w.next[0] = '\0';
        asks(&w, a,
             "PUT http://169.254.169.254/latest/api/token\n"
             "X-aws-ec2-metadata-token-ttl-seconds: 21600\n");
        answer(&w, a, 200, "imds-token");
        asks(&w, a,
             "GET http://169.254.169.254/latest/meta-data/iam/security-credentials/\n"
             "X-aws-ec2-metadata-token: imds-token\n");
        answer(&w, a, 200, "my-role\n");
        asks(&w, a,
             "GET http://169.254.169.254/latest/meta-data/iam/security-credentials/"
             "my-role\nX-aws-ec2-metadata-token: imds-token\n");
        answer(&w, a, 200,
               "{\"Code\":\"Success\",\"AccessKeyId\":\"K\",\"SecretAccessKey\":\"S\","
               "\"Token\":\"T\",\"Expiration\":\"2023-11-14T22:13:21Z\"}");
        assert_string_equal(w.credential, "aws\nK\nS\nT\n");
        assert_int_equal(w.expires_ns, NOW + S);
    }
    lens_auth_free(a);
    world_init(&w, nothing);
    a = aws(&w, NULL);
    assert_int_equal(ask(&w, a), LENS_OK);
    answer(&w, a, 0, "cannot reach it");
    assert_non_null(strstr(w.fault, "no AWS credentials found: set AWS_ACCESS_KEY_ID"));
    assert_int_equal(w.fault_kind, LENS_KIND_AUTH);
    lens_auth_free(a);
}

/* ---- Google ---- */

static char *
make_key(EVP_PKEY **ret)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text, *escaped, *to;
    long size;

    *ret = EVP_RSA_gen(2048);
    PEM_write_bio_PKCS8PrivateKey(bio, *ret, NULL, NULL, 0, NULL, NULL);
    size = BIO_get_mem_data(bio, &text);
    to = escaped = calloc(1, 2 * (size_t)size + 1);
    for (long i = 0; i < size; i++) {
        if (text[i] == '\n')
            *to++ = '\\';
        *to++ = text[i] == '\n' ? 'n' : text[i];
    }
    BIO_free(bio);
    return escaped;
}

/* The signature under an assertion, with the public half of the key. */
static void
verify(EVP_PKEY *key, const char *jwt)
{
    const char *dot = strrchr(jwt, '.');
    unsigned char signature[512];
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    const int64_t size = lens_base64_decode(dot + 1, strlen(dot + 1), signature);

    assert_int_equal(size, 256);
    assert_int_equal(EVP_DigestVerifyInit(c, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestVerify(c, signature, (size_t)size,
                                      (const unsigned char *)jwt, (size_t)(dot - jwt)),
                     1);
    EVP_MD_CTX_free(c);
}

static void
google_service_accounts_sign_an_assertion(void **state)
{
    EVP_PKEY *key;
    char *pem = make_key(&key);
    char *json = calloc(1, strlen(pem) + 512);
    const struct source sources[] = {
        { "GOOGLE_APPLICATION_CREDENTIALS", "/account.json" },
        { "/account.json", json },
        { NULL, NULL },
    };
    const struct lens_auth_google_options o = { .struct_size = sizeof o };
    struct world w;
    struct lens_auth *a;
    char claims[1024];
    const char *jwt, *dot;
    int64_t size;

    (void)state;
    sprintf(json,
            "{\"type\":\"service_account\",\"project_id\":\"my-project\","
            "\"private_key_id\":\"kid1\",\"private_key\":\"%s\","
            "\"client_email\":\"me@x\",\"token_uri\":\"https://t.example/token\"}",
            pem);
    world_init(&w, sources);
    a = lens_auth_google_new(&w.host, &o);
    assert_int_equal(ask(&w, a), LENS_OK);
    assert_non_null(strstr(w.request.text, "POST https://t.example/token\n"));
    jwt = strstr(w.request.text, "&assertion=");
    assert_non_null(jwt);
    jwt += strlen("&assertion=");
    verify(key, jwt);
    dot = strchr(jwt, '.');
    size = lens_base64_decode(jwt, (size_t)(dot - jwt), claims);
    claims[size] = '\0';
    assert_string_equal(claims, "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"kid1\"}");
    size = lens_base64_decode(dot + 1, strcspn(dot + 1, "."), claims);
    claims[size] = '\0';
    assert_string_equal(claims,
                        "{\"iss\":\"me@x\",\"scope\":\"https://www.googleapis.com/auth/"
                        "cloud-platform\",\"aud\":\"https://t.example/token\","
                        "\"iat\":1700000000,\"exp\":1700003600}");
    answer(&w, a, 500, "{\"error\":\"internal_failure\"}");
    assert_string_not_equal(w.next, ""); /* once more */
    assert_int_equal(ask(&w, a), LENS_OK);
    answer(&w, a, 200, "{\"access_token\":\"ya29\",\"expires_in\":3599}");
    assert_string_equal(w.credential, "jwt\nya29\nmy-project");
    assert_int_equal(w.expires_ns, NOW + 3599 * S);
    lens_auth_free(a);
    EVP_PKEY_free(key);
    free(pem);
    free(json);
}

static void
google_falls_back_to_the_metadata_server(void **state)
{
    static const struct source user[] = {
        { "~/.config/gcloud/application_default_credentials.json",
          "{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":\"s&\","
          "\"refresh_token\":\"r\",\"quota_project_id\":\"q\"}" },
        { NULL, NULL },
    };
    static const struct source machine[] = { { "GCE_METADATA_HOST", "127.0.0.1:99" },
                                             { NULL, NULL } };
    static const struct source other[] = {
        { "GOOGLE_APPLICATION_CREDENTIALS", "/a" },
        { "/a", "{\"type\":\"external_account\"}" },
        { NULL, NULL },
    };
    const struct lens_auth_google_options o = { .struct_size = sizeof o };
    struct world w;
    struct lens_auth *a;

    (void)state;
    world_init(&w, user);
    a = lens_auth_google_new(&w.host, &o);
    asks(&w, a,
         "POST https://oauth2.googleapis.com/token\n"
         "Content-Type: application/x-www-form-urlencoded\nAccept: application/json\n\n"
         "grant_type=refresh_token&client_id=i&client_secret=s%26&refresh_token=r");
    answer(&w, a, 400, "{\"error\":\"invalid_grant\",\"error_description\":\"revoked\"}");
    assert_string_equal(w.fault, "Google's token server answered with HTTP 400: revoked");
    lens_auth_free(a);
    world_init(&w, machine);
    a = lens_auth_google_new(&w.host, &o);
    asks(&w, a,
         "GET http://127.0.0.1:99/computeMetadata/v1/instance/service-accounts/default/"
         "token?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform\n"
         "Metadata-Flavor: Google\n");
    answer(&w, a, 200, "{\"access_token\":\"m\",\"expires_in\":60}");
    assert_string_equal(w.credential, "jwt\nm\n");
    lens_auth_free(a);
    world_init(&w, other);
    a = lens_auth_google_new(&w.host, &o);
    settle(&w, a);
    assert_non_null(strstr(w.fault, "credentials of the type external_account"));
    lens_auth_free(a);
}

/* ---- Entra, and tokens of others ---- */

static void
entra_takes_a_secret_or_an_assertion(void **state)
{
    static const struct source secret[] = { { "AZURE_TENANT_ID", "t" },
                                            { "AZURE_CLIENT_ID", "c" },
                                            { "AZURE_CLIENT_SECRET", "s s" },
                                            { NULL, NULL } };
    static const struct source assertion[] = { { "AZURE_TENANT_ID", "t" },
                                               { "AZURE_CLIENT_ID", "c" },
                                               { "AZURE_AUTHORITY_HOST",
                                                 "https://l.us/" },
                                               { "AZURE_FEDERATED_TOKEN_FILE", "/f" },
                                               { "/f", "jwt\n" },
                                               { NULL, NULL } };
    static const struct source none[] = { { "AZURE_CLIENT_ID", "c" }, { NULL, NULL } };
    const struct lens_auth_oauth_options o = { .struct_size = sizeof o };
    struct world w;
    struct lens_auth *a;

    (void)state;
    world_init(&w, secret);
    a = lens_auth_oauth_new(&w.host, &o);
    assert_int_equal(ask(&w, a), LENS_OK);
    assert_non_null(strstr(w.request.text,
                           "POST https://login.microsoftonline.com/t/oauth2/v2.0/"
                           "token\n"));
    assert_non_null(strstr(
        w.request.text, "grant_type=client_credentials&client_id=c&scope=https%3A%2F%"
                        "2Fcognitiveservices.azure.com%2F.default&client_secret=s%20s"));
    answer(&w, a, 200,
           "{\"token_type\":\"Bearer\",\"expires_in\":3599,"
           "\"access_token\":\"e\"}");
    assert_string_equal(w.credential, "jwt\ne\n");
    lens_auth_free(a);
    world_init(&w, assertion);
    a = lens_auth_oauth_new(&w.host, &o);
    assert_int_equal(ask(&w, a), LENS_OK);
    assert_non_null(strstr(w.request.text, "POST https://l.us/t/oauth2/v2.0/token\n"));
    assert_non_null(strstr(w.request.text, "&client_assertion=jwt"));
    lens_auth_free(a);
    world_init(&w, none);
    a = lens_auth_oauth_new(&w.host, &o);
    settle(&w, a);
    assert_string_equal(w.fault, "no Entra tenant is set: set AZURE_TENANT_ID");
    lens_auth_free(a);
}

static void
printed_tokens_are_understood(void **state)
{
    static const struct {
        const char *printed, *token;
        int64_t expires_ns;
    } cases[] = {
        { " plain \n", "jwt\nplain\n", 0 },
        { "{\"accessToken\":\"a\",\"expires_on\":1700000100}", "jwt\na\n",
          NOW + 100 * S },
        { "{\"access_token\":\"b\",\"token_expiry\":\"2023-11-14T22:13:22Z\"}",
          "jwt\nb\n", NOW + 2 * S },
        /* {"exp":1700000001} */
        { "eyJhIjoxfQ.eyJleHAiOjE3MDAwMDAwMDF9.sig",
          "jwt\neyJhIjoxfQ.eyJleHAiOjE3MDAwMDAwMDF9.sig\n", NOW + S },
        { "", "", 0 },
        { "two\nlines", "", 0 },
        { "{\"error\":1}", "", 0 },
    };
    const struct lens_auth_token_options o = { .struct_size = sizeof o,
                                               .command = "print it" };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct source sources[] = { { "print it", cases[i].printed },
                                          { NULL, NULL } };
        struct world w;
        struct lens_auth *a;

        world_init(&w, sources);
        a = lens_auth_token_new(&w.host, &o);
        settle(&w, a);
        assert_string_equal(w.credential, cases[i].token);
        assert_int_equal(w.expires_ns, cases[i].expires_ns);
        assert_int_equal(w.fault[0] != '\0', cases[i].token[0] == '\0');
        lens_auth_free(a);
    }
}

static void
credentials_are_read_back(void **state)
{
    struct lens_auth_aws keys;
    struct lens_bytes token, project;
    const char *text = "aws\nK\nS\n\nr";

    (void)state;
    assert_true(lens_auth_aws_read((struct lens_bytes){ text, strlen(text) }, &keys));
    assert_memory_equal(keys.region.data, "r", 1);
    assert_int_equal(keys.session_token.size, 0);
    assert_false(
        lens_auth_bearer_read((struct lens_bytes){ text, strlen(text) }, &token, NULL));
    assert_true(
        lens_auth_bearer_read((struct lens_bytes){ "jwt\nT\nP", 7 }, &token, &project));
    assert_memory_equal(token.data, "T", 1);
    assert_memory_equal(project.data, "P", 1);
    assert_false(
        lens_auth_bearer_read((struct lens_bytes){ "jwt\n\nP", 6 }, &token, NULL));
    assert_false(lens_auth_aws_read((struct lens_bytes){ NULL, 0 }, &keys));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aws_keys_come_from_the_environment_unless_a_profile_is_named),
        cmocka_unit_test(aws_profiles_that_cannot_work_say_why),
        cmocka_unit_test(aws_containers_are_asked),
        cmocka_unit_test(aws_instances_are_asked_with_a_token),
        cmocka_unit_test(google_service_accounts_sign_an_assertion),
        cmocka_unit_test(google_falls_back_to_the_metadata_server),
        cmocka_unit_test(entra_takes_a_secret_or_an_assertion),
        cmocka_unit_test(printed_tokens_are_understood),
        cmocka_unit_test(credentials_are_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
