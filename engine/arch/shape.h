/*
 * From a file's metadata to a checked shape: one function an architecture,
 * for its struct arch. Keys are written in gguf-deepseek.md, section 3 of
 * doc/; every number that later divides, bounds a loop or indexes is in range
 * afterwards, and fits the others.
 */
#ifndef FATHOM_ENGINE_ARCH_SHAPE_H
#define FATHOM_ENGINE_ARCH_SHAPE_H

#include "engine/model.h"

enum {
    SHAPE_LAYERS_MAX = 512,
    SHAPE_HEADS_MAX = 1024,
    SHAPE_WIDTH_MAX = 1 << 17, // hidden, feed-forward and latent widths
    SHAPE_HEAD_WIDTH_MAX = 4096,
    SHAPE_ROPE_MAX = 1024,
};

/* Latent attention, dense and expert layers: V2, V3, R1, Kimi-K2 ... */
MUST_CHECK enum status shape_read_deepseek2(struct shape *out,
                                            const struct gguf *gguf,
                                            const struct model_options *options,
                                            struct error *err);

/* Grouped-query attention, dense layers. */
MUST_CHECK enum status shape_read_llama(struct shape *out,
                                        const struct gguf *gguf,
                                        const struct model_options *options,
                                        struct error *err);

/*
 * Radians a position of each of rope_width / 2 pairs, with linear or YaRN
 * scaling (forward.md 2.5). divisors (rope_width / 2): rope_freqs of llama
 * files, or NULL.
 */
void shape_rope_frequency(const struct shape *shape, const float *divisors,
                          double *out);

#endif
