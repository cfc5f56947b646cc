/* storage/needle.h: found in either case, and nothing else. */
#include "config.h"

#include "storage/needle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct error err;

/* Where `wanted` begins in `text`, and how long it is there; or -1. */
static int
find(const char *wanted, const char *text, size_t *length)
{
    struct needle *needle;
    size_t at;
    bool found;

    assert_int_equal(
        needle_open(&needle, (struct text){wanted, strlen(wanted)}, &err),
        STATUS_OK);
    found = needle_find(&at, length, needle, (struct text){text, strlen(text)});
    needle_close(needle);
    return found ? (int) at : -1;
}

static void
ascii_is_found_in_either_case(void **state)
{
    size_t length;

    (void) state;
    assert_int_equal(find("queue", "a QuEuE pair", &length), 2);
    assert_int_equal(length, 5);
    assert_int_equal(find("QUEUE", "the queue", &length), 4);
    assert_int_equal(find("x", "lax", &length), 2);
    assert_int_equal(find("aab", "aaaab", &length), 2);
    assert_int_equal(find("abc", "ab", &length), -1);
    assert_int_equal(find("[", "{", &length), -1); // 32 apart, no letters
    assert_int_equal(find("@", "`", &length), -1);
}

static void
other_letters_are_folded(void **state)
{
    size_t length;

    (void) state;
    assert_int_equal(find("ÄPFEL", "zwei äpfel", &length), 5);
    assert_int_equal(length, 6);
    assert_int_equal(find("привет", "- ПРИВЕТ", &length), 2);
    assert_int_equal(find("ΣΑΣ", "σας", &length), 0); // final sigma
    assert_int_equal(find("日本", "東京 日本", &length), 7);
    assert_int_equal(find("ä", "a", &length), -1);
}

static void
what_folds_to_ascii_is_found_by_ascii_and_the_other_way_round(void **state)
{
    size_t length;

    (void) state;
    assert_int_equal(find("STRASSE", "die Straße", &length), 4);
    assert_int_equal(length, 7);
    assert_int_equal(find("straße", "STRASSE", &length), 0);
    assert_int_equal(find("kelvin",
                          "3 \xE2\x84\xAA"
                          "elvin",
                          &length),
                     2);
    assert_int_equal(find("fish", "\xEF\xAC\x81sh", &length), 0);
    assert_int_equal(find("s", "xxxxxxxxxxxx\xC5\xBF", &length), 12);
}

static void
what_is_looked_for_must_be_text(void **state)
{
    struct needle *needle;

    (void) state;
    assert_int_equal(needle_open(&needle, (struct text){"", 0}, &err),
                     STATUS_FORMAT);
    assert_int_equal(needle_open(&needle, (struct text){"\xFF", 1}, &err),
                     STATUS_FORMAT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ascii_is_found_in_either_case),
        cmocka_unit_test(other_letters_are_folded),
        cmocka_unit_test(
            what_folds_to_ascii_is_found_by_ascii_and_the_other_way_round),
        cmocka_unit_test(what_is_looked_for_must_be_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
