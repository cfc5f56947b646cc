/*
 * The image of vault.keys is what is worked on; numbers are little-endian.
 *
 *   0  8   "fathomvk"
 *   8  4   format, 1
 *  12  4   zero
 *  16 16   the vault's id
 *  32 32   X25519 public key of the inbox
 *  64 8 x 160 slots, all zero where there is none:
 *          0  4  number, 1 to 8         56 24  nonce
 *          4  4  kind                   80 48  the wrapped master key and tag
 *          8  4  kdf                   128 32  commitment
 *         12  4  zero
 *         16  8  passes
 *         24  8  memory in KiB
 *         32  8  made, seconds since 1970
 *         40 16  salt
 * 1344 32  MAC of all before
 */
#include "config.h"

#include "storage/vault_keys.h"

#include "storage/derivation.h"
#include "storage/safe_file.h"
#include "storage/words.h"

#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAGIC "fathomvk"
#define LABELS "fathom/v1/"
#define RECOVERY_LABEL LABELS "recovery"

enum {
    FORMAT = 1,
    AT_FORMAT = 8,
    AT_ZERO = 12,
    AT_ID = 16,
    AT_SEALING = 32,
    AT_SLOTS = 64,
    SLOT_BYTES = 160,
    AT_MAC = AT_SLOTS + VAULT_SLOTS * SLOT_BYTES,

    // in a slot
    AT_NUMBER = 0,
    AT_KIND = 4,
    AT_KDF = 8,
    AT_SLOT_ZERO = 12,
    AT_PASSES = 16,
    AT_MEMORY = 24,
    AT_CREATED = 32,
    AT_SALT = 40,
    SALT_BYTES = 16,
    AT_NONCE = 56,
    AT_WRAPPED = 80,
    AT_COMMITMENT = 128,

    KDF_ARGON2ID13 = 1,
    KDF_NONE = 2, // a recovery code has bits enough

    MAC_BYTES = 32,
    HASH_BYTES = 64,
    AAD_BYTES = AT_ZERO + VAULT_ID_BYTES + AT_NONCE,
    FAULT_BYTES = 160,
    PHRASE_WORDS = 6,
    LABEL_LONGEST = 32,
};

static_assert(AT_MAC + MAC_BYTES == VAULT_KEYS_BYTES, "the file's length");
static_assert(SALT_BYTES == crypto_pwhash_SALTBYTES, "Argon2's salt");
static_assert(VAULT_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
              "the master key is wrapped with keys of its own size");
static_assert(AT_NONCE + crypto_aead_xchacha20poly1305_ietf_NPUBBYTES ==
                      AT_WRAPPED &&
                  AT_WRAPPED + VAULT_KEY_BYTES +
                          crypto_aead_xchacha20poly1305_ietf_ABYTES ==
                      AT_COMMITMENT &&
                  AT_COMMITMENT + VAULT_KEY_BYTES == SLOT_BYTES,
              "a slot has no gaps");

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

const struct kdf_cost kdf_moderate = {3, 256 * MIB};
const struct kdf_cost kdf_sensitive = {4, 1 * GIB};
const struct kdf_cost kdf_least = {3, 64 * MIB};
const struct kdf_cost kdf_most = {16, 4 * GIB};
static struct kdf_cost floor_cost = {3, 64 * MIB};

struct vault_keys {
    uint8_t image[VAULT_KEYS_BYTES];
    uint8_t origin[VAULT_KEYS_BYTES]; // as read or written last
    bool has_origin;
    char fault[VAULT_SLOTS][FAULT_BYTES]; // "": none
};

// -- numbers ----------------------------------------------------------------

static uint64_t
number_at(const uint8_t *at, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = bytes; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

static void
put_number(uint8_t *at, size_t bytes, uint64_t value)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (uint8_t) (value >> (8 * i));
}

static const uint8_t *
slot_at(const struct vault_keys *keys, unsigned number)
{
    return keys->image + AT_SLOTS + (size_t) (number - 1) * SLOT_BYTES;
}

static uint8_t *
slot_data(struct vault_keys *keys, unsigned number)
{
    return keys->image + AT_SLOTS + (size_t) (number - 1) * SLOT_BYTES;
}

static bool
slot_used(const struct vault_keys *keys, unsigned number)
{
    return !sodium_is_zero(slot_at(keys, number), SLOT_BYTES);
}

static bool
slot_whole(const struct vault_keys *keys, unsigned number)
{
    return slot_used(keys, number) && keys->fault[number - 1][0] == '\0';
}

static enum slot_kind
slot_kind(const uint8_t *slot)
{
    return (enum slot_kind) number_at(slot + AT_KIND, 4);
}

// -- costs ------------------------------------------------------------------

bool
kdf_cost_fit(struct kdf_cost *cost, uint64_t available_bytes)
{
    bool lowered = false;

    // half is left to everything else
    while (cost->memory_bytes > available_bytes / 2 &&
           cost->memory_bytes / 2 >= kdf_least.memory_bytes) {
        cost->memory_bytes /= 2;
        lowered = true;
    }
    return lowered;
}

void
kdf_lower_floor(const struct kdf_cost *least)
{
    floor_cost = *least;
}

static enum status
check_cost(const struct kdf_cost *cost, struct error *err)
{
    if (cost->passes < floor_cost.passes ||
        cost->memory_bytes < floor_cost.memory_bytes)
        return error_set(err, STATUS_LIMIT,
                         "a passphrase must cost at least %" PRIu64
                         " passes over %" PRIu64 " MiB to try",
                         floor_cost.passes, floor_cost.memory_bytes / MIB);
    if (cost->passes > kdf_most.passes ||
        cost->memory_bytes > kdf_most.memory_bytes)
        return error_set(err, STATUS_LIMIT,
                         "a passphrase may cost at most %" PRIu64
                         " passes over %" PRIu64 " MiB to try",
                         kdf_most.passes, kdf_most.memory_bytes / MIB);
    if (cost->memory_bytes % KIB != 0)
        return error_set(err, STATUS_LIMIT,
                         "memory for a passphrase is counted in KiB");
    return STATUS_OK;
}

// -- deriving ---------------------------------------------------------------

enum status
vault_keys_derive(struct secret **out, const struct secret *master,
                  const uint8_t id[VAULT_ID_BYTES], const char *label,
                  const void *context, size_t context_bytes, struct error *err)
{
    crypto_generichash_state state;

    assert(secret_length(master) == VAULT_KEY_BYTES);
    assert(strlen(label) <= LABEL_LONGEST);
    TRY(secret_open(out, VAULT_KEY_BYTES, err));
    crypto_generichash_init(&state, secret_bytes(master), VAULT_KEY_BYTES,
                            VAULT_KEY_BYTES);
    crypto_generichash_update(&state, (const uint8_t *) LABELS, strlen(LABELS));
    crypto_generichash_update(&state, (const uint8_t *) label,
                              strlen(label) + 1);
    crypto_generichash_update(&state, id, VAULT_ID_BYTES);
    if (context_bytes > 0)
        crypto_generichash_update(&state, context, context_bytes);
    crypto_generichash_final(&state, secret_data(*out), VAULT_KEY_BYTES);
    sodium_memzero(&state, sizeof state);
    return STATUS_OK;
}

/* What is compared after unwrapping: AEADs do not commit to their key. */
static enum status
commitment(struct secret **out, const struct vault_keys *keys,
           const struct secret *master, struct error *err)
{
    return vault_keys_derive(out, master, vault_keys_id(keys), "commit", NULL,
                             0, err);
}

static enum status
file_mac(uint8_t out[MAC_BYTES], const struct vault_keys *keys,
         const struct secret *master, struct error *err)
{
    struct secret *key;

    TRY(vault_keys_derive(&key, master, vault_keys_id(keys), "keys-mac", NULL,
                          0, err));
    crypto_generichash(out, MAC_BYTES, keys->image, AT_MAC, secret_bytes(key),
                       VAULT_KEY_BYTES);
    secret_close(key);
    return STATUS_OK;
}

static enum status
sealing_key(uint8_t out[crypto_box_PUBLICKEYBYTES],
            const struct vault_keys *keys, const struct secret *master,
            struct error *err)
{
    struct secret *seed, *private_key;

    TRY(vault_keys_derive(&seed, master, vault_keys_id(keys), "box", NULL, 0,
                          err));
    enum status status =
        secret_open(&private_key, crypto_box_SECRETKEYBYTES, err);

    if (status == STATUS_OK)
        crypto_box_seed_keypair(out, secret_data(private_key),
                                secret_bytes(seed));
    secret_close(private_key);
    secret_close(seed);
    return status;
}

// -- the key of a slot ------------------------------------------------------

static enum slot_kind
credential_kind(const struct credential *credential)
{
    if (credential->recovery != NULL)
        return SLOT_RECOVERY;
    if (credential->passphrase != NULL && credential->key_file != NULL)
        return SLOT_BOTH;
    assert(credential->passphrase != NULL || credential->key_file != NULL);
    return credential->passphrase != NULL ? SLOT_PASSPHRASE : SLOT_KEY_FILE;
}

/*
 * What Argon2id is given: a passphrase as it is, the hash of a key file, or
 * the hash of the passphrase under the key file's.
 */
static enum status
stretch_input(struct secret **out, const struct credential *credential,
              struct error *err)
{
    const struct secret *passphrase = credential->passphrase,
                        *file = credential->key_file;
    struct secret *hash;

    if (file == NULL)
        return secret_copy(out, secret_bytes(passphrase),
                           secret_length(passphrase), err);
    TRY(secret_open(&hash, HASH_BYTES, err));
    crypto_generichash(secret_data(hash), HASH_BYTES, secret_bytes(file),
                       secret_length(file), NULL, 0);
    if (passphrase == NULL) {
        *out = hash;
        return STATUS_OK;
    }
    enum status status = secret_open(out, HASH_BYTES, err);

    if (status == STATUS_OK)
        crypto_generichash(secret_data(*out), HASH_BYTES,
                           secret_bytes(passphrase), secret_length(passphrase),
                           secret_bytes(hash), HASH_BYTES);
    secret_close(hash);
    return status;
}

/* In the caller's thread, or as the caller has it done. */
static enum status
derive(struct derivation *derivation, const struct kdf_runner *runner,
       struct error *err)
{
    if (runner != NULL)
        return runner->run(runner->context, derivation, err);
    derivation_run(derivation);
    return STATUS_OK;
}

static enum status
stretch(struct secret *kek, const uint8_t *slot, const struct secret *input,
        const struct kdf_runner *runner, struct error *err)
{
    const struct kdf_cost cost = {number_at(slot + AT_PASSES, 8),
                                  number_at(slot + AT_MEMORY, 8) * KIB};
    struct derivation *derivation;
    const struct secret *key;

    TRY(derivation_open(&derivation, input, slot + AT_SALT, &cost, err));
    enum status status = derive(derivation, runner, err);

    if (status == STATUS_OK)
        status = derivation_key(&key, derivation, err);
    if (status == STATUS_OK)
        memcpy(secret_data(kek), secret_bytes(key), VAULT_KEY_BYTES);
    derivation_close(derivation);
    return status;
}

static void
recovery_kek(struct secret *kek, const uint8_t *slot,
             const struct secret *recovery)
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, secret_bytes(recovery),
                            secret_length(recovery), VAULT_KEY_BYTES);
    crypto_generichash_update(&state, (const uint8_t *) RECOVERY_LABEL,
                              strlen(RECOVERY_LABEL));
    crypto_generichash_update(&state, slot + AT_SALT, SALT_BYTES);
    crypto_generichash_final(&state, secret_data(kek), VAULT_KEY_BYTES);
    sodium_memzero(&state, sizeof state);
}

static enum status
slot_kek(struct secret **out, const uint8_t *slot,
         const struct credential *credential, struct error *err)
{
    struct secret *input = NULL;
    enum status status = STATUS_OK;

    TRY(secret_open(out, VAULT_KEY_BYTES, err));
    if (credential->recovery != NULL) {
        recovery_kek(*out, slot, credential->recovery);
    } else {
        status = stretch_input(&input, credential, err);
        if (status == STATUS_OK)
            status = stretch(*out, slot, input, credential->runner, err);
    }
    secret_close(input);
    if (status != STATUS_OK) {
        secret_close(*out);
        *out = NULL;
    }
    return status;
}

/* Magic, format, vault id, and the slot up to its salt. */
static void
slot_aad(uint8_t out[AAD_BYTES], const struct vault_keys *keys,
         const uint8_t *slot)
{
    memcpy(out, keys->image, AT_ZERO);
    memcpy(out + AT_ZERO, vault_keys_id(keys), VAULT_ID_BYTES);
    memcpy(out + AT_ZERO + VAULT_ID_BYTES, slot, AT_NONCE);
}

// -- reading ----------------------------------------------------------------

static enum status
check_header(const uint8_t *bytes, size_t length, const char *shown,
             struct error *err)
{
    if (length < AT_ZERO || memcmp(bytes, MAGIC, strlen(MAGIC)) != 0)
        return error_set(err, STATUS_FORMAT,
                         "%s is damaged, or not a file of vault keys", shown);
    uint64_t format = number_at(bytes + AT_FORMAT, 4);

    if (format > FORMAT)
        return error_set(err, STATUS_UNSUPPORTED,
                         "%s has format %" PRIu64 ": it is from a newer "
                         "fathom, or damaged; this one knows format %d",
                         shown, format, FORMAT);
    if (format != FORMAT || length != VAULT_KEYS_BYTES ||
        number_at(bytes + AT_ZERO, 4) != 0)
        return error_set(err, STATUS_FORMAT,
                         "%s is damaged: it has format %" PRIu64
                         " and %zu bytes",
                         shown, format, length);
    return STATUS_OK;
}

/* A reason why the slot is damaged, or "". */
static void
judge_slot(char out[FAULT_BYTES], const uint8_t *slot, unsigned number)
{
    uint64_t kind = number_at(slot + AT_KIND, 4),
             kdf = number_at(slot + AT_KDF, 4),
             passes = number_at(slot + AT_PASSES, 8),
             memory_kib = number_at(slot + AT_MEMORY, 8);
    uint64_t wanted = kind == SLOT_RECOVERY ? KDF_NONE : KDF_ARGON2ID13;

    out[0] = '\0';
    if (number_at(slot + AT_NUMBER, 4) != number)
        snprintf(out, FAULT_BYTES, "it calls itself slot %" PRIu64,
                 number_at(slot + AT_NUMBER, 4));
    else if (kind < SLOT_PASSPHRASE || kind > SLOT_RECOVERY)
        snprintf(out, FAULT_BYTES, "its kind %" PRIu64 " is unknown", kind);
    else if (kdf != wanted || number_at(slot + AT_SLOT_ZERO, 4) != 0)
        snprintf(out, FAULT_BYTES,
                 "its key derivation %" PRIu64 " is unknown for this kind",
                 kdf);
    else if (kdf == KDF_NONE && (passes != 0 || memory_kib != 0))
        snprintf(out, FAULT_BYTES, "a recovery code is not stretched");
    else if (kdf == KDF_ARGON2ID13 &&
             (passes < crypto_pwhash_argon2id_OPSLIMIT_MIN ||
              passes > kdf_most.passes))
        snprintf(out, FAULT_BYTES,
                 "it asks for %" PRIu64 " passes; 1 to %" PRIu64 " are allowed",
                 passes, kdf_most.passes);
    // compared in KiB, where nothing overflows
    else if (kdf == KDF_ARGON2ID13 &&
             (memory_kib < crypto_pwhash_argon2id_MEMLIMIT_MIN / KIB ||
              memory_kib > kdf_most.memory_bytes / KIB))
        snprintf(out, FAULT_BYTES,
                 "it asks for %" PRIu64 " KiB of memory; %d to %" PRIu64
                 " are allowed",
                 memory_kib, (int) (crypto_pwhash_argon2id_MEMLIMIT_MIN / KIB),
                 kdf_most.memory_bytes / KIB);
}

static enum status
judge_slots(struct vault_keys *keys, const char *shown, struct error *err)
{
    unsigned whole = 0, damaged = 0;

    for (unsigned i = 1; i <= VAULT_SLOTS; i++) {
        if (!slot_used(keys, i))
            continue;
        judge_slot(keys->fault[i - 1], slot_at(keys, i), i);
        if (keys->fault[i - 1][0] == '\0')
            whole++;
        else if (damaged == 0)
            damaged = i;
    }
    if (whole > 0)
        return STATUS_OK;
    if (damaged == 0)
        return error_set(err, STATUS_FORMAT, "%s is damaged: it has no slots",
                         shown);
    return error_set(err, STATUS_FORMAT, "%s is damaged: slot %u: %s", shown,
                     damaged, keys->fault[damaged - 1]);
}

enum status
vault_keys_parse(struct vault_keys **out, const void *bytes, size_t length,
                 const char *shown, struct error *err)
{
    void *memory;

    *out = NULL;
    TRY(check_header(bytes, length, shown, err));
    TRY(memory_alloc(&memory, sizeof **out, err));
    struct vault_keys *keys = memory;

    memset(keys, 0, sizeof *keys);
    memcpy(keys->image, bytes, VAULT_KEYS_BYTES);
    memcpy(keys->origin, bytes, VAULT_KEYS_BYTES);
    keys->has_origin = true;
    enum status status = judge_slots(keys, shown, err);

    if (status == STATUS_OK)
        *out = keys;
    else
        vault_keys_close(keys);
    return status;
}

enum status
vault_keys_open(struct vault_keys **out, const char *path, struct error *err)
{
    struct buffer bytes = {0};
    char shown[300];

    *out = NULL;
    text_quote(shown, sizeof shown, path, strlen(path));
    enum status status = safe_file_read(&bytes, path, 1 << 20, err);

    if (status == STATUS_LIMIT)
        status = error_set(err, STATUS_FORMAT,
                           "%s is damaged: it is too long for a file of "
                           "vault keys",
                           shown);
    if (status == STATUS_OK)
        status = vault_keys_parse(out, bytes.length > 0 ? bytes.data : "",
                                  bytes.length, shown, err);
    buffer_release(&bytes);
    return status;
}

void
vault_keys_close(struct vault_keys *keys)
{
    free(keys);
}

const uint8_t *
vault_keys_id(const struct vault_keys *keys)
{
    return keys->image + AT_ID;
}

const uint8_t *
vault_keys_sealing(const struct vault_keys *keys)
{
    return keys->image + AT_SEALING;
}

const uint8_t *
vault_keys_image(const struct vault_keys *keys)
{
    return keys->has_origin ? keys->origin : keys->image;
}

size_t
vault_keys_slots(const struct vault_keys *keys,
                 struct slot_info out[VAULT_SLOTS])
{
    size_t count = 0;

    for (unsigned i = 1; i <= VAULT_SLOTS; i++) {
        const uint8_t *slot = slot_at(keys, i);

        if (slot_whole(keys, i))
            out[count++] = (struct slot_info){
                .number = i,
                .kind = slot_kind(slot),
                .cost = {number_at(slot + AT_PASSES, 8),
                         number_at(slot + AT_MEMORY, 8) * KIB},
                .created_s = number_at(slot + AT_CREATED, 8),
            };
    }
    return count;
}

const char *
vault_keys_fault(const struct vault_keys *keys, unsigned number)
{
    assert(number >= 1 && number <= VAULT_SLOTS);
    return keys->fault[number - 1][0] != '\0' ? keys->fault[number - 1] : NULL;
}

// -- unlocking --------------------------------------------------------------

/* *master stays NULL where the key is not that of the slot. */
static enum status
unwrap(struct secret **master, const struct vault_keys *keys,
       const uint8_t *slot, const struct secret *kek, struct error *err)
{
    uint8_t aad[AAD_BYTES];
    struct secret *plain;

    slot_aad(aad, keys, slot);
    TRY(secret_open(&plain, VAULT_KEY_BYTES, err));
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            secret_data(plain), NULL, NULL, slot + AT_WRAPPED,
            AT_COMMITMENT - AT_WRAPPED, aad, sizeof aad, slot + AT_NONCE,
            secret_bytes(kek)) == 0)
        *master = plain;
    else
        secret_close(plain);
    return STATUS_OK;
}

/* Is the key that came out the one that went in? */
static enum status
check_commitment(const struct vault_keys *keys, const uint8_t *slot,
                 const struct secret *master, struct error *err)
{
    struct secret *wanted;

    TRY(commitment(&wanted, keys, master, err));
    bool same = secret_equal(secret_bytes(wanted), slot + AT_COMMITMENT,
                             VAULT_KEY_BYTES);
    secret_close(wanted);
    if (same)
        return STATUS_OK;
    return error_set(err, STATUS_INTEGRITY,
                     "slot %u of vault.keys was forged: it opens, but not "
                     "with the key it was made for",
                     (unsigned) number_at(slot + AT_NUMBER, 4));
}

static enum status
try_slot(struct secret **master, const struct vault_keys *keys,
         const uint8_t *slot, const struct credential *credential,
         struct error *err)
{
    struct secret *kek;

    TRY(slot_kek(&kek, slot, credential, err));
    enum status status = unwrap(master, keys, slot, kek, err);

    secret_close(kek);
    if (status != STATUS_OK || *master == NULL)
        return status;
    status = check_commitment(keys, slot, *master, err);
    if (status != STATUS_OK) {
        secret_close(*master);
        *master = NULL;
    }
    return status;
}

/* Are the slots and the sealing key those that were written? */
static enum status
check_file(const struct vault_keys *keys, const struct secret *master,
           struct error *err)
{
    uint8_t mac[MAC_BYTES], sealing[crypto_box_PUBLICKEYBYTES];

    TRY(file_mac(mac, keys, master, err));
    TRY(sealing_key(sealing, keys, master, err));
    if (secret_equal(mac, keys->image + AT_MAC, MAC_BYTES) &&
        secret_equal(sealing, vault_keys_sealing(keys), sizeof sealing))
        return STATUS_OK;
    return error_set(err, STATUS_INTEGRITY,
                     "vault.keys is not as fathom wrote it: a slot was "
                     "changed, put in or taken out");
}

static enum status
none_opened(const struct vault_keys *keys, struct error *err)
{
    for (unsigned i = 1; i <= VAULT_SLOTS; i++)
        if (keys->fault[i - 1][0] != '\0')
            return error_set(err, STATUS_FORMAT,
                             "vault.keys: no slot opens with this, and slot "
                             "%u is damaged: %s",
                             i, keys->fault[i - 1]);
    return error_set(err, STATUS_DENIED, "%s", vault_keys_denied);
}

const char vault_keys_denied[] =
    "the vault does not open with this passphrase, key file or code";

enum status
vault_keys_unlock(struct secret **master, unsigned *slot,
                  const struct vault_keys *keys,
                  const struct credential *credential, struct error *err)
{
    enum slot_kind kind = credential_kind(credential);
    enum status forged = STATUS_OK;

    *master = NULL;
    *slot = 0;
    for (unsigned i = 1; i <= VAULT_SLOTS && *master == NULL; i++) {
        if (!slot_whole(keys, i) || slot_kind(slot_at(keys, i)) != kind)
            continue;
        enum status status =
            try_slot(master, keys, slot_at(keys, i), credential, err);

        if (status == STATUS_INTEGRITY)
            forged = status; // another slot may still open
        else if (status != STATUS_OK)
            return status;
        if (*master != NULL)
            *slot = i;
    }
    if (*master == NULL)
        return forged != STATUS_OK ? forged : none_opened(keys, err);
    enum status status = check_file(keys, *master, err);

    if (status != STATUS_OK && status != STATUS_INTEGRITY) {
        secret_close(*master);
        *master = NULL;
    }
    return status;
}

// -- changing ---------------------------------------------------------------

static enum status
check_credential(const struct credential *credential, struct error *err)
{
    const struct secret *passphrase = credential->passphrase,
                        *file = credential->key_file;

    if (passphrase != NULL && secret_length(passphrase) == 0)
        return error_set(err, STATUS_LIMIT,
                         "an empty passphrase protects nothing");
    if (passphrase != NULL && secret_length(passphrase) > PASSPHRASE_BYTES)
        return error_set(err, STATUS_LIMIT, "a passphrase has at most %d bytes",
                         PASSPHRASE_BYTES);
    if (file != NULL && secret_length(file) < KEY_FILE_LEAST)
        return error_set(err, STATUS_LIMIT, "a key file has at least %d bytes",
                         KEY_FILE_LEAST);
    if (file != NULL && secret_length(file) > KEY_FILE_MOST)
        return error_set(err, STATUS_LIMIT, "a key file has at most %d bytes",
                         KEY_FILE_MOST);
    return STATUS_OK;
}

static void
fill_slot(uint8_t *slot, unsigned number, enum slot_kind kind,
          const struct kdf_cost *cost)
{
    bool stretched = kind != SLOT_RECOVERY;
    time_t now = time(NULL);

    memset(slot, 0, SLOT_BYTES);
    put_number(slot + AT_NUMBER, 4, number);
    put_number(slot + AT_KIND, 4, kind);
    put_number(slot + AT_KDF, 4, stretched ? KDF_ARGON2ID13 : KDF_NONE);
    put_number(slot + AT_PASSES, 8, stretched ? cost->passes : 0);
    put_number(slot + AT_MEMORY, 8, stretched ? cost->memory_bytes / KIB : 0);
    put_number(slot + AT_CREATED, 8, now > 0 ? (uint64_t) now : 0);
    randombytes_buf(slot + AT_SALT, SALT_BYTES);
    randombytes_buf(slot + AT_NONCE, AT_WRAPPED - AT_NONCE);
}

/* Wraps the master key into a slot that has all else but its commitment. */
static enum status
wrap(uint8_t *slot, const struct vault_keys *keys, const struct secret *master,
     const struct credential *credential, struct error *err)
{
    struct secret *kek, *commit = NULL;
    uint8_t aad[AAD_BYTES];

    TRY(slot_kek(&kek, slot, credential, err));
    enum status status = commitment(&commit, keys, master, err);

    if (status == STATUS_OK) {
        slot_aad(aad, keys, slot);
        crypto_aead_xchacha20poly1305_ietf_encrypt(
            slot + AT_WRAPPED, NULL, secret_bytes(master), VAULT_KEY_BYTES, aad,
            sizeof aad, NULL, slot + AT_NONCE, secret_bytes(kek));
        memcpy(slot + AT_COMMITMENT, secret_bytes(commit), VAULT_KEY_BYTES);
    }
    secret_close(commit);
    secret_close(kek);
    return status;
}

static unsigned
first_free(const struct vault_keys *keys)
{
    for (unsigned i = 1; i <= VAULT_SLOTS; i++)
        if (!slot_used(keys, i))
            return i;
    return 0;
}

enum status
vault_keys_put(struct vault_keys *keys, unsigned number,
               const struct secret *master, const struct credential *credential,
               const struct kdf_cost *cost, struct error *err)
{
    enum slot_kind kind = credential_kind(credential);
    uint8_t slot[SLOT_BYTES];

    TRY(check_credential(credential, err));
    if (kind != SLOT_RECOVERY)
        TRY(check_cost(cost, err));
    if (number == 0)
        number = first_free(keys);
    if (number == 0 || number > VAULT_SLOTS)
        return error_set(err, STATUS_LIMIT, "a vault has at most %d slots",
                         VAULT_SLOTS);
    fill_slot(slot, number, kind, cost);
    TRY(wrap(slot, keys, master, credential, err));
    memcpy(slot_data(keys, number), slot, SLOT_BYTES);
    keys->fault[number - 1][0] = '\0';
    return STATUS_OK;
}

enum status
vault_keys_remove(struct vault_keys *keys, unsigned number, struct error *err)
{
    struct slot_info unused[VAULT_SLOTS];

    if (number < 1 || number > VAULT_SLOTS || !slot_used(keys, number))
        return error_set(err, STATUS_LIMIT, "there is no slot %u", number);
    if (slot_whole(keys, number) && vault_keys_slots(keys, unused) == 1)
        return error_set(err, STATUS_LIMIT,
                         "slot %u is the last one: without it nobody could "
                         "open the vault again",
                         number);
    sodium_memzero(slot_data(keys, number), SLOT_BYTES);
    keys->fault[number - 1][0] = '\0';
    return STATUS_OK;
}

static enum status
begin(struct vault_keys **out, struct secret *master, struct error *err)
{
    void *memory;

    TRY(memory_alloc(&memory, sizeof **out, err));
    struct vault_keys *keys = memory;

    memset(keys, 0, sizeof *keys);
    memcpy(keys->image, MAGIC, strlen(MAGIC));
    put_number(keys->image + AT_FORMAT, 4, FORMAT);
    randombytes_buf(keys->image + AT_ID, VAULT_ID_BYTES);
    randombytes_buf(secret_data(master), VAULT_KEY_BYTES);
    *out = keys;
    return sealing_key(keys->image + AT_SEALING, keys, master, err);
}

enum status
vault_keys_create(struct vault_keys **out, struct secret **master,
                  const struct credential *credential,
                  const struct kdf_cost *cost, struct error *err)
{
    *out = NULL;
    TRY(secret_open(master, VAULT_KEY_BYTES, err));
    enum status status = begin(out, *master, err);

    if (status == STATUS_OK)
        status = vault_keys_put(*out, 0, *master, credential, cost, err);
    if (status == STATUS_OK)
        status = file_mac((*out)->image + AT_MAC, *out, *master, err);
    if (status != STATUS_OK) {
        vault_keys_close(*out);
        secret_close(*master);
        *out = NULL;
        *master = NULL;
    }
    return status;
}

/* Nobody else may have changed the file since it was read. */
static enum status
check_unchanged(const struct vault_keys *keys, const char *path,
                struct error *err)
{
    struct buffer now = {0};
    bool there;

    TRY(safe_file_exists(&there, path, err));
    if (!there)
        return STATUS_OK;
    enum status status = safe_file_read(&now, path, 1 << 20, err);
    bool same = status == STATUS_OK && keys->has_origin &&
                now.length == VAULT_KEYS_BYTES &&
                memcmp(now.data, keys->origin, VAULT_KEYS_BYTES) == 0;

    buffer_release(&now);
    if (status != STATUS_OK || same)
        return status;
    if (!keys->has_origin)
        return error_set(err, STATUS_LIMIT, "%.300s is there already", path);
    return error_set(err, STATUS_BUSY,
                     "another process changed %.300s meanwhile, so nothing "
                     "was written; try again",
                     path);
}

enum status
vault_keys_write(struct vault_keys *keys, const struct secret *master,
                 const char *path, struct error *err)
{
    int hold;

    TRY(file_mac(keys->image + AT_MAC, keys, master, err));
    TRY(safe_folder_hold(&hold, path, err));
    enum status status = check_unchanged(keys, path, err);

    if (status == STATUS_OK)
        status =
            safe_file_write(path, keys->image, VAULT_KEYS_BYTES, true, err);
    close(hold);
    if (status == STATUS_OK) {
        memcpy(keys->origin, keys->image, VAULT_KEYS_BYTES);
        keys->has_origin = true;
    }
    return status;
}

enum status
vault_keys_settle(const char *path, struct error *err)
{
    char old[4096];
    int n = snprintf(old, sizeof old, "%s.old", path);

    if (n < 0 || (size_t) n >= sizeof old)
        return error_set(err, STATUS_LIMIT, "a path is too long: %.200s", path);
    int hold;

    TRY(safe_folder_hold(&hold, path, err));
    enum status status = safe_file_remove(old, err);

    if (status == STATUS_OK)
        status = safe_file_sweep(path, err);
    close(hold);
    return status;
}

// -- codes and words --------------------------------------------------------

static const char code_digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

enum status
recovery_create(struct secret **out, struct error *err)
{
    TRY(secret_open(out, RECOVERY_BYTES, err));
    randombytes_buf(secret_data(*out), RECOVERY_BYTES);
    return STATUS_OK;
}

/* Five bits of the code, the first ones first. */
static unsigned
code_digit(const uint8_t *bytes, size_t i)
{
    size_t bit = i * 5, at = bit / 8;
    unsigned pair = (unsigned) bytes[at] << 8 |
                    (at + 1 < RECOVERY_BYTES ? bytes[at + 1] : 0u);

    return pair >> (11 - bit % 8) & 31;
}

void
recovery_text(char out[RECOVERY_TEXT], const struct secret *recovery)
{
    assert(secret_length(recovery) == RECOVERY_BYTES);
    for (size_t i = 0; i < RECOVERY_BYTES * 8 / 5; i++) {
        if (i > 0 && i % 4 == 0)
            *out++ = '-';
        *out++ = code_digits[code_digit(secret_bytes(recovery), i)];
    }
    *out = '\0';
}

/* 0 to 31, -1 for what is passed over, -2 for what does not belong. */
static int
code_value(char typed)
{
    if (typed == ' ' || typed == '-' || typed == '\t')
        return -1;
    if (typed >= 'a' && typed <= 'z')
        typed = (char) (typed - 'a' + 'A');
    if (typed == 'O')
        typed = '0';
    if (typed == 'I' || typed == 'L')
        typed = '1';
    const char *found = typed != '\0' ? strchr(code_digits, typed) : NULL;

    return found != NULL ? (int) (found - code_digits) : -2;
}

enum status
recovery_take(struct secret **out, const char *typed, struct error *err)
{
    size_t digits = 0;
    bool wrong = false;

    TRY(secret_open(out, RECOVERY_BYTES, err));
    uint8_t *bytes = secret_data(*out);

    for (; *typed != '\0'; typed++) {
        int value = code_value(*typed);

        wrong = wrong || value == -2;
        if (value < 0 || digits == RECOVERY_BYTES * 8 / 5) {
            wrong = wrong || value >= 0;
            continue;
        }
        for (size_t i = 0; i < 5; i++) {
            size_t bit = digits * 5 + i;

            bytes[bit / 8] |=
                (uint8_t) ((value >> (4 - i) & 1) << (7 - bit % 8));
        }
        digits++;
    }
    if (!wrong && digits == RECOVERY_BYTES * 8 / 5)
        return STATUS_OK;
    secret_close(*out);
    *out = NULL;
    return error_set(err, STATUS_FORMAT,
                     "a recovery code has %d letters and digits, without U",
                     RECOVERY_BYTES * 8 / 5);
}

enum status
passphrase_generate(struct secret **out, struct error *err)
{
    size_t used = 0;

    TRY(secret_open(out, PHRASE_WORDS * (WORD_LONGEST + 1), err));
    uint8_t *bytes = secret_data(*out);

    for (unsigned i = 0; i < PHRASE_WORDS; i++) {
        const char *word = words[randombytes_uniform(WORDS)];

        if (i > 0)
            bytes[used++] = '-';
        memcpy(bytes + used, word, strlen(word));
        used += strlen(word);
    }
    secret_cut(*out, used);
    return STATUS_OK;
}
