/* app/history/pattern.h: expressions find what they say, in bounded time. */
#include "config.h"

#include "app/history/pattern.h"
#include "base/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static struct error err;

static struct text
text_of(const char *bytes)
{
    return (struct text){bytes, strlen(bytes)};
}

/* Where `wanted` begins in `text`, and how long it is there; or -1. */
static int
find_in(const char *wanted, bool case_counts, struct text text, size_t *length)
{
    struct pattern *pattern;
    size_t at;

    assert_int_equal(pattern_open(&pattern, text_of(wanted), case_counts, &err),
                     STATUS_OK);
    bool found = pattern_find(&at, length, pattern, text);

    assert_false(pattern_gave_up(pattern));
    pattern_close(pattern);
    return found ? (int) at : -1;
}

static int
find(const char *wanted, const char *text, size_t *length)
{
    return find_in(wanted, false, text_of(text), length);
}

static void
an_expression_finds_what_it_says(void **state)
{
    size_t n;

    (void) state;
    assert_int_equal(find("psn|qpn", "the QPN is", &n), 4);
    assert_int_equal(n, 3);
    assert_int_equal(find("r[a-z]+a", "some rdma", &n), 5);
    assert_int_equal(n, 4);
    assert_int_equal(find("^b.*d$", "abcd\nbcd\n", &n), 5);
    assert_int_equal(find("[0-9]{3}", "12 345", &n), 3);
    assert_int_equal(find("(a)\\1", "ab aa", &n), 3);
    assert_int_equal(find("x", "abc", &n), -1);
    assert_int_equal(find("x", "", &n), -1);
    // in two lines, and nothing at all
    assert_int_equal(find("a[^x]b", "a\nb", &n), -1);
    assert_int_equal(find("q*", "abc", &n), -1);
    assert_int_equal(find("q*", "abqqc", &n), 2);
    assert_int_equal(n, 2);
}

static void
case_counts_where_it_is_told_to(void **state)
{
    size_t n;

    (void) state;
    assert_int_equal(find_in("rdma", true, text_of("RDMA rdma"), &n), 5);
    assert_int_equal(find_in("rdma", false, text_of("RDMA rdma"), &n), 0);
    assert_int_equal(find("\u00e4pfel", "zwei \u00c4PFEL", &n), 5);
    assert_int_equal(n, 6);
}

static void
characters_are_whole(void **state)
{
    size_t n;

    (void) state;
    assert_int_equal(find("^.$", "\u5929", &n), 0);
    assert_int_equal(n, 3);
    assert_int_equal(find("\\w+", "- \u5929\u7a7a -", &n), 2);
    assert_int_equal(n, 6);
    // what is no UTF-8 is passed over
    assert_int_equal(find("b", "a\xFF\xFE b", &n), 4);
    assert_int_equal(find_in("b", false, (struct text){"a\0b", 3}, &n), 2);
}

static void
long_lines_are_looked_at_in_pieces(void **state)
{
    size_t length = 5 * PATTERN_LINE, n;
    char *bytes = malloc(length);

    (void) state;
    assert_non_null(bytes);
    // three bytes a character, so that a piece would end within one
    for (size_t i = 0; i + 3 <= length; i += 3)
        memcpy(bytes + i, "\u5929", 3);
    memcpy(bytes + length - 4, "here", 4);
    assert_int_equal(find_in("h..e", false, (struct text){bytes, length}, &n),
                     length - 4);
    free(bytes);
}

static void
what_is_no_expression_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *wanted, *why;
    } wrong[] = {
        {"", "has 1 to 1000 bytes"},
        {"a(b", "after byte 3: missing closing parenthesis"},
        {"[a-", "missing terminating ]"},
        {"*", "after byte 0: quantifier"},
        {"\xFF", "UTF-8"},
        {"\\C", "disabled"},
        {"(((a{1,255}){1,255}){1,255})", "too large"},
        {"((((((((((((((((((((((((((((((((((((((((((((((((((((a))))))))))))))))"
         "))))))))))))))))))))))))))))))))))))",
         "nested"},
    };
    char longest[PATTERN_BYTES + 2];
    struct pattern *pattern;

    (void) state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(
            pattern_open(&pattern, text_of(wrong[i].wanted), false, &err),
            STATUS_FORMAT);
        assert_non_null(strstr(err.text, wrong[i].why));
    }
    memset(longest, 'x', sizeof longest);
    longest[PATTERN_BYTES + 1] = '\0';
    assert_int_equal(pattern_open(&pattern, text_of(longest), false, &err),
                     STATUS_FORMAT);
    longest[PATTERN_BYTES] = '\0';
    assert_int_equal(pattern_open(&pattern, text_of(longest), false, &err),
                     STATUS_OK);
    pattern_close(pattern);
}

/* Each would go on for ages; a step is far less than a microsecond. */
static void
hostile_expressions_give_up(void **state)
{
    static const char *const hostile[] = {
        "(a+)+[bc]",         "(a|aa)+[bc]",
        "(.*)*[bc]",         "(?=(a+))\\1+[bc]",
        ".*.*.*[bc]",        "(a*)*(a*)*\\2[bc]",
        "(a?){30}a{30}[bc]", "(?R)",
        "(a(?R)?)+[bc]",     "(?:(?=.*+)){300}[bc]",
    };
    char *bytes = malloc(20000);
    struct text text = {bytes, 20000};

    (void) state;
    assert_non_null(bytes);
    memset(bytes, 'a', text.length);
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        struct pattern *pattern;
        size_t at, length;

        assert_int_equal(
            pattern_open(&pattern, text_of(hostile[i]), false, &err),
            STATUS_OK);
        assert_false(pattern_find(&at, &length, pattern, text));
        assert_true(pattern_gave_up(pattern));
        // and does not begin again
        assert_false(pattern_find(&at, &length, pattern, text_of("aab")));
        pattern_close(pattern);
    }
    free(bytes);
}

static void
memory_may_fail_anywhere(void **state)
{
    enum status status = STATUS_NOMEM;
    struct pattern *pattern;
    unsigned long n = 0;

    (void) state;
    while (status != STATUS_OK) {
        fault_arm(++n);
        status = pattern_open(&pattern, text_of("(a|b)+c"), false, &err);
        fault_arm(0);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
        assert_true(n < 100);
    }
    assert_true(n > 4);
    pattern_close(pattern);
    pattern_close(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_expression_finds_what_it_says),
        cmocka_unit_test(case_counts_where_it_is_told_to),
        cmocka_unit_test(characters_are_whole),
        cmocka_unit_test(long_lines_are_looked_at_in_pieces),
        cmocka_unit_test(what_is_no_expression_is_refused_with_its_place),
        cmocka_unit_test(hostile_expressions_give_up),
        cmocka_unit_test(memory_may_fail_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
