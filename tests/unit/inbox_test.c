/* The inbox: sealed without a key, taken once, junk left aside. */
#include "config.h"

#include "vault_fixture.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static enum status
put(const char *question, const char *answer)
{
    struct turn_record asked = question_of(question, 0);
    struct turn_record answered = answer_of(answer, 0);

    return inbox_put(&place.at, &asked, &answered, &err);
}

/* The only file of the inbox whose name ends so; lent. */
static const char *
only_item(const char *suffix)
{
    static char path[PATH_MAX];
    char folder[PATH_MAX];
    DIR *open;
    struct dirent *entry;
    size_t found = 0;

    snprintf(folder, sizeof folder, "%s", vault_place_file(&place, "inbox"));
    open = opendir(folder);
    assert_non_null(open);
    while ((entry = readdir(open)) != NULL) {
        size_t length = strlen(entry->d_name), tail = strlen(suffix);

        if (length < tail || strcmp(entry->d_name + length - tail, suffix) != 0)
            continue;
        snprintf(path, sizeof path, "%s", folder);
        strncat(path, "/", sizeof path - strlen(path) - 1);
        strncat(path, entry->d_name, sizeof path - strlen(path) - 1);
        found++;
    }
    closedir(open);
    assert_int_equal(found, 1);
    return path;
}

struct seen {
    size_t chats;
    struct chat_id id;
};

static bool
see_chat(void *context, const struct chat_info *info)
{
    struct seen *seen = context;

    seen->chats++;
    seen->id = info->id;
    return true;
}

static void
what_arrives_while_locked_becomes_a_chat_that_says_so(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct buffer bytes = {0};
    struct seen seen = {0};
    struct vault_chat *chat;
    const struct turn_record *turns;
    size_t taken, refused, count;

    (void) state;
    vault_close(vault);
    ok(put("zebra question", "zebra answer"));
    file_read(&bytes, only_item(".seal"));
    assert_null(memmem(bytes.data, bytes.length, "zebra", 5));
    buffer_release(&bytes);
    vault = vault_place_unlock(&place);
    ok(vault_take_inbox(vault, &taken, &refused, &err));
    assert_int_equal(taken, 1);
    assert_int_equal(refused, 0);
    ok(vault_each_chat(vault, see_chat, &seen, &err));
    assert_int_equal(seen.chats, 1);
    ok(vault_chat_open(&chat, vault, &seen.id, &err));
    turns = vault_chat_turns(chat, &count);
    assert_int_equal(count, 2);
    assert_memory_equal(turns[1].content.bytes, "zebra answer", 12);
    assert_true(turns[1].arrived_locked);
    assert_int_equal(turns[1].parent, turns[0].id);
    vault_chat_close(chat);
    ok(vault_take_inbox(vault, &taken, &refused, &err));
    assert_int_equal(taken, 0);
    vault_close(vault);
}

// attack 42
static void
a_replay_is_refused_even_after_its_chat_was_deleted(void **state)
{
    struct vault *vault = vault_place_create(&place);
    char path[PATH_MAX], copy[PATH_MAX + 8];
    struct seen seen = {0};
    size_t taken, refused;

    (void) state;
    ok(put("q", "a"));
    snprintf(path, sizeof path, "%s", only_item(".seal"));
    snprintf(copy, sizeof copy, "%s/kept", place.folder);
    file_copy(path, copy);
    ok(vault_take_inbox(vault, &taken, &refused, &err));
    ok(vault_each_chat(vault, see_chat, &seen, &err));
    ok(vault_delete_chat(vault, &seen.id, &err));
    file_copy(copy, path);
    ok(vault_take_inbox(vault, &taken, &refused, &err));
    assert_int_equal(taken, 0);
    assert_int_equal(refused, 1);
    seen.chats = 0;
    ok(vault_each_chat(vault, see_chat, &seen, &err));
    assert_int_equal(seen.chats, 0);
    assert_non_null(only_item(".refused"));
    vault_close(vault);
}

// attack 42
static void
junk_is_left_aside_and_what_is_good_is_taken(void **state)
{
    struct vault *vault = vault_place_create(&place);
    char path[PATH_MAX];
    struct buffer bytes = {0};
    size_t taken, refused;

    (void) state;
    ok(put("q", "a"));
    snprintf(path, sizeof path, "%s", only_item(".seal"));
    file_read(&bytes, path);
    bytes.data[bytes.length / 2] ^= 1;
    file_write(path, bytes.data, bytes.length);
    snprintf(path, sizeof path, "%s/%032x.seal",
             vault_place_file(&place, "inbox"), 7);
    file_write(path, "junk", 4);
    snprintf(path, sizeof path, "%s/%032x.seal",
             vault_place_file(&place, "inbox"), 8);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    ok(put("q", "a"));
    ok(vault_take_inbox(vault, &taken, &refused, &err));
    assert_int_equal(taken, 1);
    assert_int_equal(refused, 3);
    ok(vault_take_inbox(vault, &taken, &refused, &err));
    assert_int_equal(refused, 0);
    buffer_release(&bytes);
    vault_close(vault);
}

// attack 42
static void
a_flooded_inbox_takes_no_more(void **state)
{
    struct vault *vault = vault_place_create(&place);
    char path[PATH_MAX];

    (void) state;
    vault_close(vault);
    ok(put("q", "a"));
    for (unsigned i = 0; i < 256; i++) {
        snprintf(path, sizeof path, "%s/%032x.seal",
                 vault_place_file(&place, "inbox"), i);
        file_write(path, "junk", 4);
    }
    assert_int_equal(put("q", "a"), STATUS_LIMIT);
}

static void
nothing_is_sealed_for_a_key_that_this_machine_does_not_remember(void **state)
{
    struct vault_place other;
    char path[PATH_MAX];

    (void) state;
    vault_close(vault_place_create(&place));
    vault_place_open(&other);
    vault_close(vault_place_create(&other));
    snprintf(path, sizeof path, "%s", vault_place_file(&other, "vault.keys"));
    // a vault.keys of somebody else's in place of ours
    file_copy(path, vault_place_file(&place, "vault.keys"));
    assert_int_equal(put("q", "a"), STATUS_DENIED);
    vault_place_close(&other);
}

static void
an_exchanged_public_key_is_refused(void **state)
{
    struct buffer bytes = {0};

    (void) state;
    vault_close(vault_place_create(&place));
    file_read(&bytes, vault_place_file(&place, "vault.keys"));
    bytes.data[32] ^= 1; // the public key's first byte
    file_write(vault_place_file(&place, "vault.keys"), bytes.data,
               bytes.length);
    assert_int_equal(put("q", "a"), STATUS_INTEGRITY);
    buffer_release(&bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_arrives_while_locked_becomes_a_chat_that_says_so),
        TEST(a_replay_is_refused_even_after_its_chat_was_deleted),
        TEST(junk_is_left_aside_and_what_is_good_is_taken),
        TEST(a_flooded_inbox_takes_no_more),
        TEST(nothing_is_sealed_for_a_key_that_this_machine_does_not_remember),
        TEST(an_exchanged_public_key_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
