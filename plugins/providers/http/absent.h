/* absent: JSON in which some values are missing, made whole by leaving out what they
 * stand for. */
#pragma once

#include "sdk/text.h"

/* Stands for a value that is missing; no byte of JSON. */
#define ABSENT "\x01"

/* Copies without the members and elements whose value is missing, or is a string of
 * nothing else, and without white space between values. What is no JSON otherwise is
 * copied as it is. */
void absent_remove(const struct lens_text *json, struct lens_text *ret);
