/* Looking at every row of a vault, and at what should not be there. */
#include "config.h"

#include "storage/vault_audit.h"
#include "storage/vault_cache.h"
#include "storage/vault_input.h"
#include "storage/vault_root.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check {
    struct vault *vault;
    vault_report_fn *report;
    void *context;
    size_t faults;
    size_t chats, turns; // that are whole
    struct buffer known; // u64: rows that belong to something
    struct buffer bytes, more;
};

static void fault(struct check *check, const char *text, ...) PRINTF_LIKE(2, 3);

static void
fault(struct check *check, const char *text, ...)
{
    char sentence[512];
    va_list args;

    va_start(args, text);
    vsnprintf(sentence, sizeof sentence, text, args);
    va_end(args);
    check->faults++;
    check->report(check->context, sentence);
}

/* True when the row is as it should be; other failures end the check. */
static enum status
row_status(bool *fine, enum status status)
{
    *fine = status == STATUS_OK;
    if (status == STATUS_INTEGRITY || status == STATUS_FORMAT)
        return STATUS_OK;
    return status;
}

static enum status
know(struct check *check, uint64_t row, struct error *err)
{
    return buffer_append(&check->known, &row, sizeof row, err);
}

/* One row, and its mirror where it has one. */
static enum status
check_one(struct check *check, enum row_kind kind, const struct chat_id *chat,
          const struct row_ref *ref, const char *what, struct error *err)
{
    bool fine;

    TRY(know(check, ref->row, err));
    TRY(row_status(
        &fine, vault_get(&check->bytes, check->vault, kind, chat, ref, err)));
    if (!fine)
        fault(check, "%s (row %" PRIu64 ") cannot be read", what, ref->row);
    return STATUS_OK;
}

static enum status
check_mirrored(struct check *check, enum row_kind kind, struct row_ref ref,
               const char *what, const char *mirror, struct error *err)
{
    TRY(check_one(check, kind, NULL, &ref, what, err));
    ref.row += MIRROR_ROWS;
    return check_one(check, kind, NULL, &ref, mirror, err);
}

static enum status
check_root(struct check *check, struct error *err)
{
    struct row_ref root = {.row = ROOT_ROW};

    TRY(check_mirrored(check, ROW_ROOT, root, "the root", "the root's mirror",
                       err));
    for (size_t i = 0; i < row_ref_count(&check->vault->shards); i++)
        TRY(check_mirrored(
            check, ROW_SHARD, row_ref_at(&check->vault->shards, i),
            "a list of chats", "the mirror of a list of chats", err));
    return STATUS_OK;
}

// -- chats ------------------------------------------------------------------

static enum status
check_draft(struct check *check, const struct chat_entry *entry, uint64_t draft,
            const char *id, struct error *err)
{
    struct row_ref ref = {.row = draft,
                          .generation = entry->manifest.generation};
    bool found, fine;

    TRY(know(check, draft, err));
    TRY(row_status(&fine, vault_file_read(&check->more, &found,
                                          check->vault->file, draft, err)));
    if (fine && !found)
        return STATUS_OK;
    TRY(row_status(&fine, vault_get(&check->more, check->vault, ROW_DRAFT,
                                    &entry->id, &ref, err)));
    if (!fine)
        fault(check, "chat %s: the draft of its last answer cannot be read",
              id);
    return STATUS_OK;
}

static enum status
check_turns(struct check *check, const struct chat_body *body, const char *id,
            struct error *err)
{
    size_t lost = 0, count = body->turns.length / ROW_REF_BYTES;

    for (size_t i = 0; i < count; i++) {
        struct row_ref ref =
            row_ref_read(body->turns.bytes + i * ROW_REF_BYTES);
        struct turn_record turn;
        bool fine;

        TRY(know(check, ref.row, err));
        TRY(row_status(&fine, vault_turn(&turn, &check->more, check->vault,
                                         &body->info.id, &ref, err)));
        if (fine)
            check->turns++;
        else
            lost++;
    }
    if (lost > 0)
        fault(check, "chat %s: %zu of its %zu turns cannot be read", id, lost,
              count);
    return STATUS_OK;
}

static enum status
check_chat(struct check *check, const struct chat_entry *entry,
           struct error *err)
{
    char id[CHAT_ID_TEXT];
    struct chat_body body;
    bool fine;

    chat_id_text(id, &entry->id);
    TRY(know(check, entry->manifest.row, err));
    TRY(row_status(
        &fine, vault_manifest(&body, &check->bytes, check->vault, entry, err)));
    if (!fine) {
        fault(check, "chat %s: its manifest cannot be read, and so none of it",
              id);
        return STATUS_OK;
    }
    check->chats++;
    TRY(check_turns(check, &body, id, err));
    return check_draft(check, entry, body.draft, id, err);
}

static enum status
check_chats(struct check *check, struct error *err)
{
    struct chat_entry *entries;
    size_t count;
    enum status status = vault_entries(&entries, &count, check->vault, err);

    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = check_chat(check, &entries[i], err);
    free(entries);
    return status;
}

// -- what else is kept ------------------------------------------------------

static enum status
check_pages(struct check *check, struct error *err)
{
    struct vault *vault = check->vault;
    struct audit_end end = {0};
    struct items_body page;

    for (size_t i = 0; i < row_ref_count(&vault->inputs); i++) {
        struct row_ref ref = row_ref_at(&vault->inputs, i);

        TRY(check_one(check, ROW_INPUTS, NULL, &ref, "a page of input history",
                      err));
    }
    for (size_t i = 0; i < row_ref_count(&vault->audits); i++) {
        bool fine;

        TRY(know(check, row_ref_at(&vault->audits, i).row, err));
        TRY(row_status(&fine, vault_audit_page(&page, &check->bytes, &end,
                                               vault, i, err)));
        if (!fine)
            fault(check, "page %zu of the audit chain is broken", i + 1);
    }
    if (vault->taken.row != 0)
        TRY(check_one(check, ROW_TAKEN, NULL, &vault->taken,
                      "the list of what the inbox brought", err));
    return STATUS_OK;
}

static enum status
check_cache(struct check *check, const struct cache_body *cache,
            struct error *err)
{
    struct chat_id chat = {{0}};

    if (cache->chat.length == sizeof chat.bytes)
        memcpy(chat.bytes, cache->chat.bytes, sizeof chat.bytes);
    for (size_t at = 0; at < cache->chunks.length; at += ROW_REF_BYTES) {
        struct row_ref ref = row_ref_read(cache->chunks.bytes + at);

        TRY(check_one(check, ROW_CACHE_CHUNK, &chat, &ref,
                      "a piece of a chat's cache", err));
    }
    return STATUS_OK;
}

static enum status
check_caches(struct check *check, struct error *err)
{
    struct items_body list;
    struct cache_body cache;
    struct text item;
    bool fine;

    if (check->vault->caches.row == 0)
        return STATUS_OK;
    TRY(know(check, check->vault->caches.row, err));
    TRY(row_status(&fine,
                   vault_cache_list(&list, &check->more, check->vault, err)));
    if (!fine)
        fault(check, "the list of caches cannot be read");
    while (fine && items_next(&item, &list.items)) {
        TRY(row_status(&fine,
                       cache_body_read(&cache, item.bytes, item.length, err)));
        if (fine)
            TRY(check_cache(check, &cache, err));
    }
    return STATUS_OK;
}

// -- what belongs to nothing ------------------------------------------------

static int
by_number(const void *a, const void *b)
{
    uint64_t x, y;

    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

static bool
check_known(void *context, uint64_t row)
{
    struct check *check = context;

    if (bsearch(&row, check->known.data, check->known.length / sizeof row,
                sizeof row, by_number) != NULL)
        return true;
    // while a vault is open, chunks may be on their way into a cache
    if (row >= CACHE_ROWS && check->vault->access == VAULT_WRITE)
        return true;
    fault(check, "row %" PRIu64 " belongs to nothing", row);
    return true;
}

static enum status
check_strangers(struct check *check, struct error *err)
{
    bool fine;

    qsort(check->known.data, check->known.length / sizeof(uint64_t),
          sizeof(uint64_t), by_number);
    TRY(row_status(&fine,
                   vault_file_each(check->vault->file, (uint64_t) INT64_MIN,
                                   check_known, check, err)));
    if (!fine)
        fault(check, "the table of rows cannot be walked through");
    return STATUS_OK;
}

static void
structure_fault(void *context, const char *sentence)
{
    fault(context, "%s", sentence);
}

static enum status
check_everything(struct check *check, struct error *err)
{
    if (check->vault->alarm)
        fault(check, "%.400s", check->vault->remark);
    TRY(vault_file_examine(check->vault->file, structure_fault, check, err));
    TRY(check_root(check, err));
    TRY(check_chats(check, err));
    TRY(check_pages(check, err));
    TRY(check_caches(check, err));
    // what a list that cannot be read would have named is no stranger
    if (check->faults == 0)
        TRY(check_strangers(check, err));
    return STATUS_OK;
}

enum status
vault_check(size_t *faults, struct vault *vault, vault_report_fn *report,
            void *context, struct error *err)
{
    struct check check = {.vault = vault, .report = report, .context = context};
    char sentence[128];
    enum status status = check_everything(&check, err);

    if (status == STATUS_OK) {
        snprintf(sentence, sizeof sentence,
                 "%zu chat%s and %zu message%s can be read", check.chats,
                 check.chats == 1 ? "" : "s", check.turns,
                 check.turns == 1 ? "" : "s");
        report(context, sentence);
    }
    *faults = check.faults;
    buffer_release(&check.known);
    buffer_release(&check.bytes);
    buffer_release(&check.more);
    return status;
}
