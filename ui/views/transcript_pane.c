/* A thought in an area of its own. */
#include "config.h"

#include "ui/views/transcript_parts.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_COLUMN = 1, EDGE = 4, LEAST_COLUMNS = 10 };

static struct transcript_piece *
pane_piece(struct transcript *transcript)
{
    if (transcript->pane.item >= transcript->count)
        return NULL;
    struct transcript_piece *piece =
        &transcript->items[transcript->pane.item].pieces[TRANSCRIPT_THOUGHT];

    return piece->document ? piece : NULL;
}

static bool
has_thought(const struct transcript *transcript, size_t item)
{
    return transcript->items[item].pieces[TRANSCRIPT_THOUGHT].document;
}

bool
transcript_has_thought(const struct transcript *transcript)
{
    for (size_t i = transcript->count; i-- > 0;)
        if (has_thought(transcript, i))
            return true;
    return false;
}

/* The thought of the answer in view that comes last, else the last of all. */
static size_t
thought_in_view(const struct transcript *transcript)
{
    size_t current = transcript_current_answer(transcript);

    if (transcript->selected != TRANSCRIPT_NONE && current != TRANSCRIPT_NONE &&
        has_thought(transcript, current))
        return current;
    for (size_t i = transcript->last_item + 1; i-- > 0;)
        if (i < transcript->count && has_thought(transcript, i))
            return i;
    for (size_t i = transcript->count; i-- > 0;)
        if (has_thought(transcript, i))
            return i;
    return TRANSCRIPT_NONE;
}

static void
choose_item(struct transcript *transcript)
{
    struct transcript_pane *pane = &transcript->pane;
    size_t item = thought_in_view(transcript);

    if (item == pane->item)
        return;
    pane->item = item;
    pane->top = (struct transcript_anchor){0};
    pane->follows = item != TRANSCRIPT_NONE && transcript->items[item].thinking;
}

/* The first line where the last one is shown last. */
static size_t
pane_end(const struct transcript_pane *pane,
         const struct transcript_piece *piece)
{
    size_t lines = document_lines(piece->document);

    return lines > pane->rows ? lines - pane->rows : 0;
}

/* The first line that is shown, of a thought that is laid out. */
static size_t
pane_top(const struct transcript_pane *pane,
         const struct transcript_piece *piece)
{
    size_t end = pane_end(pane, piece);

    if (pane->follows || document_lines(piece->document) == 0)
        return end;
    size_t top = piece_anchored_line(piece, &pane->top);

    return top < end ? top : end;
}

static void
draw_pane_head(const struct transcript *transcript, struct canvas *canvas,
               struct area area, bool focused)
{
    const struct transcript_item *item =
        &transcript->items[transcript->pane.item];
    const struct transcript_head *head = &item->head;
    char number[COUNT_TEXT], time[24], text[120];
    unsigned column = area.column + TEXT_COLUMN, taken;

    if (item->thinking)
        snprintf(text, sizeof text, "thinking %s tok %s%s",
                 text_count(number, head->thought_tokens),
                 transcript_clock(time, head->thought_ms),
                 transcript->pane.follows ? "" : "  more below");
    else if (head->thought_tokens > 0)
        snprintf(text, sizeof text, "thinking %s tok%s%s  closed",
                 text_count(number, head->thought_tokens),
                 head->thought_ms > 0 ? " " : "",
                 head->thought_ms > 0
                     ? transcript_duration(time, head->thought_ms)
                     : "");
    else
        snprintf(text, sizeof text, "thinking  closed");
    if (focused && area.column > 0)
        canvas_print(canvas, area.row, area.column, 1, LOOK_CHOSEN, "%s",
                     canvas_glyph(GLYPH_CHOSEN));
    taken = canvas_print(canvas, area.row, column, area.columns - TEXT_COLUMN,
                         LOOK_ROLE, "%s", text);
    if (column + taken + 12 <= area.column + area.columns)
        canvas_print_right(canvas, area.row, area.column + area.columns - 1,
                           LOOK_DIM, "F5 layout");
}

static void
draw_pane_more(struct canvas *canvas, unsigned row, struct area area,
               size_t more, bool focused)
{
    char number[COUNT_TEXT];

    canvas_clear(canvas, (struct area){row, area.column, 1, area.columns});
    canvas_print(
        canvas, row, area.column + TEXT_COLUMN, area.columns - TEXT_COLUMN,
        LOOK_DIM, "%s %s more line%s (%s)", canvas_glyph(GLYPH_MORE),
        text_count(number, more), more == 1 ? "" : "s",
        focused ? "PgDn, G to the end" : "focus here with F6, then PgDn");
}

static void
draw_pane_text(const struct transcript *transcript,
               const struct transcript_piece *piece, struct canvas *canvas,
               struct area area, bool focused)
{
    const struct transcript_pane *pane = &transcript->pane;
    const struct document *document = piece->document;
    size_t lines = document_lines(document), rows = pane->rows;
    size_t top = pane_top(pane, piece);

    for (size_t i = 0; i < rows && top + i < lines; i++) {
        unsigned row = area.row + area.rows - pane->rows + (unsigned) i;
        unsigned taken = transcript_draw_line(
            transcript, canvas, row, area.column + TEXT_COLUMN,
            area.columns - TEXT_COLUMN, document, top + i, true);

        if (top + i + 1 == lines && transcript->items[pane->item].thinking)
            canvas_print(canvas, row, area.column + TEXT_COLUMN + taken, 1,
                         LOOK_DIM, "_");
    }
    if (top + rows < lines && rows > 0)
        draw_pane_more(canvas, area.row + area.rows - 1, area,
                       lines - top - rows + 1, focused);
}

enum status
transcript_draw_pane(struct transcript *transcript, struct canvas *canvas,
                     struct area area, bool ruled, bool focused,
                     struct error *err)
{
    struct transcript_pane *pane = &transcript->pane;
    unsigned head_rows = 1 + ruled;

    pane->columns = area.columns > TEXT_COLUMN + EDGE + LEAST_COLUMNS
                        ? area.columns - TEXT_COLUMN - EDGE
                        : LEAST_COLUMNS;
    canvas_clear(canvas, area);
    choose_item(transcript);
    pane->rows = area.rows > head_rows ? area.rows - head_rows : 0;
    if (area.rows == 0 || area.columns <= TEXT_COLUMN)
        return STATUS_OK;
    if (ruled && area.rows > 1)
        canvas_rule(canvas, area.row + 1, area.column, area.columns, LOOK_DIM);
    struct transcript_piece *piece = pane_piece(transcript);

    if (!piece) {
        canvas_print(canvas, area.row, area.column + TEXT_COLUMN,
                     area.columns - TEXT_COLUMN, LOOK_DIM, "thinking");
        return STATUS_OK;
    }
    TRY(piece_layout(piece, pane->columns, err));
    draw_pane_head(transcript, canvas, area, focused);
    draw_pane_text(transcript, piece, canvas, area, focused);
    return STATUS_OK;
}

/* The piece, laid out as it was drawn; NULL: there is none, or no memory. */
static struct transcript_piece *
drawn_piece(struct transcript *transcript)
{
    struct transcript_piece *piece = pane_piece(transcript);
    struct error err;

    if (!piece || transcript->pane.columns == 0)
        return NULL;
    if (piece_layout(piece, transcript->pane.columns, &err) == STATUS_OK)
        return piece;
    transcript->failure = err;
    return NULL;
}

bool
transcript_pane_scroll(struct transcript *transcript, long rows)
{
    struct transcript_pane *pane = &transcript->pane;
    const struct transcript_piece *piece = drawn_piece(transcript);

    if (!piece)
        return false;
    size_t end = pane_end(pane, piece), before = pane_top(pane, piece);
    size_t top = before;

    if (rows < 0)
        top -= (size_t) -rows < top ? (size_t) -rows : top;
    else
        top = top + (size_t) rows < end ? top + (size_t) rows : end;
    piece_anchor(piece, top, &pane->top);
    pane->follows = rows > 0 && top == end;
    return top != before;
}

bool
transcript_pane_page(struct transcript *transcript, long pages)
{
    long rows = (long) transcript->pane.rows;

    return transcript_pane_scroll(transcript,
                                  pages * (rows > 2 ? rows - 2 : 1));
}

bool
transcript_pane_top(struct transcript *transcript)
{
    struct transcript_pane *pane = &transcript->pane;
    const struct transcript_piece *piece = drawn_piece(transcript);
    bool moves = piece && pane_top(pane, piece) > 0;

    pane->follows = false;
    pane->top = (struct transcript_anchor){0};
    return moves;
}

void
transcript_pane_follow(struct transcript *transcript)
{
    transcript->pane.follows = true;
}

size_t
transcript_pane_item(const struct transcript *transcript)
{
    return transcript->pane.item;
}
