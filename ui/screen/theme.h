/*
 * How each look is shown. A theme gives it attributes, which tell what it is
 * without any colour, and colours of the palette on top.
 */
#ifndef FATHOM_UI_THEME_H
#define FATHOM_UI_THEME_H

#include "ui/screen/look.h"

enum screen_theme {
    THEME_TERMINAL, // the terminal's own eight colours
    THEME_DARK,     // 256 colours, for light text on dark
    THEME_LIGHT,    // 256 colours, for dark text on light
    THEME_MONO,     // attributes alone
};

enum {
    SHOWN_BOLD = 1,
    SHOWN_DIM = 2,
    SHOWN_UNDERLINE = 4,
    SHOWN_REVERSE = 8,
};

struct theme_look {
    unsigned attributes;
    int foreground, background; // of the palette; -1: the terminal's own
};

/* `colours`: how many the terminal has; a theme that wants more gives way. */
struct theme_look theme_look(enum screen_theme theme, enum look look,
                             int colours);

#endif
