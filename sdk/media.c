#include "media.h"

#include <string.h>

static int
starts_with(struct lens_bytes text, const char *start)
{
    const size_t size = strlen(start);

    return text.size >= size && memcmp(text.data, start, size) == 0;
}

static void
set(struct lens_bytes *b, const char *text)
{
    b->data = text;
    b->size = strlen(text);
}

/* data:image/png;base64,AAAA */
static void
take_data_url(struct lens_medium *m)
{
    const struct lens_bytes url = m->url;
    const char *comma = url.size > 0 ? memchr(url.data, ',', url.size) : NULL;
    size_t head;

    if (comma == NULL || !starts_with(url, "data:"))
        return;
    head = (size_t)(comma - url.data);
    if (head < 7 || memcmp(comma - 7, ";base64", 7) != 0)
        return;
    m->base64.data = comma + 1;
    m->base64.size = url.size - head - 1;
    m->url.size = 0;
    if (head > 12 && m->mime.size == 0) {
        const char *semicolon = memchr(url.data + 5, ';', head - 5);

        m->mime.data = url.data + 5;
        m->mime.size = (size_t)(semicolon - url.data) - 5;
    }
}

struct lens_medium
lens_medium_of(const struct lens_part *part)
{
    struct lens_medium m;

    memset(&m, 0, sizeof m);
    m.mime = part->mime;
    m.url = part->url;
    m.bytes = part->data;
    take_data_url(&m);
    if (m.mime.size == 0)
        set(&m.mime, part->kind == LENS_PART_AUDIO   ? "audio/wav"
                     : part->kind == LENS_PART_IMAGE ? "image/png"
                                                     : "application/octet-stream");
    return m;
}

void
lens_medium_write(struct lens_writer *w, const struct lens_medium *m)
{
    if (m->base64.size > 0) {
        lens_write_bytes(w, m->base64.data, m->base64.size);
        return;
    }
    lens_write_base64(w, m->bytes.data, m->bytes.size);
}

struct lens_bytes
lens_medium_format(const struct lens_medium *m)
{
    const char *slash = memchr(m->mime.data, '/', m->mime.size);
    struct lens_bytes format = m->mime;

    if (slash != NULL) {
        format.size -= (size_t)(slash + 1 - m->mime.data);
        format.data = slash + 1;
    }
    if (format.size == 3 && memcmp(format.data, "jpg", 3) == 0)
        set(&format, "jpeg");
    return format;
}
