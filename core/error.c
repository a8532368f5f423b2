#include "error.h"

G_DEFINE_QUARK(lens - error - quark, lens_error)

enum exit_code
lens_error_exit(const GError *error)
{
    if (error->domain != LENS_ERROR)
        return EXIT_USAGE;
    switch (error->code) {
    case LENS_ERROR_REACH:
        return EXIT_NOTHING;
    case LENS_ERROR_DELIVERY:
        return EXIT_EXPORT;
    default:
        return EXIT_USAGE;
    }
}
