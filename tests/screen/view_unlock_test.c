/* What is told before the vault is open, and that a passphrase is not. */
#include "config.h"

#include "tests/screen/golden_screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static struct unlock_sheet sheet;

static const struct unlock_sheet *
give_sheet(void *context, uint64_t now_ns)
{
    (void) context;
    (void) now_ns;
    return &sheet;
}

static struct view
open_unlock(void)
{
    static const struct unlock_source source = {NULL, give_sheet};
    struct view view;
    struct error err;

    sheet = (struct unlock_sheet){
        .program = "fathom 1.0",
        .privacy = "net:off  vault:locked",
        .title = "Unlock history",
        .label = "passphrase",
        .enter = "Enter unlock",
        .hidden = true,
        .facts = {{"vault", "71 MB, last written today 14:04", false},
                  {"key slots", "1 passphrase, 2 passphrase + key file", false},
                  {"anchor", "8,812        kept on this machine", true}},
        .fact_count = 3,
        .cost = "Argon2id 3 x 256 MiB",
        .key_file = true,
        .ephemeral = true,
        .leave = "^C quit",
        .remarks = {{"2 failed tries since the last unlock, the last one on "
                     "20 Nov 09:13",
                     NULL},
                    {"swap: ok    core dumps: off    memory lock: 8 MiB, ok",
                     "swap: ok     core dumps: off     ptrace: off     memory "
                     "lock: 8 MiB, ok"},
                    {NULL, "vault file: 0600, owner ok     directory: 0700, "
                           "owner ok"}},
        .remark_count = 3,
        .behind = "the model goes on loading behind this screen: 42 %",
    };
    assert_int_equal(view_unlock_open(&view, &source, &err), STATUS_OK);
    return view;
}

static void
expect_golden(struct view *view, unsigned rows, unsigned columns,
              const char *name)
{
    struct canvas canvas = {0};

    golden_draw(&canvas, view, rows, columns, 0, 0);
    golden_screen(&canvas, name);
    canvas_release(&canvas);
}

static void
it_looks_as_it_should_at_every_size(void **state)
{
    struct view view = open_unlock();

    (void) state;
    expect_golden(&view, 24, 80, "view_unlock-80x24");
    expect_golden(&view, 48, 160, "view_unlock-160x48");
    expect_golden(&view, 16, 60, "view_unlock-60x16");
    view_unlock_close(&view);
}

/* The row that has this text, without what is after it; lent. */
static const char *
row_with(struct view *view, unsigned columns, const char *text)
{
    static struct buffer drawn;
    struct canvas canvas = {0};
    struct error err;

    buffer_clear(&drawn);
    golden_draw(&canvas, view, 16, columns, 0, 0);
    assert_int_equal(canvas_text(&canvas, &drawn, &err), STATUS_OK);
    canvas_release(&canvas);
    char *at = strstr(drawn.data, text);

    assert_non_null(at);
    at[strcspn(at, "\n")] = '\0';
    return at;
}

static void
what_is_too_long_is_cut_before_the_frame(void **state)
{
    struct view view = open_unlock();

    (void) state;
    sheet.facts[0].text = "1,234.5 MB, last written 26 November 2026";
    assert_string_equal(row_with(&view, 60, "1,234.5"),
                        "1,234.5 MB, last written 26 November ~ |");
    view_unlock_close(&view);
}

static void
a_wrong_passphrase_is_told_below_the_box(void **state)
{
    struct view view = open_unlock();

    (void) state;
    sheet.fault = "the vault does not open with this; 2 tries are left";
    sheet.shown = "correct horse";
    sheet.shown_length = 13;
    sheet.seen = true;
    sheet.deriving = "deriving";
    sheet.measured = true;
    sheet.share = 0.5;
    expect_golden(&view, 24, 80, "view_unlock-fault-80x24");
    view_unlock_close(&view);
}

/* As at the first start, where there is no vault yet. */
static void
ask_question(void)
{
    sheet.fact_count = 0;
    sheet.cost = NULL;
    sheet.key_file = sheet.ephemeral = false;
    sheet.text = "Chats can be kept encrypted on this machine, under a "
                 "passphrase that nobody can recover for you.";
    sheet.prompt = "[p] your own passphrase\n[n] no history";
    sheet.made = "abandon-ability-able-about-above-absent and not this";
    sheet.made_length = strlen("abandon-ability-able-about-above-absent");
    sheet.label = "answer";
    sheet.enter = "Enter goes on";
    sheet.hidden = false;
    sheet.shown = "p";
    sheet.shown_length = 1;
}

static void
a_question_is_asked_in_the_same_place(void **state)
{
    struct view view = open_unlock();

    (void) state;
    ask_question();
    expect_golden(&view, 24, 80, "view_unlock-question-80x24");
    expect_golden(&view, 20, 40, "view_unlock-question-40x20");
    view_unlock_close(&view);
}

static void
the_cursor_is_behind_what_is_shown(void **state)
{
    struct view view = open_unlock();
    struct canvas canvas = {0};
    static char typed[4097];

    (void) state;
    golden_draw(&canvas, &view, 24, 80, 0, 0);
    assert_true(canvas.cursor);
    unsigned column = canvas.cursor_column;

    sheet.shown = "abc";
    sheet.shown_length = 3;
    golden_draw(&canvas, &view, 24, 80, 0, 0);
    assert_int_equal(canvas.cursor_column, column + 3);
    // a long one shows its end, and stays in the box
    memset(typed, 'a', sizeof typed - 1);
    typed[4095] = 'z';
    sheet.shown = typed;
    sheet.shown_length = 4096;
    golden_draw(&canvas, &view, 24, 80, 0, 0);
    assert_true(canvas.cursor_column < 70);
    assert_string_equal(
        canvas.cells[canvas.cursor_row * 80 + canvas.cursor_column - 1].text,
        "z");
    // bytes that are no text, and what a terminal would obey
    sheet.shown = "\033[2J\xFF\xE2\x80\xAE";
    sheet.shown_length = 8;
    golden_draw(&canvas, &view, 24, 80, 0, 0);
    for (size_t i = 0; i < 24 * 80; i++)
        assert_null(strpbrk(canvas.cells[i].text, "\033\xFF"));
    canvas_release(&canvas);
    view_unlock_close(&view);
}

static void
no_size_is_too_small(void **state)
{
    struct view view = open_unlock();
    struct canvas canvas = {0};

    (void) state;
    sheet.fault = "the vault does not open with this; 2 tries are left";
    for (unsigned rows = 0; rows < 30; rows++)
        for (unsigned columns = 0; columns < 170; columns += 3)
            golden_draw(&canvas, &view, rows, columns, 0, 0);
    ask_question();
    for (unsigned rows = 0; rows < 30; rows++)
        for (unsigned columns = 0; columns < 170; columns += 3)
            golden_draw(&canvas, &view, rows, columns, 0, 0);
    canvas_release(&canvas);
    view_unlock_close(&view);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_looks_as_it_should_at_every_size),
        cmocka_unit_test(what_is_too_long_is_cut_before_the_frame),
        cmocka_unit_test(a_wrong_passphrase_is_told_below_the_box),
        cmocka_unit_test(a_question_is_asked_in_the_same_place),
        cmocka_unit_test(the_cursor_is_behind_what_is_shown),
        cmocka_unit_test(no_size_is_too_small),
    };

    text_width_start(false, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
