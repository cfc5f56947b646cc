/*
 * storage/vault_body.h on any bytes; the first byte picks the body. What is
 * read is written again as the same bytes, and lists are walked to their end.
 */
#include "config.h"

#include "storage/vault_body.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static struct error err;

static void
walk(struct text items)
{
    struct text item;
    size_t bytes = 0, all = items.length;

    while (items_next(&item, &items)) {
        struct audit_body audit;
        struct cache_body cache;

        bytes += 4 + item.length;
        (void) !audit_body_read(&audit, item.bytes, item.length, &err);
        (void) !cache_body_read(&cache, item.bytes, item.length, &err);
    }
    if (bytes != all)
        abort();
}

#define TRY_BODY(name, type, after)                                            \
    static bool try_##name(struct buffer *out, const uint8_t *bytes,           \
                           size_t length)                                      \
    {                                                                          \
        type body;                                                             \
                                                                               \
        if (name##_read(&body, bytes, length, &err) != STATUS_OK)              \
            return false;                                                      \
        after;                                                                 \
        if (name##_write(out, &body, &err) != STATUS_OK)                       \
            abort();                                                           \
        return true;                                                           \
    }

TRY_BODY(root_body, struct root_body, (void) body)
TRY_BODY(shard_body, struct shard_body, (void) body)
TRY_BODY(chat_body, struct chat_body, (void) body)
TRY_BODY(turn_body, struct turn_record, (void) body)
TRY_BODY(cache_body, struct cache_body, (void) body)
TRY_BODY(audit_body, struct audit_body, (void) body)
TRY_BODY(items_body, struct items_body, walk(body.items))

typedef bool try_fn(struct buffer *out, const uint8_t *bytes, size_t length);

static try_fn *const BODIES[] = {
    try_root_body,  try_shard_body, try_chat_body,  try_turn_body,
    try_cache_body, try_audit_body, try_items_body,
};

/*
 * A number of 0 may be written out by others and is left out by us, so what
 * is written may be shorter; read again and written, it is the same.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct buffer first = {0}, second = {0};
    try_fn *body;

    if (length == 0)
        return 0;
    body = BODIES[bytes[0] % (sizeof BODIES / sizeof BODIES[0])];
    if (body(&first, bytes + 1, length - 1)) {
        if (first.length > length - 1)
            abort();
        if (!body(&second, (const uint8_t *) first.data, first.length) ||
            second.length != first.length ||
            (first.length > 0 &&
             memcmp(first.data, second.data, first.length) != 0))
            abort();
    }
    buffer_release(&first);
    buffer_release(&second);
    return 0;
}
