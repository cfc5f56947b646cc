/*
 * What a chat shows, from its first question to the text that comes in:
 * items in their order, each with its texts as documents.
 *
 *    you 14:02
 *      Why must a queue pair pass through INIT and RTR before RTS?
 *
 *    fathom 14:04  > thought 1,284 tok, 92 s          t opens, yt copies
 *      Each state unlocks one kind of work, ...
 *
 * The transcript follows its end, or stands still where somebody reads: then
 * its first row is held by item and byte of text, and nothing that comes in,
 * folds, or is laid out anew moves what is on the screen. Only what is shown
 * is laid out; what never was has an estimated height.
 *
 * The current turn is the one that keys speak of: that to which the reader
 * went by turn or code block, else the last one while the end is followed,
 * else the first with its head in view. Code blocks are counted in each
 * answer, from 1; "block 1" is that of the current turn's answer (a question's
 * answer is the one after it), and only that answer's labels name the key.
 *
 * Rows to scroll by are those of the last transcript_draw. Texts are wiped
 * when they go. Memory that is short loses no text that was taken. The main
 * thread only.
 */
#ifndef FATHOM_UI_TRANSCRIPT_H
#define FATHOM_UI_TRANSCRIPT_H

#include "ui/screen/canvas.h"
#include "ui/text/document.h"

enum { TRANSCRIPT_TIME_BYTES = 16, TRANSCRIPT_REMARK_BYTES = 80 };
#define TRANSCRIPT_NONE SIZE_MAX

enum transcript_kind {
    TRANSCRIPT_QUESTION, // "you 14:02"
    TRANSCRIPT_ANSWER,   // "fathom 14:04", with its thought
    TRANSCRIPT_NOTE,     // a dim line in brackets
    TRANSCRIPT_REPORT,   // lines of ours, as a command gives them
};

enum transcript_part {
    TRANSCRIPT_THOUGHT, // of answers only
    TRANSCRIPT_TEXT,
};

/* What is known of a turn; 0 and "": not known, or there is none. */
struct transcript_head {
    char time[TRANSCRIPT_TIME_BYTES];     // "14:02"
    char remark[TRANSCRIPT_REMARK_BYTES]; // "stopped"
    size_t turn;                          // as people count, from 1
    size_t branch, branches;              // "branch 2/3"
    size_t branch_before, branch_after;   // turns of those beside it
    uint64_t thought_tokens, thought_ms, budget_tokens;
    uint64_t answer_tokens, total_ms;
};

struct transcript;

MUST_CHECK enum status transcript_open(struct transcript **out,
                                       struct error *err);
void transcript_close(struct transcript *transcript); // takes NULL

/* -- what comes in ---------------------------------------------------------
 */

/*
 * Adds an empty item; *out (or NULL) is its number, from 0, which stays.
 * `head` may be NULL.
 */
MUST_CHECK enum status transcript_add(size_t *out,
                                      struct transcript *transcript,
                                      enum transcript_kind kind,
                                      const struct transcript_head *head,
                                      struct error *err);
/*
 * More of an item, cut anywhere. The first text of an answer ends its
 * thought, which folds as soon as that moves nothing under a reader.
 */
MUST_CHECK enum status transcript_append(struct transcript *transcript,
                                         size_t item, enum transcript_part part,
                                         const char *bytes, size_t length,
                                         struct error *err);
/* No more comes. */
MUST_CHECK enum status transcript_finish(struct transcript *transcript,
                                         size_t item, struct error *err);
void transcript_set_head(struct transcript *transcript, size_t item,
                         const struct transcript_head *head);
/* An item that is whole at once: add, append, finish. */
MUST_CHECK enum status
transcript_put(size_t *out, struct transcript *transcript,
               enum transcript_kind kind, const struct transcript_head *head,
               const char *text, size_t length, struct error *err);
/* Takes off the items from this one on. */
void transcript_cut(struct transcript *transcript, size_t item);
void transcript_clear(struct transcript *transcript);

/* -- what is there ---------------------------------------------------------
 */

size_t transcript_items(const struct transcript *transcript);
enum transcript_kind transcript_kind(const struct transcript *transcript,
                                     size_t item);
const struct transcript_head *
transcript_head(const struct transcript *transcript, size_t item);
/* The texts of an item; NULL: it has none. */
const struct document *transcript_document(const struct transcript *transcript,
                                           size_t item,
                                           enum transcript_part part);

/* Questions and answers only; TRANSCRIPT_NONE where there is none. */
size_t transcript_current(const struct transcript *transcript);
/* The current turn's answer, and the last one. */
size_t transcript_current_answer(const struct transcript *transcript);
size_t transcript_last_answer(const struct transcript *transcript);
/* The code block to which the reader went in that answer, or 0. */
size_t transcript_current_code(const struct transcript *transcript);

/* Appends an item as it is read: Markdown laid out, lines not broken. */
MUST_CHECK enum status transcript_text(struct transcript *transcript,
                                       size_t item, struct buffer *out,
                                       struct error *err);
/* Block `number` of an answer, its source; false: there is no such block. */
bool transcript_code(const struct transcript *transcript, size_t item,
                     size_t number, struct document_code *out);

/* -- on the screen ---------------------------------------------------------
 */

struct transcript_style {
    bool thoughts;      // among the text; else only heads tell of them
    bool hints;         // heads and labels name keys
    bool focused;       // the current turn is marked
    bool chrome;        // heads and "more below"; without: text alone
    unsigned tail_rows; // of a thought that comes in, with its last line
    unsigned margin;    // columns kept free at the right
};

/*
 * Draws what is in view into all of the area. On failure the area shows what
 * could be laid out.
 */
MUST_CHECK enum status transcript_draw(struct transcript *transcript,
                                       struct canvas *canvas, struct area area,
                                       const struct transcript_style *style,
                                       struct error *err);

bool transcript_follows(const struct transcript *transcript);
/* Rows of the view that are in use; and those below it, in part estimated. */
size_t transcript_rows_shown(const struct transcript *transcript);
size_t transcript_rows_below(const struct transcript *transcript);
/* The item in a row of the view, or TRANSCRIPT_NONE; *head: its head is. */
size_t transcript_item_at(const struct transcript *transcript, unsigned row,
                          bool *head);

/* Each returns whether the view could move. Moving past the end follows it. */
bool transcript_scroll(struct transcript *transcript, long rows);
bool transcript_page(struct transcript *transcript, long pages);
bool transcript_top(struct transcript *transcript);
void transcript_follow(struct transcript *transcript);
bool transcript_turn(struct transcript *transcript, long turns);
bool transcript_code_block(struct transcript *transcript, long blocks);
/* Brings an item's head into view and makes it current. */
void transcript_show(struct transcript *transcript, size_t item);

/* A thought is unfolded or folded. */
bool transcript_fold(struct transcript *transcript, size_t item);

/* -- searching -------------------------------------------------------------
 */

/*
 * Looks for this from the view's first row on; a search without capitals
 * finds them too. Blanks match line breaks, and marks of Markdown in the text
 * are passed over. "" ends it.
 */
MUST_CHECK enum status transcript_search(struct transcript *transcript,
                                         const char *text, size_t length,
                                         struct error *err);
/* The next match, 1, or the one before, -1; goes round at the ends. */
bool transcript_search_next(struct transcript *transcript, int direction);
/* Matches, and the number of the one at hand, 0: none. */
size_t transcript_matches(const struct transcript *transcript, size_t *at);

/* -- a thought beside the text ---------------------------------------------
 */

/*
 * The thought of the answer in view, in an area of its own that scrolls on its
 * own: it follows a thought that comes in, and begins at the top of others. The
 * first row is its head, and the second a rule where it is `ruled`.
 */
MUST_CHECK enum status transcript_draw_pane(struct transcript *transcript,
                                            struct canvas *canvas,
                                            struct area area, bool ruled,
                                            bool focused, struct error *err);
bool transcript_pane_scroll(struct transcript *transcript, long rows);
bool transcript_pane_page(struct transcript *transcript, long pages);
bool transcript_pane_top(struct transcript *transcript);
void transcript_pane_follow(struct transcript *transcript);
/* Whether any answer has a thought that the pane could show. */
bool transcript_has_thought(const struct transcript *transcript);
/* The answer whose thought the pane shows, or TRANSCRIPT_NONE. */
size_t transcript_pane_item(const struct transcript *transcript);

#endif
