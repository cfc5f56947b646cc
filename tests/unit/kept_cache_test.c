/*
 * app/chat/kept_cache.h between an engine and a vault that are made up here:
 * what goes wrong on either side ends the work, and never loses what was kept.
 */
#include "config.h"

#include "app/chat/kept_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CHUNK = 128, CHUNKS = 4, LIMIT = 1000 };

static struct error err;

/* -- a vault of one chat --------------------------------------------------- */

struct held {
    uint8_t key[VAULT_CACHE_KEY_BYTES];
    struct buffer chunk[CHUNKS];
    size_t chunks;
};

struct vault_cache_writer {
    struct held held;
};

static struct held kept;
static int calls_left; // of the vault, before one fails; -1: none
static size_t begun, writers;

static void
drop(struct held *held)
{
    for (size_t i = 0; i < held->chunks; i++)
        buffer_release(&held->chunk[i]);
    *held = (struct held){.chunks = 0};
}

static enum status
vault_call(struct error *error)
{
    if (calls_left < 0 || calls_left-- > 0)
        return STATUS_OK;
    return error_set(error, STATUS_IO, "the disk is full");
}

enum status
vault_cache_begin(struct vault_cache_writer **out, struct vault_chat *chat,
                  const uint8_t key[VAULT_CACHE_KEY_BYTES],
                  uint64_t limit_bytes, struct error *error)
{
    (void) chat;
    assert_int_equal(limit_bytes, LIMIT);
    *out = NULL;
    TRY(vault_call(error));
    *out = calloc(1, sizeof **out);
    memcpy((*out)->held.key, key, VAULT_CACHE_KEY_BYTES);
    begun++;
    writers++;
    return STATUS_OK;
}

enum status
vault_cache_write(struct vault_cache_writer *writer, const void *chunk,
                  size_t bytes, struct error *error)
{
    TRY(vault_call(error));
    return buffer_append(&writer->held.chunk[writer->held.chunks++], chunk,
                         bytes, error);
}

void
vault_cache_abandon(struct vault_cache_writer *writer)
{
    if (writer == NULL)
        return;
    drop(&writer->held);
    free(writer);
    writers--;
}

enum status
vault_cache_commit(struct vault_cache_writer *writer, struct error *error)
{
    enum status status = vault_call(error);

    if (status == STATUS_OK) {
        drop(&kept);
        kept = writer->held;
        writer->held = (struct held){.chunks = 0};
    }
    vault_cache_abandon(writer);
    return status;
}

enum status
vault_cache_find(size_t *chunks, uint8_t key[VAULT_CACHE_KEY_BYTES],
                 struct vault_chat *chat, struct error *error)
{
    (void) chat;
    TRY(vault_call(error));
    *chunks = kept.chunks;
    memcpy(key, kept.key, VAULT_CACHE_KEY_BYTES);
    return STATUS_OK;
}

enum status
vault_cache_read(struct buffer *out, struct vault_chat *chat, size_t chunk,
                 struct error *error)
{
    (void) chat;
    TRY(vault_call(error));
    return buffer_append(out, kept.chunk[chunk].data, kept.chunk[chunk].length,
                         error);
}

/* -- an engine ------------------------------------------------------------- */

static struct buffer outgoing;
static uint64_t last_number;

struct buffer *
client_outgoing(struct client *client)
{
    (void) client;
    return &outgoing;
}

uint64_t
client_number(struct client *client)
{
    (void) client;
    return ++last_number;
}

struct engine {
    struct buffer cache; // what it can save, or what came
    const char *key;     // that it tells
    uint64_t refuse_at;  // refuses the chunk there; UINT64_MAX: none
    bool wrong_sizes, never_whole;
    size_t requests;
};

static const char key_a[] =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static const char key_b[] =
    "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static struct engine
engine_with(size_t bytes, const char *key)
{
    struct engine engine = {.key = key, .refuse_at = UINT64_MAX};

    for (size_t i = 0; i < bytes; i++)
        assert_int_equal(
            buffer_append(&engine.cache, &(char){(char) (i * 7)}, 1, &err),
            STATUS_OK);
    return engine;
}

static enum status
answer(struct engine *engine, const struct request *request,
       struct buffer *frame)
{
    const struct snapshot_request *asked = &request->snapshot;
    struct snapshot_done done = {.bytes = engine->cache.length};
    struct error_event error = {STATUS_FORMAT, "that does not fit", 65};

    if (asked->offset == engine->refuse_at)
        return event_put_error(frame, request->number, &error, &err);
    if (asked->action == SNAPSHOT_SAVE && done.bytes > 0) {
        uint64_t left = done.bytes - asked->offset;

        done.data.bytes = engine->cache.data + asked->offset;
        done.data.length = left < CHUNK ? left : CHUNK;
        done.key = engine->key;
        done.tokens = 3;
    } else if (asked->action == SNAPSHOT_RESTORE) {
        assert_int_equal(asked->offset, engine->cache.length);
        assert_int_equal(buffer_append(&engine->cache, asked->data.bytes,
                                       asked->data.length, &err),
                         STATUS_OK);
        done.tokens = asked->data.length < CHUNK && !engine->never_whole;
    }
    done.next = asked->offset + done.data.length + engine->wrong_sizes;
    return event_put_snapshot_done(frame, request->number, &done, &err);
}

/* Answers the request that is out; false when there is none. */
static bool
step(struct engine *engine, struct kept_cache *cache)
{
    struct buffer payload = {0}, frame = {0};
    struct frame_header header;
    struct request request;
    struct event event;
    bool found;

    assert_int_equal(frame_take(&outgoing, &header, &payload, &found, &err),
                     STATUS_OK);
    if (!found)
        return false;
    engine->requests++;
    assert_int_equal(request_take(&request, &header, &payload, NULL, &err),
                     STATUS_OK);
    assert_int_equal(answer(engine, &request, &frame), STATUS_OK);
    request_release(&request);
    assert_int_equal(frame_take(&frame, &header, &payload, &found, &err),
                     STATUS_OK);
    assert_int_equal(event_take(&event, &header, &payload, &err), STATUS_OK);
    (void) kept_cache_take(cache, &event);
    event_release(&event);
    buffer_release(&frame);
    buffer_release(&payload);
    return true;
}

static void
run(struct engine *engine, struct kept_cache *cache)
{
    while (step(engine, cache))
        continue;
    assert_int_equal(cache->work, KEPT_CACHE_IDLE);
    assert_int_equal(writers, 0);
}

static void
fetch(struct engine *engine, struct kept_cache *cache)
{
    kept_cache_fetch(cache, NULL, NULL, LIMIT);
    assert_true(kept_cache_is_fetching(cache));
    run(engine, cache);
}

static void
give(struct engine *engine, struct kept_cache *cache)
{
    kept_cache_give(cache, NULL, NULL);
    run(engine, cache);
}

/* What is kept is `bytes` bytes of that engine. */
static void
assert_kept(const struct engine *engine)
{
    size_t at = 0;

    for (size_t i = 0; i < kept.chunks; i++) {
        assert_memory_equal(kept.chunk[i].data, engine->cache.data + at,
                            kept.chunk[i].length);
        at += kept.chunk[i].length;
    }
    assert_int_equal(at, engine->cache.length);
}

/* -- tests ----------------------------------------------------------------- */

static int
set_up(void **state)
{
    (void) state;
    drop(&kept);
    buffer_release(&outgoing);
    calls_left = -1;
    begun = 0;
    return 0;
}

static void
what_is_fetched_is_given_back(void **state)
{
    struct engine one = engine_with(300, key_a), two = engine_with(0, key_a);
    struct kept_cache cache = {0};

    (void) state;
    fetch(&one, &cache);
    assert_int_equal(one.requests, 3);
    assert_kept(&one);
    assert_int_equal(kept.key[0], 0x01);
    assert_int_equal(kept.key[31], 0xEF);
    give(&two, &cache);
    assert_kept(&two);
    assert_string_equal(cache.note, "");
    buffer_release(&one.cache);
    buffer_release(&two.cache);
}

static void
the_same_cache_is_not_written_again(void **state)
{
    struct engine one = engine_with(300, key_a), two = engine_with(300, key_b);
    struct kept_cache cache = {0};

    (void) state;
    fetch(&one, &cache);
    one.requests = 0;
    fetch(&one, &cache);
    assert_int_equal(one.requests, 1);
    assert_int_equal(begun, 1);
    fetch(&two, &cache);
    assert_int_equal(begun, 2);
    assert_int_equal(kept.key[0], 0x11);
    buffer_release(&one.cache);
    buffer_release(&two.cache);
}

static void
what_is_larger_than_all_may_be_is_not_fetched(void **state)
{
    struct engine engine = engine_with(LIMIT + 1, key_a);
    struct kept_cache cache = {0};

    (void) state;
    fetch(&engine, &cache);
    assert_int_equal(engine.requests, 1);
    assert_int_equal(begun, 0);
    buffer_release(&engine.cache);
}

static void
nothing_to_save_and_nothing_kept_are_no_news(void **state)
{
    struct engine engine = engine_with(0, NULL);
    struct kept_cache cache = {0};

    (void) state;
    fetch(&engine, &cache);
    assert_int_equal(kept.chunks, 0);
    give(&engine, &cache);
    assert_int_equal(engine.requests, 1);
    assert_string_equal(cache.note, "");
}

static void
a_question_gives_fetching_up_and_what_was_kept_stays(void **state)
{
    struct engine one = engine_with(300, key_a), two = engine_with(300, key_b);
    struct kept_cache cache = {0};

    (void) state;
    fetch(&one, &cache);
    kept_cache_fetch(&cache, NULL, NULL, LIMIT);
    assert_true(step(&two, &cache));
    assert_true(kept_cache_is_fetching(&cache));
    kept_cache_abandon(&cache);
    assert_int_equal(writers, 0);
    // the chunk that was asked for still comes, and is nobody's
    assert_true(step(&two, &cache));
    assert_false(step(&two, &cache));
    assert_kept(&one);
    assert_int_equal(kept.key[0], 0x01);
    buffer_release(&one.cache);
    buffer_release(&two.cache);
}

static void
an_engine_that_refuses_or_errs_ends_it_with_a_note(void **state)
{
    struct engine one = engine_with(300, key_a);
    struct kept_cache cache = {0};

    (void) state;
    fetch(&one, &cache);
    for (uint64_t at = 0; at <= 2 * CHUNK; at += CHUNK) {
        struct engine two = engine_with(0, NULL);

        two.refuse_at = at;
        give(&two, &cache);
        assert_non_null(strstr(cache.note, "read again"));
        assert_non_null(strstr(cache.note, "that does not fit"));
        buffer_release(&two.cache);
    }
    struct engine three = engine_with(0, NULL);
    three.never_whole = true;
    give(&three, &cache);
    assert_non_null(strstr(cache.note, "not whole"));
    buffer_release(&three.cache);
    struct engine four = engine_with(300, "0123");
    fetch(&four, &cache);
    four.key = NULL;
    fetch(&four, &cache);
    four.key = key_b;
    four.wrong_sizes = true;
    fetch(&four, &cache);
    four.wrong_sizes = false;
    four.refuse_at = CHUNK;
    fetch(&four, &cache);
    assert_string_equal(cache.note, "");
    assert_kept(&one);
    buffer_release(&one.cache);
    buffer_release(&four.cache);
}

static void
a_vault_that_fails_at_any_call_loses_nothing(void **state)
{
    struct engine one = engine_with(300, key_a), two = engine_with(300, key_b);
    struct kept_cache cache = {0};
    int n;

    (void) state;
    fetch(&one, &cache);
    for (n = 0; n < 6; n++) { // find, begin, three writes, commit
        calls_left = n;
        fetch(&two, &cache);
        assert_int_equal(kept.key[0], 0x01);
        assert_kept(&one);
    }
    calls_left = n;
    fetch(&two, &cache);
    assert_int_equal(kept.key[0], 0x11);
    for (n = 0; n < 4; n++) {
        struct engine three = engine_with(0, NULL);

        calls_left = n;
        give(&three, &cache);
        assert_non_null(strstr(cache.note, "the disk is full"));
        buffer_release(&three.cache);
    }
    buffer_release(&one.cache);
    buffer_release(&two.cache);
}

static int
tear_down(void **state)
{
    return set_up(state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_fetched_is_given_back, set_up),
        cmocka_unit_test_setup(the_same_cache_is_not_written_again, set_up),
        cmocka_unit_test_setup(what_is_larger_than_all_may_be_is_not_fetched,
                               set_up),
        cmocka_unit_test_setup(nothing_to_save_and_nothing_kept_are_no_news,
                               set_up),
        cmocka_unit_test_setup(
            a_question_gives_fetching_up_and_what_was_kept_stays, set_up),
        cmocka_unit_test_setup(
            an_engine_that_refuses_or_errs_ends_it_with_a_note, set_up),
        cmocka_unit_test_setup(a_vault_that_fails_at_any_call_loses_nothing,
                               set_up),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
