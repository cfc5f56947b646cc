/* Scratch memory of the CPU device: one block, laid out once. */
#include "config.h"

#include "engine/device/device_cpu.h"

enum { ALIGNMENT = 64 };

/* Expanded keys and values of all heads, as long as they take no more. */
#define EXPAND_BYTES ((size_t) 64 * 1024 * 1024)

static void
raise(size_t *to, size_t value)
{
    if (value > *to)
        *to = value;
}

static size_t
larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void
join_latent(struct scratch_limits *limits, const struct shape *shape)
{
    raise(&limits->key_row, (size_t) shape->latent_width + shape->rope_width);
    raise(&limits->value_row, shape->latent_width);
    raise(&limits->expand_row, (size_t) shape->key_width + shape->value_width);
    raise(&limits->columns, shape->query_rank);
}

static void
join_experts(struct scratch_limits *limits, const struct shape *shape)
{
    raise(&limits->expert_width,
          (size_t) shape->expert_width * larger(shape->shared_experts, 1));
    raise(&limits->experts, shape->experts);
    raise(&limits->used, shape->experts_used);
}

void
scratch_limits_join(struct scratch_limits *limits, const struct shape *shape,
                    size_t tokens, size_t context)
{
    raise(&limits->tokens, tokens);
    raise(&limits->context, context);
    raise(&limits->hidden, shape->hidden);
    raise(&limits->heads, shape->heads);
    raise(&limits->columns, shape->hidden);
    raise(&limits->columns, (size_t) shape->heads * shape->value_width);
    raise(&limits->columns, shape->dense_width);
    raise(&limits->value_row, shape->value_width);
    if (shape->attention == ATTENTION_LATENT)
        join_latent(limits, shape);
    if (shape->experts > 0)
        join_experts(limits, shape);
    raise(&limits->columns, limits->expert_width);
    limits->expand_heads = 0;
    if (limits->expand_row == 0)
        return;
    size_t head = limits->context * limits->expand_row * sizeof(float);
    limits->expand_heads = EXPAND_BYTES / (head + 1);
    if (limits->expand_heads > limits->heads)
        limits->expand_heads = limits->heads;
    raise(&limits->expand_heads, 1);
}

/* Places `bytes` at *used from `base`, which may be NULL. */
static void *
place(char *base, size_t *used, size_t bytes)
{
    size_t at = *used;

    *used += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return base == NULL ? NULL : base + at;
}

static void *
place_floats(char *base, size_t *used, size_t count)
{
    return place(base, used, count * sizeof(float));
}

/* The largest need of any operation for scratch of one worker, in floats. */
static size_t
worker_floats(const struct scratch_limits *l)
{
    size_t attention =
        ATTENTION_ROWS * (l->key_row + l->value_row) +
        attention_scratch_floats(larger(l->value_row, l->expand_row));
    size_t expand = EXPAND_KEYS * l->key_row;
    size_t down = l->tokens * DOWN_ROWS + l->columns;

    return larger(attention, larger(expand, down));
}

static size_t
rounded_bytes(size_t tokens, size_t columns)
{
    return activations_bytes(tokens, columns / 32);
}

static void
place_experts(struct scratch *s, char *base, size_t *used,
              const struct scratch_limits *l)
{
    // one token's experts side by side, or one expert's tokens
    size_t rows = larger(l->tokens, l->used + 1);

    s->q8_inner_bytes = rounded_bytes(1, l->expert_width);
    s->q8_inner = place(base, used,
                        larger(rounded_bytes(l->tokens, l->expert_width),
                               (l->used + 1) * s->q8_inner_bytes));
    s->gate = place_floats(base, used, rows * l->expert_width);
    s->up = place_floats(base, used, rows * l->expert_width);
    s->gathered = place_floats(base, used, l->tokens * l->hidden);
    s->entries =
        place(base, used, l->tokens * larger(l->used, 1) * sizeof *s->entries);
    s->offsets = place(base, used, (l->experts + 1) * sizeof *s->offsets);
    s->chosen = place(base, used, (l->used + 1) * sizeof *s->chosen);
}

void
scratch_place(struct scratch *s, void *memory, const struct scratch_limits *l,
              unsigned threads)
{
    char *base = memory;
    size_t used = 0;
    size_t blocks = (l->context + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK;

    s->q8 = place(base, &used, rounded_bytes(l->tokens, l->columns));
    if (l->experts > 0)
        place_experts(s, base, &used, l);
    s->q_latent = place_floats(base, &used, l->heads * l->key_row);
    s->z = place_floats(base, &used, l->heads * l->value_row);
    s->parts =
        place_floats(base, &used, l->heads * blocks * (l->value_row + 2));
    s->expanded =
        place_floats(base, &used, l->expand_heads * l->context * l->expand_row);
    s->worker_bytes = (worker_floats(l) * sizeof(float) + ALIGNMENT - 1) /
                      ALIGNMENT * ALIGNMENT;
    s->worker = place(base, &used, threads * s->worker_bytes);
    s->bytes = used;
}
