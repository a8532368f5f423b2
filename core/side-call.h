/* side-call: what a target's provider can be asked outside of the measurement: its
 * models, its health, how many tokens a text has, and what a credential is.
 *
 * An open side_call has a plugin instance of its own. Calls block; any thread, one at a
 * time. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "host.h"
#include "plan.h"
#include "prompts.h"
#include "registry.h"

typedef struct side_call side_call;

enum side_result {
    SIDE_OK,
    SIDE_UNSUPPORTED, /* the provider has no such call */
    SIDE_FAILED       /* the error says why */
};

/* What one exchange told. */
struct side_answer {
    long status;       /* HTTP; 0: none was needed, or there was no answer */
    GPtrArray *models; /* char *, in the server's order */
    int64_t usage[LENS_USAGE_COUNT]; /* -1: not told */
    bool failed;                     /* there was a fault */
    uint32_t fault_kind;             /* LENS_KIND_* */
    char *fault;         /* the server's or the plugin's words, redacted; may be NULL */
    GString *credential; /* AUTH: NULL: not told; secret */
    int64_t expires_ns;  /* of it, Unix time; 0: never */
    char *next;          /* AUTH: args of the next call; NULL: none */
};

/* NULL with an error when the provider, its api or its options do not work. `t` and the
 * registry are borrowed. */
side_call *side_call_open(const plan_target *t, registry *plugins, uint64_t seed,
                          GError **error);
void side_call_close(side_call *s);
/* What AUTH got, for all calls that follow; copied. */
void side_call_set_credential(side_call *s, struct lens_bytes credential);
/* The model that the calls are about, when the target names none; copied. */
void side_call_set_model(side_call *s, const char *model);

/* The models that the server offers: char *, added to `models`. `ret_status`: HTTP. An
 * answer other than 2xx is SIDE_OK with nothing added. */
enum side_result side_call_models(side_call *s, GPtrArray *models, long *ret_status,
                                  GError **error);
/* The same, but another answer than a list is an error. */
enum side_result side_call_list_models(side_call *s, GPtrArray *models, GError **error);
/* A short request of the target's api, as a run sends it: it may cost money. */
enum side_result side_call_test_request(side_call *s, GError **error);
/* Asks something that costs nothing: HEALTH, else MODELS. SIDE_OK: the endpoint and the
 * key work. */
enum side_result side_call_health(side_call *s, GError **error);
/* Tokens of a prompt as the server counts them: COUNT, else TOKENIZE of its text.
 * `ret_rough`: the second, which knows nothing of the chat's template. */
enum side_result side_call_count(side_call *s, const prompt *p, int64_t *ret_tokens,
                                 bool *ret_rough, GError **error);

/* Puts the origin that a provider really asks into the targets' `url` where it is not the
 * user's own: the preflight, the printed plan and the results name it. No network. */
void side_call_settle_urls(plan *p, registry *plugins);

/* One call of any kind. SIDE_OK: there was an answer, perhaps a failed one; for AUTH also
 * when the server could not be reached. */
enum side_result side_call_make(side_call *s, uint32_t kind, const char *about,
                                struct side_answer *ret, GError **error);
/* Wipes and frees what it points to. */
void side_answer_clear(struct side_answer *a);
/* The plugin instance. */
instance *side_call_instance(side_call *s);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(side_call, side_call_close)
