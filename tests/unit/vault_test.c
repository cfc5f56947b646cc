/* storage/vault.h: what is kept is there again, and only that. */
#include "config.h"

#include "vault_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void
assert_text(struct text text, const char *want)
{
    assert_int_equal(text.length, strlen(want));
    assert_memory_equal(text.bytes, want, text.length);
}

static void
ignore_sentence(void *context, const char *sentence)
{
    (void) context;
    (void) sentence;
}

// -- chats ------------------------------------------------------------------

static void
a_chat_is_there_again_after_the_vault_was_closed(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct chat_id id =
        vault_place_chat(vault, "Greetings", "hello", "and hello to you");
    struct vault_chat *chat;
    const struct turn_record *turns;
    size_t count;

    (void) state;
    vault_close(vault);
    vault = vault_place_unlock(&place);
    assert_null(vault_remark(vault));
    ok(vault_chat_open(&chat, vault, &id, &err));
    turns = vault_chat_turns(chat, &count);
    assert_int_equal(count, 2);
    assert_text(turns[0].content, "hello");
    assert_int_equal(turns[0].role, TURN_QUESTION);
    assert_int_equal(turns[0].parent, 0);
    assert_int_equal(turns[1].parent, turns[0].id);
    assert_text(turns[1].content, "and hello to you");
    assert_text(turns[1].thinking, "let me see");
    assert_text(turns[1].origin.model, "fathom-mini");
    assert_int_equal(turns[1].origin.sampling.top_k, -1);
    assert_true(turns[1].origin.decode_tps == 12.5);
    assert_text(vault_chat_info(chat)->title, "Greetings");
    assert_text(vault_chat_info(chat)->model, "fathom-mini");
    assert_int_equal(vault_chat_info(chat)->leaf, turns[1].id);
    assert_int_equal(vault_chat_info(chat)->created_ms, 5);
    vault_chat_close(chat);
    vault_close(vault);
}

struct titles {
    char text[4096];
    size_t count;
};

static bool
add_title(void *context, const struct chat_info *info)
{
    struct titles *titles = context;

    snprintf(titles->text + strlen(titles->text),
             sizeof titles->text - strlen(titles->text), "%.*s;",
             (int) info->title.length, info->title.bytes);
    titles->count++;
    return true;
}

static void
chats_are_listed_last_used_first(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct chat_id first = vault_place_chat(vault, "a", "q", "r");
    struct titles titles = {0};
    struct vault_chat *chat;
    struct chat_info info;

    (void) state;
    vault_place_chat(vault, "b", "q", "r");
    vault_place_chat(vault, "c", "q", "r");
    ok(vault_each_chat(vault, add_title, &titles, &err));
    assert_string_equal(titles.text, "c;b;a;");
    ok(vault_chat_open(&chat, vault, &first, &err));
    info = *vault_chat_info(chat);
    info.used_ms = 2000;
    info.title = text_of("A");
    ok(vault_chat_update(chat, &info, &err));
    vault_chat_close(chat);
    titles = (struct titles){0};
    ok(vault_each_chat(vault, add_title, &titles, &err));
    assert_string_equal(titles.text, "A;c;b;");
    vault_close(vault);
}

static void
tags_are_kept_changed_and_gone_again(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct chat_id id = vault_place_chat(vault, "a", "q", "r");
    static const char *const wants[] = {"rdma thesis", "thesis", ""};
    struct vault_chat *chat;
    struct chat_info info;

    (void) state;
    for (size_t i = 0; i < 3; i++) {
        ok(vault_chat_open(&chat, vault, &id, &err));
        info = *vault_chat_info(chat);
        info.tags = text_of(wants[i]);
        ok(vault_chat_update(chat, &info, &err));
        assert_text(vault_chat_info(chat)->tags, wants[i]);
        vault_chat_close(chat);
        vault_close(vault);
        vault = vault_place_unlock(&place);
        ok(vault_chat_open(&chat, vault, &id, &err));
        assert_text(vault_chat_info(chat)->tags, wants[i]);
        assert_text(vault_chat_info(chat)->title, "a");
        // a row with such a body could not be read again
        info = *vault_chat_info(chat);
        info.tags = text_of("two  blanks");
        assert_int_equal(vault_chat_update(chat, &info, &err), STATUS_FORMAT);
        assert_text(vault_chat_info(chat)->tags, wants[i]);
        vault_chat_close(chat);
    }
    vault_close(vault);
}

static void
an_id_is_found_by_its_beginning_as_people_type_it(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct chat_info info = {
        .id = {{0x0F, 0xFF, 0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}}};
    struct turn_record turn = question_of("q", 0);
    struct vault_chat *chat;
    struct chat_id found;
    char text[CHAT_ID_TEXT];
    uint64_t id;

    (void) state;
    vault_place_chat(vault, "other", "q", "r");
    ok(vault_chat_begin(&chat, vault, &info, &err));
    ok(vault_chat_append(chat, &turn, &id, &err));
    vault_chat_close(chat);
    chat_id_text(text, &info.id);
    // (00)000 01111 11111 11110 00000: groups of five bits
    assert_memory_equal(text, "0fzy0", 5);
    assert_int_equal(strlen(text), 26);
    ok(vault_find_chat(&found, vault, "OFZY", &err));
    assert_memory_equal(&found, &info.id, sizeof found);
    assert_int_equal(vault_find_chat(&found, vault, "0fzz", &err),
                     STATUS_FORMAT);
    assert_int_equal(vault_chat_begin(&chat, vault, &info, &err), STATUS_LIMIT);
    vault_close(vault);
}

static void
a_deleted_chat_is_gone_and_its_rows_with_it(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct chat_id kept = vault_place_chat(vault, "kept", "q", "r");
    struct vault_figures before, after;
    struct chat_id gone;
    struct vault_chat *chat;

    (void) state;
    ok(vault_measure(&before, vault, &err));
    gone = vault_place_chat(vault, "gone", "q", "r");
    ok(vault_delete_chat(vault, &gone, &err));
    ok(vault_compact(vault, &err));
    ok(vault_measure(&after, vault, &err));
    assert_int_equal(after.chats, 1);
    assert_int_equal(after.rows, before.rows);
    assert_int_equal(vault_chat_open(&chat, vault, &gone, &err), STATUS_FORMAT);
    ok(vault_chat_open(&chat, vault, &kept, &err));
    vault_chat_close(chat);
    vault_close(vault);
}

static void
many_chats_go_into_several_shards(void **state)
{
    enum { CHATS = 270 }; // a shard has 256
    struct vault *vault = vault_place_create(&place);
    struct titles titles = {0};
    struct vault_figures figures;
    struct chat_id some = {{0}};

    (void) state;
    for (int i = 0; i < CHATS; i++) {
        struct chat_id id = vault_place_chat(vault, "", "q", "r");

        if (i == 260)
            some = id;
    }
    vault_close(vault);
    vault = vault_place_unlock(&place);
    ok(vault_each_chat(vault, add_title, &titles, &err));
    assert_int_equal(titles.count, CHATS);
    ok(vault_delete_chat(vault, &some, &err));
    vault_close(vault);
    vault = vault_place_unlock(&place);
    ok(vault_measure(&figures, vault, &err));
    assert_int_equal(figures.chats, CHATS - 1);
    assert_int_equal(figures.turns, 2 * (CHATS - 1));
    vault_close(vault);
}

static void
a_text_that_is_not_utf8_is_refused_and_nothing_is_written(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct turn_record turn = question_of("caf\xE9", 0);
    struct chat_info info = {0};
    struct titles titles = {0};
    struct vault_chat *chat;
    uint64_t id;

    (void) state;
    ok(vault_chat_begin(&chat, vault, &info, &err));
    assert_int_equal(vault_chat_append(chat, &turn, &id, &err), STATUS_FORMAT);
    vault_chat_close(chat);
    ok(vault_each_chat(vault, add_title, &titles, &err));
    assert_int_equal(titles.count, 0);
    vault_close(vault);
}

static void
a_batch_is_there_whole_or_not_at_all(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct turn_record turn = question_of("caf\xE9", 0);
    struct chat_info info = {0};
    struct vault_figures before, after;
    struct vault_chat *chat;
    uint64_t id;

    (void) state;
    ok(vault_batch_begin(vault, &err));
    vault_place_chat(vault, "one", "q", "r");
    vault_place_chat(vault, "two", "q", "r");
    ok(vault_batch_end(vault, &err));
    vault_close(vault);
    vault = vault_place_unlock(&place);
    ok(vault_measure(&before, vault, &err));
    assert_int_equal(before.chats, 2);
    // one that fails: bad text fails before anything is written, a chat that
    // is gone fails within
    ok(vault_batch_begin(vault, &err));
    vault_place_chat(vault, "three", "q", "r");
    ok(vault_chat_begin(&chat, vault, &info, &err));
    assert_int_equal(vault_chat_append(chat, &turn, &id, &err), STATUS_FORMAT);
    turn = question_of("q", 0);
    ok(vault_chat_append(chat, &turn, &id, &err));
    info.id = vault_chat_info(chat)->id;
    ok(vault_delete_chat(vault, &info.id, &err));
    assert_int_equal(vault_chat_append(chat, &turn, &id, &err), STATUS_BUSY);
    vault_chat_close(chat);
    assert_int_equal(vault_add_input(vault, text_of("x"), 9, &err), STATUS_IO);
    assert_int_equal(vault_batch_end(vault, &err), STATUS_IO);
    ok(vault_measure(&after, vault, &err));
    assert_int_equal(after.chats, 2);
    assert_int_equal(after.rows, before.rows);
    vault_place_chat(vault, "four", "q", "r");
    vault_close(vault);
}

// -- search -----------------------------------------------------------------

struct hits {
    char text[4096];
    size_t count, enough;
};

static bool
add_hit(void *context, const struct vault_hit *hit)
{
    struct hits *hits = context;
    struct text where = hit->turn == NULL  ? hit->chat->title
                        : hit->in_thinking ? hit->turn->thinking
                                           : hit->turn->content;

    assert_true(hit->at + hit->length <= where.length);
    snprintf(hits->text + strlen(hits->text),
             sizeof hits->text - strlen(hits->text), "%s%.*s;",
             hit->turn == NULL  ? "title "
             : hit->in_thinking ? "thinking "
                                : "",
             (int) hit->length, where.bytes + hit->at);
    return ++hits->count != hits->enough;
}

static void
titles_and_texts_are_searched_newest_first(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct hits hits = {0};
    _Atomic bool cancel = false;

    (void) state;
    vault_place_chat(vault, "Whales", "what is a whale", "A mammal");
    vault_place_chat(vault, "Fish", "not WHALES", "no");
    ok(vault_search(vault, text_of("whale"), false, add_hit, &hits, &cancel,
                    &err));
    assert_string_equal(hits.text, "WHALE;title Whale;whale;");
    hits = (struct hits){.enough = 1};
    ok(vault_search(vault, text_of("whale"), false, add_hit, &hits, &cancel,
                    &err));
    assert_int_equal(hits.count, 1);
    hits = (struct hits){0};
    ok(vault_search(vault, text_of("Let Me"), false, add_hit, &hits, NULL,
                    &err));
    assert_int_equal(hits.count, 0);
    ok(vault_search(vault, text_of("Let Me"), true, add_hit, &hits, NULL,
                    &err));
    assert_string_equal(hits.text, "thinking let me;thinking let me;");
    cancel = true;
    assert_int_equal(
        vault_search(vault, text_of("a"), false, add_hit, &hits, &cancel, &err),
        STATUS_CANCELLED);
    vault_close(vault);
}

struct read_chat {
    char text[200];
    size_t most; // turns
};

static bool
add_turn(void *context, const struct chat_info *info,
         const struct turn_record *turn)
{
    struct read_chat *read = context;
    struct text text = turn ? turn->content : info->title;

    snprintf(read->text + strlen(read->text),
             sizeof read->text - strlen(read->text), "%.*s;", (int) text.length,
             text.bytes);
    return read->most-- > 0;
}

static void
a_chat_is_read_turn_by_turn_as_far_as_is_wanted(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct read_chat read = {.most = 9};
    struct chat_id *ids, none = {{0}};
    size_t count;

    (void) state;
    vault_place_chat(vault, "Whales", "what is a whale", "A mammal");
    vault_place_chat(vault, "Fish", "and a fish", "Not one");
    ok(vault_chat_ids(&ids, &count, vault, &err));
    assert_int_equal(count, 2);
    ok(vault_each_turn(vault, &ids[0], add_turn, &read, &err));
    assert_string_equal(read.text, "Fish;and a fish;Not one;");
    read = (struct read_chat){.most = 1};
    ok(vault_each_turn(vault, &ids[1], add_turn, &read, &err));
    assert_string_equal(read.text, "Whales;what is a whale;");
    assert_int_equal(vault_each_turn(vault, &none, add_turn, &read, &err),
                     STATUS_FORMAT);
    free(ids);
    vault_close(vault);
}

// -- drafts -----------------------------------------------------------------

static struct chat_id
leave_draft(struct vault *vault, const char *first, const char *last)
{
    struct chat_info info = {.title = text_of("draft")};
    struct turn_record turn = question_of("tell me", 0);
    struct vault_chat *chat;
    struct chat_id chosen;
    uint64_t id;

    ok(vault_chat_begin(&chat, vault, &info, &err));
    ok(vault_chat_append(chat, &turn, &id, &err));
    turn = answer_of(first, id);
    ok(vault_chat_draft(chat, &turn, &err));
    turn = answer_of(last, id);
    ok(vault_chat_draft(chat, &turn, &err));
    chosen = vault_chat_info(chat)->id;
    vault_chat_close(chat);
    return chosen;
}

static void
a_draft_that_was_lost_in_a_crash_becomes_an_incomplete_answer(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct chat_id id = leave_draft(vault, "Once", "Once upon a");
    struct vault_chat *chat;
    const struct turn_record *turns;
    size_t count;

    (void) state;
    for (int again = 0; again < 2; again++) {
        vault_close(vault);
        vault = vault_place_unlock(&place);
        ok(vault_chat_open(&chat, vault, &id, &err));
        turns = vault_chat_turns(chat, &count);
        assert_int_equal(count, 2);
        assert_text(turns[1].content, "Once upon a");
        assert_false(turns[1].complete);
        vault_chat_close(chat);
    }
    vault_close(vault);
}

static void
an_answer_that_ended_takes_its_draft_away(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct chat_info info = {.title = text_of("draft")};
    struct turn_record turn = question_of("tell me", 0);
    struct vault_chat *chat;
    struct chat_id chosen;
    size_t count;
    uint64_t id;

    (void) state;
    ok(vault_chat_begin(&chat, vault, &info, &err));
    ok(vault_chat_append(chat, &turn, &id, &err));
    turn = answer_of("Onc", id);
    ok(vault_chat_draft(chat, &turn, &err));
    turn = answer_of("Once.", id);
    ok(vault_chat_append(chat, &turn, &id, &err));
    chosen = vault_chat_info(chat)->id;
    vault_chat_close(chat);
    ok(vault_chat_open(&chat, vault, &chosen, &err));
    (void) vault_chat_turns(chat, &count);
    assert_int_equal(count, 2);
    vault_chat_close(chat);
    vault_close(vault);
}

static void
a_draft_of_an_answer_that_still_comes_stays_one(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct chat_id chosen = leave_draft(vault, "Once", "Once upon a");
    struct turn_record draft, turn;
    struct vault_chat *chat;
    struct buffer body = {0};
    size_t count;
    uint64_t id;

    (void) state;
    // twice: what was not written yet is there again
    for (int again = 0; again < 2; again++) {
        buffer_clear(&body);
        ok(vault_chat_open_drafted(&chat, &draft, &body, vault, &chosen, &err));
        (void) vault_chat_turns(chat, &count);
        assert_int_equal(count, 1);
        assert_text(draft.content, "Once upon a");
        assert_int_equal(draft.id, 0);
        assert_false(draft.complete);
        if (again == 0)
            vault_chat_close(chat);
    }
    turn = answer_of("Once upon a time.", draft.parent);
    ok(vault_chat_append(chat, &turn, &id, &err));
    vault_chat_close(chat);
    buffer_clear(&body);
    ok(vault_chat_open_drafted(&chat, &draft, &body, vault, &chosen, &err));
    assert_int_equal(body.length, 0);
    assert_text(vault_chat_turns(chat, &count)[1].content, "Once upon a time.");
    assert_int_equal(count, 2);
    vault_chat_close(chat);
    buffer_release(&body);
    vault_close(vault);
}

// -- inputs, caches, audit --------------------------------------------------

static void
add_line(void *context, struct text line)
{
    struct titles *lines = context;

    snprintf(lines->text + strlen(lines->text),
             sizeof lines->text - strlen(lines->text), "%.*s;",
             (int) line.length, line.bytes);
    lines->count++;
}

static void
the_newest_inputs_are_kept_oldest_first(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct titles lines = {0};
    char line[16];

    (void) state;
    for (int i = 0; i < 300; i++) {
        snprintf(line, sizeof line, "%d", i);
        ok(vault_add_input(vault, text_of(line), 3, &err));
    }
    vault_close(vault);
    vault = vault_place_unlock(&place);
    ok(vault_each_input(vault, add_line, &lines, &err));
    assert_string_equal(lines.text, "297;298;299;");
    vault_close(vault);
}

static void
write_cache(struct vault_chat *chat, uint8_t mark, size_t chunks,
            uint64_t limit)
{
    uint8_t key[VAULT_CACHE_KEY_BYTES], chunk[1000];
    struct vault_cache_writer *writer;

    memset(key, mark, sizeof key);
    memset(chunk, mark, sizeof chunk);
    ok(vault_cache_begin(&writer, chat, key, limit, &err));
    for (size_t i = 0; i < chunks; i++)
        ok(vault_cache_write(writer, chunk, sizeof chunk, &err));
    ok(vault_cache_commit(writer, &err));
}

static size_t
cached_chunks(struct vault_chat *chat, uint8_t mark)
{
    uint8_t key[VAULT_CACHE_KEY_BYTES];
    struct buffer chunk = {0};
    size_t chunks;

    ok(vault_cache_find(&chunks, key, chat, &err));
    for (size_t i = 0; i < chunks; i++) {
        ok(vault_cache_read(&chunk, chat, i, &err));
        assert_int_equal(chunk.length, 1000);
        assert_int_equal((uint8_t) chunk.data[999], mark);
        assert_int_equal(key[0], mark);
    }
    buffer_release(&chunk);
    return chunks;
}

static void
a_chat_has_one_cache_and_the_oldest_goes_first(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct vault_chat *chats[3];
    struct vault_figures figures;

    (void) state;
    for (int i = 0; i < 3; i++) {
        struct chat_id id = vault_place_chat(vault, "t", "q", "r");

        ok(vault_chat_open(&chats[i], vault, &id, &err));
    }
    write_cache(chats[0], 1, 3, 10000);
    write_cache(chats[0], 2, 2, 10000);
    assert_int_equal(cached_chunks(chats[0], 2), 2);
    write_cache(chats[1], 3, 4, 10000);
    ok(vault_measure(&figures, vault, &err));
    assert_int_equal(figures.cache_bytes, 6000);
    write_cache(chats[2], 4, 5, 10000);
    assert_int_equal(cached_chunks(chats[0], 2), 0);
    assert_int_equal(cached_chunks(chats[1], 3), 4);
    assert_int_equal(cached_chunks(chats[2], 4), 5);
    for (int i = 0; i < 3; i++)
        vault_chat_close(chats[i]);
    vault_close(vault);
}

static void
chunks_without_a_cache_are_swept_at_the_next_opening(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct chat_id id = vault_place_chat(vault, "t", "q", "r");
    uint8_t key[VAULT_CACHE_KEY_BYTES] = {1};
    struct vault_figures before, after;
    struct vault_cache_writer *writer;
    struct vault_chat *chat;
    pid_t child;
    int how;

    (void) state;
    ok(vault_chat_open(&chat, vault, &id, &err));
    write_cache(chat, 7, 2, 10000);
    ok(vault_measure(&before, vault, &err));
    vault_chat_close(chat);
    vault_close(vault);
    child = fork();
    if (child == 0) {
        vault = vault_place_unlock(&place);
        ok(vault_chat_open(&chat, vault, &id, &err));
        ok(vault_cache_begin(&writer, chat, key, 10000, &err));
        ok(vault_cache_write(writer, "abc", 3, &err));
        _exit(0); // as a crash does: nothing is given back
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    vault = vault_place_unlock(&place);
    ok(vault_measure(&after, vault, &err));
    assert_int_equal(after.rows, before.rows);
    ok(vault_chat_open(&chat, vault, &id, &err));
    assert_int_equal(cached_chunks(chat, 7), 2);
    vault_chat_close(chat);
    vault_close(vault);
}

static bool
add_event(void *context, uint64_t number, uint64_t time_ms, const char *event,
          const char *detail)
{
    struct titles *events = context;

    assert_true(time_ms > 0);
    assert_int_equal(number, ++events->count);
    if (events->count < 5)
        snprintf(events->text + strlen(events->text),
                 sizeof events->text - strlen(events->text), "%s %s;", event,
                 detail);
    return true;
}

static void
audit_events_are_a_chain_over_pages(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct titles events = {0};

    (void) state;
    ok(vault_audit(vault, "export", "md", &err));
    ok(vault_audit(vault, "delete", "", &err));
    vault_close(vault);
    vault = vault_place_unlock(&place);
    for (int i = 0; i < 300; i++)
        ok(vault_audit(vault, "lock", "", &err));
    ok(vault_each_audit(vault, add_event, &events, &err));
    assert_string_equal(events.text, "create ;export md;delete ;unlock ;");
    assert_int_equal(events.count, 304);
    vault_close(vault);
}

// -- released formats -------------------------------------------------------

/* What is told of the anchor without a key. */
static uint64_t
expect_anchor(bool wanted)
{
    struct vault_keys *keys;
    uint64_t counter = 0;
    bool found;

    ok(vault_keys_open(&keys, vault_place_file(&place, "vault.keys"), &err));
    ok(vault_anchor_counter(&counter, &found, &place.at, vault_keys_id(keys),
                            &err));
    vault_keys_close(keys);
    assert_int_equal(found, wanted);
    return counter;
}

static void
the_anchor_counts_without_a_key(void **state)
{
    (void) state;
    vault_close(vault_place_create(&place));
    uint64_t before = expect_anchor(true);

    vault_close(vault_place_unlock(&place));
    assert_true(expect_anchor(true) > before);
}

/* A vault that format 1 wrote: it must open for ever. */
static void
the_golden_vault_of_format_1_opens(void **state)
{
    static const char *const names[] = {"vault.db", "vault.keys"};
    struct titles titles = {0}, lines = {0};
    struct hits hits = {0};
    struct vault *vault;
    char from[PATH_MAX];
    size_t faults;

    (void) state;
    if (getenv("top_srcdir") == NULL)
        skip();
    ok(safe_folder_make(place.data, &err));
    for (size_t i = 0; i < 2; i++) {
        snprintf(from, sizeof from, "%s/tests/data/vault-1/%s",
                 getenv("top_srcdir"), names[i]);
        file_copy(from, vault_place_file(&place, names[i]));
    }
    (void) expect_anchor(false);
    vault = vault_place_unlock(&place);
    assert_non_null(vault_remark(vault)); // no anchor
    ok(vault_each_chat(vault, add_title, &titles, &err));
    assert_string_equal(titles.text, "Golden two;Golden one;");
    ok(vault_search(vault, text_of("golden answer"), false, add_hit, &hits,
                    NULL, &err));
    assert_int_equal(hits.count, 2);
    ok(vault_each_input(vault, add_line, &lines, &err));
    assert_string_equal(lines.text, "golden input;");
    ok(vault_check(&faults, vault, ignore_sentence, NULL, &err));
    assert_int_equal(faults, 0);
    vault_close(vault);
}

// -- opening ----------------------------------------------------------------

static void
a_wrong_passphrase_opens_nothing(void **state)
{
    struct credential wrong = {0};
    struct secret *other;
    struct vault *vault;

    (void) state;
    vault_close(vault_place_create(&place));
    ok(secret_open(&other, 5, &err));
    memcpy(secret_data(other), "wrong", 5);
    wrong.passphrase = other;
    assert_int_equal(vault_open(&vault, &place.at, &wrong, VAULT_WRITE, &err),
                     STATUS_DENIED);
    secret_close(other);
    vault_close(vault_place_unlock(&place));
}

static void
where_there_is_a_vault_none_is_made(void **state)
{
    struct vault *vault;
    bool there;

    (void) state;
    ok(vault_exists(&there, &place.at, &err));
    assert_false(there);
    assert_int_equal(
        vault_open(&vault, &place.at, &place.credential, VAULT_WRITE, &err),
        STATUS_IO);
    vault_close(vault_place_create(&place));
    ok(vault_exists(&there, &place.at, &err));
    assert_true(there);
    assert_int_equal(vault_create(&vault, &place.at, &place.credential,
                                  &vault_place_cost, &err),
                     STATUS_LIMIT);
    vault_close(vault_place_unlock(&place));
}

static void
what_is_opened_for_reading_takes_nothing_in(void **state)
{
    struct vault *vault = vault_place_create(&place);
    struct chat_id id = vault_place_chat(vault, "t", "q", "r");
    struct turn_record turn = question_of("more", 0);
    struct buffer before = {0}, after = {0};
    struct vault_chat *chat;
    uint64_t turn_id;

    (void) state;
    vault_close(vault);
    file_read(&before, vault_place_file(&place, "vault.db"));
    ok(vault_open(&vault, &place.at, &place.credential, VAULT_READ, &err));
    ok(vault_chat_open(&chat, vault, &id, &err));
    assert_int_equal(vault_chat_append(chat, &turn, &turn_id, &err),
                     STATUS_DENIED);
    vault_chat_close(chat);
    vault_close(vault);
    file_read(&after, vault_place_file(&place, "vault.db"));
    assert_int_equal(before.length, after.length);
    assert_memory_equal(before.data, after.data, before.length);
    buffer_release(&before);
    buffer_release(&after);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_chat_is_there_again_after_the_vault_was_closed),
        TEST(chats_are_listed_last_used_first),
        TEST(tags_are_kept_changed_and_gone_again),
        TEST(an_id_is_found_by_its_beginning_as_people_type_it),
        TEST(a_deleted_chat_is_gone_and_its_rows_with_it),
        TEST(many_chats_go_into_several_shards),
        TEST(a_text_that_is_not_utf8_is_refused_and_nothing_is_written),
        TEST(a_batch_is_there_whole_or_not_at_all),
        TEST(titles_and_texts_are_searched_newest_first),
        TEST(a_chat_is_read_turn_by_turn_as_far_as_is_wanted),
        TEST(a_draft_that_was_lost_in_a_crash_becomes_an_incomplete_answer),
        TEST(an_answer_that_ended_takes_its_draft_away),
        TEST(a_draft_of_an_answer_that_still_comes_stays_one),
        TEST(the_newest_inputs_are_kept_oldest_first),
        TEST(a_chat_has_one_cache_and_the_oldest_goes_first),
        TEST(chunks_without_a_cache_are_swept_at_the_next_opening),
        TEST(audit_events_are_a_chain_over_pages),
        TEST(the_anchor_counts_without_a_key),
        TEST(the_golden_vault_of_format_1_opens),
        TEST(a_wrong_passphrase_opens_nothing),
        TEST(where_there_is_a_vault_none_is_made),
        TEST(what_is_opened_for_reading_takes_nothing_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
