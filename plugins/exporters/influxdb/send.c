#include "send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

/* So many in a row, and it is not the lines that are at fault. */
#define HOPELESS 200

void
sender_close(struct sender *s)
{
    free(s->refused);
    influx_api_close(&s->api);
}

/* ---- refused lines ---- */

static void
tell_first(struct sender *s, const struct lines *lines, uint32_t nth)
{
    const struct lens_host *host = s->api.receiver.host;
    const size_t start = lines_start(lines, nth), end = lines_start(lines, nth + 1);
    const size_t size = end - start < 160 ? end - start : 160;
    char text[1400];

    if (s->told)
        return;
    s->told = 1;
    snprintf(text, sizeof text, "refused for good: %s; the line is: %.*s", s->api.why,
             (int)size, lines->text.data + start);
    host->log(host, LENS_LOG_WARNING, text);
}

static enum answer_act
refuse(struct sender *s, const struct lines *lines, uint32_t nth)
{
    if (s->refused_count == s->refused_capacity) {
        const uint32_t wanted = s->refused_capacity * 2 + 64;
        uint64_t *grown = realloc(s->refused, wanted * sizeof *grown);

        if (grown == NULL) {
            snprintf(s->api.why, sizeof s->api.why, "out of memory");
            return ANSWER_LATER;
        }
        s->refused = grown;
        s->refused_capacity = wanted;
    }
    tell_first(s, lines, nth);
    s->refused[s->refused_count++] = nth;
    return ANSWER_OK;
}

/* ---- which lines it was ---- */

/* v3 lists them: {"data":[{"line_number":2,"error_message":...}]}. Marks what stands in
 * `bad` (zeroed, one per line); returns how many, -1: there is no such list. */
static int64_t
listed(const struct lens_http_answer *answer, uint8_t *bad, uint32_t count)
{
    struct lens_bytes key;
    struct lens_json j;
    int64_t number, found = 0, outside = 0;

    if (!lens_json_find(answer->body.data, answer->body.size, "data", &j) ||
        lens_json_peek(&j) != LENS_JSON_ARRAY)
        return -1;
    for (lens_json_array(&j); lens_json_element(&j);)
        for (lens_json_object(&j); lens_json_member(&j, &key);) {
            if (!lens_json_is(&key, "line_number")) {
                lens_json_skip(&j);
            } else if (!lens_json_int(&j, &number) || number < 1 || number > count) {
                outside++;
            } else if (!bad[number - 1]) {
                bad[number - 1] = 1;
                found++;
            }
        }
    return j.bad || outside > 0 || found == 0 ? -1 : found;
}

/* v1 and v2 tell how many points were dropped: "... dropped=12". */
static int64_t
dropped(const struct lens_http_answer *answer)
{
    static const char word[] = "dropped=";
    const struct lens_bytes *b = &answer->body;
    int64_t count = -1;

    for (size_t i = 0; i + sizeof word - 1 <= b->size; i++) {
        if (memcmp(b->data + i, word, sizeof word - 1) != 0)
            continue;
        count = 0;
        for (i += sizeof word - 1; i < b->size && b->data[i] >= '0' && b->data[i] <= '9';
             i++)
            count = count < INT64_MAX / 100 ? count * 10 + (b->data[i] - '0') : count;
    }
    return count;
}

/* Refuses the lines that the answer names; 0: it names none. */
static int
refuse_named(struct sender *s, const struct lines *lines, uint32_t from, uint32_t to,
             const struct lens_http_answer *answer, enum answer_act *ret)
{
    const uint32_t count = to - from;
    const int all = count == 1 || dropped(answer) == count;
    uint8_t *bad = all ? NULL : calloc(count, 1);

    *ret = ANSWER_OK;
    if (!all && (bad == NULL || listed(answer, bad, count) < 0)) {
        free(bad);
        return 0;
    }
    for (uint32_t i = 0; i < count && *ret == ANSWER_OK; i++)
        if (all || bad[i])
            *ret = refuse(s, lines, from + i);
    s->hopeless = all ? s->hopeless + count : 0;
    free(bad);
    return 1;
}

/* ---- sending ---- */

static enum answer_act send_range(struct sender *s, const struct lines *lines,
                                  uint32_t from, uint32_t to);

static enum answer_act
send_halves(struct sender *s, const struct lines *lines, uint32_t from, uint32_t to)
{
    const uint32_t middle = from + (to - from) / 2;
    const enum answer_act act = send_range(s, lines, from, middle);

    return act == ANSWER_OK ? send_range(s, lines, middle, to) : act;
}

/* What became of the lines when the answer is bad data: the ones that are named are
 * refused; otherwise each half is tried, so that one bad line costs one line. Lines that
 * the receiver took already are the same points again, which changes nothing. */
static enum answer_act
find_bad(struct sender *s, const struct lines *lines, uint32_t from, uint32_t to,
         const struct lens_http_answer *answer)
{
    enum answer_act act;

    if (!refuse_named(s, lines, from, to, answer, &act))
        return send_halves(s, lines, from, to);
    if (act != ANSWER_OK)
        return act;
    s->done = to;
    if (s->hopeless < HOPELESS || dropped(answer) >= 0)
        return ANSWER_OK;
    s->done = s->refused_count = 0; /* nothing is lost by it: they stay in the run file */
    return ANSWER_GIVE_UP;
}

static enum answer_act
send_range(struct sender *s, const struct lines *lines, uint32_t from, uint32_t to)
{
    const size_t start = lines_start(lines, from), end = lines_start(lines, to);
    const struct answer_rule *rule;
    struct lens_http_answer answer;

    if (start == end) { /* nothing to tell */
        s->done = to;
        return ANSWER_OK;
    }
    if (influx_api_write(&s->api, lines->text.data + start, end - start, &answer,
                         &rule) != LENS_OK)
        return ANSWER_LATER;
    switch (rule->act) {
    case ANSWER_OK:
        s->done = to;
        s->hopeless = 0;
        return ANSWER_OK;
    case ANSWER_SPLIT:
        if (to - from == 1)
            break;
        s->most = (to - from) / 2; /* also of the posts to come */
        return send_halves(s, lines, from, to);
    case ANSWER_BAD_DATA:
        return find_bad(s, lines, from, to, &answer);
    default:
        s->retry_after_ns = answer.retry_after_ns;
        return rule->act;
    }
    s->done = to;
    return refuse(s, lines, from);
}

enum answer_act
sender_send(struct sender *s, const struct lines *lines)
{
    enum answer_act act = ANSWER_OK;

    s->done = s->refused_count = 0;
    s->retry_after_ns = 0;
    if (lines->failed) {
        snprintf(s->api.why, sizeof s->api.why, "out of memory");
        return ANSWER_LATER;
    }
    while (act == ANSWER_OK && s->done < lines->count) {
        const uint32_t left = lines->count - s->done;

        act = send_range(s, lines, s->done, s->done + (left < s->most ? left : s->most));
    }
    return act;
}
