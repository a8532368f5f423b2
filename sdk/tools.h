/* tools: the tools and the choice among them of an ask, which come in OpenAI's form, read
 * for protocols that write them otherwise. */
#pragma once

#include <lens/provider.h>

#include "json.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A function that may be called. */
struct lens_tool {
    struct lens_json_string name, description; /* as they stand in JSON */
    struct lens_bytes parameters;              /* JSON schema; empty: none given */
};

enum {
    LENS_CHOICE_NONE_GIVEN = 0,
    LENS_CHOICE_AUTO,
    LENS_CHOICE_NONE,    /* no tool may be called */
    LENS_CHOICE_ANY,     /* "required": some tool must be called */
    LENS_CHOICE_FUNCTION /* the one that is named */
};

/* Reads one element of `tools` at the cursor: `{"type":"function","function":{..}}`, or
 * the inner object flat, as Responses has it. 0: it is of another form; `ret_raw` then
 * holds it as it stands. */
int lens_tool_read(struct lens_json *j, struct lens_tool *ret,
                   struct lens_bytes *ret_raw);
/* Whether every element of the list can be read so. */
int lens_tools_are_plain(struct lens_bytes tools);
/* `tool_choice`; `ret_name`: of the function. -1: of another form. */
int lens_tool_choice(struct lens_bytes choice, struct lens_json_string *ret_name);

#ifdef __cplusplus
}
#endif
