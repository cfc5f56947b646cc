/*
 * Files with the metadata and tensor table of published models, all weights a
 * hole: what is computed from shapes can be tested at full size.
 */
#ifndef FATHOM_TESTS_UNIT_PUBLISHED_H
#define FATHOM_TESTS_UNIT_PUBLISHED_H

#include "tests/unit/model_writer.h"

/* A deepseek2 model, by the keys of its files. */
struct published {
    const char *name;
    uint32_t blocks, hidden, heads, query_rank, latent, nope, rope, value;
    uint32_t dense_width, dense_layers;
    uint32_t experts, used, shared, expert_width;
    uint32_t vocabulary;
    uint32_t gating; // 0: the key is left out
    bool normalise, bias;
    uint32_t groups, groups_used;                   // 0: the keys are left out
    float scale, rope_base, factor, log_multiplier; // factor 0: no scaling
    float beta_fast, beta_slow;                     // 0: left out
};

extern const struct published published_v2_lite, published_v2, published_v3,
    published_kimi;

enum published_layout { PUBLISHED_OLD, PUBLISHED_NEW };

/* Adds metadata and tensors of `model` to w. */
void published_write(struct model_writer *w, const struct published *model,
                     enum published_layout layout);

/* A llama model: 8B and 70B distills, and others. */
struct published_llama {
    const char *name;
    uint32_t blocks, hidden, heads, kv_heads, key_width, dense_width;
    uint32_t vocabulary;
    bool tied, divisors;
};

extern const struct published_llama published_llama_8b, published_llama_70b;

void published_write_llama(struct model_writer *w,
                           const struct published_llama *model);

#endif
