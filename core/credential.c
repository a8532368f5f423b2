#include "credential.h"

#include <stdatomic.h>
#include <string.h>

#include "chrono.h"
#include "error.h"
#include "host-source.h"
#include "secret.h"
#include "side-call.h"

/* A chain of more calls goes round in circles. */
enum { STEPS_MAX = 16, SECRET_PIECE = 8 };
static const int64_t EARLY_NS = 300 * NS_PER_S;
static const int64_t SHORTEST_NS = NS_PER_S;
static const int64_t RETRY_FIRST_NS = 5 * NS_PER_S;
static const int64_t RETRY_MOST_NS = 60 * NS_PER_S;

struct credential {
    side_call *call; /* entered by the fetching thread alone */
    char *target;
    _Atomic(const credential_value *) now;
    GPtrArray *values; /* all there ever were */

    GThread *thread;
    GMutex lock;
    GCond wake;
    bool closing, wanted;             /* under the lock */
    const credential_value *refused;  /* under the lock: the newest that was */
    const credential_value *replaced; /* under the lock: fetched because of a refusal */
    int64_t due_ns;                   /* monotonic; INT64_MAX: never */
    int64_t pause_ns;                 /* before a failed renewal is tried again */
};

/* ---- one fetch ---- */

/* Each line is a value of its own: keys, tokens. */
static void
keep_secret(const GString *text)
{
    g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);

    for (char **line = lines; *line != NULL; line++) {
        if (strlen(*line) >= SECRET_PIECE)
            secret_register(*line);
        explicit_bzero(*line, strlen(*line));
    }
}

static bool
fail(const credential *c, const struct side_answer *a, GError **error)
{
    const bool users = a->fault_kind == LENS_KIND_AUTH ||
                       a->fault_kind == LENS_KIND_PERMISSION ||
                       a->fault_kind == LENS_KIND_INVALID_REQUEST;

    g_set_error(error, LENS_ERROR, users ? LENS_ERROR_USAGE : LENS_ERROR_REACH,
                "target %s: no credential: %s", c->target,
                a->fault == NULL ? "the provider gave no reason" : a->fault);
    return false;
}

/* A call of the chain. True with `ret_next` for one more; NULL: over. */
static bool
step(credential *c, const char *with, struct side_answer *ret, char **ret_next,
     GError **error)
{
    const enum side_result result =
        side_call_make(c->call, LENS_CALL_AUTH, with, ret, error);

    *ret_next = NULL;
    if (result == SIDE_FAILED)
        return false;
    if (result == SIDE_UNSUPPORTED)
        return true;
    if (ret->failed)
        return fail(c, ret, error);
    *ret_next = g_steal_pointer(&ret->next);
    if (*ret_next == NULL && ret->credential == NULL)
        return fail(c, ret, error);
    return true;
}

static bool
walk(credential *c, struct side_answer *ret, GError **error)
{
    g_autofree char *with = g_strdup("");

    for (unsigned i = 0; i < STEPS_MAX; i++) {
        char *next;

        if (!step(c, with, ret, &next, error)) {
            side_answer_clear(ret);
            return false;
        }
        if (next == NULL)
            return true;
        side_answer_clear(ret);
        g_free(with);
        with = next;
    }
    g_set_error(error, LENS_ERROR, LENS_ERROR_REACH,
                "target %s: no credential: the provider asked for more than %d calls",
                c->target, STEPS_MAX);
    return false;
}

static void
plan_renewal(credential *c, int64_t expires_ns)
{
    const int64_t left_ns = expires_ns - chrono_wall();
    int64_t in_ns;

    c->pause_ns = RETRY_FIRST_NS;
    if (expires_ns == 0) {
        c->due_ns = INT64_MAX;
        return;
    }
    /* What lives for less than that is renewed at half its life. */
    in_ns = MAX(left_ns - EARLY_NS, left_ns / 2);
    c->due_ns = chrono_now() + MAX(in_ns, SHORTEST_NS);
}

/* `ret_none`: the provider needs none. */
static bool
fetch(credential *c, bool *ret_none, GError **error)
{
    struct side_answer answer;
    credential_value *value;

    if (!walk(c, &answer, error))
        return false;
    *ret_none = answer.credential == NULL;
    if (*ret_none) {
        side_answer_clear(&answer);
        return true;
    }
    keep_secret(answer.credential);
    value = g_new0(credential_value, 1);
    value->bytes.size = answer.credential->len;
    value->bytes.data = g_memdup2(answer.credential->str, answer.credential->len + 1);
    value->expires_ns = answer.expires_ns;
    side_answer_clear(&answer);
    g_ptr_array_add(c->values, value);
    plan_renewal(c, value->expires_ns);
    atomic_store(&c->now, value);
    return true;
}

/* ---- life ---- */

static void
free_value(void *data)
{
    credential_value *value = data;

    explicit_bzero((char *)value->bytes.data, value->bytes.size);
    g_free((char *)value->bytes.data);
    g_free(value);
}

bool
credential_fetch(const plan_target *t, registry *plugins, uint64_t seed, credential **ret,
                 GError **error)
{
    g_autoptr(credential) c = NULL;
    side_call *call = side_call_open(t, plugins, seed, error);
    bool none;

    if (call == NULL)
        return false;
    host_allow_sources(side_call_instance(call));
    c = g_new0(credential, 1);
    c->call = call;
    c->target = g_strdup(t->name);
    c->values = g_ptr_array_new_with_free_func(free_value);
    g_mutex_init(&c->lock);
    g_cond_init(&c->wake);
    if (!fetch(c, &none, error))
        return false;
    *ret = none ? NULL : g_steal_pointer(&c);
    return true;
}

side_call *
credential_open_call(const plan_target *t, registry *plugins, uint64_t seed,
                     GError **error)
{
    g_autoptr(side_call) call = side_call_open(t, plugins, seed, error);
    g_autoptr(credential) c = NULL;

    if (call == NULL || !credential_fetch(t, plugins, seed, &c, error))
        return NULL;
    if (c != NULL)
        side_call_set_credential(call, credential_get(c)->bytes);
    return g_steal_pointer(&call);
}

void
credential_free(credential *c)
{
    if (c == NULL)
        return;
    if (c->thread != NULL) {
        g_mutex_lock(&c->lock);
        c->closing = true;
        g_cond_signal(&c->wake);
        g_mutex_unlock(&c->lock);
        g_thread_join(c->thread);
    }
    side_call_close(c->call);
    g_ptr_array_unref(c->values);
    g_mutex_clear(&c->lock);
    g_cond_clear(&c->wake);
    g_free(c->target);
    g_free(c);
}

/* ---- renewal ---- */

/* Sleeps until something is to be done. False: the end. Under the lock. */
static bool
wait_for_work(credential *c)
{
    while (!c->closing && !c->wanted) {
        const int64_t now_ns = chrono_now();

        if (c->due_ns <= now_ns)
            return true;
        if (c->due_ns == INT64_MAX)
            g_cond_wait(&c->wake, &c->lock);
        else
            g_cond_wait_until(&c->wake, &c->lock, c->due_ns / 1000 + 1);
    }
    return !c->closing;
}

static void
renew(credential *c)
{
    g_autoptr(GError) error = NULL;
    bool none = false;

    if (fetch(c, &none, &error) && !none) {
        g_info("target %s: the credential was renewed", c->target);
        return;
    }
    g_warning("%s; the old credential stays in use",
              error == NULL ? "the provider gave no new credential" : error->message);
    c->due_ns = chrono_now() + c->pause_ns;
    c->pause_ns = MIN(2 * c->pause_ns, RETRY_MOST_NS);
}

static void *
work(void *data)
{
    credential *c = data;

    g_mutex_lock(&c->lock);
    while (wait_for_work(c)) {
        const bool refused = c->wanted;
        const credential_value *before = atomic_load(&c->now);

        g_mutex_unlock(&c->lock);
        renew(c);
        g_mutex_lock(&c->lock);
        c->wanted = false;
        if (refused && atomic_load(&c->now) != before)
            c->replaced = atomic_load(&c->now);
    }
    g_mutex_unlock(&c->lock);
    return NULL;
}

bool
credential_watch(credential *c, GError **error)
{
    c->thread = g_thread_try_new("credential", work, c, error);
    return c->thread != NULL;
}

const credential_value *
credential_get(credential *c)
{
    return c == NULL ? NULL : atomic_load(&c->now);
}

enum credential_news
credential_refused(credential *c, const credential_value *value)
{
    enum credential_news news = CREDENTIAL_COMING;

    g_mutex_lock(&c->lock);
    if (atomic_load(&c->now) != value) {
        news = CREDENTIAL_FRESH;
    } else if (c->replaced == value || c->thread == NULL) {
        news = CREDENTIAL_FINAL;
    } else if (c->refused != value) {
        c->refused = value;
        c->wanted = true;
        g_cond_signal(&c->wake);
    } else if (!c->wanted) {
        news = CREDENTIAL_FINAL; /* it was tried */
    }
    g_mutex_unlock(&c->lock);
    return news;
}
