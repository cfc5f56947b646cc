/*
 * What a chat takes with it over a lock, but for the engine: which model it
 * has, and how it is asked. JSON, since it goes through a file; the main
 * thread only.
 */
#ifndef FATHOM_APP_CHAT_HANDED_H
#define FATHOM_APP_CHAT_HANDED_H

#include "app/chat/chat.h"

/* The caller's; NULL: there is no memory for it. */
json_t *chat_hand_model(const struct chat *chat);
json_t *chat_hand_settings(const struct chat *chat);

/* Takes over what these wrote. */
void chat_take_model(struct chat *chat, const json_t *model);
void chat_take_settings(struct chat *chat, const json_t *settings);

#endif
