/*
 * The views of the screen, filled by the chat: a function for each that opens
 * it and one that closes it and wipes what it held. What the user wants done
 * in a view is posted as a command line; NULL closes the view. One of each is
 * open at most. The main thread only.
 */
#ifndef FATHOM_APP_CHAT_VIEWS_H
#define FATHOM_APP_CHAT_VIEWS_H

#include "app/chat/chat.h"
#include "ui/ui.h"

/* On failure nothing is open, and err->text says why. */
typedef enum status chat_view_open_fn(struct chat *chat, view_post_fn *post,
                                      void *context, struct view *out,
                                      struct error *err);
/* *view is empty afterwards; takes an empty one. */
typedef void chat_view_close_fn(struct view *view);

chat_view_open_fn chat_screen_help_open;
chat_view_open_fn chat_screen_history_open;
chat_view_open_fn chat_screen_unlock_open;
/* The same place, where there is no vault yet. */
chat_view_open_fn chat_screen_first_open;
chat_view_open_fn chat_screen_experts_open;
chat_view_open_fn chat_screen_stats_open;
chat_view_open_fn chat_screen_loading_open;
chat_view_open_fn chat_screen_models_open;

/* For the history: asks below it. */
view_ask_fn chat_screen_ask_end;
/* Chats of the vault have changed: the history, if it is open, shows it. */
void chat_screen_history_changed(void);

chat_view_close_fn chat_screen_help_close;
chat_view_close_fn chat_screen_history_close;
chat_view_close_fn chat_screen_unlock_close;
chat_view_close_fn chat_screen_experts_close;
chat_view_close_fn chat_screen_stats_close;
chat_view_close_fn chat_screen_loading_close;
chat_view_close_fn chat_screen_models_close;

/* A model has been loading for a while, and its screen was not left. */
bool chat_screen_loading_wanted(const struct chat *chat, uint64_t now_ns);

#endif
