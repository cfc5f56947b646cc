/*
 * A device: memory, and one slot an operation. The forward pass is written
 * once against this; the CPU is the first device, CUDA the second.
 *
 * Rules that keep both possible:
 *  - Operations are enqueued in order on one stream and may not have finished
 *    when they return, until `wait`. None returns a status: what fails inside
 *    one (a number that is not finite, an expert that cannot be read) is
 *    sticky, later operations then do nothing, and `wait` reports the first
 *    failure with layer and position.
 *  - All pointers given to operations are device memory, touched by the host
 *    only through upload and download. What the host fixes (widths, the number
 *    of tokens) is an argument; what changes from one decode step to the next
 *    (position, token) is read from struct step_state in device memory. So
 *    every decode step is the same list of calls.
 *  - The forward never sees an expert id: routing stays in device memory, and
 *    getting hold of experts, waiting included, happens inside `experts`.
 *  - Rounding activations to int8 (arithmetic contract, section 1) happens
 *    inside `linear` and `experts`, once for all matrices of the call.
 *
 * Threads: a device belongs to the thread that enqueues.
 */
#ifndef FATHOM_ENGINE_DEVICE_DEVICE_H
#define FATHOM_ENGINE_DEVICE_DEVICE_H

#include "base/base.h"
#include "engine/model.h"
#include "kernels/kernels.h"

struct expert_store;

/* What changes from one step to the next; in device memory. */
struct step_state {
    int64_t position; // of the first token: as many are cached before it
    int32_t ids[];    // (tokens), each below the vocabulary
};

/*
 * For tests: sees an intermediate matrix, (rows, width) 4-byte words in device
 * memory, when everything before it is enqueued. `name` is that of the golden
 * files: "hidden", "attn", "router.ids" ...
 */
typedef void observe_fn(void *context, const char *name, uint32_t layer,
                        const void *data, size_t rows, size_t width);

/* Called before each layer; false stops the pass with STATUS_CANCELLED. */
typedef bool proceed_fn(void *context, uint32_t layer);
/* Called now and then while a layer's experts work: done and of, for people. */
typedef void within_fn(void *context, uint32_t layer, size_t done, size_t of);

/* One step: the tokens that go through the layers together. */
struct step {
    size_t tokens;     // rows of the activations
    size_t first;      // ids[first] belongs to row 0, at position + first
    bool sampled;      // vector order, at most LINEAR_VECTOR_MAX tokens;
                       // else matrix order
    bool expanded;     // latent attention's form
    size_t logit_rows; // last tokens whose logits are wanted
    uint32_t layer;    // that operations belong to
    const struct step_state *state; // device memory

    proceed_fn *proceed; // may be NULL
    within_fn *within;   // may be NULL; has the same context
    void *proceed_context;
    observe_fn *observe; // may be NULL
    void *observe_context;
};

/* `count` vectors a token: rows (count 1) or heads. */
struct vectors {
    float *data; // the first vector of the first token
    size_t width, count;
    size_t stride;       // floats from one vector of a token to the next
    size_t token_stride; // floats from one token to the next
};

/* One matrix of a `linear` call: y = W x + bias. */
struct product {
    const struct weight *weight;
    const float *bias; // (rows), or NULL
    float *y;          // (tokens, rows)
};

/* cos and sin of every token's position, for one list of frequencies. */
struct rotation {
    float *cosines, *sines; // (tokens, pairs)
    size_t pairs;
    enum rope_pairing pairing;
};

/* What one layer caches: rows of `width` elements, one a position. */
struct cache_rows {
    void *data; // (capacity, width)
    enum cache_type type;
    size_t width;
};

/*
 * Multi-head latent attention (DeepSeek-V2, 2405.04434, 2.1): the queries,
 * rotated, against cached rows [latent, rotated key]. step->expanded tells
 * whether keys and values are computed from the latents (forward.md 2.6), or
 * queries are taken to the latent space (2.7). Both see positions up to the
 * token's own, and read only what is cached.
 */
struct latent_attention {
    const float *q; // (tokens, heads, nope + rope)
    struct cache_rows cache;
    const float *key_up;   // (heads, nope, latent)
    const float *value_up; // (heads, value, latent)
    size_t heads, nope, rope, latent, value;
    float scale;
    float *out; // (tokens, heads, value)
};

/* Attention where `heads / kv_heads` query heads share keys and values. */
struct grouped_attention {
    const float *q;                 // (tokens, heads, key_width), rotated
    struct cache_rows keys, values; // (length, kv_heads, width)
    size_t heads, kv_heads, key_width, value_width;
    float scale;
    float *out; // (tokens, heads, value_width)
};

/* What the router chose, in rank order. */
struct routing {
    int32_t *ids;   // (tokens, used)
    float *weights; // (tokens, used)
};

/*
 * The routed experts of step->layer and the shared ones that always run
 * (formats NULL where there are none): out is the sum of section 4 of the
 * arithmetic contract, without the residual.
 */
struct expert_group {
    struct expert_store *store;
    struct routing routing;
    size_t experts, used;
    size_t hidden, width;
    const struct weight *gate, *up, *down; // shared
    const float *x;                        // (tokens, hidden)
    float *out;                            // (tokens, hidden)
};

struct device;

struct device_ops {
    /* Zeroed memory, 64-byte aligned. `what` is for the message. */
    enum status (*alloc)(struct device *device, void **out, size_t bytes,
                         const char *what, struct error *err);
    void (*release)(struct device *device, void *memory, size_t bytes);

    /* In order with operations. `from` may be reused on return. */
    void (*upload)(struct device *device, void *to, const void *from,
                   size_t bytes);
    /* `to` is filled when `wait` returns. */
    void (*download)(struct device *device, void *to, const void *from,
                     size_t bytes);
    /*
     * Waits for all that was enqueued. Fails with the first failure inside it,
     * and forgets it.
     */
    enum status (*wait)(struct device *device, struct error *err);

    /*
     * Scratch memory for steps of at most `tokens` tokens of such a model
     * with at most `context` cached positions. Afterwards operations allocate
     * nothing.
     */
    uint64_t (*reserve_bytes)(const struct device *device,
                              const struct shape *shape, size_t tokens,
                              size_t context);
    enum status (*reserve)(struct device *device, const struct shape *shape,
                           size_t tokens, size_t context, struct error *err);
    /* Reads device memory once, with all workers: bytes a second. */
    double (*read_speed)(struct device *device, const void *memory,
                         size_t bytes);
    void (*close)(struct device *device);

    // -- operations: rows are step->tokens --

    /* x (tokens, columns): the rows of the step's ids. */
    void (*embed)(struct device *device, const struct step *step,
                  const struct weight *table, float *x);
    /* frequency (pairs), radians a position, in device memory. */
    void (*rotation)(struct device *device, const struct step *step,
                     const double *frequency, double magnitude,
                     const struct rotation *out);
    /* y may be x; w (width) is shared by all vectors. */
    void (*norm)(struct device *device, const struct step *step,
                 const struct vectors *y, const struct vectors *x,
                 const float *w, float eps);
    /* In place; width is 2 * pairs. */
    void (*rope)(struct device *device, const struct step *step,
                 const struct vectors *x, const struct rotation *rotation);
    /* x (tokens, columns); all products of one call have these columns. */
    void (*linear)(struct device *device, const struct step *step,
                   const float *x, const struct product *products,
                   size_t count);
    /* Rows of x, x_stride floats apart, to the step's positions. */
    void (*append)(struct device *device, const struct step *step,
                   const struct cache_rows *cache, const float *x,
                   size_t x_stride);
    void (*latent_attention)(struct device *device, const struct step *step,
                             const struct latent_attention *call);
    void (*grouped_attention)(struct device *device, const struct step *step,
                              const struct grouped_attention *call);
    /* logits (tokens, experts); bias (experts) or NULL. */
    void (*router)(struct device *device, const struct step *step,
                   const struct router_rule *rule, const float *logits,
                   const float *bias, const struct routing *out);
    void (*experts)(struct device *device, const struct step *step,
                    const struct expert_group *group);
    /* h = silu(g) * u, (tokens, width); h may be g or u. */
    void (*silu_mul)(struct device *device, const struct step *step, float *h,
                     const float *g, const float *u, size_t width);
    /* y += x, (tokens, width). */
    void (*add)(struct device *device, const struct step *step, float *y,
                const float *x, size_t width);
};

struct device {
    const struct device_ops *ops;
    const char *name; // "cpu"
    bool host_memory; // the host may read files straight into device memory
};

enum { PRODUCTS_MAX = 4 }; // of one linear call

/* The CPU device. threads 0: one a processor. */
struct device_cpu_options {
    unsigned threads;
    enum cpu_level level; // at most cpu_level()
    bool share_all;       // for tests: split even the smallest operation
};
MUST_CHECK enum status device_cpu_open(struct device **out,
                                       const struct device_cpu_options *options,
                                       struct error *err);
unsigned device_cpu_threads(const struct device *device);

void device_close(struct device *device); // takes NULL

#endif
