/*
 * A chat and its vault. chat_unlock.c asks for the passphrase and for what is
 * to be kept, chat_secret.c reads it, chat_history.c has the commands,
 * chat_lock.c locks and comes back. The main thread only.
 */
#ifndef FATHOM_APP_CHAT_VAULT_H
#define FATHOM_APP_CHAT_VAULT_H

#include "app/chat/chat.h"
#include "app/exit_code.h"
#include "app/signals.h"

/* -- chat_secret.c ---------------------------------------------------------
 */

enum secret_result {
    SECRET_MORE,
    SECRET_DONE,
    SECRET_EMPTY, // Enter alone
    SECRET_END,   // ^D or ^C; or the chat is to end or to lock
    SECRET_SKIP,  // F4, while the vault is to be opened: not now
    SECRET_FILE,  // F2, while the vault is to be opened: with a key file
};

/* The caller closes *out, which is NULL but for SECRET_DONE. */
enum secret_result chat_read_secret(struct chat *chat, const char *prompt,
                                    struct secret **out);

/* What the engine says while a passphrase is asked for or tried. */
void chat_take_beside(struct chat *chat, struct event *event);

/* -- chat_derive.c ---------------------------------------------------------
 */

/*
 * Derives keys while the chat goes on waiting; chat->deriving tells how far it
 * is. ^C gives up.
 */
struct kdf_runner chat_kdf_runner(struct chat *chat);

/* -- chat_unlock.c ---------------------------------------------------------
 */

/*
 * Before the first prompt: opens the vault, makes one, or settles that nothing
 * is kept. chat->quit: the user left, or was wrong three times.
 */
void chat_unlock(struct chat *chat);
/* "net:off vault:open. ..." */
void chat_say_state(struct chat *chat);
/* Takes the inbox in, and says what is worth saying of a vault just opened. */
void chat_welcome(struct chat *chat);
/* "fathom vault lock" reaches this chat no more. */
void chat_stop_listening(struct chat *chat);
/*
 * Asks for what opens the vault: a passphrase, and a key file where the user
 * wants one. SECRET_DONE with NULL: the key file alone.
 */
enum secret_result chat_ask_passphrase(struct chat *chat, const char *prompt,
                                       struct secret **out);
/* The asking is over: forgets the key file. */
void chat_end_unlock(struct chat *chat);
/*
 * Opens the vault after it was locked. STATUS_DENIED: not with that;
 * STATUS_CANCELLED: given up.
 */
MUST_CHECK enum status chat_open_vault(struct chat *chat,
                                       const struct secret *passphrase,
                                       enum vault_access access,
                                       struct error *err);

/* -- chat_history.c --------------------------------------------------------
 */

/* Opens the chat whose id begins so, or the newest (""), and shows its end. */
bool chat_resume(struct chat *chat, const char *id);

/* -- chat_lock.c -----------------------------------------------------------
 */

/* Locks and begins anew; returns only if that fails, with the exit code. */
int chat_lock(struct chat *chat);
/*
 * A line that belongs to a message was given up; where it was for a lock, ^P
 * finds what was typed of it, behind `before`.
 */
void chat_keep_given_up(struct chat *chat, const char *before);
/* Whether this program was begun anew by chat_lock: takes over from there. */
bool chat_was_locked(struct chat *chat);
/* Asks for the passphrase until the vault is open; chat->quit: left. */
void chat_stay_locked(struct chat *chat);
/* What the engine says while the vault is locked. */
MUST_CHECK enum status chat_locked_event(struct chat *chat,
                                         const struct event *event,
                                         struct error *err);

/* Seals what has come of the answer that went on, whole or not. */
void chat_seal_away(struct chat *chat);
/*
 * Puts an answer that was sealed by this program together with its beginning,
 * once the inbox was taken in: how many of the new chats that was.
 */
size_t chat_join_sealed(struct chat *chat);

#endif
