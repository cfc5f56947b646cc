/* One request out at a time; its DONE brings or takes a chunk. */
#include "config.h"

#include "app/chat/kept_cache.h"

#include <stdio.h>
#include <string.h>

static void
end_work(struct kept_cache *cache)
{
    vault_cache_abandon(cache->writer);
    cache->writer = NULL;
    cache->client = NULL;
    cache->chat = NULL;
    cache->work = KEPT_CACHE_IDLE;
}

/* Ends the work for a reason; only of what was kept a user hears. */
static void
give_up(struct kept_cache *cache, const char *why)
{
    log_note("cache of a chat: %s", why);
    if (cache->work == KEPT_CACHE_GIVE)
        snprintf(cache->note, sizeof cache->note,
                 "the kept cache was not used, the conversation is read "
                 "again: %.200s",
                 why);
    end_work(cache);
}

static void
begin(struct kept_cache *cache, enum kept_cache_work work,
      struct client *client, struct vault_chat *chat)
{
    kept_cache_abandon(cache);
    cache->work = work;
    cache->client = client;
    cache->chat = chat;
    cache->next = 0;
}

static enum status
send_request(struct kept_cache *cache, struct snapshot_request *request,
             struct error *err)
{
    request->offset = cache->next;
    cache->number = client_number(cache->client);
    return request_put_snapshot(client_outgoing(cache->client), cache->number,
                                request, err);
}

/* -- fetching -------------------------------------------------------------- */

static void
ask_chunk(struct kept_cache *cache)
{
    struct snapshot_request request = {.action = SNAPSHOT_SAVE};
    struct error err;

    if (send_request(cache, &request, &err) != STATUS_OK)
        give_up(cache, err.text);
}

void
kept_cache_fetch(struct kept_cache *cache, struct client *client,
                 struct vault_chat *chat, uint64_t limit_bytes)
{
    begin(cache, KEPT_CACHE_FETCH, client, chat);
    cache->limit_bytes = limit_bytes;
    ask_chunk(cache);
}

static int
digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum status
read_key(uint8_t out[VAULT_CACHE_KEY_BYTES], const char *digits,
         struct error *err)
{
    bool sound = digits != NULL && strlen(digits) == 2 * VAULT_CACHE_KEY_BYTES;

    for (size_t i = 0; sound && i < VAULT_CACHE_KEY_BYTES; i++) {
        int high = digit_value(digits[2 * i]);
        int low = digit_value(digits[2 * i + 1]);

        sound = high >= 0 && low >= 0;
        out[i] = (uint8_t) (high * 16 + low);
    }
    if (!sound)
        return error_set(err, STATUS_FORMAT, "the engine told no key");
    return STATUS_OK;
}

/* Before the first chunk: *needed is false when that very cache is kept. */
static enum status
begin_writing(struct kept_cache *cache, const struct snapshot_done *done,
              bool *needed, struct error *err)
{
    uint8_t key[VAULT_CACHE_KEY_BYTES], kept[VAULT_CACHE_KEY_BYTES];
    size_t chunks;

    *needed = false;
    if (done->bytes == 0)
        return STATUS_OK;
    if (done->bytes > cache->limit_bytes)
        return error_set(err, STATUS_LIMIT, "it is larger than all may be");
    TRY(read_key(key, done->key, err));
    TRY(vault_cache_find(&chunks, kept, cache->chat, err));
    *needed = chunks == 0 || memcmp(key, kept, sizeof key) != 0;
    if (!*needed)
        return STATUS_OK;
    return vault_cache_begin(&cache->writer, cache->chat, key,
                             cache->limit_bytes, err);
}

static enum status
write_chunk(struct kept_cache *cache, const struct snapshot_done *done,
            bool *more, struct error *err)
{
    *more = false;
    if (cache->writer == NULL) {
        TRY(begin_writing(cache, done, more, err));
        if (!*more)
            return STATUS_OK;
    }
    if (done->data.length == 0 ||
        done->next != cache->next + done->data.length ||
        done->next > done->bytes)
        return error_set(err, STATUS_FORMAT, "the engine told wrong sizes");
    TRY(vault_cache_write(cache->writer, done->data.bytes, done->data.length,
                          err));
    cache->next = done->next;
    *more = done->next < done->bytes;
    if (*more)
        return STATUS_OK;
    struct vault_cache_writer *writer = cache->writer;
    cache->writer = NULL;
    return vault_cache_commit(writer, err);
}

static void
fetched(struct kept_cache *cache, const struct snapshot_done *done)
{
    struct error err;
    bool more;

    if (write_chunk(cache, done, &more, &err) != STATUS_OK)
        give_up(cache, err.text);
    else if (more)
        ask_chunk(cache);
    else
        end_work(cache);
}

/* -- giving back ----------------------------------------------------------- */

static enum status
give_chunk(struct kept_cache *cache, struct error *err)
{
    struct snapshot_request request = {.action = SNAPSHOT_RESTORE};
    struct buffer chunk = {0};
    enum status status =
        vault_cache_read(&chunk, cache->chat, cache->chunk, err);

    request.data = (struct text){chunk.data, chunk.length};
    if (status == STATUS_OK)
        status = send_request(cache, &request, err);
    cache->next += chunk.length;
    cache->chunk++;
    buffer_release(&chunk);
    return status;
}

void
kept_cache_give(struct kept_cache *cache, struct client *client,
                struct vault_chat *chat)
{
    uint8_t key[VAULT_CACHE_KEY_BYTES];
    struct error err;

    begin(cache, KEPT_CACHE_GIVE, client, chat);
    cache->chunk = 0;
    enum status status =
        vault_cache_find(&cache->chunks, key, cache->chat, &err);
    if (status == STATUS_OK && cache->chunks == 0)
        end_work(cache); // nothing is kept, which is no news
    else if (status == STATUS_OK)
        status = give_chunk(cache, &err);
    if (status != STATUS_OK)
        give_up(cache, err.text);
}

static void
given(struct kept_cache *cache, const struct snapshot_done *done)
{
    struct error err;

    if (cache->chunk < cache->chunks) {
        if (give_chunk(cache, &err) != STATUS_OK)
            give_up(cache, err.text);
    } else if (done->tokens == 0) {
        give_up(cache, "it is not whole");
    } else {
        end_work(cache);
    }
}

/* -- both ------------------------------------------------------------------ */

bool
kept_cache_take(struct kept_cache *cache, const struct event *event)
{
    if (cache->work == KEPT_CACHE_IDLE || event->number != cache->number)
        return false;
    if (event->type == MESSAGE_ERROR)
        give_up(cache, event->error.text);
    else if (event->type == MESSAGE_DONE && cache->work == KEPT_CACHE_FETCH)
        fetched(cache, &event->snapshot);
    else if (event->type == MESSAGE_DONE)
        given(cache, &event->snapshot);
    return true;
}

bool
kept_cache_is_giving(const struct kept_cache *cache)
{
    return cache->work == KEPT_CACHE_GIVE;
}

bool
kept_cache_is_fetching(const struct kept_cache *cache)
{
    return cache->work == KEPT_CACHE_FETCH;
}

void
kept_cache_abandon(struct kept_cache *cache)
{
    end_work(cache);
    cache->note[0] = '\0';
}
