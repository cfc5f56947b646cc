/* storage/vault_keys.h: slots that open for whom they should. */
#include "config.h"

#include "storage/storage.h"
#include "tests/unit/vault_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define NAME "vault.keys"

enum { HEADER = 64, SLOT = 160, MAC = 1344 };

static unsigned compared; // times that bytes were compared in constant time
int __real_sodium_memcmp(const void *a, const void *b, size_t length);
int __wrap_sodium_memcmp(const void *a, const void *b, size_t length);

int
__wrap_sodium_memcmp(const void *a, const void *b, size_t length)
{
    compared++;
    return __real_sodium_memcmp(a, b, length);
}

/* What the clock says, where it is not the real one. */
static time_t pretended;
time_t __real_time(time_t *at);
time_t __wrap_time(time_t *at);

time_t
__wrap_time(time_t *at)
{
    return pretended != 0 && at == NULL ? pretended : __real_time(at);
}

/* The least that Argon2 does: slots cost nothing here. */
static const struct kdf_cost cheap = {1, 8192};
static struct error err;
static unsigned stretched; // times that Argon2id was computed

int __real_crypto_pwhash(unsigned char *const out, unsigned long long outlen,
                         const char *const passwd, unsigned long long passwdlen,
                         const unsigned char *const salt,
                         unsigned long long opslimit, size_t memlimit, int alg);
int __wrap_crypto_pwhash(unsigned char *const out, unsigned long long outlen,
                         const char *const passwd, unsigned long long passwdlen,
                         const unsigned char *const salt,
                         unsigned long long opslimit, size_t memlimit, int alg);

int
__wrap_crypto_pwhash(unsigned char *const out, unsigned long long outlen,
                     const char *const passwd, unsigned long long passwdlen,
                     const unsigned char *const salt,
                     unsigned long long opslimit, size_t memlimit, int alg)
{
    stretched++;
    return __real_crypto_pwhash(out, outlen, passwd, passwdlen, salt, opslimit,
                                memlimit, alg);
}

static int
enter(void **state)
{
    (void) state;
    kdf_lower_floor(&cheap);
    vault_folder_enter();
    return 0;
}

static int
leave(void **state)
{
    (void) state;
    vault_folder_leave();
    return 0;
}

static struct secret *
secret_from(const void *bytes, size_t length)
{
    struct secret *secret;

    assert_int_equal(secret_copy(&secret, bytes, length, &err), STATUS_OK);
    return secret;
}

static struct secret *
phrase(const char *text)
{
    return secret_from(text, strlen(text));
}

struct vault {
    struct vault_keys *keys;
    struct secret *master;
};

static void
create(struct vault *vault, const struct credential *credential)
{
    assert_int_equal(vault_keys_create(&vault->keys, &vault->master, credential,
                                       &cheap, &err),
                     STATUS_OK);
}

static void
create_with(struct vault *vault, const char *passphrase)
{
    struct secret *secret = phrase(passphrase);

    create(vault, &(struct credential){.passphrase = secret});
    secret_close(secret);
}

static void
put(struct vault *vault, unsigned number, const char *passphrase)
{
    struct secret *secret = phrase(passphrase);
    struct credential credential = {.passphrase = secret};

    assert_int_equal(vault_keys_put(vault->keys, number, vault->master,
                                    &credential, &cheap, &err),
                     STATUS_OK);
    secret_close(secret);
}

static void
save(struct vault *vault)
{
    assert_int_equal(vault_keys_write(vault->keys, vault->master, NAME, &err),
                     STATUS_OK);
}

static void
release(struct vault *vault)
{
    vault_keys_close(vault->keys);
    secret_close(vault->master);
}

/* Tries a passphrase on a file's bytes; the status and the slot. */
static enum status
open_bytes(const uint8_t *bytes, size_t length, const char *passphrase,
           unsigned *slot)
{
    struct vault_keys *keys;
    struct secret *master, *secret = phrase(passphrase);
    enum status status = vault_keys_parse(&keys, bytes, length, "it", &err);

    *slot = 0;
    if (status == STATUS_OK) {
        status =
            vault_keys_unlock(&master, slot, keys,
                              &(struct credential){.passphrase = secret}, &err);
        secret_close(master);
        vault_keys_close(keys);
    }
    secret_close(secret);
    return status;
}

static enum status
try_credential(const struct vault *vault, const struct credential *credential)
{
    struct secret *master;
    unsigned slot;
    enum status status =
        vault_keys_unlock(&master, &slot, vault->keys, credential, &err);

    if (status == STATUS_OK)
        assert_memory_equal(secret_bytes(master), secret_bytes(vault->master),
                            VAULT_KEY_BYTES);
    secret_close(master);
    return status;
}

static enum status
try_phrase(const struct vault *vault, const void *bytes, size_t length)
{
    struct secret *secret = secret_from(bytes, length);
    enum status status =
        try_credential(vault, &(struct credential){.passphrase = secret});

    secret_close(secret);
    return status;
}

/* An image of `slots` slots "one" to "eight", as written. */
static void
image_of(uint8_t out[VAULT_KEYS_BYTES], unsigned slots)
{
    static const char *const names[] = {"one",  "two", "three", "four",
                                        "five", "six", "seven", "eight"};
    struct vault vault;

    create_with(&vault, names[0]);
    for (unsigned i = 1; i < slots; i++)
        put(&vault, 0, names[i]);
    save(&vault);
    memcpy(out, vault_keys_image(vault.keys), VAULT_KEYS_BYTES);
    release(&vault);
    assert_int_equal(unlink(NAME), 0);
}

static void
put_u64(uint8_t *at, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        at[i] = (uint8_t) (value >> (8 * i));
}

// -- what opens -------------------------------------------------------------

static void
a_slot_opens_with_what_it_was_made_for_and_nothing_else(void **state)
{
    uint8_t file_bytes[64] = {1, 2, 3};
    struct secret *words = phrase("right"), *wrong = phrase("wrong"),
                  *file = secret_from(file_bytes, sizeof file_bytes), *code;
    struct vault vault;

    (void) state;
    assert_int_equal(recovery_create(&code, &err), STATUS_OK);
    struct credential right[] = {{.passphrase = words},
                                 {.key_file = file},
                                 {.passphrase = words, .key_file = file},
                                 {.recovery = code}};
    file_bytes[63] = 1;
    struct secret *other = secret_from(file_bytes, sizeof file_bytes),
                  *other_code;
    assert_int_equal(recovery_create(&other_code, &err), STATUS_OK);
    struct credential bad[] = {{.passphrase = wrong},
                               {.key_file = other},
                               {.passphrase = wrong, .key_file = file},
                               {.passphrase = words, .key_file = other},
                               {.recovery = other_code}};

    for (size_t i = 0; i < 4; i++) {
        create(&vault, &right[i]);
        for (size_t j = 0; j < 4; j++)
            assert_int_equal(try_credential(&vault, &right[j]),
                             i == j ? STATUS_OK : STATUS_DENIED);
        for (size_t j = 0; j < 5; j++) {
            assert_int_equal(try_credential(&vault, &bad[j]), STATUS_DENIED);
            assert_string_equal(err.text, vault_keys_denied);
        }
        release(&vault);
    }
    secret_close(words);
    secret_close(wrong);
    secret_close(file);
    secret_close(other);
    secret_close(code);
    secret_close(other_code);
}

static void
what_was_written_opens_again(void **state)
{
    struct vault vault;
    struct slot_info slots[VAULT_SLOTS];
    struct stat status;

    (void) state;
    create_with(&vault, "one");
    put(&vault, 5, "five");
    save(&vault);
    assert_int_equal(stat(NAME, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(status.st_size, VAULT_KEYS_BYTES);
    vault_keys_close(vault.keys);
    assert_int_equal(vault_keys_open(&vault.keys, NAME, &err), STATUS_OK);
    assert_int_equal(vault_keys_slots(vault.keys, slots), 2);
    assert_int_equal(slots[1].number, 5);
    assert_int_equal(slots[1].kind, SLOT_PASSPHRASE);
    assert_int_equal(slots[1].cost.memory_bytes, cheap.memory_bytes);
    assert_true(slots[1].created_s > 1700000000);
    assert_int_equal(try_phrase(&vault, "one", 3), STATUS_OK);
    assert_int_equal(try_phrase(&vault, "five", 4), STATUS_OK);
    assert_int_equal(try_phrase(&vault, "two", 3), STATUS_DENIED);
    release(&vault);
}

/* (14) bytes as typed: nothing is trimmed, folded or normalised. */
static void
passphrases_are_bytes_as_typed(void **state)
{
    static char long_one[PASSPHRASE_BYTES + 1];
    static const struct {
        const char *bytes;
        size_t length;
    } kinds[] = {{"a", 1},
                 {"a\0b", 3},
                 {"a\0c", 3},
                 {"\xff\xfe\x80", 3},
                 {"\xc3\xa9", 2},  // e with acute, composed
                 {"e\xcc\x81", 3}, // the same, decomposed
                 {"blank ", 6},
                 {"blank", 5},
                 {long_one, PASSPHRASE_BYTES},
                 {long_one, PASSPHRASE_BYTES - 1}};
    size_t count = sizeof kinds / sizeof kinds[0];
    struct vault vault;

    (void) state;
    memset(long_one, 'x', sizeof long_one);
    for (size_t i = 0; i < count; i++) {
        struct secret *secret = secret_from(kinds[i].bytes, kinds[i].length);

        create(&vault, &(struct credential){.passphrase = secret});
        for (size_t j = 0; j < count; j++)
            assert_int_equal(
                try_phrase(&vault, kinds[j].bytes, kinds[j].length),
                i == j ? STATUS_OK : STATUS_DENIED);
        assert_int_equal(try_phrase(&vault, "", 0), STATUS_DENIED);
        secret_close(secret);
        release(&vault);
    }
}

static void
what_protects_nothing_is_refused(void **state)
{
    static char long_one[PASSPHRASE_BYTES + 1];
    struct secret *empty = secret_from("", 0), *word = phrase("word"),
                  *longest = secret_from(long_one, sizeof long_one);
    struct kdf_cost under = {1, 4096}, over = {17, 8192},
                    big = {1, (UINT64_C(4) << 30) + 1024}, odd = {1, 8193};
    const struct {
        struct credential credential;
        const struct kdf_cost *cost;
    } cases[] = {
        {{.passphrase = empty}, &cheap}, {{.passphrase = longest}, &cheap},
        {{.key_file = word}, &cheap}, // shorter than 32 bytes
        {{.passphrase = word}, &under},  {{.passphrase = word}, &over},
        {{.passphrase = word}, &big},    {{.passphrase = word}, &odd}};
    struct vault vault;

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(vault_keys_create(&vault.keys, &vault.master,
                                           &cases[i].credential, cases[i].cost,
                                           &err),
                         STATUS_LIMIT);
        assert_null(vault.keys);
        assert_null(vault.master);
    }
    kdf_lower_floor(&kdf_least);
    assert_int_equal(vault_keys_create(&vault.keys, &vault.master,
                                       &(struct credential){.passphrase = word},
                                       &cheap, &err),
                     STATUS_LIMIT);
    assert_non_null(strstr(err.text, "3 passes over 64 MiB"));
    kdf_lower_floor(&cheap);
    secret_close(empty);
    secret_close(word);
    secret_close(longest);
}

static void
a_small_machine_gets_a_smaller_cost_and_is_told(void **state)
{
    struct kdf_cost cost = kdf_moderate;

    (void) state;
    assert_false(kdf_cost_fit(&cost, UINT64_C(1) << 30));
    assert_int_equal(cost.memory_bytes, 256 << 20);
    assert_true(kdf_cost_fit(&cost, UINT64_C(400) << 20));
    assert_int_equal(cost.memory_bytes, 128 << 20);
    assert_true(kdf_cost_fit(&cost, 0));
    assert_int_equal(cost.memory_bytes, 64 << 20);
    assert_int_equal(cost.passes, 3);
}

/* (15) whichever slot it was not: each one that could fit is computed. */
static void
a_wrong_passphrase_costs_the_same_for_any_slot(void **state)
{
    uint8_t image[VAULT_KEYS_BYTES];
    unsigned slot;

    (void) state;
    image_of(image, 8);
    stretched = 0;
    assert_int_equal(open_bytes(image, sizeof image, "none", &slot),
                     STATUS_DENIED);
    assert_int_equal(stretched, 8);
    // the same length and prefix as that of a slot, or nothing like it
    stretched = 0;
    assert_int_equal(open_bytes(image, sizeof image, "onf", &slot),
                     STATUS_DENIED);
    assert_int_equal(stretched, 8);
    assert_int_equal(open_bytes(image, sizeof image, "eight", &slot),
                     STATUS_OK);
    assert_int_equal(slot, 8);
}

/* (38) the commitment, the MAC, and the key of the inbox */
static void
secrets_are_compared_in_constant_time(void **state)
{
    struct vault vault;

    (void) state;
    create_with(&vault, "right");
    compared = 0;
    assert_int_equal(try_phrase(&vault, "right", 5), STATUS_OK);
    assert_int_equal(compared, 3);
    // a wrong one is told by the tag, which libsodium compares itself
    compared = 0;
    assert_int_equal(try_phrase(&vault, "wrong", 5), STATUS_DENIED);
    assert_int_equal(compared, 0);
    release(&vault);
}

// -- attacks ----------------------------------------------------------------

/* (1) for this file: a wrong key never comes out, and nothing is unnoticed. */
static void
no_flipped_bit_goes_unnoticed(void **state)
{
    uint8_t image[VAULT_KEYS_BYTES];
    unsigned slot;

    (void) state;
    image_of(image, 1);
    for (size_t bit = 0; bit < sizeof image * 8; bit++) {
        // slots that are not used are all alike
        if (bit / 8 >= HEADER + SLOT + 8 && bit / 8 < HEADER + 8 * SLOT)
            continue;
        image[bit / 8] ^= (uint8_t) (1 << bit % 8);
        enum status status = open_bytes(image, sizeof image, "one", &slot);

        if (status == STATUS_OK)
            fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
        image[bit / 8] ^= (uint8_t) (1 << bit % 8);
    }
    assert_int_equal(open_bytes(image, sizeof image, "one", &slot), STATUS_OK);
}

/* (2) for this file. */
static void
a_file_cut_anywhere_is_damaged(void **state)
{
    uint8_t image[VAULT_KEYS_BYTES + 1] = {0};
    unsigned slot;

    (void) state;
    image_of(image, 1);
    for (size_t length = 0; length < VAULT_KEYS_BYTES; length++)
        assert_int_equal(open_bytes(image, length, "one", &slot),
                         STATUS_FORMAT);
    assert_int_equal(open_bytes(image, sizeof image, "one", &slot),
                     STATUS_FORMAT);
}

/* (9) */
static void
another_format_or_kind_is_refused(void **state)
{
    uint8_t image[VAULT_KEYS_BYTES];
    unsigned slot;

    (void) state;
    image_of(image, 1);
    image[8] = 0;
    assert_int_equal(open_bytes(image, sizeof image, "one", &slot),
                     STATUS_FORMAT);
    image[8] = 2;
    assert_int_equal(open_bytes(image, sizeof image, "one", &slot),
                     STATUS_UNSUPPORTED);
    assert_non_null(strstr(err.text, "newer"));
    image[8] = 1;
    for (unsigned kind = 0; kind < 256; kind++) {
        image[HEADER + 4] = (uint8_t) kind;
        enum status status = open_bytes(image, sizeof image, "one", &slot);

        assert_int_equal(status == STATUS_OK, kind == SLOT_PASSPHRASE);
    }
    image[HEADER + 4] = SLOT_PASSPHRASE;
    image[HEADER + 8] = 2; // a key without stretching
    assert_int_equal(open_bytes(image, sizeof image, "one", &slot),
                     STATUS_FORMAT);
}

/* (10) */
static void
a_slot_beyond_the_ceilings_is_never_computed(void **state)
{
    static const struct {
        uint64_t passes, memory_kib;
    } bombs[] = {{0, 8},
                 {17, 8},
                 {UINT64_MAX, 8},
                 {1, 0},
                 {1, 7},
                 {1, (4 << 20) + 1},
                 {1, UINT64_C(1) << 54}, // times 1024 is 0
                 {1, (UINT64_C(1) << 54) + 8},
                 {1, UINT64_MAX}};
    uint8_t image[VAULT_KEYS_BYTES];
    unsigned slot;

    (void) state;
    image_of(image, 2);
    for (size_t i = 0; i < sizeof bombs / sizeof bombs[0]; i++) {
        put_u64(image + HEADER + 16, bombs[i].passes);
        put_u64(image + HEADER + 24, bombs[i].memory_kib);
        stretched = 0;
        assert_int_equal(open_bytes(image, sizeof image, "one", &slot),
                         STATUS_FORMAT);
        assert_non_null(strstr(err.text, "slot 1 is damaged: it asks for"));
        assert_int_equal(stretched, 1); // the other slot
        // which still opens, with an alarm
        assert_int_equal(open_bytes(image, sizeof image, "two", &slot),
                         STATUS_INTEGRITY);
    }
}

/* (11) */
static void
one_corrupt_slot_of_eight_leaves_seven_and_an_alarm(void **state)
{
    uint8_t image[VAULT_KEYS_BYTES];
    struct vault_keys *keys;
    struct secret *master, *secret = phrase("eight");
    struct slot_info slots[VAULT_SLOTS];
    unsigned slot;

    (void) state;
    image_of(image, 8);
    image[HEADER + 3 * SLOT + 100] ^= 1;
    assert_int_equal(open_bytes(image, sizeof image, "four", &slot),
                     STATUS_DENIED);
    memset(image + HEADER + 3 * SLOT, 0xA5, SLOT);
    assert_int_equal(vault_keys_parse(&keys, image, sizeof image, "it", &err),
                     STATUS_OK);
    assert_int_equal(vault_keys_slots(keys, slots), 7);
    assert_non_null(vault_keys_fault(keys, 4));
    assert_null(vault_keys_fault(keys, 5));
    assert_int_equal(
        vault_keys_unlock(&master, &slot, keys,
                          &(struct credential){.passphrase = secret}, &err),
        STATUS_INTEGRITY);
    assert_int_equal(slot, 8);
    assert_non_null(master); // to read with
    // put right again by whoever has the key
    assert_int_equal(vault_keys_remove(keys, 4, &err), STATUS_OK);
    assert_int_equal(vault_keys_write(keys, master, NAME, &err), STATUS_OK);
    assert_int_equal(
        open_bytes(vault_keys_image(keys), VAULT_KEYS_BYTES, "three", &slot),
        STATUS_OK);
    secret_close(master);
    secret_close(secret);
    vault_keys_close(keys);
}

static void
a_dropped_slot_is_an_alarm(void **state)
{
    uint8_t image[VAULT_KEYS_BYTES];
    unsigned slot;

    (void) state;
    image_of(image, 2);
    memset(image + HEADER + SLOT, 0, SLOT);
    assert_int_equal(open_bytes(image, sizeof image, "one", &slot),
                     STATUS_INTEGRITY);
}

static void
another_key_for_the_inbox_is_an_alarm(void **state)
{
    uint8_t image[VAULT_KEYS_BYTES], private_key[crypto_box_SECRETKEYBYTES];
    unsigned slot;

    (void) state;
    image_of(image, 1);
    crypto_box_keypair(image + 32, private_key);
    assert_int_equal(open_bytes(image, sizeof image, "one", &slot),
                     STATUS_INTEGRITY);
}

/* (12) */
static void
a_slot_of_another_vault_does_not_open(void **state)
{
    uint8_t image[VAULT_KEYS_BYTES], other[VAULT_KEYS_BYTES];
    unsigned slot;

    (void) state;
    image_of(image, 2);
    image_of(other, 2); // the same passphrases
    memcpy(image + HEADER + SLOT, other + HEADER + SLOT, SLOT);
    assert_int_equal(open_bytes(image, sizeof image, "two", &slot),
                     STATUS_DENIED);
    assert_int_equal(open_bytes(image, sizeof image, "one", &slot),
                     STATUS_INTEGRITY);
    // nor at another number of its own vault
    image_of(image, 2);
    memcpy(image + HEADER + 2 * SLOT, image + HEADER + SLOT, SLOT);
    image[HEADER + 2 * SLOT] = 3;
    memset(image + HEADER + SLOT, 0, SLOT);
    assert_int_equal(open_bytes(image, sizeof image, "two", &slot),
                     STATUS_DENIED);
}

/* The key that a passphrase slot is wrapped with, computed here. */
static void
kek_of(uint8_t out[32], const uint8_t *slot, const char *passphrase)
{
    assert_int_equal(__real_crypto_pwhash(out, 32, passphrase,
                                          strlen(passphrase), slot + 40, 1,
                                          8192, crypto_pwhash_ALG_ARGON2ID13),
                     0);
}

/*
 * (13) A slot that unwraps with a valid tag, to a key that it does not commit
 * to. Forged with the passphrase known, since only then the tag can be valid.
 */
static void
a_slot_that_unwraps_to_another_key_is_forged(void **state)
{
    uint8_t image[VAULT_KEYS_BYTES], kek[32], planted[32], aad[84];
    uint8_t *slot = image + HEADER;
    unsigned number;

    (void) state;
    image_of(image, 1);
    kek_of(kek, slot, "one");
    randombytes_buf(planted, sizeof planted);
    memcpy(aad, image, 12);
    memcpy(aad + 12, image + 16, 16);
    memcpy(aad + 28, slot, 56);
    crypto_aead_xchacha20poly1305_ietf_encrypt(slot + 80, NULL, planted,
                                               sizeof planted, aad, sizeof aad,
                                               NULL, slot + 56, kek);
    assert_int_equal(open_bytes(image, sizeof image, "one", &number),
                     STATUS_INTEGRITY);
    assert_non_null(strstr(err.text, "forged"));
}

/* (37) for this file: each field that the tag must cover, covered alone. */
static void
the_tag_covers_every_field_of_a_slot(void **state)
{
    static const struct {
        size_t at, length;
    } fields[] = {{0, 8},  {8, 4},  {16, 16}, {64, 4}, {68, 4},  {72, 4},
                  {76, 4}, {80, 8}, {88, 8},  {96, 8}, {104, 16}};
    uint8_t image[VAULT_KEYS_BYTES], kek[32], out[32], aad[84];
    const uint8_t *slot = image + HEADER;

    (void) state;
    image_of(image, 1);
    kek_of(kek, slot, "one");
    for (size_t i = 0; i <= sizeof fields / sizeof fields[0]; i++) {
        memcpy(aad, image, 12);
        memcpy(aad + 12, image + 16, 16);
        memcpy(aad + 28, slot, 56);
        if (i > 0) {
            size_t at = fields[i - 1].at;

            aad[at < 12 ? at : at < 64 ? at - 16 + 12 : at - 64 + 28] ^= 1;
        }
        assert_int_equal(crypto_aead_xchacha20poly1305_ietf_decrypt(
                             out, NULL, NULL, slot + 80, 48, aad, sizeof aad,
                             slot + 56, kek),
                         i == 0 ? 0 : -1);
    }
}

// -- changing the file ------------------------------------------------------

static void
a_changed_passphrase_replaces_the_former_one(void **state)
{
    struct vault vault;

    (void) state;
    create_with(&vault, "former");
    save(&vault);
    put(&vault, 1, "new");
    save(&vault);
    assert_int_equal(try_phrase(&vault, "former", 6), STATUS_DENIED);
    assert_int_equal(try_phrase(&vault, "new", 3), STATUS_OK);
    // the former file is there until somebody got in with the new one
    assert_int_equal(access(NAME ".old", F_OK), 0);
    assert_int_equal(vault_keys_settle(NAME, &err), STATUS_OK);
    assert_int_not_equal(access(NAME ".old", F_OK), 0);
    assert_int_equal(vault_keys_settle(NAME, &err), STATUS_OK);
    release(&vault);
}

static void
the_last_slot_stays(void **state)
{
    struct vault vault;

    (void) state;
    create_with(&vault, "one");
    assert_int_equal(vault_keys_remove(vault.keys, 1, &err), STATUS_LIMIT);
    assert_int_equal(vault_keys_remove(vault.keys, 2, &err), STATUS_LIMIT);
    assert_int_equal(vault_keys_remove(vault.keys, 0, &err), STATUS_LIMIT);
    assert_int_equal(vault_keys_remove(vault.keys, 9, &err), STATUS_LIMIT);
    for (unsigned i = 2; i <= VAULT_SLOTS; i++)
        put(&vault, 0, "more");
    struct secret *secret = phrase("ninth");
    assert_int_equal(vault_keys_put(vault.keys, 0, vault.master,
                                    &(struct credential){.passphrase = secret},
                                    &cheap, &err),
                     STATUS_LIMIT);
    assert_int_equal(vault_keys_remove(vault.keys, 1, &err), STATUS_OK);
    assert_int_equal(try_phrase(&vault, "one", 3), STATUS_DENIED);
    secret_close(secret);
    release(&vault);
}

/* (26) two processes change the file: the second is told, nothing is lost. */
static void
a_change_by_another_process_is_not_overwritten(void **state)
{
    struct vault mine, theirs;

    (void) state;
    create_with(&mine, "one");
    save(&mine);
    theirs.master = secret_from(secret_bytes(mine.master), VAULT_KEY_BYTES);
    assert_int_equal(vault_keys_open(&theirs.keys, NAME, &err), STATUS_OK);
    put(&mine, 2, "mine");
    put(&theirs, 2, "theirs");
    save(&theirs);
    assert_int_equal(vault_keys_write(mine.keys, mine.master, NAME, &err),
                     STATUS_BUSY);
    release(&mine);
    assert_int_equal(vault_keys_open(&mine.keys, NAME, &err), STATUS_OK);
    mine.master = secret_from(secret_bytes(theirs.master), VAULT_KEY_BYTES);
    assert_int_equal(try_phrase(&mine, "theirs", 6), STATUS_OK);
    assert_int_equal(try_phrase(&mine, "mine", 4), STATUS_DENIED);
    // and a new vault never takes an old one's place
    struct vault fresh;
    create_with(&fresh, "fresh");
    assert_int_equal(vault_keys_write(fresh.keys, fresh.master, NAME, &err),
                     STATUS_LIMIT);
    release(&fresh);
    release(&mine);
    release(&theirs);
}

/* (26) whoever reads while another writes sees one of the two files whole. */
static void
a_reader_never_sees_half_a_change(void **state)
{
    struct vault vault;
    int result;

    (void) state;
    create_with(&vault, "same");
    save(&vault);
    pid_t writer = fork();

    assert_true(writer >= 0);
    if (writer == 0) {
        for (int i = 0; i < 40; i++) {
            struct secret *secret = phrase("same");
            struct credential credential = {.passphrase = secret};

            if (vault_keys_put(vault.keys, 1 + (unsigned) i % 2, vault.master,
                               &credential, &cheap, &err) != STATUS_OK ||
                vault_keys_write(vault.keys, vault.master, NAME, &err) !=
                    STATUS_OK)
                _exit(1);
            secret_close(secret);
        }
        _exit(0);
    }
    do {
        struct vault seen = {.master = vault.master};

        assert_int_equal(vault_keys_open(&seen.keys, NAME, &err), STATUS_OK);
        assert_int_equal(try_phrase(&seen, "same", 4), STATUS_OK);
        vault_keys_close(seen.keys);
    } while (waitpid(writer, &result, WNOHANG) == 0);
    assert_int_equal(result, 0);
    release(&vault);
}

/* (25) */
static void
a_clock_that_goes_backwards_locks_nobody_out(void **state)
{
    static const time_t moments[] = {4102444800, 1000, -1, 1};
    struct slot_info slots[VAULT_SLOTS];
    struct vault vault;

    (void) state;
    create_with(&vault, "first");
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        pretended = moments[i];
        put(&vault, 2, "later");
        save(&vault);
        assert_int_equal(try_phrase(&vault, "first", 5), STATUS_OK);
        assert_int_equal(try_phrase(&vault, "later", 5), STATUS_OK);
        assert_int_equal(vault_keys_slots(vault.keys, slots), 2);
        assert_int_equal(slots[1].created_s, moments[i] < 0 ? 0 : moments[i]);
    }
    pretended = 0;
    release(&vault);
}

/* (44) */
static void
a_thousand_wrong_passphrases_corrupt_nothing(void **state)
{
    struct vault vault, again;
    uint8_t before[VAULT_KEYS_BYTES];
    char text[32];

    (void) state;
    create_with(&vault, "right");
    save(&vault);
    memcpy(before, vault_keys_image(vault.keys), sizeof before);
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "wrong %d", i);
        assert_int_equal(try_phrase(&vault, text, strlen(text)), STATUS_DENIED);
        assert_string_equal(err.text, vault_keys_denied);
    }
    assert_int_equal(vault_keys_open(&again.keys, NAME, &err), STATUS_OK);
    assert_memory_equal(vault_keys_image(again.keys), before, sizeof before);
    vault_keys_close(again.keys);
    assert_int_equal(try_phrase(&vault, "right", 5), STATUS_OK);
    release(&vault);
}

static int
files_here(void)
{
    DIR *here = opendir(".");
    int count = 0;

    assert_non_null(here);
    for (struct dirent *entry; (entry = readdir(here)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(here);
    return count;
}

/* Whatever fails once, the file is the former one or the new one, whole. */
static void
a_failed_write_leaves_a_whole_file(void **state)
{
    bool done = false;

    (void) state;
    for (unsigned long n = 1; !done; n++) {
        struct vault vault, seen;

        create_with(&vault, "former");
        save(&vault);
        put(&vault, 1, "new");
        fault_arm(n);
        done =
            vault_keys_write(vault.keys, vault.master, NAME, &err) == STATUS_OK;
        fault_arm(0);
        assert_int_equal(vault_keys_open(&seen.keys, NAME, &err), STATUS_OK);
        seen.master = vault.master;
        bool former = try_phrase(&seen, "former", 6) == STATUS_OK,
             new = try_phrase(&seen, "new", 3) == STATUS_OK;
        assert_true(former != new && (!done || new));
        vault_keys_close(seen.keys);
        release(&vault);
        assert_int_equal(unlink(NAME), 0);
        (void) unlink(NAME ".old");
        assert_true(n < 1000);
    }
    assert_int_equal(files_here(), 0); // nothing was left beside it
}

static void
a_failure_at_any_step_of_unlocking_gives_no_key(void **state)
{
    struct vault vault;
    enum status status = STATUS_IO;

    (void) state;
    create_with(&vault, "right");
    for (unsigned long n = 1; status != STATUS_OK; n++) {
        struct secret *secret = phrase("right"), *master;
        unsigned slot;

        fault_arm(n);
        status =
            vault_keys_unlock(&master, &slot, vault.keys,
                              &(struct credential){.passphrase = secret}, &err);
        fault_arm(0);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
        assert_int_equal(master != NULL, status == STATUS_OK);
        secret_close(master);
        secret_close(secret);
        assert_true(n < 100);
    }
    release(&vault);
}

// -- known answers, codes, words --------------------------------------------

/* (36) Computed with Python's hashlib: keyed BLAKE2b. */
static void
derived_keys_are_keyed_blake2b(void **state)
{
    static const uint8_t wanted[32] = {
        0x15, 0x82, 0xcf, 0xd6, 0x9d, 0x81, 0x60, 0x8f, 0x39, 0xa4, 0x86,
        0x6c, 0xe7, 0x18, 0xb8, 0xb3, 0x63, 0x67, 0xe1, 0x2a, 0x2b, 0xc2,
        0x86, 0xbf, 0x47, 0x65, 0xb5, 0xd5, 0x8d, 0xeb, 0xcf, 0xb2,
    };
    uint8_t key[32], id[16];
    struct secret *master, *derived;

    (void) state;
    for (unsigned i = 0; i < 32; i++)
        key[i] = (uint8_t) i;
    for (unsigned i = 0; i < 16; i++)
        id[i] = (uint8_t) (0xA0 + i);
    master = secret_from(key, sizeof key);
    assert_int_equal(
        vault_keys_derive(&derived, master, id, "rec", "chat", 4, &err),
        STATUS_OK);
    assert_memory_equal(secret_bytes(derived), wanted, sizeof wanted);
    secret_close(derived);
    secret_close(master);
}

static void
a_recovery_code_is_read_as_people_type_it(void **state)
{
    uint8_t bytes[RECOVERY_BYTES];
    struct secret *code, *back;
    char text[RECOVERY_TEXT];

    (void) state;
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t) (i * 13 + 1);
    code = secret_from(bytes, sizeof bytes);
    recovery_text(text, code);
    // Python: int.from_bytes(bytes) in digits of 32
    assert_string_equal(text, "0471-PA1N-897N-RTBP-GE89-VANQ-RK8X-XTZR");
    assert_int_equal(recovery_take(&back, text, &err), STATUS_OK);
    assert_memory_equal(secret_bytes(back), bytes, sizeof bytes);
    secret_close(back);
    secret_close(code);
    assert_int_equal(
        recovery_take(&back, "oo ll II  oooo-oooo-ooooooooooooooooO 0", &err),
        STATUS_OK);
    assert_int_equal(secret_bytes(back)[0], 0);
    assert_int_equal(secret_bytes(back)[1] & 0x3F, 0x02);
    secret_close(back);
    static const char *const wrong[] = {
        "", "0000", "0000-0000-0000-0000-0000-0000-0000-000U",
        "0000-0000-0000-0000-0000-0000-0000-00000",
        "0000-0000-0000-0000-0000-0000-0000-000\xc3\xa9"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(recovery_take(&back, wrong[i], &err), STATUS_FORMAT);
        assert_null(back);
    }
}

static void
generated_passphrases_are_six_words_and_differ(void **state)
{
    struct secret *one, *two;

    (void) state;
    for (int round = 0; round < 50; round++) {
        assert_int_equal(passphrase_generate(&one, &err), STATUS_OK);
        assert_int_equal(passphrase_generate(&two, &err), STATUS_OK);
        const char *text = (const char *) secret_bytes(one);
        size_t length = secret_length(one), dashes = 0;

        for (size_t i = 0; i < length; i++) {
            assert_true(text[i] == '-' || (text[i] >= 'a' && text[i] <= 'z'));
            dashes += text[i] == '-';
        }
        assert_int_equal(dashes, 5);
        assert_true(secret_length(two) != length ||
                    memcmp(secret_bytes(two), text, length) != 0);
        secret_close(one);
        secret_close(two);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_slot_opens_with_what_it_was_made_for_and_nothing_else),
        cmocka_unit_test_setup_teardown(what_was_written_opens_again, enter,
                                        leave),
        cmocka_unit_test(passphrases_are_bytes_as_typed),
        cmocka_unit_test(what_protects_nothing_is_refused),
        cmocka_unit_test(a_small_machine_gets_a_smaller_cost_and_is_told),
        cmocka_unit_test_setup_teardown(
            a_wrong_passphrase_costs_the_same_for_any_slot, enter, leave),
        cmocka_unit_test(secrets_are_compared_in_constant_time),
        cmocka_unit_test_setup_teardown(no_flipped_bit_goes_unnoticed, enter,
                                        leave),
        cmocka_unit_test_setup_teardown(a_file_cut_anywhere_is_damaged, enter,
                                        leave),
        cmocka_unit_test_setup_teardown(another_format_or_kind_is_refused,
                                        enter, leave),
        cmocka_unit_test_setup_teardown(
            a_slot_beyond_the_ceilings_is_never_computed, enter, leave),
        cmocka_unit_test_setup_teardown(
            one_corrupt_slot_of_eight_leaves_seven_and_an_alarm, enter, leave),
        cmocka_unit_test_setup_teardown(a_dropped_slot_is_an_alarm, enter,
                                        leave),
        cmocka_unit_test_setup_teardown(another_key_for_the_inbox_is_an_alarm,
                                        enter, leave),
        cmocka_unit_test_setup_teardown(a_slot_of_another_vault_does_not_open,
                                        enter, leave),
        cmocka_unit_test_setup_teardown(
            a_slot_that_unwraps_to_another_key_is_forged, enter, leave),
        cmocka_unit_test_setup_teardown(the_tag_covers_every_field_of_a_slot,
                                        enter, leave),
        cmocka_unit_test_setup_teardown(
            a_changed_passphrase_replaces_the_former_one, enter, leave),
        cmocka_unit_test(the_last_slot_stays),
        cmocka_unit_test_setup_teardown(
            a_change_by_another_process_is_not_overwritten, enter, leave),
        cmocka_unit_test_setup_teardown(a_reader_never_sees_half_a_change,
                                        enter, leave),
        cmocka_unit_test_setup_teardown(
            a_clock_that_goes_backwards_locks_nobody_out, enter, leave),
        cmocka_unit_test_setup_teardown(
            a_thousand_wrong_passphrases_corrupt_nothing, enter, leave),
        cmocka_unit_test_setup_teardown(a_failed_write_leaves_a_whole_file,
                                        enter, leave),
        cmocka_unit_test(a_failure_at_any_step_of_unlocking_gives_no_key),
        cmocka_unit_test(derived_keys_are_keyed_blake2b),
        cmocka_unit_test(a_recovery_code_is_read_as_people_type_it),
        cmocka_unit_test(generated_passphrases_are_six_words_and_differ),
    };

    if (secret_start(&err) != STATUS_OK)
        return 99;
    kdf_lower_floor(&cheap);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
