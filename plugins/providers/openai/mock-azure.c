/* mock-azure: the same answers with what Azure's filters add to them. */
#include "mock.h"

#include "openai.h"

static bool
contains(struct lens_bytes path, const char *part)
{
    return path.size > 0 && memmem(path.data, path.size, part, strlen(part)) != NULL;
}

/* The classic path names the deployment, and the body's model counts for nothing. */
static void
take_deployment(const struct lens_mock_request *r, struct lens_mock_turn *turn)
{
    static const char mark[] = "/openai/deployments/";
    const char *name = memmem(r->path.data, r->path.size, mark, sizeof mark - 1), *end;
    size_t size;

    if (name == NULL)
        return;
    name += sizeof mark - 1;
    end = memchr(name, '/', (size_t)(r->path.data + r->path.size - name));
    size = end != NULL ? (size_t)(end - name) : 0;
    if (size == 0 || size >= sizeof turn->model || memchr(name, '"', size) != NULL ||
        memchr(name, '\\', size) != NULL)
        return;
    memcpy(turn->model, name, size);
    turn->model[size] = '\0';
}

static lens_status
recognise(const struct lens_mock_request *r, struct lens_mock_turn *turn,
          const char **why)
{
    lens_status st;

    if (!contains(r->path, "/openai/"))
        return LENS_E_UNSUPPORTED;
    st = mock_recognise(r, turn, why);
    turn->scratch[MOCK_AZURE] = 1;
    if (st != LENS_E_UNSUPPORTED)
        take_deployment(r, turn);
    return st;
}

const struct lens_mock azure_mock = {
    .struct_size = sizeof azure_mock,
    .recognise = recognise,
    .encode = mock_encode,
};
