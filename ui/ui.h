/*
 * ui: the terminal. This is the folder's door; it knows nothing of models.
 *
 *   sanitiser.h    the one way for text from outside to a terminal or a pipe
 *   printer.h      text as it comes: sanitised, wrapped, dimmed, prefixed
 *   spoken_table.h tables as lines, for people who listen
 *   progress.h     the progress line of standard error
 *   terminal.h     what the terminal can do, and what the user wants of it
 *   line_editor.h  the line typed at a prompt, with readline
 */
#ifndef FATHOM_UI_UI_H
#define FATHOM_UI_UI_H

#include "ui/line_editor.h"
#include "ui/printer.h"
#include "ui/progress.h"
#include "ui/sanitiser.h"
#include "ui/spoken_table.h"
#include "ui/terminal.h"

#endif
