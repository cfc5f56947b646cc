/* storage/safe_file.h: what others could reach is refused; writes are whole. */
#include "config.h"

#include "storage/storage.h"
#include "tests/unit/vault_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOBODY = 65534 };

static struct error err;

static int
enter(void **state)
{
    (void) state;
    vault_folder_enter();
    return 0;
}

static int
leave(void **state)
{
    (void) state;
    umask(022);
    vault_folder_leave();
    return 0;
}

static void
put(const char *path, const char *text)
{
    assert_int_equal(safe_file_write(path, text, strlen(text), false, &err),
                     STATUS_OK);
}

static mode_t
mode_of(const char *path)
{
    struct stat status;

    assert_int_equal(lstat(path, &status), 0);
    return status.st_mode & 07777;
}

static void
assert_holds(const char *path, const char *text)
{
    struct buffer bytes = {0};

    assert_int_equal(safe_file_read(&bytes, path, 1000, &err), STATUS_OK);
    assert_int_equal(bytes.length, strlen(text));
    assert_memory_equal(bytes.data, text, bytes.length);
    buffer_release(&bytes);
}

/* Every way to the file says the same. */
static void
assert_refused(const char *path, const char *because)
{
    struct buffer bytes = {0};
    int fd;
    pid_t holder;

    assert_int_equal(safe_file_check(path, &err), STATUS_DENIED);
    assert_non_null(strstr(err.text, because));
    assert_int_equal(safe_file_read(&bytes, path, 1000, &err), STATUS_DENIED);
    assert_non_null(strstr(err.text, because));
    for (int access = SAFE_READ; access <= SAFE_APPEND; access++) {
        assert_int_equal(
            safe_file_open(&fd, path, (enum safe_access) access, &err),
            STATUS_DENIED);
        assert_int_equal(fd, -1);
    }
    assert_int_equal(safe_file_lock(&fd, &holder, path, &err), STATUS_DENIED);
    assert_int_equal(safe_file_write(path, "x", 1, true, &err), STATUS_DENIED);
    assert_non_null(strstr(err.text, because));
}

// -- (16) what is refused ---------------------------------------------------

static void
a_symbolic_link_is_refused_and_not_followed(void **state)
{
    (void) state;
    put("target", "kept");
    assert_int_equal(symlink("target", "link"), 0);
    assert_int_equal(symlink("nowhere", "dangling"), 0);
    assert_refused("link", "a symbolic link");
    assert_refused("dangling", "a symbolic link");
    assert_int_not_equal(access("nowhere", F_OK), 0);
    assert_holds("target", "kept");
}

static void
a_pipe_a_device_and_a_folder_are_refused_without_waiting(void **state)
{
    (void) state;
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_int_equal(mkdir("folder", 0700), 0);
    assert_refused("pipe", "a pipe");
    assert_refused("folder", "a folder");
    if (mknod("device", S_IFCHR | 0600, makedev(1, 3)) == 0)
        assert_refused("device", "not a regular file");
}

static void
a_file_that_others_may_reach_is_refused(void **state)
{
    static const mode_t modes[] = {0666, 0640, 0604, 0620, 0602, 0610, 0601};

    (void) state;
    put("file", "text");
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        assert_int_equal(chmod("file", modes[i]), 0);
        assert_refused("file", "chmod 600 file");
    }
    assert_int_equal(chmod("file", 0400), 0);
    assert_int_equal(safe_file_check("file", &err), STATUS_OK);
    assert_int_equal(chmod("file", 0600), 0);
    assert_holds("file", "text");
}

static void
a_file_or_folder_of_another_user_is_refused(void **state)
{
    (void) state;
    if (geteuid() != 0)
        skip(); // only root can give files away
    put("file", "text");
    assert_int_equal(chown("file", NOBODY, NOBODY), 0);
    assert_refused("file", "another user");
    assert_int_equal(mkdir("folder", 0700), 0);
    put("folder/file", "text");
    assert_int_equal(chown("folder", NOBODY, NOBODY), 0);
    assert_refused("folder/file", "another user");
    // as seen by a user to whom the file belongs, in a folder of root's
    int result;
    assert_int_equal(chmod(".", 0755), 0);
    assert_int_equal(chmod("file", 0600), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (setresuid(NOBODY, NOBODY, NOBODY) != 0)
            _exit(1);
        _exit(safe_file_check("file", &err) == STATUS_DENIED &&
                      strstr(err.text, "is not yours") != NULL
                  ? 0
                  : 2);
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
}

static void
a_folder_that_others_may_write_is_refused_sticky_or_not(void **state)
{
    static const mode_t modes[] = {0777, 0770, 0702, 01777, 0720};

    (void) state;
    assert_int_equal(mkdir("folder", 0700), 0);
    assert_int_equal(mkdir("folder/in", 0700), 0);
    put("folder/file", "text");
    put("folder/in/file", "text");
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        assert_int_equal(chmod("folder", modes[i]), 0);
        assert_refused("folder/file", "others may write to the folder");
        assert_int_equal(safe_folder_check("folder", &err), STATUS_DENIED);
        assert_int_equal(safe_folder_make("folder/new", &err),
                         modes[i] & S_ISVTX ? STATUS_OK : STATUS_DENIED);
        // further up others may write only where they cannot move things
        assert_int_equal(safe_file_check("folder/in/file", &err),
                         modes[i] & S_ISVTX ? STATUS_OK : STATUS_DENIED);
        (void) rmdir("folder/new");
    }
    // as /tmp itself
    assert_int_equal(safe_folder_check("/tmp", &err), STATUS_DENIED);
    assert_int_equal(chmod("folder", 0755), 0);
    assert_holds("folder/file", "text");
}

static void
a_link_on_the_way_is_followed_only_if_nobody_else_made_it(void **state)
{
    (void) state;
    assert_int_equal(mkdir("folder", 0700), 0);
    put("folder/file", "text");
    assert_int_equal(symlink("folder", "ours"), 0);
    assert_holds("ours/file", "text");
    if (geteuid() != 0)
        return;
    assert_int_equal(symlink("folder", "theirs"), 0);
    assert_int_equal(lchown("theirs", NOBODY, NOBODY), 0);
    assert_refused("theirs/file", "another user");
}

// -- what is made -----------------------------------------------------------

/* (30) for these files. */
static void
what_is_made_is_private_whatever_the_umask(void **state)
{
    static const mode_t masks[] = {0, 022, 077, 0777};
    pid_t holder;
    int fd;

    (void) state;
    for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
        umask(masks[i]);
        assert_int_equal(safe_folder_make("a/b/c", &err), STATUS_OK);
        put("a/b/c/file", "text");
        assert_int_equal(safe_file_open(&fd, "a/b/c/new", SAFE_NEW, &err),
                         STATUS_OK);
        close(fd);
        assert_int_equal(safe_file_lock(&fd, &holder, "a/b/c/lock", &err),
                         STATUS_OK);
        close(fd);
        assert_int_equal(mode_of("a"), 0700);
        assert_int_equal(mode_of("a/b/c"), 0700);
        assert_int_equal(mode_of("a/b/c/file"), 0600);
        assert_int_equal(mode_of("a/b/c/new"), 0600);
        assert_int_equal(mode_of("a/b/c/lock"), 0600);
        assert_int_equal(unlink("a/b/c/file"), 0);
        assert_int_equal(unlink("a/b/c/new"), 0);
        assert_int_equal(unlink("a/b/c/lock"), 0);
        assert_int_equal(rmdir("a/b/c"), 0);
        assert_int_equal(rmdir("a/b"), 0);
        assert_int_equal(rmdir("a"), 0);
    }
}

static void
a_new_file_takes_no_others_place(void **state)
{
    int fd;

    (void) state;
    put("file", "text");
    assert_int_equal(safe_file_open(&fd, "file", SAFE_NEW, &err), STATUS_LIMIT);
    assert_non_null(strstr(err.text, "there already"));
    assert_int_equal(symlink("nowhere", "link"), 0);
    assert_int_equal(safe_file_open(&fd, "link", SAFE_NEW, &err), STATUS_LIMIT);
    assert_holds("file", "text");
}

static void
a_long_file_is_not_read(void **state)
{
    struct buffer bytes = {0};

    (void) state;
    put("file", "1234567890");
    assert_int_equal(safe_file_read(&bytes, "file", 10, &err), STATUS_OK);
    buffer_release(&bytes);
    assert_int_equal(safe_file_read(&bytes, "file", 9, &err), STATUS_LIMIT);
    buffer_release(&bytes);
}

static void
the_former_file_is_kept_when_asked(void **state)
{
    (void) state;
    put("file", "one");
    assert_int_not_equal(access("file.old", F_OK), 0);
    assert_int_equal(safe_file_write("file", "two", 3, true, &err), STATUS_OK);
    assert_int_equal(safe_file_write("file", "three", 5, true, &err),
                     STATUS_OK);
    assert_holds("file", "three");
    assert_holds("file.old", "two");
    assert_int_equal(mode_of("file.old"), 0600);
    assert_int_equal(safe_file_remove("file.old", &err), STATUS_OK);
    assert_int_equal(safe_file_remove("file.old", &err), STATUS_OK);
}

static size_t
names_here(void)
{
    DIR *here = opendir(".");
    size_t count = 0;

    assert_non_null(here);
    for (struct dirent *entry; (entry = readdir(here)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(here);
    return count;
}

/* A full disk or EIO at any step: the old content or the new, nothing beside.
 */
static void
a_write_that_fails_anywhere_loses_nothing(void **state)
{
    enum status status = STATUS_IO;

    (void) state;
    for (unsigned long n = 1; status != STATUS_OK; n++) {
        struct buffer bytes = {0};

        put("file", "before");
        fault_arm(n);
        status = safe_file_write("file", "after", 5, false, &err);
        fault_arm(0);
        assert_int_equal(safe_file_read(&bytes, "file", 100, &err), STATUS_OK);
        if (bytes.length == 6)
            assert_memory_equal(bytes.data, "before", 6);
        else
            assert_memory_equal(bytes.data, "after", 6);
        assert_true(status != STATUS_OK || bytes.length == 5);
        buffer_release(&bytes);
        assert_int_equal(names_here(), 1);
        assert_true(n < 500);
    }
}

/* (26) somebody swaps the file for a link while it is replaced and read. */
static void
a_race_with_links_never_reaches_their_target(void **state)
{
    int result;

    (void) state;
    put("victim", "victim");
    put("file", "whole");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        for (int i = 0; i < 3000; i++) {
            char name[32];

            snprintf(name, sizeof name, "link%d", i % 2);
            if (symlink("victim", name) != 0 || rename(name, "file") != 0)
                _exit(1);
        }
        _exit(0);
    }
    do {
        struct buffer bytes = {0};

        (void) !safe_file_write("file", "whole", 5, false, &err);
        if (safe_file_read(&bytes, "file", 100, &err) == STATUS_OK)
            assert_memory_equal(bytes.data, "whole", 5);
        buffer_release(&bytes);
    } while (waitpid(child, &result, WNOHANG) == 0);
    assert_int_equal(result, 0);
    assert_holds("victim", "victim");
}

static void
what_killed_writers_left_is_swept_and_nothing_else(void **state)
{
    static const char *const left[] = {"file.new-12-0", "file.old.new-3-99"},
                             *const kept[] = {"file",          "file.old",
                                              "file.new",      "file.new-",
                                              "other.new-1-1", "file.new-1-x"};

    (void) state;
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++)
        put(left[i], "x");
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        put(kept[i], "x");
    assert_int_equal(safe_file_sweep("file", &err), STATUS_OK);
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++)
        assert_int_not_equal(access(left[i], F_OK), 0);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        assert_int_equal(access(kept[i], F_OK), 0);
}

// -- one at a time ----------------------------------------------------------

static void
a_second_process_is_told_who_has_the_lock(void **state)
{
    int fd, told[2], result;
    pid_t holder, parent = getpid();

    (void) state;
    assert_int_equal(pipe(told), 0);
    assert_int_equal(safe_file_lock(&fd, &holder, "lock", &err), STATUS_OK);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int mine;
        bool right =
            safe_file_lock(&mine, &holder, "lock", &err) == STATUS_BUSY &&
            holder == parent && mine == -1;
        char number[32];

        snprintf(number, sizeof number, "process %ld has", (long) parent);
        _exit(right && strstr(err.text, number) != NULL ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
    close(fd);
    // what is left of a process that died is no lock
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(safe_file_lock(&fd, &holder, "lock", &err) == STATUS_OK ? 0 : 1);
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
    assert_int_equal(safe_file_lock(&fd, &holder, "lock", &err), STATUS_OK);
    close(fd);
}

/* In place of libc's: a file system of a network without a lock manager. */
static bool no_locks;
int __real_fcntl(int fd, int command, void *argument);
int __wrap_fcntl(int fd, int command, void *argument);

int
__wrap_fcntl(int fd, int command, void *argument)
{
    if (!no_locks || command != F_SETLK)
        return __real_fcntl(fd, command, argument);
    errno = ENOLCK;
    return -1;
}

static void
a_file_system_without_locks_is_told(void **state)
{
    pid_t holder;
    int fd;

    (void) state;
    no_locks = true;
    assert_int_equal(safe_file_lock(&fd, &holder, "lock", &err), STATUS_IO);
    no_locks = false;
    assert_int_equal(fd, -1);
    assert_non_null(strstr(err.text, "its file system keeps no locks"));
}

static void
names_from_outside_are_shown_safely(void **state)
{
    (void) state;
    assert_int_equal(safe_file_check("a\x1b[31mb", &err), STATUS_IO);
    assert_null(strchr(err.text, '\x1b'));
    assert_non_null(strstr(err.text, "a\\x1B[31mb"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_symbolic_link_is_refused_and_not_followed),
        TEST(a_pipe_a_device_and_a_folder_are_refused_without_waiting),
        TEST(a_file_that_others_may_reach_is_refused),
        TEST(a_file_or_folder_of_another_user_is_refused),
        TEST(a_folder_that_others_may_write_is_refused_sticky_or_not),
        TEST(a_link_on_the_way_is_followed_only_if_nobody_else_made_it),
        TEST(what_is_made_is_private_whatever_the_umask),
        TEST(a_new_file_takes_no_others_place),
        TEST(a_long_file_is_not_read),
        TEST(the_former_file_is_kept_when_asked),
        TEST(a_write_that_fails_anywhere_loses_nothing),
        TEST(what_killed_writers_left_is_swept_and_nothing_else),
        TEST(a_race_with_links_never_reaches_their_target),
        TEST(a_second_process_is_told_who_has_the_lock),
        TEST(a_file_system_without_locks_is_told),
        TEST(names_from_outside_are_shown_safely),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
