/* json-scan: values of numbers and escapes of JSON. Private to the SDK. */
#pragma once

#include <lens/abi.h>

/* The four hex digits at `at`; 0 when they are none. */
int lens_json_hex(const char *at, const char *end, uint32_t *ret);
/* Of a number that was found well-formed. 0 when the number is not whole or does not fit
 * 64 bits. Never goes through double. */
int lens_number_to_int(struct lens_bytes text, int64_t *ret);
/* Correctly rounded, whatever the locale; infinite when it is too big. */
double lens_number_to_double(struct lens_bytes text);
