/*
 * The vault: encrypted history. Everything that says something about a person
 * is inside sealed rows; what a thief sees is how many rows there are, their
 * padded sizes and when the file was written. Whoever can write to the files
 * cannot change, swap, drop, duplicate or bring back rows unnoticed: a chat's
 * manifest lists its rows, the root lists the manifests, and the anchor in the
 * state directory remembers the last root. fathom-vault(5) has the format.
 *
 * A vault is one unlocked vault. It belongs to one thread. Statuses:
 * STATUS_DENIED a wrong passphrase or unsafe files, STATUS_INTEGRITY rows that
 * were tampered with or an old copy, STATUS_BUSY another process has it,
 * STATUS_FORMAT a file that is damaged beyond being read, STATUS_UNSUPPORTED a
 * vault from a newer fathom.
 */
#ifndef FATHOM_STORAGE_VAULT_H
#define FATHOM_STORAGE_VAULT_H

#include "storage/record.h"
#include "storage/vault_keys.h"

struct vault;

/* Where a vault lies. Folders are made as needed, mode 0700. */
struct vault_places {
    const char *data;  // vault.db, vault.keys, inbox/
    const char *state; // anchor, failed tries
};

/*
 * What this machine remembers of the vault with this id, VAULT_ID_BYTES: the
 * count of what was written to it. Without a key it cannot be told whether
 * somebody changed it. *found is false where there is none.
 */
MUST_CHECK enum status vault_anchor_counter(uint64_t *out, bool *found,
                                            const struct vault_places *at,
                                            const uint8_t *id,
                                            struct error *err);

/* Is there a vault? No key is needed to see that. */
MUST_CHECK enum status vault_exists(bool *out, const struct vault_places *at,
                                    struct error *err);

/*
 * Makes an empty vault, locked with `credential`; fails with STATUS_LIMIT where
 * there is one. The caller closes it.
 */
MUST_CHECK enum status vault_create(struct vault **out,
                                    const struct vault_places *at,
                                    const struct credential *credential,
                                    const struct kdf_cost *cost,
                                    struct error *err);

enum vault_access {
    VAULT_WRITE,
    VAULT_READ, // for looking after an alarm: nothing is written
};

/*
 * Unlocks and checks root and anchor. STATUS_INTEGRITY with VAULT_WRITE may be
 * followed by VAULT_READ: what is whole can still be read.
 */
MUST_CHECK enum status vault_open(struct vault **out,
                                  const struct vault_places *at,
                                  const struct credential *credential,
                                  enum vault_access access, struct error *err);
/* What is worth saying though it opened, a sentence: no anchor; or NULL. */
const char *vault_remark(const struct vault *vault);
void vault_close(struct vault *vault); // takes NULL; wipes every key

/*
 * What is written between the two is there whole or not at all, with one wait
 * for the disk. Chats that were opened in between are closed before the end.
 * After a failure in between, the end fails as well and nothing of it was kept.
 */
MUST_CHECK enum status vault_batch_begin(struct vault *vault,
                                         struct error *err);
MUST_CHECK enum status vault_batch_end(struct vault *vault, struct error *err);

/* -- chats -------------------------------------------------------------------
 */

/* False from `visit` ends the walk early, which is no failure. */
typedef bool vault_chat_fn(void *context, const struct chat_info *info);

/*
 * Every chat, last used first. One that is damaged hides no other: it is left
 * out, and STATUS_INTEGRITY comes after the last one.
 */
MUST_CHECK enum status vault_each_chat(struct vault *vault,
                                       vault_chat_fn *visit, void *context,
                                       struct error *err);

/* The ids of all chats, last used first, unread; the caller frees *out. */
MUST_CHECK enum status vault_chat_ids(struct chat_id **out, size_t *count,
                                      const struct vault *vault,
                                      struct error *err);
/*
 * Reads one chat, a turn at a time: `visit` gets what is known of it with a
 * NULL for the turn, then each turn, lent until it returns. False ends it.
 * A draft is left alone, so this may be a chat that is open.
 */
typedef bool vault_turn_fn(void *context, const struct chat_info *info,
                           const struct turn_record *turn);
MUST_CHECK enum status vault_each_turn(struct vault *vault,
                                       const struct chat_id *id,
                                       vault_turn_fn *visit, void *context,
                                       struct error *err);

/* Finds the only chat whose shown id begins so. STATUS_LIMIT: several do. */
MUST_CHECK enum status vault_find_chat(struct chat_id *out, struct vault *vault,
                                       const char *prefix, struct error *err);
/* The chat used last; *found is false where there is none. */
MUST_CHECK enum status vault_newest_chat(struct chat_id *out, bool *found,
                                         struct vault *vault,
                                         struct error *err);
void chat_id_text(char out[CHAT_ID_TEXT], const struct chat_id *id);

/* One chat, loaded: its texts stay in memory until it is closed. */
struct vault_chat;

/*
 * A new chat; nothing is written before its first turn. info->id is chosen
 * where it is all zeros; otherwise it must be new (STATUS_LIMIT).
 */
MUST_CHECK enum status vault_chat_begin(struct vault_chat **out,
                                        struct vault *vault,
                                        const struct chat_info *info,
                                        struct error *err);
MUST_CHECK enum status vault_chat_open(struct vault_chat **out,
                                       struct vault *vault,
                                       const struct chat_id *id,
                                       struct error *err);
/*
 * The same where the answer still comes: the draft stays one, until its turn
 * is written. *draft, without an id, borrows from *body, which begins empty,
 * and stays so where there is no draft.
 */
MUST_CHECK enum status
vault_chat_open_drafted(struct vault_chat **out, struct turn_record *draft,
                        struct buffer *body, struct vault *vault,
                        const struct chat_id *id, struct error *err);
void vault_chat_close(struct vault_chat *chat); // takes NULL; before the vault

const struct chat_info *vault_chat_info(const struct vault_chat *chat);
/* In the order in which they were written; lent until the next change. */
const struct turn_record *vault_chat_turns(const struct vault_chat *chat,
                                           size_t *count);

/*
 * Writes a turn and makes it the leaf: one transaction, on the disk when this
 * returns. turn->id is chosen and given back in *id. A draft of the chat is
 * dropped in the same transaction.
 */
MUST_CHECK enum status vault_chat_append(struct vault_chat *chat,
                                         const struct turn_record *turn,
                                         uint64_t *id, struct error *err);
/*
 * Title, system, model, tags, leaf, used_ms and pinned as given.
 * STATUS_FORMAT: tags that are none; so it is wherever a chat is written.
 */
MUST_CHECK enum status vault_chat_update(struct vault_chat *chat,
                                         const struct chat_info *info,
                                         struct error *err);
/*
 * Keeps what has come of an answer; the last draft counts. A draft that is
 * there when a chat is opened was lost in a crash: it is taken in as an
 * incomplete answer then.
 */
MUST_CHECK enum status vault_chat_draft(struct vault_chat *chat,
                                        const struct turn_record *partial,
                                        struct error *err);
/*
 * Writes a whole chat in one transaction: there are all of its turns or none.
 * Ids, parents and the leaf are places among `turns`, from 1, parents before
 * their children. STATUS_LIMIT: there is a chat of info->id, which may be zero.
 */
MUST_CHECK enum status vault_import_chat(struct vault *vault,
                                         const struct chat_info *info,
                                         const struct turn_record *turns,
                                         size_t count, struct error *err);
MUST_CHECK enum status vault_delete_chat(struct vault *vault,
                                         const struct chat_id *id,
                                         struct error *err);
/* Makes room for real what was deleted: truncates, vacuums. */
MUST_CHECK enum status vault_compact(struct vault *vault, struct error *err);

/*
 * What was looked for lies at at..at+length of the turn's content or thinking,
 * or of the chat's title where turn is NULL. Each text is named once.
 */
struct vault_hit {
    const struct chat_info *chat;
    const struct turn_record *turn; // NULL: in the title
    bool in_thinking;
    size_t at, length;
};
typedef bool vault_hit_fn(void *context, const struct vault_hit *hit);

/*
 * Looks through titles and texts, newest chats first, without regard to case,
 * in memory only. *cancel, which another thread or a signal may set, ends it
 * with STATUS_CANCELLED.
 */
MUST_CHECK enum status vault_search(struct vault *vault, struct text wanted,
                                    bool thinking_too, vault_hit_fn *visit,
                                    void *context, const _Atomic bool *cancel,
                                    struct error *err);

/* -- what else is kept -------------------------------------------------------
 */

/* Input history, oldest first; kept as pages, oldest dropped beyond `keep`. */
typedef void vault_input_fn(void *context, struct text line);
MUST_CHECK enum status vault_each_input(struct vault *vault,
                                        vault_input_fn *visit, void *context,
                                        struct error *err);
MUST_CHECK enum status vault_add_input(struct vault *vault, struct text line,
                                       size_t keep, struct error *err);

/*
 * A KV cache, kept beside a chat so that it can go on without prefill. `key`
 * binds it: model fingerprint, token ids, cache format. A chat has one at
 * most; the least recently used ones go when all together exceed limit_bytes.
 * Chunks are at most 1 MiB.
 */
enum { VAULT_CACHE_KEY_BYTES = 32 };
struct vault_cache_writer;
MUST_CHECK enum status
vault_cache_begin(struct vault_cache_writer **out, struct vault_chat *chat,
                  const uint8_t key[VAULT_CACHE_KEY_BYTES],
                  uint64_t limit_bytes, struct error *err);
MUST_CHECK enum status vault_cache_write(struct vault_cache_writer *writer,
                                         const void *chunk, size_t bytes,
                                         struct error *err);
/* Done: the former one is gone and this one counts. Takes the writer. */
MUST_CHECK enum status vault_cache_commit(struct vault_cache_writer *writer,
                                          struct error *err);
void vault_cache_abandon(struct vault_cache_writer *writer); // takes NULL

/* *chunks is 0 where there is none; `key` is filled otherwise. */
MUST_CHECK enum status vault_cache_find(size_t *chunks,
                                        uint8_t key[VAULT_CACHE_KEY_BYTES],
                                        struct vault_chat *chat,
                                        struct error *err);
MUST_CHECK enum status vault_cache_read(struct buffer *out,
                                        struct vault_chat *chat, size_t chunk,
                                        struct error *err);

/*
 * The audit chain: events without content, each bound to the one before.
 * `event` is one of ours, "unlock", "export"; `detail` names no text of a chat.
 */
MUST_CHECK enum status vault_audit(struct vault *vault, const char *event,
                                   const char *detail, struct error *err);
typedef bool vault_audit_fn(void *context, uint64_t number, uint64_t time_ms,
                            const char *event, const char *detail);
MUST_CHECK enum status vault_each_audit(struct vault *vault,
                                        vault_audit_fn *visit, void *context,
                                        struct error *err);

/* -- care --------------------------------------------------------------------
 */

struct vault_figures {
    uint64_t chats, turns, rows, inputs, cache_bytes, file_bytes;
    uint64_t counter; // of the root: transactions so far
    uint64_t last_written_ms;
};
MUST_CHECK enum status vault_measure(struct vault_figures *out,
                                     struct vault *vault, struct error *err);

/*
 * Reads every row. `report` gets a sentence for each thing that is not as it
 * should be, and what is still readable. *faults counts them.
 */
typedef void vault_report_fn(void *context, const char *sentence);
MUST_CHECK enum status vault_check(size_t *faults, struct vault *vault,
                                   vault_report_fn *report, void *context,
                                   struct error *err);
/*
 * Opens what can be opened of a damaged vault and writes it as a new vault with
 * the same slots at `to`, which must not exist. The damaged one is not touched.
 */
MUST_CHECK enum status vault_repair(const struct vault_places *at,
                                    const struct credential *credential,
                                    const char *to, vault_report_fn *report,
                                    void *context, struct error *err);
/* A consistent copy of rows and slots in one file, while in use. */
MUST_CHECK enum status vault_backup(struct vault *vault, const char *to,
                                    struct error *err);
/* The slots of a backup, to ask for what opens them; the caller closes it. */
MUST_CHECK enum status vault_backup_slots(struct vault_keys **out,
                                          const char *from, struct error *err);
/*
 * Puts a backup in place of the vault (which is kept beside it, renamed) and
 * sets the anchor to it: the only way in which an older state is accepted.
 */
MUST_CHECK enum status vault_restore(const struct vault_places *at,
                                     const struct credential *credential,
                                     const char *from, struct error *err);
/*
 * A new master key: every row is sealed anew in a new file, which takes the
 * old one's place. Slots other than `credential`'s are gone afterwards. What is
 * in the inbox is taken in before, since it is sealed for the old key.
 */
MUST_CHECK enum status vault_rotate(const struct vault_places *at,
                                    const struct credential *credential,
                                    const struct kdf_cost *cost,
                                    struct error *err);

/* -- the inbox ---------------------------------------------------------------
 */

/*
 * Seals a question and its answer for the vault without unlocking it: a file
 * in inbox/. STATUS_LIMIT when the inbox is full.
 */
MUST_CHECK enum status inbox_put(const struct vault_places *at,
                                 const struct turn_record *question,
                                 const struct turn_record *answer,
                                 struct error *err);
/*
 * Takes what is in the inbox into the vault, each as a chat of its own, once;
 * *taken and *refused (junk, replays) count. Refused files are left under
 * another name.
 */
MUST_CHECK enum status vault_take_inbox(struct vault *vault, size_t *taken,
                                        size_t *refused, struct error *err);

#endif
