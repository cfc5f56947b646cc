/*
 * Floating-point formats and conversions.
 *
 *   F32   1 sign, 8 exponent, 23 mantissa bits
 *   F16   1 sign, 5 exponent, 10 mantissa bits (IEEE half precision)
 *   BF16  the upper half of an F32
 *
 * Every value of F16 and BF16 is a binary32 value.
 */
#ifndef FATHOM_QUANT_FLOATS_H
#define FATHOM_QUANT_FLOATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

float half_to_float(uint16_t half);
uint16_t float_to_half(float value); // nearest, ties to even; overflow: inf
float bfloat16_to_float(uint16_t bits);
uint16_t float_to_bfloat16(float value); // nearest, ties to even

void f32_decode(const uint8_t *row, float *out, size_t elems);
void f16_decode(const uint8_t *row, float *out, size_t elems);
void bf16_decode(const uint8_t *row, float *out, size_t elems);

/* One element; block is the element's bytes. */
void f32_encode(const float *in, void *block);
void f16_encode(const float *in, void *block);
void bf16_encode(const float *in, void *block);

/* True when all of `count` elements are finite. */
bool f32_finite(const uint8_t *blocks, size_t count);
bool f16_finite(const uint8_t *blocks, size_t count);
bool bf16_finite(const uint8_t *blocks, size_t count);

#endif
