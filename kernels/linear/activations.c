/* Where the planes of q8 activations lie. */
#include "config.h"

#include "kernels/linear/linear.h"

#include <string.h>

enum { ALIGNMENT = 64 };

static size_t
round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

/* Bytes of the q plane, and of each of d, e and s, for `cells` blocks. */
static size_t
plane_bytes(size_t cells, size_t cell_bytes)
{
    return round_up(cells * cell_bytes, ALIGNMENT);
}

size_t
activations_bytes(size_t tokens, size_t blocks)
{
    size_t cells = tokens * round_up(blocks, ACTIVATION_PAD);

    return plane_bytes(cells, 32) + 3 * plane_bytes(cells, 4);
}

void
activations_lay(struct activations *a, void *memory, size_t tokens,
                size_t blocks, bool matrix_order)
{
    size_t padded = round_up(blocks, ACTIVATION_PAD);
    size_t cells = tokens * padded;
    uint8_t *at = memory;

    *a = (struct activations){
        .tokens = tokens,
        .blocks = blocks,
        .token_stride = matrix_order ? 1 : padded,
        .block_stride = matrix_order ? tokens : 1,
        .matrix_order = matrix_order,
    };
    a->q = (int8_t *) at;
    at += plane_bytes(cells, 32);
    a->d = (float *) (void *) at;
    at += plane_bytes(cells, sizeof *a->d);
    a->e = (float *) (void *) at;
    at += plane_bytes(cells, sizeof *a->e);
    a->s = (int16_t *) (void *) at;
}

void
activations_place(struct activations *a, void *memory, size_t tokens,
                  size_t blocks, bool matrix_order)
{
    activations_lay(a, memory, tokens, blocks, matrix_order);
    memset(memory, 0, activations_bytes(tokens, blocks));
}
