/* value: how a value is written in CSV and in JSON. */
#pragma once

#include "column.h"
#include "text.h"
#include "write.h"

/* Quoted where RFC 4180 wants it; nothing when unknown. */
void value_to_csv(const struct value *v, struct text *t);
void text_to_csv(const char *string, struct text *t);
void value_to_json(const struct value *v, struct lens_writer *w);
