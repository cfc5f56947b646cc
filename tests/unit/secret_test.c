/* storage/secret.h: memory for keys is what it promises to be. */
#include "config.h"

#include "storage/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOBODY = 65534 };

// sanitizers make mlock a call that does nothing
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { LOCKS = 0 };
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||     \
    __has_feature(memory_sanitizer)
enum { LOCKS = 0 };
#else
enum { LOCKS = 1 };
#endif
#else
enum { LOCKS = 1 };
#endif

static struct error err;

static struct secret *
make(size_t bytes)
{
    struct secret *secret;

    assert_int_equal(secret_open(&secret, bytes, &err), STATUS_OK);
    return secret;
}

static void
a_secret_starts_zeroed_and_has_its_length(void **state)
{
    static const size_t sizes[] = {0, 1, 31, 32, 4096, 4097, 1 << 20};

    (void) state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct secret *secret = make(sizes[i]);

        assert_int_equal(secret_length(secret), sizes[i]);
        assert_true(sodium_is_zero(secret_bytes(secret), sizes[i]));
        memset(secret_data(secret), 0xEE, sizes[i]);
        secret_close(secret);
    }
    secret_close(NULL);
}

/* The flags of the mapping that holds `at`, of /proc/self/smaps. */
static void
flags_of(char *out, size_t size, const void *at)
{
    FILE *maps = fopen("/proc/self/smaps", "r");
    char line[512];
    bool inside = false;
    uintptr_t from, to;

    out[0] = '\0';
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = (uintptr_t) at >= from && (uintptr_t) at < to;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            snprintf(out, size, "%s", line);
    }
    fclose(maps);
}

static void
a_secret_is_locked_and_in_no_core_file(void **state)
{
    struct secret *secret = make(64);
    char flags[512];

    (void) state;
    flags_of(flags, sizeof flags, secret_bytes(secret));
    if (flags[0] == '\0') {
        secret_close(secret);
        skip(); // a kernel without them
    }
    if (LOCKS)
        assert_non_null(strstr(flags, " lo")); // locked
    assert_non_null(strstr(flags, " dd"));     // not dumped
    secret_close(secret);
}

static void
a_write_past_the_end_kills(void **state)
{
    struct secret *secret = make(32);
    int result;

    (void) state;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        signal(SIGBUS, SIG_DFL);
        *(volatile uint8_t *) (secret_data(secret) + 32) = 1;
        _exit(0);
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFSIGNALED(result) || WEXITSTATUS(result) != 0);
    secret_close(secret);
}

static void
what_is_cut_off_is_wiped(void **state)
{
    struct secret *secret = make(64);
    uint8_t *bytes = secret_data(secret);

    (void) state;
    memset(bytes, 0xEE, 64);
    secret_cut(secret, 10);
    assert_int_equal(secret_length(secret), 10);
    assert_int_equal(bytes[9], 0xEE);
    assert_true(sodium_is_zero(bytes + 10, 54));
    secret_cut(secret, 20); // nothing grows
    assert_int_equal(secret_length(secret), 10);
    secret_close(secret);
}

/* (39) seen from outside: a child's memory after it has closed its secrets. */
static void
nothing_of_a_closed_secret_stays_in_memory(void **state)
{
    static const char pattern[] = "5e2f 91 a pattern that is nowhere else";
    char text[sizeof pattern], line[512], *bytes = malloc(1 << 20);
    size_t found = 0;

    (void) state;
    assert_non_null(bytes);
    for (int i = 0; i < 3; i++) {
        struct secret *secret = make(sizeof pattern), *copy;

        // put together here, so that no other copy of it exists reversed
        for (size_t j = 0; j < sizeof pattern; j++)
            secret_data(secret)[j] = (uint8_t) pattern[j] ^ 0x55;
        assert_int_equal(
            secret_copy(&copy, secret_bytes(secret), sizeof pattern, &err),
            STATUS_OK);
        secret_close(copy);
        secret_close(secret);
    }
    FILE *maps = fopen("/proc/self/maps", "r");
    int memory = open("/proc/self/mem", O_RDONLY);
    assert_non_null(maps);
    assert_true(memory >= 0);
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long from, to;
        char mode[8];

        if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 ||
            strncmp(mode, "rw", 2) != 0 || to - from > 1 << 20 ||
            strstr(line, "[v") != NULL)
            continue;
        ssize_t got = pread(memory, bytes, to - from, (off_t) from);
        for (ssize_t i = 0; i + (ssize_t) sizeof pattern <= got; i++) {
            for (size_t j = 0; j < sizeof text; j++)
                text[j] = (char) (bytes[i + (ssize_t) j] ^ 0x55);
            found += memcmp(text, pattern, sizeof pattern) == 0;
        }
    }
    assert_int_equal(found, 0);
    close(memory);
    fclose(maps);
    free(bytes);
}

static void
equal_means_every_byte(void **state)
{
    uint8_t a[32] = {0}, b[32] = {0};

    (void) state;
    assert_true(secret_equal(a, b, sizeof a));
    for (size_t bit = 0; bit < 256; bit++) {
        b[bit / 8] ^= (uint8_t) (1 << bit % 8);
        assert_false(secret_equal(a, b, sizeof a));
        b[bit / 8] = 0;
    }
}

/* Runs `body` in a child of its own; its exit status. */
static int
in_child(int (*body)(void))
{
    int result;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        _exit(body());
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    return WEXITSTATUS(result);
}

/* As nobody, since root may lock whatever the limit says. */
static int
lock_nothing(void)
{
    const struct rlimit none = {4096, 4096};
    struct secret *secret;

    if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 ||
        (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0))
        return 1;
    if (secret_open(&secret, 1 << 16, &err) != STATUS_NOMEM || secret != NULL)
        return 2;
    return strstr(err.text, "the limit is 4 KiB") != NULL ? 0 : 3;
}

static void
memory_that_cannot_be_locked_is_refused_with_the_limit(void **state)
{
    (void) state;
    if (!LOCKS)
        skip();
    assert_int_equal(in_child(lock_nothing), 0);
}

static int
start_without_random_numbers(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

    if (filter == NULL ||
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(getrandom),
                         0) != 0 ||
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 0) !=
            0 ||
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(open), 0) !=
            0 ||
        seccomp_load(filter) != 0)
        return 77;
    return secret_start(&err) == STATUS_IO &&
                   strstr(err.text, "no random numbers") != NULL
               ? 0
               : 1;
}

/* (40) */
static void
without_random_numbers_nothing_starts(void **state)
{
    int result;

    (void) state;
    result = in_child(start_without_random_numbers);
    if (result == 77)
        skip();
    assert_int_equal(result, 0);
    fault_arm(1);
    assert_int_equal(secret_start(&err), STATUS_IO);
    fault_arm(0);
    assert_int_equal(secret_start(&err), STATUS_OK);
}

static void
a_failure_at_any_step_gives_no_secret(void **state)
{
    struct secret *secret;
    enum status status = STATUS_NOMEM;

    (void) state;
    for (unsigned long n = 1; status != STATUS_OK; n++) {
        fault_arm(n);
        status = secret_open(&secret, 32, &err);
        fault_arm(0);
        assert_int_equal(secret != NULL, status == STATUS_OK);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
        assert_true(n < 10);
    }
    secret_close(secret);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        // before the library has opened what it needs
        cmocka_unit_test(without_random_numbers_nothing_starts),
        cmocka_unit_test(a_secret_starts_zeroed_and_has_its_length),
        cmocka_unit_test(a_secret_is_locked_and_in_no_core_file),
        cmocka_unit_test(a_write_past_the_end_kills),
        cmocka_unit_test(what_is_cut_off_is_wiped),
        cmocka_unit_test(nothing_of_a_closed_secret_stays_in_memory),
        cmocka_unit_test(equal_means_every_byte),
        cmocka_unit_test(
            memory_that_cannot_be_locked_is_refused_with_the_limit),
        cmocka_unit_test(a_failure_at_any_step_gives_no_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
