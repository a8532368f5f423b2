/* messages: the turns of a prompt in the forms of the three apis. */
#pragma once

#include <lens/provider.h>

#include "sdk/write.h"

/* Each writes one JSON value; LENS_E_UNSUPPORTED for a kind of part that has no place. */
lens_status messages_chat(struct lens_writer *w, const struct lens_ask *ask);
lens_status messages_prompt(struct lens_writer *w, const struct lens_ask *ask);
lens_status messages_input(struct lens_writer *w, const struct lens_ask *ask);
