/* side-call-args: prompts in the JSON of COUNT and TOKENIZE calls. Caller frees. */
#pragma once

#include "prompts.h"

/* {"model":…,"messages":[{"role":…,"content":…}]}; `model` NULL: left out. */
char *side_call_chat_args(const prompt *p, const char *model);
/* {"model":…,"text":…}, turns by LF. */
char *side_call_text_args(const prompt *p, const char *model);
