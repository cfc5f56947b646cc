/* The chat: lines around a transcript, and the keys that work in it. */
#include "config.h"

#include "ui/view_chat.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIDE_COLUMNS = 120, // from here on a pane has room beside the text
    LARGE_ROWS = 36,
    EDGE = 2,     // columns kept free at the edge of the screen
    BAR_EDGE = 1, // and before a bar
    LEAST_TITLE = 12,
    LINE_BYTES = 400,
    SEGMENTS = 6,
    CONTEXT_BAR = 32,
    PHASE_BAR = 24,
    LEAST_BAR = 8,
    SAID_BYTES = 120,
};

struct view_chat {
    struct transcript *transcript;
    const struct chat_view_state *state;
    struct chat_view_calls calls;
    enum chat_focus focus;
    enum chat_layout layout;
    bool one_pane, bare;
    unsigned columns, rows; // of the screen, when it was drawn last
    char said[SAID_BYTES];  // why a key did nothing, until the next one
    char hint[LINE_BYTES];
};

static const char *const layout_names[CHAT_LAYOUTS] = {
    [CHAT_AUTO] = "auto", [CHAT_FOLD] = "fold", [CHAT_SPLIT] = "split",
    [CHAT_SIDE] = "side", [CHAT_HIDE] = "hide",
};

const char *
chat_layout_name(enum chat_layout layout)
{
    return layout_names[layout];
}

enum chat_layout
chat_layout_named(const char *name)
{
    int i = 0;

    while (i < CHAT_LAYOUTS && strcmp(layout_names[i], name) != 0)
        i++;
    return (enum chat_layout) i;
}

/* What the layout comes to on a screen of this width. */
static enum chat_layout
layout_in_use(const struct view_chat *view)
{
    bool wide = view->columns >= SIDE_COLUMNS;

    if (view->one_pane || view->bare)
        return view->layout == CHAT_HIDE ? CHAT_HIDE : CHAT_FOLD;
    if (view->layout == CHAT_AUTO)
        return wide ? CHAT_SIDE : CHAT_FOLD;
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

/* -- lines of text --------------------------------------------------------- */

/* Text that is put together; what does not fit is cut off. */
struct line {
    char text[LINE_BYTES];
    size_t length;
};

static void PRINTF_LIKE(2, 3) put(struct line *line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int more = vsnprintf(line->text + line->length,
                         sizeof line->text - line->length, format, args);
    va_end(args);
    if (more > 0)
        line->length += (size_t) more;
    if (line->length >= sizeof line->text)
        line->length = strlen(line->text);
    line->length = utf8_complete_prefix(line->text, line->length);
    line->text[line->length] = '\0';
}

static unsigned
columns_of(const struct line *line)
{
    return (unsigned) text_columns(line->text, line->length);
}

/* Text from a column on, ending in ".." where it is longer than that. */
static unsigned
put_cut(struct canvas *canvas, unsigned row, unsigned column, unsigned limit,
        enum look look, const char *text)
{
    size_t used, length = strlen(text);

    if (text_columns(text, length) <= limit)
        return canvas_put(canvas, row, column, limit, look, text, length);
    if (limit < 3)
        return 0;
    length = text_fit(text, length, limit - 2, &used);
    canvas_put(canvas, row, column, limit, look, text, length);
    return (unsigned) used +
           canvas_print(canvas, row, column + (unsigned) used, 2, look, "..");
}

/* "812", "4.1k", "128k", "1M" */
static void
put_thousands(struct line *line, size_t number)
{
    static const char units[] = "kMG";
    double value = (double) number;
    int unit = -1;

    if (number < 1000) {
        put(line, "%zu", number);
        return;
    }
    while ((value >= 999.5 || unit < 0) && unit < 2) {
        value /= 1024;
        unit++;
    }
    if (value < 9.95 && number % 1024 != 0)
        put(line, "%.1f%c", value, units[unit]);
    else
        put(line, "%.0f%c", value, units[unit]);
}

static void
put_number(struct line *line, uint64_t number)
{
    char digits[24];
    size_t length;

    snprintf(digits, sizeof digits, "%" PRIu64, number);
    length = strlen(digits);
    for (size_t i = 0; i < length; i++)
        put(line, "%s%c", i > 0 && (length - i) % 3 == 0 ? "," : "", digits[i]);
}

static void
put_seconds(struct line *line, double seconds)
{
    if (seconds < 100)
        put(line, "%.0f s", seconds);
    else if (seconds < 6000)
        put(line, "%.0fm", seconds / 60);
    else
        put(line, "%.0fh", seconds / 3600);
}

static void
put_rate(struct line *line, double rate)
{
    put(line, rate < 99.95 ? "%.1f tok/s" : "%.0f tok/s", rate);
}

/* "6.9 GB/s" */
static void
put_byte_rate(struct line *line, double rate)
{
    if (rate >= 1e9)
        put(line, "%.1f GB/s", rate / 1e9);
    else
        put(line, "%.0f MB/s", rate / 1e6);
}

/* -- the top line ---------------------------------------------------------- */

static void
put_vault(struct line *line, const struct chat_view_state *state, bool large)
{
    put(line, "vault:%s", state->vault);
    if (large && state->lock_in_ms > 0) {
        put(line, " (lock in ");
        if (state->lock_in_ms < 60000)
            put(line, "%us)", (unsigned) (state->lock_in_ms / 1000));
        else
            put(line, "%um)", (unsigned) (state->lock_in_ms / 60000));
    }
}

/* `parts`: 2 with model and thinking, 1 with the model, 0 privacy alone. */
static void
compose_right(struct line *line, const struct chat_view_state *state,
              bool large, int parts)
{
    const char *gap = large ? "   " : "  ";

    *line = (struct line){0};
    if (parts > 0 && state->model[0]) {
        put(line, "%s", state->model);
        if (large && state->model_size[0])
            put(line, " %s", state->model_size);
        put(line, "%s", gap);
    }
    if (parts > 1 && state->think[0]) {
        put(line, "think:%s", state->think);
        if (large && state->think_budget > 0) {
            put(line, " budget ");
            put_thousands(line, state->think_budget);
        }
        put(line, "%s", gap);
    }
    put(line, "net:%s%s", state->network ? "ON" : "off", gap);
    put_vault(line, state, large);
}

static void
put_extent(struct line *line, const struct chat_view_state *state)
{
    if (state->turns == 0)
        return;
    put(line, "(%zu turn%s", state->turns, state->turns == 1 ? "" : "s");
    if (state->branches > 1)
        put(line, ", %zu branches", state->branches);
    put(line, "%s)", state->saved ? ", saved" : "");
}

static void
draw_top(const struct view_chat *view, struct canvas *canvas, struct area area)
{
    const struct chat_view_state *state = view->state;
    unsigned end = area.column + area.columns - 1, at = area.column + 1;
    unsigned title =
        (unsigned) text_columns(state->title, strlen(state->title));
    unsigned least = (unsigned) strlen(state->product) + 4 +
                     (title < LEAST_TITLE ? title : LEAST_TITLE);
    struct line right, extent = {0};
    int parts = 2;

    do
        compose_right(&right, state, is_large(view), parts);
    while (least + columns_of(&right) > area.columns - 1 && parts-- > 0);
    canvas_print_right(canvas, area.row, end, LOOK_DIM, "%s", right.text);
    unsigned limit = area.columns > columns_of(&right) + 3
                         ? end - columns_of(&right) - 2
                         : at;
    at += canvas_print(canvas, area.row, at, limit > at ? limit - at : 0,
                       LOOK_TITLE, "%s", state->product);
    if (at + 2 < limit && state->title[0])
        at += 2 + put_cut(canvas, area.row, at + 2, limit - at - 2, LOOK_STRONG,
                          state->title);
    put_extent(&extent, state);
    if (is_large(view) && at + 2 + columns_of(&extent) < limit)
        canvas_print(canvas, area.row, at + 2, limit - at - 2, LOOK_DIM, "%s",
                     extent.text);
}

/* -- the lines below ------------------------------------------------------- */

static void
draw_queued(const struct view_chat *view, struct canvas *canvas,
            struct area area, unsigned row)
{
    static const char keys[] = "Up edits, ^U drops";
    unsigned end = area.column + area.columns - 1, at = area.column + 1;
    unsigned limit = end - at;

    if (area.columns > 50) {
        canvas_print_right(canvas, row, end, LOOK_DIM, "%s", keys);
        limit -= (unsigned) strlen(keys) + 2;
    }
    at += canvas_print(canvas, row, at, limit, LOOK_DIM, "queued: ");
    if (limit < 20)
        return;
    at += canvas_print(canvas, row, at, 1, LOOK_PLAIN, "\"");
    at += put_cut(canvas, row, at, limit - 10, LOOK_PLAIN, view->state->queued);
    canvas_print(canvas, row, at, 1, LOOK_PLAIN, "\"");
}

/* A part of the status line; the highest rank is left out first. */
struct segment {
    struct line line;
    int rank;
};

struct status_line {
    struct segment segments[SEGMENTS];
    size_t count;
    struct line right, right_short;
};

static struct line *
add_segment(struct status_line *status, int rank)
{
    struct segment *segment = &status->segments[status->count++];

    *segment = (struct segment){.rank = rank};
    return &segment->line;
}

static void
compose_context(struct status_line *status, const struct chat_view_state *state,
                bool large)
{
    struct line *line;
    unsigned percent;

    if (state->context_tokens == 0)
        return;
    line = add_segment(status, 0);
    percent = (unsigned) (100.0 * (double) state->context_used /
                              (double) state->context_tokens +
                          0.5);
    put(line, "ctx ");
    if (large)
        put(line, "%*s", CONTEXT_BAR + 1, ""); // the bar is drawn over it
    put_thousands(line, state->context_used);
    put(line, large ? " of " : "/");
    put_thousands(line, state->context_tokens);
    put(line, large ? " (%u%%)" : " %u%%", percent);
}

static void
compose_hits(struct line *line, const struct chat_view_state *state)
{
    put(line, "hit V%.0f R%.0f N%.0f", 100 * state->hit_vram,
        100 * state->hit_ram, 100 * state->hit_disk);
}

static void
compose_rates(struct status_line *status, const struct chat_view_state *state,
              bool large)
{
    struct line *line;

    if (state->answer_rate > 0) {
        line = add_segment(status, 1);
        put(line, "%s", large ? "answer " : "");
        put_rate(line, state->answer_rate);
    }
    if (large && state->prompt_rate > 0) {
        line = add_segment(status, 4);
        put(line, "prefill ");
        put_rate(line, state->prompt_rate);
    }
}

static void
compose_tiers(struct status_line *status, const struct chat_view_state *state,
              bool large)
{
    bool vram = large && state->vram_limit_bytes > 0;
    struct line *line;

    if (vram || state->has_hits) {
        line = add_segment(status, 3);
        if (vram)
            put(line, "VRAM %.0f/%.0fG%s", (double) state->vram_bytes / 1e9,
                (double) state->vram_limit_bytes / 1e9,
                state->has_hits ? "  " : "");
        if (state->has_hits)
            compose_hits(line, state);
    }
    if (large && state->disk_rate > 0) {
        line = add_segment(status, 5);
        put(line, "NVMe ");
        put_byte_rate(line, (double) state->disk_rate);
    }
}

static void
compose_status(struct status_line *status, const struct chat_view_state *state,
               bool large)
{
    compose_context(status, state, large);
    compose_rates(status, state, large);
    compose_tiers(status, state, large);
    if (state->branches_here > 1 && !large)
        put(add_segment(status, 2), "branch %zu/%zu", state->branch,
            state->branches_here);
}

static void
compose_keys(struct status_line *status, const struct chat_view_state *state)
{
    if (state->phase == CHAT_IDLE)
        return;
    put(&status->right_short, "^C %s",
        state->phase == CHAT_LOADING ? "cancel" : "stop");
    status->right = status->right_short;
    if (state->can_answer_now)
        put(&status->right, "  ^Xa answer now");
}

static unsigned
status_columns(const struct status_line *status, const struct line *right)
{
    unsigned columns = 2 + (right->length > 0 ? 2 + columns_of(right) : 0);

    for (size_t i = 0; i < status->count; i++)
        columns += columns_of(&status->segments[i].line) + (i > 0 ? 3 : 0);
    return columns;
}

/* Leaves out the least important part. */
static void
drop_segment(struct status_line *status)
{
    size_t drop = 0;

    for (size_t i = 1; i < status->count; i++)
        if (status->segments[i].rank > status->segments[drop].rank)
            drop = i;
    status->count--;
    for (size_t i = drop; i < status->count; i++)
        status->segments[i] = status->segments[i + 1];
}

static void
fit_status(struct status_line *status, unsigned columns)
{
    while (status_columns(status, &status->right) > columns) {
        if (status->count > 2)
            drop_segment(status);
        else if (status->right.length > status->right_short.length)
            status->right = status->right_short;
        else if (status->count > 0)
            drop_segment(status);
        else
            break;
    }
}

static void
draw_status(const struct view_chat *view, struct canvas *canvas,
            struct area area, unsigned row)
{
    struct status_line status = {0};
    const struct chat_view_state *state = view->state;
    unsigned at = area.column + 1, end = area.column + area.columns;

    compose_status(&status, state, is_large(view));
    compose_keys(&status, state);
    fit_status(&status, area.columns);
    canvas_print_right(canvas, row, end - 1, LOOK_DIM, "%s", status.right.text);
    for (size_t i = 0; i < status.count; i++) {
        if (i > 0)
            at += canvas_print(canvas, row, at, end - at, LOOK_DIM, " | ");
        at += canvas_print(canvas, row, at, end - at, LOOK_DIM, "%s",
                           status.segments[i].line.text);
    }
    if (is_large(view) && status.count > 0 && state->context_tokens > 0)
        canvas_progress(canvas, row, area.column + 5, CONTEXT_BAR,
                        (double) state->context_used /
                            (double) state->context_tokens);
}

/* "2,048/4,096", "20.8/33.5 GB" */
static void
put_amount(struct line *line, const struct chat_view_state *state)
{
    put(line, " ");
    if (state->phase == CHAT_LOADING) {
        put(line, "%.1f/%.1f GB", (double) state->phase_done / 1e9,
            (double) state->phase_all / 1e9);
        return;
    }
    put_number(line, state->phase_done);
    put(line, "/");
    put_number(line, state->phase_all);
}

/* "reading the prompt 2,048/4,096  412 tok/s  eta 5 s" */
static void
compose_phase(struct line *line, const struct chat_view_state *state, bool rate)
{
    *line = (struct line){0};
    put(line, "%s", state->phase_text);
    if (state->phase_all > 0)
        put_amount(line, state);
    if (rate && state->phase_rate > 0) {
        put(line, "  ");
        if (state->phase == CHAT_LOADING)
            put_byte_rate(line, state->phase_rate);
        else
            put(line, "%.0f tok/s", state->phase_rate);
    }
    if (state->phase_eta_s >= 0) {
        put(line, "  eta ");
        put_seconds(line, state->phase_eta_s);
    }
}

static void
draw_phase(const struct view_chat *view, struct canvas *canvas,
           struct area area, unsigned row)
{
    const struct chat_view_state *state = view->state;
    struct status_line keys = {0};
    struct line line;
    unsigned at = area.column + 1, end = area.column + area.columns - 1;

    compose_keys(&keys, state);
    canvas_print_right(canvas, row, end, LOOK_DIM, "%s", keys.right.text);
    if (end > columns_of(&keys.right) + 2)
        end -= columns_of(&keys.right) + 2;
    unsigned room = end > at ? end - at : 0;

    compose_phase(&line, state, true);
    if (columns_of(&line) > room)
        compose_phase(&line, state, false);
    at += put_cut(canvas, row, at, room, LOOK_DIM, line.text) + 2;
    room = end > at ? end - at : 0;
    if (state->phase_all > 0 && room >= LEAST_BAR)
        canvas_progress(canvas, row, at, room < PHASE_BAR ? room : PHASE_BAR,
                        (double) state->phase_done / (double) state->phase_all);
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
            struct area area, unsigned row)
{
    const struct chat_view_state *state = view->state;
    size_t at, matches = transcript_matches(view->transcript, &at);
    const char *notice = view->said[0] ? view->said : state->notice;
    unsigned limit = area.columns > 2 ? area.columns - 2 : 0;

    if (notice[0])
        put_cut(canvas, row, area.column + 1, limit, LOOK_WARNING, notice);
    else if (is_searching(view))
        canvas_print(canvas, row, area.column + 1, limit, LOOK_DIM,
                     "match %zu of %zu   n next, N the one before", at,
                     matches);
    else if (state->phase == CHAT_LOADING || state->phase == CHAT_READING)
        draw_phase(view, canvas, area, row);
    else
        draw_status(view, canvas, area, row);
}

/* -- what fills the middle ------------------------------------------------- */

static void
draw_welcome(const struct view_chat *view, struct canvas *canvas,
             struct area area)
{
    const struct chat_view_state *state = view->state;
    bool kept = strcmp(state->vault, "open") == 0;
    const char *lines[] = {
        "Type a message below and press Enter.",
        "",
        "F1 shows the keys, /help lists the commands.",
        "F2 finds earlier chats, F3 takes another model.",
        "Esc or F6 goes up into the chat: move, search, copy; q comes back.",
        "^C stops an answer, ^D on an empty line leaves.",
        "",
        "The model runs on this machine, and nothing leaves it.",
        kept ? "What is said here is kept in your vault, encrypted."
             : "What is said here is not kept.",
    };
    unsigned count = sizeof lines / sizeof lines[0];
    unsigned row = area.rows > count ? (area.rows - count) / 3 : 0;

    canvas_clear(canvas, area);
    for (unsigned i = 0; i < count && row + i < area.rows; i++)
        put_cut(canvas, area.row + row + i, area.column + 3,
                area.columns > 4 ? area.columns - 4 : 0,
                i == 0 ? LOOK_STRONG : LOOK_DIM, lines[i]);
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

static enum status
draw_middle(const struct view_chat *view, struct canvas *canvas,
            struct area area, struct error *err)
{
    struct transcript_style style = style_of(view, canvas);
    struct area pane = {0};

    if (transcript_items(view->transcript) == 0 && !view->bare) {
        draw_welcome(view, canvas, area);
        return STATUS_OK;
    }
    if (has_pane(view))
        pane = split_pane(view, canvas, &area);
    TRY(transcript_draw(view->transcript, canvas, area, &style, err));
    return has_pane(view) ? draw_pane(view, canvas, area, pane, err)
                          : STATUS_OK;
}

static void
draw_chat(void *state, struct canvas *canvas, struct area area, uint64_t now_ns)
{
    struct view_chat *view = state;
    struct error err;
    bool queued = view->state->queued[0] && area.rows > 5 && !view->bare;
    struct area middle = area;

    (void) now_ns;
    view->columns = area.columns;
    view->rows = canvas->rows;
    canvas_clear(canvas, area);
    if (!view->bare && area.rows > 3) {
        draw_top(view, canvas, area);
        canvas_rule(canvas, area.row + 1, area.column, area.columns, LOOK_DIM);
        middle.row += 2;
        middle.rows -= 3 + queued;
    }
    if (draw_middle(view, canvas, middle, &err) != STATUS_OK)
        text_quote(view->said, sizeof view->said, err.text, strlen(err.text));
    if (queued)
        draw_queued(view, canvas, area, area.row + area.rows - 2);
    if (!view->bare && area.rows > 3)
        draw_bottom(view, canvas, area, area.row + area.rows - 1);
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
    if (turn == 0)
        say(view, "there is no branch %s this one", back ? "before" : "after");
    else
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

    view->said[0] = '\0';
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

    view->said[0] = '\0';
    if (transcript_search(view->transcript, text, strlen(text), &err) !=
        STATUS_OK)
        say(view, "%s", err.text);
    else if (text[0]) {
        size_t at;

        if (transcript_matches(view->transcript, &at) == 0)
            say(view, "not in this chat");
    }
}

static const char *
hint_chat(void *state, unsigned columns)
{
    const struct view_chat *view = state;

    if (view->focus == CHAT_FOCUS_INPUT)
        return NULL;
    if (view->focus == CHAT_FOCUS_PANE)
        return "j k PgUp PgDn g G move   F6 input box   F1 help   q back";
    if (columns >= SIDE_COLUMNS)
        return "j k PgUp PgDn g G move   { } turns   [ ] code   t thought   "
               "y y1 yt copy   o pager   e edit   r again   / search   q back";
    return "j k move  { } turns  [ ] code  t thought  y copy  / search  F1 help"
           "  q back";
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

bool
view_chat_is_bare(const struct view_chat *view)
{
    return view->bare;
}
