/* payload: bodies of Datadog's metric intakes.
 * v2 series: docs.datadoghq.com/api/latest/metrics/#submit-metrics;
 * distribution points: .../#submit-distribution-points. Times there are whole seconds. */
#pragma once

#include <names.h>
#include <write.h>

#include "../common/field.h"
#include "../common/text.h"

/* What all series share. */
struct origin {
    char *host_name;
    struct run_names names;
    const char *tags[16]; /* of the user, "key:value" */
    uint32_t tag_count;
};
lens_status origin_take(struct origin *o, const struct lens_run *run);
void origin_clear(struct origin *o);

/* Fields of a sample that are rows of the name table. */
struct distribution {
    const struct field *field;
    const struct lens_name *name;
};
#define MOST_DISTRIBUTIONS 40
uint32_t distributions_find(struct distribution ret[MOST_DISTRIBUTIONS]);

/* Writes the series of a snapshot; how many they are. */
uint32_t payload_snapshot(const struct origin *o, const struct lens_snapshot *snapshot,
                          struct text *out);
/* Writes the distribution points of samples `first` to `end` - 1; how many series they
 * are. */
uint32_t payload_samples(const struct origin *o, const struct distribution *list,
                         uint32_t list_count, const struct lens_sample *const *batch,
                         uint64_t count, struct text *out);
