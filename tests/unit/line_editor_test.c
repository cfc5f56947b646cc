/* The line editor as a box: lines within lines, time, what is told. */
#include "config.h"

#include "ui/ui.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdio.h>

#include <readline/readline.h>
#include <readline/history.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MS UINT64_C(1000000)

/* What readline loses of its own (searches, undo of vi) is not ours to mend. */
__attribute__((visibility("default"))) const char *
__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
    return "leak:libreadline\n";
}

static struct {
    enum action action; // the last one
    int count;
    size_t actions, changes, attached;
    bool asks; // the action asks a question of its own
    char answer[20];
} told;

static void
type(const char *keys, enum line_result wanted)
{
    assert_int_equal(line_editor_keys(keys, strlen(keys), 1), wanted);
}

static void
note_action(void *context, enum action action, int count)
{
    (void) context;
    told.action = action;
    told.count = count;
    told.actions++;
    if (!told.asks)
        return;
    told.asks = false;
    line_editor_hide();
    line_editor_show("Sure? ");
    type("yes\r", LINE_DONE);
    strcpy(told.answer, line_editor_line());
    line_editor_resume();
}

static void
note_change(void *context)
{
    (void) context;
    told.changes++;
}

static void
note_attached(void *context, const char *bytes, size_t length)
{
    (void) context;
    (void) bytes;
    told.attached = length;
}

static void
offer_nothing(void *context, const char *line, size_t start,
              struct line_candidates *out)
{
    (void) context;
    (void) line;
    (void) start;
    (void) out;
}

static void
expect_box(const char *prompt, const char *text, size_t cursor)
{
    struct line_box box = line_editor_box();

    assert_string_equal(box.prompt, prompt);
    assert_string_equal(box.text, text);
    assert_int_equal(box.length, strlen(text));
    assert_int_equal(box.cursor, cursor);
}

static int
begin(void **state)
{
    static const struct line_box_calls calls = {
        .act = note_action, .changed = note_change, .attach = note_attached};

    (void) state;
    memset(&told, 0, sizeof told);
    line_editor_open_box(offer_nothing, &calls);
    line_editor_show("> ");
    return 0;
}

static int
end(void **state)
{
    (void) state;
    line_editor_close();
    return 0;
}

static void
every_change_is_told(void **state)
{
    (void) state;
    assert_true(line_editor_is_box());
    told.changes = 0;
    type("a", LINE_MORE);
    assert_int_equal(told.changes, 1);
    // a batch of keys is one
    type("bc\x02", LINE_MORE);
    assert_int_equal(told.changes, 2);
    expect_box("> ", "abc", 2);
    line_editor_fill("X");
    assert_int_equal(told.changes, 3);
    expect_box("> ", "abXc", 3);
    type("\r", LINE_DONE);
    assert_int_equal(told.changes, 4);
    assert_string_equal(line_editor_line(), "abXc");
    expect_box("", "", 0);
}

static void
escape_waits_and_then_is_an_action(void **state)
{
    (void) state;
    assert_true(line_editor_deadline() == UINT64_MAX);
    type("\033", LINE_MORE);
    assert_int_equal(told.actions, 0);
    uint64_t deadline = line_editor_deadline();

    assert_true(deadline > 1 && deadline <= 1 + 500 * MS);
    assert_int_equal(line_editor_tick(deadline - 1), LINE_MORE);
    assert_int_equal(told.actions, 0);
    assert_int_equal(line_editor_tick(deadline), LINE_MORE);
    assert_int_equal(told.action, ACTION_FOCUS);
    assert_int_equal(told.actions, 1);
    assert_true(line_editor_deadline() == UINT64_MAX);
    // in time it is Meta
    type("one two\033", LINE_MORE);
    type("b", LINE_MORE);
    expect_box("> ", "one two", 4);
    assert_int_equal(told.actions, 1);
}

static void
a_sequence_may_come_in_pieces(void **state)
{
    (void) state;
    type("ab", LINE_MORE);
    type("\033", LINE_MORE);
    type("[", LINE_MORE);
    type("D", LINE_MORE);
    expect_box("> ", "ab", 1);
    type("\033[20", LINE_MORE);
    type("0~paste\033[2", LINE_MORE);
    assert_int_equal(line_editor_box().pasting, 5);
    type("01~", LINE_MORE);
    assert_int_equal(line_editor_box().pasting, 0);
    expect_box("> ", "apasteb", 6);
}

static void
what_follows_a_line_waits_for_the_next(void **state)
{
    (void) state;
    type("first\rsecond\rthi", LINE_DONE);
    assert_string_equal(line_editor_line(), "first");
    assert_true(line_editor_deadline() == UINT64_MAX);
    line_editor_show("> ");
    assert_true(line_editor_deadline() == 0);
    assert_int_equal(line_editor_tick(2), LINE_DONE);
    assert_string_equal(line_editor_line(), "second");
    line_editor_show("> ");
    assert_int_equal(line_editor_tick(3), LINE_MORE);
    expect_box("> ", "thi", 3);
}

static void
a_hidden_line_comes_back_where_it_was(void **state)
{
    (void) state;
    type("half\x02", LINE_MORE);
    line_editor_hide();
    assert_false(line_editor_visible());
    expect_box("", "", 0);
    char *typed = line_editor_typed();

    assert_string_equal(typed, "half");
    free(typed);
    // a question within, and one within that
    line_editor_show("One? ");
    type("in", LINE_MORE);
    line_editor_hide();
    line_editor_show("Two? ");
    typed = line_editor_lowest();
    assert_string_equal(typed, "half");
    free(typed);
    type("y\r", LINE_DONE);
    line_editor_resume();
    expect_box("One? ", "in", 2);
    type("\r", LINE_DONE);
    assert_string_equal(line_editor_line(), "in");
    line_editor_resume();
    expect_box("> ", "half", 3);
    assert_int_equal(told.actions, 0);
}

static void
a_line_within_is_given_up_shown_or_hidden(void **state)
{
    (void) state;
    type("half", LINE_MORE);
    for (int hidden = 0; hidden < 2; hidden++) {
        line_editor_hide();
        line_editor_show("/ ");
        type("what is searched for", LINE_MORE);
        if (hidden)
            line_editor_hide();
        line_editor_give_up();
        line_editor_resume();
        expect_box("> ", "half", 4);
    }
}

static void
an_action_may_ask_before_it_returns(void **state)
{
    (void) state;
    told.asks = true;
    type("ab\033OPcd", LINE_MORE);
    assert_int_equal(told.action, ACTION_HELP);
    assert_string_equal(told.answer, "cdyes");
    expect_box("> ", "ab", 2);
}

static void
an_interrupt_gives_up_whatever_is_typed(void **state)
{
    (void) state;
    assert_false(line_editor_interrupt());
    line_editor_show("> ");
    type("text", LINE_MORE);
    assert_true(line_editor_interrupt());
    line_editor_show("> ");
    type("\033[200~no end", LINE_MORE);
    assert_true(line_editor_interrupt());
    line_editor_show("> ");
    line_editor_remember("needle");
    type("\022nee", LINE_MORE);
    assert_true(line_editor_box().searching);
    assert_true(line_editor_interrupt());
    line_editor_show("> ");
    // a key that is half there is gone, too
    type("\030", LINE_MORE);
    assert_false(line_editor_interrupt());
    line_editor_show("> ");
    type("t\r", LINE_DONE);
    assert_string_equal(line_editor_line(), "t");
}

static void
replaced_text_comes_back_by_undo(void **state)
{
    (void) state;
    type("before", LINE_MORE);
    line_editor_replace("after\nall");
    expect_box("> ", "after\nall", 9);
    type("\037", LINE_MORE);
    expect_box("> ", "before", 6);
}

static void
a_large_paste_is_attached(void **state)
{
    size_t length = LINE_PASTE_BYTES;
    char *bytes = malloc(length + 2);

    (void) state;
    memset(bytes, 'x', length + 1);
    bytes[length + 1] = '\0';
    type("\033[200~", LINE_MORE);
    type(bytes, LINE_MORE);
    type("\033[201~", LINE_MORE);
    assert_int_equal(told.attached, length + 1);
    expect_box("> ", "", 0);
    bytes[length] = '\0';
    type("\033[200~", LINE_MORE);
    type(bytes, LINE_MORE);
    type("\033[201~", LINE_MORE);
    expect_box("> ", bytes, length);
    free(bytes);
}

static void
a_map_stays_from_line_to_line(void **state)
{
    (void) state;
    line_editor_use(MAP_TRANSCRIPT);
    type("j", LINE_MORE);
    assert_int_equal(told.action, ACTION_LINE_DOWN);
    line_editor_hide();
    line_editor_resume();
    type("3k", LINE_MORE);
    assert_int_equal(told.action, ACTION_LINE_UP);
    assert_int_equal(told.count, 3);
    // ^D is no end there
    type("\x04", LINE_MORE);
    assert_int_equal(told.action, ACTION_PAGE_DOWN);
    // a count that is not used is none for the next map
    type("7", LINE_MORE);
    line_editor_use(MAP_INPUT);
    type("x", LINE_MORE);
    expect_box("> ", "x", 1);
    assert_int_equal(line_editor_map(), MAP_INPUT);
}

static void
a_count_before_enter_ends_the_line_too(void **state)
{
    (void) state;
    type("emacs\0333\r", LINE_DONE);
    assert_string_equal(line_editor_line(), "emacs");
    rl_variable_bind("editing-mode", "vi");
    line_editor_show("> ");
    type("vi", LINE_MORE);
    type("\033", LINE_MORE);
    // Esc waits for the rest of a longer key
    assert_int_equal(line_editor_tick(line_editor_deadline()), LINE_MORE);
    type("2\r", LINE_DONE);
    assert_string_equal(line_editor_line(), "vi");
    rl_variable_bind("editing-mode", "emacs");
    line_editor_show("> ");
    type("x\r", LINE_DONE);
    assert_string_equal(line_editor_line(), "x");
}

static void
a_count_without_end_is_bounded(void **state)
{
    (void) state;
    type("\0339999999999x", LINE_MORE);
    assert_int_equal(line_editor_box().length, 1000);
    type("\0333y", LINE_MORE);
    assert_int_equal(line_editor_box().length, 1003);
}

/* Kill and yank twice, again and again, would take all memory. */
static void
a_line_that_doubles_is_bounded(void **state)
{
    (void) state;
    rl_bind_keyseq("\\C-x=", rl_call_last_kbd_macro);
    type("ab\030(\001\013\031\031\030)", LINE_MORE);
    expect_box("> ", "abab", 4);
    type("\03310\030=", LINE_MORE); // 2 to the power of 12
    assert_int_equal(line_editor_box().length, 4096);
    for (int i = 0; i < 6; i++)
        type("\03310\030=", LINE_MORE);
    assert_in_range(line_editor_box().length, 4096, LINE_MOST_BYTES);
    // what is pasted is taken, and what is typed
    size_t length = line_editor_box().length;
    char *bytes = malloc(50001);

    memset(bytes, 'x', 50000);
    bytes[50000] = '\0';
    for (int i = 0; i < 3; i++) {
        type("\033[200~", LINE_MORE);
        type(bytes, LINE_MORE);
        type("\033[201~", LINE_MORE);
    }
    type("x", LINE_MORE);
    assert_int_equal(line_editor_box().length, length + 3 * 50000 + 1);
    free(bytes);
    type("\005\025x", LINE_MORE);
    expect_box("> ", "x", 1);
}

/* As inputrc may have one. */
static void
a_count_in_a_macro_is_bounded(void **state)
{
    char binding[] = "\"\\C-x=\": \"\\e999999999y\"";

    (void) state;
    rl_parse_and_bind(binding);
    type("\030=", LINE_MORE);
    assert_in_range(line_editor_box().length, 1, 1000);
}

static void
what_vi_puts_with_a_count_is_bounded(void **state)
{
    (void) state;
    rl_variable_bind("editing-mode", "vi");
    line_editor_show("> ");
    type("abcdefgh", LINE_MORE);
    type("\033", LINE_MORE);
    assert_int_equal(line_editor_tick(line_editor_deadline()), LINE_MORE);
    type("0D2pD3P", LINE_MORE);
    expect_box("> ", "abcdefghabcdefhhhg", 16);
    type("0D", LINE_MORE);
    for (int i = 0; i < 8; i++)
        type("0D1000p", LINE_MORE);
    assert_in_range(line_editor_box().length, 8000, LINE_MOST_BYTES);
    for (int i = 0; i < 8; i++)
        type("1000.", LINE_MORE);
    assert_in_range(line_editor_box().length, 8000, LINE_MOST_BYTES);
    rl_variable_bind("editing-mode", "emacs");
}

static void
vi_deletes_by_the_key_that_ends_an_empty_line(void **state)
{
    (void) state;
    rl_variable_bind("editing-mode", "vi");
    line_editor_hide();
    line_editor_show("> ");
    type("abc", LINE_MORE);
    type("\033[D\004", LINE_MORE);
    expect_box("> ", "ab", 2);
    type("\033", LINE_MORE);
    assert_int_equal(line_editor_tick(line_editor_deadline()), LINE_MORE);
    type("0\004", LINE_MORE);
    expect_box("> ", "b", 0);
    type("\004", LINE_MORE);
    type("\004", LINE_END);
    rl_variable_bind("editing-mode", "emacs");
}

static void
the_key_that_aborts_is_told(void **state)
{
    (void) state;
    type("ab\007", LINE_MORE);
    assert_int_equal(told.action, ACTION_BACK);
    expect_box("> ", "ab", 2);
    // a search ends by it, and nothing else does
    line_editor_remember("needle");
    type("\022nee\007", LINE_MORE);
    assert_int_equal(told.actions, 1);
    expect_box("> ", "ab", 2);
}

static void
words_of_vi_end_at_characters_that_nobody_knows(void **state)
{
    (void) state;
    rl_variable_bind("editing-mode", "vi");
    line_editor_hide();
    line_editor_show("> ");
    type("ab \xF0\xB4\xB4\xB4", LINE_MORE);
    type("\033", LINE_MORE);
    assert_int_equal(line_editor_tick(line_editor_deadline()), LINE_MORE);
    type("0WWEEwwee*=\\0dw", LINE_MORE);
    type("iX\r", LINE_DONE);
    assert_string_equal(line_editor_line(), "X\xF0\xB4\xB4\xB4");
    rl_variable_bind("editing-mode", "emacs");
}

/* Readline would take seconds for each. */
static void
no_character_is_looked_for_in_a_long_line(void **state)
{
    char *bytes = malloc(LINE_PASTE_BYTES + 1);

    (void) state;
    memset(bytes, 'x', LINE_PASTE_BYTES);
    bytes[LINE_PASTE_BYTES] = '\0';
    type("ab\001\035b", LINE_MORE); // ^], in a short one
    assert_int_equal(line_editor_box().cursor, 1);
    type("\005\033\035a", LINE_MORE);
    assert_int_equal(line_editor_box().cursor, 0);
    type("\033[200~", LINE_MORE);
    type(bytes, LINE_MORE);
    type("\033[201~", LINE_MORE);
    type("\001\035b\005\033\035a", LINE_MORE);
    rl_variable_bind("editing-mode", "vi");
    line_editor_hide();
    line_editor_resume();
    type("\033", LINE_MORE);
    assert_int_equal(line_editor_tick(line_editor_deadline()), LINE_MORE);
    type("0fq$Fq0tq;,", LINE_MORE);
    free(bytes);
    rl_variable_bind("editing-mode", "emacs");
}

static void
vi_looks_for_brackets_to_the_end_of_the_line(void **state)
{
    // a character that nobody knows, a mark above the last one, both
    static const char *const ends[] = {"", "\xF0\xB4\xB4\xB4", "e\xCC\x81",
                                       "\xF0\xB4\xB4\xB4\xCC\x81"};

    (void) state;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        rl_variable_bind("editing-mode", "vi");
        line_editor_hide();
        line_editor_show("> ");
        type("a(b[c]d) x", LINE_MORE);
        type(ends[i], LINE_MORE);
        type("\033", LINE_MORE);
        assert_int_equal(line_editor_tick(line_editor_deadline()), LINE_MORE);
        type("%0%", LINE_MORE);
        assert_int_equal(line_editor_box().cursor, 7);
        type("%ll%", LINE_MORE);
        assert_int_equal(line_editor_box().cursor, 5);
        type("0d%$%0iX\r", LINE_DONE);
        assert_memory_equal(line_editor_line(), "X x", 3);
        assert_string_equal(line_editor_line() + 3, ends[i]);
    }
    rl_variable_bind("editing-mode", "emacs");
}

static void
what_was_typed_before_the_history_ends_with_its_line(void **state)
{
    (void) state;
    line_editor_remember("once");
    type("draft\020", LINE_MORE);
    expect_box("> ", "once", 4);
    type("!\r", LINE_DONE);
    assert_string_equal(line_editor_line(), "once!");
    line_editor_show("> ");
    type("\016", LINE_MORE); // there is nothing after it
    expect_box("> ", "", 0);
    type("\020", LINE_MORE);
    expect_box("> ", "once", 4);
}

/* Readline would go on at the place of another line, behind this one's end. */
static void
a_search_that_failed_turns_round(void **state)
{
    (void) state;
    line_editor_remember("the needle");
    line_editor_remember("second");
    // in a long line, forward through shorter ones to the end
    type("\020\001\033900x\001\023needle", LINE_MORE);
    assert_non_null(strstr(line_editor_box().prompt, "(failed i-search)"));
    type("\022", LINE_MORE);
    assert_string_equal(line_editor_box().prompt,
                        "(reverse-i-search)`needle': ");
    assert_string_equal(line_editor_box().text, "the needle");
    type("\022", LINE_MORE);
    assert_non_null(strstr(line_editor_box().prompt, "(failed reverse-"));
    type("\023", LINE_MORE);
    assert_non_null(strstr(line_editor_box().prompt, "i-search)`needle': "));
    type("\r", LINE_DONE);
    assert_string_equal(line_editor_line(), "the needle");
}

static void
the_terminal_is_not_written_to(void **state)
{
    char path[] = "/tmp/fathom-line-XXXXXX";
    int file = mkstemp(path), out = dup(STDOUT_FILENO),
        err = dup(STDERR_FILENO);

    (void) state;
    fflush(stdout);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    // bell, completion, undo of nothing, version, a bad key, a search
    type("x\t\t\007\037\037\037\030\026\033\031\026a\022zzz\007\033<\033>"
         "\030\022",
         LINE_MORE);
    fflush(stdout);
    fflush(stderr);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    assert_int_equal(lseek(file, 0, SEEK_END), 0);
    unlink(path);
    close(file);
    close(out);
    close(err);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* The line that it would have found is freed; memory checkers see the rest. */
static void
a_search_ends_before_a_full_history_drops_a_line(void **state)
{
    char line[32];

    (void) state;
    line_editor_remember("needle");
    while ((size_t) history_length < line_editor_history_size()) {
        snprintf(line, sizeof line, "line %d", history_length);
        line_editor_remember(line);
    }
    type("\022nee", LINE_MORE);
    assert_true(line_editor_box().searching);
    line_editor_remember("one more");
    assert_false(line_editor_box().searching);
    expect_box("> ", "needle", line_editor_box().cursor);
    type("\022nee\022\022", LINE_MORE);
    // a search that loses nothing goes on
    line_editor_remember("one more");
    assert_true(line_editor_box().searching);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_change_is_told),
        TEST(escape_waits_and_then_is_an_action),
        TEST(a_sequence_may_come_in_pieces),
        TEST(what_follows_a_line_waits_for_the_next),
        TEST(a_hidden_line_comes_back_where_it_was),
        TEST(a_line_within_is_given_up_shown_or_hidden),
        TEST(an_action_may_ask_before_it_returns),
        TEST(an_interrupt_gives_up_whatever_is_typed),
        TEST(a_search_ends_before_a_full_history_drops_a_line),
        TEST(replaced_text_comes_back_by_undo),
        TEST(a_large_paste_is_attached),
        TEST(a_map_stays_from_line_to_line),
        TEST(a_count_before_enter_ends_the_line_too),
        TEST(a_count_without_end_is_bounded),
        TEST(a_count_in_a_macro_is_bounded),
        TEST(what_vi_puts_with_a_count_is_bounded),
        TEST(a_line_that_doubles_is_bounded),
        TEST(vi_deletes_by_the_key_that_ends_an_empty_line),
        TEST(the_key_that_aborts_is_told),
        TEST(words_of_vi_end_at_characters_that_nobody_knows),
        TEST(no_character_is_looked_for_in_a_long_line),
        TEST(vi_looks_for_brackets_to_the_end_of_the_line),
        TEST(what_was_typed_before_the_history_ends_with_its_line),
        TEST(a_search_that_failed_turns_round),
        TEST(the_terminal_is_not_written_to),
    };

    setenv("INPUTRC", "/dev/null", 1);
    setenv("TERM", "xterm", 1);
    setlocale(LC_ALL, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
