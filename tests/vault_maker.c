/*
 * Makes an empty vault whose passphrase costs next to nothing to try, for
 * tests of the commands: vault_maker DATA STATE PASSPHRASE
 */
#include "config.h"

#include "storage/storage.h"

#include <stdio.h>
#include <string.h>

static enum status
make(char **argv, struct error *err)
{
    static const struct kdf_cost cheap = {1, 8 << 10};
    struct vault_places at = {argv[1], argv[2]};
    struct credential credential = {0};
    struct secret *passphrase;
    struct vault *vault;

    TRY(secret_start(err));
    kdf_lower_floor(&cheap);
    TRY(secret_copy(&passphrase, argv[3], strlen(argv[3]), err));
    credential.passphrase = passphrase;
    enum status status = vault_create(&vault, &at, &credential, &cheap, err);

    secret_close(passphrase);
    if (status == STATUS_OK)
        vault_close(vault);
    return status;
}

int
main(int argc, char **argv)
{
    struct error err;

    if (argc == 4 && make(argv, &err) == STATUS_OK)
        return 0;
    fprintf(stderr, "vault_maker: %s\n",
            argc == 4 ? err.text : "DATA STATE PASSPHRASE");
    return 1;
}
