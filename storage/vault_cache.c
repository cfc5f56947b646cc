/*
 * Caches: chunks are written one by one, outside of any root, and count once
 * the list of caches names them. Their rows have numbers of their own, so that
 * what a crash left behind is found without reading everything.
 */
#include "config.h"

#include "storage/vault_cache.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 1 << 20 };

struct vault_cache_writer {
    struct vault *vault;
    struct chat_id chat;
    uint8_t key[VAULT_CACHE_KEY_BYTES];
    uint64_t limit_bytes, bytes;
    struct buffer chunks; // references
};

enum status
vault_cache_list(struct items_body *out, struct buffer *bytes,
                 struct vault *vault, struct error *err)
{
    out->items = (struct text){NULL, 0};
    if (vault->caches.row == 0)
        return STATUS_OK;
    TRY(vault_get(bytes, vault, ROW_CACHES, NULL, &vault->caches, err));
    if (items_body_read(out, bytes->data, bytes->length, err) != STATUS_OK)
        return vault_alarm(vault, "the list of caches is no such list", err);
    return STATUS_OK;
}

static enum status
put_list(struct vault *vault, const struct buffer *items, struct error *err)
{
    struct items_body list = {{items->data, items->length}};

    if (vault->caches.row == 0)
        vault->caches.row = vault->next_row++;
    buffer_clear(&vault->body);
    TRY(items_body_write(&vault->body, &list, err));
    return vault_put(vault, ROW_CACHES, NULL, &vault->caches, err);
}

static bool
is_of(const struct cache_body *cache, const struct chat_id *chat)
{
    return cache->chat.length == sizeof chat->bytes &&
           memcmp(cache->chat.bytes, chat->bytes, sizeof chat->bytes) == 0;
}

static enum status
remove_chunks(struct vault *vault, struct text chunks, struct error *err)
{
    for (size_t at = 0; at < chunks.length; at += ROW_REF_BYTES)
        TRY(vault_file_remove(vault->file, row_ref_read(chunks.bytes + at).row,
                              err));
    return STATUS_OK;
}

// -- sweeping ---------------------------------------------------------------

struct rows {
    struct buffer numbers; // u64 each, ascending
    enum status status;
    struct error *err;
};

static bool
collect_row(void *context, uint64_t row)
{
    struct rows *rows = context;

    rows->status = buffer_append(&rows->numbers, &row, sizeof row, rows->err);
    return rows->status == STATUS_OK;
}

static bool
listed(const struct items_body *list, uint64_t row)
{
    struct text rest = list->items, item;
    struct cache_body cache;
    struct error ignored;

    while (items_next(&item, &rest)) {
        if (cache_body_read(&cache, item.bytes, item.length, &ignored) !=
            STATUS_OK)
            continue;
        for (size_t at = 0; at < cache.chunks.length; at += ROW_REF_BYTES)
            if (row_ref_read(cache.chunks.bytes + at).row == row)
                return true;
    }
    return false;
}

static enum status
sweep_rows(struct vault *vault, const struct rows *rows, struct error *err)
{
    struct buffer bytes = {0};
    struct items_body list;
    enum status status = vault_cache_list(&list, &bytes, vault, err);

    for (size_t at = 0; status == STATUS_OK && at < rows->numbers.length;
         at += sizeof(uint64_t)) {
        uint64_t row;

        memcpy(&row, rows->numbers.data + at, sizeof row);
        if (!listed(&list, row))
            status = vault_file_remove(vault->file, row, err);
    }
    buffer_release(&bytes);
    return status;
}

enum status
vault_cache_sweep(struct vault *vault, struct error *err)
{
    struct rows rows = {{0}, STATUS_OK, err};
    enum status status =
        vault_file_each(vault->file, CACHE_ROWS, collect_row, &rows, err);

    if (status == STATUS_OK)
        status = rows.status;
    if (status == STATUS_OK && rows.numbers.length > 0)
        status = sweep_rows(vault, &rows, err);
    buffer_release(&rows.numbers);
    return status;
}

// -- changing the list ------------------------------------------------------

/* Copies the list without the chat's cache, whose chunks go. */
static enum status
list_without(struct buffer *items, struct vault *vault,
             const struct chat_id *chat, bool *had, struct error *err)
{
    struct buffer bytes = {0};
    struct items_body list;
    struct cache_body cache;
    struct text item;
    enum status status = vault_cache_list(&list, &bytes, vault, err);

    *had = false;
    while (status == STATUS_OK && items_next(&item, &list.items)) {
        status = cache_body_read(&cache, item.bytes, item.length, err);
        if (status == STATUS_OK && is_of(&cache, chat)) {
            *had = true;
            status = remove_chunks(vault, cache.chunks, err);
        } else if (status == STATUS_OK) {
            status = items_append(items, item, err);
        }
    }
    buffer_release(&bytes);
    return status;
}

enum status
vault_cache_drop(struct vault *vault, const struct chat_id *chat,
                 struct error *err)
{
    struct buffer items = {0};
    bool had;
    enum status status = list_without(&items, vault, chat, &had, err);

    if (status == STATUS_OK && had)
        status = put_list(vault, &items, err);
    buffer_release(&items);
    return status;
}

struct oldest {
    struct chat_id chat;
    uint64_t used, all_bytes;
    size_t caches;
};

static enum status
find_oldest(struct oldest *out, const struct buffer *items, struct error *err)
{
    struct text rest = {items->data, items->length}, item;
    struct cache_body cache;

    *out = (struct oldest){.used = UINT64_MAX};
    while (items_next(&item, &rest)) {
        TRY(cache_body_read(&cache, item.bytes, item.length, err));
        out->all_bytes += cache.bytes;
        out->caches++;
        if (cache.used >= out->used ||
            cache.chat.length != sizeof out->chat.bytes)
            continue;
        out->used = cache.used;
        memcpy(out->chat.bytes, cache.chat.bytes, sizeof out->chat.bytes);
    }
    return STATUS_OK;
}

/* Drops the least recently used until the rest fits. */
static enum status
fit(struct vault *vault, struct buffer *items, uint64_t limit_bytes,
    struct error *err)
{
    struct oldest oldest;

    for (;;) {
        struct buffer fewer = {0};
        bool had;
        enum status status;

        TRY(find_oldest(&oldest, items, err));
        if (oldest.all_bytes <= limit_bytes || oldest.caches <= 1)
            return STATUS_OK;
        TRY(put_list(vault, items, err));
        status = list_without(&fewer, vault, &oldest.chat, &had, err);
        buffer_release(items);
        *items = fewer;
        if (status != STATUS_OK)
            return status;
    }
}

// -- writing ----------------------------------------------------------------

enum status
vault_cache_begin(struct vault_cache_writer **out, struct vault_chat *chat,
                  const uint8_t key[VAULT_CACHE_KEY_BYTES],
                  uint64_t limit_bytes, struct error *err)
{
    void *memory;
    struct vault *vault = vault_of_chat(chat);

    if (vault->access != VAULT_WRITE)
        return error_set(err, STATUS_DENIED,
                         "the vault was opened for reading only");
    TRY(memory_alloc(&memory, sizeof **out, err));
    *out = memory;
    memset(*out, 0, sizeof **out);
    (*out)->vault = vault;
    (*out)->chat = vault_chat_info(chat)->id;
    (*out)->limit_bytes = limit_bytes;
    memcpy((*out)->key, key, sizeof(*out)->key);
    return STATUS_OK;
}

/* A number that no chunk has: random, since nothing counts them. */
static uint64_t
chunk_row(void)
{
    uint64_t random;

    randombytes_buf(&random, sizeof random);
    return CACHE_ROWS | (random & (CACHE_ROWS - 1));
}

enum status
vault_cache_write(struct vault_cache_writer *writer, const void *chunk,
                  size_t bytes, struct error *err)
{
    struct vault *vault = writer->vault;
    struct row_ref ref = {.row = chunk_row(), .generation = 1};

    assert(bytes <= CHUNK_BYTES);
    writer->bytes += bytes;
    if (writer->bytes > writer->limit_bytes)
        return error_set(err, STATUS_LIMIT,
                         "the chat's cache is larger than all caches may be");
    TRY(row_seal(&vault->row, vault->keys, ROW_CACHE_CHUNK, &writer->chat, &ref,
                 chunk, bytes, err));
    TRY(row_ref_append(&writer->chunks, &ref, err));
    return vault_file_write(vault->file, ref.row, vault->row.data,
                            vault->row.length, err);
}

static enum status
list_with(struct buffer *items, const struct vault_cache_writer *writer,
          struct error *err)
{
    struct buffer body = {0};
    struct cache_body cache = {
        .chat = {(const char *) writer->chat.bytes, sizeof writer->chat.bytes},
        .key = {(const char *) writer->key, sizeof writer->key},
        .used = writer->vault->counter + 1,
        .bytes = writer->bytes,
        .chunks = {writer->chunks.data, writer->chunks.length},
    };
    enum status status = cache_body_write(&body, &cache, err);

    if (status == STATUS_OK)
        status =
            items_append(items, (struct text){body.data, body.length}, err);
    buffer_release(&body);
    return status;
}

static enum status
commit_list(struct vault_cache_writer *writer, struct error *err)
{
    struct vault *vault = writer->vault;
    struct buffer items = {0};
    struct entry_at at;
    bool had;
    enum status status = STATUS_OK;

    if (!vault_entry_find(&at, vault, &writer->chat))
        status = error_set(err, STATUS_BUSY, "the cache's chat is gone");
    if (status == STATUS_OK)
        status = list_without(&items, vault, &writer->chat, &had, err);
    if (status == STATUS_OK)
        status = list_with(&items, writer, err);
    if (status == STATUS_OK)
        status = fit(vault, &items, writer->limit_bytes, err);
    if (status == STATUS_OK)
        status = put_list(vault, &items, err);
    buffer_release(&items);
    return status;
}

enum status
vault_cache_commit(struct vault_cache_writer *writer, struct error *err)
{
    struct vault *vault = writer->vault;
    enum status status = vault_begin(vault, err);

    if (status == STATUS_OK)
        status = vault_end(vault, commit_list(writer, err), err);
    if (status != STATUS_OK) {
        vault_cache_abandon(writer);
        return status;
    }
    buffer_release(&writer->chunks);
    free(writer);
    return STATUS_OK;
}

void
vault_cache_abandon(struct vault_cache_writer *writer)
{
    struct error ignored;

    if (writer == NULL)
        return;
    // what cannot be removed now is swept at the next opening
    if (remove_chunks(writer->vault,
                      (struct text){writer->chunks.data, writer->chunks.length},
                      &ignored) != STATUS_OK)
        log_warn("chunks of an abandoned cache stay until the next unlock");
    buffer_release(&writer->chunks);
    free(writer);
}

// -- reading ----------------------------------------------------------------

/* Finds the chat's cache; *out borrows from *bytes. */
static enum status
find_cache(struct cache_body *out, bool *found, struct buffer *bytes,
           struct vault_chat *chat, struct error *err)
{
    struct vault *vault = vault_of_chat(chat);
    struct items_body list;
    struct text item;

    *found = false;
    TRY(vault_cache_list(&list, bytes, vault, err));
    while (!*found && items_next(&item, &list.items)) {
        TRY(cache_body_read(out, item.bytes, item.length, err));
        *found = is_of(out, &vault_chat_info(chat)->id) &&
                 out->key.length == VAULT_CACHE_KEY_BYTES;
    }
    return STATUS_OK;
}

enum status
vault_cache_find(size_t *chunks, uint8_t key[VAULT_CACHE_KEY_BYTES],
                 struct vault_chat *chat, struct error *err)
{
    struct buffer bytes = {0};
    struct cache_body cache;
    bool found;
    enum status status = find_cache(&cache, &found, &bytes, chat, err);

    *chunks = 0;
    if (status == STATUS_OK && found) {
        *chunks = cache.chunks.length / ROW_REF_BYTES;
        memcpy(key, cache.key.bytes, VAULT_CACHE_KEY_BYTES);
    }
    buffer_release(&bytes);
    return status;
}

enum status
vault_cache_read(struct buffer *out, struct vault_chat *chat, size_t chunk,
                 struct error *err)
{
    struct buffer bytes = {0};
    struct cache_body cache;
    struct row_ref ref;
    bool found;
    enum status status = find_cache(&cache, &found, &bytes, chat, err);

    if (status == STATUS_OK &&
        (!found || chunk >= cache.chunks.length / ROW_REF_BYTES))
        status = error_set(err, STATUS_LIMIT,
                           "the chat's cache has no such "
                           "chunk");
    if (status == STATUS_OK) {
        ref = row_ref_read(cache.chunks.bytes + chunk * ROW_REF_BYTES);
        status = vault_get(out, vault_of_chat(chat), ROW_CACHE_CHUNK,
                           &vault_chat_info(chat)->id, &ref, err);
    }
    buffer_release(&bytes);
    return status;
}
