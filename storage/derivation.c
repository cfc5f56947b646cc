/* Argon2id with everything it needs in one place, for one thread or another. */
#include "config.h"

#include "storage/derivation.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static_assert(DERIVATION_SALT_BYTES == crypto_pwhash_SALTBYTES,
              "Argon2's salt");

/*
 * Who has the object: its owner, but while it is RUNNING the thread. Either
 * side leaves RUNNING, whichever is first; the thread of one that was given up
 * releases it.
 */
enum phase { RESTING, RUNNING, ENDED, GIVEN_UP };

struct derivation {
    struct secret *input, *key;
    uint8_t salt[DERIVATION_SALT_BYTES];
    struct kdf_cost cost;
    bool refused; // the memory
    _Atomic enum phase phase;
};

static _Atomic unsigned left;

static void
release(struct derivation *derivation)
{
    secret_close(derivation->input);
    secret_close(derivation->key);
    free(derivation);
}

enum status
derivation_open(struct derivation **out, const struct secret *input,
                const uint8_t salt[DERIVATION_SALT_BYTES],
                const struct kdf_cost *cost, struct error *err)
{
    void *memory;

    *out = NULL;
    TRY(memory_alloc(&memory, sizeof **out, err));
    struct derivation *d = memory;

    *d = (struct derivation){.cost = *cost};
    memcpy(d->salt, salt, sizeof d->salt);
    enum status status =
        secret_copy(&d->input, secret_bytes(input), secret_length(input), err);

    if (status == STATUS_OK)
        status = secret_open(&d->key, VAULT_KEY_BYTES, err);
    if (status == STATUS_OK)
        *out = d;
    else
        release(d);
    return status;
}

const struct kdf_cost *
derivation_cost(const struct derivation *derivation)
{
    return &derivation->cost;
}

/* What was typed is forgotten as soon as it is not needed any more. */
static void
compute(struct derivation *d)
{
    d->refused = fault_due() ||
                 crypto_pwhash(secret_data(d->key), VAULT_KEY_BYTES,
                               (const char *) secret_bytes(d->input),
                               secret_length(d->input), d->salt, d->cost.passes,
                               (size_t) d->cost.memory_bytes,
                               crypto_pwhash_ALG_ARGON2ID13) != 0;
    secret_close(d->input);
    d->input = NULL;
}

void
derivation_run(struct derivation *derivation)
{
    compute(derivation);
    atomic_store(&derivation->phase, ENDED);
}

static void *
thread(void *context)
{
    struct derivation *d = context;
    enum phase running = RUNNING;

    compute(d);
    if (atomic_compare_exchange_strong(&d->phase, &running, ENDED))
        return NULL;
    release(d);
    atomic_fetch_sub(&left, 1);
    return NULL;
}

/* Signals are for the other threads. */
static int
start_muted(struct derivation *derivation)
{
    sigset_t all, before;
    pthread_t id;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&id, NULL, thread, derivation);

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed == 0)
        pthread_detach(id);
    return failed;
}

enum status
derivation_start(struct derivation *derivation, struct error *err)
{
    atomic_store(&derivation->phase, RUNNING);
    int failed = fault_due() ? EAGAIN : start_muted(derivation);

    if (failed == 0)
        return STATUS_OK;
    atomic_store(&derivation->phase, RESTING);
    return error_set(err, STATUS_NOMEM, "cannot start a thread: %s",
                     strerror(failed));
}

bool
derivation_ended(const struct derivation *derivation)
{
    return atomic_load(&derivation->phase) == ENDED;
}

enum status
derivation_key(const struct secret **out, const struct derivation *derivation,
               struct error *err)
{
    uint64_t mib = UINT64_C(1) << 20;

    *out = derivation->key;
    if (!derivation->refused)
        return STATUS_OK;
    return error_set(err, STATUS_NOMEM,
                     "trying the passphrase takes %" PRIu64
                     " MiB of memory, which cannot be had now",
                     (derivation->cost.memory_bytes + mib - 1) / mib);
}

void
derivation_close(struct derivation *derivation)
{
    enum phase running = RUNNING;

    if (derivation == NULL)
        return;
    atomic_fetch_add(&left, 1);
    if (atomic_compare_exchange_strong(&derivation->phase, &running, GIVEN_UP))
        return;
    atomic_fetch_sub(&left, 1);
    release(derivation);
}

unsigned
derivations_left(void)
{
    return atomic_load(&left);
}
