/*
 * What the checks of kernels share: TAP lines, seeded numbers, memory with
 * guards, comparison of bits and of errors against a bound. Part of the check
 * programs only. Threads: one.
 */
#ifndef FATHOM_KERNELS_CHECK_H
#define FATHOM_KERNELS_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Prints one TAP line, `sentence` being what was proved; returns `passed`. */
bool check_ok(bool passed, const char *sentence);
/* The last line; returns main's result. */
int check_done(void);

enum { CHECK_SEEDS = 100 };

/*
 * Widths around every unrolling: 1 .. 70 and some that models have; 0 after
 * the last.
 */
size_t check_width(size_t i);

/* Seeded numbers, the same everywhere. Start from {seed}. */
struct check_random {
    uint64_t state;
};

uint64_t check_bits(struct check_random *random);
size_t check_below(struct check_random *random, size_t limit);
float check_unit(struct check_random *random); // -1 .. 1
float check_normal(struct check_random *random);
void check_fill(struct check_random *random, float *x, size_t count);

/*
 * Memory whose last byte lies before a page that cannot be touched, filled
 * with 0xff (NaN as floats). check_free aborts the check when bytes before the
 * start were written.
 */
void *check_alloc(size_t bytes);
float *check_floats(size_t count);
void check_free(void *memory);

/* A sum over bytes, to see whether something was written. */
uint64_t check_sum(const void *memory, size_t bytes);

/*
 * The same bits? NaN equals NaN. Otherwise prints where they part and `what`
 * was compared.
 */
bool check_same(const float *x, const float *y, size_t count, const char *what);

/*
 * The largest error against a derived bound, over all values of a test:
 * start from {0}, add each value, and print.
 */
struct check_error {
    double most; // largest |got - want| / bound
    size_t values;
};

void check_error_add(struct check_error *error, double got, double want,
                     double bound);
/* Prints how much of the bound was used; false when it was exceeded. */
bool check_error_within(const struct check_error *error, const char *what);

#ifdef __cplusplus
}
#endif

#endif
