/*
 * Base64 as RFC 4648 section 4 has it, padded, without line feeds: how bytes
 * travel in JSON.
 */
#ifndef FATHOM_BASE_BASE64_H
#define FATHOM_BASE_BASE64_H

#include "base/memory.h"

/* Appends the characters of `length` bytes. */
MUST_CHECK enum status base64_encode(struct buffer *out, const void *bytes,
                                     size_t length, struct error *err);
/*
 * Appends the bytes of `length` characters. STATUS_FORMAT unless they are
 * exactly what base64_encode writes; *out is then unchanged.
 */
MUST_CHECK enum status base64_decode(struct buffer *out, const char *text,
                                     size_t length, struct error *err);

#endif
