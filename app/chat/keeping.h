/*
 * What becomes of a conversation: written to the unlocked vault as it grows,
 * sealed into the vault's inbox answer by answer, or nothing. A write that
 * fails loses nothing: what the vault lacks is written with the next one.
 * The main thread only.
 */
#ifndef FATHOM_APP_KEEPING_H
#define FATHOM_APP_KEEPING_H

#include "app/chat/conversation.h"
#include "app/chat/kept_cache.h"
#include "app/places.h"

enum keeping_kind {
    KEEPING_NOTHING, // "vault:eph"
    KEEPING_VAULT,   // "vault:open"
    KEEPING_SEALED,  // another process has the vault
};

struct keeping {
    enum keeping_kind kind;
    struct vault_folders folders;
    struct vault *vault;     // KEEPING_VAULT
    struct vault_chat *chat; // NULL: nothing of it was written yet
    bool behind;             // the last write failed
    struct kept_cache cache; // of that chat, on its way
    uint64_t drafted_ns;     // when the last draft was written
    uint64_t undrafted_tokens;
};

struct vault_places keeping_places(const struct keeping *keeping);

/* Takes an open vault; keeping_close closes it. */
void keeping_open(struct keeping *keeping, struct vault *vault);
/* Forgets the chat, which stays as it was written. */
void keeping_part(struct keeping *keeping);
/* Locks the vault: wipes every key. Nothing is kept from now on. */
void keeping_close(struct keeping *keeping);

/*
 * Brings the vault up to the conversation: its new turns, leaf, title, system
 * text, and the model that answered last. `unfinished` is a turn that is not
 * to be written yet, or TURN_NONE.
 */
MUST_CHECK enum status keeping_write(struct keeping *keeping,
                                     struct conversation *conversation,
                                     const char *model, size_t unfinished,
                                     struct error *err);

/*
 * More of an answer has come, or half a second has passed: writes a draft
 * when 1.5 s or 256 tokens passed since the last one.
 */
MUST_CHECK enum status keeping_draft(struct keeping *keeping,
                                     const struct conversation *conversation,
                                     size_t answer, size_t tokens,
                                     uint64_t now_ns, struct error *err);
/* The same at once; *drafted is false where there was none to write. */
MUST_CHECK enum status
keeping_draft_now(bool *drafted, struct keeping *keeping,
                  const struct conversation *conversation, size_t answer,
                  uint64_t now_ns, struct error *err);

/* Loads a chat of the vault in place of what the conversation held. */
MUST_CHECK enum status keeping_load(struct keeping *keeping,
                                    struct conversation *conversation,
                                    const struct chat_id *id,
                                    struct error *err);
/*
 * The same where an answer still comes: its draft is a turn without a number
 * of the vault, and the leaf.
 */
MUST_CHECK enum status keeping_load_drafted(struct keeping *keeping,
                                            struct conversation *conversation,
                                            const struct chat_id *id,
                                            struct error *err);
/*
 * Takes the inbox into the vault and gives what came a title. *taken and
 * *refused as vault_take_inbox says.
 */
MUST_CHECK enum status keeping_take_inbox(struct vault *vault, size_t *taken,
                                          size_t *refused, struct error *err);
/* Deletes the chat from the vault; the conversation is not touched. */
MUST_CHECK enum status keeping_forget(struct keeping *keeping,
                                      struct error *err);

#endif
