#include "config.h"

#include "tests/unit/published.h"

#include <stdio.h>

/* doc/forward.md, 1.1 and 1.3; 2024's files leave out groups and gating. */
const struct published published_v2_lite = {
    .name = "V2-Lite",
    .blocks = 27,
    .hidden = 2048,
    .heads = 16,
    .query_rank = 0,
    .latent = 512,
    .nope = 128,
    .rope = 64,
    .value = 128,
    .dense_width = 10944,
    .dense_layers = 1,
    .experts = 64,
    .used = 6,
    .shared = 2,
    .expert_width = 1408,
    .vocabulary = 102400,
    .scale = 1,
    .rope_base = 1e4F,
    .factor = 40,
    .log_multiplier = 0.0707F,
};

const struct published published_v2 = {
    .name = "V2",
    .blocks = 60,
    .hidden = 5120,
    .heads = 128,
    .query_rank = 1536,
    .latent = 512,
    .nope = 128,
    .rope = 64,
    .value = 128,
    .dense_width = 12288,
    .dense_layers = 1,
    .experts = 160,
    .used = 6,
    .shared = 2,
    .expert_width = 1536,
    .vocabulary = 102400,
    .scale = 16,
    .rope_base = 1e4F,
    .factor = 40,
    .log_multiplier = 0.1F,
};

const struct published published_v3 = {
    .name = "V3",
    .blocks = 61,
    .hidden = 7168,
    .heads = 128,
    .query_rank = 1536,
    .latent = 512,
    .nope = 128,
    .rope = 64,
    .value = 128,
    .dense_width = 18432,
    .dense_layers = 3,
    .experts = 256,
    .used = 8,
    .shared = 1,
    .expert_width = 2048,
    .vocabulary = 129280,
    .gating = 2,
    .normalise = true,
    .bias = true,
    .scale = 2.5F,
    .rope_base = 1e4F,
    .factor = 40,
    .log_multiplier = 0.1F,
};

const struct published published_kimi = {
    .name = "Kimi-K2",
    .blocks = 61,
    .hidden = 7168,
    .heads = 64,
    .query_rank = 1536,
    .latent = 512,
    .nope = 128,
    .rope = 64,
    .value = 128,
    .dense_width = 18432,
    .dense_layers = 1,
    .experts = 384,
    .used = 8,
    .shared = 1,
    .expert_width = 2048,
    .vocabulary = 163840,
    .gating = 2,
    .normalise = true,
    .bias = true,
    .groups = 1,
    .groups_used = 1,
    .scale = 2.827F,
    .rope_base = 5e4F,
    .factor = 32,
    .log_multiplier = 0.1F,
    .beta_fast = 1,
    .beta_slow = 1,
};

// -- deepseek2 --------------------------------------------------------------

static void
attention_keys(struct model_writer *w, const struct published *m,
               enum published_layout layout)
{
    bool old = layout == PUBLISHED_OLD;
    uint32_t key = m->nope + m->rope;

    writer_u32(w, "deepseek2.attention.head_count", m->heads);
    writer_u32(w, "deepseek2.attention.head_count_kv", old ? m->heads : 1);
    writer_f32(w, "deepseek2.attention.layer_norm_rms_epsilon", 1e-6F);
    if (m->query_rank > 0)
        writer_u32(w, "deepseek2.attention.q_lora_rank", m->query_rank);
    writer_u32(w, "deepseek2.attention.kv_lora_rank", m->latent);
    writer_u32(w, "deepseek2.attention.key_length",
               old ? key : m->latent + m->rope);
    writer_u32(w, "deepseek2.attention.value_length",
               old ? m->value : m->latent);
    if (!old) {
        writer_u32(w, "deepseek2.attention.key_length_mla", key);
        writer_u32(w, "deepseek2.attention.value_length_mla", m->value);
    }
}

static void
position_keys(struct model_writer *w, const struct published *m)
{
    writer_u32(w, "deepseek2.rope.dimension_count", m->rope);
    writer_f32(w, "deepseek2.rope.freq_base", m->rope_base);
    if (m->factor == 0)
        return;
    writer_text(w, "deepseek2.rope.scaling.type", "yarn");
    writer_f32(w, "deepseek2.rope.scaling.factor", m->factor);
    writer_u32(w, "deepseek2.rope.scaling.original_context_length", 4096);
    if (m->log_multiplier != 0)
        writer_f32(w, "deepseek2.rope.scaling.yarn_log_multiplier",
                   m->log_multiplier);
    if (m->beta_fast != 0)
        writer_f32(w, "deepseek2.rope.scaling.yarn_beta_fast", m->beta_fast);
    if (m->beta_slow != 0)
        writer_f32(w, "deepseek2.rope.scaling.yarn_beta_slow", m->beta_slow);
}

static void
expert_keys(struct model_writer *w, const struct published *m)
{
    writer_u32(w, "deepseek2.leading_dense_block_count", m->dense_layers);
    writer_u32(w, "deepseek2.expert_count", m->experts);
    writer_u32(w, "deepseek2.expert_used_count", m->used);
    writer_u32(w, "deepseek2.expert_feed_forward_length", m->expert_width);
    writer_u32(w, "deepseek2.expert_shared_count", m->shared);
    writer_f32(w, "deepseek2.expert_weights_scale", m->scale);
    if (m->normalise)
        writer_bool(w, "deepseek2.expert_weights_norm", true);
    if (m->gating > 0)
        writer_u32(w, "deepseek2.expert_gating_func", m->gating);
    if (m->groups > 0) {
        writer_u32(w, "deepseek2.expert_group_count", m->groups);
        writer_u32(w, "deepseek2.expert_group_used_count", m->groups_used);
    }
}

struct block {
    struct model_writer *w;
    uint32_t number;
};

/* "blk.N.SUFFIX"; extents end at the first 0. */
static void
tensor(const struct block *block, const char *suffix, int32_t format,
       uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t extent[4] = {a, b, c, 0};
    char name[96];

    snprintf(name, sizeof name, "blk.%u.%s", block->number, suffix);
    writer_tensor(block->w, name, format, extent, NULL);
}

static void
attention_tensors(const struct block *b, const struct published *m,
                  enum published_layout layout)
{
    uint64_t queries = (uint64_t) m->heads * (m->nope + m->rope);

    tensor(b, "attn_norm.weight", FORMAT_F32, m->hidden, 0, 0);
    if (m->query_rank == 0) {
        tensor(b, "attn_q.weight", FORMAT_Q4_K, m->hidden, queries, 0);
    } else {
        tensor(b, "attn_q_a.weight", FORMAT_Q4_K, m->hidden, m->query_rank, 0);
        tensor(b, "attn_q_a_norm.weight", FORMAT_F32, m->query_rank, 0, 0);
        tensor(b, "attn_q_b.weight", FORMAT_Q4_K, m->query_rank, queries, 0);
    }
    tensor(b, "attn_kv_a_mqa.weight", FORMAT_Q8_0, m->hidden,
           m->latent + m->rope, 0);
    tensor(b, "attn_kv_a_norm.weight", FORMAT_F32, m->latent, 0, 0);
    if (layout == PUBLISHED_OLD) {
        tensor(b, "attn_kv_b.weight", FORMAT_Q8_0, m->latent,
               (uint64_t) m->heads * (m->nope + m->value), 0);
    } else {
        tensor(b, "attn_k_b.weight", FORMAT_Q8_0, m->nope, m->latent, m->heads);
        tensor(b, "attn_v_b.weight", FORMAT_Q8_0, m->latent, m->value,
               m->heads);
    }
    tensor(b, "attn_output.weight", FORMAT_Q4_K, (uint64_t) m->heads * m->value,
           m->hidden, 0);
    tensor(b, "ffn_norm.weight", FORMAT_F32, m->hidden, 0, 0);
}

static void
dense_tensors(const struct block *b, uint64_t hidden, uint64_t width)
{
    tensor(b, "ffn_gate.weight", FORMAT_Q8_0, hidden, width, 0);
    tensor(b, "ffn_up.weight", FORMAT_Q8_0, hidden, width, 0);
    tensor(b, "ffn_down.weight", FORMAT_Q8_0, width, hidden, 0);
}

static void
expert_tensors(const struct block *b, const struct published *m)
{
    uint64_t shared = (uint64_t) m->shared * m->expert_width;

    tensor(b, "ffn_gate_inp.weight", FORMAT_F32, m->hidden, m->experts, 0);
    if (m->bias)
        tensor(b, "exp_probs_b.bias", FORMAT_F32, m->experts, 0, 0);
    tensor(b, "ffn_gate_exps.weight", FORMAT_Q4_0, m->hidden, m->expert_width,
           m->experts);
    tensor(b, "ffn_up_exps.weight", FORMAT_Q4_0, m->hidden, m->expert_width,
           m->experts);
    tensor(b, "ffn_down_exps.weight", FORMAT_Q5_0, m->expert_width, m->hidden,
           m->experts);
    tensor(b, "ffn_gate_shexp.weight", FORMAT_Q8_0, m->hidden, shared, 0);
    tensor(b, "ffn_up_shexp.weight", FORMAT_Q8_0, m->hidden, shared, 0);
    tensor(b, "ffn_down_shexp.weight", FORMAT_Q8_0, shared, m->hidden, 0);
}

void
published_write(struct model_writer *w, const struct published *m,
                enum published_layout layout)
{
    const uint64_t table[4] = {m->hidden, m->vocabulary}, norm[4] = {m->hidden};

    writer_text(w, "general.architecture", "deepseek2");
    writer_text(w, "general.name", m->name);
    writer_u32(w, "deepseek2.block_count", m->blocks);
    writer_u32(w, "deepseek2.context_length", 163840);
    writer_u32(w, "deepseek2.embedding_length", m->hidden);
    writer_u32(w, "deepseek2.feed_forward_length", m->dense_width);
    attention_keys(w, m, layout);
    position_keys(w, m);
    expert_keys(w, m);
    writer_tensor(w, "token_embd.weight", FORMAT_Q4_K, table, NULL);
    for (uint32_t l = 0; l < m->blocks; l++) {
        const struct block block = {w, l};

        attention_tensors(&block, m, layout);
        if (l < m->dense_layers)
            dense_tensors(&block, m->hidden, m->dense_width);
        else
            expert_tensors(&block, m);
    }
    writer_tensor(w, "output_norm.weight", FORMAT_F32, norm, NULL);
    writer_tensor(w, "output.weight", FORMAT_Q6_K, table, NULL);
}

// -- llama ------------------------------------------------------------------

const struct published_llama published_llama_8b = {
    "R1-Distill-Llama-8B", 32, 4096, 32, 8, 128, 14336, 128256, false, true};

const struct published_llama published_llama_70b = {
    "R1-Distill-Llama-70B", 80, 8192, 64, 8, 128, 28672, 128256, false, true};

static void
llama_block(const struct block *b, const struct published_llama *m)
{
    uint64_t queries = (uint64_t) m->heads * m->key_width;
    uint64_t keys = (uint64_t) m->kv_heads * m->key_width;

    tensor(b, "attn_norm.weight", FORMAT_F32, m->hidden, 0, 0);
    tensor(b, "attn_q.weight", FORMAT_Q4_K, m->hidden, queries, 0);
    tensor(b, "attn_k.weight", FORMAT_Q4_K, m->hidden, keys, 0);
    tensor(b, "attn_v.weight", FORMAT_Q6_K, m->hidden, keys, 0);
    tensor(b, "attn_output.weight", FORMAT_Q4_K, queries, m->hidden, 0);
    tensor(b, "ffn_norm.weight", FORMAT_F32, m->hidden, 0, 0);
    dense_tensors(b, m->hidden, m->dense_width);
}

void
published_write_llama(struct model_writer *w, const struct published_llama *m)
{
    const uint64_t table[4] = {m->hidden, m->vocabulary}, norm[4] = {m->hidden};
    const uint64_t pairs[4] = {m->key_width / 2};

    writer_text(w, "general.architecture", "llama");
    writer_text(w, "general.name", m->name);
    writer_u32(w, "llama.block_count", m->blocks);
    writer_u32(w, "llama.context_length", 131072);
    writer_u32(w, "llama.embedding_length", m->hidden);
    writer_u32(w, "llama.feed_forward_length", m->dense_width);
    writer_u32(w, "llama.attention.head_count", m->heads);
    writer_u32(w, "llama.attention.head_count_kv", m->kv_heads);
    writer_f32(w, "llama.attention.layer_norm_rms_epsilon", 1e-5F);
    writer_f32(w, "llama.rope.freq_base", 5e5F);
    writer_u32(w, "llama.rope.dimension_count", m->key_width);
    if (m->divisors)
        writer_tensor(w, "rope_freqs.weight", FORMAT_F32, pairs, NULL);
    writer_tensor(w, "token_embd.weight", FORMAT_Q4_K, table, NULL);
    for (uint32_t l = 0; l < m->blocks; l++)
        llama_block(&(struct block){w, l}, m);
    writer_tensor(w, "output_norm.weight", FORMAT_F32, norm, NULL);
    if (!m->tied)
        writer_tensor(w, "output.weight", FORMAT_Q6_K, table, NULL);
}
