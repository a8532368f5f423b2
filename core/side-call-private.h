/* side-call-private: shared by the files of the side calls only. */
#pragma once

#include "side-call.h"
#include "transport-ask.h"

enum { SIDE_BODY_LIMIT = 8 * 1024 * 1024 };

struct side_call {
    const plan_target *target;
    instance *provider;
    GString *credential; /* NULL: none */
    char *model;         /* NULL: the target's */
};

struct side_sink {
    struct lens_sink sink; /* first */
    struct side_answer *answer;
};

void side_sink_init(struct side_sink *sink, struct side_answer *answer);
void side_answer_init(struct side_answer *a);
/* Describes a call of a kind. */
lens_status side_call_describe(side_call *s, uint32_t kind, const char *about,
                               struct lens_request *request);
/* Describes a short request of the target's api. */
lens_status side_call_describe_test(side_call *s, struct lens_request *request);
/* SIDE_OK only when the answer was one. */
enum side_result side_call_judge(const side_call *s, const struct side_answer *a,
                                 enum side_result result, GError **error);
