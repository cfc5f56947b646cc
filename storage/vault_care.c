/* Figures of a vault. */
#include "config.h"

#include "storage/vault_cache.h"
#include "storage/vault_input.h"
#include "storage/vault_root.h"

#include <stdlib.h>
#include <string.h>

static bool
count_chat(void *context, const struct chat_info *info)
{
    struct vault_figures *figures = context;

    figures->chats++;
    figures->turns += info->turns;
    return true;
}

static void
count_input(void *context, struct text line)
{
    (void) line;
    ++*(uint64_t *) context;
}

static enum status
measure_caches(uint64_t *bytes, struct vault *vault, struct error *err)
{
    struct buffer body = {0};
    struct items_body list;
    struct cache_body cache;
    struct text item;
    enum status status = vault_cache_list(&list, &body, vault, err);

    while (status == STATUS_OK && items_next(&item, &list.items)) {
        status = cache_body_read(&cache, item.bytes, item.length, err);
        *bytes += cache.bytes;
    }
    buffer_release(&body);
    return status;
}

enum status
vault_measure(struct vault_figures *out, struct vault *vault, struct error *err)
{
    memset(out, 0, sizeof *out);
    TRY(vault_each_chat(vault, count_chat, out, err));
    TRY(vault_each_input(vault, count_input, &out->inputs, err));
    TRY(measure_caches(&out->cache_bytes, vault, err));
    TRY(vault_file_measure(&out->rows, &out->file_bytes, vault->file, err));
    out->counter = vault->counter;
    out->last_written_ms = vault->written_ms;
    return STATUS_OK;
}
