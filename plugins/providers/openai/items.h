/* items: the items of a response and the response itself. */
#pragma once

#include "openai.h"

/* Members of an item that matter. */
struct item {
    struct lens_json_string type, name, arguments;
    struct lens_bytes content, summary;
};

void item_read(struct lens_bytes json, struct item *ret);
/* Calls whose name the model wrote; web searches and the like are the server's. */
bool item_is_call(const struct item *it);
/* Adds a piece of output; `name` and `text` may be NULL, `code` is the item's index. */
void item_add(struct chunk *c, uint32_t kind, int64_t code,
              const struct lens_json_string *name, const struct lens_json_string *text);
/* Adds all that a list of finished items says. */
void items_add(struct chunk *c, struct lens_bytes output);

/* Members of a response that matter; id, model, tier and usage go to the chunk. */
struct response {
    struct lens_json_string status, reason;
    struct lens_bytes error, output;
};

/* False: not JSON. */
bool response_read(struct lens_bytes json, struct chunk *c, struct response *ret);
/* Tells how a response ended, and its output when nobody streamed it. */
lens_status response_tell(struct stream *s, struct chunk *c, const struct response *r);
