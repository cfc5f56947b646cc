/*
 * What a forward pass computed in between: rows of named matrices, collected
 * through forward_observe in the order of their tokens.
 */
#ifndef FATHOM_TESTS_MODEL_TAPS_H
#define FATHOM_TESTS_MODEL_TAPS_H

#include "engine/engine.h"

struct tap {
    char name[24];
    uint32_t layer;
    size_t rows, width;
    size_t capacity; // words
    uint32_t *words; // (rows, width): float or int32_t
};

struct taps {
    struct device *device;
    struct tap tap[1024];
    size_t count;
};

void taps_open(struct taps *taps, struct device *device);
void taps_clear(struct taps *taps); // forgets all rows
void taps_close(struct taps *taps);

/* An observe_fn whose context is a struct taps. */
void taps_observe(void *context, const char *name, uint32_t layer,
                  const void *data, size_t rows, size_t width);

/* Those rows, or NULL. */
const struct tap *taps_find(const struct taps *taps, const char *name,
                            uint32_t layer);

#endif
