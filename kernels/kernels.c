/* The table of variants at each level. */
#include "config.h"

#include "kernels/kernels.h"

static const struct kernels reference = {
    .level = CPU_REF,
    .quantize_q8 = quantize_q8_ref,
    .linear_vector = linear_vector_ref,
    .linear_matrix = linear_matrix_ref,
    .linear_float = linear_float_ref,
    .norm = norm_ref,
    .rope = rope_ref,
    .attention = attention_ref,
    .attention_part = attention_part_ref,
    .attention_merge = attention_merge_ref,
    .project_rows = project_rows_ref,
    .project_columns = project_columns_ref,
    .to_half = to_half_ref,
    .from_half = from_half_ref,
    .router = router_ref,
    .silu_mul = silu_mul_ref,
    .add = add_ref,
    .add_scaled = add_scaled_ref,
    .exponentials = exponentials_ref,
    .argmax = argmax_ref,
};

#ifdef HAVE_AVX2
static const struct kernels avx2 = {
    .level = CPU_AVX2,
    .quantize_q8 = quantize_q8_avx2,
    .linear_vector = linear_vector_avx2,
    .linear_matrix = linear_matrix_avx2,
    .linear_float = linear_float_avx2,
    .norm = norm_avx2,
    .rope = rope_avx2,
    .attention = attention_avx2,
    .attention_part = attention_part_avx2,
    .attention_merge = attention_merge_avx2,
    .project_rows = project_rows_avx2,
    .project_columns = project_columns_avx2,
    .to_half = to_half_avx2,
    .from_half = from_half_avx2,
    .router = router_ref,
    .silu_mul = silu_mul_avx2,
    .add = add_avx2,
    .add_scaled = add_scaled_avx2,
    .exponentials = exponentials_avx2,
    .argmax = argmax_avx2,
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
