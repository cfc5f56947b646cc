/*
 * The frame, from below: the last line, which names keys; a line between,
 * where there is room; the input box, a rule; and above it the view.
 *
 *    ...the view...
 *   ------------------------------------------------
 *   > also compare with_
 *
 *     F1 help  F2 history  F3 model  F4 experts ...
 */
#include "config.h"

#include "app/screen/chat_screen.h"

#include <stdio.h>
#include <string.h>

enum {
    LARGE_ROWS = 36,
    LARGE_COLUMNS = 120,
    HINT_COLUMNS = 134, // for all that the line between says
    ROOMY_ROWS = 20,
    BOX_SHARE = 3, // the box takes no more than this part of the screen
};

static bool
is_large(const struct canvas *canvas)
{
    return canvas->rows >= LARGE_ROWS && canvas->columns >= LARGE_COLUMNS;
}

/* The line of keys at the bottom, where the view has none of its own. */
static const char *
general_hint(unsigned columns)
{
    if (columns >= LARGE_COLUMNS)
        return "F1 help  F2 history  F3 model  F4 experts  F5 thinking  F6 "
               "focus  F7 stats  F8 preset  F9 lock  F10 quit";
    if (columns >= 76)
        return "F1 help  F2 history  F3 model  F4 experts  F5 thinking  F6 "
               "focus  F9 lock";
    return "F1 help  F2 history  F3 model  F5 thinking  F9 lock";
}

static struct view
top_view(void)
{
    return chat_screen.cover.ops ? chat_screen.cover
                                 : view_chat(chat_screen.view);
}

static void
draw_hint(struct canvas *canvas, struct view view)
{
    const char *text =
        view.ops->hint ? view.ops->hint(view.state, canvas->columns) : NULL;

    if (chat_screen.box == BOX_ASK || chat_screen.box == BOX_END)
        text = "Enter goes on   ^C gives up";
    else if (text == NULL)
        text = general_hint(canvas->columns);
    canvas_put_cut(canvas, canvas->rows - 1, 2, canvas->columns, LOOK_DIM,
                   text);
}

/* What Tab offers, or is to be known now; else how to write, on large ones. */
static void
draw_between(struct canvas *canvas, unsigned row)
{
    const char *keys = settings_enter() == UI_ENTER_SENDS
                           ? "Enter sends   ^J or Alt-Enter newline"
                           : "Enter newline   ^J or Alt-Enter sends";
    const char *notice = chat_screen.notice;

    if (notice[0] != '\0')
        canvas_put_cut(canvas, row, 2, canvas->columns - 2, LOOK_STRONG,
                       notice);
    else if (is_large(canvas) && chat_screen.cover.ops == NULL)
        canvas_print(canvas, row, 2, canvas->columns, LOOK_DIM,
                     "%s   ^X^E editor   ^R search input history   Tab "
                     "completes%s",
                     keys,
                     canvas->columns >= HINT_COLUMNS
                         ? "   F6 moves focus to the transcript"
                         : "");
}

/* The prompt of a passphrase: what is typed is counted, not shown. */
static void
draw_secret(struct canvas *canvas, unsigned row)
{
    unsigned column = canvas_print(canvas, row, 0, canvas->columns, LOOK_PLAIN,
                                   "%s", chat_screen.secret_prompt);

    canvas_cursor(canvas, row, column);
    if (chat_screen.chat->deriving.active)
        canvas_print(canvas, row, column, canvas->columns - column, LOOK_DIM,
                     "one moment...");
    else
        canvas_print(canvas, row + 1, 2, canvas->columns, LOOK_DIM,
                     "what you type is not shown");
}

/* A passphrase to be written down, over the end of the view. */
static void
draw_made(struct canvas *canvas, struct area area)
{
    const struct secret *made = chat_screen.made;

    // what covers the chat shows it itself
    if (made == NULL || area.rows < 5 || chat_screen.cover.ops != NULL)
        return;
    canvas_clear(canvas, (struct area){area.rows - 4, 0, 3, canvas->columns});
    canvas_put(canvas, area.rows - 3, 7, canvas->columns - 7, LOOK_STRONG,
               (const char *) secret_bytes(made), secret_length(made));
}

/* A terminal too small for a screen: one sentence. */
static void
draw_too_small(struct canvas *canvas)
{
    static const char *const lines[] = {
        "This window is too small",
        "for the screen. Enlarge it,",
        "or leave with ^D and type",
        "fathom chat --plain",
    };

    for (unsigned i = 0; i < sizeof lines / sizeof lines[0]; i++)
        canvas_print(canvas, i, 0, canvas->columns, LOOK_PLAIN, "%s", lines[i]);
    canvas_cursor(canvas, canvas->rows - 1, 0);
}

/* Draws the box and what is below; returns the rows that are left above. */
static unsigned
draw_bottom(struct canvas *canvas, struct view view)
{
    unsigned between = is_large(canvas)             ? 2
                       : canvas->rows >= ROOMY_ROWS ? 1
                                                    : 0;
    struct line_box line = line_editor_box();
    unsigned box = 1;

    if (chat_screen.box != BOX_SECRET)
        box = input_box_rows(&line, canvas->columns, canvas->rows / BOX_SHARE);
    unsigned top = canvas->rows - 1 - between - box;

    draw_hint(canvas, view);
    if (between > 0 || chat_screen.notice[0] != '\0')
        draw_between(canvas, canvas->rows - 2);
    canvas_rule(canvas, top - 1, 0, canvas->columns, LOOK_DIM);
    if (chat_screen.box == BOX_SECRET)
        draw_secret(canvas, top);
    else
        input_box_draw(&line, canvas,
                       (struct area){top, 0, box, canvas->columns});
    // the cursor is where keys go to
    if (chat_screen.box != BOX_SECRET && line_editor_map() != MAP_INPUT)
        canvas->cursor = false;
    return top - 1;
}

/* Only text: a box is there while something is typed or asked for. */
static unsigned
draw_bare_bottom(struct canvas *canvas)
{
    struct line_box line = line_editor_box();

    if (chat_screen.box == BOX_LINE && line.length == 0 && !line.searching)
        return canvas->rows;
    unsigned box =
        input_box_rows(&line, canvas->columns, canvas->rows / BOX_SHARE);

    input_box_draw(&line, canvas,
                   (struct area){canvas->rows - box, 0, box, canvas->columns});
    return canvas->rows - box;
}

static bool
is_bare(void)
{
    return chat_screen.cover.ops == NULL && chat_screen.box != BOX_SECRET &&
           view_chat_is_bare(chat_screen.view);
}

static void
draw(struct canvas *canvas, uint64_t now_ns)
{
    struct view view = top_view();
    struct area area = {0, 0, canvas->rows, canvas->columns};

    canvas->cursor = false;
    canvas_clear(canvas, area);
    if (canvas->rows < SCREEN_LEAST_ROWS ||
        canvas->columns < SCREEN_LEAST_COLUMNS) {
        draw_too_small(canvas);
        return;
    }
    if (is_bare())
        area.rows = draw_bare_bottom(canvas);
    else if (!view.ops->whole)
        area.rows = draw_bottom(canvas, view);
    struct canvas before = *canvas;

    view.ops->draw(view.state, canvas, area, now_ns);
    draw_made(canvas, area);
    // the cursor stays where keys go to
    if (!view.ops->whole && line_editor_map() == MAP_INPUT) {
        canvas->cursor = before.cursor;
        canvas->cursor_row = before.cursor_row;
        canvas->cursor_column = before.cursor_column;
    }
}

static void
fill_state(uint64_t now_ns)
{
    const struct screen_counts *counts = &chat_screen.counts;
    struct chat *chat = chat_screen.chat;
    uint64_t end = counts->answer_ns > 0 ? counts->answer_ns : now_ns;

    screen_state_fill(&chat_screen.state, &chat_screen.texts, chat,
                      &chat_screen.turns, counts, now_ns);
    chat_screen.state.asking =
        chat_screen.box == BOX_ASK || chat_screen.box == BOX_SECRET;
    line_editor_set_waiting(chat->queued > 0);
    if (counts->thought_tokens > 0 && end > counts->begun_ns)
        screen_turns_figures(&chat_screen.turns, chat, counts->thought_tokens,
                             (end - counts->begun_ns) / 1000000);
}

enum status
screen_frame(uint64_t now_ns, struct error *err)
{
    chat_screen.drawn_ns = now_ns;
    fill_state(now_ns);
    draw(screen_canvas(), now_ns);
    return screen_show(now_ns, err);
}
