/* Reading and search: open, look, forget, one row after the other. */
#include "config.h"

#include "storage/needle.h"
#include "storage/vault_root.h"

#include <stdatomic.h>
#include <stdlib.h>

struct search {
    struct vault *vault;
    struct needle *needle;
    bool thinking_too;
    vault_hit_fn *visit;
    void *context;
    const _Atomic bool *cancel;
    struct buffer manifest, turn;
    bool more; // false: the visitor has enough
};

static enum status
check_cancel(const struct search *search, struct error *err)
{
    if (search->cancel != NULL && atomic_load(search->cancel))
        return error_set(err, STATUS_CANCELLED, "the search was cancelled");
    return STATUS_OK;
}

static void
look(struct search *search, struct vault_hit *hit, struct text text)
{
    if (search->more &&
        needle_find(&hit->at, &hit->length, search->needle, text))
        search->more = search->visit(search->context, hit);
}

static enum status
search_turn(struct search *search, const struct chat_info *info,
            const void *ref_bytes, struct error *err)
{
    struct row_ref ref = row_ref_read(ref_bytes);
    struct turn_record turn;
    struct vault_hit hit = {.chat = info, .turn = &turn};

    TRY(check_cancel(search, err));
    TRY(vault_turn(&turn, &search->turn, search->vault, &info->id, &ref, err));
    look(search, &hit, turn.content);
    hit.in_thinking = true;
    if (search->thinking_too)
        look(search, &hit, turn.thinking);
    return STATUS_OK;
}

static enum status
forgive(const struct search *search, enum status status)
{
    return vault_forgives(search->vault, status) ? STATUS_OK : status;
}

static enum status
search_chat(struct search *search, const struct chat_entry *entry,
            struct error *err)
{
    struct chat_body body;
    struct vault_hit hit = {.chat = &body.info};

    TRY(check_cancel(search, err));
    TRY(vault_manifest(&body, &search->manifest, search->vault, entry, err));
    look(search, &hit, body.info.title);
    for (size_t at = 0; search->more && at < body.turns.length;
         at += ROW_REF_BYTES)
        TRY(forgive(search, search_turn(search, &body.info,
                                        body.turns.bytes + at, err)));
    return STATUS_OK;
}

enum status
vault_search(struct vault *vault, struct text wanted, bool thinking_too,
             vault_hit_fn *visit, void *context, const _Atomic bool *cancel,
             struct error *err)
{
    struct search search = {.vault = vault,
                            .thinking_too = thinking_too,
                            .visit = visit,
                            .context = context,
                            .cancel = cancel,
                            .more = true};
    struct chat_entry *entries = NULL;
    size_t count = 0;
    enum status status = needle_open(&search.needle, wanted, err);

    if (status == STATUS_OK)
        status = vault_entries(&entries, &count, vault, err);
    for (size_t i = 0; status == STATUS_OK && search.more && i < count; i++)
        status = forgive(&search, search_chat(&search, &entries[i], err));
    free(entries);
    needle_close(search.needle);
    buffer_release(&search.manifest);
    buffer_release(&search.turn);
    return status;
}

// -- one chat ---------------------------------------------------------------

enum status
vault_chat_ids(struct chat_id **out, size_t *count, const struct vault *vault,
               struct error *err)
{
    struct chat_entry *entries;
    void *memory;

    TRY(vault_entries(&entries, count, vault, err));
    enum status status =
        memory_alloc(&memory, (*count + 1) * sizeof **out, err);

    if (status == STATUS_OK) {
        *out = memory;
        for (size_t i = 0; i < *count; i++)
            (*out)[i] = entries[i].id;
    }
    free(entries);
    return status;
}

/* The buffers of a chat that is read. */
struct reading {
    struct buffer manifest, turn;
};

static enum status
visit_turns(struct reading *reading, struct vault *vault,
            const struct chat_entry *entry, vault_turn_fn *visit, void *context,
            struct error *err)
{
    struct chat_body body;
    struct turn_record turn;

    TRY(vault_manifest(&body, &reading->manifest, vault, entry, err));
    bool more = visit(context, &body.info, NULL);

    for (size_t at = 0; more && at < body.turns.length; at += ROW_REF_BYTES) {
        struct row_ref ref = row_ref_read(body.turns.bytes + at);
        enum status status =
            vault_turn(&turn, &reading->turn, vault, &entry->id, &ref, err);

        if (status == STATUS_OK)
            more = visit(context, &body.info, &turn);
        else if (!vault_forgives(vault, status))
            return status;
    }
    return STATUS_OK;
}

enum status
vault_each_turn(struct vault *vault, const struct chat_id *id,
                vault_turn_fn *visit, void *context, struct error *err)
{
    struct reading reading = {.turn = {0}};
    struct entry_at at;

    if (!vault_entry_find(&at, vault, id))
        return error_set(err, STATUS_FORMAT, "there is no such chat any more");
    struct chat_entry entry = vault_entry(vault, at);
    enum status status =
        visit_turns(&reading, vault, &entry, visit, context, err);

    buffer_release(&reading.manifest);
    buffer_release(&reading.turn);
    return status;
}
