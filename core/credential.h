/* credential: what the AUTH calls of a target's provider get, kept fresh by a thread of
 * its own. Workers read it without a lock. docs/guide.md says what the user sees. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "plan.h"
#include "registry.h"
#include "side-call.h"

typedef struct credential credential;

/* One that was fetched; lives as long as the credential, so that workers may keep it. */
typedef struct credential_value {
    struct lens_bytes bytes;
    int64_t expires_ns; /* Unix time; 0: never */
} credential_value;

/* What becomes of a request that was refused with a value. */
enum credential_news {
    CREDENTIAL_COMING, /* ask again soon */
    CREDENTIAL_FRESH,  /* there is a newer one */
    CREDENTIAL_FINAL   /* there will be none */
};

/* Fetches the first one; blocking. True with NULL when the provider needs none. Failures
 * are errors of the target: LENS_ERROR_USAGE where something of the user's is missing or
 * refused, LENS_ERROR_REACH where a server is. */
bool credential_fetch(const plan_target *t, registry *plugins, uint64_t seed,
                      credential **ret, GError **error);
void credential_free(credential *c);
/* side_call_open, with the credential that the provider needs. */
side_call *credential_open_call(const plan_target *t, registry *plugins, uint64_t seed,
                                GError **error);
/* Begins to renew it in time; not before. */
bool credential_watch(credential *c, GError **error);
/* The newest; `c` NULL: NULL. Any thread. */
const credential_value *credential_get(credential *c);
/* A server refused `value`: it is fetched anew, once for each value, unless it is that
 * new one which was refused. Any thread. */
enum credential_news credential_refused(credential *c, const credential_value *value);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(credential, credential_free)
