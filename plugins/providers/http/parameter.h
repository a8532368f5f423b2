/* parameter: what placeholders stand for. */
#pragma once

#include <lens/provider.h>

#include "sdk/text.h"

/* All of them, for messages. */
extern const char parameter_names[];

/* Adds the value of a parameter; `ret_text`: it is text, not a JSON value. LENS_DONE: it
 * is not set. LENS_E_CONFIG: there is none of that name. LENS_E_UNSUPPORTED: the prompt
 * has parts that it cannot carry. */
lens_status parameter_get(struct lens_bytes name, const struct lens_ask *ask,
                          struct lens_text *ret, int *ret_text);
