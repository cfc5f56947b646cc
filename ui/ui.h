/*
 * ui: the terminal. This is the folder's door; it knows nothing of models.
 *
 *   sanitiser.h  the one way for text from outside to a terminal or a pipe
 */
#ifndef FATHOM_UI_UI_H
#define FATHOM_UI_UI_H

#include "ui/sanitiser.h"

#endif
