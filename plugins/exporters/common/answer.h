/* answer: what follows from the answer of an HTTP receiver, as data: one table of rules
 * per protocol, each with its source. */
#pragma once

#include <lens/plugin.h>

enum answer_act {
    ANSWER_OK,       /* it has it */
    ANSWER_LATER,    /* the same again, after Retry-After or the host's backoff */
    ANSWER_SPLIT,    /* too big: in smaller pieces */
    ANSWER_BAD_DATA, /* something in it will never be taken */
    ANSWER_GIVE_UP   /* nothing will be taken as things stand */
};

struct answer_rule {
    int32_t from, to;   /* HTTP status, both inclusive */
    const char *text;   /* what must stand in the body, any case; NULL: anything */
    uint32_t act;       /* ANSWER_* */
    const char *advice; /* what the user can do about it; NULL: nothing */
    const char *source; /* where it is said */
};

/* The first rule that fits; what fits none is LATER for 5xx and GIVE_UP for the rest. */
const struct answer_rule *answer_rule_for(const struct answer_rule *rules, size_t count,
                                          const struct lens_http_answer *answer);

/* Whether `text` stands in the bytes, any case. */
int answer_holds(const struct lens_bytes *bytes, const char *text);
/* The value of a header, any case; empty when there is none. */
struct lens_bytes answer_header(const struct lens_http_answer *answer, const char *name);
/* "NAME answered 404: what the body says; advice" into `ret`, one line, cut to its size.
 * JSON bodies are read for `members` ("error", "error.message"), a list that NULL ends.
 */
void answer_say(const char *name, const struct lens_http_answer *answer,
                const struct answer_rule *rule, const char *const *members, char *ret,
                size_t size);
