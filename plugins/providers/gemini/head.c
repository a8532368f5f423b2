/* head: what an answer's headers say, and failed answers. */
#include "gemini.h"

#include "sdk/emit.h"
#include "sdk/failure.h"

/* Copies a header's value, cut and terminated. */
static void
copy_value(struct lens_bytes value, char *out, size_t room)
{
    const size_t size = value.size < room ? value.size : room - 1;

    memcpy(out, value.data, size);
    out[size] = '\0';
}

/* The milliseconds of `gfet4t7; dur=123`, which is the front end; of any other metric
 * where that one is missing. */
static bool
read_timing(struct lens_bytes value, double *ret)
{
    char text[512];
    char *save = NULL;
    bool found = false;

    copy_value(value, text, sizeof text);
    for (char *metric = strtok_r(text, ",", &save); metric != NULL;
         metric = strtok_r(NULL, ",", &save)) {
        const char *duration = strstr(metric, "dur=");
        const bool front_end = strstr(metric, "gfet4t7") != NULL;
        struct lens_json j;

        if (duration == NULL || (found && !front_end))
            continue;
        lens_json_begin(&j, duration + 4, strspn(duration + 4, "0123456789."));
        found = lens_json_double(&j, ret) || found;
    }
    return found;
}

static lens_status
tell_timing(struct lens_sink *sink, const struct lens_pair *headers, uint32_t count,
            uint32_t size)
{
    struct lens_event e = { .struct_size = sizeof e,
                            .kind = LENS_EV_EXTRA,
                            .name = { "server_timing_ms", 16 } };
    const struct lens_bytes value = lens_header(headers, count, size, "server-timing");

    if (value.size == 0 || !read_timing(value, &e.number))
        return LENS_OK;
    e.value = e.number < 1e15 ? (int64_t)e.number : 0;
    e.code = (double)e.value != e.number;
    return sink->event(sink, &e);
}

lens_status
gemini_head(void *stream, const struct lens_head *h, struct lens_sink *sink)
{
    struct stream *s = stream;
    lens_status st = lens_stream_head(stream, h, sink);

    if (st == LENS_OK)
        st = tell_timing(sink, h->headers, h->header_count, h->header_size);
    if (st != LENS_OK)
        return st;
    s->base.sink = sink;
    st = usage_tier(s, lens_header(h->headers, h->header_count, h->header_size,
                                   "x-gemini-service-tier"));
    s->base.sink = NULL;
    return st;
}

lens_status
gemini_classify(void *self, const struct lens_answer *a, struct lens_sink *sink)
{
    lens_status st = tell_timing(sink, a->headers, a->header_count, a->header_size);

    (void)self;
    return st == LENS_OK ? lens_emit_refusal(sink, a) : st;
}
