#include "unencode.h"

#include <glib.h>
#include <string.h>
#include <zlib.h>

enum {
    PIECE = 16 * 1024,
    CODINGS_MOST = 5 /* of one answer; more are no use but to waste memory */
};

struct unencoder {
    z_stream stream;
    bool raw_allowed; /* deflate without a zlib head may follow */
    bool has_first;
    Bytef first;  /* a head is judged by its second byte; raw data needs the first too */
    bool over;    /* the coded data has ended; what follows is padding */
    bool is_gzip; /* which may have several members */
    bool between; /* behind a member */
    unencoder *next; /* what it gives out is coded once more; NULL: plain */
};

static unencoder *
unencoder_new(int window, bool raw_allowed, unencoder *next)
{
    unencoder *u = g_new0(unencoder, 1);

    u->raw_allowed = raw_allowed;
    u->is_gzip = window > MAX_WBITS;
    u->next = next;
    if (inflateInit2(&u->stream, window) == Z_OK)
        return u;
    g_free(u);
    return NULL;
}

void
unencoder_free(unencoder *u)
{
    while (u != NULL) {
        unencoder *next = u->next;

        inflateEnd(&u->stream);
        g_free(u);
        u = next;
    }
}

static unsigned
length_of(const unencoder *u)
{
    unsigned length = 0;

    for (; u != NULL; u = u->next)
        length++;
    return length;
}

static bool
is(const char *coding, const char *name)
{
    return g_ascii_strcasecmp(coding, name) == 0;
}

/* The last coding was done last, so it is undone first. */
bool
unencoder_add(unencoder **next, struct lens_bytes codings)
{
    g_autofree char *text = g_strndup(codings.data, codings.size);
    g_auto(GStrv) list = g_strsplit(text, ",", -1);
    unencoder *first = *next;

    for (char **coding = list; *coding != NULL; coding++) {
        unencoder *added = NULL;

        g_strstrip(*coding);
        if (**coding == '\0' || is(*coding, "identity") || is(*coding, "none") ||
            is(*coding, "chunked"))
            continue;
        if (length_of(first) < CODINGS_MOST) {
            if (is(*coding, "gzip") || is(*coding, "x-gzip"))
                added = unencoder_new(MAX_WBITS + 16, false, first);
            else if (is(*coding, "deflate"))
                added = unencoder_new(MAX_WBITS, true, first);
        }
        if (added == NULL) {
            while (first != *next) {
                unencoder *dropped = first;

                first = dropped->next;
                dropped->next = NULL;
                unencoder_free(dropped);
            }
            return false;
        }
        first = added;
    }
    *next = first;
    return true;
}

static void
give(unencoder *u, const void *data, size_t size)
{
    u->stream.next_in = (Bytef *)data;
    u->stream.avail_in = (uInt)size;
}

/* Some servers leave the zlib head out: begins anew without one, if what should be the
 * head, its two bytes, was refused. */
static bool
try_raw(unencoder *u, const char *data, size_t size)
{
    Bytef none;

    if (!u->raw_allowed || u->stream.total_in > 2)
        return false;
    u->raw_allowed = false;
    if (inflateReset2(&u->stream, -MAX_WBITS) != Z_OK)
        return false;
    if (u->has_first) {
        give(u, &u->first, 1);
        u->stream.next_out = &none;
        u->stream.avail_out = 0;
        inflate(&u->stream, Z_SYNC_FLUSH);
    }
    give(u, data, size);
    return true;
}

static void
keep_first(unencoder *u, const char *data, size_t size)
{
    u->has_first = u->raw_allowed && u->stream.total_in == 1;
    if (u->raw_allowed && u->stream.total_in == 0 && size == 1)
        u->first = (Bytef)data[0];
}

/* RFC 1952, 2.2: members follow one another; anything else there is padding. */
static bool
begin_member(unencoder *u)
{
    if (u->stream.avail_in == 0)
        return false;
    u->between = false;
    u->over = *u->stream.next_in != 0x1f || inflateReset(&u->stream) != Z_OK;
    return !u->over;
}

static bool
is_broken(int status)
{
    return status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR;
}

enum unencode_result
unencoder_write(unencoder *u, const char *data, size_t size, unencode_sink sink,
                void *user)
{
    char piece[PIECE];

    if (u == NULL)
        return sink(user, data, size) ? UNENCODE_OK : UNENCODE_STOPPED;
    keep_first(u, data, size);
    give(u, data, size);
    while (!u->over) {
        enum unencode_result result;
        size_t made;
        int status;

        if (u->between && !begin_member(u))
            break;
        u->stream.next_out = (Bytef *)piece;
        u->stream.avail_out = sizeof piece;
        status = inflate(&u->stream, Z_SYNC_FLUSH);
        if (status == Z_DATA_ERROR && try_raw(u, data, size))
            continue;
        made = sizeof piece - u->stream.avail_out;
        if (made > 0) {
            result = unencoder_write(u->next, piece, made, sink, user);
            if (result != UNENCODE_OK)
                return result;
        }
        if (is_broken(status)) /* what came out before is good */
            return UNENCODE_BROKEN;
        u->between = status == Z_STREAM_END && u->is_gzip;
        u->over = status == Z_STREAM_END && !u->is_gzip;
        if (made < sizeof piece && !u->between)
            break;
    }
    return UNENCODE_OK;
}
