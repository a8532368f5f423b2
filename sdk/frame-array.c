#include "frame-cut.h"

enum {
    AWAIT_ARRAY = 0, /* nothing but white space yet */
    AWAIT_FIRST,     /* behind the bracket: an element or the end */
    AWAIT_ELEMENT,   /* behind a comma */
    AWAIT_COMMA,     /* behind an element */
    IN_ELEMENT,      /* object or array, outside of strings */
    IN_STRING,       /* inside an object or array */
    IN_ESCAPE,
    IN_TEXT, /* the element itself is a string */
    IN_TEXT_ESCAPE,
    IN_WORD, /* a number, true, false, null: ends before what follows */
    AFTER_ARRAY
};

/* The walk over one read. */
struct walk {
    struct lens_framer *f;
    const char *data, *element; /* element: where it begins in this read; NULL: before */
    lens_frame_fn fn;
    void *user;
};

/* An element ends before `past`. */
static lens_status
close_element(struct walk *w, const char *past)
{
    struct lens_framer *f = w->f;
    struct lens_frame frame = { .start = f->start };
    lens_status st;

    frame.end = f->position + (uint64_t)(past - w->data);
    frame.flags = f->marks;
    if (w->element != NULL) {
        frame.data.data = w->element;
        frame.data.size = (size_t)(past - w->element);
        if (frame.data.size > LENS_FRAME_LIMIT)
            return LENS_E_TOO_LARGE;
    } else {
        st = lens_framer_keep(f, w->data, (size_t)(past - w->data));
        if (st < 0)
            return st;
        frame.data.data = f->buffer;
        frame.data.size = f->used;
    }
    f->state = f->marks & LENS_FRAME_BARE ? AWAIT_ARRAY : AWAIT_COMMA;
    st = lens_framer_emit(&frame, w->fn, w->user);
    w->element = NULL;
    f->used = 0;
    return st;
}

static void
open_element(struct walk *w, const char *at)
{
    struct lens_framer *f = w->f;

    w->element = at;
    f->start = f->position + (uint64_t)(at - w->data);
    f->depth = 1;
    f->state = *at == '{' || *at == '[' ? IN_ELEMENT : *at == '"' ? IN_TEXT : IN_WORD;
}

/* One byte outside of any element. */
static lens_status
between(struct walk *w, const char *at)
{
    struct lens_framer *f = w->f;

    if (lens_is_blank(*at))
        return LENS_OK;
    switch (f->state) {
    case AWAIT_ARRAY:
        if (*at == '[') {
            f->state = AWAIT_FIRST;
            f->marks = 0;
        } else if (*at == '{') {
            f->marks = LENS_FRAME_BARE;
            open_element(w, at);
        } else {
            return LENS_E_PROTOCOL;
        }
        return LENS_OK;
    case AWAIT_COMMA:
        if (*at != ',' && *at != ']')
            return LENS_E_PROTOCOL;
        f->state = *at == ',' ? AWAIT_ELEMENT : AFTER_ARRAY;
        return LENS_OK;
    case AFTER_ARRAY:
        return LENS_E_PROTOCOL;
    default:
        if (*at == ']' && f->state == AWAIT_FIRST) {
            f->state = AFTER_ARRAY;
            return LENS_OK;
        }
        if (*at == ',' || *at == ']' || *at == '}' || *at == ':')
            return LENS_E_PROTOCOL;
        open_element(w, at);
        return LENS_OK;
    }
}

/* One byte inside an element. */
static lens_status
within(struct walk *w, const char *at)
{
    struct lens_framer *f = w->f;

    switch (f->state) {
    case IN_ELEMENT:
        if (*at == '"')
            f->state = IN_STRING;
        else if (*at == '{' || *at == '[')
            f->depth++;
        else if ((*at == '}' || *at == ']') && --f->depth == 0)
            return close_element(w, at + 1);
        break;
    case IN_STRING:
    case IN_TEXT:
        if (*at == '\\')
            f->state = f->state == IN_STRING ? IN_ESCAPE : IN_TEXT_ESCAPE;
        else if (*at == '"' && f->state == IN_TEXT)
            return close_element(w, at + 1);
        else if (*at == '"')
            f->state = IN_ELEMENT;
        break;
    default:
        f->state = f->state == IN_ESCAPE ? IN_STRING : IN_TEXT;
        break;
    }
    return LENS_OK;
}

static lens_status
step(struct walk *w, const char *at)
{
    const uint32_t state = w->f->state;
    lens_status st;

    if (state == IN_WORD) {
        if (!lens_is_blank(*at) && *at != ',' && *at != ']')
            return LENS_OK;
        st = close_element(w, at);
        return st < 0 ? st : between(w, at);
    }
    if (state >= IN_ELEMENT && state <= IN_TEXT_ESCAPE)
        return within(w, at);
    return between(w, at);
}

lens_status
lens_cut_array(struct lens_framer *f, const char *data, size_t size, lens_frame_fn fn,
               void *user)
{
    struct walk w = { .f = f, .data = data, .fn = fn, .user = user };
    const char *end = data + size;
    lens_status st = LENS_OK;

    for (const char *at = data; at < end && st >= 0; at++)
        st = step(&w, at);
    if (st < 0 || f->state < IN_ELEMENT || f->state == AFTER_ARRAY)
        return st;
    if (w.element == NULL)
        w.element = data;
    return lens_framer_keep(f, w.element, (size_t)(end - w.element));
}

lens_status
lens_end_array(struct lens_framer *f, lens_frame_fn fn, void *user)
{
    (void)fn;
    (void)user;
    return f->state == AWAIT_ARRAY || f->state == AFTER_ARRAY ? LENS_OK : LENS_E_PROTOCOL;
}
