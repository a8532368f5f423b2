/* What bindings are made of. */
#include <lens/plugin.h>

/* Macros that bindgen cannot read, as numbers. */
enum {
    LENS_HEAD_MAGIC = LENS_MAGIC,
    LENS_HEAD_ABI = LENS_ABI,
    LENS_HEAD_NEEDS = LENS_ABI_VERSION(LENS_ABI_MAJOR, LENS_ABI_NEEDS)
};
