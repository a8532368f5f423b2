#include "transport-curl.h"

#include <errno.h>
#include <string.h>

#include <lens/provider.h>

#include "chrono.h"
#include "error.h"

enum { SHARED_LISTS = 64 };

void
curl_exchange_clear(exchange *x)
{
    if (x->private == NULL)
        return;
    curl_easy_cleanup(x->private->easy);
    curl_slist_free_all(x->private->headers);
    g_free(x->private->sent_url);
    g_free(x->private);
}

/* All that a handle keeps from request to request. */
static void
set_up(curl_transport *t, exchange *x)
{
    CURL *easy = x->private->easy;

    easy_setup(easy, t->target, t->resolve);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, x);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, x->private->error);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, answer_on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, x);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, answer_on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, answer_on_before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, x);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, transport_on_socket_made);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, t);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, transport_on_socket_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, t);
    if (!t->target->reuse) {
        curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    }
}

static void
take_over(curl_transport *t, exchange *x)
{
    x->private = g_new0(struct exchange_private, 1);
    x->private->transport = t;
    x->private->easy = curl_easy_init();
    set_up(t, x);
}

/* libcurl counts its silent resends over the whole life of a handle and fails the sixth;
 * only a reset starts that count anew. */
static void
forget_resends(curl_transport *t, exchange *x)
{
    curl_easy_reset(x->private->easy);
    g_clear_pointer(&x->private->sent_url, g_free);
    set_up(t, x);
}

void
curl_transport_put(curl_transport *t, exchange *x)
{
    if (x->private->sends > 1)
        forget_resends(t, x);
}

static void
forget_answer(exchange *x)
{
    struct exchange_private *private = x->private;

    exchange_forget_answer(x);
    private->error[0] = '\0';
    private->header_size = private->raw = 0;
    private->head_done = private->chunked = private->redirecting = false;
    private->pretransfer_ns = private->sent_ns = -1;
    private->abort_kind = LENS_KIND_NONE;
    private->abort_detail = NULL;
    private->broken = 0;
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
header_list(curl_transport *t, exchange *x)
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
set_request(curl_transport *t, exchange *x)
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
curl_transport_start(curl_transport *t, exchange *x)
{
    if (x->private == NULL)
        take_over(t, x);
    forget_answer(x);
    x->private->sends = x->private->redirects = 0;
    x->private->active = true;
    set_request(t, x);
    x->start_ns = chrono_now();
    curl_multi_add_handle(t->multi, x->private->easy);
}

static void
leave(curl_transport *t, exchange *x)
{
    curl_multi_remove_handle(t->multi, x->private->easy);
    if (x->private->connection != NULL)
        connection_detach(x->private->connection);
    g_ptr_array_remove_fast(t->sending, x);
    x->private->active = false;
}

void
curl_transport_cancel(curl_transport *t, exchange *x)
{
    if (x->private == NULL || !x->private->active)
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
follow(curl_transport *t, exchange *x)
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
finish(curl_transport *t, exchange *x, CURLcode code)
{
    struct exchange_end end;
    long os_error = 0;

    take_phases(x);
    if (x->first_byte_ns < 0)
        answer_take_departure(x);
    x->end_ns = code == CURLE_OK && x->last_byte_ns >= 0 ? x->last_byte_ns : chrono_now();
    curl_easy_getinfo(x->private->easy, CURLINFO_OS_ERRNO, &os_error);
    if (transport_out_of_resources(code, os_error))
        transport_note_shortage();
    leave(t, x);
    if (code == CURLE_OK && follow(t, x)) {
        x->private->active = true;
        return;
    }
    transport_explain(code, x, &end);
    if (os_error == EMFILE || os_error == ENFILE)
        end.detail = TRANSPORT_NO_FDS;
    t->events->end(x, &end);
}

static void
collect(curl_transport *t)
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
curl_transport_run(curl_transport *t)
{
    collect(t);
    /* Starting what `end` has added may end something at once; the bound keeps stamps in
     * time. */
    for (int round = 0; round < 4 && t->curl_deadline_ns <= chrono_now(); round++) {
        t->curl_deadline_ns = INT64_MAX;
        transport_act(t, CURL_SOCKET_TIMEOUT, 0);
        collect(t);
    }
}

int64_t
curl_transport_deadline(const curl_transport *t)
{
    return t->curl_deadline_ns;
}

bool
curl_transport_merged(exchange *x)
{
    connection *c = x->private->connection;

    return c != NULL && stamper_merged(&c->stamper, c->item.fd);
}

static void
free_list(void *data)
{
    curl_slist_free_all(data);
}

curl_transport *
curl_transport_new(const struct transport_base *base, GError **error)
{
    curl_transport *t = g_new0(curl_transport, 1);

    t->poller = base->poller;
    t->target = base->target;
    t->events = base->events;
    t->wall = base->wall;
    t->user_clock = base->user_clock || base->target->multiplex;
    t->secure =
        base->target->url != NULL && g_str_has_prefix(base->target->url, "https:");
    t->curl_deadline_ns = INT64_MAX;
    t->resolve = easy_resolve_list(base->target);
    t->header_lists = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_list);
    t->by_fd = g_ptr_array_new();
    t->touched = g_ptr_array_new();
    t->sending = g_ptr_array_new();
    t->multi = curl_multi_init();
    if (t->multi == NULL) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_SYSTEM,
                    "libcurl cannot start: out of memory");
        curl_transport_free(t);
        return NULL;
    }
    curl_multi_setopt(t->multi, CURLMOPT_SOCKETFUNCTION, transport_on_socket_wanted);
    curl_multi_setopt(t->multi, CURLMOPT_SOCKETDATA, t);
    curl_multi_setopt(t->multi, CURLMOPT_TIMERFUNCTION, transport_on_timer_wanted);
    curl_multi_setopt(t->multi, CURLMOPT_TIMERDATA, t);
    curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, 65536L);
    curl_multi_setopt(t->multi, CURLMOPT_PIPELINING,
                      t->target->multiplex ? CURLPIPE_MULTIPLEX : CURLPIPE_NOTHING);
    return t;
}

void
curl_transport_free(curl_transport *t)
{
    if (t == NULL)
        return;
    if (t->multi != NULL)
        curl_multi_cleanup(t->multi);
    for (unsigned i = 0; i < t->by_fd->len; i++)
        connection_drop(t->by_fd->pdata[i]);
    curl_slist_free_all(t->resolve);
    g_hash_table_unref(t->header_lists);
    g_ptr_array_unref(t->by_fd);
    g_ptr_array_unref(t->touched);
    g_ptr_array_unref(t->sending);
    g_free(t);
}
