#include <errno.h>

#include "error.h"
#include "import-private.h"

bool
import_fail(const char *path, uint64_t line, GError **error, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list list;

    va_start(list, format);
    message = g_strdup_vprintf(format, list);
    va_end(list);
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "%s:%" G_GUINT64_FORMAT ": %s", path,
                line, message);
    return false;
}

GHashTable *
import_cells_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

void
import_row_put(import_row *row, char *column, char *text)
{
    if (*text != '\0') {
        g_hash_table_insert(row->cells, column, text);
        return;
    }
    g_free(column);
    g_free(text);
}

bool
import_each_row(const char *path, enum import_format format, import_row_fn fn, void *data,
                GError **error)
{
    g_autoptr(GError) broken = NULL;
    GMappedFile *file = g_mapped_file_new(path, false, &broken);
    bool fine;

    if (file == NULL) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "%s: cannot read the file: %s",
                    path, broken->message);
        return false;
    }
    fine = (format == IMPORT_CSV ? import_each_csv : import_each_json)(
        path, g_mapped_file_get_contents(file), g_mapped_file_get_length(file), fn, data,
        error);
    g_mapped_file_unref(file);
    return fine;
}
