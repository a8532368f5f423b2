/* The sample that a row's values make: as if the user clock had stamped it. */
#include <string.h>

#include "import.h"

static uint32_t
kind_of_status(int64_t status)
{
    switch (status) {
    case 401:
        return LENS_KIND_AUTH;
    case 402:
        return LENS_KIND_QUOTA;
    case 403:
        return LENS_KIND_PERMISSION;
    case 404:
        return LENS_KIND_NOT_FOUND;
    case 408:
    case 504:
        return LENS_KIND_TIMEOUT;
    case 413:
        return LENS_KIND_TOO_LARGE;
    case 429:
        return LENS_KIND_RATE_LIMIT;
    case 503:
    case 529:
        return LENS_KIND_OVERLOADED;
    default:
        return status >= 500 ? LENS_KIND_SERVER : LENS_KIND_INVALID_REQUEST;
    }
}

static uint32_t
kind_of_text(const char *text)
{
    static const struct {
        const char *word;
        uint32_t kind;
    } words[] = {
        { "timeout", LENS_KIND_TIMEOUT },       { "timed out", LENS_KIND_TIMEOUT },
        { "refused", LENS_KIND_CONNECT },       { "unreachable", LENS_KIND_CONNECT },
        { "reset", LENS_KIND_NETWORK },         { "disconnected", LENS_KIND_NETWORK },
        { "rate limit", LENS_KIND_RATE_LIMIT }, { "certificate", LENS_KIND_TLS },
    };
    g_autofree char *lower = g_ascii_strdown(text, -1);

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (strstr(lower, words[i].word) != NULL)
            return words[i].kind;
    return LENS_KIND_SERVER;
}

static uint32_t
where_of(uint32_t kind, int64_t status)
{
    if (status >= 300)
        return WHERE_HTTP;
    if (kind == LENS_KIND_DNS || kind == LENS_KIND_CONNECT || kind == LENS_KIND_TLS)
        return WHERE_CONNECT;
    return kind == LENS_KIND_TIMEOUT || kind == LENS_KIND_CANCELLED ? WHERE_CLIENT
                                                                    : WHERE_STREAM;
}

static void
set_failure(attempt *a, const import_values *v)
{
    const char *text = v->error != NULL ? v->error : v->error_kind;

    if (v->error_kind != NULL)
        a->error_kind = error_kind_from_name(v->error_kind);
    if (a->error_kind == LENS_KIND_NONE && v->status >= 400)
        a->error_kind = kind_of_status(v->status);
    if (a->error_kind == LENS_KIND_NONE)
        a->error_kind = text != NULL ? kind_of_text(text) : (uint32_t)LENS_KIND_SERVER;
    a->error_where = where_of(a->error_kind, v->status);
    a->error_class = v->status >= 400                 ? LENS_CLASS_HTTP_ERROR
                     : a->error_where == WHERE_STREAM ? LENS_CLASS_STREAM_ERROR
                                                      : LENS_CLASS_TRANSPORT;
    a->error_detail = g_strdup(text);
}

static void
add_message(attempt *a, int64_t at_ns)
{
    timeline_add(&a->messages_log, at_ns, LENS_MSG_TEXT, LENS_CLOCK_USER, -1, false);
    a->messages++;
    a->output_messages++;
    a->user_stamps++;
}

/* The list of gaps makes one message of each and one before them. Without it the last one
 * follows from the time per token, or is the end. */
static void
set_stream(attempt *a, const import_values *v)
{
    int64_t at = a->start_ns + v->ttft_ns;

    a->streamed = true;
    a->first_message_ns = a->first_output_ns = a->first_text_ns = at;
    if (v->itl_ns->len == 0) {
        const int64_t gaps = v->output_tokens - 1;

        /* Of all messages only the first and the last are known. */
        a->output_messages = a->messages = a->user_stamps = gaps > 0 ? 2 : 1;
        if (v->tpot_ns != NEVER && gaps > 0)
            a->last_output_ns = at + v->tpot_ns * gaps;
        else
            a->last_output_ns = v->e2e_ns >= v->ttft_ns ? a->start_ns + v->e2e_ns : at;
        return;
    }
    add_message(a, at);
    for (guint i = 0; i < v->itl_ns->len; i++) {
        at += g_array_index(v->itl_ns, int64_t, i);
        add_message(a, at);
        if (i == 0)
            a->second_output_ns = at;
    }
    a->last_output_ns = at;
}

static void
set_times(attempt *a, const import_values *v)
{
    a->departure_first_ns = a->departure_ns = a->start_ns;
    a->departure_clock = a->first_clock = LENS_CLOCK_USER;
    if (v->ttfb_ns != NEVER)
        a->first_byte_ns = a->start_ns + v->ttfb_ns;
    if (v->ttft_ns != NEVER)
        set_stream(a, v);
    else if (v->ok && v->output_tokens != 0)
        a->output_messages = a->messages = 1;
    if (v->e2e_ns != NEVER)
        a->end_ns = a->start_ns + v->e2e_ns;
    else if (a->last_output_ns != NEVER)
        a->end_ns = a->last_output_ns;
    else
        a->end_ns = a->start_ns;
    if (v->ok && (v->e2e_ns != NEVER || v->itl_ns->len > 0))
        a->terminal_ns = a->end_ns;
}

static uint32_t
phase_of(const char *phase)
{
    if (phase != NULL && g_ascii_strncasecmp(phase, "warm", 4) == 0)
        return LENS_PART_WARMUP;
    if (phase != NULL && g_ascii_strncasecmp(phase, "cool", 4) == 0)
        return LENS_PART_COOLDOWN;
    return LENS_PART_MEASURED;
}

sample *
import_sample(const import_values *v, int64_t origin_ns)
{
    sample *s = sample_new(1);
    attempt *a = &s->attempts[0];

    a->start_ns = v->start_ns != NEVER ? v->start_ns - origin_ns : 0;
    s->due_ns = v->due_ns != NEVER ? v->due_ns - origin_ns : NEVER;
    s->phase = phase_of(v->phase);
    s->outcome = v->cancelled ? LENS_OUTCOME_CANCEL
                 : v->ok      ? LENS_OUTCOME_OK
                              : LENS_OUTCOME_FAILED;
    set_times(a, v);
    if (s->outcome == LENS_OUTCOME_FAILED)
        set_failure(a, v);
    a->http_status = v->status > 0 && v->status < 1000 ? (int32_t)v->status : 0;
    a->usage[LENS_USAGE_INPUT] = v->input_tokens;
    a->usage[LENS_USAGE_OUTPUT] = v->output_tokens;
    a->usage[LENS_USAGE_CACHE_READ] = v->cached_tokens;
    a->usage[LENS_USAGE_REASONING] = v->reasoning_tokens;
    a->server_id = g_strdup(v->id);
    a->served_model = g_strdup(v->model);
    a->finish = g_strdup(v->finish);
    return s;
}
