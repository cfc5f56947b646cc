/*
 * The CPU device from inside: operations run at once, on the worker team, each
 * over its own chunks of rows. One row is one worker's, so nothing here
 * depends on the size of the team.
 *
 *   device_cpu.c            memory, failures, the table of operations
 *   device_cpu_scratch.c    scratch memory, laid out once
 *   device_cpu_rows.c       embedding, norm, rope, cache, router, adding
 *   device_cpu_linear.c     weights times activations
 *   device_cpu_attention.c  latent and grouped attention
 *   device_cpu_experts.c    the expert feed-forward
 *   device_cpu_speed.c      how fast memory is read
 */
#ifndef FATHOM_ENGINE_DEVICE_DEVICE_CPU_H
#define FATHOM_ENGINE_DEVICE_DEVICE_CPU_H

#include "engine/device/device.h"
#include "engine/experts/experts.h"

enum {
    ATTENTION_ROWS = 16, // query heads that share a reading of the cache
    EXPAND_KEYS = 64,    // positions expanded at a time
    DOWN_ROWS = 32,      // rows of a down projection at a time
    BAD_STRIDE = 64 / 8, // of per-worker notes: a cache line each
};

/* What scratch must suffice for. */
struct scratch_limits {
    size_t tokens, context;
    size_t columns;      // widest input of a linear layer
    size_t expert_width; // of a routed expert, or of the shared ones as one
    size_t experts, used;
    size_t hidden;
    size_t heads, key_row, value_row; // absorbed row, latent; or a head's
    size_t expand_row;   // nope + rope + value of a head; 0: never expanded
    size_t expand_heads; // expanded at a time
};

struct expert_entry {
    uint32_t token;
    float weight;
    int32_t first; // the token's first product: nothing to add to yet
};

struct chosen;

struct scratch {
    void *q8;                     // rounded input of a linear layer
    void *q8_inner;               // rounded inner activations of experts
    size_t q8_inner_bytes;        // from one chosen expert's to the next one's
    float *gate, *up;             // inner activations of experts
    float *gathered;              // (tokens, hidden): one expert's tokens
    struct expert_entry *entries; // (tokens, used)
    uint32_t *offsets;            // (experts + 1)
    struct chosen *chosen;        // (used + 1)
    float *q_latent;              // (heads, key_row): absorbed query
    float *z;                     // (heads, value_row): its latent values
    float *parts;    // of one token's attention over blocks of keys
    float *expanded; // (expand_heads, context, expand_row)
    char *worker;    // (threads) areas of worker_bytes
    size_t worker_bytes;
    size_t bytes; // of all this
};

struct device_cpu {
    struct device device; // first
    const struct kernels *k;
    struct workers *workers;
    unsigned threads;
    bool share_all;

    struct scratch_limits limits;
    struct scratch scratch;
    void *scratch_memory;

    enum status failed; // sticky until wait
    struct error failure;
    int64_t *bad; // (threads * BAD_STRIDE): lowest row with a bad number
};

static inline struct device_cpu *
device_cpu(struct device *device)
{
    return (struct device_cpu *) device;
}

/* This worker's scratch floats. */
static inline float *
worker_scratch(const struct device_cpu *cpu, unsigned worker)
{
    return (float *) (void *) (cpu->scratch.worker +
                               worker * cpu->scratch.worker_bytes);
}

/*
 * Runs fn over rows 0 .. rows-1 on the team; `cost` is about the number of
 * multiplications in a row, and little work stays with the caller. Chunks are
 * multiples of `grain` rows.
 */
void device_cpu_run(struct device_cpu *cpu, size_t rows, size_t grain,
                    size_t cost, workers_fn *fn, void *context);

/* Notes, from any worker, that this row of the step went wrong. */
static inline void
note_bad(struct device_cpu *cpu, unsigned worker, size_t row)
{
    int64_t *bad = &cpu->bad[worker * BAD_STRIDE];

    if ((int64_t) row < *bad)
        *bad = (int64_t) row;
}

/* Turns notes into a failure: "WHAT in layer 3 at position 17". */
void device_cpu_check(struct device_cpu *cpu, const struct step *step,
                      const char *what);
extern const char not_finite[]; // the usual WHAT

/* Makes a failure sticky; the first one stays. */
void device_cpu_fail(struct device_cpu *cpu, const struct error *err);

/* False when a value is not finite or so large that its square may not be. */
bool values_usable(const float *x, size_t count);

// -- scratch --

void scratch_limits_join(struct scratch_limits *limits,
                         const struct shape *shape, size_t tokens,
                         size_t context);
/* Lays everything out from `memory`; NULL only counts the bytes. */
void scratch_place(struct scratch *scratch, void *memory,
                   const struct scratch_limits *limits, unsigned threads);

// -- linear --

/*
 * Activations as matrices read them: floats, and int8 blocks where a format
 * asks for them. Row map: row i of the operand is token i of the step.
 */
struct operand {
    const float *x; // (tokens, columns), x_stride floats apart
    size_t tokens, columns, x_stride;
    bool matrix_order;
    struct activations q8;
};

/* Rounds x into `memory`, one token after the other on the team. */
void operand_round(struct device_cpu *cpu, const struct step *step,
                   struct operand *operand, void *memory);

static inline bool
wants_q8(const struct weight *weight)
{
    return weight->format != NULL && weight->format->contract == CONTRACT_INT8;
}

/*
 * y[t * y_stride + i] = row first + i of the weight times token t, i < rows.
 * `decoded` (columns floats) serves formats that the contract does not cover.
 */
void multiply(const struct device_cpu *cpu, const struct weight *weight,
              size_t first, size_t rows, const struct operand *operand,
              float *y, size_t y_stride, float *decoded);

/* Row i of a weight as floats. */
void decode_row(const struct weight *weight, size_t row, float *out);

/* One of a token's experts. */
struct chosen {
    uint32_t id;
    float weight;
    bool here; // leased, or shared
    struct expert expert;
    float *h, *up; // (width)
    struct operand inner;
    void *q8; // of h
};

// -- the rest as in struct device_ops --

double device_cpu_read_speed(struct device *device, const void *memory,
                             size_t bytes);

void device_cpu_embed(struct device *device, const struct step *step,
                      const struct weight *table, float *x);
void device_cpu_rotation(struct device *device, const struct step *step,
                         const double *frequency, double magnitude,
                         const struct rotation *out);
void device_cpu_norm(struct device *device, const struct step *step,
                     const struct vectors *y, const struct vectors *x,
                     const float *w, float eps);
void device_cpu_rope(struct device *device, const struct step *step,
                     const struct vectors *x, const struct rotation *rotation);
void device_cpu_append(struct device *device, const struct step *step,
                       const struct cache_rows *cache, const float *x,
                       size_t x_stride);
void device_cpu_router(struct device *device, const struct step *step,
                       const struct router_rule *rule, const float *logits,
                       const float *bias, const struct routing *out);
void device_cpu_silu_mul(struct device *device, const struct step *step,
                         float *h, const float *g, const float *u,
                         size_t width);
void device_cpu_add(struct device *device, const struct step *step, float *y,
                    const float *x, size_t width);
void device_cpu_linear(struct device *device, const struct step *step,
                       const float *x, const struct product *products,
                       size_t count);
void device_cpu_latent_attention(struct device *device, const struct step *step,
                                 const struct latent_attention *call);
void device_cpu_grouped_attention(struct device *device,
                                  const struct step *step,
                                  const struct grouped_attention *call);
void device_cpu_experts(struct device *device, const struct step *step,
                        const struct expert_group *group);

#endif
