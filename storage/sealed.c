/* Sealing rows with libsodium; sealed.h has the bytes. */
#include "config.h"

#include "storage/sealed.h"
#include "storage/little_endian.h"

#include <sodium.h>
#include <string.h>

static const char PREFIX[10] = {'f', 'a', 't', 'h', 'o',
                                'm', '-', 'r', 'o', 'w'};

void
sealed_place_bytes(uint8_t out[SEALED_PLACE_BYTES],
                   const struct sealed_place *place)
{
    memcpy(out, PREFIX, sizeof PREFIX);
    put_u32(out + 10, place->format);
    memcpy(out + 14, place->vault, VAULT_ID_BYTES);
    put_u64(out + 30, place->row);
    put_u32(out + 38, (uint32_t) place->kind);
    memcpy(out + 42, place->chat.bytes, sizeof place->chat.bytes);
    put_u64(out + 58, place->generation);
}

static unsigned
floor_log2(size_t value)
{
    unsigned log = 0;

    while (value >>= 1)
        log++;
    return log;
}

size_t
sealed_padded(size_t bytes)
{
    size_t length = bytes + 4;
    unsigned e, s;
    size_t mask;

    if (length <= SEALED_LEAST_BYTES)
        return SEALED_LEAST_BYTES;
    e = floor_log2(length);
    s = floor_log2(e) + 1;
    mask = ((size_t) 1 << (e - s)) - 1;
    return (length + mask) & ~mask;
}

enum status
sealed_close(struct buffer *out, const uint8_t key[SEALED_KEY_BYTES],
             const struct sealed_place *place, const void *body, size_t bytes,
             struct error *err)
{
    uint8_t bound[SEALED_PLACE_BYTES];
    uint8_t *row;
    size_t padded;

    if (bytes > SEALED_BODY_BYTES)
        return error_set(err, STATUS_LIMIT,
                         "a row of %zu bytes is more than the vault takes",
                         bytes);
    padded = sealed_padded(bytes);
    buffer_clear(out);
    TRY(buffer_reserve(out, SEALED_NONCE_BYTES + padded + SEALED_TAG_BYTES,
                       err));
    row = (uint8_t *) out->data;
    randombytes_buf(row, SEALED_NONCE_BYTES);
    put_u32(row + SEALED_NONCE_BYTES, (uint32_t) bytes);
    if (bytes > 0)
        memcpy(row + SEALED_NONCE_BYTES + 4, body, bytes);
    memset(row + SEALED_NONCE_BYTES + 4 + bytes, 0, padded - 4 - bytes);
    sealed_place_bytes(bound, place);
    // in place: no second copy of the text is left behind
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        row + SEALED_NONCE_BYTES, NULL, row + SEALED_NONCE_BYTES, padded, bound,
        sizeof bound, NULL, row, key);
    out->length = SEALED_NONCE_BYTES + padded + SEALED_TAG_BYTES;
    return STATUS_OK;
}

/* Takes length and padding off what was opened. */
static bool
unpad(struct buffer *body)
{
    const uint8_t *bytes = (const uint8_t *) body->data;
    size_t length = get_u32(bytes);

    if (length > body->length - 4 || sealed_padded(length) != body->length)
        return false;
    if (!sodium_is_zero(bytes + 4 + length, body->length - 4 - length))
        return false;
    body->length = 4 + length;
    buffer_drop(body, 4);
    body->data[length] = 0;
    return true;
}

enum status
sealed_open(struct buffer *out, const uint8_t key[SEALED_KEY_BYTES],
            const struct sealed_place *place, const void *row, size_t bytes,
            struct error *err)
{
    const size_t around = SEALED_NONCE_BYTES + SEALED_TAG_BYTES;
    const uint8_t *nonce = row;
    uint8_t bound[SEALED_PLACE_BYTES];
    unsigned long long opened;

    buffer_clear(out);
    if (bytes < around + SEALED_LEAST_BYTES ||
        bytes > around + sealed_padded(SEALED_BODY_BYTES))
        return error_set(err, STATUS_INTEGRITY, "a row has a wrong length");
    TRY(buffer_reserve(out, bytes - around, err));
    sealed_place_bytes(bound, place);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            (uint8_t *) out->data, &opened, NULL, nonce + SEALED_NONCE_BYTES,
            bytes - SEALED_NONCE_BYTES, bound, sizeof bound, nonce, key) != 0)
        return error_set(err, STATUS_INTEGRITY,
                         "a row was changed or is not where it belongs");
    out->length = (size_t) opened;
    if (unpad(out))
        return STATUS_OK;
    buffer_clear(out);
    return error_set(err, STATUS_INTEGRITY, "a row is padded wrongly");
}
