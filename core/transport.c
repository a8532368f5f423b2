#include "transport.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <lens/provider.h>

#include "chrono.h"
#include "error.h"
#include "sample.h"
#include "transport-private.h"

enum {
    HEADER_LIMIT = 256 * 1024,
    REDIRECT_LIMIT = 5,
    /* Bytes of a TLS 1.3 record around its content, and of the chunk around a message. */
    TLS_OVERHEAD = 22,
    /* What the position inside a look may be off by; smaller than any message. */
    POSITION_SLACK = 8,
    SMALL_BODY = 16 * 1024,
    SHARED_LISTS = 64
};

static const int64_t LOOK_AGAIN_NS = 10 * NS_PER_US;

struct transport {
    poller *poller;
    const plan_target *target;
    const struct exchange_events *events;
    CURLM *multi;
    struct curl_slist *resolve;
    wallclock wall;
    bool user_clock, secure;
    int64_t curl_deadline_ns; /* INT64_MAX: none */
    GHashTable *header_lists; /* struct curl_slist, by the text of their headers */
    GPtrArray *by_fd;         /* connection, by file descriptor */
    GPtrArray *all, *idle;    /* exchange */
    GPtrArray *touched;       /* exchange: got something in this look */
    GPtrArray *sending;       /* exchange: libcurl may still be writing the request */
};

static atomic_uint_fast64_t resource_failures;

uint64_t
transport_resource_failures(void)
{
    return atomic_load(&resource_failures);
}

/* ---- connections ---- */

static void
hand_look_over(exchange *x)
{
    x->private->touched = false;
    x->private->raw = 0;
    x->private->transport->events->look(x);
}

static connection *
connection_at(transport *t, int fd)
{
    return (unsigned)fd < t->by_fd->len ? t->by_fd->pdata[fd] : NULL;
}

/* What this look found is handed over while the socket can still be asked about it. */
static void
detach(connection *c)
{
    exchange *x = c->exchange;

    if (x == NULL)
        return;
    if (x->private->touched) {
        g_ptr_array_remove_fast(c->transport->touched, x);
        hand_look_over(x);
    }
    x->private->connection = NULL;
    c->exchange = NULL;
}

static void
attach(connection *c, exchange *x)
{
    if (c->exchange == x)
        return;
    detach(c);
    c->exchange = x;
    x->private->connection = c;
    stamper_begin(&c->stamper);
}

/* When its request began to be sent; INT64_MAX: not yet. */
static int64_t
sent_since(const exchange *x)
{
    return x == NULL || x->private->pretransfer_ns < 0 ? INT64_MAX
                                                       : x->private->pretransfer_ns;
}

static void
on_stamp(poll_item *item, uint32_t events)
{
    connection *c = (connection *)item;
    transport *t = c->transport;
    const exchange *x = c->exchange;
    const struct poll_turn *turn = poller_turn(t->poller);
    int64_t now_ns;

    if (!c->tcp || !c->stamper.rx)
        return;
    now_ns = chrono_now();
    /* Departures of a TLS handshake are taken out of the queue too. */
    if ((events & EPOLLERR) != 0 &&
        stamper_departures(&c->stamper, item->fd, &t->wall, sent_since(x),
                           x != NULL ? x->private->sent_ns : -1, now_ns)) {
        c->departed = true;
        if (!c->stamper.counted)
            stamper_count(&c->stamper, item->fd);
    }
    /* A look would take the error of a failed connect away from libcurl. */
    if ((events & EPOLLIN) == 0 || sent_since(x) == INT64_MAX)
        return;
    stamper_look(&c->stamper, item->fd, &t->wall, turn->looked_ns, now_ns);
    if (c->stamper.error != 0)
        c->exchange->private->broken = c->stamper.error;
}

static void
hand_looks_over(transport *t)
{
    while (t->touched->len > 0)
        hand_look_over(g_ptr_array_steal_index_fast(t->touched, t->touched->len - 1));
}

/* The user clock's departure: when libcurl had all of the request written. */
static void
note_sent(transport *t)
{
    const int64_t now_ns = chrono_now();

    for (unsigned i = t->sending->len; i-- > 0;) {
        exchange *x = t->sending->pdata[i];
        curl_off_t sent = 0;

        if (x->request.body.size > SMALL_BODY)
            curl_easy_getinfo(x->private->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
        if (x->request.body.size > SMALL_BODY && (size_t)sent < x->request.body.size)
            continue;
        x->private->sent_ns = now_ns;
        g_ptr_array_remove_index_fast(t->sending, i);
    }
}

static void
act(transport *t, curl_socket_t fd, int what)
{
    int running;

    curl_multi_socket_action(t->multi, fd, what, &running);
    if (t->sending->len > 0)
        note_sent(t);
    hand_looks_over(t);
}

/* What came since the first look, if that was long ago enough to matter: later bytes are
 * stamped when they are read, which is as exact then. */
static void
look_again(connection *c, uint32_t events)
{
    const int64_t now_ns = chrono_now();

    if (c->tcp && (events & EPOLLIN) != 0 &&
        now_ns - c->stamper.looked_ns > LOOK_AGAIN_NS)
        stamper_look_again(&c->stamper, c->item.fd, &c->transport->wall, now_ns);
}

static void
on_work(poll_item *item, uint32_t events)
{
    connection *c = (connection *)item;
    transport *t = c->transport;
    int what = 0;

    if (c->wanted == 0) { /* idle: the other side closed it, or talks out of turn */
        poller_remove(t->poller, item);
        c->polled = false;
        return;
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP)) != 0)
        what |= CURL_CSELECT_IN;
    if ((events & (EPOLLOUT | EPOLLHUP)) != 0)
        what |= CURL_CSELECT_OUT;
    if ((events & EPOLLERR) != 0 && !c->departed)
        what |= CURL_CSELECT_ERR;
    c->departed = false;
    if (what == 0)
        return;
    look_again(c, events);
    act(t, item->fd, what); /* may free c */
}

static connection *
connection_new(transport *t, int fd, bool tcp)
{
    connection *c = g_new0(connection, 1);

    c->item.fd = fd;
    c->item.stamp = on_stamp;
    c->item.work = on_work;
    c->transport = t;
    c->tcp = tcp;
    if ((unsigned)fd >= t->by_fd->len)
        g_ptr_array_set_size(t->by_fd, MAX(fd + 1, 64));
    t->by_fd->pdata[fd] = c;
    return c;
}

static void
connection_drop(connection *c)
{
    if (c == NULL)
        return;
    detach(c);
    poller_forget(c->transport->poller, &c->item);
    c->transport->by_fd->pdata[c->item.fd] = NULL;
    g_free(c);
}

static int
on_socket_made(void *data, curl_socket_t fd, curlsocktype purpose)
{
    transport *t = data;

    (void)purpose;
    connection_drop(connection_at(t, fd));
    connection_new(t, fd, true);
    return CURL_SOCKOPT_OK;
}

static int
on_socket_close(void *data, curl_socket_t fd)
{
    connection_drop(connection_at(data, fd));
    return close(fd);
}

static void
watch(transport *t, connection *c, uint32_t events)
{
    if (!c->polled) {
        if (c->tcp && !t->user_clock && !c->stamper.rx)
            stamper_enable(&c->stamper, c->item.fd);
        poller_add(t->poller, &c->item, events);
    } else if (c->events != events) {
        poller_modify(t->poller, &c->item, events);
    }
    c->polled = true;
    c->events = events;
}

/* libcurl says what it waits for. A kept connection stays in the poller between requests,
 * which saves two system calls a request. */
static int
on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *data, void *unused)
{
    transport *t = data;
    connection *c = connection_at(t, fd);
    exchange *x = NULL;

    (void)unused;
    if (what == CURL_POLL_REMOVE) {
        if (c == NULL)
            return 0;
        c->wanted = 0;
        detach(c);
        if (!c->tcp) {
            poller_remove(t->poller, &c->item);
            connection_drop(c);
        }
        return 0;
    }
    if (c == NULL)
        c = connection_new(t, fd, false);
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &x);
    if (x != NULL && c->tcp && !t->target->multiplex)
        attach(c, x);
    c->wanted = what;
    watch(t, c, (what & CURL_POLL_OUT) != 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
    return 0;
}

static int
on_timer_wanted(CURLM *multi, long ms, void *data)
{
    transport *t = data;

    (void)multi;
    t->curl_deadline_ns = ms < 0 ? INT64_MAX : chrono_now() + ms * NS_PER_MS;
    return 0;
}

/* ---- what libcurl hands over of an answer ---- */

/* Connected; the request goes out next. */
static int
on_before_request(void *data, char *peer, char *local, int peer_port, int local_port)
{
    exchange *x = data;
    struct exchange_private *private = x->private;
    transport *t = private->transport;

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
stamp_at(exchange *x, size_t raw_end, uint32_t *ret_clock)
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

static void
take_departure(exchange *x)
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
        stamper_departures(&c->stamper, c->item.fd, &private->transport->wall,
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
        take_departure(x);
        x->first_byte_ns = stamp_at(x, x->private->raw, &x->first_byte_clock);
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

const struct lens_pair *
exchange_header(const exchange *x, const char *name)
{
    const size_t size = strlen(name);

    for (unsigned i = 0; i < x->headers->len; i++) {
        const struct lens_pair *p = &g_array_index(x->headers, struct lens_pair, i);

        if (p->name.size == size && g_ascii_strncasecmp(p->name.data, name, size) == 0)
            return p;
    }
    return NULL;
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
    const struct lens_pair *type, *encoding;
    uint32_t clock;

    if (x->status < 200)
        return true; /* 100 (Continue), 103 (Early Hints) */
    for (unsigned i = 0; i < x->headers->len; i++) {
        struct lens_pair *p = &g_array_index(x->headers, struct lens_pair, i);

        p->name.data = x->header_text->str + GPOINTER_TO_SIZE(p->name.data);
        p->value.data = x->header_text->str + GPOINTER_TO_SIZE(p->value.data);
    }
    type = exchange_header(x, "content-type");
    if (type != NULL)
        g_strlcpy(x->content_type, type->value.data,
                  MIN(type->value.size + 1, sizeof x->content_type));
    encoding = exchange_header(x, "transfer-encoding");
    x->private->chunked = encoding != NULL;
    x->private->head_done = true;
    x->private->redirecting = may_follow(x);
    take_round_trip(x);
    x->last_byte_ns = stamp_at(x, x->private->raw, &clock);
    return x->private->redirecting || x->private->transport->events->head(x);
}

static size_t
on_header(char *line, size_t one, size_t size, void *data)
{
    exchange *x = data;
    struct exchange_private *private = x->private;
    bool fine = true;

    (void)one;
    touch(x);
    private->raw += size;
    private->header_size += size;
    if (private->header_size > HEADER_LIMIT)
        fine = stop(x, LENS_KIND_TOO_LARGE, "the headers are over 256 KiB");
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
static size_t
on_body(char *data, size_t one, size_t size, void *user)
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
            at_ns = stamp_at(x, private->raw, &clock);
            if (!events->body(x, data, split, at_ns, clock))
                return 0;
        }
        private->raw += size - split;
    }
    at_ns = stamp_at(x, private->raw, &clock);
    x->last_byte_ns = at_ns;
    return events->body(x, data + split, size - split, at_ns, clock) ? size : 0;
}

/* ---- exchanges ---- */

static void
exchange_free(void *data)
{
    exchange *x = data;

    curl_easy_cleanup(x->private->easy);
    curl_slist_free_all(x->private->headers);
    g_free(x->private->sent_url);
    g_free(x->private);
    lens_request_clear(&x->request);
    g_array_unref(x->headers);
    g_string_free(x->header_text, TRUE);
    g_free(x);
}

/* All that a handle keeps from request to request. */
static void
set_up(transport *t, exchange *x)
{
    CURL *easy = x->private->easy;

    easy_setup(easy, t->target, t->resolve);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, x);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, x->private->error);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, x);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, x);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket_made);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, t);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_socket_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, t);
    if (!t->target->reuse) {
        curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    }
}

static exchange *
exchange_new(transport *t)
{
    exchange *x = g_new0(exchange, 1);

    x->private = g_new0(struct exchange_private, 1);
    x->private->transport = t;
    x->private->easy = curl_easy_init();
    x->headers = g_array_new(FALSE, FALSE, sizeof(struct lens_pair));
    x->header_text = g_string_new(NULL);
    lens_request_init(&x->request);
    set_up(t, x);
    g_ptr_array_add(t->all, x);
    return x;
}

/* libcurl counts its silent resends over the whole life of a handle and fails the sixth;
 * only a reset starts that count anew. */
static void
forget_resends(transport *t, exchange *x)
{
    curl_easy_reset(x->private->easy);
    g_clear_pointer(&x->private->sent_url, g_free);
    set_up(t, x);
}

void
transport_put(transport *t, exchange *x)
{
    x->user = NULL;
    if (x->private->sends > 1)
        forget_resends(t, x);
    g_ptr_array_add(t->idle, x);
}

static void
forget_answer(exchange *x)
{
    struct exchange_private *private = x->private;

    x->departure_first_ns = x->departure_ns = x->first_byte_ns = -1;
    x->last_byte_ns = x->end_ns = -1;
    x->dns_ns = x->connect_ns = x->tls_ns = x->rtt_ns = -1;
    x->bytes_sent = x->bytes_received = 0;
    x->reused = false;
    x->departure_clock = x->first_byte_clock = 0;
    x->http_version = 0;
    x->status = 0;
    x->content_type[0] = '\0';
    g_array_set_size(x->headers, 0);
    g_string_truncate(x->header_text, 0);
    private->error[0] = '\0';
    private->header_size = private->raw = 0;
    private->head_done = private->chunked = private->redirecting = false;
    private->pretransfer_ns = private->sent_ns = -1;
    private->abort_kind = LENS_KIND_NONE;
    private->abort_detail = NULL;
    private->broken = 0;
}

exchange *
transport_get(transport *t, void *user)
{
    exchange *x = t->idle->len > 0
                      ? g_ptr_array_steal_index_fast(t->idle, t->idle->len - 1)
                      : exchange_new(t);

    x->user = user;
    lens_request_reset(&x->request);
    forget_answer(x);
    return x;
}

static char *
join_headers(const struct lens_request *r)
{
    GString *all = g_string_new(r->method.data);

    for (unsigned i = 0; i < r->headers->len; i++)
        g_string_append_printf(all, "\n%s", (const char *)r->headers->pdata[i]);
    return g_string_free(all, FALSE);
}

/* Requests of one target hardly ever differ in their headers: those that do not share one
 * list. With headers of their own (a signature) the oldest lists would pile up, so each
 * gets its own. */
static struct curl_slist *
header_list(transport *t, exchange *x)
{
    struct exchange_private *private = x->private;
    g_autofree char *text = join_headers(&x->request);
    struct curl_slist *list = g_hash_table_lookup(t->header_lists, text);

    curl_slist_free_all(private->headers);
    private->headers = NULL;
    if (list == NULL) {
        list = easy_header_list(&x->request);
        if (g_hash_table_size(t->header_lists) < SHARED_LISTS)
            g_hash_table_insert(t->header_lists, g_steal_pointer(&text), list);
        else
        private->headers = list;
    }
    return list;
}

static void
set_request(transport *t, exchange *x)
{
    struct exchange_private *private = x->private;
    struct curl_slist *headers = header_list(t, x);

    g_ptr_array_set_size(x->request.headers, 0); /* the list has them now */
    if (g_strcmp0(private->sent_url, x->request.url.data) != 0) {
        g_free(private->sent_url);
        private->sent_url = g_strdup(x->request.url.data);
        curl_easy_setopt(private->easy, CURLOPT_URL, private->sent_url);
    }
    easy_request(private->easy, &x->request, headers);
}

void
transport_start(transport *t, exchange *x)
{
    x->private->sends = x->private->redirects = 0;
    x->private->active = true;
    set_request(t, x);
    x->start_ns = chrono_now();
    curl_multi_add_handle(t->multi, x->private->easy);
}

static void
leave(transport *t, exchange *x)
{
    curl_multi_remove_handle(t->multi, x->private->easy);
    if (x->private->connection != NULL)
        detach(x->private->connection);
    g_ptr_array_remove_fast(t->sending, x);
    x->private->active = false;
}

void
transport_cancel(transport *t, exchange *x)
{
    if (!x->private->active)
        return;
    if (x->private->touched) {
        g_ptr_array_remove_fast(t->touched, x);
        x->private->touched = false;
    }
    leave(t, x);
    x->end_ns = chrono_now();
}

static int64_t
phase_end(CURL *easy, CURLINFO info, int64_t base_ns)
{
    curl_off_t us = 0;

    curl_easy_getinfo(easy, info, &us);
    return us > 0 ? base_ns + us * NS_PER_US : -1;
}

/* libcurl counts its phases from a start of its own: anchor them at the one moment both
 * clocks know. Of many that are started together the last one waits for the others; that
 * belongs before its start. */
static void
take_phases(exchange *x)
{
    CURL *easy = x->private->easy;
    long connects = 0, sent = 0, received = 0;
    curl_off_t pretransfer_us = 0, uploaded = 0, downloaded = 0;

    curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent);
    curl_easy_getinfo(easy, CURLINFO_HEADER_SIZE, &received);
    curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &downloaded);
    curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer_us);
    x->bytes_sent = (uint64_t)sent + (uint64_t)uploaded;
    x->bytes_received = (uint64_t)received + (uint64_t)downloaded;
    if (x->private->pretransfer_ns >= 0 && pretransfer_us > 0)
        x->start_ns =
            MAX(x->start_ns, x->private->pretransfer_ns - pretransfer_us * NS_PER_US);
    x->reused = connects == 0 && x->private->sends > 0;
    if (x->reused)
        return;
    x->dns_ns = phase_end(easy, CURLINFO_NAMELOOKUP_TIME_T, x->start_ns);
    x->connect_ns = phase_end(easy, CURLINFO_CONNECT_TIME_T, x->start_ns);
    x->tls_ns = phase_end(easy, CURLINFO_APPCONNECT_TIME_T, x->start_ns);
}

static bool
follow(transport *t, exchange *x)
{
    char *url = NULL;

    curl_easy_getinfo(x->private->easy, CURLINFO_REDIRECT_URL, &url);
    if (!x->private->redirecting || url == NULL)
        return false;
    g_free(x->private->sent_url);
    x->private->sent_url = g_strdup(url);
    forget_answer(x);
    x->private->redirects++;
    curl_easy_setopt(x->private->easy, CURLOPT_URL, x->private->sent_url);
    curl_multi_add_handle(t->multi, x->private->easy);
    return true;
}

static void
finish(transport *t, exchange *x, CURLcode code)
{
    struct exchange_end end;
    long os_error = 0;

    take_phases(x);
    if (x->first_byte_ns < 0)
        take_departure(x);
    x->end_ns = code == CURLE_OK && x->last_byte_ns >= 0 ? x->last_byte_ns : chrono_now();
    curl_easy_getinfo(x->private->easy, CURLINFO_OS_ERRNO, &os_error);
    if (transport_out_of_resources(code, os_error))
        atomic_fetch_add(&resource_failures, 1);
    leave(t, x);
    if (code == CURLE_OK && follow(t, x)) {
        x->private->active = true;
        return;
    }
    transport_explain(code, x, &end);
    if (os_error == EMFILE || os_error == ENFILE)
        end.detail = "out of file descriptors: raise the limit (ulimit -n) or lower the "
                     "concurrency";
    t->events->end(x, &end);
}

static void
collect(transport *t)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(t->multi, &left)) != NULL) {
        exchange *x = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &x);
        finish(t, x, message->data.result);
    }
}

void
transport_run(transport *t)
{
    const int64_t now_ns = chrono_now();

    wallclock_refresh(&t->wall, now_ns);
    collect(t);
    /* Starting what `end` has added may end something at once; the bound keeps stamps in
     * time. */
    for (int round = 0; round < 4 && t->curl_deadline_ns <= chrono_now(); round++) {
        t->curl_deadline_ns = INT64_MAX;
        act(t, CURL_SOCKET_TIMEOUT, 0);
        collect(t);
    }
}

int64_t
transport_deadline(const transport *t)
{
    return t->curl_deadline_ns;
}

bool
transport_merged(exchange *x)
{
    connection *c = x->private->connection;

    return c != NULL && stamper_merged(&c->stamper, c->item.fd);
}

int64_t
transport_take_clock_step(transport *t)
{
    return wallclock_take_step(&t->wall);
}

static void
free_list(void *data)
{
    curl_slist_free_all(data);
}

transport *
transport_new(poller *p, const plan_target *target, bool user_clock,
              const struct exchange_events *events, GError **error)
{
    transport *t = g_new0(transport, 1);

    t->poller = p;
    t->target = target;
    t->events = events;
    t->user_clock = user_clock || target->multiplex;
    t->secure = target->url != NULL && g_str_has_prefix(target->url, "https:");
    t->curl_deadline_ns = INT64_MAX;
    t->resolve = easy_resolve_list(target);
    t->header_lists = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_list);
    t->by_fd = g_ptr_array_new();
    t->all = g_ptr_array_new_with_free_func(exchange_free);
    t->idle = g_ptr_array_new();
    t->touched = g_ptr_array_new();
    t->sending = g_ptr_array_new();
    wallclock_init(&t->wall);
    t->multi = curl_multi_init();
    if (t->multi == NULL) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_SYSTEM,
                    "libcurl cannot start: out of memory");
        transport_free(t);
        return NULL;
    }
    curl_multi_setopt(t->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
    curl_multi_setopt(t->multi, CURLMOPT_SOCKETDATA, t);
    curl_multi_setopt(t->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
    curl_multi_setopt(t->multi, CURLMOPT_TIMERDATA, t);
    curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, 65536L);
    curl_multi_setopt(t->multi, CURLMOPT_PIPELINING,
                      target->multiplex ? CURLPIPE_MULTIPLEX : CURLPIPE_NOTHING);
    return t;
}

void
transport_free(transport *t)
{
    if (t == NULL)
        return;
    for (unsigned i = 0; i < t->all->len; i++)
        transport_cancel(t, t->all->pdata[i]);
    g_ptr_array_unref(t->all);
    if (t->multi != NULL)
        curl_multi_cleanup(t->multi);
    for (unsigned i = 0; i < t->by_fd->len; i++)
        connection_drop(t->by_fd->pdata[i]);
    curl_slist_free_all(t->resolve);
    g_hash_table_unref(t->header_lists);
    g_ptr_array_unref(t->by_fd);
    g_ptr_array_unref(t->idle);
    g_ptr_array_unref(t->touched);
    g_ptr_array_unref(t->sending);
    g_free(t);
}
