/* mock-script: a stream told line by line, `lens mock --script FILE` (docs/mock.md). */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum script_kind {
    SCRIPT_TEXT,
    SCRIPT_REASONING,
    SCRIPT_TOOL,
    SCRIPT_RAW,
    SCRIPT_FINISH,
    SCRIPT_ERROR,
    SCRIPT_CLOSE,
    SCRIPT_PAUSE /* a time alone */
};

struct script_entry {
    enum script_kind kind;
    int64_t at_ns; /* from the request's arrival */
    int64_t tokens;
    GBytes *name;    /* of a tool, empty: the call goes on */
    GBytes *content; /* text, arguments, raw bytes, finish reason, error message */
};

typedef struct mock_script {
    GArray *entries;                              /* struct script_entry, by time */
    GString *text, *reasoning, *tool, *arguments; /* joined, for whole answers */
    char *finish;                                 /* NULL: none said */
    int64_t tokens, reasoning_tokens;
} mock_script;

/* Errors name file and line. */
mock_script *mock_script_load(const char *path, GError **error);
mock_script *mock_script_parse(const char *text, gsize size, const char *path,
                               GError **error);
void mock_script_free(mock_script *s);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(mock_script, mock_script_free)
