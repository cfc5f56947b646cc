/*
 * A golden folder: golden.txt has a line a tensor, "name dtype dims... offset"
 * with the offset in 4-byte words into golden.f32, which is raw, little-endian
 * and row-major; dtype is f32 or i32.
 */
#ifndef FATHOM_TESTS_MODEL_GOLDEN_H
#define FATHOM_TESTS_MODEL_GOLDEN_H

#include "base/base.h"

#include <stdint.h>

struct golden_tensor {
    char name[40];
    bool is_int;
    size_t rows, width; // all extents but the first are multiplied
    const void *words;  // float or int32_t
};

struct golden {
    struct golden_tensor *tensor;
    size_t count;
    uint32_t *words;
};

MUST_CHECK enum status golden_open(struct golden **out, const char *folder,
                                   struct error *err);
void golden_close(struct golden *golden); // takes NULL

/* The tensor of this name, or NULL. */
const struct golden_tensor *golden_find(const struct golden *golden,
                                        const char *name);

#endif
