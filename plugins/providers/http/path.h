/* path: where in a message something lies. All paths of a configuration are compiled into
 * one tree at `open`, so that one walk over a message finds everything (walk.c).
 *
 *   choices[0].delta.content   members and elements
 *   choices[#].delta.content   all elements; each is a choice of its own
 *   content[*].text, usage.*   all elements, all members
 *   content[?type=="text"].text, $[?type!="ping"].text   only where that holds
 *   ["a.b"].c                  names with dots and brackets
 *   a.b | c.d                  the first one that is there
 *   event:delta a.b            only in SSE events of that name
 *   $                          the message itself */
#pragma once

#include <lens/provider.h>

#include "sdk/json.h"

/* What a path leads to. The first ones may be found several times in a message. */
enum slot {
    SLOT_TEXT = 0,
    SLOT_REASONING,
    SLOT_REFUSAL,
    SLOT_TOOL_NAME,
    SLOT_TOOL_ARGUMENTS,
    SLOT_TOOL_INDEX,
    SLOT_FINISH,
    SLOT_SINGLE, /* from here on: the last one counts */
    SLOT_DONE = SLOT_SINGLE,
    SLOT_ERROR,
    SLOT_ERROR_MESSAGE,
    SLOT_ERROR_CODE,
    SLOT_MODEL,
    SLOT_ID,
    SLOT_TIER,
    SLOT_COST,
    SLOT_TOKENS,
    SLOT_TOTAL,
    SLOT_USAGE,                                /* + LENS_USAGE_* */
    SLOT_TIME = SLOT_USAGE + LENS_USAGE_COUNT, /* + index of the option `time` */
    SLOT_COUNT = SLOT_TIME + 16
};
enum { TIMES_MAX = SLOT_COUNT - SLOT_TIME };

enum step_kind {
    STEP_MEMBER = 1, /* a name; of digits alone: an element, too */
    STEP_ELEMENT,    /* [0] */
    STEP_ALL,        /* [*] */
    STEP_CHOICE,     /* [#] */
    STEP_FILTER      /* [?..] */
};

/* One edge of the tree. Strings lie in the tree's own memory. */
struct step {
    enum step_kind kind;
    int32_t negated;        /* filter: != */
    int32_t has_value;      /* filter: compares; else the member has to be there */
    uint32_t target;        /* node that it leads to */
    uint32_t next;          /* step of the same node; 0: none */
    int64_t index;          /* of an element; -1: none */
    struct lens_bytes name; /* of the member, or of the filter's member (a dotted path) */
    struct lens_bytes value;
};

/* Something that ends at a node. */
struct goal {
    uint32_t slot;
    uint32_t rank;           /* of the alternative, 0 first */
    uint32_t next;           /* goal of the same node; 0: none */
    struct lens_bytes event; /* SSE event; empty: any */
};

struct node {
    uint32_t steps, goals; /* first of each; 0: none */
};

/* Room for all paths of a configuration. Node 0 is the message; step 0 and goal 0 are no
 * ones. */
struct tree {
    struct node nodes[256];
    struct step steps[256];
    struct goal goals[128];
    uint32_t node_count, step_count, goal_count;
    char *texts[64]; /* copies of what was compiled, for free() */
    uint32_t text_count;
    uint32_t given[(SLOT_COUNT + 31) / 32]; /* slots with a path, as bits */
};

void tree_init(struct tree *t);
void tree_clear(struct tree *t);
int tree_has(const struct tree *t, uint32_t slot);
/* Adds the alternatives of `text` for a slot. 0: wrong, `why` then says what and where.
 */
int tree_add(struct tree *t, uint32_t slot, const char *text, char *why, size_t size);
