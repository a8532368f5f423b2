/* error: the one GError domain of lens; the code says how the program ends. */
#pragma once

#include <glib.h>

#define LENS_ERROR (lens_error_quark())

enum lens_error {
    LENS_ERROR_USAGE,   /* bad flag, plan, option, missing secret: exit 2 */
    LENS_ERROR_PLUGIN,  /* a plugin cannot be loaded or opened: exit 2 */
    LENS_ERROR_SYSTEM,  /* the operating system said no: exit 2 */
    LENS_ERROR_REACH,   /* a target cannot be reached: exit 3 */
    LENS_ERROR_FILE,    /* a file cannot be read or written: exit 2 */
    LENS_ERROR_DELIVERY /* an export is incomplete: exit 5 */
};

enum exit_code {
    EXIT_OK = 0,
    EXIT_SLO = 1,
    EXIT_USAGE = 2,
    EXIT_NOTHING = 3,
    EXIT_INVALID = 4,
    EXIT_EXPORT = 5,
    EXIT_SIGINT = 130,
    EXIT_SIGTERM = 143
};

GQuark lens_error_quark(void);
/* The exit code that belongs to `error`. */
enum exit_code lens_error_exit(const GError *error);
