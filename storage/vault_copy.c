/* Copying a vault row by row; rotation and repair, which are copies. */
#include "config.h"

#include "storage/vault_copy.h"
#include "storage/safe_file.h"
#include "storage/vault_audit.h"
#include "storage/vault_build.h"
#include "storage/vault_cache.h"
#include "storage/vault_input.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct copy {
    struct vault *to, *from;
    vault_report_fn *report; // NULL: everything must be whole
    void *context;
    struct buffer bytes, list;
};

static void say(const struct copy *copy, const char *text, ...)
    PRINTF_LIKE(2, 3);

static void
say(const struct copy *copy, const char *text, ...)
{
    char sentence[512];
    va_list args;

    va_start(args, text);
    vsnprintf(sentence, sizeof sentence, text, args);
    va_end(args);
    copy->report(copy->context, sentence);
}

/* *whole is false where something is lost and that is forgiven. */
static enum status
forgive(bool *whole, const struct copy *copy, enum status status)
{
    *whole = status == STATUS_OK;
    if (copy->report != NULL &&
        (status == STATUS_INTEGRITY || status == STATUS_FORMAT))
        return STATUS_OK;
    return status;
}

/* Seals what copy->bytes holds for the same row of the other vault. */
static enum status
put_same(struct copy *copy, enum row_kind kind, const struct chat_id *chat,
         struct row_ref *ref, struct error *err)
{
    ref->generation = 0; // the first time that it is written there
    buffer_clear(&copy->to->body);
    TRY(buffer_append(&copy->to->body, copy->bytes.data, copy->bytes.length,
                      err));
    return vault_put(copy->to, kind, chat, ref, err);
}

// -- chats ------------------------------------------------------------------

/* One turn, appended to copy->list. */
static enum status
copy_turn(size_t *lost, struct copy *copy, const struct chat_id *chat,
          struct row_ref ref, struct error *err)
{
    struct turn_record turn;
    bool whole;

    TRY(forgive(&whole, copy,
                vault_turn(&turn, &copy->bytes, copy->from, chat, &ref, err)));
    if (!whole) {
        ++*lost;
        return STATUS_OK;
    }
    TRY(put_same(copy, ROW_TURN, chat, &ref, err));
    return row_ref_append(&copy->list, &ref, err);
}

/* A draft is bound to its manifest's generation, which is new there. */
static enum status
copy_draft(struct copy *copy, const struct chat_id *chat, uint64_t row,
           uint64_t generation, const struct row_ref *manifest,
           struct error *err)
{
    struct row_ref old = {.row = row, .generation = generation};
    struct row_ref new = {.row = row, .generation = manifest->generation};
    bool found, whole;

    TRY(forgive(
        &whole, copy,
        vault_file_read(&copy->bytes, &found, copy->from->file, row, err)));
    if (!whole || !found)
        return STATUS_OK;
    TRY(forgive(
        &whole, copy,
        vault_get(&copy->bytes, copy->from, ROW_DRAFT, chat, &old, err)));
    if (!whole)
        return STATUS_OK;
    TRY(row_seal(&copy->to->row, copy->to->keys, ROW_DRAFT, chat, &new,
                 copy->bytes.data, copy->bytes.length, err));
    return vault_file_write(copy->to->file, row, copy->to->row.data,
                            copy->to->row.length, err);
}

/* The leaf is the last turn that is left where it was lost itself. */
static uint64_t
leaf_of(const struct chat_body *body, const struct buffer *refs)
{
    uint64_t last = 0;

    for (size_t i = 0; i < row_ref_count(refs); i++) {
        last = row_ref_at(refs, i).row;
        if (last == body->info.leaf)
            return last;
    }
    return body->info.leaf == 0 ? 0 : last;
}

static enum status
put_manifest(struct copy *copy, struct chat_entry *entry,
             struct chat_body *body, struct error *err)
{
    struct vault *to = copy->to;
    struct entry_at at;

    body->info.leaf = leaf_of(body, &copy->list);
    body->turns = (struct text){copy->list.data, copy->list.length};
    buffer_clear(&to->body);
    TRY(chat_body_write(&to->body, body, err));
    entry->manifest.generation = 0;
    TRY(vault_put(to, ROW_CHAT, &entry->id, &entry->manifest, err));
    return vault_entry_add(&at, to, entry, err);
}

static enum status
copy_turns(struct copy *copy, const struct chat_entry *entry, struct text refs,
           struct error *err)
{
    char id[CHAT_ID_TEXT];
    size_t lost = 0;

    buffer_clear(&copy->list);
    for (size_t at = 0; at < refs.length; at += ROW_REF_BYTES)
        TRY(copy_turn(&lost, copy, &entry->id, row_ref_read(refs.bytes + at),
                      err));
    chat_id_text(id, &entry->id);
    if (lost > 0)
        say(copy, "chat %s: %zu of its %zu turns are lost", id, lost,
            refs.length / ROW_REF_BYTES);
    return STATUS_OK;
}

static enum status
copy_whole_chat(struct copy *copy, struct chat_entry *entry,
                struct chat_body *body, struct error *err)
{
    uint64_t generation = entry->manifest.generation;

    TRY(copy_turns(copy, entry, body->turns, err));
    TRY(put_manifest(copy, entry, body, err));
    return copy_draft(copy, &entry->id, body->draft, generation,
                      &entry->manifest, err);
}

// -- chats whose manifest is lost -------------------------------------------

struct rows {
    struct buffer numbers;
    struct error *err;
    enum status status;
};

static bool
add_row(void *context, uint64_t row)
{
    struct rows *rows = context;

    if (row >= FIRST_ROW && row < MIRROR_ROWS)
        rows->status =
            buffer_append(&rows->numbers, &row, sizeof row, rows->err);
    return rows->status == STATUS_OK;
}

/*
 * Tries every row as a turn of the chat: a turn is written once, so nothing
 * but its number need be known to open it.
 */
static enum status
try_rows(struct copy *copy, const struct chat_id *chat,
         const struct buffer *numbers, struct error *err)
{
    for (size_t at = 0; at < numbers->length; at += sizeof(uint64_t)) {
        struct row_ref ref = {.generation = 1};
        bool found, whole;

        memcpy(&ref.row, numbers->data + at, sizeof ref.row);
        TRY(forgive(&whole, copy,
                    vault_file_read(&copy->from->row, &found, copy->from->file,
                                    ref.row, err)));
        if (!whole || !found)
            continue;
        TRY(forgive(&whole, copy,
                    row_open(&copy->bytes, copy->from->keys, ROW_TURN, chat,
                             &ref, false, &copy->from->row, err)));
        if (!whole)
            continue;
        TRY(put_same(copy, ROW_TURN, chat, &ref, err));
        TRY(row_ref_append(&copy->list, &ref, err));
    }
    return STATUS_OK;
}

static enum status
recover_chat(struct copy *copy, struct chat_entry *entry, struct error *err)
{
    struct rows rows = {.err = err};
    struct chat_body body = {.info = {.used_ms = entry->used_ms,
                                      .created_ms = entry->used_ms,
                                      .leaf = UINT64_MAX},
                             .draft = copy->to->next_row++};
    char id[CHAT_ID_TEXT];
    bool whole;
    enum status status = forgive(
        &whole, copy,
        vault_file_each(copy->from->file, FIRST_ROW, add_row, &rows, err));

    buffer_clear(&copy->list);
    if (status == STATUS_OK)
        status = rows.status;
    if (status == STATUS_OK)
        status = try_rows(copy, &entry->id, &rows.numbers, err);
    buffer_release(&rows.numbers);
    if (status != STATUS_OK)
        return status;
    chat_id_text(id, &entry->id);
    say(copy,
        "chat %s: its manifest is lost, and with it its title; %zu turns were "
        "found",
        id, row_ref_count(&copy->list));
    return row_ref_count(&copy->list) == 0
               ? STATUS_OK
               : put_manifest(copy, entry, &body, err);
}

static enum status
copy_chat(struct copy *copy, struct chat_entry entry, struct error *err)
{
    struct buffer bytes = {0};
    struct chat_body body;
    bool whole;
    enum status status = forgive(
        &whole, copy, vault_manifest(&body, &bytes, copy->from, &entry, err));

    if (status == STATUS_OK)
        status = whole ? copy_whole_chat(copy, &entry, &body, err)
                       : recover_chat(copy, &entry, err);
    buffer_release(&bytes);
    return status;
}

/* The chats of one shard, in one transaction. */
static enum status
copy_shard(struct copy *copy, size_t shard, struct error *err)
{
    struct vault *to = copy->to;
    size_t first = to->chats_used > 0 ? to->chats_used - 1 : 0;
    size_t chats = copy->from->chats[shard].length / SHARD_ENTRY_BYTES;

    for (size_t i = 0; i < chats; i++)
        TRY(copy_chat(
            copy, vault_entry(copy->from, (struct entry_at){shard, i}), err));
    for (; first < to->chats_used; first++)
        TRY(vault_put_shard(to, first, err));
    return STATUS_OK;
}

// -- what else is kept ------------------------------------------------------

static enum status
copy_inputs(struct copy *copy, struct error *err)
{
    for (size_t i = 0; i < row_ref_count(&copy->from->inputs); i++) {
        struct row_ref ref = row_ref_at(&copy->from->inputs, i);
        bool whole;

        TRY(forgive(
            &whole, copy,
            vault_get(&copy->bytes, copy->from, ROW_INPUTS, NULL, &ref, err)));
        if (!whole) {
            say(copy, "a page of input history is lost");
            continue;
        }
        TRY(put_same(copy, ROW_INPUTS, NULL, &ref, err));
        TRY(row_ref_append(&copy->to->inputs, &ref, err));
    }
    return STATUS_OK;
}

static enum status
copy_taken(struct copy *copy, struct error *err)
{
    struct row_ref ref = copy->from->taken;
    bool whole;

    if (ref.row == 0)
        return STATUS_OK;
    TRY(forgive(
        &whole, copy,
        vault_get(&copy->bytes, copy->from, ROW_TAKEN, NULL, &ref, err)));
    if (!whole)
        return STATUS_OK;
    TRY(put_same(copy, ROW_TAKEN, NULL, &ref, err));
    copy->to->taken = ref;
    return STATUS_OK;
}

struct events {
    struct copy *copy;
    struct error *err;
    enum status status;
};

static bool
copy_event(void *context, uint64_t number, uint64_t time_ms, const char *event,
           const char *detail)
{
    struct events *events = context;

    (void) number;
    events->status =
        vault_audit_put(events->copy->to, time_ms, event, detail, events->err);
    return events->status == STATUS_OK;
}

/* The chain is keyed: it is made anew from its events. */
static enum status
copy_audit(struct copy *copy, struct error *err)
{
    struct events events = {.copy = copy, .err = err};
    bool whole;

    TRY(forgive(&whole, copy,
                vault_each_audit(copy->from, copy_event, &events, err)));
    if (!whole)
        say(copy, "the audit chain is broken; it goes on from its last whole "
                  "page");
    return events.status;
}

/* *whole is false where a chunk is lost: the chat then has no cache. */
static enum status
copy_cache(bool *whole, struct copy *copy, struct cache_body *cache,
           struct error *err)
{
    struct chat_id chat;

    *whole = cache->chat.length == sizeof chat.bytes;
    if (!*whole)
        return STATUS_OK;
    memcpy(chat.bytes, cache->chat.bytes, sizeof chat.bytes);
    buffer_clear(&copy->list);
    for (size_t at = 0; at < cache->chunks.length; at += ROW_REF_BYTES) {
        struct row_ref ref = row_ref_read(cache->chunks.bytes + at);

        TRY(forgive(whole, copy,
                    vault_get(&copy->bytes, copy->from, ROW_CACHE_CHUNK, &chat,
                              &ref, err)));
        if (!*whole)
            return STATUS_OK;
        TRY(put_same(copy, ROW_CACHE_CHUNK, &chat, &ref, err));
        TRY(row_ref_append(&copy->list, &ref, err));
    }
    cache->chunks = (struct text){copy->list.data, copy->list.length};
    return STATUS_OK;
}

static enum status
append_cache(struct buffer *items, const struct cache_body *cache,
             struct error *err)
{
    struct buffer body = {0};
    enum status status = cache_body_write(&body, cache, err);

    if (status == STATUS_OK)
        status =
            items_append(items, (struct text){body.data, body.length}, err);
    buffer_release(&body);
    return status;
}

static enum status
copy_cache_list(struct buffer *items, struct copy *copy, struct text list,
                struct error *err)
{
    struct cache_body cache;
    struct text item;
    bool whole;

    while (items_next(&item, &list)) {
        TRY(forgive(&whole, copy,
                    cache_body_read(&cache, item.bytes, item.length, err)));
        if (whole)
            TRY(copy_cache(&whole, copy, &cache, err));
        if (whole)
            TRY(append_cache(items, &cache, err));
    }
    return STATUS_OK;
}

static enum status
copy_caches(struct copy *copy, struct error *err)
{
    struct buffer bytes = {0}, items = {0};
    struct items_body list = {{NULL, 0}};
    struct row_ref ref = {.row = copy->from->caches.row};
    bool whole;
    enum status status =
        forgive(&whole, copy, vault_cache_list(&list, &bytes, copy->from, err));

    if (status == STATUS_OK && whole && ref.row != 0) {
        status = copy_cache_list(&items, copy, list.items, err);
        list.items = (struct text){items.data, items.length};
        buffer_clear(&copy->bytes);
        if (status == STATUS_OK)
            status = items_body_write(&copy->bytes, &list, err);
        if (status == STATUS_OK)
            status = put_same(copy, ROW_CACHES, NULL, &ref, err);
        if (status == STATUS_OK)
            copy->to->caches = ref;
    }
    buffer_release(&bytes);
    buffer_release(&items);
    return status;
}

static enum status
copy_rest(struct copy *copy, struct error *err)
{
    TRY(copy_inputs(copy, err));
    TRY(copy_taken(copy, err));
    TRY(copy_audit(copy, err));
    return copy_caches(copy, err);
}

enum status
vault_copy(struct vault *to, struct vault *from, vault_report_fn *report,
           void *context, struct error *err)
{
    struct copy copy = {
        .to = to, .from = from, .report = report, .context = context};
    enum status status = STATUS_OK;

    to->next_row = from->next_row;
    for (size_t s = 0; status == STATUS_OK && s < from->chats_used; s++) {
        status = vault_begin(to, err);
        if (status == STATUS_OK)
            status = vault_end(to, copy_shard(&copy, s, err), err);
    }
    if (status == STATUS_OK)
        status = vault_begin(to, err);
    if (status == STATUS_OK)
        status = vault_end(to, copy_rest(&copy, err), err);
    buffer_release(&copy.bytes);
    buffer_release(&copy.list);
    return status;
}

// -- rotation ---------------------------------------------------------------

/* What was not put in place is no use; what stays is swept by the next one. */
static void
drop_half(struct vault *fresh)
{
    struct error ignored;

    vault_file_close(fresh->file, false);
    fresh->file = NULL;
    if (vault_drop_new(fresh->data, &ignored) != STATUS_OK ||
        (fresh->keys != NULL &&
         anchor_remove(fresh->state, row_keys_vault(fresh->keys), &ignored) !=
             STATUS_OK))
        log_warn("a rotation that failed left files behind");
}

/* Builds the copy beside `old` and puts it in place, under a new key. */
static enum status
rotate_into(struct vault *fresh, struct vault *old,
            const struct credential *credential, const struct kdf_cost *cost,
            struct error *err)
{
    struct vault_keys *keys;
    struct secret *master;
    char path[PATH_MAX];
    enum status status;

    TRY(vault_keys_create(&keys, &master, credential, cost, err));
    status = vault_build(fresh, keys, master, err);
    if (status == STATUS_OK)
        status = vault_copy(fresh, old, NULL, NULL, err);
    if (status == STATUS_OK)
        status = vault_audit(fresh, "rotate", "", err);
    if (status == STATUS_OK) {
        // the former file is not touched any more: its WAL goes with it
        vault_file_close(old->file, true);
        old->file = NULL;
        status = vault_take_place(fresh, keys, master, err);
    } else {
        drop_half(fresh);
    }
    if (status == STATUS_OK)
        status = anchor_remove(old->state, row_keys_vault(old->keys), err);
    if (status == STATUS_OK)
        status = vault_path(path, fresh->data, "vault.keys", err);
    if (status == STATUS_OK)
        status = vault_keys_settle(path, err);
    secret_close(master);
    vault_keys_close(keys);
    return status;
}

enum status
vault_rotate(const struct vault_places *at, const struct credential *credential,
             const struct kdf_cost *cost, struct error *err)
{
    struct vault *old, *fresh;
    size_t taken, refused;
    enum status status;

    TRY(vault_open(&old, at, credential, VAULT_WRITE, err));
    // what was sealed for the key that goes
    status = vault_take_inbox(old, &taken, &refused, err);
    if (status == STATUS_OK)
        status = vault_alloc(&fresh, at, false, err); // the lock is old's
    if (status == STATUS_OK) {
        status = rotate_into(fresh, old, credential, cost, err);
        vault_close(fresh);
    }
    vault_close(old);
    return status;
}

// -- repair -----------------------------------------------------------------

/*
 * A root ahead of what this machine remembers, so that the repaired vault is
 * not taken for an old copy.
 */
static enum status
go_ahead(struct vault *fresh, const struct vault *damaged, struct error *err)
{
    struct anchor anchor = {0};
    struct error ignored;
    bool found;

    if (anchor_read(&anchor, &found, damaged->state,
                    row_keys_vault(damaged->keys), damaged->keys,
                    &ignored) != STATUS_OK)
        anchor.counter = 0;
    fresh->counter = 2 + (anchor.counter > damaged->counter ? anchor.counter
                                                            : damaged->counter);
    return vault_audit(fresh, "repair", "", err);
}

static enum status
repair_into(struct vault *fresh, struct vault *damaged, struct vault_keys *keys,
            const struct secret *master, vault_report_fn *report, void *context,
            struct error *err)
{
    char sentence[128];

    fresh->no_anchor = true;
    TRY(vault_build(fresh, keys, master, err));
    if (damaged->shards_lost > 0) {
        snprintf(sentence, sizeof sentence,
                 "%zu lists of chats are lost, and with them their chats",
                 damaged->shards_lost);
        report(context, sentence);
    }
    TRY(vault_copy(fresh, damaged, report, context, err));
    TRY(go_ahead(fresh, damaged, err));
    return vault_take_place(fresh, keys, master, err);
}

/* Makes the folder that must not be there. */
static enum status
make_target(const char *to, struct error *err)
{
    char shown[300];
    bool there;

    TRY(safe_file_exists(&there, to, err));
    if (there)
        return error_set(err, STATUS_LIMIT,
                         "%s is there already; the repaired vault goes into a "
                         "new folder",
                         text_quote(shown, sizeof shown, to, strlen(to)));
    return safe_folder_make(to, err);
}

enum status
vault_repair(const struct vault_places *at, const struct credential *credential,
             const char *to, vault_report_fn *report, void *context,
             struct error *err)
{
    struct vault_places target = {to, at->state};
    struct vault *damaged, *fresh = NULL;
    struct vault_keys *keys;
    struct secret *master;
    enum status status;

    TRY(vault_enter(&damaged, &keys, &master, at, credential, VAULT_READ, err));
    status = make_target(to, err);
    if (status == STATUS_OK)
        status = vault_alloc(&fresh, &target, false, err);
    if (status == STATUS_OK)
        status =
            repair_into(fresh, damaged, keys, master, report, context, err);
    vault_close(fresh);
    vault_close(damaged);
    secret_close(master);
    vault_keys_close(keys);
    return status;
}
