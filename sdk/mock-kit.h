/* mock-kit: what the mocks of most protocols have in common: reading a request, writing
 * an answer. */
#pragma once

#include <lens/mock.h>

#include "json.h"
#include "write.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef lens_status (*lens_mock_append_fn)(struct lens_buffer *, const void *, size_t);

/* ---- reading ---- */

int lens_mock_method_is(const struct lens_mock_request *r, const char *method);
/* Whether the path ends so; query and slashes behind it do not count. */
int lens_mock_path_ends(const struct lens_mock_request *r, const char *end);
/* What a request gets before its body is read: no limit, one token, model "mock". */
void lens_mock_turn_begin(struct lens_mock_turn *turn, uint32_t api);
/* The model's name at the cursor; null and "" leave it. */
void lens_mock_read_model(struct lens_json *j, struct lens_mock_turn *turn);
/* The limit of output tokens at the cursor; null is none, 0: not an integer of at
 * least 1.
 */
int lens_mock_read_limit(struct lens_json *j, struct lens_mock_turn *turn);
/* The prompt at the cursor, for a guess at its tokens; 0: there is none. */
int lens_mock_read_prompt(struct lens_json *j, struct lens_mock_turn *turn);

/* ---- writing ---- */

/* An answer in the making. */
struct lens_mock_out {
    struct lens_writer w;
    struct lens_mock_turn *turn;
    const struct lens_mock_step *step;
    struct lens_buffer *buffer;
    lens_mock_append_fn append;
};

/* Ends with lens_write_end(&o->w). */
void lens_mock_out_begin(struct lens_mock_out *o, struct lens_mock_turn *turn,
                         const struct lens_mock_step *step, struct lens_buffer *buffer,
                         lens_mock_append_fn append);
/* With quotes and escapes. */
void lens_mock_string(struct lens_mock_out *o, struct lens_bytes text);
/* `prefix` and the id of the turn in hex, with quotes. */
void lens_mock_id(struct lens_mock_out *o, const char *prefix);
/* `name` as it stands, for instance `,"total":`, and the value, at least 0. */
void lens_mock_number(struct lens_mock_out *o, const char *name, int64_t value);
int lens_mock_finish_is(struct lens_bytes finish, const char *name);

#ifdef __cplusplus
}
#endif
