/*
 * What the files transcript*.c share; nobody else includes this.
 *
 *   transcript.c         items, their texts and heads
 *   transcript_rows.c    the rows of an item, laid out where they are asked for
 *   transcript_scroll.c  what is in view: anchor, turns, code blocks, folding
 *   transcript_draw.c    rows on a canvas
 *   transcript_search.c  matches
 *   transcript_pane.c    a thought in an area of its own
 */
#ifndef FATHOM_UI_TRANSCRIPT_PARTS_H
#define FATHOM_UI_TRANSCRIPT_PARTS_H

#include "ui/views/transcript.h"

struct transcript_piece {
    struct document *document; // NULL: nothing came
    size_t breaks;             // line feeds in its source
    unsigned columns;          // of its last layout; 0: there was none
};

enum transcript_folding { FOLDING_AUTO, FOLDING_SHUT, FOLDING_OPEN };

struct transcript_item {
    enum transcript_kind kind;
    struct transcript_head head;
    struct transcript_piece pieces[2]; // by enum transcript_part
    bool open, thinking;
    bool held; // its thought would fold, but somebody reads
    enum transcript_folding folding;
};

/* The rows of an item, in this order. */
enum transcript_section {
    SECTION_GAP, // to the item before
    SECTION_HEAD,
    SECTION_THOUGHT,
    SECTION_TAIL,  // of a thought that comes in: fixed height
    SECTION_BREAK, // between thought and text
    SECTION_TEXT,
    SECTIONS
};

/* A row of the transcript as it is laid out now. */
struct transcript_spot {
    size_t item, row;
};

/* The same whatever is laid out anew. */
struct transcript_anchor {
    size_t item;
    enum transcript_section section;
    size_t source; // byte of its text, where it has one
    size_t skip;   // lines after the first with that byte
};

struct transcript_match {
    size_t item, source;
    enum transcript_part part;
};

struct transcript_hunt {
    struct buffer needle;
    bool exact; // it has capitals
    struct transcript_match *matches;
    size_t count, capacity;
    size_t at;        // number of the match at hand, from 1; 0: none
    uint64_t version; // of the transcript when they were counted
    bool thoughts;    // they were counted in thoughts, too
};

struct transcript_pane {
    size_t item;
    bool follows;
    struct transcript_anchor top; // where it does not follow
    unsigned rows, columns;       // of text, of the last drawing
};

struct transcript {
    struct transcript_item *items;
    size_t count, capacity;
    uint64_t version; // of all texts

    bool follows;
    struct transcript_anchor top; // where it does not follow
    size_t selected;              // the current turn, or TRANSCRIPT_NONE
    size_t selected_code;         // a block of it, or 0

    struct transcript_style style; // of the last drawing
    unsigned rows, columns;        // the same
    struct transcript_spot first;  // row of the view, the same
    size_t last_item;              // in view, the same
    size_t rows_below, shown_rows;

    struct transcript_hunt hunt;
    struct transcript_pane pane;
    struct error failure; // of a layout since the last drawing
};

/* -- transcript_rows.c -----------------------------------------------------
 */

/* Lays a piece out for this width, where it is not. */
MUST_CHECK enum status piece_layout(struct transcript_piece *piece,
                                    unsigned columns, struct error *err);
/* Lines of a piece, estimated where it is not laid out for this width. */
size_t piece_lines(const struct transcript_piece *piece, unsigned columns);
/* The line with this byte of its source, of a piece that is laid out. */
size_t piece_line_at(const struct transcript_piece *piece, size_t source);

/* A line of a piece that is laid out, as an anchor keeps it; and back. */
void piece_anchor(const struct transcript_piece *piece, size_t line,
                  struct transcript_anchor *anchor);
size_t piece_anchored_line(const struct transcript_piece *piece,
                           const struct transcript_anchor *anchor);

unsigned transcript_indent(const struct transcript *transcript,
                           enum transcript_section section);
unsigned transcript_text_columns(const struct transcript *transcript,
                                 size_t item, enum transcript_part part);

MUST_CHECK enum status transcript_layout_item(struct transcript *transcript,
                                              size_t item, struct error *err);
/* Rows of each section; and of all. */
void transcript_sections(const struct transcript *transcript, size_t item,
                         size_t rows[SECTIONS]);
size_t transcript_item_rows(const struct transcript *transcript, size_t item);
/* What the row is, and its number in that section. */
enum transcript_section
transcript_section_at(const struct transcript *transcript, size_t item,
                      size_t row, size_t *number);
/* The row at which a section begins, or would. */
size_t transcript_section_row(const struct transcript *transcript, size_t item,
                              enum transcript_section section);
/* The piece that a section shows, or NULL. */
struct transcript_piece *transcript_piece_of(struct transcript *transcript,
                                             size_t item,
                                             enum transcript_section section);

/* -- transcript_scroll.c ---------------------------------------------------
 */

/* The first row of the view as it is to be drawn now. */
MUST_CHECK enum status transcript_find_top(struct transcript *transcript,
                                           struct transcript_spot *out,
                                           struct error *err);
/* Puts the row first in the view, or the end last where that is nearer. */
void transcript_put_top(struct transcript *transcript,
                        struct transcript_spot spot);
/* The same with so many rows above it, where there are so many. */
void transcript_put_below_top(struct transcript *transcript,
                              struct transcript_spot spot, size_t rows);
/* Thoughts that were held open fold, where that moves nothing in view. */
void transcript_settle(struct transcript *transcript);
bool transcript_is_turn(const struct transcript *transcript, size_t item);
bool transcript_head_in_view(const struct transcript *transcript, size_t item);
/* Whether the row is in view, as it was drawn last. */
bool transcript_in_view(const struct transcript *transcript,
                        struct transcript_spot spot);

/* -- transcript_draw.c -----------------------------------------------------
 */

/* "0.4 s", "92 s", "2m15s" */
const char *transcript_duration(char out[24], uint64_t ms);
/* "00:29" */
const char *transcript_clock(char out[24], uint64_t ms);
/* A line of a document from a column on; returns the columns that it took. */
unsigned transcript_draw_line(const struct transcript *transcript,
                              struct canvas *canvas, unsigned row,
                              unsigned column, unsigned limit,
                              const struct document *document, size_t index,
                              bool dim);

/* -- transcript_search.c ---------------------------------------------------
 */

/*
 * Bytes of the match at the start of the text, or 0. In a source, marks of
 * Markdown are passed over.
 */
size_t transcript_match_at(const struct transcript_hunt *hunt, const char *text,
                           size_t length, bool source);
/*
 * The next match in a line, from *end on, which is 0 at first: bytes of it. A
 * match may go on in the next line, and may have begun in the one before.
 */
bool transcript_line_match(const struct transcript_hunt *hunt,
                           const struct document *document, size_t index,
                           size_t *begin, size_t *end);
/* Counts anew where thoughts came into view or went. */
MUST_CHECK enum status transcript_recount(struct transcript *transcript,
                                          struct error *err);
/* Matches in items from this one on are no more. */
void transcript_hunt_cut(struct transcript_hunt *hunt, size_t item);
/* Whether this row shows the match at hand. */
bool transcript_is_match(const struct transcript *transcript, size_t item,
                         enum transcript_section section, size_t line);
void transcript_hunt_release(struct transcript_hunt *hunt);

#endif
