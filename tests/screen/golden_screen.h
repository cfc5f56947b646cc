/*
 * Screens as text files that a person reads: tests/screen/golden/NAME.txt.
 * A program with GOLDEN_WRITE=1 in its environment writes them anew; look at
 * each line of the difference before it is committed.
 */
#ifndef FATHOM_TESTS_SCREEN_GOLDEN_SCREEN_H
#define FATHOM_TESTS_SCREEN_GOLDEN_SCREEN_H

#include "ui/ui.h"

/* Fails the test that runs where the canvas differs, and shows how. */
void golden_screen(const struct canvas *canvas, const char *name);

/*
 * Draws a view on a fresh canvas of this size, all of it or its first rows.
 * Its line of keys is looked at for all sizes.
 */
void golden_draw(struct canvas *canvas, const struct view *view, unsigned rows,
                 unsigned columns, unsigned below, uint64_t now_ns);

/* Whether these words are in a row of the canvas. */
bool golden_says(const struct canvas *canvas, const char *words);

#endif
