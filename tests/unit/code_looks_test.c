/* Code is told apart into comments, strings, numbers and words. */
#include "config.h"

#include "ui/text/code_looks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static struct error err;

/* A letter for each look; '?' for those that code has not. */
static char
letter(enum look look)
{
    static const char letters[LOOKS] = {
        [LOOK_CODE] = '.',         [LOOK_CODE_WORD] = 'w',
        [LOOK_CODE_STRING] = 's',  [LOOK_CODE_NUMBER] = 'n',
        [LOOK_CODE_COMMENT] = 'c', [LOOK_GOOD] = '+',
        [LOOK_WARNING] = '-',
    };

    return letters[look] != '\0' ? letters[look] : '?';
}

/* Pairs of a line and its looks, up to NULL. */
static void
expect(const char *label, const char *const *lines)
{
    const struct code_language *language =
        code_language_find(label, strlen(label));
    struct buffer runs = {0};
    unsigned inside = 0;

    assert_non_null(language);
    for (; *lines != NULL; lines += 2) {
        char got[256] = "";
        size_t n = 0;

        buffer_clear(&runs);
        assert_int_equal(code_looks(language, &inside, lines[0],
                                    strlen(lines[0]), &runs, &err),
                         STATUS_OK);
        const void *data = runs.data;
        const struct look_run *run = data;

        for (size_t i = 0; i < runs.length / sizeof *run; i++) {
            assert_true(run[i].length > 0);
            assert_true(i == 0 || run[i].look != run[i - 1].look);
            for (size_t k = 0; k < run[i].length; k++)
                got[n++] = letter(run[i].look);
        }
        if (strcmp(got, lines[1]) != 0)
            print_message("%s\n%s\n", lines[0], got);
        assert_string_equal(got, lines[1]);
    }
    buffer_release(&runs);
}

#define EXPECT(label, ...)                                                     \
    expect(label, (const char *const[]){__VA_ARGS__, NULL})

static void
c_has_comments_strings_and_directives(void **state)
{
    (void) state;
    EXPECT("c", //
           "#include <a.h> // x", "wwwwwwww.......cccc", "int i = 0x1F; /* a",
           "www.....nnnn..cccc", "\"b\" */ return 'c';", "cccccc.wwwwww.sss.",
           "f(\"a\\\"b\", 1'000, x1)", "..ssssss..nnnnn.....", "\"open",
           "sssss", "while_ do", ".......ww");
}

static void
strings_over_lines_end_where_they_end(void **state)
{
    (void) state;
    EXPECT("python", "x = \"\"\"if", "....sssss", "if # no", "sssssss",
           "\"\"\" if # yes", "sss.ww.ccccc", "@cached", "wwwwwww",
           "a['k'] = 'it\\'s'", "..sss....sssssss");
    EXPECT("js", "let a = `x", "www.....ss", "${y}` + 1.5e-3",
           "sssss...nnnnnn");
    EXPECT("sh", "echo \"a", "wwww.ss", "b\" $if x#y # c", "ss.........ccc");
}

static void
a_lifetime_is_no_character(void **state)
{
    (void) state;
    EXPECT("rust", //
           "fn f<'a>(x: &'a str) {", "ww..............www...",
           "['x', '\\n', '\\'', 1..2]", ".sss..ssss..ssss..n..n.");
    EXPECT("haskell", "foldl' f 'x' -- y", ".........sss.cccc");
}

static void
formats_have_keys_sections_and_tags(void **state)
{
    (void) state;
    EXPECT("yaml", //
           "- name: \"x\" # y", "..wwww..sss.ccc", "  a.b-c:", "..wwwww.",
           "http://x: true", "..........wwww");
    EXPECT("toml", "[a.b] # c", "wwwww.ccc", "x = 'y' ; z", "........ccc");
    EXPECT("html", //
           "<a href=\"x\">it's</a>", "ww......sssw....wwww");
    EXPECT("diff", //
           "@@ -1 +1 @@", "wwwwwwwwwww", "-old", "----", "+new", "++++",
           " same", ".....");
    EXPECT("tex", "\\section{x} % y", "wwwwwwww....ccc");
}

static void
words_are_of_any_case_where_the_language_says_so(void **state)
{
    (void) state;
    EXPECT("sql", "Select 'it''s' -- x", "wwwwww.sssssss.cccc");
    EXPECT("c", "If (IF)", ".......");
}

static void
names_of_languages_are_found_in_labels(void **state)
{
    const struct code_language *python = code_language_find("python", 6);

    (void) state;
    assert_non_null(python);
    assert_ptr_equal(code_language_find("{.python .numbers}", 18), python);
    assert_ptr_equal(code_language_find("Python title=\"x\"", 16), python);
    assert_ptr_equal(code_language_find("py:line", 7), python);
    assert_null(code_language_find("", 0));
    assert_null(code_language_find(" ", 1));
    assert_null(code_language_find("text", 4));
    assert_null(code_language_find("pytho", 5));
    assert_null(
        code_language_find("a-label-that-is-longer-than-any-name-of-one", 43));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_has_comments_strings_and_directives),
        cmocka_unit_test(strings_over_lines_end_where_they_end),
        cmocka_unit_test(a_lifetime_is_no_character),
        cmocka_unit_test(formats_have_keys_sections_and_tags),
        cmocka_unit_test(words_are_of_any_case_where_the_language_says_so),
        cmocka_unit_test(names_of_languages_are_found_in_labels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
