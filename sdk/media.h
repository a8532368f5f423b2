/* media: images, sounds and files of a prompt, for protocols that carry them as base64
 * with a type of their own beside it. */
#pragma once

#include "write.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lens_medium {
    struct lens_bytes mime;   /* never empty */
    struct lens_bytes url;    /* where it lies; or empty, and */
    struct lens_bytes bytes;  /* the content itself, or */
    struct lens_bytes base64; /* the content of a data: URL, encoded already */
};

/* What a part holds; a data: URL is taken apart. */
struct lens_medium lens_medium_of(const struct lens_part *part);
/* The content in base64, without quotes. */
void lens_medium_write(struct lens_writer *w, const struct lens_medium *m);
/* What stands behind the slash of the type: "png" of image/png, "jpeg" of image/jpg. */
struct lens_bytes lens_medium_format(const struct lens_medium *m);

#ifdef __cplusplus
}
#endif
