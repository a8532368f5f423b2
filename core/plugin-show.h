/* plugin-show: plugins for people and as JSON, all from their own declarations. */
#pragma once

#include <stdio.h>

#include <json-glib/json-glib.h>

#include "registry.h"

/* The table of plugins, then what was refused and why. */
void plugin_show_list(registry *r, FILE *out);
char *plugin_list_json(registry *r);
/* One plugin with everything that it declares. */
void plugin_show_info(const plugin *p, FILE *out);
/* All of the name, as one JSON object. `found` holds const plugin. */
char *plugin_info_json(const char *name, const GPtrArray *found);

/* The members that list and info share, into an open object. */
void plugin_put_head(JsonBuilder *b, const plugin *p);
/* "1.0"; static. */
const char *plugin_abi_text(uint32_t abi);
/* The names of the set flags, comma between; caller frees. */
char *plugin_traits(const plugin *p);
const struct lens_schema *plugin_schema(const plugin *p);
