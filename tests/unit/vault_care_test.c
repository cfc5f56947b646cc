/* Looking after a vault: check, repair, backup, restore, rotate. */
#include "config.h"

#include "vault_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Changes the file behind the vault's back. */
static void
sql(const char *text)
{
    sqlite3 *db;
    char *why = NULL;

    assert_int_equal(sqlite3_open(vault_place_file(&place, "vault.db"), &db),
                     SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", text, why);
    sqlite3_close(db);
}

struct sentences {
    char text[4096];
};

static void
add_sentence(void *context, const char *sentence)
{
    struct sentences *all = context;
    size_t length = strlen(all->text);

    snprintf(all->text + length, sizeof all->text - length, "%s\n", sentence);
}

static size_t
faults_of(struct vault *vault, struct sentences *said)
{
    size_t faults;

    memset(said, 0, sizeof *said);
    ok(vault_check(&faults, vault, add_sentence, said, &err));
    return faults;
}

static bool
keep_id(void *context, const struct chat_info *info)
{
    *(struct chat_id *) context = info->id;
    return true;
}

/* The text of the i-th turn of the only chat, or "" where it is not there. */
static const char *
turn_text(struct vault *vault, size_t i)
{
    static char text[256];
    const struct turn_record *turns;
    struct vault_chat *chat;
    struct chat_id id = {{0}};
    size_t count;

    text[0] = '\0';
    ok(vault_each_chat(vault, keep_id, &id, &err));
    if (vault_chat_open(&chat, vault, &id, &err) != STATUS_OK)
        return text;
    turns = vault_chat_turns(chat, &count);
    if (i < count)
        snprintf(text, sizeof text, "%.*s", (int) turns[i].content.length,
                 turns[i].content.bytes);
    vault_chat_close(chat);
    return text;
}

/* A vault with one of everything. */
static void
fill(struct vault *vault)
{
    struct chat_id id = vault_place_chat(vault, "title", "asked", "answered");
    uint8_t key[VAULT_CACHE_KEY_BYTES] = {9};
    struct turn_record draft = answer_of("half an answ", 0);
    struct vault_cache_writer *writer;
    struct vault_chat *chat;

    ok(vault_add_input(vault, text_of("asked"), 10, &err));
    ok(vault_chat_open(&chat, vault, &id, &err));
    ok(vault_cache_begin(&writer, chat, key, 1 << 20, &err));
    ok(vault_cache_write(writer, "chunk", 5, &err));
    ok(vault_cache_commit(writer, &err));
    ok(vault_chat_draft(chat, &draft, &err));
    vault_chat_close(chat);
}

// -- check ------------------------------------------------------------------

static void
a_whole_vault_has_no_faults(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct sentences said;

    (void) state;
    fill(vault);
    assert_int_equal(faults_of(vault, &said), 0);
    assert_string_equal(said.text, "1 chat and 2 messages can be read\n");
    vault_close(vault);
}

static void
what_was_planted_or_damaged_is_named(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct sentences said;

    (void) state;
    fill(vault);
    vault_close(vault);
    sql("INSERT INTO r VALUES(999999,randomblob(500))");
    vault = vault_place_unlock(&place);
    assert_int_equal(faults_of(vault, &said), 1);
    assert_non_null(strstr(said.text, "row 999999 belongs to nothing"));
    vault_close(vault);
    // the third row of the table is the shard's; the root has 1
    sql("UPDATE r SET b=randomblob(length(b)) WHERE id="
        "(SELECT id FROM r WHERE id>1 ORDER BY id LIMIT 1 OFFSET 3)");
    ok(vault_open(&vault, &place.at, &place.credential, VAULT_READ, &err));
    assert_true(faults_of(vault, &said) > 0);
    vault_close(vault);
}

// -- repair -----------------------------------------------------------------

/* Damages rows, repairs, and opens what came of it. */
static struct vault *
repaired(const char *damage, struct sentences *said)
{
    struct vault *vault = vault_place_create(&place);
    struct vault_places target;
    static char to[PATH_MAX];

    fill(vault);
    vault_close(vault);
    sql(damage);
    snprintf(to, sizeof to, "%s", place.folder);
    strncat(to, "/saved", sizeof to - strlen(to) - 1);
    memset(said, 0, sizeof *said);
    ok(vault_repair(&place.at, &place.credential, to, add_sentence, said,
                    &err));
    target = (struct vault_places){to, place.state};
    ok(vault_open(&vault, &target, &place.credential, VAULT_WRITE, &err));
    return vault;
}

#define EVERY_LARGE "randomblob(length(b))"

static void
a_lost_root_is_taken_from_its_mirror(void **state)
{
    struct sentences said;
    struct vault *vault =
        repaired("UPDATE r SET b=" EVERY_LARGE " WHERE id=1", &said);

    (void) state;
    assert_string_equal(turn_text(vault, 1), "answered");
    // the draft came along and was taken in
    assert_string_equal(turn_text(vault, 2), "half an answ");
    assert_int_equal(faults_of(vault, &said), 0);
    vault_close(vault);
}

static void
a_lost_shard_is_taken_from_its_mirror(void **state)
{
    struct sentences said;
    struct vault *vault =
        repaired("DELETE FROM r WHERE id=(SELECT max(id) FROM r WHERE "
                 "id<2305843009213693952 AND id+2305843009213693952 IN "
                 "(SELECT id FROM r))",
                 &said);

    (void) state;
    assert_string_equal(turn_text(vault, 0), "asked");
    vault_close(vault);
}

/* The chat's rows follow each other: manifest, draft, shard, turn, turn. */
#define SHARD_ROW                                                              \
    "(SELECT max(id) FROM r WHERE id<2305843009213693952 AND "                 \
    "id+2305843009213693952 IN (SELECT id FROM r))"

static void
a_chat_without_its_manifest_keeps_its_turns(void **state)
{
    struct sentences said;
    struct vault *vault =
        repaired("DELETE FROM r WHERE id=" SHARD_ROW "-2", &said);

    (void) state;
    assert_non_null(strstr(said.text, "2 turns were found"));
    assert_string_equal(turn_text(vault, 0), "asked");
    assert_string_equal(turn_text(vault, 1), "answered");
    assert_int_equal(faults_of(vault, &said), 0);
    vault_close(vault);
}

static void
a_chat_without_a_turn_keeps_the_others(void **state)
{
    struct sentences said;
    struct vault *vault = repaired(
        "UPDATE r SET b=" EVERY_LARGE " WHERE id=" SHARD_ROW "+2", &said);

    (void) state;
    assert_non_null(strstr(said.text, "1 of its 2 turns are lost"));
    assert_string_equal(turn_text(vault, 0), "asked");
    assert_int_equal(faults_of(vault, &said), 0);
    vault_close(vault);
}

static void
a_repair_touches_neither_the_vault_nor_what_is_at_its_target(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct buffer before = {0}, after = {0};
    struct sentences said = {{0}};

    (void) state;
    fill(vault);
    vault_close(vault);
    sql("UPDATE r SET b=randomblob(500) WHERE id=1");
    file_read(&before, vault_place_file(&place, "vault.db"));
    assert_int_equal(vault_repair(&place.at, &place.credential, place.state,
                                  add_sentence, &said, &err),
                     STATUS_LIMIT);
    file_read(&after, vault_place_file(&place, "vault.db"));
    assert_int_equal(before.length, after.length);
    assert_memory_equal(before.data, after.data, before.length);
    buffer_release(&before);
    buffer_release(&after);
}

// -- backup and restore -----------------------------------------------------

static const char *
backup_path(void)
{
    static char path[PATH_MAX];

    snprintf(path, sizeof path, "%s", place.folder);
    strncat(path, "/backup", sizeof path - strlen(path) - 1);
    return path;
}

static void
a_backup_is_taken_while_in_use_and_overwrites_nothing(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct stat info;

    (void) state;
    fill(vault);
    ok(vault_backup(vault, backup_path(), &err));
    assert_int_equal(stat(backup_path(), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(vault_backup(vault, backup_path(), &err), STATUS_LIMIT);
    vault_place_chat(vault, "later", "q", "r");
    vault_close(vault);
}

// attack 43
static void
an_old_backup_gives_the_alarm_unless_it_is_restored(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct vault_figures figures;
    char kept[PATH_MAX];

    (void) state;
    fill(vault);
    ok(vault_backup(vault, backup_path(), &err));
    vault_place_chat(vault, "later", "q", "r");
    vault_close(vault);
    vault_place_save(&place, "late");

    // by hand, as somebody would who knows of no restore
    file_copy(backup_path(), vault_place_file(&place, "vault.db"));
    assert_int_equal(
        vault_open(&vault, &place.at, &place.credential, VAULT_WRITE, &err),
        STATUS_FORMAT); // a backup is no vault
    vault_place_bring_back(&place, "late");

    ok(vault_restore(&place.at, &place.credential, backup_path(), &err));
    vault = vault_place_unlock(&place);
    assert_null(vault_remark(vault));
    ok(vault_measure(&figures, vault, &err));
    assert_int_equal(figures.chats, 1);
    assert_string_equal(turn_text(vault, 1), "answered");
    vault_close(vault);
    // the former one is beside it
    snprintf(kept, sizeof kept, "%s",
             vault_place_file(&place, "vault.db.before-1"));
    assert_int_equal(access(kept, F_OK), 0);
    assert_int_equal(
        access(vault_place_file(&place, "vault.keys.before-1"), F_OK), 0);
}

static void
a_damaged_or_foreign_backup_replaces_nothing(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct buffer bytes = {0};

    (void) state;
    fill(vault);
    ok(vault_backup(vault, backup_path(), &err));
    vault_close(vault);
    file_read(&bytes, backup_path());
    for (size_t cut = 1; cut < 5; cut++) {
        file_write(backup_path(), bytes.data, bytes.length * cut / 5);
        assert_int_not_equal(
            vault_restore(&place.at, &place.credential, backup_path(), &err),
            STATUS_OK);
    }
    bytes.data[bytes.length - 700] ^= 1;
    file_write(backup_path(), bytes.data, bytes.length);
    (void) !vault_restore(&place.at, &place.credential, backup_path(), &err);
    vault = vault_place_unlock(&place);
    assert_string_equal(turn_text(vault, 0), "asked");
    vault_close(vault);
    buffer_release(&bytes);
}

// -- rotation ---------------------------------------------------------------

static void
a_rotated_vault_has_everything_under_a_new_key(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct vault_figures before, after;
    struct turn_record question = question_of("while locked", 0);
    struct turn_record answer = answer_of("an answer", 0);
    struct buffer old_keys = {0};
    struct sentences said;

    (void) state;
    fill(vault);
    for (int i = 0; i < 300; i++)
        vault_place_chat(vault, "more", "q", "r");
    ok(vault_measure(&before, vault, &err));
    vault_close(vault);
    // sealed for the key that goes: it is taken in before
    ok(inbox_put(&place.at, &question, &answer, &err));
    file_read(&old_keys, vault_place_file(&place, "vault.keys"));
    ok(vault_rotate(&place.at, &place.credential, &vault_place_cost, &err));
    vault = vault_place_unlock(&place);
    assert_null(vault_remark(vault));
    assert_int_equal(faults_of(vault, &said), 0);
    ok(vault_measure(&after, vault, &err));
    assert_int_equal(after.chats, before.chats + 1);
    assert_int_equal(after.turns, before.turns + 2);
    assert_int_equal(after.inputs, 1);
    assert_int_equal(after.cache_bytes, 5);
    vault_close(vault);
    // the old slots open nothing any more
    file_write(vault_place_file(&place, "vault.keys"), old_keys.data,
               old_keys.length);
    assert_int_equal(
        vault_open(&vault, &place.at, &place.credential, VAULT_WRITE, &err),
        STATUS_INTEGRITY);
    assert_int_not_equal(
        access(vault_place_file(&place, "vault.keys.old"), F_OK), 0);
    buffer_release(&old_keys);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_whole_vault_has_no_faults),
        TEST(what_was_planted_or_damaged_is_named),
        TEST(a_lost_root_is_taken_from_its_mirror),
        TEST(a_lost_shard_is_taken_from_its_mirror),
        TEST(a_chat_without_its_manifest_keeps_its_turns),
        TEST(a_chat_without_a_turn_keeps_the_others),
        TEST(a_repair_touches_neither_the_vault_nor_what_is_at_its_target),
        TEST(a_backup_is_taken_while_in_use_and_overwrites_nothing),
        TEST(an_old_backup_gives_the_alarm_unless_it_is_restored),
        TEST(a_damaged_or_foreign_backup_replaces_nothing),
        TEST(a_rotated_vault_has_everything_under_a_new_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
