#include "answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../common/answer.h"
#include "json.h"

/* ---- protobuf, as far as it is needed ---- */

struct reader {
    const unsigned char *at, *end;
};
struct field {
    uint32_t number;
    uint64_t integer;
    struct lens_bytes bytes;
};

static int
read_varint(struct reader *r, uint64_t *ret)
{
    *ret = 0;
    for (unsigned shift = 0; r->at < r->end && shift < 64; shift += 7) {
        const unsigned char byte = *r->at++;

        *ret |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return 1;
    }
    return 0;
}

/* The next field; 0 at the end, and where it is no protobuf. */
static int
read_field(struct reader *r, struct field *f)
{
    uint64_t key, size;

    if (!read_varint(r, &key))
        return 0;
    *f = (struct field){ .number = (uint32_t)(key >> 3) };
    switch (key & 7) {
    case 0:
        return read_varint(r, &f->integer);
    case 1:
        size = 8;
        break;
    case 5:
        size = 4;
        break;
    case 2:
        if (!read_varint(r, &size))
            return 0;
        break;
    default:
        return 0;
    }
    if (size > (uint64_t)(r->end - r->at))
        return 0;
    f->bytes = (struct lens_bytes){ (const char *)r->at, (size_t)size };
    r->at += size;
    return 1;
}

static struct reader
reader_of(const struct lens_bytes *bytes)
{
    const unsigned char *data = (const unsigned char *)bytes->data;

    return (struct reader){ data, data == NULL ? data : data + bytes->size };
}

static void
keep_text(char *ret, size_t room, struct lens_bytes text)
{
    const size_t size = text.size < room ? text.size : room - 1;

    if (size > 0)
        memcpy(ret, text.data, size);
    ret[size] = '\0';
}

/* ---- partial success ---- */

void
partial_protobuf(const struct lens_bytes *body, struct partial *ret)
{
    struct reader r = reader_of(body);
    struct field outer, inner;

    memset(ret, 0, sizeof *ret);
    while (read_field(&r, &outer)) {
        struct reader in = reader_of(&outer.bytes);

        while (outer.number == 1 && read_field(&in, &inner)) {
            if (inner.number == 1)
                ret->rejected = inner.integer;
            else if (inner.number == 2)
                keep_text(ret->message, sizeof ret->message, inner.bytes);
        }
    }
}

static int
find_text(const struct lens_bytes *body, const char *path, char *ret, size_t room)
{
    struct lens_json_string text;
    struct lens_json j;
    char plain[512];

    if (!lens_json_find(body->data, body->size, path, &j) || !lens_json_string(&j, &text))
        return 0;
    if (text.raw.size > sizeof plain)
        text.raw.size = sizeof plain;
    keep_text(ret, room, (struct lens_bytes){ plain, lens_json_unescape(&text, plain) });
    return 1;
}

/* Counts are decimal strings; a number is taken too. */
static uint64_t
find_count(const struct lens_bytes *body, const char *path)
{
    struct lens_json j;
    char text[32];
    int64_t count = 0;

    if (find_text(body, path, text, sizeof text))
        return strtoull(text, NULL, 10);
    if (lens_json_find(body->data, body->size, path, &j) && lens_json_int(&j, &count))
        return count > 0 ? (uint64_t)count : 0;
    return 0;
}

void
partial_json(const struct lens_bytes *body, struct partial *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->rejected = find_count(body, "partialSuccess.rejectedDataPoints") +
                    find_count(body, "partialSuccess.rejectedSpans");
    find_text(body, "partialSuccess.errorMessage", ret->message, sizeof ret->message);
}

/* ---- google.rpc.Status ---- */

/* google.rpc.RetryInfo { Duration retry_delay = 1 { seconds = 1, nanos = 2 } } */
static int64_t
retry_delay(const struct lens_bytes *info)
{
    struct reader r = reader_of(info);
    struct field f, part;
    int64_t delay = 0;

    while (read_field(&r, &f)) {
        struct reader in = reader_of(&f.bytes);

        while (f.number == 1 && read_field(&in, &part)) {
            if (part.number == 1 && part.integer < 86400 * 365)
                delay += (int64_t)part.integer * 1000000000;
            else if (part.number == 2 && part.integer < 1000000000)
                delay += (int64_t)part.integer;
        }
    }
    return delay;
}

static void
read_detail(const struct lens_bytes *any, struct rpc_status *ret)
{
    static const char retry_info[] = "google.rpc.RetryInfo";
    struct reader r = reader_of(any);
    struct lens_bytes type = { NULL, 0 }, value = { NULL, 0 };
    struct field f;

    while (read_field(&r, &f)) {
        if (f.number == 1)
            type = f.bytes;
        else if (f.number == 2)
            value = f.bytes;
    }
    if (type.size >= sizeof retry_info - 1 &&
        memcmp(type.data + type.size - (sizeof retry_info - 1), retry_info,
               sizeof retry_info - 1) == 0)
        ret->retry_after_ns = retry_delay(&value);
}

void
rpc_status_protobuf(const struct lens_bytes *body, struct rpc_status *ret)
{
    struct reader r = reader_of(body);
    struct field f;

    ret->message[0] = '\0';
    ret->retry_after_ns = -1;
    while (read_field(&r, &f)) {
        if (f.number == 2)
            keep_text(ret->message, sizeof ret->message, f.bytes);
        else if (f.number == 3)
            read_detail(&f.bytes, ret);
    }
}

/* ---- gRPC over HTTP/2 (grpc/grpc doc/PROTOCOL-HTTP2.md) ---- */

static struct lens_bytes
trailer_of(const struct lens_http_answer *answer, const char *name)
{
    const char *at = (const char *)answer->trailers;

    for (uint32_t i = 0; i < answer->trailer_count; i++, at += answer->trailer_size) {
        const struct lens_pair *p = (const struct lens_pair *)(const void *)at;

        if (p->name.size == strlen(name) &&
            strncasecmp(p->name.data, name, p->name.size) == 0)
            return p->value;
    }
    return answer_header(answer, name);
}

static size_t
decode_base64(struct lens_bytes text, char *out, size_t room)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    unsigned held = 0;
    size_t size = 0;

    for (size_t i = 0; i < text.size && size < room; i++) {
        const char *at = text.data[i] != '\0' ? strchr(alphabet, text.data[i]) : NULL;

        if (at == NULL)
            break;
        bits = bits << 6 | (uint32_t)(at - alphabet);
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[size++] = (char)(bits >> held);
        }
    }
    return size;
}

void
grpc_end_read(const struct lens_http_answer *answer, struct grpc_end *ret)
{
    const struct lens_bytes code = trailer_of(answer, "grpc-status");
    const struct lens_bytes message = trailer_of(answer, "grpc-message");
    const struct lens_bytes details = trailer_of(answer, "grpc-status-details-bin");
    char raw[2048];
    struct lens_bytes decoded = { raw, decode_base64(details, raw, sizeof raw) };
    char digits[12];

    rpc_status_protobuf(&decoded, &ret->status);
    if (message.size > 0)
        keep_text(ret->status.message, sizeof ret->status.message, message);
    keep_text(digits, sizeof digits, code);
    ret->code = code.size > 0 ? atoi(digits) : -1;
}

struct lens_bytes
grpc_message(const struct lens_http_answer *answer)
{
    const unsigned char *head = (const unsigned char *)answer->body.data;

    if (answer->body.size < 5 || head[0] != 0)
        return (struct lens_bytes){ NULL, 0 };
    return (struct lens_bytes){ answer->body.data + 5, answer->body.size - 5 };
}
