/*
 * One run of Argon2id, which takes a second and more and cannot be stopped. It
 * is done in the caller's thread, or in one of its own while the caller goes
 * on. Whoever gives a derivation up closes it: its thread computes to the end,
 * and wipes what it has then.
 *
 * Threads: a derivation belongs to the thread that opened it, which alone
 * calls these functions.
 */
#ifndef FATHOM_STORAGE_DERIVATION_H
#define FATHOM_STORAGE_DERIVATION_H

#include "storage/vault_keys.h"

enum { DERIVATION_SALT_BYTES = 16 };

struct derivation;

/* Copies what it is given. */
MUST_CHECK enum status
derivation_open(struct derivation **out, const struct secret *input,
                const uint8_t salt[DERIVATION_SALT_BYTES],
                const struct kdf_cost *cost, struct error *err);
/* Takes NULL. Never waits. */
void derivation_close(struct derivation *derivation);

const struct kdf_cost *derivation_cost(const struct derivation *derivation);

/* Does it in the caller's thread. */
void derivation_run(struct derivation *derivation);
/* Does it in a thread of its own; fails where there can be none. */
MUST_CHECK enum status derivation_start(struct derivation *derivation,
                                        struct error *err);
/* Whether it is done, well or not. */
bool derivation_ended(const struct derivation *derivation);
/*
 * The key, VAULT_KEY_BYTES, lent until close; once it has ended. STATUS_NOMEM:
 * the memory could not be had.
 */
MUST_CHECK enum status derivation_key(const struct secret **out,
                                      const struct derivation *derivation,
                                      struct error *err);

/* How many of those that were given up still compute, and hold memory. */
unsigned derivations_left(void);

#endif
