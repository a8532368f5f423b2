#include "words.h"

#include <stdio.h>
#include <string.h>

lens_status
words_each(const struct lens_host *host, const char *option, word_fn fn, void *data)
{
    const int32_t count = host->opt_count(host, option);
    lens_status status = LENS_OK;

    for (int32_t i = 0; i < count; i++) {
        const char *at = host->opt_string(host, option, (uint32_t)i);

        while (at != NULL && status == LENS_OK) {
            const size_t size = strcspn(at, "+");
            char word[256];

            snprintf(word, sizeof word, "%.*s", (int)size, at);
            status = fn(data, word);
            at = at[size] == '+' ? at + size + 1 : NULL;
        }
    }
    return status;
}
