/* The table of names: complete, without clashes, in the grammar of each format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>

#include "metric.h"
#include "names.h"

static bool
is_made_of(const char *name, const char *more)
{
    if (!g_ascii_islower(*name))
        return false;
    for (; *name != '\0'; name++)
        if (!g_ascii_islower(*name) && !g_ascii_isdigit(*name) && *name != '_' &&
            strchr(more, *name) == NULL)
            return false;
    return true;
}

static void
every_name_fits_its_format(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < lens_name_count; i++) {
        const struct lens_name *n = &lens_names[i];

        assert_true(is_made_of(n->prometheus, ""));
        assert_true(g_str_has_prefix(n->prometheus, "lens_"));
        assert_int_equal(g_str_has_suffix(n->prometheus, "_total"),
                         n->kind == LENS_NAME_COUNTER);
        if (g_str_equal(n->base_unit, "s"))
            assert_non_null(strstr(n->prometheus, "_seconds"));
        assert_true(is_made_of(n->otlp, "."));
        assert_true(is_made_of(n->otlp_next, "."));
        assert_true(is_made_of(n->influx, ""));
        assert_true(is_made_of(n->sql, ""));
        assert_true(is_made_of(n->statsd, "."));
        assert_true(n->scale > 0);
        assert_true(*n->help != '\0' && !g_str_has_suffix(n->help, "."));
        assert_ptr_equal(lens_name_find(n->id), n);
        if (n->label != NULL)
            assert_non_null(lens_label_find(n->label));
    }
    assert_null(lens_name_find("nothing"));
}

/* One family: one type, unit, help and label, and values that differ. */
static void
families_hold_together(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < lens_name_count; i++) {
        const struct lens_name *a = &lens_names[i];

        for (uint32_t k = 0; k < i; k++) {
            const struct lens_name *b = &lens_names[k];

            assert_string_not_equal(a->id, b->id);
            assert_string_not_equal(a->influx, b->influx);
            assert_string_not_equal(a->sql, b->sql);
            assert_string_not_equal(a->statsd, b->statsd);
            if (!g_str_equal(a->prometheus, b->prometheus))
                continue;
            assert_int_equal(a->kind, b->kind);
            assert_string_equal(a->base_unit, b->base_unit);
            assert_string_equal(a->help, b->help);
            assert_string_equal(a->label, b->label);
            assert_string_not_equal(a->label_value, b->label_value);
        }
    }
}

static void
every_metric_of_the_summary_has_its_names(void **state)
{
    (void)state;
    for (unsigned m = 0; m < METRIC_COUNT; m++) {
        const struct metric_info *info = metric_get((enum metric)m);
        const struct lens_name *n = lens_name_find(info->id);

        assert_non_null(n);
        assert_int_equal(n->kind, LENS_NAME_HISTOGRAM);
        assert_string_equal(n->unit, info->unit);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_fits_its_format),
        cmocka_unit_test(families_hold_together),
        cmocka_unit_test(every_metric_of_the_summary_has_its_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
