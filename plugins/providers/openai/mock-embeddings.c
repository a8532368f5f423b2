/* mock-embeddings: vectors as OpenAI sends them, of numbers that are all the same size.
 */
#include "mock.h"

static float
element(uint64_t vector, uint64_t i)
{
    return (vector + i) % 2 == 0 ? 0.125F : -0.125F;
}

static void
write_floats(struct lens_mock_out *o, uint64_t vector, uint64_t length)
{
    for (uint64_t i = 0; i < length; i++) {
        lens_write(&o->w, i == 0 ? "[" : ",");
        lens_write_double(&o->w, (double)element(vector, i));
    }
    lens_write(&o->w, "]");
}

/* 32-bit floats, little-endian. Three make twelve bytes: no padding between pieces. */
static void
write_base64(struct lens_mock_out *o, uint64_t vector, uint64_t length)
{
    unsigned char bytes[12];

    lens_write(&o->w, "\"");
    for (uint64_t i = 0; i < length; i += 3) {
        const uint64_t count = length - i < 3 ? length - i : 3;

        for (uint64_t k = 0; k < count; k++) {
            const float value = element(vector, i + k);
            uint32_t bits;

            memcpy(&bits, &value, sizeof bits);
            for (int byte = 0; byte < 4; byte++)
                bytes[k * 4 + (uint64_t)byte] = (unsigned char)(bits >> (8 * byte));
        }
        lens_write_base64(&o->w, bytes, count * 4);
    }
    lens_write(&o->w, "\"");
}

static void
whole(struct lens_mock_out *o)
{
    const uint64_t shape = o->turn->scratch[MOCK_SHAPE];

    lens_write(&o->w, "{\"object\":\"list\",\"data\":[");
    for (uint64_t i = 0; i < o->turn->scratch[MOCK_INPUTS]; i++) {
        lens_write(&o->w, i == 0 ? "" : ",");
        lens_mock_number(o, "{\"object\":\"embedding\",\"index\":", (int64_t)i);
        lens_write(&o->w, ",\"embedding\":");
        if (shape & 1)
            write_base64(o, i, shape / 2);
        else
            write_floats(o, i, shape / 2);
        lens_write(&o->w, "}");
    }
    lens_write(&o->w, "],\"model\":\"");
    lens_write(&o->w, o->turn->model);
    lens_mock_number(o, "\",\"usage\":{\"prompt_tokens\":", o->step->input_tokens);
    lens_mock_number(o, ",\"total_tokens\":", o->step->input_tokens);
    lens_write(&o->w, "}}");
}

void
mock_embeddings(struct lens_mock_out *o)
{
    if (o->step->kind == LENS_STEP_WHOLE)
        whole(o);
}
