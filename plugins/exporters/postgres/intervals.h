/* intervals: the table lens_interval, a row for each interval, target and stage. */
#pragma once

#include "table.h"

/* 0: no memory. */
int interval_table_make(struct table *t);
void interval_row(const struct table *t, const struct lens_snapshot *s,
                  const struct lens_result *r, const struct run_names *names,
                  struct text *out);
