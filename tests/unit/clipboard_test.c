/* ui/clipboard and ui/theme: bytes for the clipboard, looks of themes. */
#include "config.h"

#include "ui/screen/clipboard.h"
#include "ui/screen/theme.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static struct error err;

static void
assert_bytes(enum passage passage, const char *text, const char *wanted)
{
    struct buffer bytes = {0};

    assert_int_equal(clipboard_bytes(&bytes, passage, text, strlen(text), &err),
                     STATUS_OK);
    assert_string_equal(bytes.data, wanted);
    buffer_release(&bytes);
}

/* "foobar" is of RFC 4648, section 10. */
static void
text_goes_as_base64(void **state)
{
    (void) state;
    assert_bytes(PASSAGE_NONE, "foobar", "\033]52;c;Zm9vYmFy\a");
    assert_bytes(PASSAGE_NONE, "", "\033]52;c;\a");
}

static void
tmux_is_asked_itself_and_to_hand_it_on(void **state)
{
    (void) state;
    assert_bytes(PASSAGE_TMUX, "foobar",
                 "\033]52;c;Zm9vYmFy\a"
                 "\033Ptmux;\033\033]52;c;Zm9vYmFy\a\033\\");
}

static void
gnu_screen_takes_pieces(void **state)
{
    struct buffer bytes = {0};
    char text[600], joined[2000] = "";
    const char *at, *end;

    (void) state;
    memset(text, 'x', sizeof text);
    assert_int_equal(
        clipboard_bytes(&bytes, PASSAGE_SCREEN, text, sizeof text, &err),
        STATUS_OK);
    // 7 of the command, 800 of the text, 1 at the end; then the same in pieces
    at = bytes.data + 808;
    while ((at = strstr(at, "\033P")) != NULL) {
        end = strstr(at, "\033\\");
        assert_non_null(end);
        assert_in_range(end - at, 3, 250);
        strncat(joined, at + 2, (size_t) (end - at - 2));
        at = end;
    }
    assert_int_equal(strlen(joined), 808);
    assert_memory_equal(joined, bytes.data, 808);
    buffer_release(&bytes);
}

static void
what_is_too_long_is_refused_with_its_size(void **state)
{
    static const char text[CLIPBOARD_BYTES + 1];
    struct buffer bytes = {0};

    (void) state;
    assert_int_equal(
        clipboard_bytes(&bytes, PASSAGE_NONE, text, CLIPBOARD_BYTES + 1, &err),
        STATUS_LIMIT);
    assert_string_equal(err.text, "74995 bytes are too many for the clipboard "
                                  "of a terminal, which takes 74994");
    assert_int_equal(bytes.length, 0);
    assert_int_equal(
        clipboard_bytes(&bytes, PASSAGE_NONE, text, CLIPBOARD_BYTES, &err),
        STATUS_OK);
    buffer_release(&bytes);
}

static void
consoles_are_sent_nothing(void **state)
{
    struct buffer bytes = {0};

    (void) state;
    assert_int_equal(passage_of("linux", NULL, NULL), PASSAGE_BLOCKED);
    assert_int_equal(passage_of("vt220", NULL, NULL), PASSAGE_BLOCKED);
    assert_int_equal(clipboard_bytes(&bytes, PASSAGE_BLOCKED, "x", 1, &err),
                     STATUS_UNSUPPORTED);
    assert_int_equal(notice_bytes(&bytes, PASSAGE_BLOCKED, "x", &err),
                     STATUS_UNSUPPORTED);
    assert_int_equal(bytes.length, 0);
    buffer_release(&bytes);
}

static void
what_stands_between_is_seen(void **state)
{
    (void) state;
    assert_int_equal(passage_of("xterm-256color", NULL, NULL), PASSAGE_NONE);
    assert_int_equal(passage_of("xterm-256color", "", ""), PASSAGE_NONE);
    assert_int_equal(passage_of("tmux-256color", NULL, NULL), PASSAGE_TMUX);
    assert_int_equal(passage_of("screen", "/tmp/t,1,0", NULL), PASSAGE_TMUX);
    assert_int_equal(passage_of("screen", NULL, "1.pts"), PASSAGE_SCREEN);
    assert_int_equal(passage_of("screen-256color", NULL, NULL), PASSAGE_SCREEN);
    assert_int_equal(passage_of(NULL, NULL, NULL), PASSAGE_NONE);
}

static void
a_notice_is_short_and_wrapped(void **state)
{
    struct buffer bytes = {0};

    (void) state;
    assert_int_equal(notice_bytes(&bytes, PASSAGE_TMUX, "ready", &err),
                     STATUS_OK);
    assert_string_equal(bytes.data, "\033]9;ready\a"
                                    "\033Ptmux;\033\033]9;ready\a\033\\");
    buffer_release(&bytes);
}

/* -- theme.h ----------------------------------------------------------------
 */

static void
nothing_is_told_by_colour_alone(void **state)
{
    static const enum look alike[] = {LOOK_PLAIN, LOOK_CODE, LOOK_CODE_STRING,
                                      LOOK_CODE_NUMBER, LOOK_GOOD};

    (void) state;
    for (int i = 0; i < LOOKS; i++) {
        struct theme_look mono = theme_look(THEME_MONO, (enum look) i, 256);
        bool plain = false;

        assert_int_equal(mono.foreground, -1);
        assert_int_equal(mono.background, -1);
        for (size_t k = 0; k < sizeof alike / sizeof *alike; k++)
            plain = plain || alike[k] == (enum look) i;
        // code, its quotes and digits, and "ok" say themselves what they are
        assert_int_equal(mono.attributes == 0, plain);
    }
}

static void
themes_keep_within_the_colours_there_are(void **state)
{
    (void) state;
    for (int i = 0; i < LOOKS; i++) {
        enum look look = (enum look) i;

        assert_int_equal(theme_look(THEME_DARK, look, 2).foreground, -1);
        assert_true(theme_look(THEME_DARK, look, 8).foreground < 8);
        assert_true(theme_look(THEME_LIGHT, look, 88).foreground < 8);
        assert_true(theme_look(THEME_TERMINAL, look, 256).foreground < 8);
        assert_true(theme_look(THEME_DARK, look, 256).foreground < 256);
        assert_int_equal(theme_look(THEME_TERMINAL, look, 0).foreground, -1);
    }
}

static void
dark_and_light_differ(void **state)
{
    (void) state;
    assert_int_not_equal(theme_look(THEME_DARK, LOOK_DIM, 256).foreground,
                         theme_look(THEME_LIGHT, LOOK_DIM, 256).foreground);
    // a grey of its own in place of what terminals make of dim
    assert_int_equal(theme_look(THEME_DARK, LOOK_DIM, 256).attributes, 0);
    assert_int_equal(theme_look(THEME_TERMINAL, LOOK_DIM, 256).attributes,
                     SHOWN_DIM);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_goes_as_base64),
        cmocka_unit_test(tmux_is_asked_itself_and_to_hand_it_on),
        cmocka_unit_test(gnu_screen_takes_pieces),
        cmocka_unit_test(what_is_too_long_is_refused_with_its_size),
        cmocka_unit_test(consoles_are_sent_nothing),
        cmocka_unit_test(what_stands_between_is_seen),
        cmocka_unit_test(a_notice_is_short_and_wrapped),
        cmocka_unit_test(nothing_is_told_by_colour_alone),
        cmocka_unit_test(themes_keep_within_the_colours_there_are),
        cmocka_unit_test(dark_and_light_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
