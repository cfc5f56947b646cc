/*
 * The input box: the line editor's prompt, text and cursor over some rows of
 * a canvas. Long lines are wrapped by columns, what does not fit is scrolled
 * so that the cursor is seen, and what a terminal could act upon is shown as
 * a mark.
 */
#ifndef FATHOM_UI_INPUT_BOX_H
#define FATHOM_UI_INPUT_BOX_H

#include "ui/screen/canvas.h"
#include "ui/keys/line_editor.h"

/* Rows that the box takes at this width, from 1 to `most`. */
unsigned input_box_rows(const struct line_box *box, unsigned columns,
                        unsigned most);

/* Draws all of the area, and sets the canvas's cursor inside of it. */
void input_box_draw(const struct line_box *box, struct canvas *canvas,
                    struct area area);

#endif
