/*
 * ui: the terminal. This is the folder's door; it knows nothing of models.
 *
 * text/     sanitiser.h    the one way for text from outside to a terminal
 *           printer.h      text as it comes: sanitised, wrapped, prefixed
 *           spoken_table.h tables as lines, for people who listen
 *           text_width.h   columns of text, and where it may be cut
 *           document.h     Markdown that grows, as lines that fit a width
 * keys/     action.h       what can be done at the screen, and the keys for it
 *           line_editor.h  the line typed at a prompt or in the input box,
 *                          with readline; input_box.h draws that
 * screen/   canvas.h       the cells that a screen shows; look.h what they are
 *           screen.h       the terminal as one screen, with ncurses; theme.h
 *                          how looks look, tty.h the terminal below
 *           clipboard.h    text for the clipboard of the terminal
 *           terminfo.h     what its description says of the terminal
 *           width_probe.h  columns of texts, as the terminal itself says
 * views/    transcript.h   the items of a chat, scrolled, folded, searched
 *           view.h         what fills the screen; view_NAME.h for each
 *
 * terminal.h               what the terminal can do, and what the user wants
 * progress.h               the progress line of standard error
 */
#ifndef FATHOM_UI_UI_H
#define FATHOM_UI_UI_H

#include "ui/progress.h"
#include "ui/terminal.h"
#include "ui/keys/input_box.h"
#include "ui/keys/line_editor.h"
#include "ui/screen/canvas.h"
#include "ui/screen/clipboard.h"
#include "ui/screen/screen.h"
#include "ui/screen/terminfo.h"
#include "ui/screen/width_probe.h"
#include "ui/text/document.h"
#include "ui/text/printer.h"
#include "ui/text/sanitiser.h"
#include "ui/text/spoken_table.h"
#include "ui/text/text_width.h"
#include "ui/views/transcript.h"
#include "ui/views/view.h"
#include "ui/views/view_chat.h"
#include "ui/views/view_experts.h"
#include "ui/views/view_help.h"
#include "ui/views/view_history.h"
#include "ui/views/view_loading.h"
#include "ui/views/view_models.h"
#include "ui/views/view_stats.h"
#include "ui/views/view_unlock.h"

#endif
