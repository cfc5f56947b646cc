/*
 * One model: its shape, its weights, and what can be said about it.
 *
 * model_open reads and checks everything but the weights (milliseconds);
 * model_load brings the weights to a device. Threads: constant after load.
 */
#ifndef FATHOM_ENGINE_MODEL_H
#define FATHOM_ENGINE_MODEL_H

#include "base/base.h"
#include "engine/gguf.h"
#include "kernels/kernels.h"
#include "quant/quant.h"

struct arch;
struct device;
struct expert_store;

enum attention_kind { ATTENTION_LATENT, ATTENTION_GROUPED };

enum rope_scaling { SCALING_NONE, SCALING_LINEAR, SCALING_YARN };

/* Hyper-parameters, checked: every one is in range and fits the others. */
struct shape {
    uint32_t layers;     // of the main stack, without MTP blocks
    uint32_t mtp_layers; // blocks after them in the file
    uint32_t hidden;
    uint32_t vocabulary; // rows of the embedding
    uint32_t context;    // trained context, tokens
    float eps;           // of the block and output norms
    float eps_latent;    // of the norms of the latents: 1e-6 (forward.md)

    enum attention_kind attention;
    uint32_t heads;
    uint32_t kv_heads;    // ATTENTION_GROUPED
    uint32_t key_width;   // per head: nope + rope, or the head's width
    uint32_t value_width; // per head
    // ATTENTION_LATENT:
    uint32_t nope_width;
    uint32_t latent_width;  // kv_lora_rank
    uint32_t query_rank;    // q_lora_rank, 0: q is projected directly
    bool split_key_value;   // files: attn_k_b and attn_v_b, not attn_kv_b
    double attention_scale; // multiplies a score before softmax

    uint32_t rope_width; // elements of a head that are rotated
    enum rope_pairing pairing;
    enum rope_scaling scaling;
    double rope_base, rope_factor, rope_original_context;
    double yarn_beta_fast, yarn_beta_slow;
    double rope_magnitude; // multiplies cosines and sines

    uint32_t dense_layers; // leading layers with a dense feed-forward
    uint32_t dense_width;
    uint32_t experts; // 0: no layer has experts
    uint32_t experts_used;
    uint32_t expert_width;
    uint32_t shared_experts; // one fused matrix of shared * expert_width
    struct router_rule router;
    bool groups_filled_in; // from the published shape, not from the file
    bool tied_output;      // the embedding is the output head
    bool yarn_log_missing; // YaRN without rope.scaling.yarn_log_multiplier
    bool mtp_missing;      // declared, but there are no such blocks
};

/* A matrix where the device wants it: y = W x, W (rows, columns). */
struct weight {
    const struct format *format; // NULL: this model has no such matrix
    enum layout layout;
    size_t rows, columns;
    const void *data; // in device memory
};

/* Vectors are f32 in device memory; NULL where the model has none. */
struct layer {
    const float *attention_norm; // (hidden)
    const float *ffn_norm;       // (hidden)

    struct weight q;        // direct query projection
    struct weight q_a, q_b; // through the query latent
    const float *q_a_norm;  // (query_rank)
    struct weight kv_a;     // (latent + rope, hidden)
    const float *kv_a_norm; // (latent)
    const float *key_up;    // (heads, nope, latent): W_UK, decoded
    const float *value_up;  // (heads, value, latent): W_UV, decoded

    struct weight k, v; // ATTENTION_GROUPED
    const float *q_bias, *k_bias, *v_bias, *o_bias;
    const float *q_norm, *k_norm; // per head (key_width), before rope

    struct weight o; // (hidden, heads * value_width)

    bool has_experts;
    struct weight gate, up, down; // dense, or the fused shared experts
    const float *gate_bias, *up_bias, *down_bias; // dense llama files only
    struct weight router;                         // (experts, hidden)
    const float *router_bias;                     // (experts), or NULL
};

/* Bytes of weights by role, of the file and as held on the device. */
struct model_bytes {
    uint64_t fixed_file, experts_file;
    uint64_t fixed_device, experts_device;
};

struct model {
    struct gguf *gguf;
    const struct arch *arch;
    struct shape shape;
    struct model_bytes bytes;

    // set by model_load
    struct device *device;        // not owned
    struct weight embedding;      // (vocabulary, hidden)
    struct weight output;         // (vocabulary, hidden)
    const float *output_norm;     // (hidden)
    double *rope_frequency;       // (rope_width / 2), radians a position
    struct layer *layer;          // (layers)
    struct expert_store *experts; // NULL when there are none

    struct model_memory *memory; // what model_close gives back
};

struct model_options {
    bool groups_from_file; // --expert-groups=file: do not fill groups in
};

/*
 * Opens and checks a model file: container, architecture, hyper-parameters,
 * every tensor's presence, type and shape. No weight is read.
 */
MUST_CHECK enum status model_open(struct model **out, const char *path,
                                  const struct model_options *options,
                                  struct error *err);
void model_close(struct model *model); // takes NULL

/* What a user should know about the file, a sentence each. */
const char *const *model_warnings(const struct model *model, size_t *count);

/*
 * Bytes model_load will ask the device for. Known before anything is read,
 * so that a model too large is refused with both numbers.
 */
uint64_t model_load_bytes(const struct model *model);

/*
 * Bytes of weights, as the file has them, that are read for one token that is
 * generated: all but the embedding's other rows and the experts not used.
 */
uint64_t model_token_bytes(const struct model *model);

/*
 * Bytes a second at which the device reads loaded weights, all workers at
 * once: the most that decoding can reach. The best of a few stretches; 0 where
 * there are so few weights that caches would answer.
 */
double model_read_speed(const struct model *model);

/* Called from any reading thread; done and total are bytes. */
typedef void model_progress_fn(void *context, uint64_t done, uint64_t total);

/*
 * Reads all weights to `device` (which must outlive the model), with
 * `readers` threads of large reads straight to their place. Non-finite
 * scales are refused when seen. `cancel` may be NULL.
 */
MUST_CHECK enum status model_load(struct model *model, struct device *device,
                                  unsigned readers, model_progress_fn *progress,
                                  void *context, const _Atomic bool *cancel,
                                  struct error *err);

/*
 * Appends the description of the model as one JSON object (fathom-model(1)
 * has the fields): architecture, shape, parameters total and active, types by
 * tensor class, context, tokenizer, bytes by role, warnings.
 */
MUST_CHECK enum status model_describe(const struct model *model,
                                      struct buffer *json, struct error *err);

#endif
