/* The chat: what fills its area, and the keys that work in it. */
#include "config.h"

#include "ui/views/view_chat.h"

#include "ui/views/chat_lines.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIDE_COLUMNS = 120, // from here on a pane has room beside the text
    HINT_COLUMNS = 124, // for all keys on the last line
    LARGE_ROWS = 36,
    EDGE = 2,          // columns kept free at the edge of the screen
    BAR_EDGE = 1,      // and before a bar
    LEAST_WELCOME = 4, // rows that are worth it
    SAID_BYTES = 120,
};

// how long what a key did is told, where no other key comes
#define SAID_NS (UINT64_C(4000000000))

struct view_chat {
    struct transcript *transcript;
    const struct chat_view_state *state;
    struct chat_view_calls calls;
    enum chat_focus focus;
    enum chat_layout layout;
    bool one_pane, bare;
    unsigned columns, rows; // of the screen, when it was drawn last
    struct area text, pane; // the same
    size_t switched;        // the item whose branch is to be another, or none
    size_t switched_from;   // its turn before that
    char said[SAID_BYTES];  // what a key did, until the next one
    uint64_t said_ns;       // when that was drawn first
};

static const char *const layout_names[] = {
    [CHAT_AUTO] = "auto", [CHAT_FOLD] = "fold", [CHAT_SPLIT] = "split",
    [CHAT_SIDE] = "side", [CHAT_HIDE] = "hide",
};

/* Whether there are thoughts, or some may come. */
static bool
thinks(const struct view_chat *view)
{
    const char *think = view->state->think;

    return (think[0] != '\0' && strcmp(think, "off") != 0) ||
           transcript_has_thought(view->transcript);
}

/* What the layout comes to on a screen of this width. */
static enum chat_layout
layout_in_use(const struct view_chat *view)
{
    bool wide = view->columns >= SIDE_COLUMNS;

    if (view->one_pane || view->bare)
        return view->layout == CHAT_HIDE ? CHAT_HIDE : CHAT_FOLD;
    if (view->layout == CHAT_AUTO)
        return wide && thinks(view) ? CHAT_SIDE : CHAT_FOLD;
    if (view->layout == CHAT_SIDE && !wide)
        return CHAT_FOLD;
    return view->layout;
}

static bool
has_pane(const struct view_chat *view)
{
    enum chat_layout layout = layout_in_use(view);

    return layout == CHAT_SPLIT || layout == CHAT_SIDE;
}

static bool
is_large(const struct view_chat *view)
{
    return view->columns >= SIDE_COLUMNS && view->rows >= LARGE_ROWS;
}

static bool
is_searching(const struct view_chat *view)
{
    size_t at;

    return view->focus == CHAT_FOCUS_TRANSCRIPT &&
           (transcript_matches(view->transcript, &at) > 0);
}

static void
draw_bottom(const struct view_chat *view, struct canvas *canvas,
            struct area area)
{
    size_t at, matches = transcript_matches(view->transcript, &at);
    const char *notice = view->said[0] ? view->said : view->state->notice;

    if (notice[0])
        chat_lines_sentence(canvas, area, LOOK_WARNING, notice);
    else if (is_searching(view))
        canvas_print(canvas, area.row, area.column + 1, area.columns, LOOK_DIM,
                     "match %zu of %zu   n next, N the one before", at,
                     matches);
    else
        chat_lines_status(view->state, canvas, area, is_large(view));
}

/* -- what fills the middle ------------------------------------------------- */

static void
draw_welcome(const struct view_chat *view, struct canvas *canvas,
             struct area area)
{
    bool kept = strcmp(view->state->vault, "open") == 0;
    const char *lines[] = {
        view->state->enter_opens_line
            ? "Type a message below; ^J sends it, Enter begins a line."
            : "Type a message below and press Enter.",
        "",
        "F1 shows the keys, /help lists the commands.",
        "F2 finds earlier chats, F3 takes another model.",
        "F6 goes up into the chat to move, search, copy.",
        "^C stops an answer, ^D on an empty line leaves.",
        "",
        "The model runs on this machine, and nothing leaves it.",
        kept ? "What is said here is kept in your vault, encrypted."
             : "What is said here is not kept.",
    };
    unsigned count = sizeof lines / sizeof lines[0];
    unsigned row = area.rows > count ? (area.rows - count) / 3 : 0;

    for (unsigned i = 0; i < count && row + i < area.rows; i++)
        chat_lines_sentence(
            canvas,
            (struct area){area.row + row + i, area.column + 2, 1,
                          area.columns > 2 ? area.columns - 2 : 0},
            i == 0 ? LOOK_STRONG : LOOK_DIM, lines[i]);
}

static bool
has_turns(const struct view_chat *view)
{
    return transcript_current(view->transcript) != TRANSCRIPT_NONE;
}

/* Before the first question: notes, if there are any, and what to do. */
static enum status
draw_beginning(const struct view_chat *view, struct canvas *canvas,
               struct area area, const struct transcript_style *style,
               struct error *err)
{
    TRY(transcript_draw(view->transcript, canvas, area, style, err));
    unsigned used = (unsigned) transcript_rows_shown(view->transcript);

    used += used > 0;
    if (used + LEAST_WELCOME <= area.rows) {
        area.row += used;
        area.rows -= used;
        draw_welcome(view, canvas, area);
    }
    return STATUS_OK;
}

static struct transcript_style
style_of(const struct view_chat *view, const struct canvas *canvas)
{
    return (struct transcript_style){
        .thoughts = layout_in_use(view) == CHAT_FOLD,
        .hints = !view->bare,
        .focused = view->focus == CHAT_FOCUS_TRANSCRIPT && !view->bare,
        .chrome = !view->bare,
        .tail_rows = canvas->rows / 3,
        .margin = view->bare                         ? 0
                  : layout_in_use(view) == CHAT_SIDE ? BAR_EDGE
                                                     : EDGE,
    };
}

/* Cuts the pane off from the area of the transcript. */
static struct area
split_pane(const struct view_chat *view, const struct canvas *canvas,
           struct area *area)
{
    struct area pane = *area;

    if (layout_in_use(view) == CHAT_SIDE) {
        area->columns = area->columns * 5 / 8;
        pane.column += area->columns + 1;
        pane.columns -= area->columns + 1;
        return pane;
    }
    pane.rows = canvas->rows / 3 + 1;
    if (pane.rows + 2 > area->rows)
        pane.rows = area->rows / 2;
    area->rows -= pane.rows;
    pane.row += area->rows;
    return pane;
}

static enum status
draw_pane(const struct view_chat *view, struct canvas *canvas, struct area area,
          struct area pane, struct error *err)
{
    bool side = layout_in_use(view) == CHAT_SIDE;

    if (side) {
        canvas_bar(canvas, area.row, pane.column - 1, area.rows, LOOK_DIM);
    } else if (pane.rows > 0) {
        canvas_rule(canvas, pane.row, pane.column, pane.columns, LOOK_DIM);
        pane.row++;
        pane.rows--;
    }
    return transcript_draw_pane(view->transcript, canvas, pane, side,
                                view->focus == CHAT_FOCUS_PANE, err);
}

/* Where branches were switched, the turn that came there stays current. */
static void
follow_switch(struct view_chat *view)
{
    size_t item = view->switched;

    if (item >= transcript_items(view->transcript) ||
        transcript_head(view->transcript, item)->turn == view->switched_from)
        return;
    view->switched = TRANSCRIPT_NONE;
    transcript_show(view->transcript, item);
}

static enum status
draw_middle(struct view_chat *view, struct canvas *canvas, struct area area,
            struct error *err)
{
    struct transcript_style style = style_of(view, canvas);
    struct area pane = {0};

    if (!has_turns(view) && !view->bare && !view->state->asking)
        return draw_beginning(view, canvas, area, &style, err);
    if (has_pane(view))
        pane = split_pane(view, canvas, &area);
    view->text = area;
    view->pane = pane;
    follow_switch(view);
    TRY(transcript_draw(view->transcript, canvas, area, &style, err));
    return has_pane(view) ? draw_pane(view, canvas, area, pane, err)
                          : STATUS_OK;
}

/* A row of the area, counted from its end. */
static struct area
line_of(struct area area, unsigned from_end)
{
    return (struct area){area.row + area.rows - from_end, area.column, 1,
                         area.columns};
}

static void
draw_chat(void *state, struct canvas *canvas, struct area area, uint64_t now_ns)
{
    struct view_chat *view = state;
    struct error err;
    bool queued = view->state->queued[0] && area.rows > 5 && !view->bare;
    struct area middle = area;

    if (view->said[0] != '\0' && view->said_ns == 0)
        view->said_ns = now_ns;
    view->columns = area.columns;
    view->rows = canvas->rows;
    canvas_clear(canvas, area);
    if (!view->bare && area.rows > 3) {
        chat_lines_top(view->state, canvas, area, is_large(view));
        canvas_rule(canvas, area.row + 1, area.column, area.columns, LOOK_DIM);
        middle.row += 2;
        middle.rows -= 3 + queued;
    }
    if (draw_middle(view, canvas, middle, &err) != STATUS_OK)
        text_quote(view->said, sizeof view->said, err.text, strlen(err.text));
    if (queued)
        chat_lines_queued(view->state, canvas, line_of(area, 2));
    if (!view->bare && area.rows > 3)
        draw_bottom(view, canvas, line_of(area, 1));
}

/* -- keys ------------------------------------------------------------------ */

static void PRINTF_LIKE(2, 3)
    say(struct view_chat *view, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(view->said, sizeof view->said, format, args);
    va_end(args);
}

static void PRINTF_LIKE(2, 3)
    post(struct view_chat *view, const char *format, ...)
{
    char line[100];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    view->calls.post(view->calls.context, line);
}

static void
copy_code(struct view_chat *view, size_t answer, size_t number)
{
    struct document_code code;

    if (answer == TRANSCRIPT_NONE ||
        !transcript_code(view->transcript, answer, number, &code))
        say(view, "there is no code block %zu in this answer", number);
    else
        view->calls.copy(view->calls.context, code.text, code.length);
}

static void
copy_source(struct view_chat *view, size_t item, enum transcript_part part)
{
    const struct document *document =
        item == TRANSCRIPT_NONE
            ? NULL
            : transcript_document(view->transcript, item, part);

    if (!document) {
        say(view, part == TRANSCRIPT_THOUGHT ? "there is no thought here"
                                             : "there is nothing to copy");
        return;
    }
    view->calls.copy(view->calls.context, document_source(document)->data,
                     document_source(document)->length);
}

/* The current turn as it is read, and its thought before it. */
static enum status
turn_text(struct view_chat *view, struct buffer *out, bool thought,
          struct error *err)
{
    size_t item = transcript_current(view->transcript);

    if (item == TRANSCRIPT_NONE)
        return STATUS_OK;
    const struct document *document =
        transcript_document(view->transcript, item, TRANSCRIPT_THOUGHT);

    if (thought && document) {
        TRY(buffer_append(out, document_source(document)->data,
                          document_source(document)->length, err));
        TRY(buffer_append(out, "\n\n----\n\n", 8, err));
    }
    return transcript_text(view->transcript, item, out, err);
}

static void
hand_turn(struct view_chat *view, bool thought,
          void (*to)(void *context, const char *text, size_t length))
{
    struct buffer text = {0};
    struct error err;

    if (turn_text(view, &text, thought, &err) != STATUS_OK)
        say(view, "%s", err.text);
    else if (text.length == 0)
        say(view, "there is nothing here yet");
    else
        to(view->calls.context, text.data, text.length);
    buffer_release(&text);
}

static void
page(struct view_chat *view)
{
    struct document_code code;

    if (transcript_code(view->transcript,
                        transcript_current_answer(view->transcript),
                        transcript_current_code(view->transcript), &code))
        view->calls.page(view->calls.context, code.text, code.length);
    else
        hand_turn(view, true, view->calls.page);
}

static void
save(struct view_chat *view, int count)
{
    size_t answer = transcript_current_answer(view->transcript);
    size_t number =
        count > 0 ? (size_t) count : transcript_current_code(view->transcript);
    struct document_code code;

    if (number == 0)
        number = 1;
    if (answer == TRANSCRIPT_NONE ||
        !transcript_code(view->transcript, answer, number, &code))
        say(view, "there is no code block %zu in this answer", number);
    else if (answer == transcript_last_answer(view->transcript))
        post(view, "/save %zu ", number);
    else
        post(view, "/save %zu.%zu ",
             transcript_head(view->transcript, answer)->turn, number);
}

static void
post_turn(struct view_chat *view, const char *command)
{
    size_t item = transcript_current(view->transcript);
    size_t turn = item == TRANSCRIPT_NONE
                      ? 0
                      : transcript_head(view->transcript, item)->turn;

    if (turn == 0)
        say(view, "there is no turn here");
    else
        post(view, "/%s %zu", command, turn);
}

static void
switch_branch(struct view_chat *view, bool back)
{
    size_t item = transcript_current(view->transcript), turn = 0;

    if (item != TRANSCRIPT_NONE) {
        const struct transcript_head *head =
            transcript_head(view->transcript, item);

        turn = back ? head->branch_before : head->branch_after;
    }
    if (turn == 0) {
        say(view, "there is no branch %s this one", back ? "before" : "after");
        return;
    }
    view->switched = item;
    view->switched_from = transcript_head(view->transcript, item)->turn;
    post(view, "/branch %zu", turn);
}

/* The part that is next in turn, of those that are there. */
static void
next_focus(struct view_chat *view)
{
    if (view->focus == CHAT_FOCUS_INPUT)
        view->focus = CHAT_FOCUS_TRANSCRIPT;
    else if (view->focus == CHAT_FOCUS_TRANSCRIPT && has_pane(view))
        view->focus = CHAT_FOCUS_PANE;
    else
        view->focus = CHAT_FOCUS_INPUT;
}

static void
next_layout(struct view_chat *view)
{
    enum chat_layout layout = layout_in_use(view);

    view->one_pane = false;
    layout = layout == CHAT_HIDE ? CHAT_FOLD : (enum chat_layout)(layout + 1);
    if (layout == CHAT_SIDE && view->columns < SIDE_COLUMNS)
        layout = CHAT_HIDE;
    view_chat_set_layout(view, layout);
    say(view, "thoughts: %s", layout_names[layout]);
}

static bool
move_pane(struct view_chat *view, enum action action, int count)
{
    struct transcript *t = view->transcript;

    switch ((int) action) {
    case ACTION_LINE_DOWN:
        transcript_pane_scroll(t, count);
        break;
    case ACTION_LINE_UP:
        transcript_pane_scroll(t, -count);
        break;
    case ACTION_PAGE_DOWN:
        transcript_pane_page(t, count);
        break;
    case ACTION_PAGE_UP:
        transcript_pane_page(t, -count);
        break;
    case ACTION_TOP:
        transcript_pane_top(t);
        break;
    case ACTION_BOTTOM:
        transcript_pane_follow(t);
        break;
    default:
        return false;
    }
    return true;
}

static bool
move_transcript(struct view_chat *view, enum action action, int count)
{
    struct transcript *t = view->transcript;

    switch ((int) action) {
    case ACTION_LINE_DOWN:
        transcript_scroll(t, count);
        break;
    case ACTION_LINE_UP:
        transcript_scroll(t, -count);
        break;
    case ACTION_PAGE_DOWN:
        transcript_page(t, count);
        break;
    case ACTION_PAGE_UP:
        transcript_page(t, -count);
        break;
    case ACTION_TOP:
        transcript_top(t);
        break;
    case ACTION_BOTTOM:
        transcript_follow(t);
        break;
    case ACTION_TURN_BACK:
        transcript_turn(t, -count);
        break;
    case ACTION_TURN_NEXT:
        transcript_turn(t, count);
        break;
    case ACTION_CODE_BACK:
        transcript_code_block(t, -count);
        break;
    case ACTION_CODE_NEXT:
        transcript_code_block(t, count);
        break;
    case ACTION_SEARCH:
        break; // filter gets what is typed
    case ACTION_SEARCH_NEXT:
        transcript_search_next(t, 1);
        break;
    case ACTION_SEARCH_BACK:
        transcript_search_next(t, -1);
        break;
    default:
        return false;
    }
    return true;
}

static bool
use_turn(struct view_chat *view, enum action action, int count)
{
    struct transcript *t = view->transcript;
    size_t answer = transcript_current_answer(t);

    switch ((int) action) {
    case ACTION_COPY:
        if (count > 0)
            copy_code(view, answer, (size_t) count);
        else
            hand_turn(view, false, view->calls.copy);
        break;
    case ACTION_COPY_SOURCE:
        copy_source(view, transcript_current(t), TRANSCRIPT_TEXT);
        break;
    case ACTION_COPY_THINKING:
        copy_source(view, answer, TRANSCRIPT_THOUGHT);
        break;
    case ACTION_EDIT_TURN:
        post_turn(view, "edit");
        break;
    case ACTION_RETRY:
        post_turn(view, "retry");
        break;
    case ACTION_BRANCH:
        post_turn(view, "branch");
        break;
    case ACTION_DELETE:
        post_turn(view, "delete");
        break;
    case ACTION_BRANCH_BACK:
        switch_branch(view, true);
        break;
    case ACTION_BRANCH_NEXT:
        switch_branch(view, false);
        break;
    case ACTION_UNDO:
        post(view, "/undo");
        break;
    case ACTION_PAGER:
        page(view);
        break;
    case ACTION_SAVE:
        save(view, count);
        break;
    case ACTION_FOLD:
        if (answer == TRANSCRIPT_NONE || !transcript_fold(t, answer))
            say(view, "there is no thought here");
        break;
    default:
        return false;
    }
    return true;
}

static void
end_search(struct view_chat *view)
{
    struct error err;

    if (transcript_search(view->transcript, "", 0, &err) != STATUS_OK)
        say(view, "%s", err.text);
}

static bool
use_view(struct view_chat *view, enum action action)
{
    size_t last = transcript_last_answer(view->transcript);

    switch ((int) action) {
    case ACTION_FOCUS:
        next_focus(view);
        break;
    case ACTION_BACK:
        view_chat_set_focus(view, CHAT_FOCUS_INPUT);
        end_search(view);
        break;
    case ACTION_BARE:
        view->bare = !view->bare;
        break;
    case ACTION_ONE_PANE:
        view->one_pane = !view->one_pane;
        break;
    case ACTION_THINKING_LAYOUT:
        next_layout(view);
        break;
    case ACTION_THINKING_TOGGLE:
        if (last == TRANSCRIPT_NONE || !transcript_fold(view->transcript, last))
            say(view, "there is no thought yet");
        break;
    default:
        return false;
    }
    if (view->focus == CHAT_FOCUS_PANE && !has_pane(view))
        view->focus = CHAT_FOCUS_INPUT;
    return true;
}

static bool
act_chat(void *state, enum action action, int count)
{
    struct view_chat *view = state;

    view_chat_hush(view);
    view->switched = TRANSCRIPT_NONE;
    if (use_view(view, action))
        return true;
    if (view->focus == CHAT_FOCUS_PANE &&
        move_pane(view, action, count > 0 ? count : 1))
        return true;
    return move_transcript(view, action, count > 0 ? count : 1) ||
           use_turn(view, action, count);
}

static void
filter_chat(void *state, const char *text)
{
    struct view_chat *view = state;
    struct error err;
    size_t at;

    // emptied again, or ended with Enter: the last search stays
    if (text[0] == '\0')
        return;
    view_chat_hush(view);
    if (transcript_search(view->transcript, text, strlen(text), &err) !=
        STATUS_OK)
        say(view, "%s", err.text);
    else if (transcript_matches(view->transcript, &at) == 0)
        say(view, "not in this chat");
}

static const char *
hint_chat(void *state, unsigned columns)
{
    const struct view_chat *view = state;

    if (view->focus == CHAT_FOCUS_INPUT)
        return NULL;
    if (view->focus == CHAT_FOCUS_PANE)
        return "j k PgUp PgDn g G move   F6 input box   F1 help   q back";
    if (columns >= HINT_COLUMNS)
        return "j k PgUp PgDn g G move   { } turns   [ ] code   t thought   "
               "y y1 yt copy   o pager   e edit   r again   / search   q back";
    if (columns >= 78)
        return "j k move  { } turns  [ ] code  t thought  y copy  / search  "
               "F1 help  q back";
    return "j k move  { } turns  t thought  y copy  / search  q back";
}

static const struct view_ops view_chat_ops = {
    .name = "chat",
    .map = MAP_TRANSCRIPT,
    .draw = draw_chat,
    .act = act_chat,
    .filter = filter_chat,
    .hint = hint_chat,
};

/* -- the view -------------------------------------------------------------- */

enum status
view_chat_open(struct view_chat **out, struct transcript *transcript,
               const struct chat_view_state *state,
               const struct chat_view_calls *calls, struct error *err)
{
    void *memory;

    TRY(memory_alloc(&memory, sizeof **out, err));
    *out = memory;
    memset(*out, 0, sizeof **out);
    (*out)->transcript = transcript;
    (*out)->state = state;
    (*out)->calls = *calls;
    (*out)->switched = TRANSCRIPT_NONE;
    return STATUS_OK;
}

void
view_chat_close(struct view_chat *view)
{
    free(view);
}

struct view
view_chat(struct view_chat *view)
{
    return (struct view){&view_chat_ops, view};
}

enum chat_focus
view_chat_focus(const struct view_chat *view)
{
    return view->focus;
}

void
view_chat_set_focus(struct view_chat *view, enum chat_focus focus)
{
    view->focus = focus;
}

enum chat_layout
view_chat_layout(const struct view_chat *view)
{
    return view->layout;
}

void
view_chat_set_layout(struct view_chat *view, enum chat_layout layout)
{
    view->layout = layout;
    view->one_pane = false;
}

void
view_chat_hush(struct view_chat *view)
{
    view->said[0] = '\0';
    view->said_ns = 0;
}

uint64_t
view_chat_deadline(const struct view_chat *view)
{
    return view->said_ns > 0 ? view->said_ns + SAID_NS : UINT64_MAX;
}

bool
view_chat_is_bare(const struct view_chat *view)
{
    return view->bare;
}

static bool
lies_in(struct area area, unsigned row, unsigned column)
{
    return row >= area.row && row - area.row < area.rows &&
           column >= area.column && column - area.column < area.columns;
}

bool
view_chat_click(struct view_chat *view, unsigned row, unsigned column)
{
    bool head;

    if (has_pane(view) && lies_in(view->pane, row, column)) {
        view->focus = CHAT_FOCUS_PANE;
        return true;
    }
    if (!has_turns(view) || !lies_in(view->text, row, column))
        return false;
    size_t item =
        transcript_item_at(view->transcript, row - view->text.row, &head);

    return item != TRANSCRIPT_NONE && head &&
           transcript_fold(view->transcript, item);
}
