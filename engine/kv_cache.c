/* One allocation: all layers' keys, then all layers' values. */
#include "config.h"

#include "engine/kv_cache.h"

#include <stdlib.h>

static size_t
element_bytes(enum cache_type type)
{
    return type == CACHE_F16 ? 2 : 4;
}

static size_t
key_elements(const struct shape *shape)
{
    return shape->attention == ATTENTION_LATENT
               ? (size_t) shape->latent_width + shape->rope_width
               : (size_t) shape->kv_heads * shape->key_width;
}

static size_t
value_elements(const struct shape *shape)
{
    return shape->attention == ATTENTION_LATENT
               ? 0
               : (size_t) shape->kv_heads * shape->value_width;
}

uint64_t
kv_cache_bytes(const struct shape *shape, size_t capacity, enum cache_type type)
{
    return (uint64_t) (key_elements(shape) + value_elements(shape)) *
           element_bytes(type) * capacity * shape->layers;
}

enum status
kv_cache_open(struct kv_cache **out, struct device *device,
              const struct shape *shape, size_t capacity, enum cache_type type,
              struct error *err)
{
    void *memory;

    *out = NULL;
    TRY(memory_alloc(&memory, sizeof **out, err));
    struct kv_cache *cache = memory;
    size_t row = capacity * element_bytes(type);
    *cache = (struct kv_cache){
        .device = device,
        .capacity = capacity,
        .layers = shape->layers,
        .keys = {.type = type, .width = key_elements(shape)},
        .values = {.type = type, .width = value_elements(shape)},
        .key_layer_bytes = key_elements(shape) * row,
        .value_layer_bytes = value_elements(shape) * row,
        .bytes = (size_t) kv_cache_bytes(shape, capacity, type),
    };
    enum status status =
        device->ops->alloc(device, &cache->memory, cache->bytes,
                           "the cache of keys "
                           "and values",
                           err);
    if (status != STATUS_OK) {
        free(cache);
        return status;
    }
    cache->keys.data = cache->memory;
    if (cache->values.width != 0)
        cache->values.data =
            (char *) cache->memory + cache->layers * cache->key_layer_bytes;
    *out = cache;
    return STATUS_OK;
}

void
kv_cache_close(struct kv_cache *cache)
{
    if (cache == NULL)
        return;
    cache->device->ops->release(cache->device, cache->memory, cache->bytes);
    free(cache);
}

struct cache_rows
kv_cache_keys(const struct kv_cache *cache, size_t layer)
{
    struct cache_rows rows = cache->keys;

    rows.data = (char *) rows.data + layer * cache->key_layer_bytes;
    return rows;
}

struct cache_rows
kv_cache_values(const struct kv_cache *cache, size_t layer)
{
    struct cache_rows rows = cache->values;

    rows.data = (char *) rows.data + layer * cache->value_layer_bytes;
    return rows;
}

static size_t
row_bytes(const struct cache_rows *rows)
{
    return rows->width * element_bytes(rows->type);
}

uint64_t
kv_cache_stored_bytes(const struct kv_cache *cache, size_t tokens)
{
    return (uint64_t) tokens * cache->layers *
           (row_bytes(&cache->keys) + row_bytes(&cache->values));
}

void *
kv_cache_stored_at(const struct kv_cache *cache, size_t tokens, uint64_t offset,
                   size_t *bytes)
{
    size_t key_bytes = tokens * row_bytes(&cache->keys);
    size_t layer_bytes = key_bytes + tokens * row_bytes(&cache->values);
    size_t layer = (size_t) (offset / layer_bytes);
    size_t at = (size_t) (offset % layer_bytes);

    if (at < key_bytes) {
        *bytes = key_bytes - at;
        return (char *) kv_cache_keys(cache, layer).data + at;
    }
    *bytes = layer_bytes - at;
    return (char *) kv_cache_values(cache, layer).data + (at - key_bytes);
}
