/*
 * activation_cuda.h's promises, on the device that the program is linked for:
 * the bits of the references, in place too, and nothing else touched.
 */
#include "config.h"

#include "kernels/activation/activation.h"
#include "kernels/activation/activation_cuda.h"
#include "kernels/check_cuda.h"
#include "kernels/exponential_cuda.h"

#include <stdio.h>

namespace {

struct check_random rng = {1};

/* Every float of some pattern: all exponents, both signs. */
float
any_float(void)
{
    uint32_t bits = (uint32_t) check_bits(&rng);
    float x;

    memcpy(&x, &bits, sizeof x);
    return isfinite(x) ? x : 0;
}

/* Around the middle between two powers of two, where n is rounded to even. */
float
halfway_float()
{
    const double ln2 = 0.69314718055994531;
    double n = (double) check_below(&rng, 250) - 125;
    float x = (float) ((n + 0.5) * ln2);

    for (size_t steps = check_below(&rng, 3); steps > 0; steps--)
        x = nextafterf(x, check_below(&rng, 2) != 0 ? 200.0f : -200.0f);
    return x;
}

/* Where the exponential neither vanishes nor overflows, and past its ends. */
void
arguments_make(float *x, size_t count)
{
    static const float special[] = {0.0f,      -0.0f,   EXP_LO,     EXP_HI,
                                    -EXP_LO,   -EXP_HI, 0x1p-126f,  0x1p-149f,
                                    HUGE_VALF, 88.29f,  -HUGE_VALF, (float) NAN,
                                    1.0f,      -1.0f};
    const size_t specials = sizeof special / sizeof *special;

    for (size_t i = 0; i < count; i++)
        if (i < specials)
            x[i] = special[i];
        else if (i % 4 == 0)
            x[i] = any_float();
        else
            x[i] = i % 4 == 1 ? halfway_float() : 95 * check_unit(&rng);
}

__global__ void
exp_kernel(float *y, size_t count)
{
    size_t i = (size_t) blockIdx.x * 256 + threadIdx.x;

    if (i < count)
        y[i] = device_exp_c(y[i]);
}

float *
floats_copy(const float *x, size_t count)
{
    return static_cast<float *>(check_cuda_copy(x, count * sizeof *x));
}

bool
exponential_is_the_reference(size_t count)
{
    float *x = check_floats(count), *want = check_floats(count),
          *got = check_floats(count);

    arguments_make(x, count);
    for (size_t i = 0; i < count; i++)
        want[i] = exp_c(x[i]);
    float *y = floats_copy(x, count);
    LAUNCH(exp_kernel, (unsigned) (count + 255) / 256, 256, 0, nullptr, y,
           count);
    check_cuda_read(got, y, count * sizeof *got);
    bool same = check_same(got, want, count, "exp_c");
    check_cuda(cudaFree(y), "cudaFree");
    check_free(x);
    check_free(want);
    check_free(got);
    return same;
}

/* One float more than `count` on each side must stay 0xff. */
bool
silu_mul_is_the_reference(size_t count, bool in_place)
{
    size_t bytes = (count + 2) * sizeof(float);
    float *g = check_floats(count + 2), *u = check_floats(count + 2),
          *want = check_floats(count + 2), *got = check_floats(count + 2);

    arguments_make(g + 1, count);
    arguments_make(u + 1, count);
    silu_mul_ref(want + 1, g + 1, u + 1, count);
    float *device_g = floats_copy(g, count + 2);
    float *device_u = floats_copy(u, count + 2);
    float *h =
        in_place ? device_g : static_cast<float *>(check_cuda_alloc(bytes));
    silu_mul_cuda(h + 1, device_g + 1, device_u + 1, count, nullptr);
    check_cuda_read(got, h, bytes);
    bool same = check_same(got, want, count + 2, "silu_mul");
    same = same && isnan(got[0]) && isnan(got[count + 1]);
    if (!in_place)
        check_cuda(cudaFree(h), "cudaFree");
    check_cuda(cudaFree(device_g), "cudaFree");
    check_cuda(cudaFree(device_u), "cudaFree");
    check_free(g);
    check_free(u);
    check_free(want);
    check_free(got);
    return same;
}

} // namespace

int
main()
{
    static const size_t counts[] = {1, 31, 32, 255, 256, 257, 1408, 40000};
    bool same = true;

    if (!check_cuda_device())
        return CHECK_SKIPPED;
    printf("# seed %llu\n", (unsigned long long) rng.state);
    check_ok(exponential_is_the_reference(200000),
             "the_exponential_has_the_bits_of_the_reference");
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (int in_place = 0; in_place < 2; in_place++)
            same = same && silu_mul_is_the_reference(counts[i], in_place != 0);
    check_ok(same, "silu_mul_has_the_bits_of_the_reference");
    return check_done();
}
