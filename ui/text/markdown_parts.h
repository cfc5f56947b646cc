/*
 * What the files of Markdown share, for these only:
 *   markdown.c       md4c's blocks and spans, and what it is given
 *   markdown_nest.c  lists and quotes around a leaf; the lines it begins
 *   markdown_leaf.c  text and looks of a leaf (paragraph, heading, cell, line
 *                    of code), until it becomes lines
 *   markdown_code.c  blocks of code
 */
#ifndef FATHOM_UI_MARKDOWN_PARTS_H
#define FATHOM_UI_MARKDOWN_PARTS_H

#include "ui/text/document_parts.h"
#include "ui/text/formula.h"

#include <md4c.h>

enum { BULLET_BYTES = 24 };

/* What lies around a leaf. */
struct container {
    enum { IN_LIST, IN_ITEM, IN_QUOTE } kind;
    char bullet[BULLET_BYTES];
    unsigned columns; // that it takes before each line
    bool tight, ordered;
    unsigned number; // of the next item
    char delimiter;
};

/* Where a place of the leaf's text comes from. */
struct text_anchor {
    size_t text, parsed, source;
};

/* A block on its way from md4c to lines. */
struct renderer {
    struct document *document;
    const struct markdown_block *block;
    const char *parsed; // what md4c was given
    size_t parsed_length;
    struct formulas formulas;
    bool has_formulas;
    bool torn_code;           // some formula took in lines of code
    struct buffer containers; // struct container
    size_t fresh;             // containers from here on have no line yet
    bool begun;               // some line of this block is written
    bool code_last;           // nothing came after a block of code
    size_t text_end;          // of the last leaf, in what was parsed; or 0
    size_t code_begin;        // of the fence at hand, likewise

    // the leaf in hand
    struct buffer text, runs, anchors;
    size_t begin;    // of it in text; cells share one
    bool in_mark;    // between the marks of the sanitiser
    bool soft_break; // waits for what follows
    bool after_display;
    bool heading, header, code, indented;
    const struct code_language *language; // of the code, or NULL
    unsigned code_inside;                 // as code_looks leaves it
    bool code_found;                      // it is known where its line in hand
    size_t code_line;                     // begins, in what was parsed,
    size_t code_from;                     // and its first one
    bool code_text;                       // that line has text
    bool keep_breaks;
    unsigned strong, emphasis, deleted, coded, links;
    size_t link_begin;
    size_t addresses; // bytes of them that are shown

    struct buffer cells; // struct table_cell
    size_t columns;      // of the table

    enum status status;
    struct error *err;
};

/* -- markdown_nest.c ------------------------------------------------------- */

size_t markdown_nest_depth(const struct renderer *r);
MUST_CHECK enum status markdown_nest_push(struct renderer *r,
                                          const struct container *container);
void markdown_nest_pop(struct renderer *r);
struct container *markdown_nest_list(const struct renderer *r); // or NULL
/* Columns that are left for text. */
unsigned markdown_nest_room(const struct renderer *r);
/* An empty line before the leaf in hand, where one is `wanted` or belongs. */
MUST_CHECK enum status markdown_nest_gap(struct renderer *r, bool wanted);
/* The place in the source of a place of what was parsed. */
size_t markdown_source(const struct renderer *r, size_t parsed);
/* For struct flow_form: a line whose text is at `offset` of the leaf begins. */
MUST_CHECK enum status markdown_nest_begin_line(void *renderer, size_t offset,
                                                struct error *err);
/* The same for a table's, whose offsets count from the start of the text. */
MUST_CHECK enum status markdown_nest_begin_row(void *renderer, size_t offset,
                                               struct error *err);
struct flow_form markdown_nest_form(struct renderer *r, bool words);

/* -- markdown_leaf.c ------------------------------------------------------- */

enum look markdown_leaf_look(const struct renderer *r);
MUST_CHECK enum status markdown_leaf_add(struct renderer *r, enum look look,
                                         const char *bytes, size_t length);
MUST_CHECK enum status markdown_leaf_add_string(struct renderer *r,
                                                enum look look,
                                                const char *string);
/* Text as it is, but for the sanitiser's marks, and for tabs and newlines. */
MUST_CHECK enum status
markdown_leaf_add_plain(struct renderer *r, const char *bytes, size_t length);
/* The same with formulas in place of what stands for them. */
MUST_CHECK enum status markdown_leaf_add_text(struct renderer *r,
                                              const char *bytes, size_t length);
/* A line's end waits until it is known what these bytes are, that follow it. */
MUST_CHECK enum status markdown_leaf_settle_break(struct renderer *r,
                                                  const char *bytes,
                                                  size_t length);
/* The label of a block of code, as it was typed. */
MUST_CHECK enum status markdown_leaf_label(struct renderer *r,
                                           const char *bytes, size_t length,
                                           struct buffer *out);
/* Does it lie in what md4c was given? */
bool markdown_is_parsed(const struct renderer *r, const char *text);
/* What is added next came from there, if it is in what was parsed. */
MUST_CHECK enum status markdown_leaf_add_anchor(struct renderer *r,
                                                const char *text);
void markdown_leaf_clear(struct renderer *r);
/* The leaf's text as lines; newlines in it are breaks that stay. */
MUST_CHECK enum status markdown_leaf_put(struct renderer *r, bool words,
                                         unsigned code);

/* -- markdown_code.c ------------------------------------------------------- */

MUST_CHECK enum status markdown_code_enter(struct renderer *r,
                                           const MD_BLOCK_CODE_DETAIL *detail);
/* Blanks that md4c made up, or the end of a line, or what was typed. */
MUST_CHECK enum status markdown_code_text(struct renderer *r, const char *text,
                                          size_t length);
MUST_CHECK enum status markdown_code_leave(struct renderer *r);
/* Behind the cut of a block whose last is code: what follows may be of it. */
void markdown_code_cut(struct renderer *r);

#endif
