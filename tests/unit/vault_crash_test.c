/*
 * Full disks, failing disks, power cuts, kills: what was said to be kept is
 * there afterwards, and nothing is taken for tampering that was a crash.
 */
#include "config.h"

#include "shim_vfs.h"
#include "vault_fixture.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void
ignore_sentence(void *context, const char *sentence)
{
    (void) context;
    (void) sentence;
}

// -- a session --------------------------------------------------------------

static const struct chat_id CHAT = {{0xC4, 1}};

/* What was acknowledged so far: it must be there whatever happens. */
struct kept {
    uint32_t turns, draft;
};
static struct kept kept;

/* The text of the k-th turn; long ones take more than a page. */
static const char *
turn_text(uint32_t k)
{
    static char text[9000];
    size_t length = k % 3 == 2 ? sizeof text - 1 : 40;

    memset(text, 'a' + (int) (k % 26), length);
    text[length] = '\0';
    text[snprintf(text, sizeof text, "turn %u ", k)] = '.';
    return text;
}

static enum status
append(struct vault_chat *chat, struct error *why)
{
    struct turn_record turn = kept.turns % 2 == 0
                                  ? question_of(turn_text(kept.turns), 0)
                                  : answer_of(turn_text(kept.turns), 0);
    uint64_t id;

    TRY(vault_chat_append(chat, &turn, &id, why));
    kept.turns++;
    kept.draft = 0;
    return STATUS_OK;
}

static enum status
draft(struct vault_chat *chat, uint32_t number, struct error *why)
{
    char text[64];
    struct turn_record turn;

    snprintf(text, sizeof text, "draft %u", number);
    turn = answer_of(text, 0);
    TRY(vault_chat_draft(chat, &turn, why));
    kept.draft = number;
    return STATUS_OK;
}

static enum status
session_in(struct vault *vault, uint32_t turns, struct error *why)
{
    struct chat_info info = {.id = CHAT, .title = text_of("crash")};
    struct vault_chat *chat;
    enum status status = vault_chat_begin(&chat, vault, &info, why);

    if (status != STATUS_OK)
        return status;
    while (status == STATUS_OK && kept.turns < turns) {
        status = append(chat, why);
        if (status == STATUS_OK)
            status = draft(chat, 1, why);
        if (status == STATUS_OK)
            status = draft(chat, 2, why);
    }
    if (status == STATUS_OK)
        status = vault_add_input(vault, text_of("typed"), 100, why);
    vault_chat_close(chat);
    return status;
}

static enum status
session(uint32_t turns, struct error *why)
{
    struct vault *vault;
    enum status status;

    memset(&kept, 0, sizeof kept);
    TRY(vault_open(&vault, &place.at, &place.credential, VAULT_WRITE, why));
    status = session_in(vault, turns, why);
    vault_close(vault);
    return status;
}

/* Opens without an alarm and has all that was acknowledged, as written. */
static void
verify(const struct kept *least)
{
    struct vault *vault = vault_place_unlock(&place);
    const struct turn_record *turns;
    struct vault_chat *chat;
    size_t count, faults;
    enum status status;

    ok(vault_check(&faults, vault, ignore_sentence, NULL, &err));
    assert_int_equal(faults, 0);
    status = vault_chat_open(&chat, vault, &CHAT, &err);
    if (status != STATUS_OK) {
        assert_int_equal(least->turns, 0);
        vault_close(vault);
        return;
    }
    turns = vault_chat_turns(chat, &count);
    assert_true(count >= least->turns);
    for (size_t k = 0; k < count; k++) {
        const char *want = turn_text((uint32_t) k);
        unsigned number = 0;

        if (turns[k].complete || k < least->turns) {
            assert_int_equal(turns[k].content.length, strlen(want));
            assert_memory_equal(turns[k].content.bytes, want, strlen(want));
            continue;
        }
        // a draft that was taken in, the last one or one that came after
        assert_int_equal(sscanf(turns[k].content.bytes, "draft %u", &number),
                         1);
        if (k == least->turns)
            assert_true(number >= least->draft);
    }
    if (least->draft > 0)
        assert_true(count > least->turns);
    vault_chat_close(chat);
    vault_close(vault);
}

static void
make_base(void)
{
    struct vault *vault = vault_place_create(&place);

    vault_place_chat(vault, "before", "question", "answer");
    vault_close(vault);
    vault_place_save(&place, "base");
}

// -- disks ------------------------------------------------------------------

/* One session with the Nth operation failing; true when none failed. */
static bool
failing_session(unsigned long n, int code, bool onwards)
{
    struct kept least;
    struct error why;
    enum status status;
    bool failed;

    vault_place_bring_back(&place, "base");
    shim_fail(n, code, onwards);
    status = session(4, &why);
    failed = shim_failed();
    shim_fail(0, 0, false);
    least = kept;
    if (status != STATUS_OK)
        assert_true(failed && why.text[0] != '\0');
    if (status != STATUS_OK)
        assert_true(status == STATUS_IO || status == STATUS_FORMAT);
    verify(&least);
    return !failed;
}

// attack 21
static void
a_disk_that_fails_once_loses_nothing_that_was_kept(void **state)
{
    unsigned long n = 1;

    (void) state;
    make_base();
    while (!failing_session(n, SQLITE_IOERR_WRITE, false))
        n += is_long() || n < 20 ? 1 : 3;
    assert_true(n > 20);
}

// attack 21
static void
a_disk_that_is_full_from_some_moment_loses_nothing_that_was_kept(void **state)
{
    unsigned long n = 1;

    (void) state;
    make_base();
    while (!failing_session(n, SQLITE_FULL, true))
        n += is_long() || n < 20 ? 1 : 3;
    assert_true(n > 20);
}

/*
 * The same for what is not SQLite's: memory, anchor, slots. A session that went
 * well twenty times in a row has no step left that could fail.
 */
static void
memory_or_files_that_fail_lose_nothing_that_was_kept(void **state)
{
    unsigned long n = 1, failures = 0;

    (void) state;
    make_base();
    for (int good = 0; good < 20; n += is_long() || n < 60 ? 1 : 5) {
        struct kept least;
        struct error why;
        enum status status;

        vault_place_bring_back(&place, "base");
        fault_arm(n);
        status = session(3, &why);
        fault_arm(0);
        least = kept;
        good = status == STATUS_OK ? good + 1 : 0;
        failures += status != STATUS_OK;
        verify(&least);
    }
    assert_true(failures > 30);
}

// -- power cuts -------------------------------------------------------------

struct moment {
    struct kept kept;
    char anchor[128];
};

static void
anchor_path(char out[PATH_MAX + 64])
{
    DIR *folder = opendir(place.state);
    struct dirent *entry;

    assert_non_null(folder);
    out[0] = '\0';
    while ((entry = readdir(folder)) != NULL)
        if (strncmp(entry->d_name, "anchor-", 7) == 0 &&
            strlen(entry->d_name) == 39)
            snprintf(out, PATH_MAX + 64, "%s/%.40s", place.state,
                     entry->d_name);
    closedir(folder);
    assert_true(out[0] != '\0');
}

/* With each operation: what counts, and what the anchor says. */
static void
note_moment(void *note)
{
    struct moment *moment = note;
    struct buffer anchor = {0};
    char path[PATH_MAX + 64];

    assert_true(sizeof *moment <= SHIM_NOTE_BYTES);
    anchor_path(path);
    file_read(&anchor, path);
    assert_int_equal(anchor.length, sizeof moment->anchor);
    memcpy(moment->anchor, anchor.data, sizeof moment->anchor);
    moment->kept = kept;
    buffer_release(&anchor);
}

// attack 23
static void
a_power_cut_loses_nothing_that_was_kept(void **state)
{
    char path[PATH_MAX + 64];
    size_t operations;
    unsigned seed = 7;

    (void) state;
    make_base();
    shim_record(note_moment);
    ok(session(4, &err));
    shim_record(NULL);
    operations = shim_operations();
    assert_true(operations > 30);
    for (size_t cut = 1; cut < operations; cut += is_long() ? 1 : 2) {
        const struct moment *moment = shim_note(cut);

        vault_place_bring_back(&place, "base");
        shim_power_cut(place.data, cut, seed++);
        anchor_path(path);
        file_write(path, moment->anchor, sizeof moment->anchor);
        verify(&moment->kept);
    }
}

// -- kills ------------------------------------------------------------------

/* Writes until it is killed, and tells what is kept. */
static enum status
write_for_ever(int tell)
{
    struct chat_info info = {.id = CHAT, .title = text_of("crash")};
    struct vault_chat *chat;
    struct vault *vault;

    memset(&kept, 0, sizeof kept);
    TRY(vault_open(&vault, &place.at, &place.credential, VAULT_WRITE, &err));
    TRY(vault_chat_begin(&chat, vault, &info, &err));
    for (;;) {
        TRY(append(chat, &err));
        (void) !write(tell, &kept, sizeof kept);
        for (uint32_t i = 1; i < 4; i++) {
            TRY(draft(chat, i, &err));
            (void) !write(tell, &kept, sizeof kept);
        }
    }
}

static void
kill_round(unsigned *seed)
{
    struct timespec wait = {0, rand_r(seed) % 25000000};
    struct kept told = {0, 0}, last = {0, 0};
    int tell[2], how;
    pid_t child;

    assert_int_equal(pipe(tell), 0);
    child = fork();
    if (child == 0)
        _exit((int) write_for_ever(tell[1]));
    close(tell[1]);
    nanosleep(&wait, NULL);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how));
    while (read(tell[0], &told, sizeof told) == (ssize_t) sizeof told)
        last = told;
    close(tell[0]);
    verify(&last);
    struct vault *vault = vault_place_unlock(&place);
    if (last.turns > 0)
        ok(vault_delete_chat(vault, &CHAT, &err));
    else
        (void) !vault_delete_chat(vault, &CHAT, &err);
    vault_close(vault);
}

// attack 22
static void
kills_at_random_moments_lose_nothing_and_raise_no_alarm(void **state)
{
    int rounds = is_long() ? 10000 : 40;
    const char *asked = getenv("FATHOM_KILL_ROUNDS");
    unsigned seed = (unsigned) time(NULL);

    (void) state;
    if (asked != NULL)
        rounds = atoi(asked);
    print_message("# seed %u, %d rounds\n", seed, rounds);
    vault_close(vault_place_create(&place));
    for (int i = 0; i < rounds; i++)
        kill_round(&seed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_disk_that_fails_once_loses_nothing_that_was_kept),
        TEST(a_disk_that_is_full_from_some_moment_loses_nothing_that_was_kept),
        TEST(memory_or_files_that_fail_lose_nothing_that_was_kept),
        TEST(a_power_cut_loses_nothing_that_was_kept),
        TEST(kills_at_random_moments_lose_nothing_and_raise_no_alarm),
    };

    shim_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
