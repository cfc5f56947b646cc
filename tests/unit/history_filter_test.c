/* What is typed to look into the history finds what it says, no more. */
#include "config.h"

#include "app/history/history_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct text
text(const char *bytes)
{
    return (struct text){bytes, strlen(bytes)};
}

/* 2026-09-01 12:00 UTC */
static const uint64_t noon_ms = UINT64_C(1788264000000);

static struct chat_info
a_chat(void)
{
    return (struct chat_info){.id = {{0x0c, 0x84}},
                              .title = text("RDMA notes"),
                              .model = text("V4-Flash-q2"),
                              .tags = text("rdma c++"),
                              .used_ms = noon_ms};
}

static struct turn_record
an_answer(void)
{
    return (struct turn_record){
        .role = TURN_ANSWER,
        .content = text("Numbers differ: PSN mismatch.\n\n```c\nint x;\n```\n"),
        .thinking = text("They want the psn.")};
}

static bool
takes(const char *typed)
{
    struct chat_info chat = a_chat();
    struct history_filter filter;
    struct error err;

    assert_int_equal(history_filter_read(&filter, typed, false, &err),
                     STATUS_OK);
    assert_string_equal(filter.fault, "");
    bool out = history_filter_takes(&filter, &chat);

    history_filter_release(&filter);
    return out;
}

static size_t
hits(const char *typed, struct filter_hit out[FILTER_HITS])
{
    struct turn_record turn = an_answer();
    struct history_filter filter;
    struct error err;

    assert_int_equal(history_filter_read(&filter, typed, false, &err),
                     STATUS_OK);
    size_t count = history_filter_turn(&filter, &turn, out);

    history_filter_release(&filter);
    return count;
}

static void
chats_are_taken_by_model_title_id_and_day(void **state)
{
    (void) state;
    assert_true(takes(""));
    assert_true(takes("model:V4*"));
    assert_true(takes("model:flash"));
    assert_true(takes("model:v*q2 title:notes"));
    assert_false(takes("model:V3"));
    assert_false(takes("model:q2*V4"));
    assert_true(takes("title:rdma"));
    assert_false(takes("title:rping"));
    assert_true(takes("after:2026-09-01"));
    assert_false(takes("after:2026-09-02"));
    assert_true(takes("before:2026-09-02"));
    assert_false(takes("before:2026-09-01"));
    assert_true(takes("id:0CG"));
    assert_false(takes("id:zz"));
    assert_true(takes("tag:rdma"));
    assert_true(takes("tag:RDMA tag:c*"));
    assert_true(takes("tag:c++,rdma"));
    assert_true(takes("tag:*"));
    assert_false(takes("tag:rd"));
    assert_false(takes("tag:rdma tag:thesis"));
    assert_false(takes("tag:rdma,thesis"));
    assert_false(takes("tag:*d"));
    assert_true(takes("tag:*d*a"));
    // not typed to its end
    assert_true(takes("tag: model: title: after: before: id: has: role:"));
}

static void
what_is_not_understood_is_named(void **state)
{
    static const char *const wrong[] = {
        "after:yesterday", "before:2026-13-01", "after:2026-09-01x",
        "role:wizard",     "has:pictures",      "\xFF\xFE",
        "regex:yes",       "regex:on a(b",
    };
    struct history_filter filter;
    struct error err;

    (void) state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(history_filter_read(&filter, wrong[i], false, &err),
                         STATUS_OK);
        assert_string_not_equal(filter.fault, "");
        assert_true(utf8_valid(filter.fault, strlen(filter.fault)));
        history_filter_release(&filter);
    }
    // a colon alone makes no filter
    assert_int_equal(
        history_filter_read(&filter, "std::map http://x", false, &err),
        STATUS_OK);
    assert_string_equal(filter.text, "std::map http://x");
    history_filter_release(&filter);
}

static void
texts_are_found_where_roles_say(void **state)
{
    struct filter_hit found[FILTER_HITS];

    (void) state;
    assert_int_equal(hits("psn   mismatch", found), 1);
    assert_false(found[0].in_thinking);
    assert_int_equal(found[0].at, 16);
    assert_int_equal(found[0].length, 12);
    assert_int_equal(hits("psn role:you", found), 0);
    assert_int_equal(hits("psn role:think", found), 1);
    assert_true(found[0].in_thinking);
    assert_int_equal(found[0].at, 14);
    assert_int_equal(hits("psn role:fathom|thinking", found), 2);
    assert_int_equal(hits("psn role:user,assistant", found), 1);
}

static void
a_capital_letter_makes_case_count(void **state)
{
    struct filter_hit found[FILTER_HITS];

    (void) state;
    assert_int_equal(hits("PSN", found), 1);
    assert_int_equal(hits("Psn", found), 0);
    assert_int_equal(hits("psn", found), 1);
    assert_int_equal(hits("PSN role:think", found), 0);
}

static void
code_and_thoughts_can_be_asked_for(void **state)
{
    struct filter_hit found[FILTER_HITS];
    struct turn_record turn = an_answer();
    struct history_filter filter;
    struct error err;

    (void) state;
    assert_int_equal(hits("has:code", found), 1);
    assert_int_equal(hits("has:code has:think psn", found), 1);
    turn.content = text("no code, psn");
    turn.thinking = (struct text){0};
    assert_int_equal(history_filter_read(&filter, "has:code psn", false, &err),
                     STATUS_OK);
    assert_int_equal(history_filter_turn(&filter, &turn, found), 0);
    history_filter_release(&filter);
    assert_int_equal(history_filter_read(&filter, "has:think psn", false, &err),
                     STATUS_OK);
    assert_int_equal(history_filter_turn(&filter, &turn, found), 0);
    history_filter_release(&filter);
}

static void
an_expression_is_one_where_that_is_said(void **state)
{
    struct filter_hit found[FILTER_HITS];
    struct history_filter filter;
    struct error err;

    (void) state;
    assert_int_equal(hits("p.n", found), 0);
    assert_int_equal(hits("regex:on p.n", found), 1);
    assert_int_equal(found[0].at, 16);
    assert_int_equal(found[0].length, 3);
    assert_int_equal(hits("regex:off p.n", found), 0);
    assert_int_equal(hits("regex:o p.n", found), 0); // not typed to its end
    assert_int_equal(hits("regex:on role:think P.N", found), 0);
    assert_int_equal(hits("regex:on role:think p.n", found), 1);
    assert_true(found[0].in_thinking);
    // letters of escapes are no capitals
    assert_int_equal(hits("regex:on \\bPSN\\S", found), 0);
    assert_int_equal(hits("regex:on \\bpsn\\W", found), 1);
    assert_int_equal(hits("regex:on \\p{Lu}sn", found), 1);
    // as by a key of the view
    assert_int_equal(history_filter_read(&filter, "p.n", true, &err),
                     STATUS_OK);
    assert_true(filter.regex && history_filter_has_text(&filter));
    assert_false(history_filter_is_empty(&filter));
    assert_null(history_filter_gave_up(&filter));
    history_filter_release(&filter);
}

static void
an_expression_that_takes_too_long_says_so(void **state)
{
    struct filter_hit found[FILTER_HITS];
    struct turn_record turn = an_answer();
    struct history_filter filter;
    struct error err;
    char letters[2000];

    (void) state;
    memset(letters, 'a', sizeof letters);
    turn.content = (struct text){letters, sizeof letters};
    assert_int_equal(history_filter_read(&filter, "(a+)+[bc]", true, &err),
                     STATUS_OK);
    assert_int_equal(history_filter_turn(&filter, &turn, found), 0);
    assert_non_null(strstr(history_filter_gave_up(&filter), "takes too long"));
    history_filter_release(&filter);
}

static void
a_title_is_found_unless_turns_are_asked_for(void **state)
{
    struct chat_info chat = a_chat();
    struct history_filter filter;
    struct error err;

    (void) state;
    assert_int_equal(history_filter_read(&filter, "notes", false, &err),
                     STATUS_OK);
    assert_true(history_filter_takes_title(&filter, &chat));
    assert_true(history_filter_needs_turns(&filter));
    history_filter_release(&filter);
    assert_int_equal(
        history_filter_read(&filter, "notes has:code", false, &err), STATUS_OK);
    assert_false(history_filter_takes_title(&filter, &chat));
    history_filter_release(&filter);
    assert_int_equal(history_filter_read(&filter, "  ", false, &err),
                     STATUS_OK);
    assert_true(history_filter_is_empty(&filter));
    history_filter_release(&filter);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chats_are_taken_by_model_title_id_and_day),
        cmocka_unit_test(what_is_not_understood_is_named),
        cmocka_unit_test(texts_are_found_where_roles_say),
        cmocka_unit_test(a_capital_letter_makes_case_count),
        cmocka_unit_test(code_and_thoughts_can_be_asked_for),
        cmocka_unit_test(an_expression_is_one_where_that_is_said),
        cmocka_unit_test(an_expression_that_takes_too_long_says_so),
        cmocka_unit_test(a_title_is_found_unless_turns_are_asked_for),
    };

    setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
