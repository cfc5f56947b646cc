/* Chunks of tokens through an architecture's forward pass. */
#include "config.h"

#include "engine/forward.h"

#include "engine/arch/arch.h"
#include "engine/experts/expert_uses.h"
#include "engine/kv_cache.h"
#include "engine/workspace.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { CHUNK_TOKENS = 512 };

struct forward {
    const struct model *model;
    struct device *device;
    struct forward_options options; // with the default chunk filled in
    struct kv_cache *cache;
    struct workspace work;
    struct step_state *state; // host copy, to upload
    struct expert_uses *uses; // NULL: nobody counts
    observe_fn *observe;
    void *observe_context;
};

/* One call of forward_prompt or forward_token. */
struct forward_call {
    struct forward *forward;
    bool sampled, expanded;
    size_t done, count; // tokens
    size_t chunk;       // of the step that runs
    bool logits;        // of the last token are wanted
    forward_progress_fn *progress;
    void *context;
    const _Atomic bool *cancel;
};

// -- attention's form --------------------------------------------------------

/*
 * What a multiplication of a projection (latents to keys and values, or
 * queries to latents) costs, in percent of one in attention. Measured on
 * V2-Lite's widths with AVX2, f16 cache: the forms cost the same at 64 new
 * tokens after 256 cached ones and at about 96 after 1024, which is 42 and 57
 * percent.
 */
enum { PROJECTION_PERCENT = 50 };

/*
 * Whether a prompt of `added` tokens after `cached` ones is cheaper in the
 * expanded form (forward.md 2.8), counted a head and layer. It depends on
 * nothing but the two lengths, so not on chunks: those are taken to be
 * CHUNK_TOKENS.
 */
static bool
expanded_is_cheaper(const struct shape *s, uint64_t cached, uint64_t added)
{
    uint64_t raise = (uint64_t) s->latent_width *
                     (s->nope_width + s->value_width) * PROJECTION_PERCENT /
                     100;
    uint64_t pairs = added * cached + added * (added + 1) / 2;
    uint64_t chunks = (added + CHUNK_TOKENS - 1) / CHUNK_TOKENS;
    // each chunk expands what is cached then, half of `added` on average
    uint64_t expanded = raise * (chunks * cached + (chunks + 1) * added / 2) +
                        pairs * (s->key_width + s->value_width);
    uint64_t absorbed =
        raise * added + pairs * (2 * s->latent_width + s->rope_width);

    return expanded < absorbed;
}

static bool
choose_expanded(const struct forward *forward, size_t added)
{
    const struct shape *shape = &forward->model->shape;

    if (shape->attention != ATTENTION_LATENT)
        return false;
    switch (forward->options.form) {
    case FORM_ABSORBED:
        return false;
    case FORM_EXPANDED:
        return true;
    case FORM_AUTO:
        break;
    }
    return expanded_is_cheaper(shape, forward->cache->length, added);
}

// -- life --------------------------------------------------------------------

static struct forward_options
options_resolved(const struct forward_options *options)
{
    struct forward_options resolved = *options;

    if (resolved.chunk_tokens == 0)
        resolved.chunk_tokens = CHUNK_TOKENS;
    if (resolved.chunk_tokens > resolved.context_tokens)
        resolved.chunk_tokens = resolved.context_tokens;
    return resolved;
}

static size_t
logit_rows(const struct forward_options *resolved)
{
    return resolved->all_logits ? resolved->chunk_tokens : 1;
}

uint64_t
forward_bytes(const struct model *model, const struct device *device,
              const struct forward_options *options)
{
    struct forward_options o = options_resolved(options);
    const struct shape *shape = &model->shape;

    return kv_cache_bytes(shape, o.context_tokens, o.cache) +
           workspace_bytes(shape, o.chunk_tokens, logit_rows(&o)) +
           device->ops->reserve_bytes(device, shape, o.chunk_tokens,
                                      o.context_tokens);
}

static enum status
forward_reserve(struct forward *forward, struct error *err)
{
    const struct forward_options *o = &forward->options;
    const struct shape *shape = &forward->model->shape;
    struct device *device = forward->device;
    void *memory;

    TRY(memory_alloc(
        &memory, sizeof(struct step_state) + o->chunk_tokens * sizeof(int32_t),
        err));
    forward->state = memory;
    TRY(kv_cache_open(&forward->cache, device, shape, o->context_tokens,
                      o->cache, err));
    TRY(workspace_open(&forward->work, device, shape, o->chunk_tokens,
                       logit_rows(o), err));
    return device->ops->reserve(device, shape, o->chunk_tokens,
                                o->context_tokens, err);
}

enum status
forward_open(struct forward **out, struct model *model,
             const struct forward_options *options, struct error *err)
{
    void *memory;

    *out = NULL;
    assert(options->context_tokens > 0);
    if (options->context_tokens > model->shape.context)
        return error_set(err, STATUS_LIMIT,
                         "a context of %zu tokens was asked for; the model "
                         "was made for %" PRIu32,
                         options->context_tokens, model->shape.context);
    TRY(memory_alloc(&memory, sizeof(struct forward), err));
    struct forward *forward = memory;
    forward->model = model;
    forward->device = model->device;
    forward->options = options_resolved(options);
    enum status status = forward_reserve(forward, err);
    if (status != STATUS_OK) {
        forward_close(forward);
        return status;
    }
    *out = forward;
    return STATUS_OK;
}

void
forward_close(struct forward *forward)
{
    if (forward == NULL)
        return;
    if (forward->work.memory != NULL)
        workspace_close(&forward->work, forward->device);
    kv_cache_close(forward->cache);
    free(forward->state);
    free(forward);
}

size_t
forward_length(const struct forward *forward)
{
    return forward->cache->length;
}

void
forward_truncate(struct forward *forward, size_t length)
{
    assert(length <= forward->cache->length);
    forward->cache->length = length;
}

const struct kv_cache *
forward_cache(const struct forward *forward)
{
    return forward->cache;
}

enum status
forward_fetch(struct forward *forward, size_t tokens, uint64_t offset, void *to,
              size_t bytes, struct error *err)
{
    struct device *device = forward->device;
    size_t run;

    assert(tokens <= forward->cache->length);
    for (size_t done = 0; done < bytes; done += run) {
        const void *from =
            kv_cache_stored_at(forward->cache, tokens, offset + done, &run);

        run = run < bytes - done ? run : bytes - done;
        device->ops->download(device, (char *) to + done, from, run);
    }
    return device->ops->wait(device, err);
}

enum status
forward_store(struct forward *forward, size_t tokens, uint64_t offset,
              const void *from, size_t bytes, struct error *err)
{
    struct device *device = forward->device;
    size_t run;

    assert(forward->cache->length == 0 && tokens <= forward->cache->capacity);
    for (size_t done = 0; done < bytes; done += run) {
        void *to =
            kv_cache_stored_at(forward->cache, tokens, offset + done, &run);

        run = run < bytes - done ? run : bytes - done;
        device->ops->upload(device, to, (const char *) from + done, run);
    }
    return device->ops->wait(device, err);
}

void
forward_extend(struct forward *forward, size_t tokens)
{
    assert(tokens <= forward->cache->capacity);
    forward->cache->length = tokens;
}

void
forward_count(struct forward *forward, struct expert_uses *uses)
{
    forward->uses = uses;
    if (forward->model->experts != NULL)
        forward->model->experts->uses = uses;
}

void
forward_observe(struct forward *forward, observe_fn *observe, void *context)
{
    forward->observe = observe;
    forward->observe_context = context;
}

// -- running -----------------------------------------------------------------

static bool
proceed(void *context, uint32_t layer)
{
    const struct forward_call *call = context;
    uint32_t layers = call->forward->model->shape.layers;

    if (call->cancel != NULL && atomic_load(call->cancel))
        return false;
    if (call->progress != NULL)
        call->progress(call->context, call->done + call->chunk * layer / layers,
                       call->count);
    return true;
}

/* A chunk's tokens count by the share of layers that is behind them. */
static void
within_layer(void *context, uint32_t layer, size_t done, size_t of)
{
    const struct forward_call *call = context;
    size_t layers = call->forward->model->shape.layers;

    if (call->progress != NULL)
        call->progress(call->context,
                       call->done +
                           call->chunk * (layer * of + done) / (layers * of),
                       call->count);
}

static size_t
wanted_rows(const struct forward_call *call)
{
    if (call->forward->options.all_logits)
        return call->chunk;
    return call->logits && call->done + call->chunk == call->count ? 1 : 0;
}

/* The call's next tokens through all layers. */
static enum status
run_chunk(struct forward_call *call, const int32_t *ids, struct error *err)
{
    struct forward *forward = call->forward;
    struct device *device = forward->device;
    size_t count = call->chunk;
    struct step step = {
        .tokens = count,
        .sampled = call->sampled,
        .expanded = call->expanded,
        .logit_rows = wanted_rows(call),
        .state = forward->work.state,
        .proceed = proceed,
        .within = call->progress != NULL ? within_layer : NULL,
        .proceed_context = call,
        .observe = forward->observe,
        .observe_context = forward->observe_context,
    };

    forward->state->position = (int64_t) (forward->cache->length + call->done);
    for (size_t t = 0; t < count; t++)
        forward->state->ids[t] = ids[t];
    device->ops->upload(device, forward->work.state, forward->state,
                        sizeof *forward->state + count * sizeof *ids);
    enum status cancelled = forward->model->arch->forward(
        forward->model, device, forward->cache, &forward->work, &step, err);
    // what failed on the device says more than a cancelled pass
    TRY(device->ops->wait(device, err));
    return cancelled;
}

/* Where the last token's logits lie after its chunk. */
static enum status
fetch_logits(const struct forward_call *call, float *logits, struct error *err)
{
    const struct forward *forward = call->forward;
    struct device *device = forward->device;
    size_t width = forward->model->shape.vocabulary;
    size_t row = forward->options.all_logits ? call->chunk - 1 : 0;

    device->ops->download(device, logits, forward->work.logits + row * width,
                          width * sizeof *logits);
    TRY(device->ops->wait(device, err));
    for (size_t i = 0; i < width; i++)
        if (!isfinite(logits[i]))
            return error_set(
                err, STATUS_DEVICE,
                "the output for token %zu is not a finite number at position "
                "%zu",
                i, forward->cache->length + call->count - 1);
    return STATUS_OK;
}

static enum status
check_tokens(const struct forward *forward, const int32_t *ids, size_t count,
             struct error *err)
{
    const struct kv_cache *cache = forward->cache;
    uint32_t vocabulary = forward->model->shape.vocabulary;

    if (count > cache->capacity - cache->length)
        return error_set(err, STATUS_LIMIT,
                         "%zu tokens do not fit: %zu of %zu are taken", count,
                         cache->length, cache->capacity);
    for (size_t i = 0; i < count; i++)
        if (ids[i] < 0 || (uint32_t) ids[i] >= vocabulary)
            return error_set(err, STATUS_FORMAT,
                             "token %" PRId32
                             " is not one of the model's %" PRIu32,
                             ids[i], vocabulary);
    return STATUS_OK;
}

static enum status
run(struct forward_call *call, const int32_t *ids, float *logits,
    struct error *err)
{
    struct forward *forward = call->forward;
    size_t most = forward->options.chunk_tokens;

    assert(call->count > 0);
    TRY(check_tokens(forward, ids, call->count, err));
    call->logits = logits != NULL;
    for (;;) {
        size_t left = call->count - call->done;

        call->chunk = left < most ? left : most;
        TRY(run_chunk(call, ids + call->done, err));
        if (forward->uses != NULL)
            forward->uses->tokens += call->chunk;
        if (left <= most)
            break;
        call->done += call->chunk;
    }
    if (logits != NULL)
        TRY(fetch_logits(call, logits, err));
    forward->cache->length += call->count;
    if (call->progress != NULL)
        call->progress(call->context, call->count, call->count);
    return STATUS_OK;
}

enum status
forward_prompt(struct forward *forward, const int32_t *ids, size_t count,
               float *logits, forward_progress_fn *progress, void *context,
               const _Atomic bool *cancel, struct error *err)
{
    struct forward_call call = {
        .forward = forward,
        .expanded = choose_expanded(forward, count),
        .count = count,
        .progress = progress,
        .context = context,
        .cancel = cancel,
    };

    return run(&call, ids, logits, err);
}

enum status
forward_token(struct forward *forward, int32_t id, float *logits,
              struct error *err)
{
    struct forward_call call = {
        .forward = forward,
        .sampled = true,
        .expanded = forward->options.form == FORM_EXPANDED &&
                    forward->model->shape.attention == ATTENTION_LATENT,
        .count = 1,
    };

    return run(&call, &id, logits, err);
}
