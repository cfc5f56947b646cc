/*
 * ui: the terminal. This is the folder's door; it knows nothing of models.
 *
 *   sanitiser.h    the one way for text from outside to a terminal or a pipe
 *   printer.h      text as it comes: sanitised, wrapped, dimmed, prefixed
 *   spoken_table.h tables as lines, for people who listen
 *   progress.h     the progress line of standard error
 *   terminal.h     what the terminal can do, and what the user wants of it
 *   line_editor.h  the line typed at a prompt or in the input box, with
 *                  readline; input_box.h draws that
 *
 *   text_width.h   columns of text, and where it may be cut
 *   document.h     Markdown that grows, as lines that fit a width
 *   canvas.h       the cells that a screen shows; look.h what they are
 *   clipboard.h    text for the clipboard of the terminal
 *   screen.h       the terminal as one screen, with ncurses; theme.h how what
 *                  is shown there looks, tty.h the terminal below
 *   action.h       what can be done there, and the keys for it
 *   transcript.h   the items of a chat, scrolled, folded, searched
 *   view.h         what fills the screen; a file view_NAME.h for each
 */
#ifndef FATHOM_UI_UI_H
#define FATHOM_UI_UI_H

#include "ui/canvas.h"
#include "ui/clipboard.h"
#include "ui/document.h"
#include "ui/input_box.h"
#include "ui/line_editor.h"
#include "ui/printer.h"
#include "ui/progress.h"
#include "ui/sanitiser.h"
#include "ui/screen.h"
#include "ui/spoken_table.h"
#include "ui/terminal.h"
#include "ui/text_width.h"
#include "ui/transcript.h"
#include "ui/view.h"
#include "ui/view_experts.h"
#include "ui/view_loading.h"
#include "ui/view_models.h"
#include "ui/view_stats.h"
#include "ui/view_help.h"
#include "ui/view_history.h"
#include "ui/view_unlock.h"
#include "ui/view_chat.h"

#endif
