/*
 * engine/loop_finder.h, on text that is cut into words, numbers and marks as
 * a tokenizer might: what loops, and what only looks like it.
 */
#include "config.h"

#include "engine/loop_finder.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct error err;

/* Where a text was in a loop, if it was. */
struct found {
    size_t times;   // that one was noticed
    size_t token;   // the last one at this token
    size_t tokens;  // of the text
    struct loop at; // the last one
};

/* A word with the blank before it, a digit, or one other character. */
static size_t
token_length(const char *text)
{
    size_t n = *text == ' ' ? 1 : 0;

    if (!isalpha((unsigned char) text[n]))
        return 1;
    while (isalpha((unsigned char) text[n]))
        n++;
    return n;
}

/* An id that follows from the bytes. */
static int32_t
token_id(const char *text, size_t length)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char) text[i]) * 16777619u;
    return (int32_t) (hash & INT32_MAX);
}

static void
push(struct loop_finder *finder, const char *text, struct found *found)
{
    while (*text != '\0') {
        size_t length = token_length(text);
        bool word = isalpha((unsigned char) text[length - 1]) != 0;

        found->tokens++;
        if (loop_finder_push(finder, token_id(text, length), word,
                             &found->at)) {
            found->times++;
            found->token = found->tokens;
        }
        text += length;
    }
}

static struct loop_finder *
open_finder(void)
{
    struct loop_finder *finder;

    assert_int_equal(loop_finder_open(&finder, &err), STATUS_OK);
    return finder;
}

/* `before`, then `text` so many times. */
static struct found
look(const char *before, const char *text, size_t times)
{
    struct loop_finder *finder = open_finder();
    struct found found = {0};

    push(finder, before, &found);
    for (size_t i = 0; i < times; i++)
        push(finder, text, &found);
    loop_finder_close(finder);
    return found;
}

static void
sentences_that_come_again_and_again_are_a_loop(void **state)
{
    static const char *const loops[] = {
        "Wait, let me check that again. ",
        ("So the answer is 12. But wait, the answer might be 12, so the "
         "answer is 12.\n"),
        "I need to compute 27 * 14, which is 27 * 10 plus 27 * 4.\n\n",
    };

    (void) state;
    for (size_t i = 0; i < sizeof loops / sizeof *loops; i++) {
        struct found found = look("Let me think about it. ", loops[i], 40);
        size_t before = 6, period = 0;

        for (const char *at = loops[i]; *at != '\0'; period++)
            at += token_length(at);
        assert_int_equal(found.times, 1);
        assert_int_equal(found.at.period, period);
        // as soon as 160 tokens, and four of them, are there
        size_t total = 4 * period > 160 ? 4 * period : 160;
        assert_in_range(found.token, total, total + before + 1);
        assert_int_equal(found.at.repeats, total / period);
    }
}

static void
a_long_paragraph_is_a_loop_at_its_fourth_time(void **state)
{
    char paragraph[4096] = "";

    (void) state;
    for (int i = 0; i < 70; i++)
        snprintf(paragraph + strlen(paragraph),
                 sizeof paragraph - strlen(paragraph), "%s number %d%c ",
                 i % 3 == 0 ? "then" : "or", i, "abcdefg"[i % 7]);
    struct found thrice = look("", paragraph, 3), four = look("", paragraph, 4);
    assert_true(thrice.tokens / 3 > 400 && thrice.tokens / 3 < LOOP_PERIOD);
    assert_int_equal(thrice.times, 0);
    assert_int_equal(four.times, 1);
    assert_int_equal(four.token, four.tokens);
    assert_int_equal(four.at.repeats, 4);
}

static void
a_few_words_take_longer_and_marks_longest(void **state)
{
    (void) state;
    assert_int_equal(look("", "I am sorry. ", 60).times, 0);
    struct found few = look("", "I am sorry. ", 100);
    assert_int_equal(few.times, 1);
    assert_in_range(few.token, 400, 401);
    assert_int_equal(look("", " the", 1100).times, 0);
    assert_int_equal(look("", " the", 1300).times, 1);
    assert_int_equal(look("", "0", 1199).times, 0);
    assert_int_equal(look("", "0", 1200).times, 1);
    assert_int_equal(look("", "\n", 1200).at.period, 1);
}

static void
a_loop_is_told_once_and_again_when_another_begins(void **state)
{
    struct loop_finder *finder = open_finder();
    struct found found = {0};

    (void) state;
    for (int round = 1; round <= 3; round++) {
        for (int i = 0; i < 60; i++)
            push(finder, "Wait, let me check that again, once more. ", &found);
        assert_int_equal(found.times, round);
        push(finder, "No. That was it, and now for something else. ", &found);
    }
    loop_finder_reset(finder);
    for (int i = 0; i < 12; i++)
        push(finder, "Wait, let me check that again, once more. ", &found);
    assert_int_equal(found.times, 3);
    loop_finder_close(finder);
}

static void
what_counts_is_no_loop(void **state)
{
    struct loop_finder *finder = open_finder();
    struct found found = {0};
    char line[200];

    (void) state;
    for (int i = 1; i <= 2000; i++) {
        snprintf(line, sizeof line, "%d, ", i);
        push(finder, line, &found);
    }
    for (int i = 1; i <= 300; i++) {
        snprintf(line, sizeof line, "%d. Item %d of the list is fine.\n", i, i);
        push(finder, line, &found);
    }
    for (int i = 1; i <= 200; i++) {
        snprintf(line, sizeof line, "7 * %d = %d, and so 7 + 7 * %d = %d.\n", i,
                 7 * i, i, 7 * i + 7);
        push(finder, line, &found);
    }
    assert_true(found.tokens > 10000);
    assert_int_equal(found.times, 0);
    loop_finder_close(finder);
}

static void
tables_and_code_are_no_loop(void **state)
{
    static const char rule[] = "+------------+------------+------------+\n";
    struct loop_finder *finder = open_finder();
    struct found found = {0};
    char line[200];

    (void) state;
    for (int i = 0; i < 60; i++) {
        push(finder, rule, &found);
        snprintf(line, sizeof line, "| row %d     | %d         | yes       |\n",
                 i, i * i);
        push(finder, line, &found);
    }
    for (int i = 0; i < 12; i++)
        push(finder, "| | | | | | | | |\n", &found); // empty rows
    for (int i = 0; i < 60; i++) {
        snprintf(line, sizeof line,
                 "    case STATE_%c%c:\n        return \"%c%c\";\n",
                 'A' + i / 10, 'A' + i % 10, 'a' + i / 10, 'a' + i % 10);
        push(finder, line, &found);
    }
    for (int r = 0; r < 16; r++) { // a matrix of zeros
        push(finder, "    {", &found);
        for (int c = 0; c < 16; c++)
            push(finder, "0, ", &found);
        push(finder, "},\n", &found);
    }
    for (int i = 0; i < 6; i++) // a page's skeleton
        push(finder, "<tr><td></td><td></td></tr>\n", &found);
    push(finder, "\n\n\n                                          ", &found);
    for (int i = 0; i < 3; i++) // a song
        push(finder,
             "Row, row, row your boat, gently down the stream, merrily, "
             "merrily, merrily, merrily, life is but a dream.\n",
             &found);
    assert_int_equal(found.times, 0);
    loop_finder_close(finder);
}

/* Code and manual pages of this tree. */
static void
real_files_are_no_loop(void **state)
{
    static const char *const names[] = {
        "engine/prompt_table.c",    "engine/session.c",
        "engine/server_client.c",   "base/event.c",
        "man/fathom-protocol.5",    "tests/unit/protocol_test.c",
        "tests/cli/engine_test.py", "Makefile.am",
        "engine/local.mk",          "tests/data/tokenizer/bytes.txt",
    };
    const char *top = getenv("top_srcdir");

    (void) state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct found found = {0};
        struct loop_finder *finder = open_finder();
        char path[1000], line[4096];

        snprintf(path, sizeof path, "%s/%s", top != NULL ? top : ".", names[i]);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        while (fgets(line, sizeof line, file) != NULL)
            push(finder, line, &found);
        fclose(file);
        if (found.times > 0)
            fail_msg("%s: %zu tokens again at token %zu", names[i],
                     found.at.period, found.token);
        loop_finder_close(finder);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences_that_come_again_and_again_are_a_loop),
        cmocka_unit_test(a_long_paragraph_is_a_loop_at_its_fourth_time),
        cmocka_unit_test(a_few_words_take_longer_and_marks_longest),
        cmocka_unit_test(a_loop_is_told_once_and_again_when_another_begins),
        cmocka_unit_test(what_counts_is_no_loop),
        cmocka_unit_test(tables_and_code_are_no_loop),
        cmocka_unit_test(real_files_are_no_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
