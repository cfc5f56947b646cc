/*
 * Programs of the user's that get text of the chat: $VISUAL or $EDITOR to
 * write it, $PAGER to read it. They have the terminal as long as they run,
 * and the engine goes on meanwhile. Keys that they get count as keys; where
 * there were none for so long that the vault was to be locked, it is as soon as
 * the program ends (chat->locking). No text of them is written to a disk by
 * us; what they do with it is theirs, so the policy can forbid both.
 */
#ifndef FATHOM_APP_CHAT_EDITOR_H
#define FATHOM_APP_CHAT_EDITOR_H

#include "app/chat/chat.h"

/*
 * Lets the user edit *text. On failure (there is no such program, it ended
 * with an error) it is as it was, and err->text says why.
 */
MUST_CHECK enum status chat_editor_edit(struct chat *chat, struct buffer *text,
                                        struct error *err);

/* Shows text, through the sanitiser. */
MUST_CHECK enum status chat_editor_page(struct chat *chat, const char *text,
                                        size_t length, struct error *err);

/* The half-typed line into the editor and back; it is not sent. */
void chat_editor_line(struct chat *chat);

#endif
