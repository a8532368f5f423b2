/* Functions whose files have not arrived; the real ones win. */
#include "exporter.h"
#include "report.h"

#pragma weak exporter_start
#pragma weak exporter_finish
#pragma weak exporter_free
#pragma weak live_view_new
#pragma weak live_view_update
#pragma weak live_view_clear
#pragma weak live_view_free
#pragma weak report_print

exporter *
exporter_start(const plugin_choice *choice, registry *plugins, const char *path,
               recorder *r, const run_info *info, bool again, GError **error)
{
    g_error("no exporters in this build");
}
void
exporter_finish(exporter *e, int64_t wait_ns, struct export_state *ret)
{
}
void
exporter_free(exporter *e)
{
}
live_view *
live_view_new(bool quiet)
{
    return NULL;
}
void
live_view_update(live_view *v, const struct live_state *s)
{
}
void
live_view_clear(live_view *v)
{
}
void
live_view_free(live_view *v)
{
}
void
report_print(const run_info *r, FILE *out)
{
}
