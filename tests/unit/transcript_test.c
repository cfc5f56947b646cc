/* The transcript: what stays where it is read, and what is laid out at all. */
#include "config.h"

#include "ui/ui.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct transcript_style usual = {.thoughts = true,
                                              .hints = true,
                                              .chrome = true,
                                              .tail_rows = 8,
                                              .margin = 2};

struct fixture {
    struct transcript *transcript;
    struct canvas canvas;
    struct transcript_style style;
    struct buffer before; // what the screen showed
};

static void
begin(struct fixture *f)
{
    struct error err;

    *f = (struct fixture){.style = usual};
    text_width_start(false, 1);
    assert_int_equal(transcript_open(&f->transcript, &err), STATUS_OK);
}

static void
end(struct fixture *f)
{
    transcript_close(f->transcript);
    canvas_release(&f->canvas);
    buffer_release(&f->before);
}

static void
draw(struct fixture *f, unsigned rows, unsigned columns)
{
    struct error err;

    if (f->canvas.rows != rows || f->canvas.columns != columns)
        assert_int_equal(canvas_resize(&f->canvas, rows, columns, &err),
                         STATUS_OK);
    assert_int_equal(transcript_draw(f->transcript, &f->canvas,
                                     (struct area){0, 0, rows, columns},
                                     &f->style, &err),
                     STATUS_OK);
}

static size_t
add(struct fixture *f, enum transcript_kind kind)
{
    struct error err;
    size_t item;

    assert_int_equal(transcript_add(&item, f->transcript, kind, NULL, &err),
                     STATUS_OK);
    return item;
}

static void
append(struct fixture *f, size_t item, enum transcript_part part,
       const char *text)
{
    struct error err;

    assert_int_equal(
        transcript_append(f->transcript, item, part, text, strlen(text), &err),
        STATUS_OK);
}

static void
finish(struct fixture *f, size_t item)
{
    struct error err;

    assert_int_equal(transcript_finish(f->transcript, item, &err), STATUS_OK);
}

static size_t
put(struct fixture *f, enum transcript_kind kind, const char *text)
{
    size_t item = add(f, kind);

    append(f, item, TRANSCRIPT_TEXT, text);
    finish(f, item);
    return item;
}

/* `count` lines "NAME 1", each a paragraph or a line of its own. */
static void
append_lines(struct fixture *f, size_t item, enum transcript_part part,
             const char *name, int from, int count)
{
    char line[100];

    for (int i = from; i < from + count; i++) {
        snprintf(line, sizeof line, "%s %d%s", name, i,
                 part == TRANSCRIPT_TEXT ? "\n\n" : "\n");
        append(f, item, part, line);
    }
}

/* Questions and long answers with words of their own, `turns` times. */
static void
fill(struct fixture *f, int turns)
{
    char text[200];

    for (int i = 1; i <= turns; i++) {
        snprintf(text, sizeof text, "question %d", i);
        put(f, TRANSCRIPT_QUESTION, text);
        size_t item = add(f, TRANSCRIPT_ANSWER);

        for (int n = 1; n <= 12; n++) {
            snprintf(text, sizeof text,
                     "Turn %d says in paragraph %d that nothing of what is "
                     "read may move, whatever comes in below.\n\n",
                     i, n);
            append(f, item, TRANSCRIPT_TEXT, text);
        }
        finish(f, item);
    }
}

static const char *
row(const struct fixture *f, unsigned number)
{
    static char text[2000];
    const struct cell *cells = &f->canvas.cells[number * f->canvas.columns];
    size_t length = 0;

    for (unsigned i = 0; i < f->canvas.columns; i++) {
        memcpy(text + length, cells[i].text, strlen(cells[i].text));
        length += strlen(cells[i].text);
    }
    while (length > 0 && text[length - 1] == ' ')
        length--;
    text[length] = '\0';
    return text;
}

/* The row that shows this text, or -1. */
static int
row_of(const struct fixture *f, const char *text)
{
    for (unsigned i = 0; i < f->canvas.rows; i++)
        if (strstr(row(f, i), text))
            return (int) i;
    return -1;
}

static void
keep_screen(struct fixture *f)
{
    struct error err;

    buffer_clear(&f->before);
    assert_int_equal(canvas_text(&f->canvas, &f->before, &err), STATUS_OK);
}

/* Nothing but the last row, which counts what is below, may differ. */
static void
assert_same_screen(struct fixture *f)
{
    struct buffer now = {0};
    struct error err;
    size_t length = 0;

    assert_int_equal(canvas_text(&f->canvas, &now, &err), STATUS_OK);
    for (unsigned i = 0; i + 1 < f->canvas.rows; i++)
        length += strcspn(f->before.data + length, "\n") + 1;
    assert_true(now.length >= length);
    if (memcmp(now.data, f->before.data, length) != 0)
        fail_msg("was\n%s\nis\n%s", f->before.data, now.data);
    buffer_release(&now);
}

static void
an_empty_chat_of_any_size_is_drawn(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    assert_false(transcript_scroll(f.transcript, -1));
    draw(&f, 1, 1);
    draw(&f, 24, 80);
    assert_false(transcript_scroll(f.transcript, 1));
    assert_false(transcript_page(f.transcript, -1));
    assert_false(transcript_top(f.transcript));
    assert_false(transcript_turn(f.transcript, -1));
    assert_false(transcript_code_block(f.transcript, 1));
    assert_false(transcript_fold(f.transcript, 0));
    assert_int_equal(transcript_current(f.transcript), TRANSCRIPT_NONE);
    put(&f, TRANSCRIPT_QUESTION, "x");
    draw(&f, 1, 1);
    draw(&f, 2, 3);
    draw(&f, 0, 0);
    assert_true(transcript_follows(f.transcript));
    end(&f);
}

static void
the_end_is_followed_and_a_short_chat_begins_at_the_top(void **state)
{
    struct fixture f;
    size_t item;

    (void) state;
    begin(&f);
    put(&f, TRANSCRIPT_QUESTION, "what?");
    draw(&f, 10, 60);
    assert_string_equal(row(&f, 0), " you");
    assert_string_equal(row(&f, 1), "   what?");
    item = add(&f, TRANSCRIPT_ANSWER);
    append_lines(&f, item, TRANSCRIPT_TEXT, "line", 1, 30);
    draw(&f, 10, 60);
    assert_string_equal(row(&f, 9), "   line 30_");
    assert_int_equal(transcript_rows_below(f.transcript), 0);
    end(&f);
}

static void
where_somebody_reads_nothing_moves(void **state)
{
    struct fixture f;
    size_t item;

    (void) state;
    begin(&f);
    fill(&f, 3);
    put(&f, TRANSCRIPT_QUESTION, "more?");
    item = add(&f, TRANSCRIPT_ANSWER);
    append_lines(&f, item, TRANSCRIPT_TEXT, "line", 1, 10);
    draw(&f, 20, 60);
    assert_true(transcript_page(f.transcript, -1));
    draw(&f, 20, 60);
    assert_false(transcript_follows(f.transcript));
    assert_non_null(strstr(row(&f, 19), "more below ("));
    assert_non_null(strstr(row(&f, 19), "still streaming"));
    keep_screen(&f);
    append_lines(&f, item, TRANSCRIPT_TEXT, "line", 11, 50);
    draw(&f, 20, 60);
    assert_same_screen(&f);
    finish(&f, item);
    put(&f, TRANSCRIPT_NOTE, "a note");
    put(&f, TRANSCRIPT_QUESTION, "and then?");
    draw(&f, 20, 60);
    assert_same_screen(&f);
    assert_null(strstr(row(&f, 19), "still streaming"));
    transcript_follow(f.transcript);
    draw(&f, 20, 60);
    assert_string_equal(row(&f, 19), "   and then?");
    end(&f);
}

static void
a_page_back_and_forth_ends_where_it_began(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    fill(&f, 6);
    draw(&f, 20, 60);
    transcript_page(f.transcript, -4);
    draw(&f, 20, 60);
    keep_screen(&f);
    transcript_page(f.transcript, -1);
    draw(&f, 20, 60);
    transcript_page(f.transcript, 1);
    draw(&f, 20, 60);
    assert_same_screen(&f);
    // a row that was read goes on to be seen
    char first[200];

    snprintf(first, sizeof first, "%s", row(&f, 18));
    transcript_page(f.transcript, 1);
    draw(&f, 20, 60);
    assert_string_equal(row(&f, 0), first);
    // line by line to the end follows it again
    for (int i = 0; i < 1000 && !transcript_follows(f.transcript); i++)
        transcript_scroll(f.transcript, 1);
    assert_true(transcript_follows(f.transcript));
    transcript_top(f.transcript);
    draw(&f, 20, 60);
    assert_string_equal(row(&f, 1), "   question 1");
    assert_false(transcript_scroll(f.transcript, -1));
    end(&f);
}

static void
another_width_keeps_the_first_line(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    fill(&f, 4);
    draw(&f, 20, 80);
    transcript_page(f.transcript, -2);
    transcript_scroll(f.transcript, -2);
    draw(&f, 20, 80);
    while (!strstr(row(&f, 0), "Turn")) {
        transcript_scroll(f.transcript, -1);
        draw(&f, 20, 80);
    }
    keep_screen(&f);
    char first[20];

    snprintf(first, sizeof first, "%.18s", row(&f, 0));
    for (unsigned columns = 30; columns < 140; columns += 7) {
        draw(&f, 20, columns);
        assert_non_null(strstr(row(&f, 0), first));
    }
    draw(&f, 20, 80);
    assert_same_screen(&f);
    end(&f);
}

static void
a_thought_that_ends_moves_nothing_that_is_read(void **state)
{
    struct fixture f;
    size_t item;

    (void) state;
    begin(&f);
    fill(&f, 1);
    put(&f, TRANSCRIPT_QUESTION, "think");
    item = add(&f, TRANSCRIPT_ANSWER);
    append_lines(&f, item, TRANSCRIPT_THOUGHT, "idea", 1, 40);
    draw(&f, 20, 60);
    // the tail: seven lines and one that tells of keys
    assert_string_equal(row(&f, 18), " :  idea 40_");
    assert_int_equal(row_of(&f, "idea 34"), 12);
    assert_int_equal(row_of(&f, "idea 33"), -1);
    assert_true(transcript_page(f.transcript, -1));
    draw(&f, 20, 60);
    assert_true(row_of(&f, "idea 10") >= 0);
    int seen = row_of(&f, "idea 20");

    assert_true(seen >= 0);
    keep_screen(&f);
    append_lines(&f, item, TRANSCRIPT_THOUGHT, "idea", 41, 10);
    draw(&f, 20, 60);
    assert_same_screen(&f);
    append_lines(&f, item, TRANSCRIPT_TEXT, "fact", 1, 10);
    draw(&f, 20, 60);
    assert_same_screen(&f);
    finish(&f, item);
    draw(&f, 20, 60);
    assert_same_screen(&f);
    // it folds when the end is followed
    transcript_follow(f.transcript);
    draw(&f, 20, 60);
    assert_int_equal(row_of(&f, "idea"), -1);
    assert_true(row_of(&f, "> thought") >= 0);
    end(&f);
}

static void
a_thought_out_of_view_folds(void **state)
{
    struct fixture f;
    size_t item;

    (void) state;
    begin(&f);
    fill(&f, 2);
    item = add(&f, TRANSCRIPT_ANSWER);
    append_lines(&f, item, TRANSCRIPT_THOUGHT, "idea", 1, 40);
    draw(&f, 20, 60);
    transcript_top(f.transcript);
    draw(&f, 20, 60);
    size_t below = transcript_rows_below(f.transcript);

    keep_screen(&f);
    append(&f, item, TRANSCRIPT_TEXT, "fact");
    draw(&f, 20, 60);
    assert_same_screen(&f);
    assert_true(transcript_rows_below(f.transcript) < below - 30);
    end(&f);
}

static void
thoughts_fold_one_by_one_and_all(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    for (int i = 0; i < 2; i++) {
        size_t item = add(&f, TRANSCRIPT_ANSWER);

        append_lines(&f, item, TRANSCRIPT_THOUGHT, "idea", 1, 3);
        append(&f, item, TRANSCRIPT_TEXT, "fact");
        finish(&f, item);
    }
    draw(&f, 24, 60);
    assert_int_equal(row_of(&f, "idea"), -1);
    assert_true(transcript_fold(f.transcript, 0));
    draw(&f, 24, 60);
    assert_int_equal(row_of(&f, "idea 1"), 1);
    assert_int_equal(row_of(&f, "> thought"), 7);
    assert_true(transcript_fold(f.transcript, 0));
    draw(&f, 24, 60);
    assert_int_equal(row_of(&f, "idea"), -1);
    end(&f);
}

static void
opening_a_thought_keeps_its_head_where_it_is(void **state)
{
    struct fixture f;
    size_t item;

    (void) state;
    begin(&f);
    fill(&f, 1);
    item = add(&f, TRANSCRIPT_ANSWER);
    append_lines(&f, item, TRANSCRIPT_THOUGHT, "idea", 1, 60);
    append(&f, item, TRANSCRIPT_TEXT, "fact");
    finish(&f, item);
    draw(&f, 20, 60);
    // at the bottom it would have no room
    assert_int_equal(row_of(&f, "> thought"), 18);
    assert_true(transcript_fold(f.transcript, item));
    draw(&f, 20, 60);
    int head = row_of(&f, "v thought");

    assert_int_equal(head, 6);
    assert_int_equal(row_of(&f, "idea 1"), head + 1);
    transcript_scroll(f.transcript, -3);
    draw(&f, 20, 60);
    head = row_of(&f, "v thought");
    assert_int_equal(head, 9);
    assert_true(transcript_fold(f.transcript, item));
    draw(&f, 20, 60);
    assert_int_equal(row_of(&f, "> thought"), 18);
    assert_int_equal(row_of(&f, "idea 1"), -1);
    end(&f);
}

static void
turns_are_walked_and_named(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    fill(&f, 3);
    draw(&f, 20, 60);
    assert_int_equal(transcript_current(f.transcript), 5);
    assert_int_equal(transcript_last_answer(f.transcript), 5);
    transcript_turn(f.transcript, -1); // to its own head, which is not in view
    draw(&f, 20, 60);
    assert_int_equal(transcript_current(f.transcript), 5);
    assert_string_equal(row(&f, 0), " fathom");
    transcript_turn(f.transcript, -3);
    draw(&f, 20, 60);
    assert_int_equal(transcript_current(f.transcript), 2);
    assert_string_equal(row(&f, 0), " you");
    assert_string_equal(row(&f, 1), "   question 2");
    assert_int_equal(transcript_current_answer(f.transcript), 3);
    // what is scrolled by hand has the first head in view
    transcript_scroll(f.transcript, 1);
    draw(&f, 20, 60);
    assert_int_equal(transcript_current(f.transcript), 3);
    transcript_turn(f.transcript, 10);
    draw(&f, 20, 60);
    assert_int_equal(transcript_current(f.transcript), 5);
    end(&f);
}

static void
code_blocks_are_walked_across_answers(void **state)
{
    struct fixture f;
    struct document_code code;
    size_t item = 0;

    (void) state;
    begin(&f);
    for (int i = 0; i < 3; i++) {
        put(&f, TRANSCRIPT_QUESTION, "code?");
        item = add(&f, TRANSCRIPT_ANSWER);
        append_lines(&f, item, TRANSCRIPT_TEXT, "text", 1, 15);
        append(&f, item, TRANSCRIPT_TEXT, "```c\nfirst\n```\n\n");
        append_lines(&f, item, TRANSCRIPT_TEXT, "text", 16, 15);
        append(&f, item, TRANSCRIPT_TEXT, "```sh\nsecond\n```\n\n");
        append_lines(&f, item, TRANSCRIPT_TEXT, "text", 31, 15);
        finish(&f, item);
    }
    draw(&f, 20, 60);
    assert_true(transcript_code_block(f.transcript, -1));
    draw(&f, 20, 60);
    assert_int_equal(transcript_current_answer(f.transcript), 5);
    assert_int_equal(transcript_current_code(f.transcript), 2);
    assert_non_null(strstr(row(&f, 0), "[2] y2 copies, o pages"));
    assert_true(transcript_code_block(f.transcript, -2));
    draw(&f, 20, 60);
    assert_int_equal(transcript_current_answer(f.transcript), 3);
    assert_int_equal(transcript_current_code(f.transcript), 2);
    assert_true(transcript_code(f.transcript, 3, 1, &code));
    assert_memory_equal(code.text, "first\n", 6);
    assert_false(transcript_code(f.transcript, 3, 3, &code));
    assert_false(transcript_code(f.transcript, 3, 0, &code));
    assert_true(transcript_code_block(f.transcript, 1));
    draw(&f, 20, 60);
    assert_int_equal(transcript_current_answer(f.transcript), 5);
    assert_int_equal(transcript_current_code(f.transcript), 1);
    transcript_top(f.transcript);
    draw(&f, 20, 60);
    assert_true(transcript_code_block(f.transcript, 1));
    draw(&f, 20, 60);
    assert_int_equal(transcript_current_answer(f.transcript), 1);
    assert_int_equal(transcript_current_code(f.transcript), 1);
    assert_false(transcript_code_block(f.transcript, -1));
    end(&f);
}

static void
search(struct fixture *f, const char *text)
{
    struct error err;

    assert_int_equal(transcript_search(f->transcript, text, strlen(text), &err),
                     STATUS_OK);
}

static size_t
matches(const struct fixture *f)
{
    size_t at;

    return transcript_matches(f->transcript, &at);
}

static void
a_chosen_code_block_is_forgotten_with_its_answer(void **state)
{
    struct fixture f;
    size_t last;

    (void) state;
    for (int text = 0; text < 2; text++) {
        begin(&f);
        size_t item = add(&f, TRANSCRIPT_ANSWER);

        for (int i = 0; i < 3; i++)
            append(&f, item, TRANSCRIPT_TEXT, "text\n\n```\nx\n```\n\n");
        append_lines(&f, item, TRANSCRIPT_TEXT, "fact", 1, 30);
        finish(&f, item);
        last = add(&f, TRANSCRIPT_ANSWER);
        append(&f, last, TRANSCRIPT_THOUGHT, "idea");
        if (text)
            append(&f, last, TRANSCRIPT_TEXT, "no code");
        draw(&f, 16, 60);
        transcript_top(f.transcript);
        draw(&f, 16, 60);
        assert_true(transcript_code_block(f.transcript, 3));
        draw(&f, 16, 60);
        assert_int_equal(transcript_current_code(f.transcript), 3);
        // its head is out of view, so it becomes current
        assert_true(transcript_fold(f.transcript, last));
        assert_int_equal(transcript_current(f.transcript), last);
        assert_int_equal(transcript_current_code(f.transcript), 0);
        draw(&f, 16, 60);
        transcript_code_block(f.transcript, 1);
        assert_true(transcript_code_block(f.transcript, -1));
        assert_int_equal(transcript_current_code(f.transcript), 3);
        end(&f);
    }
}

static void
a_chosen_code_block_may_turn_out_to_be_none(void **state)
{
    struct fixture f;
    struct document_code code;

    (void) state;
    begin(&f);
    size_t item = add(&f, TRANSCRIPT_ANSWER);

    append(&f, item, TRANSCRIPT_TEXT, "Write\n\n```x");
    draw(&f, 16, 60);
    assert_true(transcript_code_block(f.transcript, 1));
    assert_int_equal(transcript_current_code(f.transcript), 1);
    append(&f, item, TRANSCRIPT_TEXT, "``` in a line.\n\nMore\n\n");
    draw(&f, 16, 60);
    assert_false(transcript_code(f.transcript, item, 1, &code));
    assert_false(transcript_code_block(f.transcript, 1));
    assert_int_equal(transcript_current_code(f.transcript), 0);
    append(&f, item, TRANSCRIPT_TEXT, "```\nx\n```\n");
    draw(&f, 16, 60);
    assert_true(transcript_code_block(f.transcript, 1));
    end(&f);
}

static void
code_behind_a_tab_is_walked_to(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    put(&f, TRANSCRIPT_ANSWER, "text\n\n\tint code;\n\nend\n");
    draw(&f, 16, 60);
    assert_true(transcript_code_block(f.transcript, 1));
    assert_int_equal(transcript_current_code(f.transcript), 1);
    end(&f);
}

static void
a_search_finds_counts_and_shows(void **state)
{
    struct fixture f;
    size_t at;

    (void) state;
    begin(&f);
    fill(&f, 5);
    draw(&f, 20, 60);
    search(&f, "paragraph 7");
    assert_int_equal(matches(&f), 5);
    search(&f, "turn 2 says in paragraph 7");
    assert_int_equal(transcript_matches(f.transcript, &at), 1);
    assert_int_equal(at, 1);
    draw(&f, 20, 60);
    int found = row_of(&f, "Turn 2 says in paragraph 7");

    assert_true(found >= 0);
    assert_int_equal(f.canvas.cells[found * 60 + 3].look, LOOK_MATCH);
    assert_int_equal(f.canvas.cells[found * 60 + 3 + 26].look, LOOK_PLAIN);
    // capitals count where they are typed
    search(&f, "TURN 2");
    assert_int_equal(matches(&f), 0);
    // round at the ends
    search(&f, "question");
    assert_int_equal(matches(&f), 5);
    transcript_matches(f.transcript, &at);
    for (int i = 0; i < 5; i++)
        assert_true(transcript_search_next(f.transcript, 1));
    size_t now;

    transcript_matches(f.transcript, &now);
    assert_int_equal(now, at);
    transcript_search_next(f.transcript, -1);
    draw(&f, 20, 60);
    search(&f, "");
    assert_int_equal(matches(&f), 0);
    assert_false(transcript_search_next(f.transcript, 1));
    end(&f);
}

static void
a_search_passes_over_marks_and_line_breaks(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    put(&f, TRANSCRIPT_ANSWER, "The **queue** pair\nis *made* by `ibv_create`");
    draw(&f, 20, 60);
    search(&f, "queue pair is made by ibv_create");
    assert_int_equal(matches(&f), 1);
    search(&f, "ÜBER");
    assert_int_equal(matches(&f), 0);
    // two blanks, of which the second is behind marks
    put(&f, TRANSCRIPT_ANSWER, "is so \n\n*_\nb7");
    search(&f, "  b7");
    assert_int_equal(matches(&f), 1);
    put(&f, TRANSCRIPT_ANSWER, "Über alles");
    search(&f, "über");
    assert_int_equal(matches(&f), 1);
    end(&f);
}

static void
a_match_across_lines_is_marked_in_both(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    put(&f, TRANSCRIPT_ANSWER, "words before it a queue pair and more of it");
    draw(&f, 10, 30);
    search(&f, "a queue pair and");
    assert_int_equal(matches(&f), 1);
    draw(&f, 10, 30);
    // "words before it a queue" and "pair and more of it"
    assert_string_equal(row(&f, 2), "   pair and more of it");
    assert_int_equal(f.canvas.cells[30 + 3 + 15].look, LOOK_PLAIN);
    assert_int_equal(f.canvas.cells[30 + 3 + 16].look, LOOK_MATCH);
    assert_int_equal(f.canvas.cells[30 + 3 + 22].look, LOOK_MATCH);
    assert_int_equal(f.canvas.cells[60 + 3].look, LOOK_MATCH);
    assert_int_equal(f.canvas.cells[60 + 3 + 7].look, LOOK_MATCH);
    assert_int_equal(f.canvas.cells[60 + 3 + 8].look, LOOK_PLAIN);
    // the match at hand is told apart
    assert_string_equal(row(&f, 1), ">  words before it a queue");
    end(&f);
}

static void
a_match_in_a_thought_opens_it(void **state)
{
    struct fixture f;
    size_t item;

    (void) state;
    begin(&f);
    item = add(&f, TRANSCRIPT_ANSWER);
    append_lines(&f, item, TRANSCRIPT_THOUGHT, "idea", 1, 60);
    append(&f, item, TRANSCRIPT_TEXT, "fact");
    finish(&f, item);
    fill(&f, 2);
    draw(&f, 20, 60);
    search(&f, "idea 33");
    draw(&f, 20, 60);
    assert_true(row_of(&f, "idea 33") >= 0);
    end(&f);
}

/* A thought of 60 lines with the needle in its fourth, and this answer. */
static void
put_thought_with_needle(struct fixture *f, int lines)
{
    size_t item;

    put(f, TRANSCRIPT_QUESTION, "question");
    item = add(f, TRANSCRIPT_ANSWER);
    append_lines(f, item, TRANSCRIPT_THOUGHT, "idea", 1, 3);
    append(f, item, TRANSCRIPT_THOUGHT, "here is the needle\n");
    append_lines(f, item, TRANSCRIPT_THOUGHT, "idea", 5, 56);
    append_lines(f, item, TRANSCRIPT_TEXT, "fact", 1, lines);
    finish(f, item);
}

static void
a_match_in_a_folded_thought_comes_into_view(void **state)
{
    struct fixture f;

    (void) state;
    // the end is followed
    begin(&f);
    put_thought_with_needle(&f, 1);
    draw(&f, 16, 60);
    search(&f, "needle");
    draw(&f, 16, 60);
    assert_true(row_of(&f, "here is the needle") >= 0);
    end(&f);
    // somebody reads below in the same answer
    begin(&f);
    put_thought_with_needle(&f, 40);
    draw(&f, 16, 60);
    transcript_top(f.transcript);
    draw(&f, 16, 60);
    transcript_scroll(f.transcript, 6);
    draw(&f, 16, 60);
    search(&f, "needle");
    draw(&f, 16, 60);
    assert_true(row_of(&f, "here is the needle") >= 0);
    end(&f);
}

static void
a_match_in_what_shows_no_line_is_survived(void **state)
{
    struct fixture f;
    size_t at;

    (void) state;
    for (unsigned rows = 2; rows < 14; rows += 5) {
        begin(&f);
        put(&f, TRANSCRIPT_QUESTION, "question");
        put(&f, TRANSCRIPT_ANSWER, "[a]: http://example.org/needle\n");
        fill(&f, 2);
        draw(&f, rows, 60);
        search(&f, "needle");
        assert_int_equal(transcript_matches(f.transcript, &at), 1);
        assert_int_equal(at, 1);
        draw(&f, rows, 60);
        assert_true(row_of(&f, "fathom") >= 0);
        end(&f);
    }
}

static void
matches_in_thoughts_go_with_them(void **state)
{
    struct fixture f;
    size_t at;

    (void) state;
    begin(&f);
    put(&f, TRANSCRIPT_QUESTION, "a needle is asked for");
    put_thought_with_needle(&f, 1);
    put(&f, TRANSCRIPT_NOTE, "the needle is named");
    f.style.thoughts = false;
    draw(&f, 16, 60);
    f.style.thoughts = true;
    draw(&f, 16, 60);
    search(&f, "needle");
    assert_int_equal(transcript_matches(f.transcript, &at), 3);
    transcript_search_next(f.transcript, at == 1 ? 1 : -1);
    transcript_matches(f.transcript, &at);
    assert_int_equal(at, 2);
    draw(&f, 16, 60);
    f.style.thoughts = false;
    draw(&f, 16, 60);
    assert_int_equal(transcript_matches(f.transcript, &at), 2);
    assert_int_equal(at, 1);
    for (size_t i = 0; i < 3; i++) {
        assert_true(transcript_search_next(f.transcript, 1));
        assert_int_equal(transcript_matches(f.transcript, &at), 2);
        assert_int_equal(at, 2 - i % 2);
        draw(&f, 16, 60);
    }
    f.style.thoughts = true;
    draw(&f, 16, 60);
    assert_int_equal(transcript_matches(f.transcript, &at), 3);
    assert_int_equal(at, 3);
    end(&f);
}

static void
matches_in_hidden_thoughts_that_were_never_shown_are_survived(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    put(&f, TRANSCRIPT_QUESTION, "a needle is asked for");
    put_thought_with_needle(&f, 1);
    draw(&f, 40, 60);
    search(&f, "needle"); // goes to the question
    f.style.thoughts = false;
    draw(&f, 40, 60);
    assert_true(transcript_search_next(f.transcript, 1));
    draw(&f, 40, 60);
    assert_true(row_of(&f, ">  a needle is asked for") >= 0);
    end(&f);
}

/* Without a limit this would take minutes. */
static void
a_search_takes_time_by_the_length_of_the_text(void **state)
{
    static const char *const runs[][2] = {
        {"_", "_x"}, {" ", " x"}, {"*", "**a"}, {"\n", "  x"}};
    struct fixture f;
    struct error err;
    struct buffer text = {0};

    (void) state;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        begin(&f);
        buffer_clear(&text);
        for (int n = 0; n < 400000; n++)
            assert_int_equal(buffer_append(&text, runs[i][0], 1, &err),
                             STATUS_OK);
        put(&f, TRANSCRIPT_REPORT, "x");
        size_t item = add(&f, TRANSCRIPT_REPORT);

        assert_int_equal(transcript_append(f.transcript, item, TRANSCRIPT_TEXT,
                                           text.data, text.length, &err),
                         STATUS_OK);
        search(&f, runs[i][1]);
        assert_int_equal(matches(&f), 0);
        append(&f, item, TRANSCRIPT_TEXT, runs[i][1]);
        search(&f, runs[i][1]);
        assert_int_equal(matches(&f), 1);
        end(&f);
    }
    buffer_release(&text);
}

static void
the_text_of_an_item_is_whole_lines(void **state)
{
    struct fixture f;
    struct buffer text = {0};
    struct error err;
    size_t item;

    (void) state;
    begin(&f);
    item = put(&f, TRANSCRIPT_ANSWER,
               "A paragraph of **some** length that has to be broken where "
               "the screen ends.\n\n```c\ncode();\n```\n");
    draw(&f, 20, 30);
    assert_int_equal(transcript_text(f.transcript, item, &text, &err),
                     STATUS_OK);
    assert_string_equal(text.data,
                        "A paragraph of some length that has to be broken "
                        "where the screen ends.\n\ncode();");
    buffer_release(&text);
    end(&f);
}

static size_t
bytes_laid_out(const struct fixture *f)
{
    size_t bytes = 0;

    for (size_t i = 0; i < transcript_items(f->transcript); i++) {
        const struct document *document =
            transcript_document(f->transcript, i, TRANSCRIPT_TEXT);

        bytes += document ? document_work(document).laid_bytes : 0;
    }
    return bytes;
}

static void
only_what_is_shown_is_laid_out(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    fill(&f, 500); // half a megabyte
    draw(&f, 24, 80);
    assert_true(bytes_laid_out(&f) < 5000);
    size_t before = bytes_laid_out(&f);

    draw(&f, 24, 80);
    assert_int_equal(bytes_laid_out(&f), before);
    draw(&f, 24, 100);
    assert_true(bytes_laid_out(&f) < 10000);
    transcript_top(f.transcript);
    draw(&f, 24, 100);
    assert_true(bytes_laid_out(&f) < 15000);
    // heights that are estimated are near to what they are
    size_t estimated = transcript_rows_below(f.transcript), laid = 0;

    while (!transcript_follows(f.transcript)) {
        transcript_scroll(f.transcript, 10);
        laid += 10;
    }
    assert_true(estimated > laid / 2 && estimated < 2 * laid);
    end(&f);
}

static void
a_line_of_ten_megabytes_is_scrolled(void **state)
{
    enum { LINE = 10 * 1000 * 1000 };

    struct fixture f;
    struct error err;
    char *text = malloc(LINE);
    size_t item;

    (void) state;
    assert_non_null(text);
    for (size_t i = 0; i < LINE; i++)
        text[i] = i % 7 == 6 ? ' ' : (char) ('a' + i % 7);
    begin(&f);
    item = add(&f, TRANSCRIPT_REPORT);
    assert_int_equal(transcript_append(f.transcript, item, TRANSCRIPT_TEXT,
                                       text, LINE, &err),
                     STATUS_OK);
    finish(&f, item);
    free(text);
    draw(&f, 24, 80);
    assert_true(transcript_page(f.transcript, -50));
    draw(&f, 24, 80);
    keep_screen(&f);
    assert_true(transcript_top(f.transcript));
    draw(&f, 24, 80);
    assert_non_null(strstr(row(&f, 0), "abcdef abcdef"));
    end(&f);
}

static void
what_is_cut_is_gone(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    fill(&f, 3);
    draw(&f, 20, 60);
    transcript_turn(f.transcript, -1);
    draw(&f, 20, 60);
    transcript_cut(f.transcript, 2);
    assert_int_equal(transcript_items(f.transcript), 2);
    draw(&f, 20, 60);
    assert_int_equal(transcript_current(f.transcript), 1);
    assert_true(transcript_follows(f.transcript));
    transcript_clear(f.transcript);
    draw(&f, 20, 60);
    assert_string_equal(row(&f, 0), "");
    end(&f);
}

static void
matches_in_what_is_cut_are_gone(void **state)
{
    struct fixture f;
    size_t at;

    (void) state;
    begin(&f);
    put(&f, TRANSCRIPT_QUESTION, "where is the needle");
    put(&f, TRANSCRIPT_ANSWER, "needle, needle");
    draw(&f, 20, 60);
    search(&f, "needle");
    transcript_search_next(f.transcript, -1);
    assert_int_equal(transcript_matches(f.transcript, &at), 3);
    assert_int_equal(at, 3);
    transcript_cut(f.transcript, 1);
    put(&f, TRANSCRIPT_ANSWER, "nothing");
    draw(&f, 20, 60);
    assert_int_equal(transcript_matches(f.transcript, &at), 1);
    assert_int_equal(at, 1);
    transcript_cut(f.transcript, 0);
    assert_int_equal(transcript_matches(f.transcript, &at), 0);
    assert_int_equal(at, 0);
    end(&f);
}

static void
a_pane_shows_the_thought_of_what_is_in_view(void **state)
{
    struct fixture f;
    struct error err;
    struct area text = {0, 0, 20, 40}, pane = {0, 41, 20, 39};
    size_t items[2];

    (void) state;
    begin(&f);
    f.style.thoughts = false;
    for (int i = 0; i < 2; i++) {
        items[i] = add(&f, TRANSCRIPT_ANSWER);
        append_lines(&f, items[i], TRANSCRIPT_THOUGHT, i ? "late" : "early", 1,
                     40);
        append_lines(&f, items[i], TRANSCRIPT_TEXT, "fact", 1, 30);
    }
    assert_int_equal(canvas_resize(&f.canvas, 20, 80, &err), STATUS_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            transcript_draw(f.transcript, &f.canvas, text, &f.style, &err),
            STATUS_OK);
        assert_int_equal(transcript_draw_pane(f.transcript, &f.canvas, pane,
                                              true, false, &err),
                         STATUS_OK);
        assert_int_equal(transcript_pane_item(f.transcript), items[1 - i]);
        assert_non_null(strstr(row(&f, 2), i ? "early 1" : "late 1"));
        assert_non_null(strstr(row(&f, 19), "~ 23 more lines"));
        transcript_top(f.transcript);
    }
    assert_true(transcript_pane_page(f.transcript, 1));
    assert_int_equal(
        transcript_draw_pane(f.transcript, &f.canvas, pane, true, true, &err),
        STATUS_OK);
    assert_non_null(strstr(row(&f, 2), "early 17"));
    end(&f);
}

static void
draw_pane(struct fixture *f, unsigned columns)
{
    struct error err;

    assert_int_equal(canvas_resize(&f->canvas, 20, columns, &err), STATUS_OK);
    assert_int_equal(transcript_draw_pane(f->transcript, &f->canvas,
                                          (struct area){0, 0, 20, columns},
                                          true, true, &err),
                     STATUS_OK);
}

/* Paragraphs that take one row in 130 columns and more in 50. */
static size_t
put_wide_thought(struct fixture *f)
{
    size_t item;
    char line[200];

    f->style.thoughts = false;
    put(f, TRANSCRIPT_QUESTION, "question");
    item = add(f, TRANSCRIPT_ANSWER);
    for (int i = 1; i <= 60; i++) {
        snprintf(line, sizeof line,
                 "Idea %d, which wraps where the window is narrow, and stands "
                 "on one line where it is wide.\n",
                 i);
        append(f, item, TRANSCRIPT_THOUGHT, line);
    }
    return item;
}

static void
another_width_keeps_the_first_line_of_the_pane(void **state)
{
    struct fixture f;
    size_t item;

    (void) state;
    for (int streams = 0; streams < 2; streams++) {
        begin(&f);
        item = put_wide_thought(&f);
        draw(&f, 20, 130);
        draw_pane(&f, 130);
        assert_true(transcript_pane_page(f.transcript, -1));
        draw_pane(&f, 130);
        assert_int_equal(row_of(&f, "Idea 27,"), 2);
        if (streams)
            append(&f, item, TRANSCRIPT_THOUGHT, "More ");
        draw_pane(&f, 50);
        assert_int_equal(row_of(&f, "Idea 27,"), 2);
        draw_pane(&f, 130);
        assert_int_equal(row_of(&f, "Idea 27,"), 2);
        end(&f);
    }
}

static void
one_pane_and_back_keeps_the_first_line_of_the_pane(void **state)
{
    struct fixture f;
    size_t item;

    (void) state;
    begin(&f);
    item = put_wide_thought(&f);
    append(&f, item, TRANSCRIPT_TEXT, "fact");
    finish(&f, item);
    draw(&f, 20, 50);
    draw_pane(&f, 50);
    assert_true(transcript_pane_scroll(f.transcript, 60));
    draw_pane(&f, 50);
    keep_screen(&f);
    f.style.thoughts = true;
    draw(&f, 20, 130);
    assert_true(transcript_fold(f.transcript, item));
    draw(&f, 20, 130);
    f.style.thoughts = false;
    draw(&f, 20, 50);
    draw_pane(&f, 50);
    assert_same_screen(&f);
    // a wide one has less than that below: its end, and back
    draw_pane(&f, 400);
    draw_pane(&f, 50);
    assert_same_screen(&f);
    end(&f);
}

static void
the_pane_scrolls_from_where_it_is_while_a_thought_comes_in(void **state)
{
    struct fixture f;
    size_t item;

    (void) state;
    begin(&f);
    item = put_wide_thought(&f);
    draw(&f, 20, 130);
    draw_pane(&f, 130);
    assert_true(transcript_pane_page(f.transcript, -2));
    draw_pane(&f, 130);
    assert_int_equal(row_of(&f, "Idea 11,"), 2);
    append(&f, item, TRANSCRIPT_THOUGHT, "More ");
    assert_true(transcript_pane_scroll(f.transcript, 1));
    draw_pane(&f, 130);
    assert_int_equal(row_of(&f, "Idea 12,"), 2);
    transcript_pane_follow(f.transcript);
    draw_pane(&f, 130);
    assert_int_equal(row_of(&f, "More"), 19);
    append(&f, item, TRANSCRIPT_THOUGHT, "\n");
    assert_true(transcript_pane_top(f.transcript));
    assert_false(transcript_pane_top(f.transcript));
    draw_pane(&f, 130);
    assert_int_equal(row_of(&f, "Idea 1,"), 2);
    end(&f);
}

/* A chat with everything in it; false where memory ran short. */
static bool
play(struct transcript *transcript, struct canvas *canvas, size_t *bytes)
{
    static const char text[] = "A thought.\n\n```c\ncode\n```\n\n* and more\n";
    struct area area = {0, 0, 10, 40};
    struct error err;
    bool ok = true;
    size_t item;

    *bytes = 0;
    if (transcript_add(&item, transcript, TRANSCRIPT_ANSWER, NULL, &err) !=
        STATUS_OK)
        return false;
    for (int i = 0; i < 6; i++) {
        if (transcript_append(transcript, item,
                              i < 3 ? TRANSCRIPT_THOUGHT : TRANSCRIPT_TEXT,
                              text, strlen(text), &err) == STATUS_OK)
            *bytes += strlen(text);
        else
            ok = false;
        ok &= transcript_draw(transcript, canvas, area, &usual, &err) ==
              STATUS_OK;
        transcript_page(transcript, i % 2 ? 1 : -1);
        transcript_code_block(transcript, 1);
        transcript_turn(transcript, -1);
    }
    ok &= transcript_finish(transcript, item, &err) == STATUS_OK;
    ok &= transcript_search(transcript, "code", 4, &err) == STATUS_OK;
    transcript_fold(transcript, item);
    transcript_top(transcript);
    ok &= transcript_draw(transcript, canvas, area, &usual, &err) == STATUS_OK;
    ok &= transcript_draw_pane(transcript, canvas, area, true, true, &err) ==
          STATUS_OK;
    return ok;
}

static size_t
source_bytes(const struct transcript *transcript)
{
    size_t bytes = 0;

    for (size_t i = 0; i < transcript_items(transcript); i++)
        for (int part = 0; part < 2; part++) {
            const struct document *document =
                transcript_document(transcript, i, (enum transcript_part) part);

            bytes += document ? document_source(document)->length : 0;
        }
    return bytes;
}

static void
memory_that_is_short_loses_no_text(void **state)
{
    struct canvas canvas = {0};
    struct error err;
    unsigned long failed = 0;

    (void) state;
    assert_int_equal(canvas_resize(&canvas, 10, 40, &err), STATUS_OK);
    // a few more than can fail: none of them may have been hidden
    for (unsigned long n = 1; n < failed + 20; n++) {
        struct transcript *transcript;
        size_t bytes;

        fault_arm(n);
        if (transcript_open(&transcript, &err) != STATUS_OK) {
            failed = n;
            continue;
        }
        if (!play(transcript, &canvas, &bytes)) {
            assert_int_equal(failed, n - 1);
            failed = n;
        }
        fault_arm(0);
        assert_true(source_bytes(transcript) >= bytes);
        // and all of it can be drawn afterwards
        assert_int_equal(transcript_draw(transcript, &canvas,
                                         (struct area){0, 0, 10, 40}, &usual,
                                         &err),
                         STATUS_OK);
        transcript_close(transcript);
    }
    print_message("# %lu steps can fail\n", failed);
    assert_true(failed > 10);
    canvas_release(&canvas);
}

/* Any order of what can be done leaves it whole; the seed is printed. */
static void
any_order_of_keys_is_survived(void **state)
{
    static unsigned seed = 20261126;
    struct fixture f;

    (void) state;
    print_message("# seed %u\n", seed);
    begin(&f);
    srand(seed);
    fill(&f, 4);
    size_t item = add(&f, TRANSCRIPT_ANSWER);

    for (int i = 0; i < 4000; i++) {
        switch (rand() % 14) {
        case 0:
            transcript_scroll(f.transcript, rand() % 9 - 4);
            break;
        case 1:
            transcript_page(f.transcript, rand() % 5 - 2);
            break;
        case 2:
            transcript_turn(f.transcript, rand() % 5 - 2);
            break;
        case 3:
            transcript_code_block(f.transcript, rand() % 5 - 2);
            break;
        case 4:
            transcript_fold(f.transcript,
                            (size_t) rand() % transcript_items(f.transcript));
            break;
        case 5:
            transcript_follow(f.transcript);
            break;
        case 6:
            append(&f, item, TRANSCRIPT_THOUGHT, "idea and idea\n");
            break;
        case 7:
            append(&f, item, TRANSCRIPT_TEXT, "```\nx\n```\nfact ");
            break;
        case 8:
            transcript_top(f.transcript);
            break;
        case 9:
            transcript_search_next(f.transcript, rand() % 2 ? 1 : -1);
            break;
        case 10:
            search(&f, rand() % 2 ? "idea" : "paragraph 3");
            break;
        case 11:
            f.style.thoughts = rand() % 4 > 0;
            break;
        case 12:
            if (rand() % 20 == 0) {
                transcript_cut(f.transcript,
                               transcript_items(f.transcript) / 2);
                fill(&f, 2);
                item = add(&f, TRANSCRIPT_ANSWER);
            }
            break;
        default:
            finish(&f, item);
            item = add(&f, TRANSCRIPT_ANSWER);
            break;
        }
        draw(&f, 1 + (unsigned) rand() % 30, 1 + (unsigned) rand() % 90);
    }
    end(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_chat_of_any_size_is_drawn),
        cmocka_unit_test(
            the_end_is_followed_and_a_short_chat_begins_at_the_top),
        cmocka_unit_test(where_somebody_reads_nothing_moves),
        cmocka_unit_test(a_page_back_and_forth_ends_where_it_began),
        cmocka_unit_test(another_width_keeps_the_first_line),
        cmocka_unit_test(a_thought_that_ends_moves_nothing_that_is_read),
        cmocka_unit_test(a_thought_out_of_view_folds),
        cmocka_unit_test(thoughts_fold_one_by_one_and_all),
        cmocka_unit_test(opening_a_thought_keeps_its_head_where_it_is),
        cmocka_unit_test(turns_are_walked_and_named),
        cmocka_unit_test(code_blocks_are_walked_across_answers),
        cmocka_unit_test(a_chosen_code_block_is_forgotten_with_its_answer),
        cmocka_unit_test(a_chosen_code_block_may_turn_out_to_be_none),
        cmocka_unit_test(code_behind_a_tab_is_walked_to),
        cmocka_unit_test(a_search_finds_counts_and_shows),
        cmocka_unit_test(a_search_passes_over_marks_and_line_breaks),
        cmocka_unit_test(a_match_across_lines_is_marked_in_both),
        cmocka_unit_test(a_match_in_a_thought_opens_it),
        cmocka_unit_test(a_match_in_a_folded_thought_comes_into_view),
        cmocka_unit_test(a_match_in_what_shows_no_line_is_survived),
        cmocka_unit_test(matches_in_thoughts_go_with_them),
        cmocka_unit_test(
            matches_in_hidden_thoughts_that_were_never_shown_are_survived),
        cmocka_unit_test(a_search_takes_time_by_the_length_of_the_text),
        cmocka_unit_test(the_text_of_an_item_is_whole_lines),
        cmocka_unit_test(only_what_is_shown_is_laid_out),
        cmocka_unit_test(a_line_of_ten_megabytes_is_scrolled),
        cmocka_unit_test(what_is_cut_is_gone),
        cmocka_unit_test(matches_in_what_is_cut_are_gone),
        cmocka_unit_test(a_pane_shows_the_thought_of_what_is_in_view),
        cmocka_unit_test(another_width_keeps_the_first_line_of_the_pane),
        cmocka_unit_test(one_pane_and_back_keeps_the_first_line_of_the_pane),
        cmocka_unit_test(
            the_pane_scrolls_from_where_it_is_while_a_thought_comes_in),
        cmocka_unit_test(memory_that_is_short_loses_no_text),
        cmocka_unit_test(any_order_of_keys_is_survived),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
