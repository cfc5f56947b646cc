/*
 * base/rendezvous.h, the client's half, against engine/warm.h, the engine's:
 * in another process, since a process does not see its own locks.
 */
#include "config.h"

#include "engine/warm.h"

#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { WAIT_MS = 20000 };

static struct error err;
static char folder[64], model[80], name[RENDEZVOUS_NAME];

#define OK(call) assert_int_equal((call), STATUS_OK)

/* A directory of our own with a "model" in it. */
static int
set_up(void **state)
{
    (void) state;
    strcpy(folder, "/tmp/fathom-rendezvous-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(model, sizeof model, "%s/model", folder);
    close(open(model, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    return rendezvous_name(name, model, &err) == STATUS_OK ? 0 : -1;
}

static int
tear_down(void **state)
{
    char command[128];

    (void) state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command); // NOLINT(cert-env33-c): a path of our own
}

static void
wait_readable(int fd)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};

    if (poll(&polled, 1, WAIT_MS) != 1)
        _exit(9);
}

/* Sends back what a client sends until that ends. */
static void
echo(int in, int out)
{
    char bytes[100];
    ssize_t got;

    do {
        wait_readable(in);
        got = read(in, bytes, sizeof bytes);
        if (got > 0 && write(out, bytes, (size_t) got) != got)
            _exit(8);
    } while (got > 0);
    close(in);
    close(out);
}

/* An engine that echoes, client after client; says so when it is there. */
static void
engine(int ready)
{
    struct warm *warm;
    int in, out;
    enum warm_event event;

    if (warm_open(&warm, folder, model, &err) != STATUS_OK ||
        write(ready, "r", 1) != 1)
        _exit(7);
    do {
        wait_readable(warm_descriptor(warm));
        while ((event = warm_next(warm, &in, &out)) == WARM_CLIENT)
            echo(in, out);
    } while (event != WARM_STOP);
    warm_close(warm);
    _exit(0);
}

static pid_t
start_engine(void)
{
    int ends[2];
    char byte;

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        engine(ends[1]);
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    return child;
}

static void
assert_ended(pid_t child)
{
    int status;

    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void
connect_and_talk(void)
{
    int to, from;
    char bytes[8] = "";
    bool found;

    OK(rendezvous_connect(&to, &from, &found, folder, name, WAIT_MS, &err));
    assert_true(found);
    assert_int_equal(write(to, "hello", 5), 5);
    wait_readable(from);
    assert_int_equal(read(from, bytes, sizeof bytes), 5);
    assert_memory_equal(bytes, "hello", 5);
    close(to);
    wait_readable(from);
    assert_int_equal(read(from, bytes, sizeof bytes), 0);
    close(from);
}

static void
records_are_parsed_exactly(void **state)
{
    static const char *const bad[] = {"",
                                      "fathom 1 stop ",
                                      "fathom 1 open",
                                      "fathom 1 open ",
                                      "fathom 2 stop",
                                      "fathom 1 open A",
                                      "fathom 1 open a/b",
                                      "fathom 1 open ..",
                                      "fathom 1 open a b"};
    struct rendezvous_record record;
    char longest[200];

    (void) state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(rendezvous_parse(&record, bad[i], strlen(bad[i])));
    assert_true(rendezvous_parse(&record, "fathom 1 stop", 13));
    assert_int_equal(record.verb, RENDEZVOUS_STOP);
    assert_true(rendezvous_parse(&record, "fathom 1 open client-1-0f", 25));
    assert_int_equal(record.verb, RENDEZVOUS_OPEN);
    assert_string_equal(record.client, "client-1-0f");
    memset(longest, 'a', sizeof longest);
    memcpy(longest, "fathom 1 open ", 14);
    assert_true(rendezvous_parse(&record, longest, 14 + 63));
    assert_false(rendezvous_parse(&record, longest, 14 + 64));
}

static void
names_follow_the_real_path(void **state)
{
    char other[RENDEZVOUS_NAME], link[100];

    (void) state;
    // FNV-1a of the real path
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char *c = model; *c != '\0'; c++)
        hash = (hash ^ (unsigned char) *c) * 0x100000001b3u;
    char expected[RENDEZVOUS_NAME];
    snprintf(expected, sizeof expected, "%016llx", (unsigned long long) hash);
    assert_string_equal(name, expected);
    snprintf(link, sizeof link, "%s/link", folder);
    assert_int_equal(symlink(model, link), 0);
    OK(rendezvous_name(other, link, &err));
    assert_string_equal(other, name);
    assert_int_equal(rendezvous_name(other, "/nonexistent", &err), STATUS_IO);
}

static void
the_directory_is_made_and_checked(void **state)
{
    struct buffer path = {0};
    char expected[100];
    struct stat stat;

    (void) state;
    setenv("XDG_RUNTIME_DIR", folder, 1);
    OK(rendezvous_directory(&path, &err));
    snprintf(expected, sizeof expected, "%s/fathom", folder);
    assert_string_equal(path.data, expected);
    assert_int_equal(lstat(expected, &stat), 0);
    assert_int_equal(stat.st_mode & 07777, 0700);
    buffer_clear(&path);

    assert_int_equal(chmod(expected, 0750), 0);
    assert_int_equal(rendezvous_directory(&path, &err), STATUS_IO);
    assert_non_null(strstr(err.text, expected));
    assert_int_equal(rmdir(expected), 0);
    assert_int_equal(symlink("/tmp", expected), 0);
    assert_int_equal(rendezvous_directory(&path, &err), STATUS_IO);
    unlink(expected);
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(rendezvous_directory(&path, &err), STATUS_IO);
    assert_int_equal(chmod(folder, 0700), 0);

    // relative values are not looked at
    setenv("XDG_RUNTIME_DIR", folder + 1, 1);
    assert_int_equal(chdir("/"), 0);
    if (rendezvous_directory(&path, &err) == STATUS_OK)
        assert_null(strstr(path.data, folder));
    buffer_release(&path);
}

static void
without_an_engine_nothing_is_found(void **state)
{
    struct rendezvous_engine found_engine;
    int to, from;
    bool found;

    (void) state;
    OK(rendezvous_find(&found_engine, &found, folder, name, &err));
    assert_false(found);
    OK(rendezvous_connect(&to, &from, &found, folder, name, WAIT_MS, &err));
    assert_false(found);
    OK(rendezvous_stop(folder, name, WAIT_MS, &found, &err));
    assert_false(found);
}

static void
count_engine(void *context, const struct rendezvous_engine *found_engine)
{
    assert_string_equal(found_engine->model, model);
    assert_string_equal(found_engine->name, name);
    ++*(int *) context;
}

static void
clients_meet_the_engine_one_after_the_other(void **state)
{
    struct rendezvous_engine found_engine;
    pid_t child = start_engine();
    int count = 0;
    bool found;

    (void) state;
    OK(rendezvous_find(&found_engine, &found, folder, name, &err));
    assert_true(found);
    assert_int_equal(found_engine.pid, child);
    assert_string_equal(found_engine.model, model);
    OK(rendezvous_each(folder, count_engine, &count, &err));
    assert_int_equal(count, 1);
    for (int i = 0; i < 20; i++)
        connect_and_talk();
    OK(rendezvous_stop(folder, name, WAIT_MS, &found, &err));
    assert_true(found);
    assert_ended(child);
    without_an_engine_nothing_is_found(state);
}

static void
a_killed_engine_is_not_found_and_replaced(void **state)
{
    pid_t child = start_engine();
    struct warm *warm;
    bool found;

    (void) state;
    // while it lives there is no other
    assert_int_equal(warm_open(&warm, folder, model, &err), STATUS_LIMIT);
    assert_null(warm);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    without_an_engine_nothing_is_found(state);
    child = start_engine();
    connect_and_talk();
    OK(rendezvous_stop(folder, name, WAIT_MS, &found, &err));
    assert_ended(child);
}

static void
an_engine_that_hangs_is_said_so(void **state)
{
    pid_t child = start_engine();
    int to, from;
    bool found;

    (void) state;
    kill(child, SIGSTOP);
    OK(rendezvous_connect(&to, &from, &found, folder, name, 20, &err));
    assert_false(found);
    assert_int_equal(to, -1);
    assert_int_equal(from, -1);
    assert_int_equal(rendezvous_stop(folder, name, 20, &found, &err),
                     STATUS_IO);
    assert_true(found);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_parsed_exactly),
        cmocka_unit_test_setup_teardown(names_follow_the_real_path, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_directory_is_made_and_checked,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_an_engine_nothing_is_found,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            clients_meet_the_engine_one_after_the_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_killed_engine_is_not_found_and_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_engine_that_hangs_is_said_so, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
