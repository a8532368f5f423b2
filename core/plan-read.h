/* plan-read: the pieces of reading a plan file. All give false after setting an error
 * that begins with the place of what is wrong. */
#pragma once

#include "plan-private.h"

/* `what` names the node in the message. */
bool plan_read_expect_map(const doc_node *n, const char *what, GError **error);
/* The text of a scalar; NULL with an error for anything else. */
const char *plan_read_text(const doc_node *n, const char *key, GError **error);
/* The error of a key that is none of `names`. */
bool plan_read_unknown_key(const doc_node *key, GPtrArray *names, GError **error);
bool plan_read_key(const plan_key *key, void *base, const doc_node *n, GError **error);
/* A map that holds nothing but keys of one table. */
bool plan_read_keys(const plan_key *keys, void *base, const doc_node *map,
                    const char *what, GError **error);
bool plan_read_option(option_values *v, const doc_node *key, const doc_node *n,
                      GError **error);
/* "NAME:k=v", or {kind: NAME, name: OF_THIS_USE, option: value}. */
bool plan_read_choice(plugin_choice *c, registry *plugins, uint32_t kind,
                      const doc_node *n, GError **error);
/* Adds a target to `p`. */
bool plan_read_target(plan *p, registry *plugins, const doc_node *n, GError **error);
