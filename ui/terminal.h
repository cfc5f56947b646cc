/*
 * What is known of the terminal behind a file descriptor, and whether the
 * user wants colour: NO_COLOR, CLICOLOR_FORCE, TERM=dumb and ACCESSIBLE are
 * read here and nowhere else.
 */
#ifndef FATHOM_UI_TERMINAL_H
#define FATHOM_UI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

struct terminal {
    bool is_terminal;
    bool dumb;       // no cursor movement: TERM is dumb, empty or absent
    bool colour;     // attributes may be used
    bool accessible; // whole sentences, no redrawing, words instead of marks
};

struct terminal terminal_of(int descriptor);

/* Columns of the terminal now; 80 when it does not say, never under 20. */
size_t terminal_columns(int descriptor);

/*
 * Keys typed between these two stay unread and unseen, for the line editor
 * that comes after; Ctrl-C and Ctrl-Z still work. Both do nothing without a
 * terminal, and the second restores what the first found.
 */
void terminal_mute(int descriptor);
void terminal_unmute(void);
bool terminal_is_muted(void);

#endif
