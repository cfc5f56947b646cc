/*
 * Numbers are little-endian.
 *
 *   0  8  "fathomex"
 *   8  4  format, 1
 *  12  4  kdf: 1, Argon2id 1.3 with one lane
 *  16  8  passes
 *  24  8  memory in KiB
 *  32 16  salt
 *  48 24  header of the stream
 *  72 32  BLAKE2b of the 72 bytes before, keyed: ties passphrase and header
 * 104     chunks of 65,536 bytes, and 17 more each; the last is shorter or
 *         as long, is never missing, and alone has TAG_FINAL
 *
 * Argon2id gives 64 bytes: the stream's key, and the key of the hash.
 */
#include "config.h"

#include "storage/sealed_export.h"

#include "storage/little_endian.h"

#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "fathomex"

enum {
    FORMAT = 1,
    KDF_ARGON2ID13 = 1,
    AT_FORMAT = 8,
    AT_KDF = 12,
    AT_PASSES = 16,
    AT_MEMORY = 24,
    AT_SALT = 32,
    AT_STREAM = 48,
    AT_HASH = 72,
    HASH_BYTES = 32,
    STREAM_KEY_BYTES = crypto_secretstream_xchacha20poly1305_KEYBYTES,
    DERIVED_BYTES = STREAM_KEY_BYTES + HASH_BYTES,
    KIB = 1024,
};

static_assert(crypto_pwhash_SALTBYTES == AT_STREAM - AT_SALT, "the salt");
static_assert(crypto_secretstream_xchacha20poly1305_HEADERBYTES ==
                  AT_HASH - AT_STREAM,
              "the stream's header");
static_assert(AT_HASH + HASH_BYTES == SEALED_EXPORT_HEAD, "the header");
static_assert(crypto_secretstream_xchacha20poly1305_ABYTES ==
                  SEALED_EXPORT_MORE,
              "what a chunk is longer");

typedef crypto_secretstream_xchacha20poly1305_state stream_state;

struct sealed_export {
    struct secret *state;  // a stream_state
    struct buffer waiting; // plain bytes, less than a chunk
};

static stream_state *
state_of(struct secret *secret)
{
    return (void *) secret_data(secret);
}

/* -- header ------------------------------------------------------------------
 */

static enum status
derive(struct secret **out, const uint8_t head[SEALED_EXPORT_HEAD],
       const struct secret *passphrase, const struct kdf_cost *cost,
       struct error *err)
{
    TRY(secret_open(out, DERIVED_BYTES, err));
    if (crypto_pwhash(secret_data(*out), DERIVED_BYTES,
                      (const char *) secret_bytes(passphrase),
                      secret_length(passphrase), head + AT_SALT, cost->passes,
                      (size_t) cost->memory_bytes,
                      crypto_pwhash_ALG_ARGON2ID13) == 0)
        return STATUS_OK;
    secret_close(*out);
    *out = NULL;
    return error_set(err, STATUS_NOMEM,
                     "there is no memory for the passphrase's %" PRIu64 " MiB",
                     cost->memory_bytes >> 20);
}

static void
hash_head(uint8_t out[HASH_BYTES], const uint8_t head[SEALED_EXPORT_HEAD],
          const struct secret *derived)
{
    int failed = crypto_generichash(out, HASH_BYTES, head, AT_HASH,
                                    secret_bytes(derived) + STREAM_KEY_BYTES,
                                    HASH_BYTES);

    assert(failed == 0);
}

static enum status
check_cost(const struct kdf_cost *cost, struct error *err)
{
    if (cost->passes < crypto_pwhash_OPSLIMIT_MIN ||
        cost->memory_bytes < crypto_pwhash_MEMLIMIT_MIN)
        return error_set(err, STATUS_FORMAT,
                         "its header asks for less than Argon2id can do");
    if (cost->passes > kdf_most.passes ||
        cost->memory_bytes > kdf_most.memory_bytes)
        return error_set(err, STATUS_LIMIT,
                         "its passphrase costs more than the %" PRIu64
                         " passes over %" PRIu64 " MiB that are allowed",
                         kdf_most.passes, kdf_most.memory_bytes >> 20);
    return STATUS_OK;
}

/* -- sealing -----------------------------------------------------------------
 */

static void
fill_head(uint8_t head[SEALED_EXPORT_HEAD], const struct kdf_cost *cost)
{
    memcpy(head, MAGIC, AT_FORMAT);
    put_u32(head + AT_FORMAT, FORMAT);
    put_u32(head + AT_KDF, KDF_ARGON2ID13);
    put_u64(head + AT_PASSES, cost->passes);
    put_u64(head + AT_MEMORY, cost->memory_bytes / KIB);
    randombytes_buf(head + AT_SALT, AT_STREAM - AT_SALT);
}

static enum status
begin(struct sealed_export *export, struct buffer *sealed,
      const struct secret *passphrase, const struct kdf_cost *cost,
      struct error *err)
{
    uint8_t head[SEALED_EXPORT_HEAD];
    struct secret *derived;

    fill_head(head, cost);
    TRY(secret_open(&export->state, sizeof(stream_state), err));
    TRY(derive(&derived, head, passphrase, cost, err));
    crypto_secretstream_xchacha20poly1305_init_push(
        state_of(export->state), head + AT_STREAM, secret_bytes(derived));
    hash_head(head + AT_HASH, head, derived);
    secret_close(derived);
    return buffer_append(sealed, head, sizeof head, err);
}

enum status
sealed_export_begin(struct sealed_export **out, struct buffer *sealed,
                    const struct secret *passphrase,
                    const struct kdf_cost *cost, struct error *err)
{
    struct kdf_cost whole = {cost->passes, cost->memory_bytes / KIB * KIB};
    void *memory;

    *out = NULL;
    TRY(check_cost(&whole, err));
    TRY(memory_alloc(&memory, sizeof **out, err));
    *out = memory;
    **out = (struct sealed_export){0};
    enum status status = begin(*out, sealed, passphrase, &whole, err);

    if (status != STATUS_OK) {
        sealed_export_close(*out);
        *out = NULL;
    }
    return status;
}

static enum status
seal_chunk(struct sealed_export *export, struct buffer *sealed, size_t length,
           uint8_t tag, struct error *err)
{
    TRY(buffer_reserve(sealed, length + SEALED_EXPORT_MORE, err));
    int failed = crypto_secretstream_xchacha20poly1305_push(
        state_of(export->state), (uint8_t *) sealed->data + sealed->length,
        NULL, (const uint8_t *) export->waiting.data, length, NULL, 0, tag);

    assert(failed == 0);
    sealed->length += length + SEALED_EXPORT_MORE;
    sealed->data[sealed->length] = '\0';
    buffer_drop(&export->waiting, length);
    return STATUS_OK;
}

enum status
sealed_export_write(struct sealed_export *export, struct buffer *sealed,
                    const void *bytes, size_t length, struct error *err)
{
    const char *at = bytes;

    while (length > 0) {
        size_t room = SEALED_EXPORT_CHUNK - export->waiting.length;
        size_t piece = length < room ? length : room;

        TRY(buffer_append(&export->waiting, at, piece, err));
        at += piece;
        length -= piece;
        // a full chunk waits for more, since it may be the last one
        if (length > 0 && export->waiting.length == SEALED_EXPORT_CHUNK)
            TRY(seal_chunk(export, sealed, SEALED_EXPORT_CHUNK,
                           crypto_secretstream_xchacha20poly1305_TAG_MESSAGE,
                           err));
    }
    return STATUS_OK;
}

enum status
sealed_export_finish(struct sealed_export *export, struct buffer *sealed,
                     struct error *err)
{
    return seal_chunk(export, sealed, export->waiting.length,
                      crypto_secretstream_xchacha20poly1305_TAG_FINAL, err);
}

void
sealed_export_close(struct sealed_export *export)
{
    if (export == NULL)
        return;
    secret_close(export->state);
    buffer_release(&export->waiting);
    free(export);
}

/* -- opening -----------------------------------------------------------------
 */

bool
sealed_export_is(const void *bytes, size_t length)
{
    return length >= AT_FORMAT && memcmp(bytes, MAGIC, AT_FORMAT) == 0;
}

static enum status
read_head(struct kdf_cost *cost, const uint8_t *bytes, size_t length,
          struct error *err)
{
    if (!sealed_export_is(bytes, length))
        return error_set(err, STATUS_FORMAT, "it is no encrypted export");
    if (length < SEALED_EXPORT_LEAST)
        return error_set(err, STATUS_FORMAT, "it was cut off");
    if (get_u32(bytes + AT_FORMAT) != FORMAT ||
        get_u32(bytes + AT_KDF) != KDF_ARGON2ID13)
        return error_set(err, STATUS_UNSUPPORTED,
                         "it was written by a newer fathom");
    uint64_t kib = get_u64(bytes + AT_MEMORY);

    cost->passes = get_u64(bytes + AT_PASSES);
    cost->memory_bytes = kib < UINT64_MAX / KIB ? kib * KIB : UINT64_MAX;
    return check_cost(cost, err);
}

static enum status
open_chunks(struct buffer *plain, struct secret *state, const uint8_t *bytes,
            size_t length, struct error *err)
{
    uint8_t tag = 0;

    for (size_t at = SEALED_EXPORT_HEAD; at < length;) {
        size_t left = length - at,
               most = SEALED_EXPORT_CHUNK + SEALED_EXPORT_MORE;
        size_t chunk = left < most ? left : most;
        unsigned long long got;

        if (chunk < SEALED_EXPORT_MORE ||
            tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL)
            return error_set(err, STATUS_FORMAT, "it was changed or cut off");
        TRY(buffer_reserve(plain, chunk, err));
        if (crypto_secretstream_xchacha20poly1305_pull(
                state_of(state), (uint8_t *) plain->data + plain->length, &got,
                &tag, bytes + at, chunk, NULL, 0) != 0)
            return error_set(err, STATUS_FORMAT, "it was changed or cut off");
        plain->length += (size_t) got;
        plain->data[plain->length] = '\0';
        at += chunk;
    }
    return tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL
               ? STATUS_OK
               : error_set(err, STATUS_FORMAT, "it was cut off");
}

static enum status
open_stream(struct buffer *plain, struct secret *state, const uint8_t *bytes,
            size_t length, const struct secret *derived, struct error *err)
{
    uint8_t hash[HASH_BYTES];

    hash_head(hash, bytes, derived);
    if (!secret_equal(hash, bytes + AT_HASH, HASH_BYTES))
        return error_set(err, STATUS_DENIED,
                         "the passphrase is wrong, or its header was changed");
    if (crypto_secretstream_xchacha20poly1305_init_pull(
            state_of(state), bytes + AT_STREAM, secret_bytes(derived)) != 0)
        return error_set(err, STATUS_FORMAT, "its header is damaged");
    return open_chunks(plain, state, bytes, length, err);
}

enum status
sealed_export_open(struct buffer *plain, const void *sealed, size_t length,
                   const struct secret *passphrase, struct error *err)
{
    struct secret *derived = NULL, *state = NULL;
    size_t before = plain->length;
    const uint8_t *bytes = sealed;
    struct kdf_cost cost;

    TRY(read_head(&cost, bytes, length, err));
    enum status status = derive(&derived, bytes, passphrase, &cost, err);

    if (status == STATUS_OK)
        status = secret_open(&state, sizeof(stream_state), err);
    if (status == STATUS_OK)
        status = open_stream(plain, state, bytes, length, derived, err);
    if (status != STATUS_OK && plain->length > before) {
        explicit_bzero(plain->data + before, plain->length - before);
        plain->length = before;
        plain->data[before] = '\0';
    }
    secret_close(state);
    secret_close(derived);
    return status;
}
