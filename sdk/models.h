/* models: the list of models that providers give, told one by one. */
#pragma once

#include <lens/provider.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Tells LENS_EV_MODEL for each element of the array at `list` (a path of lens_json_find,
 * "" for the whole body): the string at its member `name`, or the element itself when it
 * is a string. LENS_E_PROTOCOL: no such array. */
lens_status lens_emit_models(struct lens_sink *sink, struct lens_bytes body,
                             const char *list, const char *name);

#ifdef __cplusplus
}
#endif
