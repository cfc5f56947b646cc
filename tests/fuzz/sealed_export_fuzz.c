/*
 * storage/sealed_export.h on any file. The corpus holds one that opens with
 * this passphrase; what costs more than a moment is left out.
 */
#include "config.h"

#include "storage/sealed_export.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { AT_PASSES = 16, AT_MEMORY = 24, MOST_KIB = 64 };

static uint64_t
number_at(const uint8_t *bytes)
{
    uint64_t value;

    memcpy(&value, bytes, sizeof value);
    return value;
}

static bool
is_cheap(const uint8_t *bytes, size_t length)
{
    return length < SEALED_EXPORT_HEAD ||
           (number_at(bytes + AT_PASSES) <= 2 &&
            number_at(bytes + AT_MEMORY) <= MOST_KIB);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct secret *passphrase;
    struct buffer plain = {0};
    struct error err;

    if (passphrase == NULL &&
        (secret_start(&err) != STATUS_OK ||
         secret_copy(&passphrase, "fuzz", 4, &err) != STATUS_OK))
        abort();
    if (is_cheap(bytes, length) &&
        sealed_export_open(&plain, bytes, length, passphrase, &err) !=
            STATUS_OK &&
        plain.length > 0)
        abort();
    buffer_release(&plain);
    return 0;
}
