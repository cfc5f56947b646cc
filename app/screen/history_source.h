/*
 * A vault as the view of the history asks for it: rows one at a time, a search
 * that goes on in steps of a few milliseconds, a preview. What it has read it
 * keeps for a screenful and wipes when it is closed. What is removed is deleted
 * then. The main thread only.
 */
#ifndef FATHOM_APP_HISTORY_SOURCE_H
#define FATHOM_APP_HISTORY_SOURCE_H

#include "app/chat/chat.h"

struct history_source;

/* The chat has a vault, which stays open longer than this. */
MUST_CHECK enum status history_source_open(struct history_source **out,
                                           struct chat *chat,
                                           struct error *err);
/*
 * Deletes what was removed; takes NULL. How many that were; on failure the
 * others are deleted nevertheless.
 */
MUST_CHECK enum status history_source_close(struct history_source *source,
                                            size_t *deleted, struct error *err);

/* Chats have changed: what is known of them is read again. */
void history_source_changed(struct history_source *source);

struct view_history_source history_source_calls(struct history_source *source);

#endif
