/*
 * vault.keys of any bytes: it is refused, or opens nothing, or what comes out
 * is the master key of the file in the corpus. Costs are held low, since a
 * slot may ask for the ceiling.
 */
#include "config.h"

#include "storage/storage.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const char passphrase[] = "fuzz";

/* Slots that would take long are looked at, not tried. */
static bool
cheap(const struct vault_keys *keys)
{
    struct slot_info slots[VAULT_SLOTS];
    size_t count = vault_keys_slots(keys, slots);

    for (size_t i = 0; i < count; i++)
        if (slots[i].cost.passes > 2 || slots[i].cost.memory_bytes > 1 << 16)
            return false;
    return true;
}

static void
try(const struct vault_keys *keys, const struct credential *credential)
{
    struct secret *master;
    struct error err;
    unsigned slot;
    enum status status =
        vault_keys_unlock(&master, &slot, keys, credential, &err);

    if (status == STATUS_OK && (master == NULL || slot < 1 || slot > 8))
        abort();
    if (status != STATUS_OK && status != STATUS_INTEGRITY && master != NULL)
        abort();
    if (master != NULL && secret_length(master) != VAULT_KEY_BYTES)
        abort();
    secret_close(master);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static bool started;
    struct vault_keys *keys;
    struct secret *words, *code;
    struct error err;

    if (!started && secret_start(&err) != STATUS_OK)
        abort();
    started = true;
    if (vault_keys_parse(&keys, bytes, length, "it", &err) != STATUS_OK)
        return 0;
    if (secret_copy(&words, passphrase, strlen(passphrase), &err) !=
            STATUS_OK ||
        secret_open(&code, RECOVERY_BYTES, &err) != STATUS_OK)
        abort();
    if (cheap(keys)) {
        try(keys, &(struct credential){.passphrase = words});
        try(keys, &(struct credential){.recovery = code});
    }
    secret_close(words);
    secret_close(code);
    vault_keys_close(keys);
    return 0;
}
