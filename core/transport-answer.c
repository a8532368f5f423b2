/* What libcurl hands over of an answer, with the stamp that belongs to it. */
#include <stdio.h>
#include <string.h>

#include <lens/provider.h>

#include "chrono.h"
#include "sample.h"
#include "transport-curl.h"

enum {
    HEADER_LIMIT = 256 * 1024,
    REDIRECT_LIMIT = 5,
    /* Bytes of a TLS 1.3 record around its content, and of the chunk around a message. */
    TLS_OVERHEAD = 22,
    /* What the position inside a look may be off by; smaller than any message. */
    POSITION_SLACK = 8
};

/* Connected; the request goes out next. */
int
answer_on_before_request(void *data, char *peer, char *local, int peer_port,
                         int local_port)
{
    exchange *x = data;
    struct exchange_private *private = x->private;
    curl_transport *t = private->transport;

    (void)peer;
    (void)local;
    (void)peer_port;
    (void)local_port;
    if (private->sends++ > 0 && private->redirects == 0)
        t->events->resend(x);
    private->pretransfer_ns = chrono_now();
    private->sent_ns = -1;
    if (private->connection != NULL)
        stamper_begin(&private->connection->stamper);
    g_ptr_array_remove_fast(t->sending, x);
    g_ptr_array_add(t->sending, x);
    return CURL_PREREQFUNC_OK;
}

/* The stamp of the byte before `raw_end` of this look. */
static int64_t
answer_stamp_at(exchange *x, size_t raw_end, uint32_t *ret_clock)
{
    const connection *c = x->private->connection;

    if (c == NULL || !c->stamper.rx || c->stamper.now.groups == 0) {
        *ret_clock = LENS_CLOCK_USER;
        return chrono_now();
    }
    for (unsigned g = 0; g < c->stamper.now.groups; g++) {
        if (raw_end <= c->stamper.now.group[g].end + POSITION_SLACK) {
            *ret_clock = c->stamper.now.group[g].clock;
            return c->stamper.now.group[g].at_ns;
        }
    }
    if (x->private->transport->secure || x->private->raw > SMALL_BODY) {
        *ret_clock = c->stamper.now.group[c->stamper.now.groups - 1].clock;
        return c->stamper.now.group[c->stamper.now.groups - 1].at_ns;
    }
    /* It came between the last look and the read, a few microseconds ago. */
    *ret_clock = LENS_CLOCK_KERNEL;
    return chrono_now();
}

static void
touch(exchange *x)
{
    struct exchange_private *private = x->private;

    if (private->touched)
        return;
    private->touched = true;
    g_ptr_array_add(private->transport->touched, x);
}

static bool
stop(exchange *x, uint32_t kind, const char *detail)
{
    x->private->abort_kind = kind;
    x->private->abort_detail = detail;
    return false;
}

void
answer_take_departure(exchange *x)
{
    struct exchange_private *private = x->private;
    connection *c = private->connection;
    int64_t at_ns = -1;

    x->departure_first_ns = x->departure_ns =
        private->sent_ns >= 0 ? private->sent_ns : private->pretransfer_ns;
    x->departure_clock = LENS_CLOCK_USER;
    if (c == NULL || !c->stamper.tx)
        return;
    if (c->stamper.tx_last_ns < 0) /* answered before the loop saw the departure */
        stamper_departures(&c->stamper, c->item.fd, private->transport->wall,
                           private->pretransfer_ns, private->sent_ns, chrono_now());
    at_ns = x->http_version >= 20 ? c->stamper.tx_prompt_ns : c->stamper.tx_last_ns;
    if (at_ns < 0)
        return;
    x->departure_first_ns = c->stamper.tx_first_ns;
    x->departure_ns = at_ns;
    x->departure_clock = LENS_CLOCK_KERNEL;
}

static bool
on_status_line(exchange *x, const char *line, size_t size)
{
    unsigned major = 0, minor = 0;
    int status = 0;
    char text[64];

    g_strlcpy(text, line, MIN(size + 1, sizeof text));
    if (sscanf(text, "HTTP/%u.%u %d", &major, &minor, &status) != 3 &&
        sscanf(text, "HTTP/%u %d", &major, &status) != 2)
        return stop(x, LENS_KIND_PROTOCOL, "the status line is not HTTP");
    x->http_version = (uint16_t)(major * 10 + minor);
    x->status = status;
    x->private->chunked = false;
    x->content_type[0] = '\0';
    g_array_set_size(x->headers, 0);
    g_string_truncate(x->header_text, 0);
    if (x->first_byte_ns < 0) {
        answer_take_departure(x);
        x->first_byte_ns = answer_stamp_at(x, x->private->raw, &x->first_byte_clock);
    }
    return true;
}

/* Offsets, because the text moves while it grows; made into pointers when the head is
 * complete. */
static void
add_header(exchange *x, const char *line, size_t size)
{
    const char *colon = memchr(line, ':', size);
    const char *end = line + size;
    const char *value;
    struct lens_pair pair;

    if (colon == NULL)
        return;
    for (value = colon + 1; value < end && (*value == ' ' || *value == '\t');)
        value++;
    while (end > value && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' '))
        end--;
    pair.name.data = GSIZE_TO_POINTER(x->header_text->len);
    pair.name.size = (size_t)(colon - line);
    g_string_append_len(x->header_text, line, colon - line);
    pair.value.data = GSIZE_TO_POINTER(x->header_text->len);
    pair.value.size = (size_t)(end - value);
    g_string_append_len(x->header_text, value, end - value);
    g_array_append_val(x->headers, pair);
}

static bool
same_origin(const char *one, const char *other)
{
    static const CURLUPart PARTS[] = { CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT };
    CURLU *a = curl_url(), *b = curl_url();
    bool same =
        curl_url_set(a, CURLUPART_URL, one, 0) == CURLUE_OK &&
        curl_url_set(b, CURLUPART_URL, one, 0) == CURLUE_OK &&
        curl_url_set(b, CURLUPART_URL, other, 0) == CURLUE_OK; /* may be relative */

    for (size_t i = 0; same && i < G_N_ELEMENTS(PARTS); i++) {
        char *left = NULL, *right = NULL;

        curl_url_get(a, PARTS[i], &left, CURLU_DEFAULT_PORT);
        curl_url_get(b, PARTS[i], &right, CURLU_DEFAULT_PORT);
        same = g_strcmp0(left, right) == 0;
        curl_free(left);
        curl_free(right);
    }
    curl_url_cleanup(a);
    curl_url_cleanup(b);
    return same;
}

static bool
may_follow(const exchange *x)
{
    const struct lens_pair *location = exchange_header(x, "location");
    g_autofree char *url = NULL;

    if (!x->private->transport->target->follow_redirects || location == NULL ||
        x->private->redirects >= REDIRECT_LIMIT || x->status < 301 || x->status > 308)
        return false;
    url = g_strndup(location->value.data, location->value.size);
    return same_origin(x->request.url.data, url);
}

static void
take_round_trip(exchange *x)
{
    connection *c = x->private->connection;

    if (c == NULL || !c->tcp)
        return;
    if (!c->stamper.counted)
        stamper_count(&c->stamper, c->item.fd);
    if (c->stamper.rtt_us > 0)
        x->rtt_ns = c->stamper.rtt_us * NS_PER_US;
}

static bool
on_head_end(exchange *x)
{
    const struct lens_pair *encoding;
    uint32_t clock;

    if (x->status < 200)
        return true; /* 100 (Continue), 103 (Early Hints) */
    exchange_settle_headers(x);
    encoding = exchange_header(x, "transfer-encoding");
    x->private->chunked = encoding != NULL;
    x->private->head_done = true;
    x->private->redirecting = may_follow(x);
    take_round_trip(x);
    x->last_byte_ns = answer_stamp_at(x, x->private->raw, &clock);
    return x->private->redirecting || x->private->transport->events->head(x);
}

size_t
answer_on_header(char *line, size_t one, size_t size, void *data)
{
    exchange *x = data;
    struct exchange_private *private = x->private;
    bool fine = true;

    (void)one;
    touch(x);
    private->raw += size;
    private->header_size += size;
    if (private->header_size > HEADER_LIMIT)
        fine = stop(x, LENS_KIND_TOO_LARGE, TRANSPORT_HEAD_TOO_LARGE);
    else if (size > 5 && memcmp(line, "HTTP/", 5) == 0)
        fine = on_status_line(x, line, size);
    else if (private->head_done)
        fine = true; /* a trailer */
    else if (size <= 2 && (line[0] == '\r' || line[0] == '\n'))
        fine = on_head_end(x);
    else
        add_header(x, line, size);
    return fine ? size : 0;
}

static size_t
hex_digits(size_t value)
{
    size_t digits = 1;

    while ((value >>= 4) != 0)
        digits++;
    return digits;
}

/* Where two looks found bytes, each part gets its own stamp. Only a plain body has exact
 * positions; a chunk belongs to the look that found its end. */
size_t
answer_on_body(char *data, size_t one, size_t size, void *user)
{
    exchange *x = user;
    struct exchange_private *private = x->private;
    const struct exchange_events *events = private->transport->events;
    const connection *c = private->connection;
    size_t split = 0;
    uint32_t clock;
    int64_t at_ns;

    (void)one;
    touch(x);
    if (private->redirecting)
        return size;
    if (private->chunked || private->transport->secure) {
        private->raw += size + (private->transport->secure ? TLS_OVERHEAD : 0) +
                        (private->chunked ? hex_digits(size) + 4 : 0);
    } else {
        if (c != NULL && c->stamper.now.groups == 2 &&
            c->stamper.now.group[0].end > private->raw &&
            c->stamper.now.group[0].end < private->raw + size)
            split = c->stamper.now.group[0].end - private->raw;
        if (split > 0) {
            private->raw += split;
            at_ns = answer_stamp_at(x, private->raw, &clock);
            if (!events->body(x, data, split, at_ns, clock))
                return 0;
        }
        private->raw += size - split;
    }
    at_ns = answer_stamp_at(x, private->raw, &clock);
    x->last_byte_ns = at_ns;
    return events->body(x, data + split, size - split, at_ns, clock) ? size : 0;
}
