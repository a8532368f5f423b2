#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <string.h>

#include <lens/workload.h>

#include "error.h"
#include "prompts.h"
#include "shuffle.h"

static char *
write_file(const char *name, const char *text, gssize size)
{
    g_autofree char *dir = g_dir_make_tmp("lens-prompts-XXXXXX", NULL);
    char *path = g_build_filename(dir, name, NULL);

    assert_true(g_file_set_contents(path, text, size, NULL));
    return path;
}

static void
remove_file(char *path)
{
    g_autofree char *dir = g_path_get_dirname(path);

    g_remove(path);
    g_rmdir(dir);
    g_free(path);
}

static prompts *
load(const char *name, const char *text, bool seeded)
{
    char *path = write_file(name, text, -1);
    const plan_prompts settings = { .file = path, .seeded = seeded };
    GError *error = NULL;
    prompts *p = prompts_new(&settings, 42, &error);

    if (p == NULL)
        fail_msg("%s", error->message);
    remove_file(path);
    return p;
}

static char *
text_at(const prompts *p, uint64_t index, uint64_t item)
{
    prompt drawn = { 0 };
    char *text;

    prompts_draw(p, index, item, &drawn);
    text = prompt_to_text(&drawn);
    prompt_clear(&drawn);
    return text;
}

static void
assert_texts(const prompts *p, const char *const *expected, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        g_autofree char *text = text_at(p, i, LENS_ITEM_ANY);

        assert_string_equal(text, expected[i]);
    }
}

/* ---- built in ---- */

static void
built_in_heads_never_repeat(void **state)
{
    const plan_prompts settings = { 0 };
    g_autoptr(prompts) p = prompts_new(&settings, 42, NULL);
    g_autoptr(prompts) again = prompts_new(&settings, 42, NULL);
    g_autoptr(prompts) other = prompts_new(&settings, 43, NULL);
    g_autoptr(GHashTable) heads =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    prompt a = { 0 }, b = { 0 }, c = { 0 };

    (void)state;
    for (uint64_t i = 0; i < 20000; i++) {
        const char *text;

        prompts_draw(p, i, LENS_ITEM_ANY, &a);
        text = a.parts[0].data.data;
        assert_true(
            g_hash_table_add(heads, g_strndup(text, (gsize)(strchr(text, '\n') - text))));
    }
    prompts_draw(p, 7, LENS_ITEM_ANY, &a);
    prompts_draw(again, 7, LENS_ITEM_ANY, &b);
    prompts_draw(other, 7, LENS_ITEM_ANY, &c);
    assert_string_equal(a.text->str, b.text->str);
    assert_string_not_equal(a.text->str, c.text->str);
    assert_int_equal(a.id, c.id); /* the row is the same, its head is not */
    assert_int_equal(a.turn_count, 1);
    assert_int_equal(a.turns[0].role, LENS_ROLE_USER);
    prompt_clear(&a);
    prompt_clear(&b);
    prompt_clear(&c);
}

static void
same_prompt_has_no_head(void **state)
{
    const plan_prompts varied = { 0 }, same = { .same = true };
    g_autoptr(prompts) v = prompts_new(&varied, 42, NULL);
    g_autoptr(prompts) s = prompts_new(&same, 42, NULL);
    g_autofree char *with_head = text_at(v, 0, LENS_ITEM_ANY);
    g_autofree char *first = text_at(s, 0, LENS_ITEM_ANY);
    g_autofree char *second = text_at(s, 1, LENS_ITEM_ANY);
    g_auto(GStrv) split = g_strsplit_set(first, " \n", -1);

    (void)state;
    assert_string_equal(first, second);
    assert_string_equal(strchr(with_head, '\n') + 1, first);
    assert_in_range(g_strv_length(split), 90, 110);
}

static void
given_text_is_sent_as_it_is(void **state)
{
    const plan_prompts settings = { .text = (char *)"Say \xc3\xa4 word" };
    g_autoptr(prompts) p = prompts_new(&settings, 42, NULL);
    g_autofree char *text = text_at(p, 3, LENS_ITEM_ANY);

    (void)state;
    assert_string_equal(text, "Say \xc3\xa4 word");
}

/* ---- files ---- */

static void
text_lines_go_round_in_order(void **state)
{
    static const char *const expected[] = { "one", " two ", "{three", "one", " two " };
    g_autoptr(prompts) p =
        load("p.txt", "\xef\xbb\xbfone\r\n\r\n two \n   \t\n{three", false);
    g_autofree char *named = text_at(p, 99, 1);

    (void)state;
    assert_int_equal(prompts_count(p), 3);
    assert_texts(p, expected, 5);
    assert_string_equal(named, " two ");
}

static void
json_lines_hold_prompts_and_messages(void **state)
{
    static const char lines[] =
        "{\"prompt\": \"a\\nb\", \"max_tokens\": 7, \"id\": \"ignored\"}\r\n"
        "\n"
        "{\"messages\": [{\"role\": \"system\", \"content\": \"be brief\"},"
        " {\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"x\"},"
        " {\"type\": \"text\", \"text\": \"y\"}]}], \"max_tokens\": null}\n"
        "{\"prompt\":\"a\\nb\"}";
    static const char *const expected[] = { "a\nb", "system: be brief\nuser: xy",
                                            "a\nb" };
    static const char *const names[] = { "p.jsonl", "p.ndjson", "prompts" };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(prompts) p = load(names[i], lines, false);
        prompt first = { 0 }, second = { 0 }, third = { 0 };

        assert_texts(p, expected, 3);
        prompts_draw(p, 0, LENS_ITEM_ANY, &first);
        prompts_draw(p, 1, LENS_ITEM_ANY, &second);
        prompts_draw(p, 2, LENS_ITEM_ANY, &third);
        assert_int_equal(first.max_tokens, 7);
        assert_int_equal(second.max_tokens, -1);
        assert_int_equal(second.turn_count, 2);
        assert_int_equal(second.turns[0].role, LENS_ROLE_SYSTEM);
        assert_int_equal(second.turns[1].role, LENS_ROLE_USER);
        assert_int_equal(first.id, third.id);
        assert_int_not_equal(first.id, second.id);
        prompt_clear(&first);
        prompt_clear(&second);
        prompt_clear(&third);
    }
}

/* Ids are stored in run files and compared between them: they must never change. */
static void
ids_are_stable(void **state)
{
    g_autoptr(prompts) text = load("p.txt", "hello", false);
    g_autoptr(prompts) json = load("p.jsonl", "{\"prompt\":\"hello\"}", false);
    prompt a = { 0 }, b = { 0 };

    (void)state;
    prompts_draw(text, 0, LENS_ITEM_ANY, &a);
    prompts_draw(json, 0, LENS_ITEM_ANY, &b);
    assert_int_equal(a.id, b.id);
    assert_true(a.id == UINT64_C(0xdaac37c48e0328f4));
    prompt_clear(&a);
    prompt_clear(&b);
}

static void
bad_files_name_line_and_expectation(void **state)
{
    static const struct {
        const char *name, *text;
        gssize size;
        const char *where, *what;
    } cases[] = {
        { "p.jsonl", "{\"prompt\":\"a\"}\n{oops\n", -1, "p.jsonl:2: ", "JSON object" },
        { "p.jsonl", "\n\n[1]\n", -1, "p.jsonl:3: ", "JSON object" },
        { "p.jsonl", "plain text\n", -1, "p.jsonl:1: ", "JSON object" },
        { "p.jsonl", "{\"text\":\"a\"}", -1, "p.jsonl:1: ", "`prompt` or `messages`" },
        { "p.jsonl", "{\"prompt\":\"a\",\"messages\":[]}", -1, "p.jsonl:1: ", "either" },
        { "p.jsonl", "{\"prompt\":3}", -1, "p.jsonl:1: ", "`prompt` to be a string" },
        { "p.jsonl", "{\"prompt\":[\"a\"]}", -1,
          "p.jsonl:1: ", "`prompt` to be a string" },
        { "p.jsonl", "{\"messages\":[]}", -1, "p.jsonl:1: ", "at least one message" },
        { "p.jsonl", "{\"messages\":{}}", -1, "p.jsonl:1: ", "at least one message" },
        { "p.jsonl", "{\"messages\":[3]}", -1, "p.jsonl:1: ", "objects" },
        { "p.jsonl", "{\"messages\":[{\"role\":\"boss\",\"content\":\"a\"}]}", -1,
          "p.jsonl:1: ", "`role`" },
        { "p.jsonl", "{\"messages\":[{\"content\":\"a\"}]}", -1,
          "p.jsonl:1: ", "`role`" },
        { "p.jsonl", "{\"messages\":[{\"role\":\"user\"}]}", -1,
          "p.jsonl:1: ", "`content`" },
        { "p.jsonl",
          "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}",
          -1, "p.jsonl:1: ", "not supported" },
        { "p.jsonl", "{\"prompt\":\"a\",\"max_tokens\":0}", -1,
          "p.jsonl:1: ", "`max_tokens`" },
        { "p.jsonl", "{\"prompt\":\"a\",\"max_tokens\":\"9\"}", -1,
          "p.jsonl:1: ", "`max_tokens`" },
        { "p.txt", "fine\nbad \xff byte\n", -1, "p.txt:2: ", "byte 5" },
        { "p.txt", "fine\nnul \0 byte\n", 15, "p.txt:2: ", "byte 5" },
        { "p.txt", "", 0, "p.txt: ", "no prompt" },
        { "p.txt", " \n\r\n", -1, "p.txt: ", "no prompt" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *path = write_file(cases[i].name, cases[i].text, cases[i].size);
        const plan_prompts settings = { .file = path };
        g_autoptr(GError) error = NULL;

        assert_null(prompts_new(&settings, 42, &error));
        if (strstr(error->message, cases[i].where) == NULL ||
            strstr(error->message, cases[i].what) == NULL)
            fail_msg("case %zu: %s", i, error->message);
        assert_true(g_str_has_prefix(error->message, path));
        remove_file(path);
    }
}

static void
missing_file_is_said(void **state)
{
    const plan_prompts settings = { .file = (char *)"/nowhere/prompts.txt" };
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_null(prompts_new(&settings, 42, &error));
    assert_true(g_error_matches(error, LENS_ERROR, LENS_ERROR_FILE));
    assert_non_null(strstr(error->message, "/nowhere/prompts.txt"));
}

/* ---- order by seed ---- */

static void
seeded_order_visits_every_row_once_a_pass(void **state)
{
    enum { ROWS = 100, PASSES = 3 };
    g_autoptr(GString) lines = g_string_new(NULL);
    g_autoptr(prompts) p = NULL;
    int order[PASSES][ROWS];

    (void)state;
    for (int i = 0; i < ROWS; i++)
        g_string_append_printf(lines, "%d\n", i);
    p = load("p.txt", lines->str, true);
    for (int pass = 0; pass < PASSES; pass++) {
        bool seen[ROWS] = { false };

        for (int i = 0; i < ROWS; i++) {
            g_autofree char *text =
                text_at(p, (uint64_t)(pass * ROWS + i), LENS_ITEM_ANY);

            order[pass][i] = atoi(text);
            assert_false(seen[order[pass][i]]);
            seen[order[pass][i]] = true;
        }
    }
    assert_memory_not_equal(order[0], order[1], sizeof order[0]);
    assert_memory_not_equal(order[1], order[2], sizeof order[0]);
}

/* All orders of few rows come up about equally often (chi-square, 1 in 100,000). */
static void
shuffles_of_few_rows_are_fair(void **state)
{
    enum { KEYS = 24000 };
    int count[256] = { 0 };
    double chi = 0;
    int kinds = 0;

    (void)state;
    for (uint64_t key = 0; key < KEYS; key++) {
        unsigned code = 0;

        for (uint64_t place = 0; place < 4; place++)
            code = code << 2 | (unsigned)shuffle_at(key * 7919 + 1, place, 4);
        count[code]++;
    }
    for (int i = 0; i < 256; i++)
        if (count[i] > 0) {
            chi += (count[i] - 1000.0) * (count[i] - 1000.0) / 1000.0;
            kinds++;
        }
    assert_int_equal(kinds, 24);
    assert_true(chi < 62);
}

static void
shuffle_is_a_permutation_of_any_size(void **state)
{
    static const uint64_t sizes[] = { 1, 2, 3, 5, 16, 17, 1000, 65537 };

    (void)state;
    for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++) {
        g_autofree bool *seen = g_new0(bool, sizes[s]);

        for (uint64_t i = 0; i < sizes[s]; i++) {
            const uint64_t at = shuffle_at(99, i, sizes[s]);

            assert_true(at < sizes[s]);
            assert_false(seen[at]);
            seen[at] = true;
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_in_heads_never_repeat),
        cmocka_unit_test(same_prompt_has_no_head),
        cmocka_unit_test(given_text_is_sent_as_it_is),
        cmocka_unit_test(text_lines_go_round_in_order),
        cmocka_unit_test(json_lines_hold_prompts_and_messages),
        cmocka_unit_test(ids_are_stable),
        cmocka_unit_test(bad_files_name_line_and_expectation),
        cmocka_unit_test(missing_file_is_said),
        cmocka_unit_test(seeded_order_visits_every_row_once_a_pass),
        cmocka_unit_test(shuffles_of_few_rows_are_fair),
        cmocka_unit_test(shuffle_is_a_permutation_of_any_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
