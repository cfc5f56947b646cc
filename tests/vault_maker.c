/*
 * Makes an empty vault whose passphrase costs next to nothing to try, for
 * tests of the commands: vault_maker DATA STATE PASSPHRASE [PASSES KIB]
 */
#include "config.h"

#include "storage/storage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum status
make(char **argv, struct error *err)
{
    struct kdf_cost cost = {1, 8 << 10};
    struct vault_places at = {argv[1], argv[2]};
    struct credential credential = {0};
    struct secret *passphrase;
    struct vault *vault;

    if (argv[4] != NULL)
        cost = (struct kdf_cost){strtoull(argv[4], NULL, 10),
                                 strtoull(argv[5], NULL, 10) << 10};
    TRY(secret_start(err));
    kdf_lower_floor(&cost);
    TRY(secret_copy(&passphrase, argv[3], strlen(argv[3]), err));
    credential.passphrase = passphrase;
    enum status status = vault_create(&vault, &at, &credential, &cost, err);

    secret_close(passphrase);
    if (status == STATUS_OK)
        vault_close(vault);
    return status;
}

int
main(int argc, char **argv)
{
    struct error err;

    bool right = argc == 4 || argc == 6;

    if (right && make(argv, &err) == STATUS_OK)
        return 0;
    fprintf(stderr, "vault_maker: %s\n",
            right ? err.text : "DATA STATE PASSPHRASE [PASSES KIB]");
    return 1;
}
