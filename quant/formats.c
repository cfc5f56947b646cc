/* The table of formats, and why other type ids are refused. */
#include "quant/quant.h"

/* What starts a row of the table: elements and bytes a block. */
#define FORMAT(name_, elems, bytes)                                            \
    .id = FORMAT_##name_, .name = #name_, .block_elems = (elems),              \
    .block_bytes = (bytes)

#define WEIGHTS(contract_, rows)                                               \
    .holds_weights = true, .contract = (contract_), .interleaved = (rows)

/* Values used as they are. */
#define FLOAT(name, bytes) FORMAT(name, 1, bytes), WEIGHTS(CONTRACT_FLOAT, 1)

/* Blocks of 32 against int8 activations. */
#define INT8(name, elems, bytes, function)                                     \
    FORMAT(name, elems, bytes), WEIGHTS(CONTRACT_INT8, 1), .block32 = (function)

/* Not covered by the contract yet. */
#define DECODED(name, elems, bytes, function)                                  \
    FORMAT(name, elems, bytes), WEIGHTS(CONTRACT_NONE, 1), .decode = (function)

/* Four rows together; sizes are those of one row. */
#define INTERLEAVED(name, plain, elems, bytes, function)                       \
    FORMAT(name, elems, bytes), WEIGHTS(CONTRACT_INT8, 4),                     \
        .plain_id = FORMAT_##plain, .unpack = (function)

/* Known, so that a reader can name them; no weight may have such a type. */
#define NO_WEIGHTS(name, bytes) FORMAT(name, 1, bytes), .interleaved = 1

/* Half-precision scales: the first byte in a block, and how many. */
#define HALVES(at, count) .halves_at = (at), .halves = (count)

static const struct format formats[] = {
    {FLOAT(F32, 4), .decode = f32_decode, .encode = f32_encode,
     .finite = f32_finite},
    {FLOAT(F16, 2), .decode = f16_decode, .encode = f16_encode,
     .finite = f16_finite},
    {FLOAT(BF16, 2), .decode = bf16_decode, .encode = bf16_encode,
     .finite = bf16_finite},

    {INT8(Q4_0, 32, 18, q4_0_block32), HALVES(0, 1), .encode = q4_0_encode},
    {INT8(Q4_1, 32, 20, q4_1_block32), HALVES(0, 2), .encode = q4_1_encode},
    {INT8(Q5_0, 32, 22, q5_0_block32), HALVES(0, 1), .encode = q5_0_encode},
    {INT8(Q5_1, 32, 24, q5_1_block32), HALVES(0, 2), .encode = q5_1_encode},
    {INT8(Q8_0, 32, 34, q8_0_block32), HALVES(0, 1), .encode = q8_0_encode},

    {INT8(Q2_K, 256, 84, q2_k_block32), HALVES(80, 2)},
    {INT8(Q3_K, 256, 110, q3_k_block32), HALVES(108, 1)},
    {INT8(Q4_K, 256, 144, q4_k_block32), HALVES(0, 2)},
    {INT8(Q5_K, 256, 176, q5_k_block32), HALVES(0, 2)},
    {INT8(Q6_K, 256, 210, q6_k_block32), HALVES(208, 1)},

    {INT8(IQ1_S, 256, 50, iq1_s_block32), HALVES(0, 1)},
    {INT8(IQ1_M, 256, 56, iq1_m_block32), .finite = iq1_m_finite},
    {INT8(IQ2_XXS, 256, 66, iq2_xxs_block32), HALVES(0, 1)},
    {INT8(IQ2_XS, 256, 74, iq2_xs_block32), HALVES(0, 1)},
    {INT8(IQ2_S, 256, 82, iq2_s_block32), HALVES(0, 1)},
    {INT8(IQ3_XXS, 256, 98, iq3_xxs_block32), HALVES(0, 1)},
    {INT8(IQ3_S, 256, 110, iq3_s_block32), HALVES(0, 1)},
    {INT8(IQ4_NL, 32, 18, iq4_nl_block32), HALVES(0, 1)},
    {INT8(IQ4_XS, 256, 136, iq4_xs_block32), HALVES(0, 1)},

    {INT8(TQ1_0, 256, 54, tq1_0_block32), HALVES(52, 1)},
    {INT8(TQ2_0, 256, 66, tq2_0_block32), HALVES(64, 1)},
    {INT8(Q1_0, 128, 18, q1_0_block32), HALVES(0, 1)},
    {INT8(Q2_0, 64, 18, q2_0_block32), HALVES(0, 1)},
    {INT8(MXFP4, 32, 17, mxfp4_block32), .finite = mxfp4_finite},
    {DECODED(NVFP4, 64, 36, nvfp4_decode)}, // every scale byte is finite

    {INT8(Q6_0, 32, 26, q6_0_block32), HALVES(0, 1)},
    {INT8(IQ2_K, 256, 76, iq2_k_block32), HALVES(0, 1)},
    {INT8(IQ3_K, 256, 110, iq3_k_block32), HALVES(0, 1)},
    {INT8(IQ4_K, 256, 144, iq4_k_block32), HALVES(0, 1)},
    {INT8(IQ5_K, 256, 176, iq5_k_block32), HALVES(0, 1)},
    {DECODED(IQ6_K, 256, 212, iq6_k_decode), HALVES(0, 1)},
    {INT8(IQ2_KS, 256, 70, iq2_ks_block32), .header_bytes = 2},
    {INT8(IQ2_KL, 256, 86, iq2_kl_block32), .header_bytes = 2},
    {INT8(IQ3_KS, 256, 102, iq3_ks_block32), .header_bytes = 2},
    {INT8(IQ4_KS, 256, 136, iq4_ks_block32), .header_bytes = 4},
    {INT8(IQ4_KSS, 256, 128, iq4_kss_block32), .header_bytes = 4},
    {INT8(IQ5_KS, 256, 168, iq5_ks_block32), .header_bytes = 4},
    {INT8(IQ1_KT, 256, 56, iq1_kt_block32), .header_bytes = 4},
    {INT8(IQ2_KT, 256, 68, iq2_kt_block32), .header_bytes = 4},
    {INT8(IQ3_KT, 256, 100, iq3_kt_block32), .header_bytes = 4,
     .decode = iq3_kt_decode},
    {INT8(IQ4_KT, 256, 128, iq4_kt_block32), .header_bytes = 4},

    {INTERLEAVED(Q2_K_R4, Q2_K, 256, 84, q2_k_r4_unpack), HALVES(0, 8)},
    {INTERLEAVED(Q3_K_R4, Q3_K, 256, 110, q3_k_r4_unpack), HALVES(0, 4)},
    {INTERLEAVED(Q4_K_R4, Q4_K, 256, 144, q4_k_r4_unpack), HALVES(0, 8)},
    {INTERLEAVED(Q5_K_R4, Q5_K, 256, 176, q5_k_r4_unpack), HALVES(0, 8)},
    {INTERLEAVED(Q6_K_R4, Q6_K, 256, 210, q6_k_r4_unpack), HALVES(0, 4)},
    {INTERLEAVED(IQ2_K_R4, IQ2_K, 256, 76, iq2_k_r4_unpack), HALVES(0, 4)},
    {INTERLEAVED(IQ3_K_R4, IQ3_K, 256, 110, iq3_k_r4_unpack), HALVES(0, 4)},
    {INTERLEAVED(IQ4_K_R4, IQ4_K, 256, 144, iq4_k_r4_unpack), HALVES(0, 4)},
    {INTERLEAVED(IQ5_K_R4, IQ5_K, 256, 176, iq5_k_r4_unpack), HALVES(0, 4)},
    {INTERLEAVED(IQ4_KS_R4, IQ4_KS, 256, 136, iq4_ks_r4_unpack),
     .header_bytes = 4},
    {INTERLEAVED(IQ5_KS_R4, IQ5_KS, 256, 168, iq5_ks_r4_unpack),
     .header_bytes = 4},
    {INTERLEAVED(IQ1_S_R4, IQ1_S_R1, 32, 6, iq1_s_r4_unpack),
     .header_bytes = 2},
    {INTERLEAVED(IQ1_M_R4, IQ1_M_R1, 32, 7, iq1_m_r4_unpack),
     .header_bytes = 2},
    {INT8(IQ1_S_R1, 32, 6, iq1_s_r1_block32), .header_bytes = 2},
    {INT8(IQ1_M_R1, 32, 7, iq1_m_r1_block32), .header_bytes = 2},

    {NO_WEIGHTS(I8, 1)},
    {NO_WEIGHTS(I16, 2)},
    {NO_WEIGHTS(I32, 4)},
    {NO_WEIGHTS(I64, 8)},
    {NO_WEIGHTS(F64, 8)},
};

enum { FORMAT_COUNT = sizeof formats / sizeof formats[0] };

const struct format *
format_at(size_t i)
{
    return i < FORMAT_COUNT ? &formats[i] : NULL;
}

static const struct format *
row_find(int32_t id)
{
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        if (formats[i].id == id)
            return &formats[i];
    return NULL;
}

const struct format *
format_find(int32_t id)
{
    return id < 0 ? NULL : row_find(id);
}

const struct format *
format_plain(const struct format *format)
{
    return format->interleaved == 1 ? format : row_find(format->plain_id);
}

size_t
format_row_bytes(const struct format *format, size_t elems)
{
    return format->header_bytes +
           elems / format->block_elems * format->block_bytes;
}

/* ---- ids that are not in the table ---- */

#define REMOVED                                                                \
    "was removed from ggml; download a current quantization of the model"
#define ACTIVATIONS "is a type of activations, not of weights"
#define NOT_READ(name)                                                         \
    "is " name ", an interleaved type that fathom does not read; download "    \
    "the model in the type without _R"

static const struct {
    int32_t id;
    const char *text;
} refusals[] = {
    {4, REMOVED},      // Q4_2
    {5, REMOVED},      // Q4_3
    {9, ACTIVATIONS},  // Q8_1
    {15, ACTIVATIONS}, // Q8_K
    {31, REMOVED},     // Q4_0_4_4
    {32, REMOVED},     // Q4_0_4_8
    {33, REMOVED},     // Q4_0_8_8
    {36, REMOVED},     // IQ4_NL_4_4
    {37, REMOVED},     // IQ4_NL_4_8
    {38, REMOVED},     // IQ4_NL_8_8
    {202, NOT_READ("Q4_0_R8")},
    {206, NOT_READ("Q5_0_R4")},
    {208, NOT_READ("Q8_0_R8")},
    {216, NOT_READ("IQ2_XXS_R4")},
    {217, NOT_READ("IQ2_XS_R4")},
    {218, NOT_READ("IQ3_XXS_R4")},
    {220, NOT_READ("IQ4_NL_R4")},
    {221, NOT_READ("IQ3_S_R4")},
    {222, NOT_READ("IQ2_S_R4")},
    {223, NOT_READ("IQ4_XS_R8")},
    {230, NOT_READ("BF16_R16")},
    {233, NOT_READ("Q6_0_R4")},
    {399, NOT_READ("Q8_K_R8")},
};

const char *
format_refusal(int32_t id)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        if (refusals[i].id == id)
            return refusals[i].text;
    return "is not a type that fathom knows";
}
