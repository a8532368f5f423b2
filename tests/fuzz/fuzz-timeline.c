/* Whatever the reader takes from garbage can be written and is read again as the same. */
#include <stdint.h>
#include <stdlib.h>

#include "timeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct timeline_mark mark, again;
    timeline_reader r;
    timeline t;
    size_t count = 0;

    timeline_init(&t);
    timeline_read(&r, data, size);
    while (timeline_next(&r, &mark)) {
        if (!timeline_add(&t, mark.at_ns, mark.classes, mark.clock, mark.tokens,
                          mark.shared))
            abort();
        count++;
    }
    if (count > size || t.count != count)
        abort();
    timeline_reader whole, copy;
    timeline_read(&whole, data, size);
    timeline_read(&copy, t.data, t.size);
    while (timeline_next(&whole, &mark)) {
        if (!timeline_next(&copy, &again) || mark.at_ns != again.at_ns ||
            mark.classes != again.classes || mark.clock != again.clock ||
            mark.tokens != again.tokens || mark.shared != again.shared)
            abort();
    }
    if (timeline_next(&copy, &again))
        abort();
    timeline_clear(&t);
    return 0;
}
