/* Rows of the transcript on a canvas. */
#include "config.h"

#include "ui/views/transcript_parts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    HEAD_COLUMN = 1,
    BUDGET_BAR = 16,
    GAP_COLUMNS = 2,       // between what stands left and what stands right
    WIDE_COLUMNS = 96,     // from here on, labels use more words
    SHORT_MS = 10000,      // "0.4 s",
    LONG_SECONDS = 100,    // "92 s", then "1m40s"
    OPEN_MARK_COLUMNS = 1, // "_" behind the last character that came
    BUDGET_DIGITS_BYTES = 64,
};

const char *
transcript_duration(char out[24], uint64_t ms)
{
    uint64_t seconds = (ms + 500) / 1000;

    if (ms < SHORT_MS)
        snprintf(out, 24, "%" PRIu64 ".%u s", ms / 1000,
                 (unsigned) (ms / 100 % 10));
    else if (seconds < LONG_SECONDS)
        snprintf(out, 24, "%" PRIu64 " s", seconds);
    else
        snprintf(out, 24, "%" PRIu64 "m%02us", seconds / 60,
                 (unsigned) (seconds % 60));
    return out;
}

const char *
transcript_clock(char out[24], uint64_t ms)
{
    snprintf(out, 24, "%02" PRIu64 ":%02u", ms / 60000,
             (unsigned) (ms / 1000 % 60));
    return out;
}

#define LEAST_SHARE (1.01 / (BUDGET_BAR - 2))

/* -- heads ----------------------------------------------------------------- */

/* A row that is filled from both ends. */
struct pen {
    struct canvas *canvas;
    unsigned row;
    unsigned left, right; // columns between which it is free
};

static void PRINTF_LIKE(3, 4)
    put_left(struct pen *pen, enum look look, const char *format, ...)
{
    char text[200];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (pen->left < pen->right)
        pen->left +=
            canvas_put(pen->canvas, pen->row, pen->left, pen->right - pen->left,
                       look, text, utf8_complete_prefix(text, strlen(text)));
}

/* All of it or nothing: false where there is no room. */
static bool PRINTF_LIKE(3, 4)
    put_right(struct pen *pen, enum look look, const char *format, ...)
{
    char text[200];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t columns = text_columns(text, strlen(text));

    if (columns == 0 || pen->left + GAP_COLUMNS + columns > pen->right)
        return false;
    pen->right -= (unsigned) columns;
    canvas_put(pen->canvas, pen->row, pen->right, (unsigned) columns, look,
               text, strlen(text));
    return true;
}

static void
put_budget(struct pen *pen, const struct transcript_head *head)
{
    char text[BUDGET_DIGITS_BYTES];
    unsigned columns, bar = BUDGET_BAR + 1;

    if (head->budget_tokens == 0)
        return;
    snprintf(text, sizeof text, "budget %" PRIu64 "/%" PRIu64,
             head->thought_tokens, head->budget_tokens);
    columns = (unsigned) strlen(text);
    if (pen->left + GAP_COLUMNS + columns + bar > pen->right) {
        put_right(pen, LOOK_DIM, "%s", text);
        return;
    }
    double share = (double) head->thought_tokens / (double) head->budget_tokens;

    // what was used shows, however little it is
    if (head->thought_tokens > 0 && share < LEAST_SHARE)
        share = LEAST_SHARE;
    canvas_progress(pen->canvas, pen->row, pen->right - BUDGET_BAR, BUDGET_BAR,
                    share);
    pen->right -= bar;
    put_right(pen, LOOK_DIM, "%s", text);
}

static void
put_thinking(struct pen *pen, const struct transcript *transcript,
             const struct transcript_item *item)
{
    char number[COUNT_TEXT], clock[24];
    bool shut = item->folding == FOLDING_SHUT || !transcript->style.thoughts;

    put_left(pen, LOOK_DIM, "  %s thinking",
             canvas_glyph(shut ? GLYPH_CLOSED : GLYPH_OPEN));
    put_left(pen, LOOK_DIM, "  %s tok  %s",
             text_count(number, item->head.thought_tokens),
             transcript_clock(clock, item->head.thought_ms));
    put_budget(pen, &item->head);
}

static void
put_thought(struct pen *pen, const struct transcript *transcript,
            const struct transcript_item *item, bool whole)
{
    char number[COUNT_TEXT], duration[24];
    bool here = transcript->style.thoughts;

    if (here)
        put_left(pen, LOOK_DIM, "  %s thought",
                 canvas_glyph(whole ? GLYPH_OPEN : GLYPH_CLOSED));
    if (here && item->head.thought_tokens > 0)
        put_left(pen, LOOK_DIM, " %s tok",
                 text_count(number, item->head.thought_tokens));
    if (here && item->head.thought_ms > 0)
        put_left(pen, LOOK_DIM, ", %s",
                 transcript_duration(duration, item->head.thought_ms));
}

/* "1,284 think + 611 answer tok, 2m15s"; thoughts may be told elsewhere. */
static void
put_figures(struct pen *pen, const struct transcript_head *head, bool thought)
{
    char think[COUNT_TEXT], answer[COUNT_TEXT], duration[24], text[100] = "",
                                                              end[40] = "";

    thought = thought && head->thought_tokens > 0;
    if (head->answer_tokens == 0 && !thought)
        return;
    if (head->total_ms > 0)
        snprintf(end, sizeof end, ", %s",
                 transcript_duration(duration, head->total_ms));
    if (thought)
        snprintf(text, sizeof text, "%s think + ",
                 text_count(think, head->thought_tokens));
    put_right(pen, LOOK_DIM, "%s%s answer tok%s", text,
              text_count(answer, head->answer_tokens), end);
}

static void
put_branch(struct pen *pen, const struct transcript_head *head, bool hints)
{
    char text[80];

    if (head->branches < 2)
        return;
    snprintf(text, sizeof text, "   branch %zu/%zu%s", head->branch,
             head->branches, hints ? " (< >)" : "");
    if (pen->left + strlen(text) < pen->right)
        put_left(pen, LOOK_DIM, "%s", text);
}

static void
put_remarks(struct pen *pen, const struct transcript *transcript, size_t number,
            bool whole)
{
    const struct transcript_item *item = &transcript->items[number];
    bool keys = transcript->style.hints && transcript->style.thoughts &&
                item->pieces[TRANSCRIPT_THOUGHT].document &&
                number == transcript_current_answer(transcript);

    if (item->head.remark[0] &&
        put_right(pen, LOOK_WARNING, "%s", item->head.remark))
        pen->right -= GAP_COLUMNS;
    if (keys && put_right(pen, LOOK_DIM, "t %s, o pages, yt copies",
                          whole ? "folds" : "opens"))
        return;
    put_figures(pen, &item->head, !transcript->style.thoughts);
}

static void
draw_head(const struct transcript *transcript, size_t number, struct pen *pen)
{
    const struct transcript_item *item = &transcript->items[number];
    bool answers = item->kind == TRANSCRIPT_ANSWER;
    bool current = number == transcript_current(transcript);
    size_t rows[SECTIONS];

    transcript_sections(transcript, number, rows);
    if (transcript->style.focused && current)
        canvas_print(pen->canvas, pen->row, pen->left - 1, 1, LOOK_CHOSEN, "%s",
                     canvas_glyph(GLYPH_CHOSEN));
    put_left(pen, LOOK_ROLE, "%s", answers ? "fathom" : "you");
    if (item->head.time[0])
        put_left(pen, LOOK_DIM, " %s", item->head.time);
    if (item->thinking) {
        put_thinking(pen, transcript, item);
        return;
    }
    if (item->pieces[TRANSCRIPT_THOUGHT].document)
        put_thought(pen, transcript, item, rows[SECTION_THOUGHT] > 0);
    put_remarks(pen, transcript, number, rows[SECTION_THOUGHT] > 0);
    put_branch(pen, &item->head, transcript->style.hints);
}

/* -- text ------------------------------------------------------------------ */

/* What was searched for is drawn once more, as such. */
static void
draw_matches(const struct transcript *transcript, struct canvas *canvas,
             unsigned row, unsigned column, unsigned limit,
             const struct document *document, size_t index)
{
    const char *text = document_line(document, index).text;
    size_t begin, end = 0;

    while (transcript_line_match(&transcript->hunt, document, index, &begin,
                                 &end)) {
        size_t before = text_columns(text, begin);

        if (before < limit)
            canvas_put(canvas, row, column + (unsigned) before,
                       limit - (unsigned) before, LOOK_MATCH, text + begin,
                       end - begin);
    }
}

unsigned
transcript_draw_line(const struct transcript *transcript, struct canvas *canvas,
                     unsigned row, unsigned column, unsigned limit,
                     const struct document *document, size_t index, bool dim)
{
    struct document_line line = document_line(document, index);
    size_t at = 0;
    unsigned taken = 0;

    for (size_t i = 0; i < line.run_count && taken < limit; i++) {
        enum look look = line.runs[i].look;

        if (dim && look == LOOK_PLAIN)
            look = LOOK_DIM;
        taken += canvas_put(canvas, row, column + taken, limit - taken, look,
                            line.text + at, line.runs[i].length);
        at += line.runs[i].length;
    }
    draw_matches(transcript, canvas, row, column, limit, document, index);
    return taken;
}

static void
draw_label(const struct transcript *transcript, size_t number, struct pen *pen,
           const struct document_line *line)
{
    const struct document *document =
        transcript->items[number].pieces[TRANSCRIPT_TEXT].document;
    struct document_code code = document_code(document, line->code);
    bool keys = transcript->style.hints && line->code <= 9 &&
                number == transcript_current_answer(transcript);
    bool wide = transcript->columns >= WIDE_COLUMNS;

    if (!keys || !put_right(pen, LOOK_DIM, "[%u] y%u copies%s, o pages",
                            line->code, line->code, wide ? " the source" : ""))
        put_right(pen, LOOK_DIM, "[%u]", line->code);
    put_left(pen, LOOK_DIM, "%s", code.label);
}

/* Where the next character of a text that comes in will be. */
static void
draw_open_mark(struct pen *pen)
{
    if (pen->left + OPEN_MARK_COLUMNS <= pen->right)
        put_left(pen, LOOK_DIM, "_");
}

static void
draw_text(const struct transcript *transcript, size_t number, size_t index,
          struct pen *pen)
{
    const struct transcript_item *item = &transcript->items[number];
    const struct document *document = item->pieces[TRANSCRIPT_TEXT].document;
    struct document_line line = document_line(document, index);
    bool note = item->kind == TRANSCRIPT_NOTE;
    bool last = index + 1 == document_lines(document);

    if (line.label && item->kind == TRANSCRIPT_ANSWER) {
        draw_label(transcript, number, pen, &line);
        return;
    }

    if (note && index == 0)
        canvas_print(pen->canvas, pen->row, pen->left - 1, 1, LOOK_DIM, "[");
    pen->left +=
        transcript_draw_line(transcript, pen->canvas, pen->row, pen->left,
                             pen->right - pen->left, document, index, note);
    if (note && last)
        put_left(pen, LOOK_DIM, "]");
    if (last && item->open && item->kind == TRANSCRIPT_ANSWER)
        draw_open_mark(pen);
}

static void
draw_thought(const struct transcript *transcript, size_t number, size_t index,
             struct pen *pen)
{
    const struct transcript_item *item = &transcript->items[number];
    const struct document *document = item->pieces[TRANSCRIPT_THOUGHT].document;

    if (transcript->style.chrome)
        canvas_print(pen->canvas, pen->row, HEAD_COLUMN + pen->left - 4, 1,
                     LOOK_DIM, ":");
    if (index >= document_lines(document))
        return;
    pen->left +=
        transcript_draw_line(transcript, pen->canvas, pen->row, pen->left,
                             pen->right - pen->left, document, index, true);
    if (item->thinking && index + 1 == document_lines(document))
        draw_open_mark(pen);
}

/* The last lines of a thought that comes in, as many as always. */
static void
draw_tail(const struct transcript *transcript, size_t number, size_t index,
          struct pen *pen)
{
    size_t rows[SECTIONS];
    size_t lines = document_lines(
        transcript->items[number].pieces[TRANSCRIPT_THOUGHT].document);

    transcript_sections(transcript, number, rows);
    size_t shown = rows[SECTION_TAIL] - 1;

    if (index < shown) {
        draw_thought(transcript, number,
                     lines > shown ? lines - shown + index : index, pen);
        return;
    }
    if (transcript->style.chrome)
        canvas_print(pen->canvas, pen->row, HEAD_COLUMN + pen->left - 4, 1,
                     LOOK_DIM, ":");
    // where this line ends in the sketches: a little before the edge
    pen->right -= pen->right > pen->left + 2 ? 2 : 0;
    put_right(pen, LOOK_DIM, "(tail; PgUp freezes, G follows)");
}

static void
draw_row(const struct transcript *transcript, struct canvas *canvas,
         struct area area, unsigned row, struct transcript_spot spot)
{
    size_t index;
    enum transcript_section section =
        transcript_section_at(transcript, spot.item, spot.row, &index);
    unsigned end = area.column + area.columns;
    struct pen pen = {canvas, area.row + row, area.column, end};

    pen.left += section == SECTION_HEAD
                    ? (transcript->style.chrome ? HEAD_COLUMN : 0)
                    : transcript_indent(transcript, section);
    if (transcript->items[spot.item].kind == TRANSCRIPT_NOTE)
        pen.left = area.column + (transcript->style.chrome ? 2 : 1);
    if (pen.left >= end)
        return;
    // the last column stays free beside chrome
    if (area.columns > 1 && transcript->style.chrome)
        pen.right = end - 1;
    if (transcript_is_match(transcript, spot.item, section, index) &&
        transcript->style.chrome)
        canvas_print(canvas, pen.row, area.column, 1, LOOK_CHOSEN, "%s",
                     canvas_glyph(GLYPH_CHOSEN));
    if (section == SECTION_HEAD)
        draw_head(transcript, spot.item, &pen);
    else if (section == SECTION_THOUGHT)
        draw_thought(transcript, spot.item, index, &pen);
    else if (section == SECTION_TAIL)
        draw_tail(transcript, spot.item, index, &pen);
    else if (section == SECTION_TEXT)
        draw_text(transcript, spot.item, index, &pen);
}

/* -- all of it ------------------------------------------------------------- */

static size_t
rows_after(const struct transcript *transcript, struct transcript_spot spot)
{
    size_t rows = 0;

    if (spot.item >= transcript->count)
        return 0;
    for (size_t i = spot.item; i < transcript->count; i++)
        rows += transcript_item_rows(transcript, i);
    return rows > spot.row ? rows - spot.row : 0;
}

static enum status
draw_rows(struct transcript *transcript, struct canvas *canvas,
          struct area area, struct transcript_spot spot, struct error *err)
{
    unsigned row = 0;

    transcript->first = spot;
    transcript->last_item = spot.item;
    transcript->shown_rows = 0;
    while (spot.item < transcript->count) {
        TRY(transcript_layout_item(transcript, spot.item, err));
        size_t rows = transcript_item_rows(transcript, spot.item);

        for (; spot.row < rows && row < area.rows; spot.row++, row++) {
            transcript->last_item = spot.item;
            draw_row(transcript, canvas, area, row, spot);
        }
        if (row == area.rows)
            break;
        spot = (struct transcript_spot){spot.item + 1, 0};
    }
    transcript->shown_rows = row;
    transcript->rows_below = rows_after(transcript, spot);
    return STATUS_OK;
}

static void
draw_more(struct transcript *transcript, struct canvas *canvas,
          struct area area)
{
    char number[COUNT_TEXT];
    bool streams = false;
    unsigned last = area.row + area.rows - 1;
    struct pen pen = {canvas, last, area.column, area.column + area.columns};

    if (transcript->follows || transcript->rows_below == 0 || area.rows == 0)
        return;
    transcript->rows_below++; // the one that this line hides
    for (size_t i = transcript->last_item; i < transcript->count; i++)
        streams = streams || transcript->items[i].open;
    canvas_clear(canvas, (struct area){last, area.column, 1, area.columns});
    pen.left += transcript_indent(transcript, SECTION_TEXT);
    pen.right -= pen.right > pen.left;
    put_left(&pen, LOOK_DIM, "%s more below (%s line%s%s)",
             canvas_glyph(GLYPH_OPEN),
             text_count(number, transcript->rows_below),
             transcript->rows_below == 1 ? "" : "s",
             streams ? ", still streaming" : "");
    put_right(&pen, LOOK_DIM, "G follows");
}

static void
forget_selection_out_of_view(struct transcript *transcript)
{
    if (transcript->follows && transcript->selected != TRANSCRIPT_NONE &&
        !transcript_head_in_view(transcript, transcript->selected) &&
        transcript->selected_code == 0)
        transcript->selected = TRANSCRIPT_NONE;
}

enum status
transcript_draw(struct transcript *transcript, struct canvas *canvas,
                struct area area, const struct transcript_style *style,
                struct error *err)
{
    struct transcript_spot top;
    struct error failure = transcript->failure;

    canvas_clear(canvas, area);
    transcript->style = *style;
    transcript->rows = area.rows;
    transcript->columns = area.columns;
    transcript->failure = (struct error){0};
    transcript_settle(transcript);
    if (transcript_recount(transcript, err) != STATUS_OK)
        failure = *err;
    TRY(transcript_find_top(transcript, &top, err));
    TRY(draw_rows(transcript, canvas, area, top, err));
    draw_more(transcript, canvas, area);
    forget_selection_out_of_view(transcript);
    if (failure.status != STATUS_OK)
        *err = failure;
    return failure.status;
}

size_t
transcript_rows_below(const struct transcript *transcript)
{
    return transcript->rows_below;
}

size_t
transcript_rows_shown(const struct transcript *transcript)
{
    return transcript->shown_rows;
}

size_t
transcript_item_at(const struct transcript *transcript, unsigned row,
                   bool *head)
{
    struct transcript_spot spot = transcript->first;
    size_t ignored;

    *head = false;
    if (row >= transcript->shown_rows)
        return TRANSCRIPT_NONE;
    spot.row += row;
    while (spot.row >= transcript_item_rows(transcript, spot.item)) {
        spot.row -= transcript_item_rows(transcript, spot.item);
        if (++spot.item >= transcript->count)
            return TRANSCRIPT_NONE;
    }
    *head = transcript_section_at(transcript, spot.item, spot.row, &ignored) ==
            SECTION_HEAD;
    return spot.item;
}
