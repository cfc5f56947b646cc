/*
 * vault.keys: up to eight slots, each of which wraps the vault's master key
 * (32 random bytes) with a key of its own: from a passphrase, a key file, both,
 * or the recovery code. No key of a slot is ever stored. fathom-vault(5) gives
 * the bytes.
 *
 * Passphrases are bytes as typed: no normalisation. Argon2id 1.3 only, with
 * ceilings on what a file may ask for, so that a planted slot is no bomb.
 */
#ifndef FATHOM_STORAGE_VAULT_KEYS_H
#define FATHOM_STORAGE_VAULT_KEYS_H

#include "storage/secret.h"

enum slot_kind {
    SLOT_PASSPHRASE = 1,
    SLOT_KEY_FILE = 2,
    SLOT_BOTH = 3, // passphrase and key file, both needed
    SLOT_RECOVERY = 4,
};

enum {
    VAULT_SLOTS = 8,
    VAULT_ID_BYTES = 16,
    VAULT_KEY_BYTES = 32,
    PASSPHRASE_BYTES = 1 << 20, // longest
    RECOVERY_BYTES = 20,        // 160 bits
    RECOVERY_TEXT = 40,         // in groups of four characters, and NUL
    VAULT_KEYS_BYTES = 1376,    // the whole file
};

/* What Argon2id costs to compute once. */
struct kdf_cost {
    uint64_t passes;
    uint64_t memory_bytes; // whole KiB
};
extern const struct kdf_cost kdf_moderate;  // 3 passes, 256 MiB
extern const struct kdf_cost kdf_sensitive; // 4 passes, 1 GiB
extern const struct kdf_cost kdf_least;     // at creation: 3 passes, 64 MiB
extern const struct kdf_cost kdf_most;      // on reading: 16 passes, 4 GiB

/*
 * Lowers a cost to what this machine has memory for, not below kdf_least, and
 * is true where it did; the caller tells the user.
 */
bool kdf_cost_fit(struct kdf_cost *cost, uint64_t available_bytes);
/* For tests alone: what slots are made with may cost less than kdf_least. */
void kdf_lower_floor(const struct kdf_cost *least);

/*
 * Who is to have a derivation done (see derivation.h) while the caller waits.
 * Fails with STATUS_CANCELLED where the user gave up.
 */
struct derivation;
struct kdf_runner {
    void *context;
    enum status (*run)(void *context, struct derivation *derivation,
                       struct error *err);
};

/*
 * What somebody who wants in has. NULL: not that. A passphrase and a key file
 * together fit slots that need both, and no others; a recovery code stands
 * alone.
 */
struct credential {
    const struct secret *passphrase;
    const struct secret *key_file; // its contents, KEY_FILE_LEAST bytes or more
    const struct secret *recovery; // RECOVERY_BYTES
    const struct kdf_runner *runner; // NULL: Argon2id runs in this thread
};
enum { KEY_FILE_LEAST = 32, KEY_FILE_MOST = 1 << 20 };

struct vault_keys;

/*
 * Reads and checks vault.keys, which must be its owner's alone; nothing is
 * unlocked. A slot that is damaged is left out; STATUS_FORMAT when none is
 * whole, STATUS_UNSUPPORTED when a newer fathom wrote the file.
 */
MUST_CHECK enum status vault_keys_open(struct vault_keys **out,
                                       const char *path, struct error *err);
/* The same from memory; `shown` names it in errors. */
MUST_CHECK enum status vault_keys_parse(struct vault_keys **out,
                                        const void *bytes, size_t length,
                                        const char *shown, struct error *err);
/* A new master key in one slot; nothing is written before vault_keys_write. */
MUST_CHECK enum status vault_keys_create(struct vault_keys **out,
                                         struct secret **master,
                                         const struct credential *credential,
                                         const struct kdf_cost *cost,
                                         struct error *err);
void vault_keys_close(struct vault_keys *keys); // takes NULL

const uint8_t *vault_keys_id(const struct vault_keys *keys); // VAULT_ID_BYTES
/* Of the X25519 key to which the inbox is sealed; 32 bytes. */
const uint8_t *vault_keys_sealing(const struct vault_keys *keys);
/* Exactly as it was read or last written: VAULT_KEYS_BYTES. */
const uint8_t *vault_keys_image(const struct vault_keys *keys);

struct slot_info {
    unsigned number; // 1 to VAULT_SLOTS
    enum slot_kind kind;
    struct kdf_cost cost; // 0 where none is needed
    uint64_t created_s;
};
/* Those that are whole, by number; how many. */
size_t vault_keys_slots(const struct vault_keys *keys,
                        struct slot_info out[VAULT_SLOTS]);
/* Why slot `number` is damaged, in words; NULL when it is not. */
const char *vault_keys_fault(const struct vault_keys *keys, unsigned number);

/* What a wrong passphrase is told, always. */
extern const char vault_keys_denied[];

/*
 * Tries every slot that `credential` fits. STATUS_DENIED with one constant
 * sentence when none opens, in the same time whichever slot it was not;
 * STATUS_FORMAT instead when a damaged slot may be the reason.
 * STATUS_INTEGRITY: it is the right key, but the file is not as it was written
 * (a slot was dropped, put in or changed); *master is given nevertheless, to
 * read with. Where the slot itself is forged, it is NULL. STATUS_NOMEM: the
 * machine has not the memory that the slot asks for.
 */
MUST_CHECK enum status vault_keys_unlock(struct secret **master, unsigned *slot,
                                         const struct vault_keys *keys,
                                         const struct credential *credential,
                                         struct error *err);

/* Puts a slot for `credential` at `number`, or at the first free one (0). */
MUST_CHECK enum status vault_keys_put(struct vault_keys *keys, unsigned number,
                                      const struct secret *master,
                                      const struct credential *credential,
                                      const struct kdf_cost *cost,
                                      struct error *err);
/*
 * STATUS_LIMIT: it is the last one that is whole, or there is no such slot.
 */
MUST_CHECK enum status vault_keys_remove(struct vault_keys *keys,
                                         unsigned number, struct error *err);
/*
 * Whole or not at all; the former file stays as PATH.old until the next
 * successful unlock calls vault_keys_settle. STATUS_BUSY: another process
 * changed the file since it was read, and nothing was written.
 */
MUST_CHECK enum status vault_keys_write(struct vault_keys *keys,
                                        const struct secret *master,
                                        const char *path, struct error *err);
MUST_CHECK enum status vault_keys_settle(const char *path, struct error *err);

/* A random recovery code, and back; case, blanks and dashes do not matter. */
MUST_CHECK enum status recovery_create(struct secret **out, struct error *err);
/* The caller wipes `out`. */
void recovery_text(char out[RECOVERY_TEXT], const struct secret *recovery);
MUST_CHECK enum status recovery_take(struct secret **out, const char *typed,
                                     struct error *err);
/* Six words from a list of 2,048, with dashes between: 66 bits. */
MUST_CHECK enum status passphrase_generate(struct secret **out,
                                           struct error *err);

/*
 * A key for one purpose from the master key: keyed BLAKE2b over
 * "fathom/v1/" label, NUL, the vault's id and `context`. Labels in use are in
 * fathom-vault(5); "box" gives the seed of the X25519 key of the inbox.
 */
MUST_CHECK enum status
vault_keys_derive(struct secret **out, const struct secret *master,
                  const uint8_t id[VAULT_ID_BYTES], const char *label,
                  const void *context, size_t context_bytes, struct error *err);

#endif
