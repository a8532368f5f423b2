#include "parameter.h"

#include "sdk/members.h"
#include "sdk/messages.h"
#include "sdk/turns.h"

const char parameter_names[] =
    "prompt, user, system, messages, model, max_tokens, min_tokens, temperature, top_p, "
    "top_k, seed, n, stop, stream, ignore_eos, tools, tool_choice, response_format, id";

static lens_status
add_json(const char *value, struct lens_text *ret)
{
    lens_text_add(ret, value);
    return LENS_OK;
}

static lens_status
add_raw(struct lens_bytes json, struct lens_text *ret)
{
    lens_text_add_bytes(ret, json.data, json.size);
    return json.size > 0 ? LENS_OK : LENS_DONE;
}

static lens_status
add_int(const struct lens_ask *ask, uint64_t bit, int64_t value, struct lens_text *ret)
{
    struct lens_writer w;

    if (!(ask->set & bit))
        return LENS_DONE;
    lens_write_begin(&w, ret, lens_text_put);
    lens_write_int(&w, value);
    return lens_write_end(&w);
}

static lens_status
add_double(const struct lens_ask *ask, uint64_t bit, double value, struct lens_text *ret)
{
    struct lens_writer w;

    if (!(ask->set & bit))
        return LENS_DONE;
    lens_write_begin(&w, ret, lens_text_put);
    lens_write_double(&w, value);
    return lens_write_end(&w);
}

enum { SYSTEM = 1, OTHERS = 2 };

/* Texts of the turns, an empty line between two. */
static lens_status
add_texts(const struct lens_ask *ask, int which, struct lens_text *ret)
{
    int turns = 0;

    for (uint32_t i = 0; i < ask->turn_count; i++) {
        const struct lens_turn *t = lens_turn_at(ask, i);

        if (!(which & (t->role == LENS_ROLE_SYSTEM ? SYSTEM : OTHERS)))
            continue;
        lens_text_add(ret, turns++ > 0 ? "\n\n" : "");
        for (uint32_t k = 0; k < t->part_count; k++) {
            const struct lens_part *p = lens_part_at(t, k);

            if (p->kind != LENS_PART_TEXT && p->kind != LENS_PART_JSON)
                return LENS_E_UNSUPPORTED;
            lens_text_add_bytes(ret, p->data.data, p->data.size);
        }
    }
    return turns > 0 ? LENS_OK : LENS_DONE;
}

static lens_status
add_messages(const struct lens_ask *ask, struct lens_text *ret)
{
    struct lens_writer w;
    lens_status st;

    lens_write_begin(&w, ret, lens_text_put);
    st = lens_messages_chat(&w, ask);
    return st == LENS_OK ? lens_write_end(&w) : st;
}

static lens_status
add_stop(const struct lens_ask *ask, struct lens_text *ret)
{
    struct lens_writer w;

    if (ask->stop_count == 0)
        return LENS_DONE;
    lens_write_begin(&w, ret, lens_text_put);
    for (uint32_t i = 0; i < ask->stop_count; i++) {
        const struct lens_bytes stop = lens_stop_at(ask, i);

        lens_write(&w, i == 0 ? "[" : ",");
        lens_write_string(&w, stop.data, stop.size);
    }
    lens_write(&w, "]");
    return lens_write_end(&w);
}

static lens_status
get_text(struct lens_bytes name, const struct lens_ask *ask, struct lens_text *ret)
{
    if (LENS_KEY(name, "prompt"))
        return add_texts(ask, SYSTEM | OTHERS, ret);
    if (LENS_KEY(name, "user"))
        return add_texts(ask, OTHERS, ret);
    if (LENS_KEY(name, "system"))
        return add_texts(ask, SYSTEM, ret);
    return LENS_KEY(name, "model") ? add_raw(ask->model, ret) : LENS_E_CONFIG;
}

static lens_status
get_json(struct lens_bytes name, const struct lens_ask *ask, struct lens_text *ret)
{
    const int endless = (ask->flags & LENS_ASK_IGNORE_EOS) != 0;

    if (LENS_KEY(name, "messages"))
        return add_messages(ask, ret);
    if (LENS_KEY(name, "stream"))
        return add_json(ask->flags & LENS_ASK_STREAM ? "true" : "false", ret);
    if (LENS_KEY(name, "ignore_eos"))
        return endless ? add_json("true", ret) : LENS_DONE;
    if (LENS_KEY(name, "stop"))
        return add_stop(ask, ret);
    if (LENS_KEY(name, "tools"))
        return add_raw(ask->tools, ret);
    if (LENS_KEY(name, "tool_choice"))
        return add_raw(ask->tool_choice, ret);
    return LENS_KEY(name, "response_format") ? add_raw(ask->response_format, ret)
                                             : LENS_E_CONFIG;
}

static lens_status
get_number(struct lens_bytes name, const struct lens_ask *ask, struct lens_text *ret)
{
    const struct lens_ask always = { .set = 1 };

    if (LENS_KEY(name, "max_tokens"))
        return add_int(ask, LENS_SET_MAX_OUTPUT, ask->max_output, ret);
    if (LENS_KEY(name, "min_tokens"))
        return add_int(ask, LENS_SET_MIN_OUTPUT, ask->min_output, ret);
    if (LENS_KEY(name, "temperature"))
        return add_double(ask, LENS_SET_TEMPERATURE, ask->temperature, ret);
    if (LENS_KEY(name, "top_p"))
        return add_double(ask, LENS_SET_TOP_P, ask->top_p, ret);
    if (LENS_KEY(name, "top_k"))
        return add_int(ask, LENS_SET_TOP_K, ask->top_k, ret);
    if (LENS_KEY(name, "seed"))
        return add_int(ask, LENS_SET_SEED, ask->seed, ret);
    if (LENS_KEY(name, "n"))
        return add_int(ask, LENS_SET_N, ask->n, ret);
    return LENS_KEY(name, "id") ? add_int(&always, 1, (int64_t)(ask->id & INT64_MAX), ret)
                                : LENS_E_CONFIG;
}

lens_status
parameter_get(struct lens_bytes name, const struct lens_ask *ask, struct lens_text *ret,
              int *ret_text)
{
    lens_status st = get_text(name, ask, ret);

    *ret_text = st != LENS_E_CONFIG;
    if (st == LENS_E_CONFIG)
        st = get_json(name, ask, ret);
    return st == LENS_E_CONFIG ? get_number(name, ask, ret) : st;
}
