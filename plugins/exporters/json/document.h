/* document: a JSON document in the form of a layout. Its list of samples is kept beside
 * the file until the numbers of the run are known. */
#pragma once

#include "../common/layout.h"
#include "../common/output.h"

/* Checks the whole template: every field that it names is there. */
lens_status document_check(struct layout *l);
/* One element of the list of samples, with a comma in front and a line end behind. */
void document_sample(const struct layout *l, const struct row *row, struct text *t);
/* The document; `samples` is what document_sample wrote. */
void document_write(const struct layout *l, const struct row *row,
                    const struct text *samples, struct text *t);
