/*
 * Keys that are trusted to sign models: files *.pub, as minisign makes them,
 * in SYSCONFDIR/fathom/trust.d (root's) and in trust.d of the user's settings
 * folder; or in the policy's model.trust_dir alone. A file `revoked` there
 * holds the numbers of keys that do not count any more, one a line.
 *
 * A folder or key that others could have written is refused, not passed over.
 */
#ifndef FATHOM_APP_MODEL_TRUST_H
#define FATHOM_APP_MODEL_TRUST_H

#include "storage/storage.h"

enum { TRUST_KEYS = 256, TRUST_NAME_BYTES = 64 };

struct trusted_key {
    struct minisign_key key;
    char name[TRUST_NAME_BYTES]; // of the file, without .pub
};

struct model_trust {
    struct trusted_key key[TRUST_KEYS];
    size_t keys;
    uint8_t revoked[TRUST_KEYS][MINISIGN_NUMBER_BYTES];
    size_t revocations;
};

/* STATUS_DENIED: a folder, a key or a list is not safe. */
MUST_CHECK enum status model_trust_read(struct model_trust *out,
                                        struct error *err);
/* Only this one key, from a file that the user names. */
MUST_CHECK enum status model_trust_only(struct model_trust *out,
                                        const char *path, struct error *err);

bool model_trust_is_revoked(const struct model_trust *trust,
                            const uint8_t number[MINISIGN_NUMBER_BYTES]);
/* The trusted key of this number, or NULL. */
const struct trusted_key *
model_trust_find(const struct model_trust *trust,
                 const uint8_t number[MINISIGN_NUMBER_BYTES]);

#endif
