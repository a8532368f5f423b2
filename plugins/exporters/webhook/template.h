/* template: a body of the user's own, filled in from an event. {{path.to.member}} becomes
 * the member: a string without its quotes but escaped, so that it can stand inside quotes
 * of the template; any other value as JSON; what is not there as `null`. {{json}} is the
 * whole event. */
#pragma once

#include <lens/abi.h>

#include "../common/text.h"

/* Whether the braces of a template pair up; where not: the line, from 1. */
int template_check(const char *text, size_t size, uint32_t *ret_line);
void template_fill(const char *text, size_t size, const struct text *event,
                   struct text *out);
