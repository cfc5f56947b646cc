/*
 * A chat of the vault as the preview of the history shows it: read whole, its
 * tree in a few lines, and the turns about a hit or the last ones. It holds one
 * chat at a time and wipes it. The main thread only.
 */
#ifndef FATHOM_APP_CHAT_PREVIEW_H
#define FATHOM_APP_CHAT_PREVIEW_H

#include "app/chat/conversation.h"
#include "app/time_text.h"
#include "storage/storage.h"
#include "ui/ui.h"

enum { PREVIEW_TURNS = 12, PREVIEW_THOUGHT = 48 };

struct chat_preview {
    struct conversation chat;
    char id[CHAT_ID_TEXT];
    size_t bytes; // of their texts
    // what is shown
    struct history_turn turns[PREVIEW_TURNS];
    char when[PREVIEW_TURNS][TIME_TEXT];
    char thought[PREVIEW_TURNS][PREVIEW_THOUGHT];
    struct buffer head, tags, tree;
};

void chat_preview_init(struct chat_preview *preview);
void chat_preview_release(struct chat_preview *preview);

/* Takes the place of the chat before; false: it cannot be read. */
bool chat_preview_read(struct chat_preview *preview, struct vault *vault,
                       const struct chat_id *id);
/*
 * What is to be seen, lent until the next call: about a turn of the vault, and
 * then the branch it is on, or (0) the end of the branch in use.
 */
bool chat_preview_show(struct chat_preview *preview, uint64_t turn,
                       struct history_preview *out);
/* Of a turn of the vault, as "/branch" counts; 0: there is none. */
size_t chat_preview_number(const struct chat_preview *preview, uint64_t turn);

#endif
