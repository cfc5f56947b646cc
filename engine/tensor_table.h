/*
 * Which tensors a model of a given shape must hold: name, kind, extents and
 * where each goes. One table serves all architectures; a row says for which
 * layers of which shapes it holds.
 */
#ifndef FATHOM_ENGINE_TENSOR_TABLE_H
#define FATHOM_ENGINE_TENSOR_TABLE_H

#include "engine/model.h"

/* For model_describe: how a model is quantized, by what a tensor is for. */
enum tensor_class {
    CLASS_EMBEDDING,
    CLASS_OUTPUT,
    CLASS_ATTENTION,
    CLASS_DENSE,
    CLASS_SHARED,
    CLASS_GATE, // of routed experts
    CLASS_UP,
    CLASS_DOWN,
    CLASS_ROUTER,
    CLASS_VECTOR, // norms, biases
    CLASS_COUNT
};

/* How a tensor is checked and where it goes. */
enum tensor_kind {
    KIND_VECTOR,    // F32, to a float pointer of the model or layer
    KIND_MATRIX,    // a format that kernels compute with, to a struct weight
    KIND_ROUTER,    // the same, but F32, F16 or BF16
    KIND_KEY_VALUE, // attn_kv_b: decoded to key_up and value_up
    KIND_KEY_UP,    // attn_k_b: transposed, decoded to key_up
    KIND_VALUE_UP,  // attn_v_b: decoded to value_up
    KIND_EXPERTS,   // one matrix of every expert
    KIND_GATE_UP,   // gate and up of every expert, in this order
    KIND_DIVISORS,  // rope_freqs
    KIND_IGNORED,   // known, and not needed
};

struct tensor_rule {
    const char *name;  // behind "blk.N." where `field` is one of struct layer
    const char *alias; // another spelling, or NULL
    enum tensor_kind kind;
    enum tensor_class class;
    uint8_t extent[3];  // enum extent, in tensor_table.c
    uint8_t for_layers; // enum scope, there too
    bool optional;
    size_t field; // offset in struct model or struct layer
};

/* A tensor of the file that the model uses. */
struct tensor_use {
    const struct gguf_tensor *tensor;
    const struct tensor_rule *rule;
    uint32_t layer;
};

/*
 * Finds and checks every tensor: presence, type, extents. `uses` has room for
 * all tensors of the file; those to be loaded are listed in the order of
 * layers. Tensors that are neither used nor known are counted in *unknown,
 * those of MTP blocks in *mtp; `first_unknown` is one of them or NULL.
 */
struct tensor_census {
    size_t uses, unknown, mtp;
    const struct gguf_tensor *first_unknown;
    const struct gguf_tensor *ignored; // one that is known and not needed
};
MUST_CHECK enum status tensor_table_check(struct tensor_use *uses,
                                          struct tensor_census *census,
                                          const struct gguf *gguf,
                                          const struct shape *shape,
                                          struct error *err);

/* Whether a rule's field is one of struct layer. */
bool tensor_rule_in_layer(const struct tensor_rule *rule);

/* "attention", "experts.gate" ... */
const char *tensor_class_name(enum tensor_class class);

#endif
