/* traces: requests as spans: one CLIENT span per request (semantic-conventions v1.41.1,
 * gen-ai-spans.md), child spans for its attempts when there were several, an event at the
 * first output and, when asked for, one per message of the stream. */
#pragma once

#include "origin.h"
#include "settings.h"

/* Whether the request is told, by `sampling` other than slowest:N. */
int traces_wanted(const struct settings *s, const struct lens_sample *sample);
/* From the first start to the end, ns. */
int64_t traces_duration(const struct lens_sample *sample);
/* Begins a request with its resource and scope; spans are added to the node returned. */
struct node *traces_begin(const struct origin *o, const struct settings *s,
                          struct tree *t, struct node **ret_root);
void traces_add(const struct origin *o, const struct settings *settings,
                const struct lens_sample *s, struct tree *t, struct node *scope);
