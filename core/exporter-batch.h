/* exporter-batch: samples of the run file as the ABI shows them, copied so that a plugin
 * may take its time. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include <lens/exporter.h>

#include "runfile.h"

typedef struct batch batch;

/* `trace_seed`: for samples whose ids are not stored. */
batch *batch_new(uint64_t trace_seed);
void batch_free(batch *b);
/* Reads at most `limit` samples behind rank `after`, fewer when their streams are long.
 */
bool batch_read(batch *b, runfile *f, uint64_t after, uint64_t limit, GError **error);
uint64_t batch_count(const batch *b);
const struct lens_sample *const *batch_samples(const batch *b);
/* Rank of the last of the first `count` samples; `count` is not 0. */
uint64_t batch_rank(const batch *b, uint64_t count);
