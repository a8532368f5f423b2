/* How plugins are found, vetted and refused; with modules made for it (tests/abi). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "plugin-load.h"
#include "registry.h"

static char *
new_directory(void)
{
    char *dir = g_dir_make_tmp("lens-registry-XXXXXX", NULL);

    assert_non_null(dir);
    return dir;
}

static void
remove_directory(const char *dir)
{
    g_autoptr(GDir) handle = g_dir_open(dir, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(handle)) != NULL) {
        g_autofree char *path = g_build_filename(dir, name, NULL);

        g_unlink(path);
    }
    g_rmdir(dir);
}

/* The first `size` bytes of the good plugin (-1: all) as `dir`/`name`. */
static char *
put_plugin(const char *dir, const char *name, gssize size)
{
    char *path = g_build_filename(dir, name, NULL);
    g_autofree char *content = NULL;
    gsize whole;

    assert_true(g_file_get_contents(GOOD_PLUGIN, &content, &whole, NULL));
    assert_true(
        g_file_set_contents(path, content, size < 0 ? (gssize)whole : size, NULL));
    assert_int_equal(g_chmod(path, 0644), 0);
    return path;
}

static const char *
reason_of(registry *r, const char *file)
{
    const GPtrArray *refusals = registry_refusals(r);

    for (unsigned i = 0; i < refusals->len; i++) {
        const struct plugin_refusal *refusal = refusals->pdata[i];

        if (g_str_has_suffix(refusal->path, file))
            return refusal->reason;
    }
    return NULL;
}

static void
assert_refused(registry *r, const char *file, const char *part)
{
    const char *reason = reason_of(r, file);

    if (reason == NULL)
        fail_msg("%s was not refused", file);
    if (strstr(reason, part) == NULL)
        fail_msg("%s: `%s` does not say `%s`", file, reason, part);
}

static void
each_refusal_names_the_field_and_both_values(void **state)
{
    static const struct {
        const char *file, *part;
    } cases[] = {
        { "bad-magic.so", "magic is 0x12345678, expected 0x534e454c" },
        { "bad-name.so", "name is malformed, expected [a-z]" },
        { "missing-library.so", "liblens-test-gone.so" },
        { "newer-minor.so", "abi_needs is 1.99, this lens has 1.0" },
        { "no-entry.so", "no entry symbol lens_plugin_entry" },
        { "no-operation.so", "workload refused: workload: the operation `next` is NULL" },
        { "null-entry.so", "returned NULL" },
        { "other-major.so", "abi is 2.0, this lens speaks plugin ABI 1.0" },
        { "too-small.so", "struct_size is 24, at least 64 is needed" },
        { "unknown-kind.so", "kind is 4, this lens knows 1 to 3" },
        { "endless.so", "chain of plugins does not end" },
    };
    const char *dirs[] = { REFUSED_DIR, NULL };
    g_autoptr(registry) r = registry_new(dirs, true);
    g_autoptr(GError) error = NULL;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_refused(r, cases[i].file, cases[i].part);
    /* Behind a kind that is not known yet stands a plugin that is good. */
    assert_non_null(registry_find(r, LENS_KIND_OF_WORKLOAD, "behind", NULL));
    assert_null(registry_find(r, LENS_KIND_OF_WORKLOAD, "no-entry", &error));
    assert_non_null(strstr(error->message, "no-entry.so was refused: not a plugin"));
}

static void
one_object_may_carry_several_plugins(void **state)
{
    g_autoptr(registry) r = registry_new_empty(true);
    g_autoptr(GError) error = NULL;
    const plugin *p;

    (void)state;
    assert_true(registry_load_file(r, GOOD_PLUGIN, &error));
    assert_true(registry_load_file(r, GOOD_PLUGIN, &error));
    assert_int_equal(registry_plugins(r)->len, 3);
    for (unsigned i = 0; i < 3; i++) {
        p = registry_plugins(r)->pdata[i];
        assert_int_equal(p->kind, i + 1);
        assert_string_equal(p->name, "conformance");
    }
    p = registry_find(r, LENS_KIND_OF_PROVIDER, "conformance", NULL);
    assert_non_null(p->ops.provider.decode);
    assert_null(p->ops.provider.mock);
    assert_null(p->mock.recognise);
    assert_int_equal(p->abi, LENS_ABI);
}

static void
the_first_of_a_name_wins_and_is_named(void **state)
{
    g_autofree char *one = new_directory(), *two = new_directory();
    g_autofree char *first = put_plugin(one, "zzz.so", -1);
    g_autofree char *second G_GNUC_UNUSED = put_plugin(two, "aaa.so", -1);
    const char *dirs[] = { one, two, NULL };
    g_autoptr(registry) r = registry_new(dirs, false);
    const plugin *p = registry_find(r, LENS_KIND_OF_PROVIDER, "conformance", NULL);

    (void)state;
    assert_non_null(p);
    assert_string_equal(p->path, first);
    assert_refused(r, "aaa.so", "provider conformance: the name is taken by");
    assert_refused(r, "aaa.so", first);
    remove_directory(one);
    remove_directory(two);
}

static void
the_variable_comes_after_the_flag(void **state)
{
    g_autofree char *one = new_directory(), *two = new_directory();
    g_autofree char *first = put_plugin(one, "a.so", -1);
    g_autofree char *second = put_plugin(two, "b.so", -1);
    g_autofree char *path = g_strconcat(":", two, ":/nowhere/at/all:", two, NULL);
    const char *dirs[] = { one, NULL };

    (void)state;
    g_setenv("LENS_PLUGIN_PATH", path, TRUE);
    g_autoptr(registry) both = registry_new(dirs, false);
    g_autoptr(registry) variable = registry_new(NULL, false);
    g_unsetenv("LENS_PLUGIN_PATH");

    assert_string_equal(
        registry_find(both, LENS_KIND_OF_WORKLOAD, "conformance", NULL)->path, first);
    assert_string_equal(
        registry_find(variable, LENS_KIND_OF_WORKLOAD, "conformance", NULL)->path,
        second);
    assert_refused(both, "/nowhere/at/all", "LENS_PLUGIN_PATH");
    remove_directory(one);
    remove_directory(two);
}

static void
a_directory_that_is_named_must_be_there(void **state)
{
    const char *dirs[] = { "/nowhere/at/all", NULL };
    g_autoptr(registry) r = registry_new(dirs, false);

    (void)state;
    assert_refused(r, "/nowhere/at/all", "--plugin-dir");
    assert_refused(r, "/nowhere/at/all", "No such file or directory");
}

static void
only_shared_objects_are_looked_at(void **state)
{
    g_autofree char *dir = new_directory();
    g_autofree char *text = g_build_filename(dir, "README.md", NULL);
    g_autofree char *hidden G_GNUC_UNUSED = put_plugin(dir, ".hidden.so", -1);
    g_autofree char *script = g_build_filename(dir, "script.so", NULL);
    g_autofree char *folder = g_build_filename(dir, "folder.so", NULL);
    g_autofree char *empty = g_build_filename(dir, "empty.so", NULL);
    g_autofree char *pipe = g_build_filename(dir, "pipe.so", NULL);
    g_autofree char *dangling = g_build_filename(dir, "dangling.so", NULL);
    const char *dirs[] = { dir, NULL };

    (void)state;
    assert_true(g_file_set_contents(text, "x", 1, NULL));
    assert_true(g_file_set_contents(script, "#!/bin/sh\n", -1, NULL));
    assert_true(g_file_set_contents(empty, "", 0, NULL));
    assert_int_equal(g_mkdir(folder, 0755), 0);
    assert_int_equal(mkfifo(pipe, 0644), 0);
    assert_int_equal(symlink("nothing", dangling), 0);

    g_autoptr(registry) r = registry_new(dirs, false);

    assert_refused(r, "script.so", "does not begin as an ELF file");
    assert_refused(r, "empty.so", "empty file");
    assert_refused(r, "folder.so", "not a file");
    assert_refused(r, "pipe.so", "not a file");
    assert_refused(r, "dangling.so", "No such file");
    assert_null(reason_of(r, "README.md"));
    assert_null(reason_of(r, ".hidden.so"));
    g_rmdir(folder);
    remove_directory(dir);
}

/* The loader maps what the headers promise; a byte that is not there is a signal. */
static void
a_file_cut_anywhere_is_a_reason_and_no_signal(void **state)
{
    g_autofree char *dir = new_directory();
    g_autofree char *content = NULL;
    gsize whole;

    (void)state;
    assert_true(g_file_get_contents(GOOD_PLUGIN, &content, &whole, NULL));
    for (gsize size = 0; size < whole; size += size < 4096 ? 61 : 509) {
        g_autoptr(registry) r = registry_new_empty(true);
        g_autofree char *path = put_plugin(dir, "cut.so", (gssize)size);
        g_autoptr(GError) error = NULL;

        assert_false(registry_load_file(r, path, &error));
        if (strstr(error->message, "truncated file") == NULL &&
            strstr(error->message, "empty file") == NULL)
            fail_msg("cut at %zu: %s", (size_t)size, error->message);
    }
    remove_directory(dir);
}

/* Headers full of nonsense must end in a reason, too. */
static void
nonsense_in_the_elf_header_is_a_reason(void **state)
{
    g_autofree char *dir = new_directory();
    g_autofree char *content = NULL;
    gsize whole;

    (void)state;
    assert_true(g_file_get_contents(GOOD_PLUGIN, &content, &whole, NULL));
    for (size_t at = 16; at < 64; at++) {
        g_autofree char *path = g_build_filename(dir, "odd.so", NULL);
        const char kept = content[at];

        content[at] = (char)0xff;
        assert_true(g_file_set_contents(path, content, (gssize)whole, NULL));
        elf_check(path, NULL);
        content[at] = kept;
    }
    remove_directory(dir);
}

static void
what_others_may_write_is_refused_unless_asked_for(void **state)
{
    g_autofree char *dir = new_directory();
    g_autofree char *path = put_plugin(dir, "mine.so", -1);
    const char *dirs[] = { dir, NULL };

    (void)state;
    g_chmod(path, 0666);
    {
        g_autoptr(registry) r = registry_new(dirs, false);
        assert_refused(r, "mine.so", "written by everybody (mode 0666)");
        assert_refused(r, "mine.so", "--allow-insecure-plugins");
    }
    {
        g_autoptr(registry) r = registry_new(dirs, true);
        assert_null(reason_of(r, "mine.so"));
        assert_non_null(registry_find(r, LENS_KIND_OF_EXPORTER, "conformance", NULL));
    }
    g_chmod(path, 0644);
    g_chmod(dir, 01777);
    {
        g_autoptr(registry) r = registry_new(dirs, false);
        assert_refused(r, dir, "written by everybody");
        assert_null(registry_find(r, LENS_KIND_OF_EXPORTER, "conformance", NULL));
    }
    {
        g_autoptr(registry) r = registry_new_empty(false);
        assert_false(registry_load_file(r, path, NULL));
    }
    g_chmod(dir, 0755);
    g_chmod(path, 0664);
    {
        g_autoptr(registry) own_group = registry_new(dirs, false);
        assert_null(reason_of(own_group, "mine.so"));
    }
    if (geteuid() == 0) { /* only root can give a file away */
        assert_int_equal(chown(path, 12345, getegid()), 0);
        g_autoptr(registry) foreign = registry_new(dirs, false);
        assert_refused(foreign, "mine.so", "belongs to user 12345");
        assert_int_equal(chown(path, geteuid(), 12345), 0);
        g_autoptr(registry) group = registry_new(dirs, false);
        assert_refused(group, "mine.so", "written by group 12345");
    }
    remove_directory(dir);
}

/* A link in a good directory must not lead into a bad one. */
static void
the_directory_behind_a_link_counts(void **state)
{
    g_autofree char *open = new_directory(), *closed = new_directory();
    g_autofree char *target = put_plugin(open, "real.so", -1);
    g_autofree char *link = g_build_filename(closed, "link.so", NULL);
    const char *dirs[] = { closed, NULL };

    (void)state;
    assert_int_equal(symlink(target, link), 0);
    g_chmod(open, 0777);
    g_autoptr(registry) r = registry_new(dirs, false);
    assert_refused(r, "link.so", "written by everybody");
    remove_directory(open);
    remove_directory(closed);
}

static void
a_missing_name_is_met_by_the_nearest(void **state)
{
    g_autoptr(registry) r = registry_new_empty(true);
    g_autoptr(GError) none = NULL, near = NULL, far = NULL;

    (void)state;
    assert_null(registry_find(r, LENS_KIND_OF_PROVIDER, "x", &none));
    assert_non_null(strstr(none->message, "no plugin was found"));
    assert_true(registry_load_file(r, GOOD_PLUGIN, NULL));
    assert_null(registry_find(r, LENS_KIND_OF_EXPORTER, "conformnace", &near));
    assert_string_equal(near->message, "there is no exporter `conformnace`; did you mean "
                                       "`conformance`?");
    assert_int_equal(near->code, LENS_ERROR_USAGE);
    assert_null(registry_find(r, 0, "other", &far));
    assert_non_null(strstr(far->message, "there is no plugin `other`; there is conf"));
}

/* ---- vetting, field by field ---- */

static lens_status
open_exporter(const struct lens_host *host, void **ret_self)
{
    return LENS_OK;
}

static void
close_any(void *self)
{
}

static lens_status
begin(void *self, const struct lens_run *run, uint64_t resumed)
{
    return LENS_OK;
}

static lens_status
end(void *self, const struct lens_summary *summary, struct lens_delivery *ret)
{
    return LENS_OK;
}

static const struct lens_exporter good_ops = {
    .struct_size = sizeof good_ops,
    .open = open_exporter,
    .close = close_any,
    .begin = begin,
    .end = end,
};
static const struct lens_plugin good = {
    LENS_PLUGIN_HEAD, LENS_KIND_OF_EXPORTER, 0, "x-1_y", "1", "one line", &good_ops, NULL,
};

static void
assert_vet(const struct lens_plugin *d, const char *part)
{
    g_autoptr(GError) error = NULL;
    const bool accepted = plugin_vet_head(d, &error) && plugin_vet(d, &error);

    if (accepted != (part == NULL))
        fail_msg("%s", accepted ? part : error->message);
    if (part != NULL && strstr(error->message, part) == NULL)
        fail_msg("`%s` does not say `%s`", error->message, part);
}

static void
a_descriptor_is_vetted_field_by_field(void **state)
{
    g_autofree char *long_name = g_strnfill(65, 'a');
    struct lens_plugin d = good;
    struct lens_exporter ops = good_ops;

    (void)state;
    assert_vet(&good, NULL);
    d.ops = &ops;
    assert_vet(&d, NULL);

#define BROKEN(field, value, part)  \
    do {                            \
        struct lens_plugin bad = d; \
        bad.field = value;          \
        assert_vet(&bad, part);     \
    } while (0)
    BROKEN(magic, 0, "magic");
    BROKEN(abi, 0, "abi is 0.0");
    BROKEN(abi_needs, LENS_ABI_VERSION(2, 0), "abi_needs is 2.0");
    BROKEN(struct_size, sizeof(struct lens_plugin) - 1, "struct_size");
    BROKEN(struct_size, UINT32_MAX, NULL);
    BROKEN(kind, 0, "kind is 0");
    BROKEN(kind, UINT32_MAX, "kind is 4294967295");
    BROKEN(name, NULL, "name is NULL");
    BROKEN(name, "", "name is malformed");
    BROKEN(name, "-x", "name is malformed");
    BROKEN(name, "x\033[1m", "name is malformed");
    BROKEN(name, long_name, "name is malformed");
    BROKEN(version, NULL, "version is NULL");
    BROKEN(summary, NULL, "summary is NULL");
    BROKEN(ops, NULL, "ops is NULL");
    BROKEN(flags, UINT32_MAX, NULL);
#undef BROKEN

#define BROKEN(field, value, part)             \
    do {                                       \
        const struct lens_exporter kept = ops; \
        ops.field = value;                     \
        assert_vet(&d, part);                  \
        ops = kept;                            \
    } while (0)
    BROKEN(struct_size, 0, "struct_size is 0");
    BROKEN(struct_size, sizeof ops - 1, "struct_size");
    BROKEN(struct_size, UINT32_MAX, NULL);
    BROKEN(open, NULL, "`open` is NULL");
    BROKEN(close, NULL, "`close` is NULL");
    BROKEN(begin, NULL, "`begin` is NULL");
    BROKEN(end, NULL, "`end` is NULL");
    BROKEN(flags, LENS_EXPORT_SAMPLES, "`samples` is NULL");
    BROKEN(flags, LENS_EXPORT_INTERVALS, "`snapshot` is NULL");
    BROKEN(options.count, 1, "items is NULL");
#undef BROKEN
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_refusal_names_the_field_and_both_values),
        cmocka_unit_test(one_object_may_carry_several_plugins),
        cmocka_unit_test(the_first_of_a_name_wins_and_is_named),
        cmocka_unit_test(the_variable_comes_after_the_flag),
        cmocka_unit_test(a_directory_that_is_named_must_be_there),
        cmocka_unit_test(only_shared_objects_are_looked_at),
        cmocka_unit_test(a_file_cut_anywhere_is_a_reason_and_no_signal),
        cmocka_unit_test(nonsense_in_the_elf_header_is_a_reason),
        cmocka_unit_test(what_others_may_write_is_refused_unless_asked_for),
        cmocka_unit_test(the_directory_behind_a_link_counts),
        cmocka_unit_test(a_missing_name_is_met_by_the_nearest),
        cmocka_unit_test(a_descriptor_is_vetted_field_by_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
