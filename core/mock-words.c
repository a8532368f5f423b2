#include "mock-private.h"

/* The text goes round in these; the second table has characters of two, three and four
 * bytes. */
static const char *const plain[] = {
    " The",    " river", " runs",   " past",  " the",   " mill", " and",   " under",
    " an",     " old",   " bridge", ",",      " where", " two",  " roads", " meet",
    " before", " they",  " part",   " again", " for",   " the",  " hills", ".",
};
static const char *const accented[] = {
    " na\u00efve", " caf\u00e9",  " \u03bb",         " \u65e5\u672c\u8a9e",
    " \u20ac",     " \U0001f30d", " gr\u00fc\u00df", " \u0416\u0443\u043a",
};

struct lens_bytes
words_token(int64_t nth, bool multibyte)
{
    const char *word = multibyte ? accented[nth % (int64_t)G_N_ELEMENTS(accented)]
                                 : plain[nth % (int64_t)G_N_ELEMENTS(plain)];

    if (nth == 0)
        word++; /* a text does not start with a space */
    return (struct lens_bytes){ word, strlen(word) };
}
