/* json-scan: values of JSON numbers that were found well-formed. Private to the SDK. */
#pragma once

#include <lens/abi.h>

/* 0 when the number is not whole or does not fit 64 bits. Never goes through double. */
int lens_number_to_int(struct lens_bytes text, int64_t *ret);
/* Correctly rounded, whatever the locale; infinite when it is too big. */
double lens_number_to_double(struct lens_bytes text);
