/* template: text with {{placeholders}} that the parameters of an ask are put into.
 *
 * In JSON a placeholder outside of quotes becomes a JSON value, one inside of quotes
 * becomes escaped text. A parameter that is not set takes the default behind a bar
 * ({{max_tokens|256}}); without one the member or element that it stands for is left
 * out. */
#pragma once

#include <lens/provider.h>

#include "sdk/text.h"

enum template_form {
    TEMPLATE_JSON = 0,
    TEMPLATE_TEXT, /* as it is */
    TEMPLATE_FORM  /* percent-encoded: forms, paths */
};

/* LENS_E_CONFIG: an unknown placeholder, or no JSON with `why` saying what and where;
 * LENS_E_UNSUPPORTED: the prompt has parts without a place; LENS_E_NOMEM. */
lens_status template_render(const char *text, enum template_form form,
                            const struct lens_ask *ask, struct lens_text *ret, char *why,
                            size_t size);
/* Renders with everything set and with nothing set, to find mistakes at `open`. */
lens_status template_check(const char *text, enum template_form form, char *why,
                           size_t size);
