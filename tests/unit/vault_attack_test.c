/*
 * Somebody who can write to the files tries everything. What is asked each
 * time: no text is ever shown that was not written, and what is missing is
 * noticed. Numbers of attacks are those of the list they were written from.
 */
#include "config.h"

#include "vault_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

// -- what is whole ----------------------------------------------------------

/* Two chats, an input and a draft: one of everything that is small. */
static void
fill(struct vault *vault)
{
    struct chat_id id =
        vault_place_chat(vault, "one", "first question", "first answer");
    struct turn_record draft = answer_of("a half", 0);
    struct vault_chat *chat;

    vault_place_chat(vault, "two", "second question", "second answer");
    ok(vault_add_input(vault, text_of("first question"), 10, &err));
    ok(vault_chat_open(&chat, vault, &id, &err));
    ok(vault_chat_draft(chat, &draft, &err));
    vault_chat_close(chat);
}

static void
make_vault(void)
{
    struct vault *vault = vault_place_create(&place);

    fill(vault);
    vault_close(vault);
}

struct look {
    struct vault *vault;
    size_t chats, turns, wrong;
};

static bool
known_text(struct text text)
{
    static const char *const written[] = {
        "first question", "first answer", "second question",
        "second answer",  "one",          "two"};

    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++)
        if (text.length == strlen(written[i]) &&
            memcmp(text.bytes, written[i], text.length) == 0)
            return true;
    return false;
}

static bool
look_at_chat(void *context, const struct chat_info *info)
{
    struct look *look = context;
    const struct turn_record *turns;
    struct vault_chat *chat;
    struct error ignored;
    size_t count;

    look->chats++;
    look->wrong += !known_text(info->title);
    if (vault_chat_open(&chat, look->vault, &info->id, &ignored) != STATUS_OK)
        return true;
    turns = vault_chat_turns(chat, &count);
    look->turns += count;
    for (size_t i = 0; i < count; i++)
        look->wrong += !known_text(turns[i].content);
    vault_chat_close(chat);
    return true;
}

static void
ignore_sentence(void *context, const char *sentence)
{
    (void) context;
    (void) sentence;
}

enum verdict { ALARM, WHOLE };

/*
 * Opens for reading and looks at everything. Wrong text fails the test at
 * once; so does text that is missing where a check found nothing.
 */
static enum verdict
verdict(void)
{
    struct look look = {0};
    struct error why;
    enum status status;
    size_t faults = 0;
    bool remarked;

    if (vault_open(&look.vault, &place.at, &place.credential, VAULT_READ,
                   &why) != STATUS_OK)
        return ALARM;
    remarked = vault_remark(look.vault) != NULL;
    status = vault_each_chat(look.vault, look_at_chat, &look, &why);
    assert_int_equal(look.wrong, 0);
    if (status == STATUS_OK)
        status = vault_check(&faults, look.vault, ignore_sentence, NULL, &why);
    vault_close(look.vault);
    if (status != STATUS_OK || faults > 0 || remarked)
        return ALARM;
    assert_int_equal(look.chats, 2);
    assert_int_equal(look.turns, 4);
    return WHOLE;
}

// -- the file behind the vault's back ---------------------------------------

static void
sql_at(const char *path, const char *text)
{
    sqlite3 *db;
    char *why = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "PRAGMA synchronous=OFF", NULL, NULL, NULL),
        SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", text, why);
    sqlite3_close(db);
}

static void
sql(const char *text)
{
    sql_at(vault_place_file(&place, "vault.db"), text);
}

struct ids {
    sqlite3_int64 ids[64];
    size_t count;
};

static int
add_id(void *context, int columns, char **values, char **names)
{
    struct ids *ids = context;

    (void) columns;
    (void) names;
    assert_true(ids->count < 64);
    ids->ids[ids->count++] = strtoll(values[0], NULL, 10);
    return 0;
}

static struct ids
all_rows(void)
{
    struct ids ids = {{0}, 0};
    sqlite3 *db;

    assert_int_equal(sqlite3_open(vault_place_file(&place, "vault.db"), &db),
                     SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "SELECT id FROM r", add_id, &ids, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    return ids;
}

// -- bits and lengths -------------------------------------------------------

// attack 1
static void
a_flipped_bit_is_noticed_or_does_no_harm(void **state)
{
    struct buffer bytes = {0};
    size_t step = is_long() ? 1 : 149, alarms = 0;
    char path[PATH_MAX];

    (void) state;
    make_vault();
    snprintf(path, sizeof path, "%s", vault_place_file(&place, "vault.db"));
    file_read(&bytes, path);
    for (size_t bit = 0; bit < 8 * bytes.length; bit += step) {
        int file = open(path, O_WRONLY);
        char byte = bytes.data[bit / 8] ^ (char) (1 << bit % 8);

        assert_int_equal(pwrite(file, &byte, 1, (off_t) (bit / 8)), 1);
        alarms += verdict() == ALARM;
        assert_int_equal(
            pwrite(file, bytes.data + bit / 8, 1, (off_t) (bit / 8)), 1);
        close(file);
    }
    assert_true(alarms > 0);
    assert_int_equal(verdict(), WHOLE);
    buffer_release(&bytes);
}

// attack 2
static void
a_cut_at_any_byte_is_noticed(void **state)
{
    struct buffer bytes = {0};
    size_t step = is_long() ? 1 : 61;
    char path[PATH_MAX];

    (void) state;
    make_vault();
    snprintf(path, sizeof path, "%s", vault_place_file(&place, "vault.db"));
    file_read(&bytes, path);
    for (size_t length = bytes.length; length-- > 0;
         length = length > step ? length - step + 1 : length) {
        assert_int_equal(truncate(path, (off_t) length), 0);
        assert_int_equal(verdict(), ALARM);
        if (length < step)
            break;
    }
    buffer_release(&bytes);
}

// -- rows -------------------------------------------------------------------

// attack 3
static void
any_two_rows_that_change_places_are_noticed(void **state)
{
    struct ids ids;

    (void) state;
    make_vault();
    vault_place_save(&place, "whole");
    ids = all_rows();
    for (size_t i = 0; i < ids.count; i++)
        for (size_t j = i + 1; j < ids.count; j++) {
            char text[512];

            snprintf(text, sizeof text,
                     "UPDATE r SET id=-7 WHERE id=%lld;"
                     "UPDATE r SET id=%lld WHERE id=%lld;"
                     "UPDATE r SET id=%lld WHERE id=-7;",
                     ids.ids[i], ids.ids[i], ids.ids[j], ids.ids[j]);
            sql(text);
            assert_int_equal(verdict(), ALARM);
            vault_place_bring_back(&place, "whole");
        }
    assert_int_equal(verdict(), WHOLE);
}

// attacks 4 and 7
static void
a_row_copied_over_another_or_doubled_is_noticed(void **state)
{
    struct ids ids;

    (void) state;
    make_vault();
    vault_place_save(&place, "whole");
    ids = all_rows();
    for (size_t i = 0; i < ids.count; i++) {
        for (size_t j = 0; j < ids.count; j += 3) {
            char text[512];

            if (i == j)
                continue;
            snprintf(text, sizeof text,
                     "UPDATE r SET b=(SELECT b FROM r WHERE id=%lld) WHERE "
                     "id=%lld",
                     ids.ids[j], ids.ids[i]);
            sql(text);
            assert_int_equal(verdict(), ALARM);
            vault_place_bring_back(&place, "whole");
        }
        char text[512];
        snprintf(text, sizeof text,
                 "INSERT INTO r SELECT 777777,b FROM r WHERE id=%lld",
                 ids.ids[i]);
        sql(text);
        assert_int_equal(verdict(), ALARM);
        vault_place_bring_back(&place, "whole");
    }
}

// attacks 4 and 8
static void
rows_of_another_vault_with_the_same_passphrase_are_noticed(void **state)
{
    struct vault_place other;
    struct vault *vault;
    char text[PATH_MAX + 256];
    struct ids ids;

    (void) state;
    make_vault();
    vault_place_open(&other);
    vault = vault_place_create(&other);
    fill(vault);
    vault_close(vault);
    vault_place_save(&place, "whole");
    ids = all_rows();
    for (size_t i = 0; i < ids.count; i++) {
        snprintf(text, sizeof text,
                 "ATTACH '%s' AS o;"
                 "INSERT OR REPLACE INTO r SELECT id,b FROM o.r WHERE id=%lld",
                 vault_place_file(&other, "vault.db"), ids.ids[i]);
        sql(text);
        // its row ids of chats are the same, for both were made alike
        assert_int_equal(verdict(), ALARM);
        vault_place_bring_back(&place, "whole");
    }
    snprintf(text, sizeof text,
             "ATTACH '%s' AS o; INSERT INTO r SELECT 888888,b FROM o.r LIMIT 1",
             vault_place_file(&other, "vault.db"));
    sql(text);
    assert_int_equal(verdict(), ALARM);
    vault_place_close(&other);
}

// attack 6
static void
any_row_that_is_deleted_is_missed(void **state)
{
    struct ids ids;
    size_t unnoticed = 0;

    (void) state;
    make_vault();
    vault_place_save(&place, "whole");
    ids = all_rows();
    for (size_t i = 0; i < ids.count; i++) {
        char text[128];

        snprintf(text, sizeof text, "DELETE FROM r WHERE id=%lld", ids.ids[i]);
        sql(text);
        unnoticed += verdict() == WHOLE;
        vault_place_bring_back(&place, "whole");
    }
    // a draft is outside of every list: that it is gone cannot be told from
    // its never having been written
    assert_int_equal(unnoticed, 1);
}

// attack 6: the newest root, with its mirror
static void
without_a_root_nothing_opens(void **state)
{
    struct vault *vault;

    (void) state;
    make_vault();
    sql("DELETE FROM r WHERE id IN (1,2305843009213693953)");
    assert_int_equal(
        vault_open(&vault, &place.at, &place.credential, VAULT_READ, &err),
        STATUS_INTEGRITY);
}

// attack 5
static void
an_older_version_of_any_row_is_noticed(void **state)
{
    struct vault *vault;
    struct chat_id id;
    struct vault_chat *chat;
    struct turn_record turn;
    uint64_t turn_id;
    char text[PATH_MAX + 256];
    struct ids ids;
    size_t replayed = 0;

    (void) state;
    make_vault();
    vault_place_save(&place, "old");
    ids = all_rows();
    vault = vault_place_unlock(&place);
    ok(vault_add_input(vault, text_of("second question"), 10, &err));
    id = vault_place_chat(vault, "one", "first question", "first answer");
    ok(vault_chat_open(&chat, vault, &id, &err));
    turn = question_of("second question", 0);
    ok(vault_chat_append(chat, &turn, &turn_id, &err));
    vault_chat_close(chat);
    vault_close(vault);
    vault_place_save(&place, "new");
    for (size_t i = 0; i < ids.count; i++) {
        sqlite3 *db;

        snprintf(text, sizeof text,
                 "ATTACH '%s/old-data/vault.db' AS o;"
                 "UPDATE r SET b=(SELECT b FROM o.r WHERE o.r.id=r.id) WHERE "
                 "id=%lld AND b<>(SELECT b FROM o.r WHERE o.r.id=r.id)",
                 place.folder, ids.ids[i]);
        assert_int_equal(
            sqlite3_open(vault_place_file(&place, "vault.db"), &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
        int changed = sqlite3_changes(db);
        sqlite3_close(db);
        if (changed == 0)
            continue; // turns are written once
        replayed++;
        enum status status =
            vault_open(&vault, &place.at, &place.credential, VAULT_READ, &err);
        size_t faults = 0;
        if (status == STATUS_OK) {
            bool remarked = vault_remark(vault) != NULL;

            ok(vault_check(&faults, vault, ignore_sentence, NULL, &err));
            assert_true(faults > 0 || remarked);
            vault_close(vault);
        }
        vault_place_bring_back(&place, "new");
    }
    assert_true(replayed >= 5); // root, shard, mirrors, inputs, audit
}

// attack 5: the root with its mirror, and all of the file
static void
an_older_copy_of_the_whole_file_gives_the_alarm(void **state)
{
    struct vault *vault;
    char old[PATH_MAX + 32];

    (void) state;
    make_vault();
    vault_place_save(&place, "old");
    for (int i = 0; i < 3; i++)
        vault_close(vault_place_unlock(&place)); // each is a transaction
    snprintf(old, sizeof old, "%s/old-data/vault.db", place.folder);
    file_copy(old, vault_place_file(&place, "vault.db"));
    assert_int_equal(
        vault_open(&vault, &place.at, &place.credential, VAULT_WRITE, &err),
        STATUS_INTEGRITY);
    assert_non_null(strstr(err.text, "older copy"));
    // it can be looked at, and says so
    ok(vault_open(&vault, &place.at, &place.credential, VAULT_READ, &err));
    assert_non_null(strstr(vault_remark(vault), "older copy"));
    vault_close(vault);
}

static void
a_vault_that_this_machine_does_not_know_says_so(void **state)
{
    struct vault *vault;
    char text[PATH_MAX + 32];

    (void) state;
    make_vault();
    snprintf(text, sizeof text, "rm -r '%s'", place.state);
    assert_int_equal(system(text), 0);
    vault = vault_place_unlock(&place);
    assert_non_null(strstr(vault_remark(vault), "has not seen this vault"));
    vault_close(vault);
    vault = vault_place_unlock(&place);
    assert_null(vault_remark(vault));
    vault_close(vault);
}

// -- formats ----------------------------------------------------------------

static void
set_header_byte(size_t at, uint8_t byte)
{
    char text[256];

    snprintf(text, sizeof text,
             "UPDATE meta SET v=CAST(substr(v,1,%zu)||x'%02x'||substr(v,%zu) "
             "AS BLOB) WHERE k=1",
             at, byte, at + 2);
    sql(text);
}

// attack 9
static void
another_format_is_refused(void **state)
{
    struct vault *vault;

    (void) state;
    make_vault();
    vault_place_save(&place, "whole");
    set_header_byte(8, 2);
    assert_int_equal(
        vault_open(&vault, &place.at, &place.credential, VAULT_WRITE, &err),
        STATUS_UNSUPPORTED);
    set_header_byte(8, 0);
    assert_int_equal(
        vault_open(&vault, &place.at, &place.credential, VAULT_WRITE, &err),
        STATUS_FORMAT);
    vault_place_bring_back(&place, "whole");
    set_header_byte(40, 0x55); // within the public key
    assert_int_equal(
        vault_open(&vault, &place.at, &place.credential, VAULT_WRITE, &err),
        STATUS_INTEGRITY);
}

// attack 18
static void
a_planted_schema_is_refused_before_any_row_is_read(void **state)
{
    static const char *const planted[] = {
        "CREATE TABLE x(y)",
        "CREATE VIEW v AS SELECT * FROM r",
        "CREATE TRIGGER t AFTER UPDATE ON r BEGIN DELETE FROM r; END",
        "CREATE INDEX i ON r(b)",
        "ALTER TABLE r ADD COLUMN g INT GENERATED ALWAYS AS (id+1)",
        "ALTER TABLE meta RENAME TO m; CREATE VIEW meta AS SELECT * FROM m",
        "DROP TABLE r; CREATE TABLE r(id INTEGER PRIMARY KEY, b BLOB)",
    };
    struct vault *vault;

    (void) state;
    make_vault();
    vault_place_save(&place, "whole");
    for (size_t i = 0; i < sizeof planted / sizeof planted[0]; i++) {
        sql(planted[i]);
        assert_int_equal(
            vault_open(&vault, &place.at, &place.credential, VAULT_WRITE, &err),
            STATUS_INTEGRITY);
        assert_non_null(strstr(err.text, "other tables"));
        vault_place_bring_back(&place, "whole");
    }
}

// attack 17
static void
a_planted_journal_is_refused(void **state)
{
    struct vault *vault;

    (void) state;
    make_vault();
    file_write(vault_place_file(&place, "vault.db-journal"), "junk", 4);
    assert_int_equal(
        vault_open(&vault, &place.at, &place.credential, VAULT_WRITE, &err),
        STATUS_INTEGRITY);
    assert_int_equal(unlink(vault_place_file(&place, "vault.db-journal")), 0);
    assert_int_equal(verdict(), WHOLE);
}

/* Leaves a WAL that is not merged, as a crash does. */
static void
leave_wal(struct vault_place *of)
{
    pid_t child = fork();
    int how;

    if (child == 0) {
        struct vault *vault = vault_place_unlock(of);

        ok(vault_add_input(vault, text_of("from a WAL"), 10, &err));
        _exit(0);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
}

// attack 17
static void
a_wal_of_another_vault_is_noticed_and_not_merged(void **state)
{
    struct vault_place other;
    struct vault *vault;
    struct buffer before = {0}, after = {0};
    char wal[PATH_MAX];

    (void) state;
    make_vault();
    vault_place_open(&other);
    vault = vault_place_create(&other);
    fill(vault);
    vault_close(vault);
    leave_wal(&other);
    snprintf(wal, sizeof wal, "%s", vault_place_file(&other, "vault.db-wal"));
    file_read(&before, vault_place_file(&place, "vault.db"));
    file_copy(wal, vault_place_file(&place, "vault.db-wal"));
    assert_int_equal(
        vault_open(&vault, &place.at, &place.credential, VAULT_WRITE, &err),
        STATUS_INTEGRITY);
    file_read(&after, vault_place_file(&place, "vault.db"));
    assert_int_equal(before.length, after.length);
    assert_memory_equal(before.data, after.data, before.length);
    // without it everything is as it was
    assert_int_equal(unlink(vault_place_file(&place, "vault.db-wal")), 0);
    assert_int_equal(verdict(), WHOLE);
    buffer_release(&before);
    buffer_release(&after);
    vault_place_close(&other);
}

// attack 19, by hand: headers, pointers and lengths inside of pages
static void
a_malformed_tree_is_reported_and_no_more(void **state)
{
    struct buffer bytes = {0};
    unsigned seed = 4;
    char path[PATH_MAX];

    (void) state;
    make_vault();
    snprintf(path, sizeof path, "%s", vault_place_file(&place, "vault.db"));
    file_read(&bytes, path);
    for (int round = 0; round < (is_long() ? 20000 : 400); round++) {
        int file = open(path, O_WRONLY);
        size_t pages = bytes.length / 4096;

        for (int change = 0; change < 3; change++) {
            size_t page = (size_t) rand_r(&seed) % pages;
            // mostly where the header and the cell pointers are
            size_t at = page * 4096 + (size_t) rand_r(&seed) %
                                          (rand_r(&seed) % 4 ? 64 : 4096);
            char byte = (char) rand_r(&seed);

            assert_int_equal(pwrite(file, &byte, 1, (off_t) at), 1);
        }
        close(file);
        (void) verdict();
        file_write(path, bytes.data, bytes.length);
    }
    assert_int_equal(verdict(), WHOLE);
    buffer_release(&bytes);
}

// attack 16
static void
what_is_not_a_file_of_ours_is_not_opened(void **state)
{
    struct vault *vault;
    char path[PATH_MAX], aside[PATH_MAX];

    (void) state;
    make_vault();
    snprintf(path, sizeof path, "%s", vault_place_file(&place, "vault.db"));
    snprintf(aside, sizeof aside, "%s", vault_place_file(&place, "aside"));
    assert_int_equal(rename(path, aside), 0);
    assert_int_equal(symlink(aside, path), 0);
    assert_int_equal(verdict(), ALARM);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(verdict(), ALARM);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(verdict(), ALARM);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(verdict(), ALARM); // missing
    assert_int_equal(rename(aside, path), 0);
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(
        vault_open(&vault, &place.at, &place.credential, VAULT_WRITE, &err),
        STATUS_DENIED);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(chmod(place.data, 0777), 0);
    assert_int_equal(
        vault_open(&vault, &place.at, &place.credential, VAULT_WRITE, &err),
        STATUS_DENIED);
    assert_int_equal(chmod(place.data, 0700), 0);
    assert_int_equal(verdict(), WHOLE);
}

// -- two at once, and crashes -----------------------------------------------

// attack 20
static void
a_second_process_is_told_who_has_the_vault(void **state)
{
    struct vault *vault;
    int ready[2], how;
    char byte, want[64];
    pid_t child;

    (void) state;
    make_vault();
    assert_int_equal(pipe(ready), 0);
    child = fork();
    if (child == 0) {
        vault = vault_place_unlock(&place);
        (void) !write(ready[1], "x", 1);
        pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(
        vault_open(&vault, &place.at, &place.credential, VAULT_WRITE, &err),
        STATUS_BUSY);
    snprintf(want, sizeof want, "used by process %d", (int) child);
    assert_non_null(strstr(err.text, want));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &how, 0), child);
    // the lock that it left is no obstacle
    vault_close(vault_place_unlock(&place));
    close(ready[0]);
    close(ready[1]);
}

// attack 24
static void
a_crash_between_commit_and_anchor_is_no_alarm(void **state)
{
    struct vault *vault;
    char command[3 * PATH_MAX];

    (void) state;
    make_vault();
    vault_place_save(&place, "before");
    vault_close(vault_place_unlock(&place)); // one transaction: the unlocking
    snprintf(command, sizeof command, "cp -p '%s/before-state/'anchor-* '%s/'",
             place.folder, place.state);
    assert_int_equal(system(command), 0);
    vault = vault_place_unlock(&place);
    assert_null(vault_remark(vault));
    vault_close(vault);
}

// attack 5: a fork of the same length is no continuation
static void
a_copy_that_went_its_own_way_gives_the_alarm(void **state)
{
    struct vault *vault;
    char command[3 * PATH_MAX];

    (void) state;
    make_vault();
    vault_place_save(&place, "before");
    vault_close(vault_place_unlock(&place));
    vault_place_save(&place, "here");
    vault_place_bring_back(&place, "before");
    vault_close(vault_place_unlock(&place)); // as another machine did
    snprintf(command, sizeof command, "cp -p '%s/here-state/'anchor-* '%s/'",
             place.folder, place.state);
    assert_int_equal(system(command), 0);
    assert_int_equal(
        vault_open(&vault, &place.at, &place.credential, VAULT_WRITE, &err),
        STATUS_INTEGRITY);
    assert_non_null(strstr(err.text, "its own way"));
}

// attack 25
static void
a_clock_that_goes_backwards_loses_nothing(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct chat_info info = {.created_ms = UINT64_MAX};
    struct turn_record turn = question_of("first question", 0);
    struct vault_chat *chat;
    struct chat_id id;
    size_t count;
    uint64_t first, second;

    (void) state;
    turn.time_ms = UINT64_MAX;
    ok(vault_chat_begin(&chat, vault, &info, &err));
    ok(vault_chat_append(chat, &turn, &first, &err));
    turn = answer_of("first answer", first);
    turn.time_ms = 0;
    ok(vault_chat_append(chat, &turn, &second, &err));
    assert_true(second > first);
    id = vault_chat_info(chat)->id;
    vault_chat_close(chat);
    vault_close(vault);
    vault = vault_place_unlock(&place);
    ok(vault_chat_open(&chat, vault, &id, &err));
    (void) vault_chat_turns(chat, &count);
    assert_int_equal(count, 2);
    assert_int_equal(vault_chat_info(chat)->leaf, second);
    vault_chat_close(chat);
    vault_close(vault);
}

static size_t
chats_of(struct vault *vault)
{
    struct vault_figures figures;

    ok(vault_measure(&figures, vault, &err));
    return figures.chats;
}

// attack 27
static void
an_interrupted_rotation_leaves_the_old_vault_or_the_new_one(void **state)
{
    char command[8 * PATH_MAX], new_db[PATH_MAX];
    struct vault *vault;

    (void) state;
    make_vault();
    vault_place_save(&place, "old");
    ok(vault_rotate(&place.at, &place.credential, &vault_place_cost, &err));
    vault_place_save(&place, "new");
    snprintf(new_db, sizeof new_db, "%s",
             vault_place_file(&place, "vault.db.new"));

    // before vault.keys were replaced: the old one, and nothing is left over
    snprintf(command, sizeof command,
             "cp -p '%s/old-data/'vault.* '%s/' && "
             "cp -p '%s/new-data/vault.db' '%s' && "
             "cp -p '%s/old-state/'anchor-* '%s/'",
             place.folder, place.data, place.folder, new_db, place.folder,
             place.state);
    assert_int_equal(system(command), 0);
    vault = vault_place_unlock(&place);
    assert_int_equal(chats_of(vault), 2);
    vault_close(vault);
    assert_int_not_equal(access(new_db, F_OK), 0);

    // after: the new one is put in place
    vault_place_bring_back(&place, "new");
    snprintf(command, sizeof command,
             "cp -p '%s/old-data/vault.db' '%s/vault.db' && "
             "cp -p '%s/new-data/vault.db' '%s'",
             place.folder, place.data, place.folder, new_db);
    assert_int_equal(system(command), 0);
    vault = vault_place_unlock(&place);
    assert_int_equal(chats_of(vault), 2);
    assert_null(vault_remark(vault));
    vault_close(vault);
    assert_int_not_equal(access(new_db, F_OK), 0);
}

// attack 27: each allocation, read or write of it fails once
static void
a_rotation_or_restore_that_fails_anywhere_loses_nothing(void **state)
{
    char backup[PATH_MAX + 8];
    struct vault *vault;
    bool rotated = false, restored = false;

    (void) state;
    make_vault();
    snprintf(backup, sizeof backup, "%s/backup", place.folder);
    vault = vault_place_unlock(&place);
    ok(vault_backup(vault, backup, &err));
    vault_close(vault);
    for (unsigned long n = 1; !rotated || !restored;
         n += is_long() || n < 30 ? 1 : 7) {
        enum status status;

        fault_arm(n);
        status = rotated
                     ? vault_restore(&place.at, &place.credential, backup, &err)
                     : vault_rotate(&place.at, &place.credential,
                                    &vault_place_cost, &err);
        fault_arm(0);
        if (status == STATUS_OK && rotated)
            restored = true;
        if (status == STATUS_OK && !rotated) {
            rotated = true;
            n = 0;
        }
        vault = vault_place_unlock(&place);
        assert_int_equal(chats_of(vault), 2);
        vault_close(vault);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_flipped_bit_is_noticed_or_does_no_harm),
        TEST(a_cut_at_any_byte_is_noticed),
        TEST(any_two_rows_that_change_places_are_noticed),
        TEST(a_row_copied_over_another_or_doubled_is_noticed),
        TEST(rows_of_another_vault_with_the_same_passphrase_are_noticed),
        TEST(any_row_that_is_deleted_is_missed),
        TEST(without_a_root_nothing_opens),
        TEST(an_older_version_of_any_row_is_noticed),
        TEST(an_older_copy_of_the_whole_file_gives_the_alarm),
        TEST(a_vault_that_this_machine_does_not_know_says_so),
        TEST(another_format_is_refused),
        TEST(a_planted_schema_is_refused_before_any_row_is_read),
        TEST(a_planted_journal_is_refused),
        TEST(a_wal_of_another_vault_is_noticed_and_not_merged),
        TEST(a_malformed_tree_is_reported_and_no_more),
        TEST(what_is_not_a_file_of_ours_is_not_opened),
        TEST(a_second_process_is_told_who_has_the_vault),
        TEST(a_crash_between_commit_and_anchor_is_no_alarm),
        TEST(a_copy_that_went_its_own_way_gives_the_alarm),
        TEST(a_clock_that_goes_backwards_loses_nothing),
        TEST(an_interrupted_rotation_leaves_the_old_vault_or_the_new_one),
        TEST(a_rotation_or_restore_that_fails_anywhere_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
