/* samples: the table of samples, ours or one whose columns a file maps. */
#pragma once

#include "table.h"

struct sample_table {
    struct table table;
    struct columns columns; /* of the table's items that are fields, in their order */
};

/* lens_sample: every field. */
lens_status sample_table_own(struct sample_table *t, const struct lens_host *host);
/* A table of the user's: lines "column = source", `#` starts a comment. Says file and
 * line of what it does not understand. `path` NULL: the columns of an observatory. */
lens_status sample_table_mapped(struct sample_table *t, const struct lens_host *host,
                                const char *path);
void sample_table_clear(struct sample_table *t);
void sample_table_row(const struct sample_table *t, const struct lens_sample *s,
                      const struct run_names *names, struct text *out);
