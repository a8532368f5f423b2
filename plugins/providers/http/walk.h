/* walk: one pass over a message that finds what lies at the end of each path. */
#pragma once

#include "path.h"

/* A fragment that was found. */
struct piece {
    uint32_t slot, rank;
    uint32_t lane;    /* of the choice */
    uint32_t element; /* of the innermost list on the way */
    enum lens_json_type type;
    struct lens_json_string text; /* a string, or the value as it stands */
};

enum { PIECES_MAX = 64 };

/* What is found once. */
struct value {
    enum lens_json_type type; /* LENS_JSON_NONE: not there */
    struct lens_json_string text;
};

struct found {
    uint32_t best[SLOT_COUNT]; /* rank of the best alternative; UINT32_MAX: none */
    struct value values[SLOT_COUNT - SLOT_SINGLE];
    uint32_t piece_count;
    struct piece pieces[PIECES_MAX]; /* what does not fit is left out */
};

/* 0: not JSON. `event`: name of the SSE event. */
int walk_message(const struct tree *t, struct lens_bytes json, struct lens_bytes event,
                 struct found *ret);
/* Whether a piece belongs to the alternative that counts. */
int walk_counts(const struct found *f, const struct piece *p);
/* What `slot` holds; its type is LENS_JSON_NONE when it is not there. */
const struct value *walk_value(const struct found *f, uint32_t slot);
