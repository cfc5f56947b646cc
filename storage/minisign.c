/* Lines, base64, and what libsodium says about the bytes. */
#include "config.h"

#include "storage/minisign.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define UNTRUSTED "untrusted comment: "
#define TRUSTED "trusted comment: "

enum {
    PREHASH_BYTES = crypto_generichash_BYTES_MAX,
    CHECK_BYTES = 32,
    SALT_BYTES = crypto_pwhash_scryptsalsa208sha256_SALTBYTES,
    SEALED_BYTES = MINISIGN_SECRET_BYTES + CHECK_BYTES,
    SECRET_HEAD = 6, // "Ed", "Sc", "B2"
    SECRET_FILE = SECRET_HEAD + SALT_BYTES + 16 + SEALED_BYTES,
    PUBLIC_FILE = 2 + MINISIGN_NUMBER_BYTES + MINISIGN_POINT_BYTES,
    SIGNATURE_FILE = 2 + MINISIGN_NUMBER_BYTES + MINISIGN_BYTES,
};

const struct minisign_cost minisign_cost_usual = {
    crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_SENSITIVE,
    crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_SENSITIVE,
};

static enum status
start(struct error *err)
{
    if (sodium_init() < 0)
        return error_set(err, STATUS_IO,
                         "the cryptographic library cannot be started");
    return STATUS_OK;
}

/* -- reading -----------------------------------------------------------------
 */

/* A file of lines. */
struct lines {
    const char *at, *end;
    const char *shown;
    unsigned number;
};

struct line {
    const char *bytes;
    size_t length;
};

static enum status
lines_begin(struct lines *out, const char *shown, const char *text,
            size_t length, struct error *err)
{
    *out = (struct lines){.at = text, .end = text + length, .shown = shown};
    if (length > MINISIGN_FILE_BYTES)
        return error_set(err, STATUS_FORMAT,
                         "%s is too large for a key or signature", shown);
    return start(err);
}

static enum status
bad_line(const struct lines *lines, const char *what, struct error *err)
{
    return error_set(err, STATUS_FORMAT, "%s line %u: %s", lines->shown,
                     lines->number, what);
}

static enum status
next_line(struct line *out, struct lines *lines, struct error *err)
{
    lines->number++;
    if (lines->at == lines->end)
        return bad_line(lines, "it is missing", err);
    const char *stop =
        memchr(lines->at, '\n', (size_t) (lines->end - lines->at));
    const char *end = stop ? stop : lines->end;

    *out = (struct line){lines->at, (size_t) (end - lines->at)};
    lines->at = stop ? stop + 1 : lines->end;
    if (out->length > 0 && out->bytes[out->length - 1] == '\r')
        out->length--;
    return STATUS_OK;
}

static enum status
lines_end(struct lines *lines, struct error *err)
{
    lines->number++;
    if (lines->at != lines->end)
        return bad_line(lines, "there is more than there should be", err);
    return STATUS_OK;
}

/* A line that begins with `prefix`, which is taken off. */
static enum status
next_comment(struct line *out, struct lines *lines, const char *prefix,
             struct error *err)
{
    size_t length = strlen(prefix);

    TRY(next_line(out, lines, err));
    if (out->length < length || memcmp(out->bytes, prefix, length) != 0)
        return bad_line(lines, "it does not begin as minisign's files do", err);
    out->bytes += length;
    out->length -= length;
    return STATUS_OK;
}

/* A line of base64 that holds exactly `size` bytes. */
static enum status
next_bytes(uint8_t *out, size_t size, struct lines *lines, struct error *err)
{
    struct line line;
    size_t got = 0;

    TRY(next_line(&line, lines, err));
    if (sodium_base642bin(out, size, line.bytes, line.length, NULL, &got, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        got != size)
        return bad_line(lines, "it is not what minisign writes here", err);
    return STATUS_OK;
}

enum status
minisign_read_key(struct minisign_key *out, const char *shown, const char *text,
                  size_t length, struct error *err)
{
    uint8_t bytes[PUBLIC_FILE];
    struct lines lines;
    struct line comment;

    TRY(lines_begin(&lines, shown, text, length, err));
    TRY(next_comment(&comment, &lines, UNTRUSTED, err));
    TRY(next_bytes(bytes, sizeof bytes, &lines, err));
    if (memcmp(bytes, "Ed", 2) != 0)
        return bad_line(&lines, "it is not an Ed25519 key", err);
    TRY(lines_end(&lines, err));
    memcpy(out->number, bytes + 2, sizeof out->number);
    memcpy(out->point, bytes + 2 + sizeof out->number, sizeof out->point);
    return STATUS_OK;
}

/* One line of UTF-8 without controls but for the tabs that minisign puts in. */
static bool
is_comment(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char) text[i];

        if ((c < ' ' && c != '\t') || c == 0x7F)
            return false;
    }
    return length < MINISIGN_COMMENT_BYTES && utf8_valid(text, length);
}

enum status
minisign_read_signature(struct minisign_signature *out, const char *shown,
                        const char *text, size_t length, struct error *err)
{
    uint8_t bytes[SIGNATURE_FILE];
    struct lines lines;
    struct line comment;

    TRY(lines_begin(&lines, shown, text, length, err));
    TRY(next_comment(&comment, &lines, UNTRUSTED, err));
    TRY(next_bytes(bytes, sizeof bytes, &lines, err));
    if (memcmp(bytes, "Ed", 2) == 0)
        return error_set(err, STATUS_UNSUPPORTED,
                         "%s is a signature of the old kind, which is refused; "
                         "sign anew with minisign 0.10 or later",
                         shown);
    if (memcmp(bytes, "ED", 2) != 0)
        return bad_line(&lines, "it is not an Ed25519 signature", err);
    memcpy(out->number, bytes + 2, sizeof out->number);
    memcpy(out->bytes, bytes + 2 + sizeof out->number, sizeof out->bytes);
    TRY(next_comment(&comment, &lines, TRUSTED, err));
    if (!is_comment(comment.bytes, comment.length))
        return bad_line(&lines, "the comment is not a line of text", err);
    memcpy(out->trusted, comment.bytes, comment.length);
    out->trusted[comment.length] = '\0';
    TRY(next_bytes(out->global, sizeof out->global, &lines, err));
    return lines_end(&lines, err);
}

void
minisign_id_text(char out[MINISIGN_ID_TEXT],
                 const uint8_t number[MINISIGN_NUMBER_BYTES])
{
    for (size_t i = 0; i < MINISIGN_NUMBER_BYTES; i++)
        snprintf(out + 2 * i, 3, "%02X",
                 (unsigned) number[MINISIGN_NUMBER_BYTES - 1 - i]);
}

bool
minisign_id_read(uint8_t out[MINISIGN_NUMBER_BYTES], const char *text)
{
    uint8_t bytes[MINISIGN_NUMBER_BYTES];
    size_t got;

    if (strlen(text) != MINISIGN_ID_TEXT - 1 ||
        sodium_hex2bin(bytes, sizeof bytes, text, MINISIGN_ID_TEXT - 1, NULL,
                       &got, NULL) != 0 ||
        got != sizeof bytes)
        return false;
    for (size_t i = 0; i < sizeof bytes; i++)
        out[i] = bytes[sizeof bytes - 1 - i];
    return true;
}

/* -- verifying ---------------------------------------------------------------
 */

static void
prehash(uint8_t out[PREHASH_BYTES], const void *message, size_t length)
{
    crypto_generichash(out, PREHASH_BYTES, message, length, NULL, 0);
}

/* What the second signature is over; returns its length. */
static size_t
global_message(uint8_t out[MINISIGN_BYTES + MINISIGN_COMMENT_BYTES],
               const uint8_t signature[MINISIGN_BYTES], const char *trusted)
{
    size_t length = strlen(trusted);

    assert(length < MINISIGN_COMMENT_BYTES);
    memcpy(out, signature, MINISIGN_BYTES);
    memcpy(out + MINISIGN_BYTES, trusted, length);
    return MINISIGN_BYTES + length;
}

enum status
minisign_verify(const struct minisign_signature *by,
                const struct minisign_key *key, const char *shown,
                const void *message, size_t length, struct error *err)
{
    uint8_t hash[PREHASH_BYTES];
    uint8_t global[MINISIGN_BYTES + MINISIGN_COMMENT_BYTES];

    TRY(start(err));
    if (memcmp(by->number, key->number, sizeof by->number) != 0)
        return error_set(err, STATUS_SIGNATURE, "%s is signed with another key",
                         shown);
    prehash(hash, message, length);
    if (crypto_sign_verify_detached(by->bytes, hash, sizeof hash, key->point))
        return error_set(err, STATUS_SIGNATURE,
                         "%s is not what was signed: it or its signature was "
                         "changed",
                         shown);
    size_t bytes = global_message(global, by->bytes, by->trusted);

    if (crypto_sign_verify_detached(by->global, global, bytes, key->point))
        return error_set(err, STATUS_SIGNATURE,
                         "the comment of the signature of %s was changed",
                         shown);
    return STATUS_OK;
}

/* -- secret keys -------------------------------------------------------------
 */

enum status
minisign_create(struct secret **out, struct error *err)
{
    uint8_t point[MINISIGN_POINT_BYTES];

    *out = NULL;
    TRY(start(err));
    TRY(secret_open(out, MINISIGN_SECRET_BYTES, err));
    randombytes_buf(secret_data(*out), MINISIGN_NUMBER_BYTES);
    crypto_sign_keypair(point, secret_data(*out) + MINISIGN_NUMBER_BYTES);
    return STATUS_OK;
}

void
minisign_public(struct minisign_key *out, const struct secret *key)
{
    memcpy(out->number, secret_bytes(key), sizeof out->number);
    crypto_sign_ed25519_sk_to_pk(out->point,
                                 secret_bytes(key) + sizeof out->number);
}

/* Of "Ed", number and key. */
static void
secret_check(uint8_t out[CHECK_BYTES], const uint8_t key[MINISIGN_SECRET_BYTES])
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, NULL, 0, CHECK_BYTES);
    crypto_generichash_update(&state, (const uint8_t *) "Ed", 2);
    crypto_generichash_update(&state, key, MINISIGN_SECRET_BYTES);
    crypto_generichash_final(&state, out, CHECK_BYTES);
    sodium_memzero(&state, sizeof state);
}

/* XORs `sealed` with what scrypt makes of the passphrase. */
static enum status
scrypt_mask(uint8_t sealed[SEALED_BYTES], const struct secret *passphrase,
            const uint8_t salt[SALT_BYTES], const struct minisign_cost *cost,
            struct error *err)
{
    struct secret *mask = NULL;

    TRY(secret_open(&mask, SEALED_BYTES, err));
    int failed = crypto_pwhash_scryptsalsa208sha256(
        secret_data(mask), SEALED_BYTES,
        (const char *) secret_bytes(passphrase), secret_length(passphrase),
        salt, cost->operations, (size_t) cost->memory_bytes);

    for (size_t i = 0; i < SEALED_BYTES && !failed; i++)
        sealed[i] ^= secret_bytes(mask)[i];
    secret_close(mask);
    if (failed)
        return error_set(err, STATUS_NOMEM,
                         "there is not the memory that the passphrase of the "
                         "signing key needs (%llu MiB)",
                         (unsigned long long) (cost->memory_bytes >> 20));
    return STATUS_OK;
}

static uint64_t
read_u64(const uint8_t *at)
{
    uint64_t value = 0;

    for (int i = 7; i >= 0; i--)
        value = value << 8 | at[i];
    return value;
}

static void
write_u64(uint8_t *at, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t) (value >> (8 * i));
}

/* Opens the 158 bytes of a secret key's file, in place. */
static enum status
unseal(struct secret **out, bool *locked, uint8_t bytes[SECRET_FILE],
       const char *shown, const struct secret *passphrase, struct error *err)
{
    const uint8_t *salt = bytes + SECRET_HEAD;
    struct minisign_cost cost = {read_u64(salt + SALT_BYTES),
                                 read_u64(salt + SALT_BYTES + 8)};
    uint8_t *sealed = bytes + SECRET_FILE - SEALED_BYTES, check[CHECK_BYTES];

    *locked = memcmp(bytes + 2, "Sc", 2) == 0;
    if (memcmp(bytes, "Ed", 2) != 0 || memcmp(bytes + 4, "B2", 2) != 0 ||
        (!*locked && memcmp(bytes + 2, "\0\0", 2) != 0))
        return error_set(err, STATUS_FORMAT,
                         "%s is not a secret key of a kind that is known",
                         shown);
    if (cost.operations > minisign_cost_usual.operations ||
        cost.memory_bytes > minisign_cost_usual.memory_bytes)
        return error_set(err, STATUS_LIMIT,
                         "%s asks for more work than minisign ever does",
                         shown);
    if (*locked && passphrase == NULL)
        return STATUS_OK;
    if (*locked)
        TRY(scrypt_mask(sealed, passphrase, salt, &cost, err));
    secret_check(check, sealed);
    if (*locked &&
        sodium_memcmp(check, sealed + MINISIGN_SECRET_BYTES, CHECK_BYTES) != 0)
        return error_set(err, STATUS_DENIED, "that is not the passphrase of %s",
                         shown);
    TRY(secret_open(out, MINISIGN_SECRET_BYTES, err));
    memcpy(secret_data(*out), sealed, MINISIGN_SECRET_BYTES);
    return STATUS_OK;
}

enum status
minisign_read_secret(struct secret **out, bool *locked, const char *shown,
                     const char *text, size_t length,
                     const struct secret *passphrase, struct error *err)
{
    uint8_t bytes[SECRET_FILE];
    struct lines lines;
    struct line comment;

    *out = NULL;
    *locked = false;
    TRY(lines_begin(&lines, shown, text, length, err));
    TRY(next_comment(&comment, &lines, UNTRUSTED, err));
    enum status status = next_bytes(bytes, sizeof bytes, &lines, err);

    if (status == STATUS_OK)
        status = lines_end(&lines, err);
    if (status == STATUS_OK)
        status = unseal(out, locked, bytes, shown, passphrase, err);
    sodium_memzero(bytes, sizeof bytes);
    return status;
}

/* -- writing -----------------------------------------------------------------
 */

static enum status
append_base64(struct buffer *out, const uint8_t *bytes, size_t length,
              struct error *err)
{
    char text[sodium_base64_ENCODED_LEN(SECRET_FILE,
                                        sodium_base64_VARIANT_ORIGINAL)];

    assert(length <= SECRET_FILE);
    sodium_bin2base64(text, sizeof text, bytes, length,
                      sodium_base64_VARIANT_ORIGINAL);
    enum status status = buffer_print(out, err, "%s\n", text);

    sodium_memzero(text, sizeof text);
    return status;
}

enum status
minisign_write_key(struct buffer *out, const struct minisign_key *key,
                   struct error *err)
{
    uint8_t bytes[PUBLIC_FILE] = {'E', 'd'};
    char id[MINISIGN_ID_TEXT];

    memcpy(bytes + 2, key->number, sizeof key->number);
    memcpy(bytes + 2 + sizeof key->number, key->point, sizeof key->point);
    minisign_id_text(id, key->number);
    TRY(buffer_print(out, err, UNTRUSTED "minisign public key %s\n", id));
    return append_base64(out, bytes, sizeof bytes, err);
}

enum status
minisign_write_secret(struct buffer *out, const struct secret *key,
                      const struct secret *passphrase,
                      const struct minisign_cost *cost, struct error *err)
{
    uint8_t bytes[SECRET_FILE] = {'E', 'd', 0, 0, 'B', '2'};
    uint8_t *salt = bytes + SECRET_HEAD;
    uint8_t *sealed = bytes + SECRET_FILE - SEALED_BYTES;
    enum status status = STATUS_OK;

    memcpy(sealed, secret_bytes(key), MINISIGN_SECRET_BYTES);
    if (passphrase) {
        memcpy(bytes + 2, "Sc", 2);
        randombytes_buf(salt, SALT_BYTES);
        write_u64(salt + SALT_BYTES, cost->operations);
        write_u64(salt + SALT_BYTES + 8, cost->memory_bytes);
        secret_check(sealed + MINISIGN_SECRET_BYTES, sealed);
        status = scrypt_mask(sealed, passphrase, salt, cost, err);
    }
    if (status == STATUS_OK)
        status =
            buffer_print(out, err, UNTRUSTED "minisign encrypted secret key\n");
    if (status == STATUS_OK)
        status = append_base64(out, bytes, sizeof bytes, err);
    sodium_memzero(bytes, sizeof bytes);
    return status;
}

enum status
minisign_sign(struct buffer *out, const struct secret *key, const void *message,
              size_t length, const char *trusted, struct error *err)
{
    uint8_t hash[PREHASH_BYTES], bytes[SIGNATURE_FILE] = {'E', 'D'};
    uint8_t *signature = bytes + 2 + MINISIGN_NUMBER_BYTES;
    uint8_t global[MINISIGN_BYTES + MINISIGN_COMMENT_BYTES],
        second[MINISIGN_BYTES];
    const uint8_t *secret = secret_bytes(key) + MINISIGN_NUMBER_BYTES;

    if (!is_comment(trusted, strlen(trusted)))
        return error_set(err, STATUS_FORMAT,
                         "the comment of a signature is one line of at most "
                         "%d bytes of text",
                         MINISIGN_COMMENT_BYTES - 1);
    TRY(start(err));
    memcpy(bytes + 2, secret_bytes(key), MINISIGN_NUMBER_BYTES);
    prehash(hash, message, length);
    crypto_sign_detached(signature, NULL, hash, sizeof hash, secret);
    size_t all = global_message(global, signature, trusted);

    crypto_sign_detached(second, NULL, global, all, secret);
    TRY(buffer_print(out, err, UNTRUSTED "signature from fathom\n"));
    TRY(append_base64(out, bytes, sizeof bytes, err));
    TRY(buffer_print(out, err, TRUSTED "%s\n", trusted));
    return append_base64(out, second, sizeof second, err);
}
