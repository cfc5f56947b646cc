/*
 * storage/derivation.h: a key derived in a thread of its own is the same key,
 * and one that is given up is wiped when it comes. Argon2id waits at a gate.
 */
#include "config.h"

#include "storage/storage.h"

#include <pthread.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const struct kdf_cost cost = {1, UINT64_C(8) << 20};
static const uint8_t salt[DERIVATION_SALT_BYTES] = "sixteen bytes...";
static struct error err;

/* -- the gate --------------------------------------------------------------
 */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool shut;
    unsigned waiting;
    bool fails;
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER,
          .changed = PTHREAD_COND_INITIALIZER};

static void
set_gate(bool shut)
{
    pthread_mutex_lock(&gate.lock);
    gate.shut = shut;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
}

static void
await_waiting(void)
{
    pthread_mutex_lock(&gate.lock);
    while (gate.waiting == 0)
        pthread_cond_wait(&gate.changed, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
}

int __real_crypto_pwhash(unsigned char *out, unsigned long long out_bytes,
                         const char *typed, unsigned long long typed_bytes,
                         const unsigned char *with, unsigned long long passes,
                         size_t memory_bytes, int algorithm);
int __wrap_crypto_pwhash(unsigned char *out, unsigned long long out_bytes,
                         const char *typed, unsigned long long typed_bytes,
                         const unsigned char *with, unsigned long long passes,
                         size_t memory_bytes, int algorithm);

int
__wrap_crypto_pwhash(unsigned char *out, unsigned long long out_bytes,
                     const char *typed, unsigned long long typed_bytes,
                     const unsigned char *with, unsigned long long passes,
                     size_t memory_bytes, int algorithm)
{
    pthread_mutex_lock(&gate.lock);
    gate.waiting++;
    pthread_cond_broadcast(&gate.changed);
    while (gate.shut)
        pthread_cond_wait(&gate.changed, &gate.lock);
    gate.waiting--;
    bool fails = gate.fails;

    pthread_mutex_unlock(&gate.lock);
    return fails ? -1
                 : __real_crypto_pwhash(out, out_bytes, typed, typed_bytes,
                                        with, passes, memory_bytes, algorithm);
}

/* What is given back of keys' memory, which wipes it. */
static _Atomic unsigned wiped;

void __real_sodium_free(void *memory);
void __wrap_sodium_free(void *memory);

void
__wrap_sodium_free(void *memory)
{
    atomic_fetch_add(&wiped, memory != NULL);
    __real_sodium_free(memory);
}

/* -- helpers ---------------------------------------------------------------
 */

static struct secret *
words(const char *text)
{
    struct secret *secret;

    assert_int_equal(secret_copy(&secret, text, strlen(text), &err), STATUS_OK);
    return secret;
}

static struct derivation *
make(const char *text)
{
    struct secret *typed = words(text);
    struct derivation *d;

    assert_int_equal(derivation_open(&d, typed, salt, &cost, &err), STATUS_OK);
    secret_close(typed);
    return d;
}

static void
breathe(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void
await_end(const struct derivation *d)
{
    while (!derivation_ended(d))
        breathe();
}

static void
expect_key(const struct derivation *d, const uint8_t wanted[VAULT_KEY_BYTES])
{
    const struct secret *key;

    assert_int_equal(derivation_key(&key, d, &err), STATUS_OK);
    assert_memory_equal(secret_bytes(key), wanted, VAULT_KEY_BYTES);
}

/* -- tests -----------------------------------------------------------------
 */

static void
a_thread_derives_the_same_key(void **state)
{
    uint8_t wanted[VAULT_KEY_BYTES];

    (void) state;
    assert_int_equal(crypto_pwhash(wanted, sizeof wanted, "open", 4, salt,
                                   cost.passes, (size_t) cost.memory_bytes,
                                   crypto_pwhash_ALG_ARGON2ID13),
                     0);
    struct derivation *here = make("open"), *beside = make("open");

    derivation_run(here);
    assert_true(derivation_ended(here));
    expect_key(here, wanted);
    set_gate(true);
    assert_int_equal(derivation_start(beside, &err), STATUS_OK);
    await_waiting();
    assert_false(derivation_ended(beside));
    set_gate(false);
    await_end(beside);
    expect_key(beside, wanted);
    assert_int_equal(derivation_cost(beside)->memory_bytes, cost.memory_bytes);
    derivation_close(here);
    derivation_close(beside);
    derivation_close(NULL);
    assert_int_equal(derivations_left(), 0);
}

static void
what_is_given_up_is_wiped_when_it_comes(void **state)
{
    struct derivation *d = make("given up");

    (void) state;
    set_gate(true);
    assert_int_equal(derivation_start(d, &err), STATUS_OK);
    await_waiting();
    unsigned before = atomic_load(&wiped);

    derivation_close(d); // does not wait
    assert_int_equal(derivations_left(), 1);
    assert_int_equal(atomic_load(&wiped), before);
    set_gate(false);
    while (derivations_left() > 0)
        breathe();
    // what was typed, and the key
    assert_int_equal(atomic_load(&wiped), before + 2);
}

static void
what_was_typed_is_wiped_before_the_key_is_taken(void **state)
{
    struct derivation *d = make("typed");
    unsigned before = atomic_load(&wiped);

    (void) state;
    assert_int_equal(derivation_start(d, &err), STATUS_OK);
    await_end(d);
    assert_int_equal(atomic_load(&wiped), before + 1);
    derivation_close(d);
    assert_int_equal(atomic_load(&wiped), before + 2);
}

static void
closing_races_with_the_end(void **state)
{
    (void) state;
    for (unsigned i = 0; i < 40; i++) {
        struct derivation *d = make("either way");

        assert_int_equal(derivation_start(d, &err), STATUS_OK);
        for (unsigned pause = 0; pause < i % 8; pause++)
            breathe();
        derivation_close(d);
    }
    while (derivations_left() > 0)
        breathe();
}

static void
memory_that_cannot_be_had_is_told(void **state)
{
    struct derivation *d = make("too much");
    const struct secret *key;

    (void) state;
    gate.fails = true;
    assert_int_equal(derivation_start(d, &err), STATUS_OK);
    await_end(d);
    gate.fails = false;
    assert_int_equal(derivation_key(&key, d, &err), STATUS_NOMEM);
    assert_string_equal(err.text, "trying the passphrase takes 8 MiB of "
                                  "memory, which cannot be had now");
    derivation_close(d);
}

/* -- the vault's keys ------------------------------------------------------
 */

static unsigned runs;

static enum status
run_beside(void *context, struct derivation *d, struct error *why)
{
    (void) context;
    runs++;
    TRY(derivation_start(d, why));
    await_end(d);
    return STATUS_OK;
}

static enum status
give_up(void *context, struct derivation *d, struct error *why)
{
    runs++;
    set_gate(true);
    TRY(derivation_start(d, why));
    (void) context;
    await_waiting();
    return error_set(why, STATUS_CANCELLED, "given up");
}

static void
slots_open_beside_and_can_be_given_up(void **state)
{
    const struct kdf_runner beside = {NULL, run_beside}, no = {NULL, give_up};
    struct secret *typed = words("open sesame"), *master, *opened;
    struct credential credential = {.passphrase = typed, .runner = &beside};
    struct vault_keys *keys;
    unsigned slot;

    (void) state;
    kdf_lower_floor(&cost);
    runs = 0;
    assert_int_equal(
        vault_keys_create(&keys, &master, &credential, &cost, &err), STATUS_OK);
    assert_int_equal(runs, 1);
    assert_int_equal(vault_keys_unlock(&opened, &slot, keys, &credential, &err),
                     STATUS_OK);
    assert_memory_equal(secret_bytes(opened), secret_bytes(master),
                        VAULT_KEY_BYTES);
    secret_close(opened);
    assert_int_equal(vault_keys_put(keys, 2, master, &credential, &cost, &err),
                     STATUS_OK);
    assert_int_equal(runs, 3);
    credential.runner = &no;
    assert_int_equal(vault_keys_unlock(&opened, &slot, keys, &credential, &err),
                     STATUS_CANCELLED);
    assert_null(opened);
    assert_int_equal(runs, 4); // the second slot is not tried any more
    assert_int_equal(derivations_left(), 1);
    set_gate(false);
    while (derivations_left() > 0)
        breathe();
    secret_close(master);
    secret_close(typed);
    vault_keys_close(keys);
}

static int
start(void **state)
{
    (void) state;
    return secret_start(&err) == STATUS_OK ? 0 : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_derives_the_same_key),
        cmocka_unit_test(what_is_given_up_is_wiped_when_it_comes),
        cmocka_unit_test(what_was_typed_is_wiped_before_the_key_is_taken),
        cmocka_unit_test(closing_races_with_the_end),
        cmocka_unit_test(memory_that_cannot_be_had_is_told),
        cmocka_unit_test(slots_open_beside_and_can_be_given_up),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
