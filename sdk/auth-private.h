/* What the sources of auth.h share. */
#pragma once

#include "auth.h"
#include "json.h"

/* One way to a credential. `describe` says the next request (LENS_OK), or LENS_DONE when
 * `decode` needs no answer. */
struct lens_auth_chain {
    lens_status (*describe)(struct lens_auth *, const struct lens_call *,
                            struct lens_request *);
    lens_status (*decode)(struct lens_auth *, const struct lens_answer *,
                          struct lens_sink *);
};

struct lens_auth {
    const struct lens_auth_chain *chain;
    const struct lens_host *host;
    int step;               /* the chain's own */
    int tries;              /* of the step's request */
    uint32_t fault_kind;    /* LENS_KIND_* of the fault */
    struct lens_text fault; /* why there will be no credential; empty: not known yet */
    struct lens_text ready; /* JSON, or a token, that needs no request */
    struct lens_text note;  /* what a step leaves for the next: a role, a token */
    struct lens_text region;
    union {
        struct lens_auth_aws_options aws;
        struct lens_auth_google_options google;
        struct lens_auth_oauth_options oauth;
        struct lens_auth_token_options token;
        struct {
            const char *resource, *client_id;
        } identity;
    } options;
};

struct lens_auth *auth_new(const struct lens_host *host,
                           const struct lens_auth_chain *chain);
/* The option, else the variable, else `otherwise`. */
const char *auth_setting(const struct lens_auth *a, const char *option,
                         const char *variable, const char *otherwise);
/* Notes why there is no credential; the pieces up to NULL are joined. Returns LENS_DONE,
 * for describe: decode tells it then. */
lens_status auth_give_up(struct lens_auth *a, ...) __attribute__((sentinel));
/* Tells the fault that was noted. */
lens_status auth_tell_fault(struct lens_auth *a, struct lens_sink *sink);
/* Gives up with what a failed answer of `who` says: OAuth's error_description, a message,
 * the status; or the host's words when there was no answer. */
lens_status auth_refused(struct lens_auth *a, const char *who,
                         const struct lens_answer *answer, struct lens_sink *sink);
/* One more request of this chain. */
lens_status auth_continue(struct lens_sink *sink, const char *args);
/* A string of a JSON text, unescaped, into an empty text; 0: not there, or empty. */
int auth_json_string(struct lens_bytes json, const char *name, struct lens_text *ret);
/* A number, also one in a string. 0: not there. */
int auth_json_int(struct lens_bytes json, const char *name, int64_t *ret);
/* RFC 3339 as Unix ns; 0: not a time. A time without a zone is UTC. */
int64_t auth_time(const char *text);
/* Value of a key in a section of an INI file as AWS writes them; 0: none. */
int auth_ini_value(struct lens_bytes file, const char *section, const char *key,
                   struct lens_text *ret);
int auth_ini_has_section(struct lens_bytes file, const char *section);
/* Tells the token of an OAuth answer ({"access_token","expires_in"}). */
lens_status auth_oauth_answer(struct lens_auth *a, const char *who,
                              const struct lens_answer *answer, struct lens_bytes project,
                              struct lens_sink *sink);
/* POST of a form. */
lens_status auth_post_form(struct lens_auth *a, const char *url,
                           const struct lens_text *form, struct lens_request *request);
/* A token that was printed or read: plain or JSON. */
lens_status auth_emit_printed(struct lens_auth *a, struct lens_bytes printed,
                              struct lens_sink *sink);
/* A text without white space around it. */
struct lens_bytes auth_trim(struct lens_bytes text);

/* The steps of AWS that need requests: auth-aws-endpoint.c. Status as describe's;
 * LENS_E_UNSUPPORTED: this machine has no such endpoint. */
lens_status auth_aws_container(struct lens_auth *a, struct lens_request *request);
lens_status auth_aws_instance(struct lens_auth *a, struct lens_request *request);
/* Reads the answer of the endpoint that was asked. */
lens_status auth_aws_answered(struct lens_auth *a, const struct lens_answer *answer,
                              struct lens_sink *sink);
/* Tells keys in the JSON of a credential_process or an endpoint. */
lens_status auth_aws_keys(struct lens_auth *a, struct lens_bytes json, const char *who,
                          struct lens_sink *sink);
/* The profile's keys, or why they cannot be had: auth-aws-profile.c. LENS_OK: `ready` has
 * them; LENS_DONE: gave up; LENS_E_UNSUPPORTED: there is no such profile. */
lens_status auth_aws_profile(struct lens_auth *a, const char *name);
