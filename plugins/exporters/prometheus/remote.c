#include "remote.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exposition.h"
#include "native.h"

/* Not a number, in the bits that Prometheus takes for "this series ends". */
#define STALE UINT64_C(0x7ff0000000000002)

#define SPEC "remote write 1.0, "

static const struct answer_rule rules[] = {
    { 200, 299, NULL, ANSWER_OK, NULL, SPEC "2xx" },
    { 400, 400, "out of bounds", ANSWER_GIVE_UP,
      "the run is older than what the server takes: set "
      "storage.tsdb.out_of_order_time_window to more than its age and send it again",
      "Prometheus 2.42, storage.ErrOutOfBounds" },
    { 400, 400, "too old", ANSWER_GIVE_UP,
      "the run is older than what the server takes: set "
      "storage.tsdb.out_of_order_time_window to more than its age and send it again",
      "Prometheus 2.42, storage.ErrTooOldSample" },
    { 400, 400, "out of order", ANSWER_BAD_DATA,
      "the server has newer samples of these series: to send older ones, set "
      "storage.tsdb.out_of_order_time_window",
      "Prometheus 2.42, storage.ErrOutOfOrderSample" },
    { 400, 400, "duplicate sample", ANSWER_BAD_DATA,
      "the server has another value for the same series and time: are two runs sent "
      "with the same labels?",
      "Prometheus 2.42, storage.ErrDuplicateSampleForTimestamp" },
    { 400, 400, "native histogram", ANSWER_GIVE_UP,
      "start Prometheus with --enable-feature=native-histograms, or set "
      "histograms=classic",
      "Prometheus 2.42, storage.ErrNativeHistogramsDisabled" },
    { 400, 400, NULL, ANSWER_BAD_DATA, NULL, SPEC "4xx: not again" },
    { 401, 401, NULL, ANSWER_GIVE_UP,
      "check token=, or username= and password=", SPEC "4xx" },
    { 403, 403, NULL, ANSWER_GIVE_UP,
      "check token=, or username= and password=", SPEC "4xx" },
    { 404, 404, NULL, ANSWER_GIVE_UP,
      "check the path, usually /api/v1/write, and that the server takes remote writes "
      "(--web.enable-remote-write-receiver)",
      "Prometheus 2.42" },
    { 429, 429, NULL, ANSWER_LATER, NULL, SPEC "429 may be tried again" },
    { 500, 500, "native histogram", ANSWER_GIVE_UP,
      "start Prometheus with --enable-feature=native-histograms, or set "
      "histograms=classic",
      "Prometheus 2.42" },
    { 500, 599, NULL, ANSWER_LATER, NULL, SPEC "5xx" },
};

/* ---- options ---- */

static lens_status
refuse(const struct lens_host *host, const char *label, const char *why)
{
    char text[512];

    snprintf(text, sizeof text, "option label: `%.200s`: %s", label, why);
    return host->fail(host, LENS_E_CONFIG, text);
}

static int
is_name(const char *name)
{
    for (const char *c = name; *c != '\0'; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_' ||
              (c > name && *c >= '0' && *c <= '9')))
            return 0;
    return *name != '\0' && strncmp(name, "__", 2) != 0;
}

static lens_status
take_labels(struct remote *r, const struct lens_host *host)
{
    const int32_t count = host->opt_count(host, "label");
    size_t size = 1;
    char *at;

    for (int32_t i = 0; i < count; i++)
        size += strlen(host->opt_string(host, "label", (uint32_t)i)) + 1;
    at = r->own = malloc(size);
    if (at == NULL)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    for (int32_t i = 0; i < count; i++) {
        const char *text = host->opt_string(host, "label", (uint32_t)i);
        char *equals;

        memcpy(at, text, strlen(text) + 1);
        equals = strchr(at, '=');
        if (equals == NULL || equals[1] == '\0')
            return refuse(host, text, "expected NAME=VALUE");
        *equals = '\0';
        if (!is_name(at))
            return refuse(host, text, "expected a name of letters, digits and _");
        if (r->own_count + 4 > MOST_REMOTE_LABELS)
            return refuse(host, text, "too many labels");
        r->labels[r->own_count++] = (struct label){ at, equals + 1 };
        at += strlen(text) + 1;
    }
    return LENS_OK;
}

static lens_status
authorize(struct remote *r, const struct lens_host *host)
{
    const char *token = host->opt_string(host, "token", 0);
    const char *user = host->opt_string(host, "username", 0);
    const char *password = host->opt_string(host, "password", 0);
    struct lens_text pair = { 0 };

    if (token != NULL) {
        lens_text_add(&r->authorization, "Bearer ");
        lens_text_add(&r->authorization, token);
    } else if (user != NULL) {
        lens_text_add(&pair, user);
        lens_text_add(&pair, ":");
        lens_text_add(&pair, password != NULL ? password : "");
        lens_text_add(&r->authorization, "Basic ");
        lens_text_add_base64(&r->authorization, pair.data, pair.size);
        lens_text_clear(&pair);
    } else {
        return LENS_OK;
    }
    if (r->authorization.failed)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    receiver_header(&r->receiver, "Authorization", lens_text_get(&r->authorization));
    return LENS_OK;
}

lens_status
remote_open(struct remote *r, const struct lens_host *host)
{
    const char *histograms = host->opt_string(host, "histograms", 0);
    lens_status status;

    r->url = host->opt_string(host, "remote_write", 0);
    r->classic = histograms == NULL || strcmp(histograms, "native") != 0;
    r->native = histograms != NULL && strcmp(histograms, "classic") != 0;
    receiver_open(&r->receiver, host, 0);
    receiver_header(&r->receiver, "Content-Type", "application/x-protobuf");
    receiver_header(&r->receiver, "Content-Encoding", "snappy");
    receiver_header(&r->receiver, "X-Prometheus-Remote-Write-Version", "0.1.0");
    status = take_labels(r, host);
    return status == LENS_OK ? authorize(r, host) : status;
}

void
remote_close(struct remote *r)
{
    lens_text_clear(&r->authorization);
    lens_text_clear(&r->body);
    lens_protobuf_clear(&r->message);
    free(r->own);
}

void
remote_begin(struct remote *r, const struct state *s, const char *job,
             const char *instance)
{
    r->label_count = r->own_count;
    for (uint32_t i = 0; i < s->run_label_count; i++)
        if (strcmp(s->run_labels[i].name, "run_id") == 0)
            r->labels[r->label_count++] = s->run_labels[i];
    r->labels[r->label_count++] = (struct label){ "job", job };
    r->labels[r->label_count++] = (struct label){ "instance", instance };
}

/* ---- what is sent ---- */

struct batch {
    struct remote *remote;
    const struct series *of;
    int stale;
    int64_t time_ms;
};

/* All labels of a series, sorted; the point's own win over those of all. */
static uint32_t
labels_of(const struct batch *b, const struct point *p, const char *name,
          const char *suffix, char *room, size_t size, const char *bound,
          struct label *ret)
{
    struct label all[MOST_LABELS + MOST_REMOTE_LABELS + 2];
    uint32_t given = exposition_sorted(p, all), count = 0;

    snprintf(room, size, "%s%s", name, suffix);
    all[given++] = (struct label){ "__name__", room };
    if (bound != NULL)
        all[given++] = (struct label){ "le", bound };
    for (uint32_t i = 0; i < b->remote->label_count; i++)
        all[given++] = b->remote->labels[i];
    for (uint32_t i = 0; i < given; i++) {
        uint32_t at = 0;

        while (at < count && strcmp(ret[at].name, all[i].name) < 0)
            at++;
        if (*all[i].value == '\0' ||
            (at < count && strcmp(ret[at].name, all[i].name) == 0))
            continue;
        memmove(&ret[at + 1], &ret[at], (count - at) * sizeof *ret);
        ret[at] = all[i];
        count++;
    }
    return count;
}

/* message TimeSeries, of a number or of a native histogram. */
static void
write_series(const struct batch *b, const struct point *p, const char *name,
             const char *suffix, const char *bound, double value,
             const struct distribution *d)
{
    static const struct native_fields fields = {
        .schema = 4, .zero_threshold = 5, .zero_count = 6, .spans = 11, .deltas = 12
    };
    struct label labels[MOST_LABELS + MOST_REMOTE_LABELS + 2];
    struct lens_protobuf *m = &b->remote->message;
    const size_t series = lens_protobuf_begin(m);
    const size_t sample = lens_protobuf_begin(m);
    char full[160];

    if (d != NULL) {
        lens_protobuf_uint(m, 15, (uint64_t)b->time_ms);
        if (!b->stale)
            native_write(m, &d->native, &fields);
        if (b->stale)
            lens_protobuf_bits(m, 3, STALE);
        else
            lens_protobuf_double(m, 3, d->sum);
        lens_protobuf_uint(m, 1, b->stale ? 0 : d->count);
        lens_protobuf_end(m, 4, sample);
    } else {
        lens_protobuf_uint(m, 2, (uint64_t)b->time_ms);
        if (b->stale)
            lens_protobuf_bits(m, 1, STALE);
        else
            lens_protobuf_double(m, 1, value);
        lens_protobuf_end(m, 2, sample);
    }
    for (uint32_t i = labels_of(b, p, name, suffix, full, sizeof full, bound, labels);
         i-- > 0;) {
        const size_t begin = lens_protobuf_begin(m);

        lens_protobuf_string(m, 2, labels[i].value);
        lens_protobuf_string(m, 1, labels[i].name);
        lens_protobuf_end(m, 1, begin);
    }
    lens_protobuf_end(m, 1, series);
}

static void
write_distribution(const struct batch *b, const struct point *p, const char *name)
{
    const struct distribution *d = p->distribution;

    if (b->remote->native)
        write_series(b, p, name, "", NULL, 0, d);
    if (!b->remote->classic)
        return;
    for (uint32_t i = 0; i < d->bounds->count; i++)
        write_series(b, p, name, "_bucket", d->bounds->texts[i], (double)d->classic[i],
                     NULL);
    write_series(b, p, name, "_bucket", "+Inf", (double)d->count, NULL);
    write_series(b, p, name, "_sum", NULL, d->sum, NULL);
    write_series(b, p, name, "_count", NULL, (double)d->count, NULL);
}

static void
write_family(const struct family *f, void *data)
{
    const struct batch *b = data;

    for (uint32_t i = 0; i < f->count; i++) {
        const struct point *p = &f->points[i];

        if (p->series != NULL && p->series != b->of)
            continue; /* it has its own time */
        if (p->distribution != NULL)
            write_distribution(b, p, f->name->prometheus);
        else
            write_series(b, p, f->name->prometheus, "", NULL, p->value, NULL);
    }
}

void
remote_snappy(struct lens_text *to, const void *data, size_t size)
{
    const char *at = data;
    char head[8];
    size_t used = 0;

    for (size_t rest = size;; rest >>= 7) {
        head[used++] = (char)(rest & 0x7f);
        if (rest < 0x80)
            break;
        head[used - 1] = (char)(head[used - 1] | (char)0x80);
    }
    lens_text_add_bytes(to, head, used);
    while (size > 0) {
        const size_t piece = size < 65536 ? size : 65536;

        head[0] = (char)(61 << 2); /* a literal, its length - 1 in two bytes */
        head[1] = (char)((piece - 1) & 0xff);
        head[2] = (char)((piece - 1) >> 8);
        lens_text_add_bytes(to, head, 3);
        lens_text_add_bytes(to, at, piece);
        at += piece;
        size -= piece;
    }
}

static enum answer_act
post(struct remote *r, int64_t *ret_retry_after_ns)
{
    struct lens_http_answer answer;
    const struct answer_rule *rule;

    if (receiver_exchange(&r->receiver, "POST", r->url, r->body.data, r->body.size,
                          &answer) != LENS_OK) {
        snprintf(r->why, sizeof r->why, "%s: %s", r->url,
                 answer.error != NULL ? answer.error : "no answer");
        return ANSWER_LATER;
    }
    rule = answer_rule_for(rules, sizeof rules / sizeof rules[0], &answer);
    *ret_retry_after_ns = answer.retry_after_ns;
    if (rule->act != ANSWER_OK)
        answer_say(r->url, &answer, rule, NULL, r->why, sizeof r->why);
    return rule->act;
}

enum answer_act
remote_write(struct remote *r, const struct state *s, const struct series *of, int stale,
             int64_t time_ms, int64_t *ret_retry_after_ns)
{
    struct batch batch = { r, of, stale, time_ms };
    struct lens_bytes message;
    enum answer_act act;

    lens_protobuf_reset(&r->message);
    lens_text_reset(&r->body);
    if (!families_each(s, NULL, write_family, &batch) || r->message.failed) {
        snprintf(r->why, sizeof r->why, "out of memory");
        return ANSWER_LATER;
    }
    message = lens_protobuf_bytes(&r->message);
    remote_snappy(&r->body, message.data, message.size);
    if (r->body.failed) {
        snprintf(r->why, sizeof r->why, "out of memory");
        return ANSWER_LATER;
    }
    act = post(r, ret_retry_after_ns);
    if ((act == ANSWER_BAD_DATA || act == ANSWER_SPLIT) && !r->told) {
        r->told = 1;
        r->receiver.host->log(r->receiver.host, LENS_LOG_WARNING, r->why);
    }
    return act;
}
