/* What the readers of rows share. */
#pragma once

#include "import.h"

/* Sets "PATH:LINE: the message"; always false. */
bool import_fail(const char *path, uint64_t line, GError **error, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
GHashTable *import_cells_new(void);
/* Takes over both; an empty text is left out. */
void import_row_put(import_row *row, char *column, char *text);

bool import_each_csv(const char *path, const char *text, size_t size, import_row_fn fn,
                     void *data, GError **error);
bool import_each_json(const char *path, const char *text, size_t size, import_row_fn fn,
                      void *data, GError **error);
