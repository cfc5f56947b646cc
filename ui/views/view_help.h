/*
 * Help: what the keys and commands do, from the tables that make them work.
 * The first screen is enough to begin with; sections 1 to 7 say all. The main
 * thread only.
 */
#ifndef FATHOM_UI_VIEW_HELP_H
#define FATHOM_UI_VIEW_HELP_H

#include "ui/views/view.h"

/* A command of the chat; texts are ours and stay. */
struct help_command {
    const char *name; // without its slash
    const char *arguments, *help;
};

struct help_content {
    const struct help_command *commands;
    size_t count;
    bool enter_opens_line; // as line_editor_enter_opens_line has it
};

/* The commands are copied. */
MUST_CHECK enum status view_help_open(struct view *out,
                                      const struct help_content *content,
                                      view_post_fn *post, void *context,
                                      struct error *err);
void view_help_close(struct view *view); // takes an empty one

#endif
