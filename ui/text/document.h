/*
 * A text in Markdown that grows, as lines that fit a width: an answer, a
 * thought, a question.
 *
 * Text comes in pieces cut anywhere and goes through the sanitiser. md4c
 * parses the open block at the end only: what lies before the last blank line
 * outside of fences is closed, and is laid out once for a width. When the text
 * has ended, and it defines addresses of links, it is laid out once more.
 * Memory that is short shows as STATUS_NOMEM and loses nothing of the source.
 *
 *   code        a line "label ... [n]" with the label of the fence, then the
 *               code as it is, indented by nothing, with the looks of its
 *               language (code_looks.h); long lines wrap, no frame, no
 *               numbers; each block has a number that stays once its first
 *               line is whole
 *   tables      wait for the end of their block ("[table, 3 rows so far]"),
 *               then aligned by display width; wider than the pane:
 *               "Header: value" lines
 *   formulas    $...$, \(...\), $$...$$, \[...\]: LaTeX of common answers as
 *               Unicode that can be read; what is not known stays as it is
 *   the rest    headings, emphasis, lists, quotes, rules, links with their
 *               address, task lists, strikethrough
 *
 * Empty lines between blocks are those of the source, and one around code and
 * tables. HTML is text, but for <br>. A last line of marks alone ("-", "``")
 * waits until it is clear what it becomes. Of a block beyond 32 KiB the rest is
 * shown as it is; code in its last item goes on as code.
 *
 * Hostile texts (tables of 500 columns, 1,000 nested lists, 10 MB in one line,
 * fences that never close) cost time that grows with their length, no more.
 * The main thread only.
 */
#ifndef FATHOM_UI_DOCUMENT_H
#define FATHOM_UI_DOCUMENT_H

#include "ui/screen/look.h"
#include "ui/text/text_width.h"

enum document_kind {
    DOCUMENT_MARKDOWN, // answers
    DOCUMENT_PLAIN,    // thoughts, questions, reports: wrapped, as it is
};

/* What was done since document_open, for tests and measurements. */
struct document_work {
    size_t parsed_bytes; // given to md4c
    size_t laid_bytes;   // laid out in any way
};

struct document;

MUST_CHECK enum status document_open(struct document **out,
                                     enum document_kind kind,
                                     struct error *err);
void document_close(struct document *document); // wipes; takes NULL

MUST_CHECK enum status document_append(struct document *document,
                                       const char *bytes, size_t length,
                                       struct error *err);
/* No more comes. */
MUST_CHECK enum status document_finish(struct document *document,
                                       struct error *err);
/* All that was appended, as it came. */
const struct buffer *document_source(const struct document *document);

/*
 * Lays out what is new for this width (at least 10 columns); a width other
 * than the last lays all of it out anew.
 */
MUST_CHECK enum status document_layout(struct document *document,
                                       unsigned columns, struct error *err);

/* What follows speaks of the last document_layout. */
size_t document_lines(const struct document *document);
/*
 * So many of the first lines will never change at this width, unless links in
 * them wait for their addresses, which come at the text's end.
 */
size_t document_closed_lines(const struct document *document);

struct document_line {
    const char *text; // UTF-8, no tabs; may hold no NUL
    size_t length;
    unsigned columns;
    const struct look_run *runs;
    size_t run_count;
    size_t source;  // byte of the source at which it begins, about
    unsigned code;  // number of the code block that it is of; 0: none
    bool label;     // it is that block's label
    bool continues; // the line before is broken here: no newline when copied
    bool blank;     // ... but a blank, which stood there
};

/* Lent until the next change of the document. */
struct document_line document_line(const struct document *document,
                                   size_t number);

struct document_code {
    const char *label; // the fence's info string, or its beginning; or ""
    const char *text;  // exact source without fences, as it came
    size_t length;
    size_t first_line, line_count; // label included
    bool open;                     // its fence did not come yet
};

/* Code blocks count from 1, in their order. */
size_t document_code_count(const struct document *document);
struct document_code document_code(const struct document *document,
                                   size_t number);

struct document_work document_work(const struct document *document);

#endif
