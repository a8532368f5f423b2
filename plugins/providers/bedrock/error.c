/* error: what goes wrong in a stream, as exception and error frames. */
#include "bedrock.h"
#include "sdk/complaint.h"

static struct lens_bytes
copied(struct lens_bytes text, char *room, size_t size)
{
    const size_t used = text.size < size ? text.size : size;

    if (used > 0)
        memcpy(room, text.data, used);
    return (struct lens_bytes){ room, used };
}

lens_status
error_frame(struct stream *s, const struct lens_frame *f)
{
    struct lens_failure failure = { .struct_size = sizeof failure,
                                    .error_class = LENS_CLASS_STREAM_ERROR };
    struct lens_bytes message = { 0 };
    struct lens_words w;
    lens_status st = LENS_OK;

    lens_words_clear(&w);
    lens_words_read(&w, f->data);
    w.complaint.code = copied(f->name, w.code_room, sizeof w.code_room);
    if (lens_frame_header(f, ":error-message", &message) && message.size > 0)
        w.complaint.message = copied(message, w.message, sizeof w.message);
    failure.kind = lens_failure_kind(&w.complaint);
    if (failure.kind == LENS_KIND_BLOCKED && !(s->base.flags & LENS_STREAM_OUTPUT))
        failure.error_class = LENS_CLASS_BLOCKED;
    failure.retryable = lens_failure_retryable(failure.kind);
    failure.retry_after_ns = w.retry_after_ns;
    failure.message = w.complaint.message;
    failure.code = w.complaint.code;
    if (!(s->base.flags & LENS_STREAM_FAILED)) {
        s->base.flags |= LENS_STREAM_FAILED;
        st = s->base.sink->fault(s->base.sink, &failure);
    }
    return st == LENS_OK ? lens_stream_message(&s->base, LENS_MSG_ERROR, f, -1) : st;
}
