/* family: whose protocol a model speaks, by its id. */
#include <strings.h>

#include "bedrock.h"

static const struct {
    const char *name;
    enum family family;
} families[] = {
    { "anthropic", FAMILY_ANTHROPIC }, { "nova", FAMILY_NOVA },
    { "llama", FAMILY_LLAMA },         { "titan", FAMILY_TITAN },
    { "mistral", FAMILY_MISTRAL },     { "cohere", FAMILY_COHERE },
    { "openai", FAMILY_OPENAI },       { "chat", FAMILY_CHAT },
};

enum family
family_of_name(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof families / sizeof families[0]; i++)
        if (strcasecmp(families[i].name, name) == 0)
            return families[i].family;
    return FAMILY_UNKNOWN;
}

static bool
holds(struct lens_bytes text, const char *word)
{
    return text.size > 0 && memmem(text.data, text.size, word, strlen(word)) != NULL;
}

/* Ids are VENDOR.MODEL, with a region in front (us.) or inside of an ARN. */
enum family
family_of_model(struct lens_bytes model)
{
    if (holds(model, "anthropic."))
        return FAMILY_ANTHROPIC;
    if (holds(model, "amazon.nova"))
        return FAMILY_NOVA;
    if (holds(model, "amazon.titan"))
        return FAMILY_TITAN;
    if (holds(model, "meta.llama"))
        return FAMILY_LLAMA;
    if (holds(model, "cohere.command"))
        return FAMILY_COHERE;
    if (holds(model, "openai."))
        return FAMILY_OPENAI;
    /* Newer models of Mistral take messages. */
    if (holds(model, "mistral.mistral-7b") || holds(model, "mistral.mixtral"))
        return FAMILY_MISTRAL;
    return FAMILY_UNKNOWN;
}
