#include "flight.h"

#include <math.h>
#include <string.h>

#include "chrono.h"
#include "flight-sink.h"
#include "secret.h"

enum { ERROR_BODY_LIMIT = 64 * 1024, DETAIL_LIMIT = 500 };

static const struct lens_provider *
provider_of(const flight *f)
{
    return &f->context->provider->plugin->ops.provider;
}

int64_t
flight_run_time(const flight *f, int64_t monotonic_ns)
{
    return monotonic_ns < 0 ? NEVER : monotonic_ns - f->context->run_start_ns;
}

/* Most flights never need their texts: made when first written to. */
void
flight_append(GString **text, const char *data, size_t size, size_t limit)
{
    if (*text == NULL)
        *text = g_string_new(NULL);
    g_string_append_len(*text, data, (gssize)MIN(size, limit - (*text)->len));
}

static void
empty_text(GString *text)
{
    if (text != NULL)
        g_string_truncate(text, 0);
}

static void
free_text(GString *text)
{
    if (text != NULL)
        g_string_free(text, TRUE);
}

flight *
flight_new(const flight_context *context)
{
    flight *f = g_new0(flight, 1);

    f->context = context;
    f->extra = g_string_new(NULL);
    flight_sink_init(&f->sink, context->record_text || !context->stream);
    return f;
}

void
flight_free(flight *f)
{
    if (f == NULL)
        return;
    if (f->decoder != NULL)
        provider_of(f)->stream_close(f->decoder);
    sample_free(f->sample);
    free_text(f->error_body);
    g_string_free(f->extra, TRUE);
    free_text(f->text);
    free_text(f->reasoning);
    free_text(f->next);
    free_text(f->after);
    g_free(f->marks);
    g_free(f);
}

void
flight_begin(flight *f, sample *s)
{
    f->sample = s;
    f->now = &s->attempts[0];
    f->renewed = false;
    empty_text(f->text);
    empty_text(f->reasoning);
}

static void
forget_try(flight *f)
{
    f->mark_count = 0;
    f->terminal = f->output = f->failed = f->content = false;
    f->last_output_ns = f->terminal_ns = -1;
    f->decoder_fresh = f->next_wanted = f->after_wanted = false;
    f->follows = 0;
    empty_text(f->error_body);
    g_string_truncate(f->extra, 0);
}

void
flight_try(flight *f, exchange *x, bool first)
{
    f->now = first ? &f->sample->attempts[0] : sample_add_attempt(f->sample);
    f->exchange = x;
    f->now->streamed = f->context->stream;
    forget_try(f);
}

/* ---- failures ---- */

void
flight_fail(flight *f, uint32_t error_class, uint32_t kind, uint32_t where,
            const char *words, gssize size)
{
    attempt *a = f->now;
    g_autofree char *clean = NULL;

    if (f->failed)
        return; /* the first one counts */
    f->failed = true;
    a->error_class = error_class;
    a->error_kind = kind;
    a->error_where = where;
    if (words != NULL) {
        if (size < 0 || size > DETAIL_LIMIT)
            size = (gssize)strnlen(words, DETAIL_LIMIT);
        clean = secret_redact(words, size);
        a->error_detail = g_steal_pointer(&clean);
    }
}

static bool
is_retryable(uint32_t kind)
{
    switch (kind) {
    case LENS_KIND_DNS:
    case LENS_KIND_CONNECT:
    case LENS_KIND_NETWORK:
    case LENS_KIND_TIMEOUT:
    case LENS_KIND_TRUNCATED:
        return true;
    default:
        return false;
    }
}

static void
fail_client_side(flight *f, uint32_t kind, uint32_t where, const char *detail)
{
    const uint32_t error_class =
        kind == LENS_KIND_TRUNCATED ? LENS_CLASS_TRUNCATED
        : kind == LENS_KIND_PROTOCOL || kind == LENS_KIND_TOO_LARGE
            ? LENS_CLASS_PROTOCOL_ERROR
            : LENS_CLASS_TRANSPORT;

    if (f->failed)
        return;
    flight_fail(f, error_class, kind, where, detail, -1);
    f->now->retryable = is_retryable(kind);
}

/* An operation of the provider said no. */
static void
fail_decoding(flight *f, lens_status status)
{
    g_autofree char *words = instance_failure(f->context->provider);

    if (status == LENS_E_TOO_LARGE)
        fail_client_side(f, LENS_KIND_TOO_LARGE, WHERE_CLIENT,
                         "a message of the stream is over the limits of memory");
    else
        fail_client_side(f, LENS_KIND_PROTOCOL, WHERE_STREAM, words);
}

/* ---- the answer ---- */

static bool
is_fine(int32_t status)
{
    return status >= 200 && status < 300;
}

static bool
open_decoder(flight *f)
{
    const struct lens_provider *p = provider_of(f);
    const int32_t streamed = f->context->stream;
    lens_status status = LENS_OK;

    f->decoder_fresh = true;
    if (f->decoder != NULL && p->stream_reset != NULL)
        status = p->stream_reset(f->decoder, streamed);
    else {
        if (f->decoder != NULL)
            p->stream_close(f->decoder);
        f->decoder = NULL;
        status = p->stream_open(f->context->provider->self, streamed, &f->decoder);
    }
    if (status < 0)
        fail_decoding(f, status);
    return status >= 0;
}

bool
flight_head(exchange *x)
{
    flight *f = x->user;
    const struct lens_provider *p = provider_of(f);
    struct lens_head head = {
        .struct_size = sizeof head,
        .status = x->status,
        .content_type = { x->content_type, strlen(x->content_type) },
        .headers = (const struct lens_pair *)(void *)x->headers->data,
        .header_count = x->headers->len,
        .header_size = sizeof(struct lens_pair),
        .unix_ns = 0,
    };
    lens_status status = LENS_OK;

    f->now->http_status = x->status;
    if (!is_fine(x->status))
        return true;
    if (f->follows == 0 && !open_decoder(f))
        return false;
    f->at_ns = x->last_byte_ns;
    f->clock = x->first_byte_clock;
    if (p->head != NULL)
        status = p->head(f->decoder, &head, &f->sink);
    if (status < 0)
        fail_decoding(f, status);
    return status >= 0;
}

bool
flight_body(exchange *x, const char *data, size_t size, int64_t at_ns, uint32_t clock)
{
    flight *f = x->user;
    lens_status status;

    if (!is_fine(x->status)) {
        flight_append(&f->error_body, data, size, ERROR_BODY_LIMIT);
        return true;
    }
    f->at_ns = at_ns;
    f->clock = clock;
    status = provider_of(f)->decode(f->decoder, data, size, &f->sink);
    if (status < 0 && !f->terminal)
        fail_decoding(f, status);
    return status >= 0 || f->terminal;
}

/* ---- the end ---- */

/* The try's connection and departure are those of its first exchange. */
static void
take_further(flight *f)
{
    const exchange *x = f->exchange;
    attempt *a = f->now;

    a->end_ns = flight_run_time(f, x->end_ns);
    a->bytes_sent += x->bytes_sent;
    a->bytes_received += x->bytes_received;
    if (x->status != 0)
        a->http_status = x->status;
}

static void
take_exchange(flight *f)
{
    const exchange *x = f->exchange;
    attempt *a = f->now;

    if (f->follows > 0) {
        take_further(f);
        return;
    }
    a->start_ns = flight_run_time(f, x->start_ns);
    a->dns_ns = flight_run_time(f, x->dns_ns);
    a->connect_ns = flight_run_time(f, x->connect_ns);
    a->tls_ns = flight_run_time(f, x->tls_ns);
    a->departure_first_ns = flight_run_time(f, x->departure_first_ns);
    a->departure_ns = flight_run_time(f, x->departure_ns);
    a->departure_clock = x->departure_clock;
    a->first_byte_ns = flight_run_time(f, x->first_byte_ns);
    a->end_ns = flight_run_time(f, x->end_ns);
    a->rtt_ns = x->rtt_ns;
    a->bytes_sent = x->bytes_sent;
    a->bytes_received = x->bytes_received;
    a->reused = x->reused;
    a->http_version = x->http_version;
    a->http_status = x->status;
}

static void
finish_extra(flight *f)
{
    if (f->extra->len == 0)
        return;
    g_string_append_c(f->extra, '}');
    g_free(f->now->extra_json);
    f->now->extra_json = g_strdup(f->extra->str);
    g_string_truncate(f->extra, 0);
}

static void
classify(flight *f)
{
    const exchange *x = f->exchange;
    const struct lens_answer answer = {
        .struct_size = sizeof answer,
        .status = x->status,
        .headers = (const struct lens_pair *)(void *)x->headers->data,
        .header_count = x->headers->len,
        .header_size = sizeof(struct lens_pair),
        .body = { f->error_body != NULL ? f->error_body->str : "",
                  f->error_body != NULL ? f->error_body->len : 0 },
        .unix_ns = chrono_wall(),
    };
    g_autofree char *words = NULL;

    if (x->status < 400) {
        const struct lens_pair *location = exchange_header(x, "location");

        words = g_strdup_printf(
            "HTTP %d to %.*s; followed only with --follow-redirects, within the origin",
            x->status, location ? (int)location->value.size : 7,
            location ? location->value.data : "nowhere");
        flight_fail(f, LENS_CLASS_HTTP_ERROR, LENS_KIND_REDIRECT, WHERE_HTTP, words, -1);
        return;
    }
    if (provider_of(f)->classify != NULL)
        provider_of(f)->classify(f->context->provider->self, &answer, &f->sink);
    words = g_strdup_printf("HTTP %d", x->status);
    flight_fail(f, LENS_CLASS_HTTP_ERROR,
                x->status >= 500 ? LENS_KIND_SERVER : LENS_KIND_INVALID_REQUEST,
                WHERE_HTTP, words, -1);
    f->now->error_class = LENS_CLASS_HTTP_ERROR;
    f->now->error_where = WHERE_HTTP;
}

/* A whole answer has no first token: unknown, not the total time. */
static void
close_whole_answer(flight *f)
{
    attempt *a = f->now;

    a->streamed = false;
    a->first_output_ns = a->first_text_ns = NEVER;
    a->second_output_ns = a->last_output_ns = NEVER;
    a->kernel_stamps = a->user_stamps = a->interval_stamps = 0;
    a->output_messages = f->content || a->usage[LENS_USAGE_OUTPUT] > 0;
    a->shared_messages = 0;
    a->terminal_ns = flight_run_time(f, f->exchange->last_byte_ns);
}

static void
close_answer(flight *f, const struct exchange_end *end)
{
    attempt *a = f->now;

    if (end->kind == LENS_KIND_NONE && f->decoder_fresh) {
        lens_status status;

        f->at_ns = f->exchange->last_byte_ns;
        status = provider_of(f)->finish(f->decoder, &f->sink);
        if (status < 0 && !f->terminal)
            fail_decoding(f, status);
    }
    flight_take_marks(f);
    if (end->kind != LENS_KIND_NONE) {
        if (f->terminal)
            a->warnings |= 1u << LENS_WARN_NO_END;
        else
            fail_client_side(f, end->kind, end->where, end->detail);
    }
    if (!a->streamed || (a->warnings & (1u << LENS_WARN_NOT_STREAMED)) != 0)
        close_whole_answer(f);
    else if (a->terminal_ns < 0 && !f->failed)
        a->terminal_ns = flight_run_time(f, f->exchange->last_byte_ns);
    if (f->failed && !f->terminal && a->usage[LENS_USAGE_OUTPUT] >= 0)
        a->usage_partial = true;
}

static char *
text_of(const GString *text)
{
    return text != NULL && text->len > 0 ? secret_redact(text->str, (gssize)text->len)
                                         : NULL;
}

static void
settle_texts(flight *f)
{
    sample *s = f->sample;

    finish_extra(f);
    if (!f->context->record_text)
        return;
    g_free(s->text);
    g_free(s->reasoning);
    s->text = text_of(f->text);
    s->reasoning = text_of(f->reasoning);
}

void
flight_end(flight *f, const struct exchange_end *end)
{
    take_exchange(f);
    if (is_fine(f->exchange->status))
        close_answer(f, end);
    else if (f->exchange->status >= 300 && end->kind != LENS_KIND_TIMEOUT)
        classify(f);
    else
        fail_client_side(f, end->kind != LENS_KIND_NONE ? end->kind : LENS_KIND_PROTOCOL,
                         end->where, end->detail);
    settle_texts(f);
}

void
flight_stop(flight *f, uint32_t kind, uint32_t where, const char *detail)
{
    const struct exchange_end end = {
        .kind = kind, .where = where, .detail = detail, .closed_early = true
    };

    flight_take_marks(f);
    take_exchange(f);
    if (is_fine(f->exchange->status))
        close_answer(f, &end);
    else
        fail_client_side(f, kind, where, detail);
    settle_texts(f);
}

bool
flight_may_follow(const flight *f, const struct exchange_end *end)
{
    return f->next_wanted && !f->failed && !f->terminal && end->kind == LENS_KIND_NONE &&
           is_fine(f->exchange->status);
}

void
flight_follow(flight *f, exchange *next)
{
    flight_take_marks(f);
    if (f->follows == 0)
        f->first_start_ns = f->exchange->start_ns;
    take_exchange(f);
    f->follows++;
    f->next_wanted = false;
    f->exchange = next;
    empty_text(f->error_body);
}

/* The server closed a kept connection just when the request went out on it: a try of its
 * own. */
void
flight_resend(exchange *x)
{
    flight *f = x->user;
    attempt *lost = f->now;

    if (f->follows > 0)
        return; /* the request itself left long ago */
    take_exchange(f);
    lost->end_ns = flight_run_time(f, chrono_now());
    lost->reused = true;
    flight_fail(f, LENS_CLASS_TRANSPORT, LENS_KIND_NETWORK, WHERE_HTTP,
                "the re-used connection was closed before an answer; sent again", -1);
    lost->retryable = true;
    f->now = sample_add_attempt(f->sample);
    f->now->streamed = f->context->stream;
    f->now->resends = 1;
    forget_try(f);
    x->start_ns = chrono_now();
    x->departure_first_ns = x->departure_ns = x->first_byte_ns = -1;
}

sample *
flight_take(flight *f)
{
    return g_steal_pointer(&f->sample);
}
