/* messages: the turns of a prompt in the forms of OpenAI, which others took over:
 * messages of chat, one text, and the input items of Responses. */
#pragma once

#include <lens/provider.h>

#include "write.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Each writes one JSON value; LENS_E_UNSUPPORTED for a kind of part that has no place. */
lens_status lens_messages_chat(struct lens_writer *w, const struct lens_ask *ask);
lens_status lens_messages_prompt(struct lens_writer *w, const struct lens_ask *ask);
lens_status lens_messages_input(struct lens_writer *w, const struct lens_ask *ask);

#ifdef __cplusplus
}
#endif
