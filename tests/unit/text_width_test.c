/* Columns and clusters, in locales with and without UTF-8. */
#include "config.h"

#include "ui/ui.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <string.h>

/* Texts that are one cluster each. */
static const struct {
    const char *text;
    unsigned columns;
} clusters[] = {
    {"a", 1},
    {"é", 1},
    {"e\u0301", 1},                   // with a combining accent
    {"a\u0308\u0323", 1},             // with two
    {"漢", 2},                        //
    {"\u1112\u1161\u11AB", 2},        // Hangul of three jamo
    {"한", 2},                        //
    {"क्", 1},                         // with a virama
    {"ไ", 1},                         //
    {"👍", 2},                         //
    {"👍🏽", 4},                  // wcwidth counts the tone
    {"👩‍👩‍👧‍👦", 8}, // joined
    {"🇩🇪", 2},                        // two letters make a flag
    {"❤\uFE0F", 1},                   // with its selector
    {"1\uFE0F\u20E3", 1},             // a keycap
    {"\u200B", 0},                    // nothing to see
};

static size_t
length_of(size_t i)
{
    return strlen(clusters[i].text);
}

static void
clusters_are_whole(void **state)
{
    (void) state;
    text_width_start(true, 1);
    for (size_t i = 0; i < sizeof clusters / sizeof clusters[0]; i++) {
        unsigned columns;

        assert_int_equal(text_cluster(clusters[i].text, length_of(i), &columns),
                         length_of(i));
        assert_int_equal(columns, clusters[i].columns);
    }
}

/* Any cut lands between clusters, and fits. */
static void
cuts_never_split_a_cluster(void **state)
{
    char text[512] = "";
    size_t ends[32], count = 0;

    (void) state;
    text_width_start(true, 1);
    for (size_t i = 0; i < sizeof clusters / sizeof clusters[0]; i++) {
        strcat(text, clusters[i].text);
        ends[count++] = strlen(text);
    }
    size_t all = text_columns(text, strlen(text));

    for (size_t columns = 0; columns <= all; columns++) {
        size_t used, at = text_fit(text, strlen(text), columns, &used), i = 0;

        assert_true(used <= columns);
        assert_int_equal(used, text_columns(text, at));
        while (i < count && ends[i] != at)
            i++;
        assert_true(at == 0 || i < count);
    }
    assert_int_equal(text_fit(text, strlen(text), all, NULL), strlen(text));
}

static void
ambiguous_characters_are_as_wide_as_the_user_says(void **state)
{
    static const char *const texts[] = {"α", "Ж", "─", "…", "±", "①"};

    (void) state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        text_width_start(true, 1);
        assert_int_equal(text_columns(texts[i], strlen(texts[i])), 1);
        text_width_start(true, 2);
        assert_int_equal(text_columns(texts[i], strlen(texts[i])), 2);
    }
    // others stay what they are
    assert_int_equal(text_columns("aé漢\u0301", 8), 1 + 2 + 2);
    assert_int_equal(text_width_of(0xFFFD), 2);
    assert_int_equal(text_width_of(0x301), 0);
}

static void
widths_are_known_in_a_locale_without_utf8(void **state)
{
    (void) state;
    assert_non_null(setlocale(LC_ALL, "C"));
    text_width_start(true, 1);
    assert_false(text_locale_is_utf8());
    assert_int_equal(text_width_of(0x6F22), 2);
    assert_int_equal(text_width_of(0x301), 0);
    assert_int_equal(text_width_of(0xE9), 1);
    assert_int_equal(text_width_of(0x1F44D), 2);
    assert_non_null(setlocale(LC_ALL, "C.UTF-8"));
    text_width_start(true, 1);
}

static void
ascii_reads_like_what_it_stands_for(void **state)
{
    static const char *const texts[][2] = {
        {"“don’t” – it’s… ok", "\"don't\" - it's... ok"},
        {"a → b ⇒ c ≤ d ≠ e", "a -> b => c <= d != e"},
        {"• one ◦ two", "* one o two"},
        {"┌──┬─┐│═║", "+--+-+|=|"},
        {"naïve café Ångström ß æ Łódź", "naive cafe Angstrom ss ae Lodz"},
        {"e\u0301a\u0308", "ea"},
        {"10² H₂O ½ ﬁ", "10^2 H_2O 1/2 fi"},
        {"漢字 👩‍👩‍👧‍👦 🇩🇪", "?? ? ?"},
        {"€ 5 × 3 ± 2 °C", "EUR 5 x 3 +- 2 degC"},
        {"1\uFE0F\u20E3\u200B!", "1!"},
    };

    (void) state;
    text_width_start(false, 1);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *text = texts[i][0];
        struct buffer shown = {0};
        struct error err;
        size_t columns = 0;

        for (size_t at = 0, length = strlen(text); at < length;) {
            unsigned more;
            size_t bytes, n = text_cluster(text + at, length - at, &more);
            const char *ascii = text_shown(text + at, n, &bytes);

            assert_int_equal(bytes, more);
            assert_int_equal(buffer_append(&shown, ascii, bytes, &err),
                             STATUS_OK);
            columns += more;
            at += n;
        }
        assert_string_equal(shown.data, texts[i][1]);
        assert_int_equal(text_columns(text, strlen(text)), columns);
        buffer_release(&shown);
    }
    text_width_start(true, 1);
}

/* All of Unicode becomes printable ASCII, of at most eight columns. */
static void
no_character_is_without_a_fallback(void **state)
{
    (void) state;
    text_width_start(false, 1);
    for (uint32_t c = 0xA0; c < 0x110000; c++) {
        char bytes[4];
        size_t length;

        if (c >= 0xD800 && c < 0xE000)
            continue;
        const char *shown = text_shown(bytes, utf8_write(bytes, c), &length);

        assert_true(length <= 8 && (length > 0) == (text_width_of(c) > 0));
        for (size_t i = 0; i < length; i++)
            assert_true(shown[i] >= ' ' && shown[i] < 0x7F);
    }
    text_width_start(true, 1);
}

/* Hostile text that never ends a cluster is cut all the same. */
static void
clusters_are_bounded(void **state)
{
    static char marks[20001] = "a";
    unsigned columns;

    (void) state;
    for (size_t i = 0; i < 9999; i++)
        memcpy(marks + 1 + 2 * i, "\xCC\x81", 3);
    assert_true(text_cluster(marks, strlen(marks), &columns) < 200);
    // leading jamo join without end
    for (size_t i = 0; i < 6000; i++)
        memcpy(marks + 3 * i, "\xE1\x84\x80", 4);
    assert_true(text_cluster(marks, strlen(marks), &columns) < 200);
    assert_true(columns <= 8);
}

static void
plain_text_ends_where_something_joins_it(void **state)
{
    static const struct {
        const char *text;
        size_t plain;
    } cases[] = {
        {"", 0},
        {"a", 1},
        {"seven b", 7},
        {"eight by", 8},
        {"nine byte", 9},
        {"sixteen bytes, a", 16},
        {"seventeen, and on", 17},
        {"tab\there", 3},
        {"seven b\t", 7},
        {"eight by\001eight by", 8},
        {"delete\177", 6},
        {"\177", 0},
        {"\xCC\x81", 0},
        {"e\xCC\x81", 0},
        {"ae\xCC\x81", 1},
        {"eight by\xCC\x81", 7},
        {"seven b\xE6\xBC\xA2", 6},
        {"\xFF", 0},
        {"a\x80", 0},
    };

    (void) state;
    text_width_start(true, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text = cases[i].text;
        size_t length = strlen(text), columns = 0;

        assert_int_equal(text_plain(text, length), cases[i].plain);
        // one after the other they are the same
        for (size_t at = 0; at < cases[i].plain; columns++) {
            unsigned one;

            at += text_cluster(text + at, length - at, &one);
            assert_int_equal(one, 1);
        }
        assert_int_equal(columns, cases[i].plain);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clusters_are_whole),
        cmocka_unit_test(cuts_never_split_a_cluster),
        cmocka_unit_test(ambiguous_characters_are_as_wide_as_the_user_says),
        cmocka_unit_test(widths_are_known_in_a_locale_without_utf8),
        cmocka_unit_test(ascii_reads_like_what_it_stands_for),
        cmocka_unit_test(no_character_is_without_a_fallback),
        cmocka_unit_test(clusters_are_bounded),
        cmocka_unit_test(plain_text_ends_where_something_joins_it),
    };

    setlocale(LC_ALL, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
