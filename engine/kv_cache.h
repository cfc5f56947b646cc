/*
 * What attention remembers of one conversation: a row a position and layer, in
 * device memory. Latent attention caches [latent, rotated key] in one row,
 * grouped attention keys (rotated) and values in two.
 *
 * Rows beyond `length` are free; the forward pass writes them and its caller
 * moves `length` when a step succeeded. Threads: belongs to the thread that
 * owns the session.
 */
#ifndef FATHOM_ENGINE_KV_CACHE_H
#define FATHOM_ENGINE_KV_CACHE_H

#include "engine/device/device.h"

struct kv_cache {
    struct device *device; // not owned
    size_t capacity;       // positions
    size_t length;         // positions that hold a token
    size_t layers;
    struct cache_rows keys;   // of layer 0: latents, or keys
    struct cache_rows values; // data NULL with latent attention
    size_t key_layer_bytes, value_layer_bytes;
    void *memory;
    size_t bytes;
};

/* Bytes of a cache of `capacity` positions. */
uint64_t kv_cache_bytes(const struct shape *shape, size_t capacity,
                        enum cache_type type);

MUST_CHECK enum status kv_cache_open(struct kv_cache **out,
                                     struct device *device,
                                     const struct shape *shape, size_t capacity,
                                     enum cache_type type, struct error *err);
void kv_cache_close(struct kv_cache *cache); // takes NULL

/*
 * The rows of the first `tokens` positions as one list of bytes: a layer after
 * the other, keys before values.
 */
uint64_t kv_cache_stored_bytes(const struct kv_cache *cache, size_t tokens);
/* Where byte `offset` of that list lies, and how many follow it there. */
void *kv_cache_stored_at(const struct kv_cache *cache, size_t tokens,
                         uint64_t offset, size_t *bytes);

/* The rows of one layer. */
struct cache_rows kv_cache_keys(const struct kv_cache *cache, size_t layer);
struct cache_rows kv_cache_values(const struct kv_cache *cache, size_t layer);

#endif
