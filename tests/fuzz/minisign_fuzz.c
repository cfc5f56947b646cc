/*
 * Any bytes as a key, a signature or a secret key, by the first byte. No
 * signature is right for a message that was never signed.
 */
#include "config.h"

#include "storage/storage.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
try_key(const char *text, size_t length)
{
    struct minisign_key key;
    struct error err;
    char id[MINISIGN_ID_TEXT];
    uint8_t number[MINISIGN_NUMBER_BYTES];

    if (minisign_read_key(&key, "key", text, length, &err) != STATUS_OK)
        return;
    minisign_id_text(id, key.number);
    if (!minisign_id_read(number, id) ||
        memcmp(number, key.number, sizeof number) != 0)
        abort();
}

static void
try_signature(const char *text, size_t length)
{
    static const struct minisign_key key = {.point = {9}};
    struct minisign_signature by;
    struct minisign_key same = key;
    struct error err;

    if (minisign_read_signature(&by, "signature", text, length, &err) !=
        STATUS_OK)
        return;
    if (!utf8_valid(by.trusted, strlen(by.trusted)))
        abort();
    memcpy(same.number, by.number, sizeof same.number);
    if (minisign_verify(&by, &same, "message", "never signed", 12, &err) ==
        STATUS_OK)
        abort();
}

static void
try_secret(const char *text, size_t length)
{
    struct secret *key = NULL;
    struct error err;
    bool locked;

    if (minisign_read_secret(&key, &locked, "key", text, length, NULL, &err) ==
            STATUS_OK &&
        locked == (key != NULL))
        abort();
    secret_close(key);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct error err;

    if (length == 0 || secret_start(&err) != STATUS_OK)
        return 0;
    const char *text = (const char *) bytes + 1;

    switch (bytes[0] % 3) {
    case 0:
        try_key(text, length - 1);
        break;
    case 1:
        try_signature(text, length - 1);
        break;
    default:
        try_secret(text, length - 1);
    }
    return 0;
}
