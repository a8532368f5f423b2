/* The languages of the provider http: the first line is a path and a template, the rest
 * is a message. Whatever they are, compiling ends, what is found lies inside the message,
 * and what a template gives in place of missing values stays what it is without any. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/providers/http/absent.h"
#include "plugins/providers/http/template.h"
#include "plugins/providers/http/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
expect(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void
check_walk(const char *path, struct lens_bytes json)
{
    const struct lens_bytes none = { NULL, 0 };
    static struct tree tree;
    static struct found found;
    char why[256] = "";

    tree_init(&tree);
    if (!tree_add(&tree, SLOT_TEXT, path, why, sizeof why)) {
        expect(why[0] != '\0', "a path is refused without a reason");
    } else if (walk_message(&tree, json, none, &found)) {
        expect(found.piece_count <= PIECES_MAX, "more pieces than there is room for");
        for (uint32_t i = 0; i < found.piece_count; i++) {
            const struct lens_bytes raw = found.pieces[i].text.raw;

            expect(raw.data >= json.data && raw.data + raw.size <= json.data + json.size,
                   "a piece lies outside of the message");
        }
    }
    tree_clear(&tree);
}

static void
check_template(const char *text)
{
    struct lens_text raw = { 0 }, once = { 0 }, twice = { 0 };
    char why[256] = "";

    if (template_check(text, TEMPLATE_JSON, why, sizeof why) != LENS_OK)
        expect(why[0] != '\0', "a template is refused without a reason");
    lens_text_add(&raw, text);
    absent_remove(&raw, &once);
    absent_remove(&once, &twice);
    expect(memchr(text, ABSENT[0], strlen(text)) != NULL ||
               strcmp(lens_text_get(&once), text) == 0,
           "a text without missing values was changed");
    lens_text_clear(&raw);
    lens_text_clear(&once);
    lens_text_clear(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *end = size > 0 ? memchr(text, '\n', size) : NULL;
    const size_t line = end != NULL ? (size_t)(end - text) : size;
    const size_t rest = end != NULL ? size - line - 1 : 0;
    char *path = strndup(text, line);
    char *json = malloc(rest + 1);

    if (path == NULL || json == NULL)
        abort();
    if (rest > 0)
        memcpy(json, end + 1, rest);
    check_walk(path, (struct lens_bytes){ json, rest });
    check_template(path);
    free(path);
    free(json);
    return 0;
}
