/* storage/vault_body.h: bodies come back, and other bytes are refused. */
#include "config.h"

#include "storage/vault_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct error err;

static struct text
text_of(const char *string)
{
    return (struct text){string, strlen(string)};
}

static void
a_turn_comes_back_with_every_field(void **state)
{
    const struct turn_record turn = {
        .parent = 7,
        .role = TURN_ANSWER,
        .time_ms = UINT64_MAX,
        .content = text_of("content"),
        .thinking = text_of("thinking"),
        .complete = true,
        .arrived_locked = true,
        .finish = FINISH_CONTEXT_FULL,
        .origin = {.model = text_of("model"),
                   .fingerprint = text_of("print"),
                   .device = text_of("cpu"),
                   .sampling = {1.1, 0.7, -1, 0.95, 0.05, 42},
                   .prompt_tokens = 1,
                   .thinking_tokens = 2,
                   .answer_tokens = 3,
                   .ttft_ms = 4.5,
                   .total_ms = 5.5,
                   .decode_tps = 6.5},
    };
    struct buffer body = {0};
    struct turn_record got;

    (void) state;
    assert_int_equal(turn_body_write(&body, &turn, &err), STATUS_OK);
    assert_int_equal(turn_body_read(&got, body.data, body.length, &err),
                     STATUS_OK);
    assert_int_equal(got.parent, 7);
    assert_int_equal(got.role, TURN_ANSWER);
    assert_true(got.time_ms == UINT64_MAX);
    assert_memory_equal(got.content.bytes, "content", 7);
    assert_memory_equal(got.thinking.bytes, "thinking", 8);
    assert_true(got.complete && got.arrived_locked);
    assert_int_equal(got.finish, FINISH_CONTEXT_FULL);
    assert_memory_equal(got.origin.model.bytes, "model", 5);
    assert_memory_equal(got.origin.fingerprint.bytes, "print", 5);
    assert_memory_equal(got.origin.device.bytes, "cpu", 3);
    assert_memory_equal(&got.origin.sampling, &turn.origin.sampling,
                        sizeof turn.origin.sampling);
    assert_int_equal(got.origin.prompt_tokens, 1);
    assert_int_equal(got.origin.thinking_tokens, 2);
    assert_int_equal(got.origin.answer_tokens, 3);
    assert_true(got.origin.ttft_ms == 4.5 && got.origin.total_ms == 5.5 &&
                got.origin.decode_tps == 6.5);
    buffer_release(&body);
}

// by hand from the format: field 1 parent 258, field 2 role 1, field 4 "hi"
static const uint8_t BY_HAND[] = {
    1, 8, 0, 0, 0, 2,   1,   0, 0, 0, 0, 0, 0, // parent
    2, 1, 0, 0, 0, 1,                          // role
    4, 2, 0, 0, 0, 'h', 'i',                   // content
};

static void
bytes_made_by_hand_are_read_and_written(void **state)
{
    struct turn_record turn;
    struct buffer body = {0};

    (void) state;
    assert_int_equal(turn_body_read(&turn, BY_HAND, sizeof BY_HAND, &err),
                     STATUS_OK);
    assert_int_equal(turn.parent, 258);
    assert_int_equal(turn.role, TURN_ANSWER);
    assert_memory_equal(turn.content.bytes, "hi", 2);
    assert_int_equal(turn_body_write(&body, &turn, &err), STATUS_OK);
    assert_int_equal(body.length, sizeof BY_HAND);
    assert_memory_equal(body.data, BY_HAND, sizeof BY_HAND);
    buffer_release(&body);
}

static enum status
read_turn(const uint8_t *bytes, size_t length)
{
    struct turn_record turn;

    return turn_body_read(&turn, bytes, length, &err);
}

// attack 9: unknown kinds of fields
static void
other_bytes_are_refused(void **state)
{
    uint8_t bytes[sizeof BY_HAND];

    (void) state;
    for (size_t cut = 1; cut < sizeof bytes; cut++)
        if (cut != 13 && cut != 19) // where a field ends
            assert_int_equal(read_turn(BY_HAND, cut), STATUS_FORMAT);
    memcpy(bytes, BY_HAND, sizeof bytes);
    bytes[0] = 99; // unknown
    assert_int_equal(read_turn(bytes, sizeof bytes), STATUS_FORMAT);
    bytes[0] = 0; // the end of the table is no field
    assert_int_equal(read_turn(bytes, sizeof bytes), STATUS_FORMAT);
    bytes[0] = 2; // twice, and out of order
    assert_int_equal(read_turn(bytes, sizeof bytes), STATUS_FORMAT);
    bytes[0] = 1;
    bytes[18] = 2; // no role
    assert_int_equal(read_turn(bytes, sizeof bytes), STATUS_FORMAT);
    bytes[18] = 1;
    bytes[23] = 0xFF; // a length beyond the end
    assert_int_equal(read_turn(bytes, sizeof bytes), STATUS_FORMAT);
}

static void
lists_have_whole_elements(void **state)
{
    uint8_t bytes[5 + ROW_REF_BYTES + 1] = {9, ROW_REF_BYTES, 0, 0, 0};
    struct chat_body chat;

    (void) state;
    assert_int_equal(chat_body_read(&chat, bytes, 5 + ROW_REF_BYTES, &err),
                     STATUS_OK);
    assert_int_equal(chat.turns.length, ROW_REF_BYTES);
    bytes[1]++;
    assert_int_equal(chat_body_read(&chat, bytes, sizeof bytes, &err),
                     STATUS_FORMAT);
}

static void
tags_are_checked_where_they_are_read(void **state)
{
    uint8_t bytes[] = {10, 3, 0, 0, 0, 'a', ' ', 'b'};
    struct chat_body chat;

    (void) state;
    assert_int_equal(chat_body_read(&chat, bytes, sizeof bytes, &err),
                     STATUS_OK);
    assert_int_equal(chat.info.tags.length, 3);
    bytes[7] = 'a'; // twice
    assert_int_equal(chat_body_read(&chat, bytes, sizeof bytes, &err),
                     STATUS_FORMAT);
    bytes[7] = '\n';
    assert_int_equal(chat_body_read(&chat, bytes, sizeof bytes, &err),
                     STATUS_FORMAT);
}

static void
items_are_checked_before_they_are_taken_off(void **state)
{
    struct buffer items = {0}, body = {0};
    struct items_body list;
    struct text item;

    (void) state;
    assert_int_equal(items_append(&items, text_of("one"), &err), STATUS_OK);
    assert_int_equal(items_append(&items, text_of(""), &err), STATUS_OK);
    list.items = (struct text){items.data, items.length};
    assert_int_equal(items_body_write(&body, &list, &err), STATUS_OK);
    assert_int_equal(items_body_read(&list, body.data, body.length, &err),
                     STATUS_OK);
    assert_true(items_next(&item, &list.items));
    assert_memory_equal(item.bytes, "one", 3);
    assert_true(items_next(&item, &list.items));
    assert_int_equal(item.length, 0);
    assert_false(items_next(&item, &list.items));
    body.data[5] = 9; // the first item is longer than all
    assert_int_equal(items_body_read(&list, body.data, body.length, &err),
                     STATUS_FORMAT);
    buffer_release(&items);
    buffer_release(&body);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_comes_back_with_every_field),
        cmocka_unit_test(bytes_made_by_hand_are_read_and_written),
        cmocka_unit_test(other_bytes_are_refused),
        cmocka_unit_test(lists_have_whole_elements),
        cmocka_unit_test(tags_are_checked_where_they_are_read),
        cmocka_unit_test(items_are_checked_before_they_are_taken_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
