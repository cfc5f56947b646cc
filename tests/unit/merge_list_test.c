/* engine/merge_list.h: order of joins, and the work they cost. */
#include "config.h"

#include "engine/merge_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/*
 * A rule over letters: two of one letter join to the next letter, the earlier
 * in the alphabet the sooner; "x" followed by "y" joins to "z" before all.
 */
static uint32_t
rate_letters(const void *rule, int32_t left, int32_t right, uint32_t start,
             uint32_t end, int32_t *joined)
{
    (void) rule;
    assert_true(start < end);
    if (left == 'x' && right == 'y') {
        *joined = 'z';
        return 0;
    }
    *joined = left + 1;
    return left == right && left < 'w' ? (uint32_t) left : MERGE_NEVER;
}

static void
begin(struct merge_list *list, const char *letters, size_t count)
{
    struct error err;

    assert_int_equal(merge_list_begin(list, count, &err), STATUS_OK);
    for (size_t i = 0; i < count; i++) {
        list->symbols[i].start = (uint32_t) i;
        list->symbols[i].id = letters[i];
    }
}

static void
assert_joined(const char *letters, const char *want)
{
    struct merge_list list = {0};
    size_t n = strlen(letters), at = 0;
    uint32_t end = 0;

    begin(&list, letters, n);
    merge_list_join(&list, (uint32_t) n, rate_letters, NULL);
    for (uint32_t i = 0; i < n; i = list.symbols[i].next) {
        assert_int_equal(list.symbols[i].start, end); // no gap, no overlap
        assert_int_equal(list.symbols[i].id, want[at++]);
        end = merge_list_end(&list, i);
    }
    assert_int_equal(at, strlen(want));
    assert_int_equal(end, n);
    merge_list_release(&list);
}

static void
the_best_pair_joins_first_and_the_leftmost_of_equals(void **state)
{
    (void) state;
    assert_joined("a", "a");
    assert_joined("ab", "ab");
    assert_joined("aa", "b");
    assert_joined("aaa", "ba");  // leftmost
    assert_joined("aab", "c");   // aa to b, then bb to c
    assert_joined("baa", "c");   // the pair in front is rated anew
    assert_joined("bbaab", "d"); // aa first, then bb twice, then cc
    assert_joined("aaaaaaa", "cba");
    assert_joined("xxy", "xz");
    assert_joined("uux", "vx");
    assert_joined("wwxy", "wwz");
}

/* The work of joining n symbols, most of which can be joined. */
static uint64_t
work(size_t n, size_t period)
{
    struct merge_list list = {0};
    char letters[1 << 16];

    assert_true(n <= sizeof letters);
    for (size_t i = 0; i < n; i++)
        letters[i] = (char) ('a' + i % period);
    begin(&list, letters, n);
    merge_list_join(&list, (uint32_t) n, rate_letters, NULL);
    uint64_t steps = list.steps;
    merge_list_release(&list);
    return steps;
}

static void
work_grows_no_faster_than_the_segment(void **state)
{
    (void) state;
    for (size_t n = 1 << 10; n < 1 << 16; n *= 2) {
        assert_true(work(n, 1) >= n / 2); // it does count
        assert_true(work(n, 1) <= 3 * n);
        assert_true(work(n, 3) <= 3 * n);
    }
}

static void
memory_is_used_again_for_the_next_segment(void **state)
{
    struct merge_list list = {0};
    struct error err;

    (void) state;
    begin(&list, "aabb", 4);
    struct merge_symbol *symbols = list.symbols;
    merge_list_join(&list, 4, rate_letters, NULL);
    begin(&list, "aab", 3);
    assert_ptr_equal(list.symbols, symbols);
    merge_list_join(&list, 3, rate_letters, NULL);
    assert_int_equal(list.symbols[0].id, 'c');
    assert_int_equal(merge_list_begin(&list, 1000, &err), STATUS_OK);
    merge_list_release(&list);
    assert_null(list.symbols);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_pair_joins_first_and_the_leftmost_of_equals),
        cmocka_unit_test(work_grows_no_faster_than_the_segment),
        cmocka_unit_test(memory_is_used_again_for_the_next_segment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
