/*
 * Formulas in a block of Markdown, and line breaks written as <br>. For the
 * parser each becomes a placeholder, a word that means nothing to it.
 */
#ifndef FATHOM_UI_FORMULA_H
#define FATHOM_UI_FORMULA_H

#include "ui/text/offset_map.h"

/* How far a formula may go. */
enum formula_reach { REACH_CELL, REACH_LINE, REACH_PARAGRAPH };

enum formula_kind { FORMULA_INLINE, FORMULA_DISPLAY, FORMULA_BREAK };

struct formula {
    enum formula_kind kind;
    const char *typed; // with what opens and closes it
    size_t typed_length;
    const char *text; // what is between
    size_t length;
};

struct formulas {
    struct buffer list; // struct formula, borrowing from the block
    struct buffer text; // the block with placeholders
    struct offset_map origin;
};

/* Bytes of a placeholder, whose first three are FORMULA_BEGIN. */
#define FORMULA_BEGIN "\xEF\xB7\x90"
enum { FORMULA_BYTES = 15 };

/* Fills text, list and origin from a block. */
MUST_CHECK enum status formulas_find(struct formulas *formulas,
                                     const char *block, size_t length,
                                     enum formula_reach reach,
                                     struct error *err);
/* What looks like a placeholder in text from elsewhere stands for nothing. */
void formulas_disarm(char *bytes, size_t length);
void formulas_clear(struct formulas *formulas);
void formulas_release(struct formulas *formulas);

/* The formula for the placeholder at the start of bytes, or NULL. */
const struct formula *formulas_at(const struct formulas *formulas,
                                  const char *bytes, size_t length);

#endif
