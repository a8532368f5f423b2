#include "walk.h"

#include <string.h>

#include "sdk/members.h"

/* Nodes of the tree that one value stands for; more come only of odd filters. */
enum { NODES_MAX = 16 };

struct set {
    uint32_t count;
    uint32_t node[NODES_MAX];
};

struct walk {
    const struct tree *tree;
    struct lens_bytes event;
    struct found *found;
};

/* Where a value lies. */
struct place {
    uint32_t lane, element;
};

static void
join(struct set *s, uint32_t node)
{
    if (s->count < NODES_MAX)
        s->node[s->count++] = node;
}

static int
equal(struct lens_bytes a, struct lens_bytes b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

/* ---- filters ---- */

/* Whether the value at the cursor, which stays, passes. Strings are compared as they
 * stand in JSON, other values by their text. */
static int
passes(const struct step *s, const struct lens_json *at)
{
    struct lens_json j = *at, value;
    struct lens_json_string text;
    struct lens_bytes raw;
    char name[128];
    int is;

    if (s->name.size >= sizeof name || !lens_json_raw(&j, &raw))
        return 0;
    memcpy(name, s->name.data, s->name.size);
    name[s->name.size] = '\0';
    if (!lens_json_find(raw.data, raw.size, name, &value))
        return s->negated;
    if (!s->has_value)
        return lens_json_peek(&value) != LENS_JSON_NULL;
    if (lens_json_peek(&value) == LENS_JSON_STRING)
        is = lens_json_string(&value, &text) && equal(text.raw, s->value);
    else
        is = lens_json_raw(&value, &raw) && equal(raw, s->value);
    return is != s->negated;
}

/* ---- what is found ---- */

static void
keep(struct walk *w, const struct goal *g, enum lens_json_type type,
     const struct lens_json_string *text, const struct place *at)
{
    struct found *f = w->found;

    if (g->rank > f->best[g->slot])
        return;
    /* Nothing is where nothing is said: the next alternative has its chance. */
    if (type == LENS_JSON_STRING && text->raw.size == 0 && g->slot != SLOT_DONE)
        return;
    f->best[g->slot] = g->rank;
    if (g->slot >= SLOT_SINGLE) {
        f->values[g->slot - SLOT_SINGLE] = (struct value){ type, *text };
    } else if (f->piece_count < PIECES_MAX) {
        struct piece *p = &f->pieces[f->piece_count++];

        p->slot = g->slot;
        p->rank = g->rank;
        p->lane = at->lane;
        p->element = at->element;
        p->type = type;
        p->text = *text;
    }
}

/* Reads the value at the cursor for all goals of the set. */
static void
take(struct walk *w, struct lens_json *j, const struct set *set, const struct place *at)
{
    const enum lens_json_type type = lens_json_peek(j);
    struct lens_json_string text = { { NULL, 0 }, 0 };

    if (type == LENS_JSON_STRING)
        lens_json_string(j, &text);
    else
        lens_json_raw(j, &text.raw);
    if (type == LENS_JSON_NULL || type == LENS_JSON_NONE || j->bad)
        return;
    for (uint32_t i = 0; i < set->count; i++)
        for (uint32_t k = w->tree->nodes[set->node[i]].goals; k != 0;
             k = w->tree->goals[k].next) {
            const struct goal *g = &w->tree->goals[k];

            if (g->event.size == 0 || equal(g->event, w->event))
                keep(w, g, type, &text, at);
        }
}

/* ---- the walk ---- */

static void walk(struct walk *w, struct lens_json *j, const struct set *set,
                 const struct place *at);

static void
walk_object(struct walk *w, struct lens_json *j, const struct set *set,
            const struct place *at)
{
    const struct tree *t = w->tree;
    struct lens_bytes key;
    struct lens_key_room room;

    for (lens_json_object(j); lens_read_member(j, &key, &room);) {
        struct set next;

        next.count = 0;
        for (uint32_t i = 0; i < set->count; i++)
            for (uint32_t k = t->nodes[set->node[i]].steps; k != 0;
                 k = t->steps[k].next) {
                const struct step *s = &t->steps[k];

                if (s->kind == STEP_ALL ||
                    (s->kind == STEP_MEMBER && equal(s->name, key)))
                    join(&next, s->target);
            }
        if (next.count > 0)
            walk(w, j, &next, at);
        else
            lens_json_skip(j);
    }
}

static void
walk_array(struct walk *w, struct lens_json *j, const struct set *set,
           const struct place *at)
{
    const struct tree *t = w->tree;
    uint32_t index = 0;

    for (lens_json_array(j); lens_json_element(j); index++) {
        struct place here = { at->lane, index };
        struct set next;

        next.count = 0;
        for (uint32_t i = 0; i < set->count; i++)
            for (uint32_t k = t->nodes[set->node[i]].steps; k != 0;
                 k = t->steps[k].next) {
                const struct step *s = &t->steps[k];

                if (s->kind == STEP_ALL || s->kind == STEP_CHOICE ||
                    (s->kind != STEP_FILTER && s->index == (int64_t)index) ||
                    (s->kind == STEP_FILTER && passes(s, j)))
                    join(&next, s->target);
                if (s->kind == STEP_CHOICE)
                    here.lane = index;
            }
        if (next.count > 0)
            walk(w, j, &next, &here);
        else
            lens_json_skip(j);
    }
}

/* A filter on an object asks the object itself, and may lead to another one. */
static void
filter_object(const struct tree *t, const struct lens_json *j, struct set *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        for (uint32_t k = t->nodes[set->node[i]].steps; k != 0; k = t->steps[k].next)
            if (t->steps[k].kind == STEP_FILTER && passes(&t->steps[k], j))
                join(set, t->steps[k].target);
}

static void
walk(struct walk *w, struct lens_json *j, const struct set *given, const struct place *at)
{
    const enum lens_json_type type = lens_json_peek(j);
    struct set set = *given;
    int goals = 0, steps = 0;

    if (type == LENS_JSON_OBJECT)
        filter_object(w->tree, j, &set);
    for (uint32_t i = 0; i < set.count; i++) {
        goals = goals || w->tree->nodes[set.node[i]].goals != 0;
        steps = steps || w->tree->nodes[set.node[i]].steps != 0;
    }
    steps = steps && (type == LENS_JSON_OBJECT || type == LENS_JSON_ARRAY);
    if (goals && steps) {
        struct lens_json copy = *j;

        take(w, &copy, &set, at);
    } else if (goals) {
        take(w, j, &set, at);
    }
    if (steps && type == LENS_JSON_OBJECT)
        walk_object(w, j, &set, at);
    else if (steps)
        walk_array(w, j, &set, at);
    else if (!goals)
        lens_json_skip(j);
}

int
walk_message(const struct tree *t, struct lens_bytes json, struct lens_bytes event,
             struct found *ret)
{
    struct walk w = { t, event, ret };
    const struct set set = { .count = 1 };
    const struct place at = { 0, 0 };
    struct lens_json j;

    memset(ret->best, 0xff, sizeof ret->best);
    memset(ret->values, 0, sizeof ret->values);
    ret->piece_count = 0;
    lens_json_begin(&j, json.data, json.size);
    walk(&w, &j, &set, &at);
    return lens_json_end(&j);
}

int
walk_counts(const struct found *f, const struct piece *p)
{
    return p->rank == f->best[p->slot];
}

const struct value *
walk_value(const struct found *f, uint32_t slot)
{
    return &f->values[slot - SLOT_SINGLE];
}
