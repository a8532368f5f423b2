/* The live view: what goes on while a run runs. Shown on stderr, so that results can be
 * piped. */
#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "chrono.h"
#include "paper.h"
#include "report.h"

#define REDRAW_NS (NS_PER_S / 10)
#define LINE_NS (5 * NS_PER_S)
#define BAR_MAX 30
#define LINES_MAX 4

struct live_view {
    paper on;
    bool quiet, terminal;
    unsigned drawn; /* lines on the screen that are ours */
    unsigned lengths[LINES_MAX];
    int64_t last_ns; /* elapsed time of what was shown last; -1: nothing yet */
    char *what;      /* target and stage of that */
};

live_view *
live_view_new(bool quiet)
{
    live_view *v = g_new0(live_view, 1);

    v->quiet = quiet;
    v->on = paper_on(stderr);
    v->terminal = paper_is_terminal(stderr);
    v->last_ns = -1;
    return v;
}

static struct winsize
terminal_size(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 ||
        size.ws_row == 0)
        size = (struct winsize){ .ws_col = PAPER_WIDTH, .ws_row = 24 };
    return size;
}

/* ---- pieces of text ---- */

static char *
clock_text(int64_t ns)
{
    const int64_t s = MAX(ns, 0) / NS_PER_S;

    if (s >= 3600)
        return g_strdup_printf("%d:%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60),
                               (int)(s % 60));
    return g_strdup_printf("%d:%02d", (int)(s / 60), (int)(s % 60));
}

static void
append_time(GString *out, const char *name, double ms)
{
    g_autofree char *text = paper_ms(ms);

    if (isfinite(ms))
        g_string_append_printf(out, "%s%s", name, text);
}

static char *
load_text(const struct live_state *s)
{
    const struct live *n = &s->numbers;
    g_autofree char *done = paper_count(n->done), *rate = paper_amount(n->requests_per_s);
    g_autofree char *tokens = paper_amount(n->output_tokens_per_s);
    GString *out = g_string_new(NULL);

    g_string_append_printf(out, "%s done, %u in flight", done, s->in_flight);
    if (isfinite(n->requests_per_s))
        g_string_append_printf(out, ", %s req/s", rate);
    if (isfinite(n->output_tokens_per_s) && n->output_tokens_per_s > 0)
        g_string_append_printf(out, ", %s tok/s", tokens);
    return g_string_free(out, FALSE);
}

static char *
latency_text(const struct live_state *s)
{
    const struct live *n = &s->numbers;
    GString *out = g_string_new(NULL);

    append_time(out, "ttft p50 ", n->ttft_p50_ms);
    append_time(out, ", p99 ", n->ttft_p99_ms);
    append_time(out, out->len > 0 ? ", itl p50 " : "itl p50 ", n->itl_p50_ms);
    append_time(out, out->len > 0 ? ", client lag p99 " : "client lag p99 ",
                n->lag_p99_ms);
    return g_string_free(out, FALSE);
}

static char *
error_text(const struct live_state *s)
{
    GString *out = g_string_new(NULL);

    for (uint32_t kind = 0; kind < ERROR_KINDS; kind++) {
        if (s->numbers.errors[kind] > 0)
            g_string_append_printf(out, "%s%s %" G_GUINT64_FORMAT,
                                   out->len > 0 ? ", " : "errors: ",
                                   error_kind_name(kind), s->numbers.errors[kind]);
    }
    return g_string_free(out, FALSE);
}

static char *
what_text(const struct live_state *s)
{
    GString *out = g_string_new(s->target != NULL ? s->target : "");

    if (s->stage != NULL)
        g_string_append_printf(out, "%s%s", out->len > 0 ? " " : "", s->stage);
    if (s->note != NULL)
        g_string_append_printf(out, "%s%s", out->len > 0 ? ", " : "", s->note);
    return g_string_free(out, FALSE);
}

/* ---- redrawn in place ---- */

/* One line that cannot wrap: the last column stays free. Nor may it scroll. */
static void
append_line(live_view *v, GString *out, struct winsize size, const char *text)
{
    g_autofree char *line = paper_cut(text, MAX(size.ws_col, 5) - 1);

    if (*text == '\0' || v->drawn == LINES_MAX || v->drawn + 1 >= size.ws_row)
        return;
    g_string_append_printf(out, "%s\033[K\n", line);
    v->lengths[v->drawn++] = (unsigned)g_utf8_strlen(line, -1);
}

static char *
progress_text(const struct live_state *s, unsigned width)
{
    g_autofree char *what = what_text(s), *elapsed = clock_text(s->elapsed_ns);
    GString *out = g_string_new(NULL);

    if (isfinite(s->progress) && width >= 40) {
        const unsigned size = MIN(BAR_MAX, width / 3);
        const unsigned full =
            (unsigned)lround(CLAMP(s->progress, 0.0, 1.0) * (double)size);

        g_string_append_c(out, '[');
        for (unsigned i = 0; i < size; i++)
            g_string_append_c(out, i < full ? '#' : '.');
        g_string_append(out, "] ");
    }
    if (isfinite(s->progress))
        g_string_append_printf(out, "%3.0f %%  ", 100 * CLAMP(s->progress, 0.0, 1.0));
    g_string_append(out, elapsed);
    if (s->remaining_ns >= 0) {
        g_autofree char *remaining = clock_text(s->remaining_ns);

        g_string_append_printf(out, ", %s left", remaining);
    }
    if (*what != '\0')
        g_string_append_printf(out, "  %s", what);
    return g_string_free(out, FALSE);
}

static void
append_erase(const live_view *v, GString *out)
{
    const struct winsize size = terminal_size();
    unsigned rows = 0;

    /* A terminal that was made narrower has wrapped what stood there. */
    for (unsigned i = 0; i < v->drawn; i++)
        rows += 1 + (MAX(v->lengths[i], 1) - 1) / size.ws_col;
    if (rows > 0)
        g_string_append_printf(out, "\033[%uA\r\033[J", rows);
}

static void
redraw(live_view *v, const struct live_state *s)
{
    const struct winsize size = terminal_size();
    g_autofree char *progress = progress_text(s, size.ws_col), *load = load_text(s);
    g_autofree char *latency = latency_text(s), *errors = error_text(s);
    g_autoptr(GString) out = g_string_new(NULL);

    append_erase(v, out);
    v->drawn = 0;
    append_line(v, out, size, progress);
    append_line(v, out, size, load);
    append_line(v, out, size, latency);
    append_line(v, out, size, errors);
    fwrite(out->str, 1, out->len, stderr); /* at once: no flicker */
    fflush(stderr);
}

/* ---- line by line ---- */

static void
print_line(const struct live_state *s)
{
    g_autofree char *what = what_text(s), *elapsed = clock_text(s->elapsed_ns);
    g_autofree char *load = load_text(s), *latency = latency_text(s);
    g_autofree char *errors = error_text(s);

    fprintf(stderr, "%s %s: %s%s%s%s%s\n", elapsed, what, load,
            *latency != '\0' ? ", " : "", latency, *errors != '\0' ? ", " : "", errors);
    fflush(stderr);
}

void
live_view_update(live_view *v, const struct live_state *s)
{
    const int64_t step_ns = v->terminal ? REDRAW_NS : LINE_NS;
    g_autofree char *what = g_strdup_printf("%s\n%s", s->target, s->stage);
    const bool other = g_strcmp0(what, v->what) != 0 || s->elapsed_ns < v->last_ns;

    if (v->quiet)
        return;
    if (other) {
        g_free(v->what);
        v->what = g_steal_pointer(&what);
        v->last_ns = v->terminal ? -1 : s->elapsed_ns;
    }
    if (v->last_ns >= 0 && s->elapsed_ns - v->last_ns < step_ns)
        return;
    v->last_ns = s->elapsed_ns;
    if (v->terminal)
        redraw(v, s);
    else
        print_line(s);
}

void
live_view_clear(live_view *v)
{
    g_autoptr(GString) out = g_string_new(NULL);

    append_erase(v, out);
    v->drawn = 0;
    v->last_ns = v->terminal ? -1 : v->last_ns;
    fwrite(out->str, 1, out->len, stderr);
    fflush(stderr);
}

void
live_view_free(live_view *v)
{
    if (v == NULL)
        return;
    live_view_clear(v);
    g_free(v->what);
    g_free(v);
}
