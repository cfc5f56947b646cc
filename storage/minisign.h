/*
 * Keys and signatures as minisign writes them, so that either program can
 * check and make what the other uses. Signatures are Ed25519 over the
 * BLAKE2b-512 of the message ("ED"); those over the message itself ("Ed"),
 * which old programs made, are refused. The trusted comment is signed with
 * them and checked always.
 *
 *   public key   a comment; base64 of "Ed", number (8), point (32)
 *   signature    a comment; base64 of "ED", number (8), signature (64);
 *                "trusted comment: TEXT"; base64 of the signature (64) over
 *                the signature and TEXT
 *   secret key   a comment; base64 of "Ed", "Sc" or two zeros, "B2",
 *                salt (32), operations (8), memory (8), and then, XORed with
 *                scrypt's output where it is "Sc": number (8), key (64) and
 *                the BLAKE2b-256 of "Ed", number and key
 *
 * A key's number names it and proves nothing. Messages name files by `shown`.
 */
#ifndef FATHOM_STORAGE_MINISIGN_H
#define FATHOM_STORAGE_MINISIGN_H

#include "storage/secret.h"

enum {
    MINISIGN_NUMBER_BYTES = 8,
    MINISIGN_POINT_BYTES = 32,
    MINISIGN_BYTES = 64, // a signature
    MINISIGN_SECRET_BYTES = MINISIGN_NUMBER_BYTES + 64,
    MINISIGN_ID_TEXT = 17,          // 16 digits, as minisign shows a number
    MINISIGN_COMMENT_BYTES = 1024,  // with its NUL
    MINISIGN_FILE_BYTES = 4 * 1024, // the largest that is read
};

struct minisign_key {
    uint8_t number[MINISIGN_NUMBER_BYTES];
    uint8_t point[MINISIGN_POINT_BYTES];
};

struct minisign_signature {
    uint8_t number[MINISIGN_NUMBER_BYTES];
    uint8_t bytes[MINISIGN_BYTES];
    uint8_t global[MINISIGN_BYTES];
    char trusted[MINISIGN_COMMENT_BYTES]; // not true before it is verified
};

MUST_CHECK enum status minisign_read_key(struct minisign_key *out,
                                         const char *shown, const char *text,
                                         size_t length, struct error *err);
MUST_CHECK enum status minisign_read_signature(struct minisign_signature *out,
                                               const char *shown,
                                               const char *text, size_t length,
                                               struct error *err);

void minisign_id_text(char out[MINISIGN_ID_TEXT],
                      const uint8_t number[MINISIGN_NUMBER_BYTES]);
/* 16 hexadecimal digits; false when they are not. */
bool minisign_id_read(uint8_t out[MINISIGN_NUMBER_BYTES], const char *text);

/* Message and trusted comment; STATUS_SIGNATURE when one is not the key's. */
MUST_CHECK enum status minisign_verify(const struct minisign_signature *by,
                                       const struct minisign_key *key,
                                       const char *shown, const void *message,
                                       size_t length, struct error *err);

/* -- secret keys: MINISIGN_SECRET_BYTES, number and key ----------------------
 */

/* What scrypt may cost; minisign's own choice is the most that is read. */
struct minisign_cost {
    uint64_t operations, memory_bytes;
};
extern const struct minisign_cost minisign_cost_usual;

MUST_CHECK enum status minisign_create(struct secret **out, struct error *err);
void minisign_public(struct minisign_key *out, const struct secret *key);

/*
 * Reads a secret key; *locked tells that it needs a passphrase, and without
 * one *out stays NULL. STATUS_DENIED: it is another passphrase.
 */
MUST_CHECK enum status minisign_read_secret(struct secret **out, bool *locked,
                                            const char *shown, const char *text,
                                            size_t length,
                                            const struct secret *passphrase,
                                            struct error *err);
/* Appends the files' texts; a NULL passphrase leaves the key in the clear. */
MUST_CHECK enum status minisign_write_secret(struct buffer *out,
                                             const struct secret *key,
                                             const struct secret *passphrase,
                                             const struct minisign_cost *cost,
                                             struct error *err);
MUST_CHECK enum status minisign_write_key(struct buffer *out,
                                          const struct minisign_key *key,
                                          struct error *err);

/* Appends a signature's text; `trusted` is one line of printable UTF-8. */
MUST_CHECK enum status minisign_sign(struct buffer *out,
                                     const struct secret *key,
                                     const void *message, size_t length,
                                     const char *trusted, struct error *err);

#endif
