/* libsodium's guarded memory, with its failures taken seriously. */
#include "config.h"

#include "storage/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

struct secret {
    uint8_t *bytes;
    size_t length, capacity;
};

/* Does the system give random numbers? The library would abort if not. */
static bool
random_works(void)
{
    uint8_t probe[16];

    if (fault_due()) {
        errno = EIO;
        return false;
    }
    if (getrandom(probe, sizeof probe, 0) == sizeof probe)
        return true;
    if (errno != ENOSYS)
        return false;
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    bool works = fd >= 0 && read(fd, probe, sizeof probe) == sizeof probe;

    if (fd >= 0)
        close(fd);
    return works;
}

enum status
secret_start(struct error *err)
{
    if (!random_works())
        return error_errno(err, "this system gives no random numbers, without "
                                "which there can be no keys");
    if (sodium_init() < 0)
        return error_set(err, STATUS_IO,
                         "the cryptographic library cannot be started");
    return STATUS_OK;
}

static enum status
cannot_lock(size_t bytes, struct error *err)
{
    struct rlimit limit = {0};

    if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 &&
        limit.rlim_cur != RLIM_INFINITY)
        return error_set(err, STATUS_NOMEM,
                         "cannot lock %zu bytes of memory for a key: the "
                         "limit is %ju KiB (ulimit -l)",
                         bytes, (uintmax_t) limit.rlim_cur / 1024);
    return error_set(err, STATUS_NOMEM,
                     "cannot lock %zu bytes of memory for a key", bytes);
}

/* Out of swap and out of core files, or it is no place for a key. */
static enum status
protect(uint8_t *bytes, size_t capacity, struct error *err)
{
    uintptr_t page = (uintptr_t) sysconf(_SC_PAGESIZE);
    size_t before = (uintptr_t) bytes % page;

    // sodium_malloc tries both too, but does not tell when it failed
    if (fault_due() || sodium_mlock(bytes, capacity) != 0)
        return cannot_lock(capacity, err);
    if (madvise(bytes - before, before + capacity, MADV_DONTDUMP) != 0)
        return error_set(err, STATUS_NOMEM,
                         "cannot keep a key's memory out of core files: %s",
                         strerror(errno));
    return STATUS_OK;
}

enum status
secret_open(struct secret **out, size_t bytes, struct error *err)
{
    void *memory;
    enum status status;

    *out = NULL;
    TRY(memory_alloc(&memory, sizeof **out, err));
    struct secret *secret = memory;

    secret->capacity = bytes > 0 ? bytes : 1;
    secret->length = bytes;
    secret->bytes = fault_due() ? NULL : sodium_malloc(secret->capacity);
    if (secret->bytes == NULL)
        status = error_set(err, STATUS_NOMEM,
                           "cannot get %zu bytes of memory for a key", bytes);
    else
        status = protect(secret->bytes, secret->capacity, err);
    if (status != STATUS_OK) {
        sodium_free(secret->bytes);
        free(secret);
        return status;
    }
    sodium_memzero(secret->bytes, secret->capacity);
    *out = secret;
    return STATUS_OK;
}

enum status
secret_copy(struct secret **out, const void *bytes, size_t length,
            struct error *err)
{
    TRY(secret_open(out, length, err));
    if (length > 0)
        memcpy((*out)->bytes, bytes, length);
    return STATUS_OK;
}

void
secret_close(struct secret *secret)
{
    if (secret == NULL)
        return;
    sodium_free(secret->bytes); // wipes
    free(secret);
}

uint8_t *
secret_data(struct secret *secret)
{
    return secret->bytes;
}

const uint8_t *
secret_bytes(const struct secret *secret)
{
    return secret->bytes;
}

size_t
secret_length(const struct secret *secret)
{
    return secret->length;
}

void
secret_cut(struct secret *secret, size_t length)
{
    if (length >= secret->length)
        return;
    sodium_memzero(secret->bytes + length, secret->length - length);
    secret->length = length;
}

bool
secret_equal(const void *a, const void *b, size_t bytes)
{
    return sodium_memcmp(a, b, bytes) == 0;
}

void
secret_wipe(void *bytes, size_t length)
{
    sodium_memzero(bytes, length);
}
