/* Turns are documents, each laid out for the width of the pane. */
#include "config.h"

#include "ui/views/history_pane.h"

#include <stdio.h>
#include <string.h>

enum {
    INDENT = 2,
    EDGE = 2,
    TREE_ROWS = 4,
    NEAR_LINES = 4, // how far a line may be from where its source says
};

void
history_pane_stale(struct history_pane *pane)
{
    pane->stale = true;
}

bool
history_pane_is_stale(const struct history_pane *pane)
{
    return pane->stale;
}

void
history_pane_clear(struct history_pane *pane)
{
    for (size_t i = 0; i < pane->count; i++)
        document_close(pane->turns[i].text);
    buffer_release(&pane->head);
    buffer_release(&pane->tags);
    buffer_release(&pane->tree);
    buffer_release(&pane->hit);
    explicit_bzero(pane, sizeof *pane);
}

static struct document *
document_of(const struct history_turn *turn)
{
    struct document *text;
    struct error err;
    enum status status = document_open(
        &text, turn->question ? DOCUMENT_PLAIN : DOCUMENT_MARKDOWN, &err);

    if (status != STATUS_OK)
        return NULL;
    status = document_append(text, turn->text, turn->length, &err);
    if (status == STATUS_OK)
        status = document_finish(text, &err);
    if (status == STATUS_OK)
        return text;
    document_close(text);
    return NULL;
}

void
history_pane_fill(struct history_pane *pane,
                  const struct history_preview *preview)
{
    struct error err;

    history_pane_clear(pane);
    // without memory less is shown
    (void) !buffer_append(&pane->head, preview->head, strlen(preview->head),
                          &err);
    (void) !buffer_append(&pane->tags, preview->tags, strlen(preview->tags),
                          &err);
    (void) !buffer_append(&pane->tree, preview->tree, strlen(preview->tree),
                          &err);
    pane->earlier = preview->earlier;
    pane->later = preview->later;
    for (size_t i = 0; i < preview->count && i < PANE_TURNS; i++) {
        const struct history_turn *from = &preview->turns[i];
        struct pane_turn *turn = &pane->turns[pane->count++];

        turn->question = from->question;
        snprintf(turn->when, sizeof turn->when, "%s", from->when);
        snprintf(turn->thought, sizeof turn->thought, "%s", from->thought);
        turn->text = document_of(from);
    }
    pane->at = preview->at;
    if (preview->hit_length > 0)
        (void) !buffer_append(&pane->hit, preview->hit, preview->hit_length,
                              &err);
    pane->hit_begin = preview->hit_begin;
    pane->to_turn = true;
}

/* -- drawing ---------------------------------------------------------------
 */

/* The keys that a label names are live in the chat, not here. */
static size_t
shown_length(const struct document_line *line)
{
    size_t length = line->length;

    while (line->label && length > 0 && line->text[length - 1] != ']')
        length--;
    return length > 0 ? length : line->length;
}

static void
draw_line(struct canvas *canvas, unsigned row, unsigned column, unsigned limit,
          const struct document_line *line)
{
    size_t at = 0, end = shown_length(line);
    unsigned taken = 0;

    for (size_t i = 0; i < line->run_count && at < end; i++) {
        size_t length = line->runs[i].length;

        if (length > end - at)
            length = end - at;
        taken += canvas_put(canvas, row, column + taken, limit - taken,
                            line->runs[i].look, line->text + at, length);
        at += length;
    }
}

/* What is being drawn: the lines of all turns, of which some are in sight. */
struct sheet {
    struct canvas *canvas;
    struct area area;
    size_t line, top;           // the next line, and the first in sight
    size_t turn_line, hit_line; // of what is to be seen; SIZE_MAX: none is
};

/* The row of the next line; false: it is out of sight. */
static bool
next_line(struct sheet *sheet, unsigned *row)
{
    size_t line = sheet->line++;

    if (line < sheet->top || line - sheet->top >= sheet->area.rows)
        return false;
    *row = sheet->area.row + (unsigned) (line - sheet->top);
    return true;
}

static void
draw_remark(struct sheet *sheet, const char *text)
{
    unsigned row;

    if (next_line(sheet, &row))
        canvas_print(sheet->canvas, row, sheet->area.column,
                     sheet->area.columns, LOOK_DIM, "%s", text);
}

static void
draw_heading(struct sheet *sheet, const struct pane_turn *turn)
{
    unsigned row, at = sheet->area.column, columns = sheet->area.columns;

    if (!next_line(sheet, &row))
        return;
    at += canvas_print(sheet->canvas, row, at, columns, LOOK_ROLE, "%s",
                       turn->question ? "you" : "fathom");
    at += canvas_print(sheet->canvas, row, at, columns, LOOK_DIM, " %s",
                       turn->when);
    if (turn->thought[0] != '\0')
        canvas_print(sheet->canvas, row, at, columns, LOOK_DIM, "   %s %s",
                     canvas_glyph(GLYPH_CLOSED), turn->thought);
}

/* Where in the line it is what was found; SIZE_MAX: it is not. */
static size_t
hit_in(const struct document_line *line, const struct buffer *hit)
{
    size_t length = shown_length(line);
    const char *at = hit->length > 0 && length > 0
                         ? memmem(line->text, length, hit->data, hit->length)
                         : NULL;

    return at ? (size_t) (at - line->text) : SIZE_MAX;
}

static bool
has_hit(const struct document *text, size_t number, const struct buffer *hit)
{
    struct document_line line = document_line(text, number);

    return hit_in(&line, hit) != SIZE_MAX;
}

/* The line that shows what was found: sources say about where lines begin. */
static size_t
line_of_hit(const struct history_pane *pane, const struct document *text)
{
    size_t lines = document_lines(text), line = 0;

    while (line + 1 < lines &&
           document_line(text, line + 1).source <= pane->hit_begin)
        line++;
    for (size_t far = 0; far <= NEAR_LINES; far++) {
        if (line >= far && has_hit(text, line - far, &pane->hit))
            return line - far;
        if (line + far < lines && has_hit(text, line + far, &pane->hit))
            return line + far;
    }
    return line;
}

static void
draw_match(const struct sheet *sheet, unsigned row,
           const struct document_line *line, const struct buffer *hit)
{
    size_t at = hit_in(line, hit);

    if (at == SIZE_MAX)
        return;
    unsigned before = INDENT + (unsigned) text_columns(line->text, at);

    if (before < sheet->area.columns)
        canvas_put(sheet->canvas, row, sheet->area.column + before,
                   sheet->area.columns - before, LOOK_MATCH, line->text + at,
                   hit->length);
}

static void
draw_lines(struct sheet *sheet, const struct history_pane *pane,
           const struct document *text, bool found)
{
    size_t lines = document_lines(text);
    size_t hit = found && lines > 0 ? line_of_hit(pane, text) : SIZE_MAX;
    unsigned row;

    for (size_t i = 0; i < lines; i++) {
        if (i == hit)
            sheet->hit_line = sheet->line;
        if (!next_line(sheet, &row))
            continue;
        struct document_line line = document_line(text, i);

        draw_line(sheet->canvas, row, sheet->area.column + INDENT,
                  sheet->area.columns - INDENT, &line);
        if (i == hit)
            draw_match(sheet, row, &line, &pane->hit);
    }
}

static void
draw_turn(struct sheet *sheet, const struct history_pane *pane, size_t number)
{
    const struct pane_turn *turn = &pane->turns[number];
    unsigned row, columns = sheet->area.columns;
    struct error err;

    if (number == pane->at)
        sheet->turn_line = sheet->line;
    draw_heading(sheet, turn);
    if (turn->text == NULL || columns < INDENT + 10 ||
        document_layout(turn->text, columns - INDENT, &err) != STATUS_OK) {
        draw_remark(sheet, "  (there is no memory to show this)");
    } else {
        draw_lines(sheet, pane, turn->text,
                   number == pane->at && pane->hit.length > 0);
    }
    (void) next_line(sheet, &row);
}

static size_t
draw_all(const struct history_pane *pane, struct sheet *sheet)
{
    char text[80];

    sheet->line = 0;
    if (pane->earlier > 0) {
        snprintf(text, sizeof text, "(%zu earlier)", pane->earlier);
        draw_remark(sheet, text);
    }
    for (size_t i = 0; i < pane->count; i++)
        draw_turn(sheet, pane, i);
    if (pane->later > 0) {
        snprintf(text, sizeof text, "(%zu more)", pane->later);
        draw_remark(sheet, text);
    }
    return sheet->line;
}

static void
keep_in_range(struct history_pane *pane)
{
    size_t most = pane->lines > pane->rows ? pane->lines - pane->rows : 0;

    if (pane->top > most)
        pane->top = most;
}

static size_t
text_lines(const struct pane_turn *turn)
{
    return turn->text ? document_lines(turn->text) : 1;
}

/* The first line with this byte of the text, or the one before it. */
static size_t
line_with(const struct document *text, size_t source)
{
    size_t line = 0;

    while (line + 1 < document_lines(text) &&
           document_line(text, line).source < source &&
           document_line(text, line + 1).source <= source)
        line++;
    return line;
}

static struct pane_place
place_in_text(const struct history_pane *pane, size_t number, size_t line)
{
    const struct document *text = pane->turns[number].text;
    struct pane_place place = {number, PLACE_TEXT, 0, 0};

    if (text) {
        place.source = document_line(text, line).source;
        place.skip = line - line_with(text, place.source);
    }
    return place;
}

static size_t
line_in_text(const struct document *text, const struct pane_place *place)
{
    size_t line = line_with(text, place->source);

    for (size_t skip = place->skip; skip > 0; skip--) {
        if (line + 1 >= document_lines(text) ||
            document_line(text, line + 1).source != place->source)
            break;
        line++;
    }
    return line;
}

/* What is first in sight, by the lines of the last drawing. */
static struct pane_place
place_of(const struct history_pane *pane)
{
    size_t line = pane->earlier > 0;

    if (pane->top < line)
        return (struct pane_place){0};
    for (size_t i = 0; i < pane->count; i++) {
        size_t text = line + 1, below = text + text_lines(&pane->turns[i]);

        if (pane->top == line)
            return (struct pane_place){i, PLACE_HEADING, 0, 0};
        if (pane->top < below)
            return place_in_text(pane, i, pane->top - text);
        if (pane->top == below)
            return (struct pane_place){i, PLACE_BELOW, 0, 0};
        line = below + 1;
    }
    return (struct pane_place){pane->count, PLACE_HEADING, 0, 0};
}

static size_t
line_of_place(const struct history_pane *pane)
{
    const struct pane_place *place = &pane->place;
    size_t line = pane->earlier > 0;

    if (place->part == PLACE_ABOVE)
        return 0;
    for (size_t i = 0; i < place->turn; i++)
        line += 1 + text_lines(&pane->turns[i]) + 1;
    if (place->part == PLACE_HEADING)
        return line;
    const struct pane_turn *turn = &pane->turns[place->turn];

    if (place->part == PLACE_BELOW)
        return line + 1 + text_lines(turn);
    return line + 1 + (turn->text ? line_in_text(turn->text, place) : 0);
}

/* At another width the first line stays, also where the end is nearer. */
static void
keep_place(struct history_pane *pane, struct sheet *sheet)
{
    if (pane->top != pane->placed)
        pane->place = place_of(pane);
    pane->lines = draw_all(pane, sheet); // nothing in sight
    pane->top = line_of_place(pane);
    keep_in_range(pane);
    pane->placed = pane->top;
}

static void
draw_turns(struct history_pane *pane, struct canvas *canvas, struct area area)
{
    struct sheet sheet = {canvas, area, 0, SIZE_MAX, SIZE_MAX, SIZE_MAX};
    bool another_width =
        pane->columns > 0 && pane->columns != area.columns && !pane->to_turn;

    pane->rows = area.rows;
    pane->columns = area.columns;
    if (another_width)
        keep_place(pane, &sheet);
    if (pane->to_turn) {
        // measured first, with nothing in sight
        pane->lines = draw_all(pane, &sheet);
        pane->top = sheet.turn_line;
        // what was found is far down in it
        if (sheet.hit_line != SIZE_MAX &&
            sheet.hit_line - sheet.turn_line >= area.rows)
            pane->top = sheet.hit_line - area.rows / 3;
        pane->to_turn = false;
    }
    keep_in_range(pane);
    sheet.top = pane->top;
    pane->lines = draw_all(pane, &sheet);
}

/* Tags, in the columns of the tree. */
static unsigned
draw_tags(const struct history_pane *pane, struct canvas *canvas,
          struct area area)
{
    if (pane->tags.length == 0 || area.rows == 0)
        return 0;
    canvas_print(canvas, area.row, area.column, area.columns, LOOK_DIM,
                 "tags   %s", pane->tags.data);
    return 1;
}

static unsigned
draw_tree(const struct history_pane *pane, struct canvas *canvas,
          struct area area)
{
    const char *at = pane->tree.data ? pane->tree.data : "";
    unsigned rows = 0;

    for (; *at != '\0' && rows < TREE_ROWS && rows < area.rows; rows++) {
        size_t length = strcspn(at, "\n");

        canvas_put(canvas, area.row + rows, area.column, area.columns, LOOK_DIM,
                   at, length);
        at += length + (at[length] == '\n');
    }
    return rows;
}

/* "id 01jd3k8q   12 turns": those that have room, none in part. */
static void
draw_facts(struct canvas *canvas, unsigned row, unsigned column, unsigned limit,
           const char *facts)
{
    size_t length = 0, used;

    for (const char *at = facts; *at != '\0'; at += strspn(at, " ")) {
        const char *gap = strstr(at, "   ");

        at = gap ? gap : at + strlen(at);
        if (text_fit(facts, (size_t) (at - facts), limit, &used) <
            (size_t) (at - facts))
            break;
        length = (size_t) (at - facts);
    }
    canvas_put(canvas, row, column, limit, LOOK_DIM, facts, length);
}

static void
draw_head(const struct history_pane *pane, struct canvas *canvas,
          struct area area, const char *title, bool focus)
{
    const char *head = pane->head.data ? pane->head.data : "";
    unsigned at = area.column, end = area.column + area.columns;
    size_t behind = text_columns(head, strlen(head)) + 3 + 15;
    size_t room = area.columns > 33 + behind ? area.columns - 9 - behind : 24;

    at += canvas_print(canvas, area.row, at, 9,
                       focus ? LOOK_CHOSEN : LOOK_TITLE, "preview");
    at += 2;
    at += canvas_put_cut(canvas, area.row, at,
                         end - at < room ? end - at : (unsigned) room,
                         LOOK_STRONG, *title ? title : "Untitled");
    draw_facts(canvas, area.row, at + 3, end > at + 18 ? end - at - 18 : 0,
               head);
    canvas_print_right(canvas, area.row, end - 1, LOOK_DIM, "Space closes");
}

void
history_pane_draw(struct history_pane *pane, struct canvas *canvas,
                  struct area area, const char *title, const char *place,
                  bool focus)
{
    if (area.rows < 6 || area.columns < 20)
        return;
    struct area inside = {area.row, area.column + EDGE, area.rows,
                          area.columns - EDGE};

    draw_head(pane, canvas, inside, title, focus);
    canvas_rule(canvas, area.row + 1, area.column + 1, area.columns - 1,
                LOOK_DIM);
    canvas_print(canvas, area.row + area.rows - 1, inside.column,
                 inside.columns, LOOK_DIM, "%s", place);
    inside.row += 2;
    inside.rows -= 4;
    if (pane->stale && pane->count == 0)
        return;
    unsigned above = draw_tags(pane, canvas, inside);
    struct area below = {inside.row + above, inside.column, inside.rows - above,
                         inside.columns};

    above += draw_tree(pane, canvas, below);
    if (above > 0)
        above++;
    inside.row += above;
    inside.rows = inside.rows > above ? inside.rows - above : 0;
    draw_turns(pane, canvas, inside);
}

/* -- moving ----------------------------------------------------------------
 */

bool
history_pane_act(struct history_pane *pane, enum action action, int count)
{
    size_t page = pane->rows > 1 ? pane->rows - 1 : 1, lines = 1;

    if (action == ACTION_PAGE_UP || action == ACTION_PAGE_DOWN)
        lines = page;
    if (count > 1)
        lines *= (size_t) count;
    if (action == ACTION_LINE_UP || action == ACTION_PAGE_UP)
        pane->top -= lines < pane->top ? lines : pane->top;
    else if (action == ACTION_LINE_DOWN || action == ACTION_PAGE_DOWN)
        pane->top += lines;
    else if (action == ACTION_TOP)
        pane->top = 0;
    else if (action == ACTION_BOTTOM)
        pane->top = pane->lines;
    else
        return false;
    keep_in_range(pane);
    return true;
}

/* -- sentences -------------------------------------------------------------
 */

unsigned
history_pane_wrap(struct canvas *canvas, struct area area, enum look look,
                  const char *text)
{
    unsigned rows = 0;
    size_t used;

    for (; *text != '\0' && rows < area.rows; rows++) {
        size_t length = strcspn(text, "\n");
        size_t fits = text_fit(text, length, area.columns, &used);

        if (fits < length) {
            size_t blank = fits;

            while (blank > 0 && text[blank] != ' ')
                blank--;
            if (blank > 0)
                fits = blank;
            else if (fits == 0)
                return rows;
        }
        canvas_put(canvas, area.row + rows, area.column, area.columns, look,
                   text, fits);
        text += fits;
        if (*text == ' ' || *text == '\n')
            text++;
    }
    return rows;
}
