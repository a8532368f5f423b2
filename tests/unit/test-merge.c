/* Objects joined at every depth, and tools read from OpenAI's form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/merge.h"
#include "sdk/text.h"
#include "sdk/tools.h"

static struct lens_bytes
bytes_of(const char *text)
{
    return (struct lens_bytes){ text, strlen(text) };
}

static void
members_of_extra_win_at_every_depth(void **state)
{
    static const struct {
        const char *base, *over, *merged;
    } cases[] = {
        { "{\"a\":1}", "", "{\"a\":1}" },
        { "{\"a\":1}", "{}", "{\"a\":1}" },
        { "{}", "{\"a\":1}", "{\"a\":1}" },
        { "{\"a\":1,\"b\":2}", "{\"b\":3,\"c\":4}", "{\"a\":1,\"b\":3,\"c\":4}" },
        { "{\"a\":{\"x\":1,\"y\":{\"z\":1}}}", "{ \"a\" : {\"y\":{\"w\":2},\"x\":null} }",
          "{\"a\":{\"x\":null,\"y\":{\"z\":1,\"w\":2}}}" },
        { "{\"a\":{\"x\":1}}", "{\"a\":5}", "{\"a\":5}" },
        { "{\"a\":[1]}", "{\"a\":{\"x\":1}}", "{\"a\":{\"x\":1}}" },
        { "{\"a\":1}", "{\"a\":2,\"a\":3}", "{\"a\":3}" },
        { "{\"a\":\"}\\\"{\"}", "{\"b\":\"\\\\\"}", "{\"a\":\"}\\\"{\",\"b\":\"\\\\\"}" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lens_text text = { 0 };
        struct lens_writer w;

        lens_write_begin(&w, &text, lens_text_put);
        lens_write_merged(&w, bytes_of(cases[i].base), bytes_of(cases[i].over));
        assert_int_equal(lens_write_end(&w), LENS_OK);
        assert_string_equal(lens_text_get(&text), cases[i].merged);
        lens_text_clear(&text);
    }
}

static void
only_objects_are_objects(void **state)
{
    (void)state;
    assert_true(lens_is_object(bytes_of(" {\"a\":[{}]} ")));
    assert_false(lens_is_object(bytes_of("[]")));
    assert_false(lens_is_object(bytes_of("{\"a\":}")));
    assert_false(lens_is_object(bytes_of("{} {}")));
    assert_false(lens_is_object(bytes_of("")));
}

static void
tools_and_choices_are_read(void **state)
{
    static const struct {
        const char *choice;
        int found;
    } choices[] = {
        { "", LENS_CHOICE_NONE_GIVEN },
        { "\"auto\"", LENS_CHOICE_AUTO },
        { "\"none\"", LENS_CHOICE_NONE },
        { "\"required\"", LENS_CHOICE_ANY },
        { "{\"type\":\"function\",\"function\":{\"name\":\"f\"}}", LENS_CHOICE_FUNCTION },
        { "{\"type\":\"function\",\"name\":\"f\"}", LENS_CHOICE_FUNCTION },
        { "{\"any\":{}}", -1 },
        { "\"else\"", -1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
        struct lens_json_string name = { 0 };

        assert_int_equal(lens_tool_choice(bytes_of(choices[i].choice), &name),
                         choices[i].found);
        if (choices[i].found == LENS_CHOICE_FUNCTION)
            assert_memory_equal(name.raw.data, "f", 1);
    }
    assert_true(lens_tools_are_plain(
        bytes_of("[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]")));
    assert_false(lens_tools_are_plain(bytes_of("[{\"googleSearch\":{}}]")));
    assert_false(lens_tools_are_plain(bytes_of("[]")));
    assert_false(lens_tools_are_plain(bytes_of("{}")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_of_extra_win_at_every_depth),
        cmocka_unit_test(only_objects_are_objects),
        cmocka_unit_test(tools_and_choices_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
