/*
 * What a piece of text on the screen is; how that looks is the theme's
 * business. Nothing is told by colour alone.
 */
#ifndef FATHOM_UI_LOOK_H
#define FATHOM_UI_LOOK_H

#include <stdint.h>

enum look {
    LOOK_PLAIN,
    LOOK_STRONG,
    LOOK_EMPHASIS,
    LOOK_HEADING,
    LOOK_CODE,      // a block of it, and in it:
    LOOK_CODE_WORD, // a word of the language
    LOOK_CODE_STRING,
    LOOK_CODE_NUMBER,
    LOOK_CODE_COMMENT,
    LOOK_LITERAL, // code inside of a line
    LOOK_LINK,
    LOOK_DIM,     // thoughts, remarks, what is of the frame
    LOOK_MARK,    // what the sanitiser shows of a control
    LOOK_ROLE,    // "you", "fathom"
    LOOK_TITLE,   // of the top line, and of a view
    LOOK_MATCH,   // what was searched for
    LOOK_CHOSEN,  // the row in use of a list
    LOOK_GOOD,    // "ok"
    LOOK_WARNING, // wants to be seen
    LOOK_HOT,     // much used
    LOOK_COLD,    // little used
    LOOKS
};

/* Bytes of a line that look alike; the last run ends with the line. */
struct look_run {
    uint32_t length;
    enum look look;
};

/* Line glyphs: ASCII, or their UTF-8 form where the terminal has it. */
enum glyph {
    GLYPH_RULE,     // - horizontal
    GLYPH_BAR,      // | vertical
    GLYPH_TOP_LEFT, // + the corners of a box
    GLYPH_TOP_RIGHT,
    GLYPH_BOTTOM_LEFT,
    GLYPH_BOTTOM_RIGHT,
    GLYPH_FULL,   // # of a progress bar
    GLYPH_EMPTY,  // . of a progress bar
    GLYPH_OPEN,   // v something is unfolded
    GLYPH_CLOSED, // > something is folded
    GLYPH_CHOSEN, // > before the row in use
    GLYPH_MORE,   // ~ there is more
    GLYPHS
};

#endif
