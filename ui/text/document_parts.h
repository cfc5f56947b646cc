/*
 * What document.c shares with the files that lay out its parts: the document
 * itself, and how far its layout has come.
 */
#ifndef FATHOM_UI_DOCUMENT_PARTS_H
#define FATHOM_UI_DOCUMENT_PARTS_H

#include "ui/text/code_looks.h"
#include "ui/text/document.h"
#include "ui/text/flow.h"
#include "ui/text/line_store.h"
#include "ui/text/markdown_block.h"
#include "ui/text/offset_map.h"
#include "ui/text/sanitiser.h"

enum reading_mode {
    READING_BLOCKS, // at the start of a line, outside of any block
    READING_FENCE,  // inside of a fence
    READING_REST,   // behind the cut of a block that was too long
};

/* Where the layout stands between two steps; everything before `at` is done. */
struct reading {
    size_t at; // of document->text
    enum reading_mode mode;
    bool mid_line, in_mark; // a long line was broken right before `at`,
    bool mid_blank;         // at a blank
    bool after_gap;         // a blank line of the source lies before
    bool wants_gap;         // what was laid out last stands apart
    bool after_heading;
    struct block_fence fence;
    const struct code_language *language; // of the fence, or NULL
    unsigned code_inside;                 // as code_looks leaves it
};

/* All that a layout adds, as lengths to cut back to. */
struct reading_mark {
    struct reading reading;
    struct line_mark lines;
    size_t codes, code_text, definitions, expanded;
};

/* A code block; its text lies in the source, or in document->code_text. */
struct code_record {
    size_t label, label_length; // in code_text
    size_t text, length;
    size_t first_line, line_count;
    bool copied, open;
};

/* What a block is gathered in; its memory serves the next block too. */
struct block_buffers {
    struct buffer containers, text, runs, anchors, cells;
};

struct document {
    enum document_kind kind;
    bool finished;
    struct sanitiser sanitiser;
    struct buffer source;
    size_t fed; // of the source, to the sanitiser
    bool fed_end;
    struct buffer text;       // sanitised
    struct offset_map origin; // of text, in source

    unsigned columns; // of the layout; 0: there is none
    size_t laid_out;  // bytes of text, then
    bool laid_finished;
    struct reading now;
    struct reading_mark closed;
    struct line_store lines;
    struct buffer codes; // struct code_record
    struct buffer code_text;
    struct buffer code_runs;   // struct look_run, of one line
    struct buffer definitions; // of links, a line each
    size_t expanded;           // bytes of them added to blocks
    bool resolve;              // the definitions are all there
    struct block_buffers block;
    struct document_work work;
};

/* The place of the source that text[at] comes from. */
size_t document_origin(const struct document *document, size_t at);

/* An empty line where the last block and this one need one between. */
MUST_CHECK enum status document_gap(struct document *document, bool wanted,
                                    struct error *err);

/*
 * Begins a code block with its label's line, behind what `begin` (or NULL)
 * puts there. The record is the last one then.
 */
MUST_CHECK enum status document_code_begin(struct document *document,
                                           const char *label, size_t length,
                                           struct flow_form *form,
                                           struct error *err);
struct code_record *document_code_last(struct document *document);

#endif
