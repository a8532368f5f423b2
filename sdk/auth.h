/* auth: what a provider needs to sign requests and to get tokens. A library of its own
 * (lens-sdk-auth), because it brings libcrypto along.
 *
 * Nothing here does I/O. A chain (struct lens_auth) says through the AUTH call of
 * lens/provider.h which request comes next, and reads the answer; a plugin only passes
 * both on:
 *
 *   call_describe, kind AUTH:  return lens_auth_describe(self->auth, call, request);
 *   call_decode, kind AUTH:    return lens_auth_decode(self->auth, answer, sink);
 *   describe:                  lens_auth_bearer_add(host, ask->credential, request), or
 *                              lens_auth_aws_read and lens_auth_sign_request
 *
 * A dry run has no credential: `describe` then leaves out what would be signed. */
#pragma once

#include <lens/provider.h>

#include "text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- signatures ---- */

/* SHA-256 in hex, terminated. */
void lens_auth_sha256_hex(const void *data, size_t size, char ret[65]);
/* HMAC-SHA-256. */
void lens_auth_hmac_sha256(const void *key, size_t key_size, const void *data,
                           size_t size, unsigned char ret[32]);

/* Keys of an AWS account. All borrowed; no session token, no region: empty. */
struct lens_auth_aws {
    struct lens_bytes key_id, secret, session_token;
    struct lens_bytes region; /* as the profile says it; only a default */
};

/* Flags of lens_auth_sigv4. */
enum {
    /* Adds and signs x-amz-content-sha256. */
    LENS_SIGV4_CONTENT_SHA256 = 1,
    /* The path is encoded once, as S3 wants it. */
    LENS_SIGV4_SINGLE_ENCODED = 2,
    /* The body is not hashed but called UNSIGNED-PAYLOAD. */
    LENS_SIGV4_UNSIGNED_PAYLOAD = 4
};

/* A request that is to be signed with AWS Signature Version 4. */
struct lens_auth_sigv4 {
    const char *method;
    const char *url; /* as it is sent */
    /* Headers that are sent, too. Signed are all but those that a proxy may change
     * (Connection, User-Agent, Expect, ...). Host is taken from the URL unless it is
     * here. */
    const struct lens_pair *headers;
    uint32_t header_count;
    uint32_t flags;         /* LENS_SIGV4_* */
    struct lens_bytes body; /* as it is sent */
    struct lens_auth_aws keys;
    const char *region, *service;
    int64_t unix_ns; /* wall clock; a server takes 5 minutes more or less */
};

/* The canonical request, the text whose hash is signed; for tests and error messages. */
lens_status lens_auth_sigv4_canonical(const struct lens_auth_sigv4 *what,
                                      struct lens_text *ret);
/* Tells the headers that have to be added: x-amz-date, x-amz-security-token,
 * x-amz-content-sha256, Authorization. `flags`: LENS_HEADER_SECRET for the token. Stops
 * with what `add` returns when that is not LENS_OK. LENS_E_CONFIG: not an http URL. */
lens_status lens_auth_sigv4(const struct lens_auth_sigv4 *what,
                            lens_status (*add)(void *to, const char *name,
                                               const char *value, uint32_t flags),
                            void *to);
/* The same, added to the request that is being described. */
lens_status lens_auth_sign_request(const struct lens_host *host,
                                   const struct lens_auth_sigv4 *what,
                                   struct lens_request *request);

/* A JWT with RS256 (RFC 7519, RFC 7518 3.3):
 * base64url(header).base64url(claims).signature. `header` and `claims` are JSON, `pem` is
 * a private RSA key in PKCS#8 or PKCS#1 form. LENS_E_CONFIG: not such a key, or
 * encrypted. */
lens_status lens_auth_jwt_rs256(struct lens_bytes header, struct lens_bytes claims,
                                struct lens_bytes pem, struct lens_text *ret);

/* ---- credentials ---- */

/* What a chain gets is a credential of one of two forms, one value a line (the host
 * redacts each of them):
 *   aws LF key id LF secret LF session token LF region
 *   jwt LF token LF project
 * The last lines may be empty. */

/* 1: a credential of that form was read; the values borrow from it. 0: it is another, or
 * empty. */
int lens_auth_aws_read(struct lens_bytes credential, struct lens_auth_aws *ret);
/* `ret_project`: Google's project of the account, or empty; may be NULL. */
int lens_auth_bearer_read(struct lens_bytes credential, struct lens_bytes *ret_token,
                          struct lens_bytes *ret_project);
/* Adds `Authorization: Bearer TOKEN`; nothing when there is no such credential. */
lens_status lens_auth_bearer_add(const struct lens_host *host,
                                 struct lens_bytes credential,
                                 struct lens_request *request);
/* Tell a credential, for a plugin with a chain of its own. `expires_ns`: Unix time, 0:
 * never. Values with a line break are refused with LENS_E_PROTOCOL. */
lens_status lens_auth_emit_aws(struct lens_sink *sink, const struct lens_auth_aws *keys,
                               int64_t expires_ns);
lens_status lens_auth_emit_bearer(struct lens_sink *sink, struct lens_bytes token,
                                  struct lens_bytes project, int64_t expires_ns);

/* ---- chains ---- */

struct lens_auth;

/* AWS: these options, then the environment (AWS_ACCESS_KEY_ID, ...), then the profile in
 * ~/.aws/credentials and ~/.aws/config (keys, or credential_process), then the
 * container's endpoint, then the instance's metadata (IMDSv2). A profile that is named
 * here comes before the environment. Strings are NULL when unset and must live as long as
 * the chain; those of opt_string do. */
struct lens_auth_aws_options {
    uint32_t struct_size;
    uint32_t flags;
    const char *profile;
    const char *credentials_file; /* in place of ~/.aws/credentials */
    const char *process; /* a command that prints keys like a credential_process */
};

/* Google: credentials_file, GOOGLE_APPLICATION_CREDENTIALS, gcloud's
 * application_default_credentials.json, the metadata server; files of the types
 * service_account and authorized_user. */
struct lens_auth_google_options {
    uint32_t struct_size;
    uint32_t flags;
    const char *credentials_file;
    const char *scope; /* NULL: https://www.googleapis.com/auth/cloud-platform */
};

/* OAuth 2.0 client credentials (RFC 6749, 4.4), and those of Entra. */
struct lens_auth_oauth_options {
    uint32_t struct_size;
    uint32_t flags;
    const char *token_url;     /* NULL: Entra's for `tenant` */
    const char *tenant;        /* NULL: AZURE_TENANT_ID */
    const char *client_id;     /* NULL: AZURE_CLIENT_ID, Entra only, as the next */
    const char *client_secret; /* NULL: AZURE_CLIENT_SECRET, or the assertion in the file
                                  that AZURE_FEDERATED_TOKEN_FILE names */
    const char *scope; /* NULL: https://cognitiveservices.azure.com/.default, for a
                          token_url none */
};

/* A token that a command prints or that lies in a file, which is read again before it
 * ends: plain, or JSON as `az account get-access-token` and `gcloud auth
 * print-access-token --format=json` print it. Its end is what that JSON says, or the
 * `exp` claim of a JWT. */
struct lens_auth_token_options {
    uint32_t struct_size;
    uint32_t flags;
    const char *command;
    const char *file; /* when there is no command */
};

/* NULL: out of memory. `host` is the instance's. */
struct lens_auth *lens_auth_aws_new(const struct lens_host *host,
                                    const struct lens_auth_aws_options *options);
struct lens_auth *lens_auth_google_new(const struct lens_host *host,
                                       const struct lens_auth_google_options *options);
struct lens_auth *lens_auth_oauth_new(const struct lens_host *host,
                                      const struct lens_auth_oauth_options *options);
struct lens_auth *lens_auth_token_new(const struct lens_host *host,
                                      const struct lens_auth_token_options *options);
/* Azure's managed identity: IDENTITY_ENDPOINT, or the instance's metadata. `resource`
 * NULL: https://cognitiveservices.azure.com; `client_id` NULL: the system's own identity.
 */
struct lens_auth *lens_auth_managed_identity_new(const struct lens_host *host,
                                                 const char *resource,
                                                 const char *client_id);
/* NULL is fine. */
void lens_auth_free(struct lens_auth *auth);

/* For call_describe and call_decode of LENS_CALL_AUTH; `auth` NULL: LENS_E_UNSUPPORTED.
 * An empty `call->args` begins the chain anew. Faults are told to the sink in words that
 * say what to do; no secret is in them. Their kind is LENS_KIND_AUTH where something of
 * the user's is missing or refused, else LENS_KIND_CONNECT or LENS_KIND_SERVER. */
lens_status lens_auth_describe(struct lens_auth *auth, const struct lens_call *call,
                               struct lens_request *request);
lens_status lens_auth_decode(struct lens_auth *auth, const struct lens_answer *answer,
                             struct lens_sink *sink);

#ifdef __cplusplus
}
#endif
