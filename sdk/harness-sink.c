/* What a decoder tells, checked and written down. */
#include <string.h>

#include "harness-private.h"
#include "utf8.h"

static struct lens_harness *
harness_of(struct lens_sink *sink)
{
    return (void *)((char *)sink - offsetof(struct lens_harness, sink));
}

static void
check_text(struct lens_harness *h, const char *what, struct lens_bytes text)
{
    const char *at = text.size > 0 ? text.data : "", *end = at + text.size;

    while (at < end) {
        const unsigned size = lens_utf8_length(at, end);

        if (size == 0) {
            lens_harness_problem(h, "an event's %s is not UTF-8", what);
            return;
        }
        at += size;
    }
}

static void
add_bytes(struct lens_sheet *t, struct lens_bytes bytes)
{
    lens_sheet_print(t, " %zu:", bytes.size);
    lens_sheet_add(t, bytes.data, bytes.size);
}

static lens_status
sink_event(struct lens_sink *sink, const struct lens_event *e)
{
    struct lens_harness *h = harness_of(sink);

    if (harness_fails(h, "sink event"))
        return LENS_E_NOMEM;
    if (e->struct_size < offsetof(struct lens_event, text) + sizeof e->text)
        lens_harness_problem(h, "an event's struct_size is %u", e->struct_size);
    if (e->kind == 0)
        lens_harness_problem(h, "an event's kind is 0");
    check_text(h, "name", e->name);
    check_text(h, "text", e->text);
    lens_sheet_print(&h->events, "event %u lane %u code %u value %lld number %.17g",
                     e->kind, e->lane, e->code, (long long)e->value, e->number);
    add_bytes(&h->events, e->name);
    add_bytes(&h->events, e->text);
    lens_sheet_add(&h->events, "\n", 1);
    if (e->kind == LENS_EV_TEXT)
        lens_sheet_add(&h->answer, e->text.data, e->text.size);
    if (e->kind == LENS_EV_MODEL) {
        lens_sheet_add(&h->models, e->text.data, e->text.size);
        lens_sheet_add(&h->models, "\n", 1);
    }
    if (e->kind == LENS_EV_FOLLOW_UP && e->code != LENS_FOLLOW_AFTER) {
        h->follow_up.size = 0;
        lens_sheet_add(&h->follow_up, e->text.data, e->text.size);
    }
    h->credentials += e->kind == LENS_EV_CREDENTIAL;
    if (e->kind == LENS_EV_USAGE && e->value < 0)
        lens_harness_problem(h, "usage %u is %lld; leave unknown counts out", e->code,
                             (long long)e->value);
    if (e->kind == LENS_EV_USAGE && e->code == LENS_USAGE_OUTPUT)
        h->output_tokens = e->value;
    h->warnings += e->kind == LENS_EV_WARN;
    return LENS_OK;
}

static lens_status
sink_message(struct lens_sink *sink, uint32_t classes, uint64_t start, uint64_t end,
             int64_t tokens)
{
    struct lens_harness *h = harness_of(sink);

    if (harness_fails(h, "sink message"))
        return LENS_E_NOMEM;
    if (classes == 0)
        lens_harness_problem(h, "a message has no class; LENS_MSG_OTHER says so");
    if (start > end || end > h->body_size)
        lens_harness_problem(h, "a message lies at %llu to %llu, %llu bytes were given",
                             (unsigned long long)start, (unsigned long long)end,
                             (unsigned long long)h->body_size);
    if (tokens < -1)
        lens_harness_problem(h, "a message carries %lld tokens", (long long)tokens);
    h->message_end = end;
    h->classes |= classes;
    lens_sheet_print(&h->messages, "message %u %llu %llu %lld\n", classes,
                     (unsigned long long)start, (unsigned long long)end,
                     (long long)tokens);
    lens_sheet_print(&h->events, "message %u %llu %llu %lld\n", classes,
                     (unsigned long long)start, (unsigned long long)end,
                     (long long)tokens);
    return LENS_OK;
}

static lens_status
sink_fault(struct lens_sink *sink, const struct lens_failure *f)
{
    struct lens_harness *h = harness_of(sink);

    if (harness_fails(h, "sink fault"))
        return LENS_E_NOMEM;
    if (f->struct_size < offsetof(struct lens_failure, request_id) + sizeof f->request_id)
        lens_harness_problem(h, "a fault's struct_size is %u", f->struct_size);
    if (f->error_class == LENS_CLASS_NONE || f->kind == LENS_KIND_NONE)
        lens_harness_problem(h, "a fault has class %u and kind %u", f->error_class,
                             f->kind);
    if (f->retry_after_ns < -1)
        lens_harness_problem(h, "a fault's retry_after_ns is %lld; -1 is: not said",
                             (long long)f->retry_after_ns);
    if (h->faults++ == 0) {
        h->fault_class = f->error_class;
        h->fault_kind = f->kind;
    }
    lens_sheet_print(&h->events, "fault %u %u %d %lld", f->error_class, f->kind,
                     f->retryable, (long long)f->retry_after_ns);
    add_bytes(&h->events, f->message);
    add_bytes(&h->events, f->code);
    add_bytes(&h->events, f->request_id);
    lens_sheet_add(&h->events, "\n", 1);
    return LENS_OK;
}

struct lens_sink *
lens_harness_sink(struct lens_harness *h, uint32_t wants)
{
    h->sink.struct_size = (uint32_t)sizeof h->sink;
    h->sink.wants = wants;
    h->sink.event = sink_event;
    h->sink.message = sink_message;
    h->sink.fault = sink_fault;
    return &h->sink;
}
