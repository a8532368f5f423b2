/* prompt-rows: the prompts of a run as rows of messages, read once from text lines or
 * JSON lines. Constant after loading. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include <lens/provider.h>

struct prompt_message {
    uint32_t role; /* LENS_ROLE_* */
    struct lens_bytes text;
};

struct prompt_row {
    uint64_t first;     /* index of its first message */
    uint32_t count;     /* of its messages */
    uint64_t id;        /* by content: equal rows have equal ids in every run */
    int64_t max_tokens; /* -1: none */
};

typedef struct prompt_rows {
    GArray *rows;          /* struct prompt_row */
    GArray *messages;      /* struct prompt_message */
    char *contents;        /* of the file; messages point into it, */
    GStringChunk *strings; /* or in here */
} prompt_rows;

prompt_rows *prompt_rows_new(void);
void prompt_rows_free(prompt_rows *r);
/* A row of one user message; `text` is borrowed and must outlive the rows. */
void prompt_rows_add(prompt_rows *r, const char *text, size_t size);
/* One row a line, blank lines skipped. JSON lines when the name ends in .jsonl or
 * .ndjson, or when the first line starts with `{` and the name does not end in .txt.
 * Errors name the line and what was expected. */
bool prompt_rows_load(prompt_rows *r, const char *path, GError **error);

/* "system" "user" "assistant" "tool". */
const char *role_name(uint32_t role);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(prompt_rows, prompt_rows_free)
