#include <string.h>

#include "error.h"
#include "money.h"
#include "plan-private.h"

#define PLAN(member) offsetof(plan, member)
#define TARGET(member) offsetof(plan_target, member)
#define STAGE(member) offsetof(plan_stage, member)
#define PROMPTS(member) offsetof(plan_prompts, member)

const plan_key plan_keys[] = {
    { "seed", "seed", SCALAR_UNSIGNED, STORE_SEED, 0 },
    { "threads", "threads", SCALAR_INT, STORE_UNSIGNED, PLAN(threads), "1..256" },
    { "retries", "retries", SCALAR_INT, STORE_UNSIGNED, PLAN(retries), "0..100" },
    { "retry_max_wait", "retry-max-wait", SCALAR_DURATION, STORE_INT64,
      PLAN(retry_max_wait_ns), "0s.." },
    { "abort_after", "abort-after", SCALAR_INT_OR_OFF, STORE_INT64, PLAN(abort_after),
      "1.." },
    { "interval", "interval", SCALAR_DURATION, STORE_INT64, PLAN(interval_ns),
      "100ms.." },
    { "export_wait", "export-wait", SCALAR_DURATION, STORE_INT64, PLAN(export_wait_ns),
      "0s.." },
    { "preflight", "no-preflight", SCALAR_SWITCH, STORE_BOOL, PLAN(preflight), NULL,
      true },
    { "strict", "strict", SCALAR_SWITCH, STORE_BOOL, PLAN(strict) },
    { "spin", "spin", SCALAR_SWITCH, STORE_BOOL, PLAN(spin) },
    { "record_text", "record-text", SCALAR_SWITCH, STORE_BOOL, PLAN(record_text) },
    { "deltas", "no-deltas", SCALAR_SWITCH, STORE_BOOL, PLAN(deltas), NULL, true },
    { "pricing", "pricing", SCALAR_PATH, STORE_LIST, PLAN(pricing) },
    { "max_cost", "max-cost", SCALAR_STRING, STORE_STRING, PLAN(max_cost), NULL, false,
      plan_check_amount },
    { "out", "out", SCALAR_PATH, STORE_STRING, PLAN(out) },
    { NULL },
};

const plan_key plan_target_keys[] = {
    { "api", "api", SCALAR_STRING, STORE_STRING, TARGET(api) },
    { "model", "model", SCALAR_STRING, STORE_STRING, TARGET(model) },
    { "connect_timeout", "connect-timeout", SCALAR_DURATION, STORE_INT64,
      TARGET(connect_timeout_ns), "1ms.." },
    { "first_token_timeout", "first-token-timeout", SCALAR_DURATION, STORE_INT64,
      TARGET(first_token_timeout_ns), "1ms.." },
    { "idle_timeout", "idle-timeout", SCALAR_DURATION, STORE_INT64,
      TARGET(idle_timeout_ns), "1ms.." },
    { "gap_timeout", NULL, SCALAR_DURATION, STORE_INT64, TARGET(idle_timeout_ns),
      "1ms.." },
    { "timeout", "timeout", SCALAR_DURATION, STORE_INT64, TARGET(timeout_ns), "1ms.." },
    { "http", "http", SCALAR_CHOICE, STORE_HTTP, TARGET(http), "auto|1.1|2" },
    { "multiplex", "multiplex", SCALAR_SWITCH, STORE_BOOL, TARGET(multiplex) },
    { "reuse", "no-reuse", SCALAR_SWITCH, STORE_BOOL, TARGET(reuse), NULL, true },
    { "compressed", "compressed", SCALAR_SWITCH, STORE_BOOL, TARGET(compressed) },
    { "follow_redirects", "follow-redirects", SCALAR_SWITCH, STORE_BOOL,
      TARGET(follow_redirects) },
    { "insecure", "insecure", SCALAR_SWITCH, STORE_BOOL, TARGET(insecure) },
    { "traceparent", "traceparent", SCALAR_SWITCH, STORE_BOOL, TARGET(traceparent) },
    { "cacert", "cacert", SCALAR_PATH, STORE_STRING, TARGET(cacert) },
    { "cert", "cert", SCALAR_PATH, STORE_STRING, TARGET(cert) },
    { "key", "key", SCALAR_PATH, STORE_STRING, TARGET(key) },
    { "proxy", "proxy", SCALAR_STRING, STORE_STRING, TARGET(proxy), NULL, false,
      plan_check_proxy },
    { "resolve", "resolve", SCALAR_STRING, STORE_LIST, TARGET(resolve), NULL, false,
      plan_check_resolve },
    { NULL },
};

const plan_key plan_request_keys[] = {
    { "max_tokens", "max-tokens", SCALAR_INT, STORE_INT64, TARGET(max_tokens), "1.." },
    { "min_tokens", NULL, SCALAR_INT, STORE_INT64, TARGET(min_tokens), "0.." },
    { "temperature", "temperature", SCALAR_DOUBLE, STORE_DOUBLE, TARGET(temperature),
      "0.." },
    { "top_p", "top-p", SCALAR_DOUBLE, STORE_DOUBLE, TARGET(top_p), "0..1" },
    { "top_k", NULL, SCALAR_INT, STORE_INT64, TARGET(top_k), "0.." },
    { "seed", NULL, SCALAR_INT, STORE_INT64, TARGET(seed) },
    { "n", NULL, SCALAR_INT, STORE_INT64, TARGET(n), "1..128" },
    { "stop", "stop", SCALAR_STRING, STORE_LIST, TARGET(stop) },
    { "ignore_eos", "ignore-eos", SCALAR_SWITCH, STORE_BOOL, TARGET(ignore_eos) },
    { "stream", "no-stream", SCALAR_SWITCH, STORE_BOOL, TARGET(stream), NULL, true },
    { "headers", "header", SCALAR_STRING, STORE_LIST, TARGET(headers), NULL, false,
      plan_check_header },
    { "extra", "extra", SCALAR_OBJECT, STORE_STRING, TARGET(extra) },
    { NULL },
};

const plan_key plan_limit_keys[] = {
    { "rpm", "rpm", SCALAR_DOUBLE, STORE_DOUBLE, TARGET(rpm), "0.001.." },
    { "tpm", "tpm", SCALAR_DOUBLE, STORE_DOUBLE, TARGET(tpm), "0.001.." },
    { NULL },
};

const plan_key plan_price_keys[] = {
    { "price_model", NULL, SCALAR_STRING, STORE_STRING, TARGET(price_model) },
    { "price_multiplier", NULL, SCALAR_STRING, STORE_STRING, TARGET(price_multiplier),
      NULL, false, plan_check_factor },
    { "gpu_hour_usd", NULL, SCALAR_STRING, STORE_STRING, TARGET(gpu_hour_usd), NULL,
      false, plan_check_amount },
    { "gpus", NULL, SCALAR_INT, STORE_INT64, TARGET(gpus), "1..1000000" },
    { NULL },
};

const plan_key plan_stage_keys[] = {
    { "requests", "requests", SCALAR_INT, STORE_INT64, STAGE(requests), "1.." },
    { "duration", "duration", SCALAR_DURATION, STORE_INT64, STAGE(duration_ns), "1ms.." },
    { "warmup", "warmup", SCALAR_COUNT_OR_DURATION, STORE_WARMUP, 0 },
    { "drain", "drain", SCALAR_DURATION, STORE_INT64, STAGE(drain_ns), "0s.." },
    { "max_in_flight", "max-in-flight", SCALAR_INT, STORE_INT64, STAGE(max_in_flight),
      "1.." },
    { NULL },
};

const plan_key plan_prompt_keys[] = {
    { "text", "prompt", SCALAR_STRING, STORE_STRING, PROMPTS(text) },
    { "file", "prompts", SCALAR_PATH, STORE_STRING, PROMPTS(file) },
    { "order", NULL, SCALAR_CHOICE, STORE_SEEDED, PROMPTS(seeded), "in_order|seeded" },
    { "same", "same-prompt", SCALAR_SWITCH, STORE_BOOL, PROMPTS(same) },
    { NULL },
};

bool
plan_check_amount(const char *text, GError **error)
{
    money_amount amount;

    if (money_amount_parse(text, &amount) && amount <= INT64_MAX)
        return true;
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                "expected an amount of USD, for instance 2.50");
    return false;
}

bool
plan_check_factor(const char *text, GError **error)
{
    ratio factor;

    if (ratio_parse(text, &factor))
        return true;
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                "expected a factor above 0, for instance 1.1");
    return false;
}

const plan_key *
plan_key_find(const plan_key *keys, const char *name)
{
    for (; keys->name != NULL; keys++)
        if (g_str_equal(keys->name, name))
            return keys;
    return NULL;
}

void
plan_key_names(const plan_key *keys, GPtrArray *names)
{
    for (; keys->name != NULL; keys++)
        g_ptr_array_add(names, (void *)keys->name);
}

static void
append(char ***list, const char *text)
{
    const unsigned count = *list != NULL ? g_strv_length(*list) : 0;

    *list = g_renew(char *, *list, count + 2);
    (*list)[count] = g_strdup(text);
    (*list)[count + 1] = NULL;
}

static void
set_warmup(plan_stage *s, const scalar_value *v)
{
    s->warmup_requests = s->warmup_ns = -1;
    if (v->number > 0)
        *(v->is_duration ? &s->warmup_ns : &s->warmup_requests) = v->number;
}

static void
set_string(char **where, const char *text)
{
    g_free(*where);
    *where = g_strdup(text);
}

static void
store(const plan_key *key, void *base, const char *text, const scalar_value *v)
{
    void *where = (char *)base + key->offset;

    switch (key->store) {
    case STORE_INT64:
        *(int64_t *)where = v->number;
        break;
    case STORE_UNSIGNED:
        *(unsigned *)where = (unsigned)v->number;
        break;
    case STORE_DOUBLE:
        *(double *)where = v->real;
        break;
    case STORE_BOOL:
        *(bool *)where = v->number != 0;
        break;
    case STORE_STRING:
        set_string(where, text);
        break;
    case STORE_LIST:
        append(where, text);
        break;
    case STORE_HTTP:
        *(enum http_choice *)where = (enum http_choice)v->number;
        break;
    case STORE_SEED:
        ((plan *)base)->seed = v->bits;
        ((plan *)base)->seed_given = true;
        break;
    case STORE_WARMUP:
        set_warmup(base, v);
        break;
    case STORE_SEEDED:
        *(bool *)where = v->number == 1;
        break;
    }
}

bool
plan_key_set(const plan_key *key, void *base, const char *text, GError **error)
{
    scalar_value value;

    if (!scalar_parse(key->type, key->range, text, &value, error))
        return false;
    if (key->check != NULL && !key->check(text, error))
        return false;
    store(key, base, text, &value);
    return true;
}

void
plan_key_clear(const plan_key *key, void *base)
{
    char ***list = (void *)((char *)base + key->offset);

    if (key->store != STORE_LIST)
        return;
    g_strfreev(*list);
    *list = NULL;
}
