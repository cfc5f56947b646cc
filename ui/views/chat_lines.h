/*
 * The lines around a chat: above it what is open and how private it is, below
 * it what waits and what goes on. Each fills the first row of its area; what
 * does not fit is left out, the least important first, and nothing overlaps.
 * `large`: the forms for large screens.
 */
#ifndef FATHOM_UI_CHAT_LINES_H
#define FATHOM_UI_CHAT_LINES_H

#include "ui/views/view_chat.h"

void chat_lines_top(const struct chat_view_state *state, struct canvas *canvas,
                    struct area area, bool large);
void chat_lines_queued(const struct chat_view_state *state,
                       struct canvas *canvas, struct area area);
/* Figures; or progress, while a model is loaded or a prompt is read. */
void chat_lines_status(const struct chat_view_state *state,
                       struct canvas *canvas, struct area area, bool large);

/* A sentence that ends in ".." where it is longer than the row. */
void chat_lines_sentence(struct canvas *canvas, struct area area,
                         enum look look, const char *text);

#endif
