/*
 * The turns of a chat, in memory only and wiped when they go: what the user
 * wrote, what the model thought and answered, whole or not.
 */
#ifndef FATHOM_APP_CONVERSATION_H
#define FATHOM_APP_CONVERSATION_H

#include "base/protocol.h"

struct turn {
    struct buffer question, thinking, answer;
    bool complete; // the answer ended by itself
};

struct conversation {
    struct buffer system; // empty: none
    struct turn *turns;
    size_t count, capacity;
};

/* Appends a turn with this question; *out is valid until the next append. */
MUST_CHECK enum status conversation_ask(struct turn **out,
                                        struct conversation *conversation,
                                        const char *question, size_t length,
                                        struct error *err);
/* The last turn, or NULL. */
struct turn *conversation_last(const struct conversation *conversation);
/* Wipes the last turn. */
void conversation_undo(struct conversation *conversation);
/* Wipes all turns; the system text stays. */
void conversation_clear(struct conversation *conversation);
void conversation_release(struct conversation *conversation);

MUST_CHECK enum status
conversation_set_system(struct conversation *conversation, const char *text,
                        size_t length, struct error *err);

/*
 * The messages of a request for the answer of the last turn; earlier turns
 * without an answer are left out. *out is the caller's to free; its texts are
 * the conversation's.
 */
MUST_CHECK enum status
conversation_messages(struct chat_message **out, size_t *count,
                      const struct conversation *conversation,
                      struct error *err);

#endif
