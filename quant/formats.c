/* The table of formats, and why other type ids are refused. */
#include "quant/quant.h"

#define HALVES(at, count) .halves_at = (at), .halves = (count)

/* Blocks of 32 against int8 activations, scales in halves. */
#define INT8(id_, name_, elems, bytes, function)                               \
    .id = (id_), .name = (name_), .block_elems = (elems),                      \
    .block_bytes = (bytes), .interleaved = 1, .holds_weights = true,           \
    .contract = CONTRACT_INT8, .block32 = (function)

#define FLOAT(id_, name_, bytes, function)                                     \
    .id = (id_), .name = (name_), .block_elems = 1, .block_bytes = (bytes),    \
    .interleaved = 1, .holds_weights = true, .contract = CONTRACT_FLOAT,       \
    .decode = (function)

/* Known, so that a reader can name them; no weight may have such a type. */
#define NO_WEIGHTS(id_, name_, bytes)                                          \
    .id = (id_), .name = (name_), .block_elems = 1, .block_bytes = (bytes),    \
    .interleaved = 1

static const struct format formats[] = {
    {FLOAT(FORMAT_F32, "F32", 4, f32_decode), .encode = f32_encode,
     .finite = f32_finite},
    {FLOAT(FORMAT_F16, "F16", 2, f16_decode), .encode = f16_encode,
     .finite = f16_finite},
    {FLOAT(FORMAT_BF16, "BF16", 2, bf16_decode), .encode = bf16_encode,
     .finite = bf16_finite},

    {INT8(FORMAT_Q4_0, "Q4_0", 32, 18, q4_0_block32), HALVES(0, 1),
     .encode = q4_0_encode},
    {INT8(FORMAT_Q4_1, "Q4_1", 32, 20, q4_1_block32), HALVES(0, 2),
     .encode = q4_1_encode},
    {INT8(FORMAT_Q5_0, "Q5_0", 32, 22, q5_0_block32), HALVES(0, 1),
     .encode = q5_0_encode},
    {INT8(FORMAT_Q5_1, "Q5_1", 32, 24, q5_1_block32), HALVES(0, 2),
     .encode = q5_1_encode},
    {INT8(FORMAT_Q8_0, "Q8_0", 32, 34, q8_0_block32), HALVES(0, 1),
     .encode = q8_0_encode},

    {INT8(FORMAT_Q2_K, "Q2_K", 256, 84, q2_k_block32), HALVES(80, 2)},
    {INT8(FORMAT_Q3_K, "Q3_K", 256, 110, q3_k_block32), HALVES(108, 1)},
    {INT8(FORMAT_Q4_K, "Q4_K", 256, 144, q4_k_block32), HALVES(0, 2)},
    {INT8(FORMAT_Q5_K, "Q5_K", 256, 176, q5_k_block32), HALVES(0, 2)},
    {INT8(FORMAT_Q6_K, "Q6_K", 256, 210, q6_k_block32), HALVES(208, 1)},

    {INT8(FORMAT_IQ4_NL, "IQ4_NL", 32, 18, iq4_nl_block32), HALVES(0, 1)},
    {INT8(FORMAT_IQ4_XS, "IQ4_XS", 256, 136, iq4_xs_block32), HALVES(0, 1)},

    {NO_WEIGHTS(FORMAT_I8, "I8", 1)},
    {NO_WEIGHTS(FORMAT_I16, "I16", 2)},
    {NO_WEIGHTS(FORMAT_I32, "I32", 4)},
    {NO_WEIGHTS(FORMAT_I64, "I64", 8)},
    {NO_WEIGHTS(FORMAT_F64, "F64", 8)},
};

enum { FORMAT_COUNT = sizeof formats / sizeof formats[0] };

const struct format *
format_at(size_t i)
{
    return i < FORMAT_COUNT ? &formats[i] : NULL;
}

const struct format *
format_find(int32_t id)
{
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        if (formats[i].id == id)
            return &formats[i];
    return NULL;
}

const char *
format_refusal(int32_t id)
{
    switch (id) {
    case 4:  // Q4_2
    case 5:  // Q4_3
    case 31: // Q4_0_4_4
    case 32: // Q4_0_4_8
    case 33: // Q4_0_8_8
    case 36: // IQ4_NL_4_4
    case 37: // IQ4_NL_4_8
    case 38: // IQ4_NL_8_8
        return "was removed from ggml; download a current quantization of the "
               "model";
    case 9:  // Q8_1
    case 15: // Q8_K
        return "is a type of activations, not of weights";
    default:
        return "is not a type that fathom knows";
    }
}

size_t
format_row_bytes(const struct format *format, size_t elems)
{
    return format->header_bytes +
           elems / format->block_elems * format->block_bytes;
}
