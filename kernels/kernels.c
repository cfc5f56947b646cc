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
    .argmax = argmax_ref,
};

#ifdef HAVE_AVX2
static const struct kernels avx2 = {
    .level = CPU_AVX2,
    .quantize_q8 = quantize_q8_avx2,
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
    .argmax = argmax_ref,
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
