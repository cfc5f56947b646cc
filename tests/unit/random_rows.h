/* Random numbers from a printed seed, and random rows of a weight format. */
#ifndef FATHOM_TESTS_UNIT_RANDOM_ROWS_H
#define FATHOM_TESTS_UNIT_RANDOM_ROWS_H

#include "quant/quant.h"

enum {
    ROW_ELEMS = 512, // a whole number of blocks of every format
    ROW_BYTES = 2048,
    GROUP_BYTES = 2048, // of four interleaved rows
};

struct random {
    uint64_t state;
};

/* Starts from `seed` and prints it. */
struct random random_start(uint64_t seed);
uint32_t random_bits(struct random *random);
/* Evenly from -1 to 1. */
float random_unit(struct random *random);
void random_fill(struct random *random, uint8_t *bytes, size_t count);

/* Bytes of a row of ROW_ELEMS elements, or of a group of interleaved ones. */
size_t rows_bytes(const struct format *format);

/* Such a row or group of random bits, row headers being 2^-7. */
void random_rows(struct random *random, const struct format *format,
                 uint8_t *rows);

/* The same with finite scales. */
void random_finite_rows(struct random *random, const struct format *format,
                        uint8_t *rows);

#endif
