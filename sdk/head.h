/* head: what the headers of an answer say about the request and the server: its id, rate
 * limits and the server's own times, whatever the vendor calls them. */
#pragma once

#include <lens/provider.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Tells LENS_EV_ID, and LENS_EV_EXTRA for each limit and time: named like the header, in
 * lower case, with _ for -. `ret_id`, unless NULL: the request's id, empty when there is
 * none. */
lens_status lens_head_tell(struct lens_sink *sink, const struct lens_pair *headers,
                           uint32_t count, uint32_t size, struct lens_bytes *ret_id);
/* Whether a content type is `type`, whatever its parameters and case. */
int lens_head_is(struct lens_bytes content_type, const char *type);

#ifdef __cplusplus
}
#endif
