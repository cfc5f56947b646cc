/* base/memory.h, fault.h, log.h, status.h. */
#include "config.h"

#include "base/base.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void
sizes_that_wrap_are_refused(void **state)
{
    size_t out;

    (void) state;
    assert_true(size_mul(&out, SIZE_MAX / 2, 2));
    assert_int_equal(out, SIZE_MAX - 1);
    assert_false(size_mul(&out, SIZE_MAX / 2 + 1, 2));
    assert_true(size_add(&out, SIZE_MAX - 1, 1));
    assert_false(size_add(&out, SIZE_MAX, 1));
}

static void
an_arena_lends_zeroed_aligned_memory(void **state)
{
    struct arena *arena;
    struct error err;

    (void) state;
    assert_int_equal(arena_open(&arena, 1 << 20, &err), STATUS_OK);
    for (size_t bytes = 0; bytes < 300; bytes += 7) {
        unsigned char *memory = arena_alloc(arena, bytes);

        assert_int_equal((uintptr_t) memory % 64, 0);
        for (size_t i = 0; i < bytes; i++)
            assert_int_equal(memory[i], 0);
        memset(memory, 0xFF, bytes);
    }
    assert_string_equal(arena_copy(arena, "latent", 3), "lat");
    assert_true(arena_used_bytes(arena) > 0);
    arena_close(arena);
    arena_close(NULL);
}

static void
a_buffer_grows_and_keeps_its_bytes(void **state)
{
    struct buffer buffer = {0};
    struct error err;

    (void) state;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(buffer_print(&buffer, &err, "%d ", i), STATUS_OK);
    assert_int_equal(buffer.length, 10 * 2 + 90 * 3 + 900 * 4);
    assert_memory_equal(buffer.data, "0 1 2 3 ", 8);
    assert_string_equal(buffer.data + buffer.length - 8, "998 999 ");
    buffer_drop(&buffer, buffer.length - 4);
    assert_string_equal(buffer.data, "999 ");
    buffer_clear(&buffer);
    assert_int_equal(buffer.length, 0);
    buffer_release(&buffer);
    assert_null(buffer.data);
}

static void
a_failed_append_changes_nothing(void **state)
{
    struct buffer buffer = {0};
    struct error err;
    char more[500] = {0};

    (void) state;
    assert_int_equal(buffer_append(&buffer, "kept", 4, &err), STATUS_OK);
    fault_arm(1);
    assert_int_equal(buffer_append(&buffer, more, sizeof more, &err),
                     STATUS_NOMEM);
    assert_string_equal(buffer.data, "kept");
    assert_int_equal(buffer_append(&buffer, more, sizeof more, &err),
                     STATUS_OK); // one fault is one failure
    assert_int_equal(buffer_reserve(&buffer, SIZE_MAX, &err), STATUS_LIMIT);
    buffer_release(&buffer);
}

static void
large_pages_are_aligned_and_zero(void **state)
{
    size_t sizes[] = {1, 4096, (2u << 20) - 1, 2u << 20, (5u << 20) + 3};
    struct error err;

    (void) state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *pages;

        assert_int_equal(pages_alloc(&pages, sizes[i], "a test", &err),
                         STATUS_OK);
        if (sizes[i] >= 2u << 20)
            assert_int_equal((uintptr_t) pages % (2u << 20), 0);
        assert_int_equal(((char *) pages)[sizes[i] - 1], 0);
        memset(pages, 1, sizes[i]);
        pages_free(pages, sizes[i]);
    }
    void *none;
    assert_int_equal(pages_alloc(&none, SIZE_MAX / 2, "the cache", &err),
                     STATUS_NOMEM);
    assert_non_null(strstr(err.text, "the cache"));
}

static void
an_error_of_the_system_names_its_reason(void **state)
{
    struct error err;

    (void) state;
    errno = ENOENT;
    assert_int_equal(error_errno(&err, "cannot open %s", "x"), STATUS_IO);
    assert_string_equal(err.text, "cannot open x: No such file or directory");
    assert_int_equal(err.status, STATUS_IO);
    assert_int_equal(error_set(&err, STATUS_LIMIT, "%0*d", 2000, 1),
                     STATUS_LIMIT);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

static void
the_ring_keeps_the_last_lines(void **state)
{
    struct buffer lines = {0};
    struct error err;

    (void) state;
    for (int i = 0; i < 300; i++)
        log_note("line %d", i);
    assert_int_equal(log_ring(&lines, &err), STATUS_OK);
    assert_non_null(strstr(lines.data, "note line 299\n"));
    assert_non_null(strstr(lines.data, "note line 44\n"));
    assert_null(strstr(lines.data, "note line 43\n"));
    buffer_release(&lines);
}

/* Folders that stand for /proc and /sys. */
#define TREE "memory_test.tree"

static void
put_file(const char *path, const char *text)
{
    char folder[256];

    // every folder on the way
    for (size_t i = 0; path[i] != '\0'; i++)
        if (path[i] == '/') {
            memcpy(folder, path, i);
            folder[i] = '\0';
            mkdir(folder, 0700);
        }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void
remove_tree(void)
{
    if (system("rm -rf " TREE) != 0)
        exit(99);
}

static size_t
available(void)
{
    return memory_available_under(TREE "/proc", TREE "/sys");
}

static void
what_is_available_is_what_the_groups_leave(void **state)
{
    (void) state;
    remove_tree();
    assert_true(available() > SIZE_MAX / 2); // nothing is said
    put_file(TREE "/proc/meminfo",
             "MemTotal: 99 kB\nMemAvailable:   4000 kB\n");
    assert_int_equal(available(), 4000 * 1024);
    // version 2: the group has no limit, the one around it has
    put_file(TREE "/proc/self/cgroup", "0::/user/job\n");
    put_file(TREE "/sys/fs/cgroup/user/job/memory.max", "max\n");
    assert_int_equal(available(), 4000 * 1024);
    put_file(TREE "/sys/fs/cgroup/user/memory.max", "3000000\n");
    put_file(TREE "/sys/fs/cgroup/user/memory.current", "1000000\n");
    assert_int_equal(available(), 2000000);
    // page cache that was read once can be had back
    put_file(TREE "/sys/fs/cgroup/user/memory.stat",
             "anon 5\ninactive_file 400000\n");
    assert_int_equal(available(), 2400000);
    put_file(TREE "/sys/fs/cgroup/user/memory.current", "9000000\n");
    assert_int_equal(available(), 0);
    remove_tree();
    // version 1
    put_file(TREE "/proc/meminfo", "MemAvailable: 4000 kB\n");
    put_file(TREE "/proc/self/cgroup", "4:cpu:/x\n3:memory:/x\n0::/\n");
    put_file(TREE "/sys/fs/cgroup/memory/memory.limit_in_bytes",
             "9223372036854771712\n");
    assert_int_equal(available(), 4000 * 1024);
    put_file(TREE "/sys/fs/cgroup/memory/x/memory.limit_in_bytes", "70000\n");
    put_file(TREE "/sys/fs/cgroup/memory/x/memory.usage_in_bytes", "60000\n");
    put_file(TREE "/sys/fs/cgroup/memory/x/memory.stat",
             "inactive_file 1\ntotal_inactive_file 20000\n");
    assert_int_equal(available(), 30000);
    remove_tree();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_that_wrap_are_refused),
        cmocka_unit_test(an_arena_lends_zeroed_aligned_memory),
        cmocka_unit_test(a_buffer_grows_and_keeps_its_bytes),
        cmocka_unit_test(a_failed_append_changes_nothing),
        cmocka_unit_test(large_pages_are_aligned_and_zero),
        cmocka_unit_test(what_is_available_is_what_the_groups_leave),
        cmocka_unit_test(an_error_of_the_system_names_its_reason),
        cmocka_unit_test(the_ring_keeps_the_last_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
