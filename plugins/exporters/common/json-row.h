/* json-row: one line of JSON Lines. */
#pragma once

#include "column.h"
#include "text.h"

/* All fields of a sample, with objects for tokens and error; `marks`: with all messages
 * of its stream. */
void json_sample(const struct lens_sample *s, const struct run_names *names, int marks,
                 struct text *t);
/* A flat object of the columns. */
void json_row(const struct columns *columns, const struct row *row, struct text *t);
