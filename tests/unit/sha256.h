/* SHA-256 (FIPS 180-4) of bytes in memory, for tests. */
#ifndef FATHOM_TESTS_UNIT_SHA256_H
#define FATHOM_TESTS_UNIT_SHA256_H

#include <stddef.h>
#include <stdint.h>

void sha256(const void *bytes, size_t length, uint8_t digest[32]);

/* The digest as 64 lower-case hex digits and a NUL. */
void sha256_hex(const void *bytes, size_t length, char hex[65]);

#endif
