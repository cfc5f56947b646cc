/*
 * Instant resume: the engine's cache of a chat is kept in the vault beside it,
 * and given back when the chat is opened again, so that nothing is run twice.
 *
 * Fetching begins after an answer and goes on while the prompt is idle, a
 * chunk an event; the next question, a lock or the end gives it up, and what
 * was kept before then stays. Giving back goes the same way, before the first
 * question. The engine checks what it gets; where that does not fit, or the
 * vault fails, the conversation is simply run again: a note says so, and no
 * answer is ever another one.
 *
 * Chunks are wiped when they have been passed on. The main thread only.
 */
#ifndef FATHOM_APP_KEPT_CACHE_H
#define FATHOM_APP_KEPT_CACHE_H

#include "app/client.h"
#include "storage/storage.h"

enum kept_cache_work { KEPT_CACHE_IDLE, KEPT_CACHE_FETCH, KEPT_CACHE_GIVE };

/* Start from {0}. */
struct kept_cache {
    enum kept_cache_work work;
    struct client *client;   // lent while there is work
    struct vault_chat *chat; // the same
    struct vault_cache_writer *writer;
    uint64_t limit_bytes; // of all chats' caches
    uint64_t number;      // of the request that is out
    uint64_t next;        // where its chunk begins
    size_t chunk, chunks; // of the vault's, when giving back
    char note[300];       // why something was not used; or ""
};

/*
 * Asks for the first chunk of what the engine holds of this chat. The least
 * recently used caches go when all together exceed limit_bytes.
 */
void kept_cache_fetch(struct kept_cache *cache, struct client *client,
                      struct vault_chat *chat, uint64_t limit_bytes);
/* Begins to give the engine what is kept of this chat, if anything is. */
void kept_cache_give(struct kept_cache *cache, struct client *client,
                     struct vault_chat *chat);

/*
 * Takes an event of this work; false: it belongs to something else. The work
 * is then done, or goes on with the next event.
 */
bool kept_cache_take(struct kept_cache *cache, const struct event *event);
/* A question waits while this is true. */
bool kept_cache_is_giving(const struct kept_cache *cache);
bool kept_cache_is_fetching(const struct kept_cache *cache);

/* Gives the work up. Before the client, the chat or the vault is closed. */
void kept_cache_abandon(struct kept_cache *cache);

#endif
