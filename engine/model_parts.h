/*
 * What model.c, model_load.c and model_describe.c share: the tensors that a
 * model uses, and the memory its weights lie in.
 */
#ifndef FATHOM_ENGINE_MODEL_PARTS_H
#define FATHOM_ENGINE_MODEL_PARTS_H

#include "engine/model.h"
#include "engine/tensor_table.h"

enum { MODEL_WARNINGS_MAX = 32, WEIGHT_ALIGNMENT = 64 };

/* One allocation on the device: the fixed weights, or a layer's experts. */
struct region {
    void *data; // NULL before model_load
    size_t bytes;
};

struct model_memory {
    struct arena *arena;
    struct tensor_use *use; // those of `census.uses`
    struct tensor_census census;
    const char *warning[MODEL_WARNINGS_MAX];
    size_t warnings;
    struct region *region; // region[0]: fixed; region[1 + l]: experts of l
    size_t regions;
    float *divisors; // (rope_width / 2), of rope_freqs; NULL: none
};

/*
 * Bytes of one matrix of `rows` rows on the device, padded. Interleaved rows
 * are taken apart there, which does not change their size.
 */
size_t model_matrix_bytes(const struct format *format, size_t rows,
                          size_t columns);

/* Bytes of rope_frequency, at the start of the fixed region. */
size_t model_frequency_bytes(const struct shape *shape);

/* Bytes that a use takes in the fixed region (experts: 0), padded. */
size_t model_use_bytes(const struct shape *shape, const struct tensor_use *use);

/* Bytes of key_up, padded: value_up follows it where both come together. */
size_t model_key_up_bytes(const struct shape *shape);

/* Bytes that a use takes in a slot: one matrix, or gate and up; padded. */
size_t model_use_slot_bytes(const struct tensor_use *use);

/* Bytes of one expert's slot: gate, up and down of a layer. */
size_t model_slot_bytes(const struct model *model, uint32_t layer);

/* Whether it is one matrix, or two, of every expert. */
bool model_use_is_experts(const struct tensor_use *use);

/* "15.3 GiB" */
const char *model_size_text(char out[24], uint64_t bytes);

/* Gives back what model_load got. */
void model_unload(struct model *model);

#endif
