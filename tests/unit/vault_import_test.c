/* A chat from outside is in the vault whole or not at all. */
#include "config.h"

#include "vault_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static bool
count_chat(void *context, const struct chat_info *info)
{
    (void) info;
    ++*(size_t *) context;
    return true;
}

static size_t
chats_in(struct vault *vault)
{
    size_t count = 0;

    ok(vault_each_chat(vault, count_chat, &count, &err));
    return count;
}

/* Two answers to one question, and a question after the first of them. */
static void
fill(struct turn_record turns[4])
{
    turns[0] = question_of("q", 0);
    turns[1] = answer_of("first", 1);
    turns[2] = answer_of("second", 1);
    turns[3] = question_of("and then?", 2);
}

static struct chat_info
sample_info(void)
{
    return (struct chat_info){.id = {{7, 8, 9}},
                              .title = text_of("T"),
                              .system = text_of("S"),
                              .model = text_of("M"),
                              .tags = text_of("x y"),
                              .created_ms = 1000,
                              .used_ms = 2000,
                              .leaf = 3,
                              .pinned = true};
}

static void
a_whole_chat_is_there_after_one_transaction(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct chat_info info = sample_info();
    struct vault_figures before, after;
    struct turn_record turns[4];
    const struct turn_record *kept;
    struct vault_chat *chat;
    size_t count;

    (void) state;
    fill(turns);
    // numbers of turns in the vault are not those of the chat
    vault_place_chat(vault, "other", "q", "a");
    ok(vault_measure(&before, vault, &err));
    ok(vault_import_chat(vault, &info, turns, 4, &err));
    ok(vault_measure(&after, vault, &err));
    assert_int_equal(after.counter, before.counter + 1);
    vault_close(vault);
    vault = vault_place_unlock(&place);
    ok(vault_chat_open(&chat, vault, &info.id, &err));
    kept = vault_chat_turns(chat, &count);
    assert_int_equal(count, 4);
    assert_int_equal(kept[0].parent, 0);
    assert_int_equal(kept[1].parent, kept[0].id);
    assert_int_equal(kept[2].parent, kept[0].id);
    assert_int_equal(kept[3].parent, kept[1].id);
    assert_int_equal(vault_chat_info(chat)->leaf, kept[2].id);
    assert_int_equal(vault_chat_info(chat)->used_ms, 2000);
    assert_int_equal(vault_chat_info(chat)->created_ms, 1000);
    assert_true(vault_chat_info(chat)->pinned);
    assert_memory_equal(vault_chat_info(chat)->system.bytes, "S", 1);
    assert_memory_equal(vault_chat_info(chat)->tags.bytes, "x y", 3);
    assert_memory_equal(kept[2].content.bytes, "second", 6);
    vault_chat_close(chat);
    vault_close(vault);
}

static void
the_same_chat_is_not_taken_twice(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct chat_info info = sample_info();
    struct turn_record turns[4];

    (void) state;
    fill(turns);
    ok(vault_import_chat(vault, &info, turns, 4, &err));
    assert_int_equal(vault_import_chat(vault, &info, turns, 4, &err),
                     STATUS_LIMIT);
    assert_int_equal(chats_in(vault), 1);
    // without an id of its own it gets one
    info.id = (struct chat_id){0};
    ok(vault_import_chat(vault, &info, turns, 4, &err));
    ok(vault_import_chat(vault, &info, turns, 4, &err));
    assert_int_equal(chats_in(vault), 3);
    vault_close(vault);
}

static void
a_chat_that_fails_in_the_middle_leaves_nothing(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct chat_info info = sample_info();
    struct turn_record turns[4];
    struct vault_figures before, after;

    (void) state;
    fill(turns);
    turns[2].content = (struct text){"\xFF", 1};
    ok(vault_measure(&before, vault, &err));
    assert_int_equal(vault_import_chat(vault, &info, turns, 4, &err),
                     STATUS_FORMAT);
    ok(vault_measure(&after, vault, &err));
    assert_int_equal(after.rows, before.rows);
    assert_int_equal(chats_in(vault), 0);
    // and the vault goes on as if nothing had been
    fill(turns);
    ok(vault_import_chat(vault, &info, turns, 4, &err));
    vault_close(vault);
    vault = vault_place_unlock(&place);
    assert_int_equal(chats_in(vault), 1);
    vault_close(vault);
}

/* Memory or a write fails once, at every place where it can. */
static void
every_step_may_fail_and_leaves_nothing(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct chat_info info = sample_info();
    enum status status = STATUS_NOMEM;
    struct turn_record turns[4];
    unsigned long n = 0;

    (void) state;
    fill(turns);
    while (status != STATUS_OK) {
        fault_arm(++n);
        status = vault_import_chat(vault, &info, turns, 4, &err);
        fault_arm(0);
        if (status != STATUS_OK && chats_in(vault) != 0)
            fail_msg("step %lu failed and left a chat", n);
        assert_true(n < 10000);
    }
    assert_true(n > 5);
    assert_int_equal(chats_in(vault), 1);
    vault_close(vault);
    vault = vault_place_unlock(&place);
    assert_int_equal(chats_in(vault), 1);
    vault_close(vault);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_whole_chat_is_there_after_one_transaction),
        TEST(the_same_chat_is_not_taken_twice),
        TEST(a_chat_that_fails_in_the_middle_leaves_nothing),
        TEST(every_step_may_fail_and_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
