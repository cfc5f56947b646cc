/* ui/screen/terminal_answer.h keeps its promises. */
#include "config.h"

#include "ui/screen/terminal_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* How many answers are in the bytes; the last one and its numbers. */
static unsigned
read_all(const char *bytes, enum answer_kind *last, unsigned numbers[2])
{
    struct answer_reader reader = {.count = 0};
    unsigned found = 0;

    *last = ANSWER_NONE;
    for (; *bytes != '\0'; bytes++) {
        enum answer_kind kind =
            answer_reader_take(&reader, (unsigned char) *bytes);

        if (kind == ANSWER_NONE)
            continue;
        found++;
        *last = kind;
        numbers[0] = reader.numbers[0];
        numbers[1] = reader.numbers[1];
    }
    return found;
}

static void
expect(const char *bytes, enum answer_kind kind, unsigned first,
       unsigned second)
{
    unsigned numbers[2] = {0, 0};
    enum answer_kind last;

    assert_int_equal(read_all(bytes, &last, numbers), 1);
    assert_int_equal(last, kind);
    assert_int_equal(numbers[0], first);
    if (kind != ANSWER_READY)
        assert_int_equal(numbers[1], second);
}

static void
answers_are_read(void **state)
{
    (void) state;
    expect("\033[5;7R", ANSWER_CURSOR, 5, 7);
    expect("\033[1;5R", ANSWER_CURSOR, 1, 5);
    expect("\033[0024;9999R", ANSWER_CURSOR, 24, 9999);
    expect("\033[0n", ANSWER_READY, 0, 0);
    expect("\033[?2004;2$y", ANSWER_MODE, 2004, 2);
    expect("\033[?1006;0$y", ANSWER_MODE, 1006, 0);
}

static void
what_is_around_them_is_passed_over(void **state)
{
    static const char *const around[] = {"ls -l\r",      "\033OP",
                                         "\033[24~",     "\033[[A",
                                         "\033",         "\033[",
                                         "\033[5;",      "\033[?20",
                                         "\033[?20;1$",  "\033]52;c;aGk=\033\\",
                                         "\033[<0;3;4M", "\033[M !!",
                                         "\xE6\xBC\xA2", "\xFF\x9B;5;7X",
                                         "\033[\1",      "\033P1$r0m\033\\"};
    char bytes[80];

    (void) state;
    for (size_t i = 0; i < sizeof around / sizeof *around; i++) {
        strcpy(bytes, around[i]);
        strcat(bytes, "\033[5;7R");
        expect(bytes, ANSWER_CURSOR, 5, 7);
        strcpy(bytes, "\033[5;7R");
        strcat(bytes, around[i]);
        expect(bytes, ANSWER_CURSOR, 5, 7);
    }
}

static void
what_is_nearly_one_is_none(void **state)
{
    static const char *const wrong[] = {
        "\033[R",
        "\033[5R",
        "\033[;R",
        "\033[5;R",
        "\033[;5R",
        "\033[0;5R",
        "\033[5;0R",
        "\033[5;7;9R",
        "\033[?5;7R",
        "\033[5?;7R",
        "\033[??5;7R",
        "\033[-5;7R",
        "\033[5;7 R",
        "\033[5;10000R",
        "\033[10000;5R",
        "\033[5:7R",
        "\033[5;7",
        "\033 [5;7R",
        "[5;7R",
        "\033[n",
        "\033[3n",
        "\033[0;0n",
        "\033[?0n",
        "\033[00001n",
        "\033[?5$y",
        "\033[5;2$y",
        "\033[?5;2y",
        "\033[?5;$y",
        "\033[?$y",
        "\033[?5;2$$y",
        "\033[?5;2$ y",
        "\033[?5;2$R",
        "\033[5;7\nR",
        "\033[5;7$R",
        "\033[18446744073709551621;4294967303R"};
    unsigned numbers[2];
    enum answer_kind last;

    (void) state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (read_all(wrong[i], &last, numbers) != 0)
            fail_msg("%s is taken for an answer", wrong[i] + 1);
}

static void
several_are_told_apart(void **state)
{
    unsigned numbers[2];
    enum answer_kind last;

    (void) state;
    assert_int_equal(
        read_all("\033[5;7R\033[5;8R\033[?2004;1$y\033[0n", &last, numbers), 4);
    assert_int_equal(last, ANSWER_READY);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_read),
        cmocka_unit_test(what_is_around_them_is_passed_over),
        cmocka_unit_test(what_is_nearly_one_is_none),
        cmocka_unit_test(several_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
