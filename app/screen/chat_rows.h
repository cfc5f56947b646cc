/*
 * Chats of the vault as rows of the history, read when they are asked for: a
 * screenful is kept, with some of what a search found in each, and wiped. Chats
 * are numbers among the ids. The main thread only.
 */
#ifndef FATHOM_APP_CHAT_ROWS_H
#define FATHOM_APP_CHAT_ROWS_H

#include "app/history/history_filter.h"
#include "app/time_text.h"
#include "storage/storage.h"

enum {
    ROWS_KEPT = 64,
    HELD_HITS = 8, // of a row
};

/* Bytes at..at+length of the line are what was looked for. */
struct held_hit {
    struct buffer line;
    size_t at, length;
    const char *place; // "you", "fathom", "thinking"
    uint64_t turn;     // of the vault
    bool in_text;      // of that turn, at this byte
    size_t begin;
};

struct chat_row {
    bool filled;
    size_t chat;
    struct buffer title, model, tags; // one line each, sanitised
    char id[CHAT_ID_TEXT], when[TIME_TEXT];
    uint32_t turns;
    bool pinned;
    size_t first_hit, hit_count; // of those held
    struct held_hit hits[HELD_HITS];
};

/* Start from {.vault, .ids}, which are borrowed. */
struct chat_rows {
    struct vault *vault;
    const struct chat_id *ids;
    struct chat_row kept[ROWS_KEPT];
};

/* Why a chat cannot be read is its title then. Good until the next call. */
struct chat_row *chat_rows_find(struct chat_rows *rows, size_t chat);
/* A hit of a chat by its number; NULL: there are not so many. */
const struct held_hit *chat_rows_hit(struct chat_rows *rows,
                                     const struct history_filter *filter,
                                     size_t chat, size_t number);
/* Something else is looked for. */
void chat_rows_forget_hits(struct chat_rows *rows);
void chat_rows_release(struct chat_rows *rows); // wipes

#endif
