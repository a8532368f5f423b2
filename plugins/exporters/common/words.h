/* words: a list as an option takes it: given several times, or with `+` between. */
#pragma once

#include <lens/plugin.h>

typedef lens_status (*word_fn)(void *data, const char *word);
/* Stops at the first failure, which it returns. Words are cut to 255 bytes. */
lens_status words_each(const struct lens_host *host, const char *option, word_fn fn,
                       void *data);
