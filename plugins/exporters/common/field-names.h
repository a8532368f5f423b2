/* field-names: the words of docs/streams.md 3-4 and of the run file, by their codes.
 * NULL for codes that this version does not know. */
#pragma once

#include <stdint.h>

const char *outcome_word(uint32_t outcome);
const char *part_word(uint32_t part);
const char *clock_word(uint32_t clock);
const char *kind_word(uint32_t kind);
const char *class_word(uint32_t error_class);
const char *where_word(uint32_t where);
/* The lowest class of a message that is set in `rest`, which is taken out of it. */
const char *message_word(uint32_t *rest);
