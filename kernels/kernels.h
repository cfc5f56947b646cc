/*
 * kernels: arithmetic. This is the folder's door.
 *
 *   cpu.h          which instruction sets this processor and FATHOM_CPU allow
 *   workers.h      the team of threads that runs slices of operations
 *   exponential.h  exp_c, the only exponential; the order of float sums
 *   linear/        weights times activations: int8 contract, float weights
 *   norm/          RMS norm
 *   rope/          rotary positions and their tables
 *   attention/     query heads against cached keys and values
 *   router/        scores to expert ids and weights
 *   activation/    silu(g) * u, adding, scaling
 *   check.h        what the checks share; part of no program
 *
 * Each operation has its contract in OP/OP.h, the plainest C in OP_ref.c,
 * SIMD in OP_avx2.c, and OP_check.c, which proves that they agree to the bit.
 * Every float operation has one order (32 lanes and a tree), so every level
 * gives the same bits. Nothing here can fail, and kernels know no threads:
 * whoever splits rows among workers does not change a result.
 */
#ifndef FATHOM_KERNELS_KERNELS_H
#define FATHOM_KERNELS_KERNELS_H

#include "kernels/activation/activation.h"
#include "kernels/attention/attention.h"
#include "kernels/cpu.h"
#include "kernels/exponential.h"
#include "kernels/linear/linear.h"
#include "kernels/norm/norm.h"
#include "kernels/rope/rope.h"
#include "kernels/router/router.h"
#include "kernels/workers.h"

/* One variant of each operation. */
struct kernels {
    enum cpu_level level;

    quantize_q8_fn *quantize_q8;
    linear_fn *linear_vector; // vector order, 1 to LINEAR_VECTOR_MAX tokens
    linear_fn *linear_matrix; // matrix order, any number of tokens
    linear_float_fn *linear_float; // F32, F16, BF16 weights, both orders

    norm_fn *norm;
    rope_fn *rope;
    attention_fn *attention;
    attention_part_fn *attention_part; // the same in pieces
    attention_merge_fn *attention_merge;
    project_fn *project_rows;
    project_fn *project_columns;
    to_half_fn *to_half;
    from_half_fn *from_half;
    router_fn *router;
    silu_mul_fn *silu_mul;
    add_fn *add;
    add_scaled_fn *add_scaled;
    exponentials_fn *exponentials;
    argmax_fn *argmax;
};

/*
 * The fastest variants for a level (CPU_REF: the references). The table is
 * constant and lives as long as the program.
 */
const struct kernels *kernels_select(enum cpu_level level);

#endif
