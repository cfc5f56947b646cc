/*
 * Names of LaTeX and what they are shown as. The tables are sorted by name.
 */
#ifndef FATHOM_UI_LATEX_SYMBOLS_H
#define FATHOM_UI_LATEX_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

enum symbol_kind {
    SYMBOL_LETTER,   // stands as it is
    SYMBOL_OPERATOR, // with a blank on either side
    SYMBOL_NAME,     // a word: a blank between it and other letters
    SYMBOL_PREFIX,   // belongs to what follows, without a blank
    SYMBOL_NOTHING,  // says only how to set the formula
};

struct latex_symbol {
    const char *name;
    const char *shown, *ascii;
    enum symbol_kind kind;
};

const struct latex_symbol *latex_symbol_find(const char *name, size_t length);
const struct latex_symbol *latex_symbols(size_t *count);

/* The raised or lowered form of a character, 0 where there is none. */
uint32_t latex_raised(uint32_t code_point);
uint32_t latex_lowered(uint32_t code_point);
/* A letter with double strokes, or of the calligraphic kind, or itself. */
uint32_t latex_double(uint32_t letter);
uint32_t latex_script(uint32_t letter);

#endif
