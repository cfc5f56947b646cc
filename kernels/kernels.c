/* The table of variants at each level. */
#include "config.h"

#include "kernels/kernels.h"

static const struct kernels reference = {
    .level = CPU_REF,
    .quantize_q8 = quantize_q8_ref,
    .linear_vector = linear_vector_ref,
    .linear_matrix = linear_matrix_ref,
    .linear_float = linear_float_ref,
};

#ifdef HAVE_AVX2
static const struct kernels avx2 = {
    .level = CPU_AVX2,
    .quantize_q8 = quantize_q8_avx2,
    .linear_vector = linear_vector_ref,
    .linear_matrix = linear_matrix_ref,
    .linear_float = linear_float_ref,
};
#endif

const struct kernels *
kernels_select(enum cpu_level level)
{
#ifdef HAVE_AVX2
    if (level >= CPU_AVX2)
        return &avx2;
#endif
    (void) level;
    return &reference;
}
