/* Prints docs/exporters/names.md from the table. */
#include <stdio.h>
#include <string.h>

#include "names.h"

static const char *
or_none(const char *text)
{
    return text != NULL ? text : "";
}

static void
print_row(const struct lens_name *n)
{
    static const char *const kinds[] = { "", "histogram", "counter", "gauge" };

    printf("| `%s` | %s | %s | %s | `%s`", n->id, kinds[n->kind], n->base_unit, n->help,
           n->prometheus);
    if (n->label != NULL)
        printf(" {%s%s%s}", n->label, n->label_value != NULL ? "=" : "",
               or_none(n->label_value));
    printf(" | `%s` | ", n->otlp);
    if (strcmp(n->otlp, n->otlp_next) != 0)
        printf("`%s`", n->otlp_next);
    if (n->otlp_also != NULL)
        printf("%s`%s`", strcmp(n->otlp, n->otlp_next) != 0 ? ", " : "", n->otlp_also);
    printf(" | `%s` | `%s` | `%s` |\n", n->influx, n->sql, n->statsd);
}

int
main(void)
{
    puts("# Names\n\n"
         "What lens measures, and what it is called where it goes. The table is "
         "`sdk/names.c`; this page is printed from it\n(`tests/docs/names.sh --update`), "
         "and every exporter and dashboard takes its names there.\n\n"
         "- The id is the key in the summary JSON (`docs/metrics.md` has the formulas). "
         "Prometheus, OTLP and InfluxDB carry base\n  units, SQL and StatsD the unit of "
         "the summary (ms).\n"
         "- OTLP: semantic conventions 1.41; the next column says what differs in the "
         "ones to come. A `gen_ai.*` name carries\n  the definition of the conventions "
         "(`first_chunk`: the first message of any class, from the start), a `lens.*` "
         "name ours.\n"
         "- InfluxDB and SQL: a distribution becomes several fields or columns, "
         "`ttft_p99`, `ttft_ms_p99`.\n"
         "- Types of tokens and cost exclude each other and add up.\n");
    puts("| id | kind | unit | meaning | Prometheus | OTLP | next | InfluxDB | SQL | "
         "StatsD |\n|---|---|---|---|---|---|---|---|---|---|");
    for (uint32_t i = 0; i < lens_name_count; i++)
        print_row(&lens_names[i]);
    puts("\n## Labels\n\n| id | meaning | Prometheus | OTLP | next | InfluxDB | SQL "
         "|\n|---|---|---|---|---|---|---|");
    for (uint32_t i = 0; i < lens_label_count; i++) {
        const struct lens_label_name *l = &lens_labels[i];

        printf("| `%s` | %s | `%s` | `%s` | %s%s%s | `%s` | `%s` |\n", l->id, l->help,
               l->prometheus, l->otlp, strcmp(l->otlp, l->otlp_next) != 0 ? "`" : "",
               strcmp(l->otlp, l->otlp_next) != 0 ? l->otlp_next : "",
               strcmp(l->otlp, l->otlp_next) != 0 ? "`" : "", l->influx, l->sql);
    }
    return 0;
}
