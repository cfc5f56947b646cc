/* Search: open, look, forget, one row after the other. */
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
