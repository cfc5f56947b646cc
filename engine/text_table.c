/* Open addressing with linear probing; at most two slots in three are used. */
#include "config.h"

#include "engine/text_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static uint64_t
mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 29;
}

uint32_t
text_table_hash(const char *bytes, size_t length)
{
    uint64_t hash = length, word;

    for (; length >= 8; bytes += 8, length -= 8) {
        memcpy(&word, bytes, 8);
        hash = mix(hash, word);
    }
    word = 0;
    memcpy(&word, bytes, length);
    hash = mix(hash, word);
    return (uint32_t) (mix(hash, 0) >> 32);
}

enum status
text_table_init(struct text_table *table, const struct gguf_string *texts,
                size_t count, struct error *err)
{
    size_t slots = 64;
    void *memory;

    assert(count < SIZE_MAX / 16 / sizeof *table->slots);
    while (slots < count + count / 2)
        slots *= 2;
    TRY(memory_alloc(&memory, slots * sizeof *table->slots, err));
    *table = (struct text_table){texts, memory, slots - 1};
    for (size_t i = 0; i < slots; i++)
        table->slots[i].id = TEXT_NONE;
    return STATUS_OK;
}

void
text_table_release(struct text_table *table)
{
    free(table->slots);
    *table = (struct text_table){0};
}

/* The slot of a text, or the free one where it belongs, or NULL: too far. */
static struct text_slot *
walk(const struct text_table *table, uint32_t hash, const char *bytes,
     size_t length)
{
    for (size_t i = 0; i < TEXT_WALK_MAX; i++) {
        struct text_slot *slot = &table->slots[(hash + i) & table->mask];

        if (slot->id == TEXT_NONE)
            return slot;
        if (slot->hash != hash)
            continue;
        const struct gguf_string *text = &table->texts[slot->id];
        if (text->length == length && memcmp(text->bytes, bytes, length) == 0)
            return slot;
    }
    return NULL;
}

enum status
text_table_add(struct text_table *table, int32_t id, int32_t *found,
               struct error *err)
{
    const struct gguf_string *text = &table->texts[id];
    uint32_t hash = text_table_hash(text->bytes, text->length);
    struct text_slot *slot = walk(table, hash, text->bytes, text->length);

    if (slot == NULL)
        return error_set(err, STATUS_LIMIT, "too many texts share a hash");
    if (slot->id == TEXT_NONE)
        *slot = (struct text_slot){hash, id};
    *found = slot->id;
    return STATUS_OK;
}

void
text_table_prefetch(const struct text_table *table, const char *bytes,
                    size_t length)
{
    __builtin_prefetch(
        &table->slots[text_table_hash(bytes, length) & table->mask]);
}

int32_t
text_table_find(const struct text_table *table, const char *bytes,
                size_t length)
{
    struct text_slot *slot =
        walk(table, text_table_hash(bytes, length), bytes, length);

    return slot == NULL ? TEXT_NONE : slot->id;
}
