#include <string.h>

#include "csv.h"

lens_status
selection_each(const char *list, selection_fn fn, void *data)
{
    lens_status status = LENS_OK;

    while (status == LENS_OK) {
        const size_t size = strcspn(list, "+");

        status = fn(data, list, size);
        if (list[size] == '\0')
            break;
        list += size + 1;
    }
    return status;
}
