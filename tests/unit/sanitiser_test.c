/* The sanitiser keeps its header's promises, for every way to cut the text. */
#include "config.h"

#include "ui/ui.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

struct piece {
    const char *in;
    size_t length;
    const char *out;
};
#define PIECE(in, out)                                                         \
    {                                                                          \
        in, sizeof(in) - 1, out                                                \
    }

/* Escape sequences that have been used against terminals. */
static const struct piece hostile[] = {
    PIECE("\033]52;c;cm0gLXJmIC8=\a", "<ESC>]52;c;cm0gLXJmIC8=<BEL>"),
    PIECE("\033]0;title\a", "<ESC>]0;title<BEL>"),
    PIECE("\033]0;no end, and the rest", "<ESC>]0;no end, and the rest"),
    PIECE("\033]8;;http://a\033\\b\033]8;;\033\\",
          "<ESC>]8;;http://a<ESC>\\b<ESC>]8;;<ESC>\\"),
    PIECE("\033P1$r\033\\", "<ESC>P1$r<ESC>\\"),
    PIECE("\033_Gf=100\033\\", "<ESC>_Gf=100<ESC>\\"),
    PIECE("\033[2J\033[A\033[6n\033c", "<ESC>[2J<ESC>[A<ESC>[6n<ESC>c"),
    PIECE("\xC2\x9B"
          "31m",
          "<U+009B>31m"),
    PIECE("\xC2\x9D"
          "0;t\xC2\x9C",
          "<U+009D>0;t<U+009C>"),
    PIECE("\x9B"
          "31m",
          "\xEF\xBF\xBD"
          "31m"),
    PIECE("a\0b\bc\x7F", "a<NUL>b<BS>c<DEL>"),
    PIECE("\016\017\021\023\005", "<SO><SI><DC1><DC3><ENQ>"),
    PIECE("\xE2\x80\xAE"
          "evil\xE2\x80\xAC",
          "<U+202E>evil<U+202C>"),
    PIECE("\xE2\x81\xA6x\xE2\x81\xA9", "<U+2066>x<U+2069>"),
    PIECE("\xF3\xA0\x81\xA1", "<U+E0061>"),
    PIECE("\xE2\x80\xA8\xE2\x80\xA9", "<U+2028><U+2029>"),
    PIECE("\xEF\xB8\x8F", "<U+FE0F>"),
    // the clipboard is read, or set, ended by a bell, by ST, by its C1 form
    PIECE("\033]52;c;?\a", "<ESC>]52;c;?<BEL>"),
    PIECE("\033]52;p;AAAA\033\\", "<ESC>]52;p;AAAA<ESC>\\"),
    PIECE("\xC2\x9D"
          "52;c;AAAA\xC2\x9C",
          "<U+009D>52;c;AAAA<U+009C>"),
    PIECE("\x9D"
          "52;c;AAAA\x9C",
          "\xEF\xBF\xBD"
          "52;c;AAAA\xEF\xBF\xBD"),
    // titles, also asked for: the answer would be typed
    PIECE("\033]2;t\033\\\033[21t", "<ESC>]2;t<ESC>\\<ESC>[21t"),
    PIECE("\033]1337;File=inline=1:AA\a", "<ESC>]1337;File=inline=1:AA<BEL>"),
    PIECE("\033]9;4;1;50\a\033]777;notify;a;b\a",
          "<ESC>]9;4;1;50<BEL><ESC>]777;notify;a;b<BEL>"),
    // links that say one thing and open another
    PIECE("\033]8;;file:///etc/passwd\ago\033]8;;\a",
          "<ESC>]8;;file:///etc/passwd<BEL>go<ESC>]8;;<BEL>"),
    // strings of the device, of applications, private ones, and start of one
    PIECE("\033P+q544e\033\\\033P$qm\033\\",
          "<ESC>P+q544e<ESC>\\<ESC>P$qm<ESC>\\"),
    PIECE("\033^pm\033\\\033Xsos\033\\", "<ESC>^pm<ESC>\\<ESC>Xsos<ESC>\\"),
    PIECE("\xC2\x90q\xC2\x9F_\xC2\x9E^\xC2\x98x",
          "<U+0090>q<U+009F>_<U+009E>^<U+0098>x"),
    // the cursor, the screen, its size, the mouse, and what reports
    PIECE("\033[1A\033[1J\033[2K\033[H", "<ESC>[1A<ESC>[1J<ESC>[2K<ESC>[H"),
    PIECE("\033[?1049h\033[?1000h\033[?2004l\033[8;1;1t",
          "<ESC>[?1049h<ESC>[?1000h<ESC>[?2004l<ESC>[8;1;1t"),
    PIECE("\033[6n\033[c\033[>0q\033[5i\033[0x",
          "<ESC>[6n<ESC>[c<ESC>[>0q<ESC>[5i<ESC>[0x"),
    PIECE("\xC2\x9B"
          "6n\xC2\x9B"
          "2J\xC2\x84\xC2\x85\xC2\x8D",
          "<U+009B>6n<U+009B>2J<U+0084><U+0085><U+008D>"),
    // other characters, a reset, colours that hide, a blink
    PIECE("\033(0\033)B\033n\033o\033c\033#8",
          "<ESC>(0<ESC>)B<ESC>n<ESC>o<ESC>c<ESC>#8"),
    PIECE("\033[8mhidden\033[0m\033[5m", "<ESC>[8mhidden<ESC>[0m<ESC>[5m"),
    PIECE("rm -rf /\rls      ", "rm -rf /<CR>ls      "),
    PIECE("one\b\b\btwo\v\f", "one<BS><BS><BS>two<VT><FF>"),
    // an escape within an escape, and one that ends in the middle
    PIECE("\033\033]0;\033[31m", "<ESC><ESC>]0;<ESC>[31m"),
    PIECE("\033]52;c;AAAA and the answer goes on\nline",
          "<ESC>]52;c;AAAA and the answer goes on\nline"),
    PIECE("\033[", "<ESC>["),
    PIECE("\033", "<ESC>"),
    // direction: embedded, overridden, isolated; marks of it alone stay
    PIECE("\xE2\x80\xAA\xE2\x80\xAB\xE2\x80\xAD\xE2\x80\xAC",
          "<U+202A><U+202B><U+202D><U+202C>"),
    PIECE("\xE2\x81\xA7\xE2\x81\xA8\xE2\x81\xA9", "<U+2067><U+2068><U+2069>"),
    // text in tags
    PIECE("\xF3\xA0\x80\x81\xF3\xA0\x81\x88\xF3\xA0\x81\x89\xF3\xA0\x81\xBF",
          "<U+E0001><U+E0048><U+E0049><U+E007F>"),
    PIECE("a\xEF\xB8\x80\xEF\xB8\x81", "a<U+FE00><U+FE01>"),
    PIECE("a\xF3\xA0\x84\x80", "a<U+E0100>"),
};

static const struct piece harmless[] = {
    // escapes that are spelled out are text: what reads them is no terminal
    PIECE("\\x1b]52;c;AAAA\\x07", "\\x1b]52;c;AAAA\\x07"),
    PIECE("\\033[2J \\e[31m \\u001b[0m \\x9b31m",
          "\\033[2J \\e[31m \\u001b[0m \\x9b31m"),
    PIECE("^[[2J \xE2\x90\x9B[2J &#27;[2J %1B[2J",
          "^[[2J \xE2\x90\x9B[2J &#27;[2J %1B[2J"),
    PIECE("", ""),
    PIECE("plain\ttext\n", "plain\ttext\n"),
    PIECE("two\r\nlines\r\n", "two\nlines\n"),
    PIECE("a\rb\r\r\n", "a<CR>b<CR>\n"),
    PIECE("end\r", "end<CR>"),
    PIECE("Gr\xC3\xBC\xC3\x9F"
          "e, \xE4\xBD\xA0\xE5\xA5\xBD",
          "Gr\xC3\xBC\xC3\x9F"
          "e, \xE4\xBD\xA0\xE5\xA5\xBD"),
    // heart with its selector, keycap, family with joiners
    PIECE("\xE2\x9D\xA4\xEF\xB8\x8F 1\xEF\xB8\x8F\xE2\x83\xA3",
          "\xE2\x9D\xA4\xEF\xB8\x8F 1\xEF\xB8\x8F\xE2\x83\xA3"),
    PIECE("\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7",
          "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7"),
    PIECE("\xE2\x9D\xA4\xEF\xB8\x8F\xEF\xB8\x8F",
          "\xE2\x9D\xA4\xEF\xB8\x8F<U+FE0F>"),
    // an ideograph may carry one of the ideographic selectors
    PIECE("\xE8\x91\x9B\xF3\xA0\x84\x80", "\xE8\x91\x9B\xF3\xA0\x84\x80"),
};

/* Not UTF-8: overlong, a surrogate, beyond the end, cut off, broken. */
static const struct piece broken[] = {
    PIECE("\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"),
    PIECE("\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"),
    PIECE("\xF4\x90\x80\x80",
          "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"),
    PIECE("a\xE4\xBD", "a\xEF\xBF\xBD"),
    PIECE("\xF0\x9F\x91"
          "A",
          "\xEF\xBF\xBD"
          "A"),
    PIECE("\xF0\x9F\xE4\xBD\xA0", "\xEF\xBF\xBD\xE4\xBD\xA0"),
    PIECE("\xE2\x80\033[m", "\xEF\xBF\xBD<ESC>[m"),
    PIECE("\r\xE2\x80", "<CR>\xEF\xBF\xBD"),
};

static void
expect_cut(const struct piece *piece, size_t first, size_t second)
{
    struct sanitiser s = {0};
    struct buffer out = {0};
    struct error err;

    assert_int_equal(sanitiser_write(&s, &out, piece->in, first, &err), 0);
    assert_int_equal(
        sanitiser_write(&s, &out, piece->in + first, second - first, &err), 0);
    assert_int_equal(sanitiser_write(&s, &out, piece->in + second,
                                     piece->length - second, &err),
                     0);
    assert_int_equal(sanitiser_finish(&s, &out, &err), 0);
    assert_string_equal(out.length ? out.data : "", piece->out);
    buffer_release(&out);
}

static void
expect_at_every_cut(const struct piece *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t first = 0; first <= pieces[i].length; first++)
            for (size_t second = first; second <= pieces[i].length; second++)
                expect_cut(&pieces[i], first, second);
}
#define EXPECT_AT_EVERY_CUT(pieces)                                            \
    expect_at_every_cut(pieces, sizeof(pieces) / sizeof(pieces)[0])

static void
no_known_escape_attack_passes(void **state)
{
    (void) state;
    EXPECT_AT_EVERY_CUT(hostile);
}

static void
harmless_text_passes_unchanged(void **state)
{
    (void) state;
    EXPECT_AT_EVERY_CUT(harmless);
}

static void
bytes_that_are_not_utf8_become_replacement_characters(void **state)
{
    (void) state;
    EXPECT_AT_EVERY_CUT(broken);
}

static void
a_whole_character_is_never_held_back(void **state)
{
    static const char text[] = "\xF0\x9F\x98\x80";
    struct sanitiser s = {0};
    struct buffer out = {0};
    struct error err;

    (void) state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(sanitiser_write(&s, &out, text + i, 1, &err), 0);
        assert_int_equal(out.length, 0);
    }
    assert_int_equal(sanitiser_write(&s, &out, text + 3, 1, &err), 0);
    assert_string_equal(out.data, text);
    buffer_release(&out);
}

static void
marks_are_dimmed_where_the_terminal_can(void **state)
{
    struct sanitiser s = {.mark_open = "\033[2m", .mark_close = "\033[22m"};
    struct buffer out = {0};
    struct error err;

    (void) state;
    assert_int_equal(sanitiser_write(&s, &out, "a\033b", 3, &err), 0);
    assert_string_equal(out.data, "a\033[2m<ESC>\033[22mb");
    buffer_release(&out);
}

/* Every code point: controls never pass, whatever the table above forgot. */
static void
no_control_character_of_unicode_passes(void **state)
{
    struct error err;

    (void) state;
    for (uint32_t c = 0; c < 0x110000; c++) {
        struct sanitiser s = {0};
        struct buffer out = {0};
        char bytes[4];

        if (c >= 0xD800 && c < 0xE000)
            continue;
        size_t n = utf8_write(bytes, c);
        bool control =
            (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c < 0xA0) ||
            (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) ||
            (c >= 0xE0000 && c <= 0xE007F);
        assert_int_equal(sanitiser_write(&s, &out, bytes, n, &err), 0);
        assert_int_equal(sanitiser_finish(&s, &out, &err), 0);
        if (control) {
            assert_int_equal(out.data[0], '<');
            for (size_t i = 0; i < out.length; i++)
                assert_true(out.data[i] >= 0x20 && out.data[i] < 0x7F);
        } else if (out.data[0] != '<') {
            assert_int_equal(out.length, n);
            assert_memory_equal(out.data, bytes, n);
        }
        buffer_release(&out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_known_escape_attack_passes),
        cmocka_unit_test(harmless_text_passes_unchanged),
        cmocka_unit_test(bytes_that_are_not_utf8_become_replacement_characters),
        cmocka_unit_test(a_whole_character_is_never_held_back),
        cmocka_unit_test(marks_are_dimmed_where_the_terminal_can),
        cmocka_unit_test(no_control_character_of_unicode_passes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
