/*
 * The root in memory: which chats there are, and how one transaction takes the
 * vault from one root to the next. Internal to the vault's files, which share
 * `struct vault`.
 *
 *     vault_begin → vault_put …, entries changed → vault_commit or _rollback
 *
 * Whatever fails between the two, vault_rollback reads the root anew, so that
 * memory never says more than the file.
 */
#ifndef FATHOM_STORAGE_VAULT_ROOT_H
#define FATHOM_STORAGE_VAULT_ROOT_H

#include "storage/anchor.h"
#include "storage/row_keys.h"
#include "storage/vault.h"
#include "storage/vault_file.h"

#include <limits.h>

enum { REMARK_BYTES = 1024 };

struct vault {
    char data[PATH_MAX], state[PATH_MAX];
    int lock; // -1: none
    enum vault_access access;
    struct vault_file *file;
    struct row_keys *keys;
    uint8_t sealing[32];
    char remark[REMARK_BYTES];
    bool alarm;     // opened for reading in spite of what `remark` says
    bool no_anchor; // a copy that this machine is not to remember yet
    bool batch, batch_failed; // one transaction holds many
    enum status broken;       // memory and file may differ: nothing goes on

    uint64_t counter, next_row, written_ms;
    uint8_t previous[ROOT_MAC_BYTES]; // as this root says
    uint8_t root_mac[ROOT_MAC_BYTES]; // of this root
    struct buffer shards, inputs, audits;
    struct row_ref caches, taken; // row 0: none
    struct buffer *chats;         // a list of entries for each shard
    size_t chats_room, chats_used;
    size_t shards_lost; // of a damaged vault that is only read

    struct buffer row, body; // scratch of a call
};

/* An entry of a shard. */
struct chat_entry {
    struct chat_id id;
    struct row_ref manifest;
    uint64_t used_ms;
};
struct entry_at {
    size_t shard, i;
};

/* False where the path is too long; then *err says so. */
MUST_CHECK enum status vault_path(char out[PATH_MAX], const char *folder,
                                  const char *name, struct error *err);
/* Fails with STATUS_INTEGRITY: `what`, and what can be done. */
enum status vault_alarm(const struct vault *vault, const char *what,
                        struct error *err);

/*
 * Reads root and shards. With `tolerant` the mirrors are taken where those are
 * damaged, and shards_lost counts what neither has.
 */
MUST_CHECK enum status vault_root_load(struct vault *vault, bool tolerant,
                                       struct error *err);
/*
 * Compares with what this machine remembers. STATUS_INTEGRITY: the file is
 * older, or of another history. What is merely worth saying goes to `remark`.
 */
MUST_CHECK enum status vault_anchor_check(struct vault *vault,
                                          struct error *err);
MUST_CHECK enum status vault_anchor_renew(struct vault *vault,
                                          struct error *err);
void vault_root_release(struct vault *vault);

MUST_CHECK enum status vault_begin(struct vault *vault, struct error *err);
/* Seals vault->body for `ref`, one generation on, and writes it. */
MUST_CHECK enum status vault_put(struct vault *vault, enum row_kind kind,
                                 const struct chat_id *chat,
                                 struct row_ref *ref, struct error *err);
/* The shard as it is in memory. */
MUST_CHECK enum status vault_put_shard(struct vault *vault, size_t shard,
                                       struct error *err);
MUST_CHECK enum status vault_commit(struct vault *vault, struct error *err);
void vault_rollback(struct vault *vault);
/* Commits what went well, takes back what did not. */
MUST_CHECK enum status vault_end(struct vault *vault, enum status status,
                                 struct error *err);

/*
 * Opens a row into *out; STATUS_INTEGRITY where it is missing or wrong. The
 * tag is compared, but for the root, mirrors and drafts, which have none.
 */
MUST_CHECK enum status vault_get(struct buffer *out, struct vault *vault,
                                 enum row_kind kind, const struct chat_id *chat,
                                 const struct row_ref *ref, struct error *err);

size_t vault_chat_count(const struct vault *vault);
bool vault_entry_find(struct entry_at *out, const struct vault *vault,
                      const struct chat_id *id);
struct chat_entry vault_entry(const struct vault *vault, struct entry_at at);
void vault_entry_set(struct vault *vault, struct entry_at at,
                     const struct chat_entry *entry);
/* In the first shard with room, or a new one. */
MUST_CHECK enum status vault_entry_add(struct entry_at *out,
                                       struct vault *vault,
                                       const struct chat_entry *entry,
                                       struct error *err);
void vault_entry_drop(struct vault *vault, struct entry_at at);
/* Every entry, last used first; the caller frees *out. */
MUST_CHECK enum status vault_entries(struct chat_entry **out, size_t *count,
                                     const struct vault *vault,
                                     struct error *err);

/* Reads a chat's manifest; *out borrows from *bytes. */
MUST_CHECK enum status vault_manifest(struct chat_body *out,
                                      struct buffer *bytes, struct vault *vault,
                                      const struct chat_entry *entry,
                                      struct error *err);
/* Reads a turn of a list; *out borrows from *bytes. */
MUST_CHECK enum status vault_turn(struct turn_record *out, struct buffer *bytes,
                                  struct vault *vault,
                                  const struct chat_id *chat,
                                  const struct row_ref *ref, struct error *err);

/* After an alarm, what is whole is shown without what is not. */
bool vault_forgives(const struct vault *vault, enum status status);
/* The vault that a chat belongs to. */
struct vault *vault_of_chat(const struct vault_chat *chat);

#endif
