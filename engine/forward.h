/*
 * Token ids to logits: a model on a device with the KV cache and the scratch
 * memory of one conversation.
 *
 * Prompt tokens go in matrix order, sampled tokens in vector order; summation
 * order and attention form are chosen once a call, from the lengths of what is
 * cached and what is new, before chunking. So the logits do not depend on
 * chunk size, thread count or instruction set.
 * Threads: belongs to the thread that owns the session.
 */
#ifndef FATHOM_ENGINE_FORWARD_H
#define FATHOM_ENGINE_FORWARD_H

#include "base/base.h"
#include "engine/device/device.h"
#include "engine/model.h"

struct forward;
struct kv_cache;
struct expert_uses;

/* AUTO takes the cheaper form by the lengths; the others are for tests. */
enum attention_form { FORM_AUTO, FORM_ABSORBED, FORM_EXPANDED };

struct forward_options {
    size_t context_tokens; // room in the cache; at most shape.context
    size_t chunk_tokens;   // prompt tokens at a time; 0: the default
    enum cache_type cache; // CACHE_F16 for users, CACHE_F32 for tests
    enum attention_form form;
    bool all_logits; // for tests: of every row, as forward_observe sees them
};

/*
 * Bytes of cache and scratch that forward_open will ask `device` for. The
 * weights need not be loaded.
 */
uint64_t forward_bytes(const struct model *model, const struct device *device,
                       const struct forward_options *options);

MUST_CHECK enum status forward_open(struct forward **out, struct model *model,
                                    const struct forward_options *options,
                                    struct error *err);
void forward_close(struct forward *forward); // takes NULL

size_t forward_length(const struct forward *forward); // tokens cached
/* Keeps the first `length` tokens. */
void forward_truncate(struct forward *forward, size_t length);

/*
 * What the first `tokens` tokens left in the cache, as kv_cache.h lists it, and
 * in pieces. Stored only while nothing is cached; forward_extend makes it
 * count.
 */
const struct kv_cache *forward_cache(const struct forward *forward);
MUST_CHECK enum status forward_fetch(struct forward *forward, size_t tokens,
                                     uint64_t offset, void *to, size_t bytes,
                                     struct error *err);
MUST_CHECK enum status forward_store(struct forward *forward, size_t tokens,
                                     uint64_t offset, const void *from,
                                     size_t bytes, struct error *err);
void forward_extend(struct forward *forward, size_t tokens);

typedef void forward_progress_fn(void *context, size_t done, size_t of);

/*
 * Runs prompt tokens after what is cached. logits (vocabulary) receives the
 * last token's row; NULL: none wanted. On failure or cancel the cache is as
 * before the call.
 */
MUST_CHECK enum status
forward_prompt(struct forward *forward, const int32_t *ids, size_t count,
               float *logits, forward_progress_fn *progress, void *context,
               const _Atomic bool *cancel, struct error *err);

/* Runs one sampled token; logits (vocabulary). */
MUST_CHECK enum status forward_token(struct forward *forward, int32_t id,
                                     float *logits, struct error *err);

/*
 * Counts the experts' work of later calls into `uses`, of this model's shape;
 * NULL ends it, and must before `uses` goes. A call that fails has counted
 * what it did, but no tokens.
 */
void forward_count(struct forward *forward, struct expert_uses *uses);

/* For tests: shows intermediate tensors of later calls; NULL ends it. */
void forward_observe(struct forward *forward, observe_fn *observe,
                     void *context);

#endif
