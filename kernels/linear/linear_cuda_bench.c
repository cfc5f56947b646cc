/*
 * How fast linear layers are on the device that the program is linked for.
 *
 *   linear_cuda_bench           copy, then each format in both orders
 *   linear_cuda_bench few       small shapes, to try the program
 *   linear_cuda_bench device    names the device and ends
 *
 * A product reads its weights once, so its ceiling in vector order is what a
 * copy on the device moves (bytes read and written). Each launch has other
 * weights, from more memory than twice the cache; medians of rounds.
 */
#include "config.h"

#include "kernels/check_cuda.h"
#include "kernels/linear/linear_cuda.h"
#include "kernels/linear/linear_sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MAX = 20 };

static struct check_random rng = {1};
static struct cudaDeviceProp device;
static cudaEvent_t began, ended;
static bool few;
static double copy_rate; // GB/s

static size_t
rounds(void)
{
    return few ? 3 : ROUNDS_MAX;
}

/* ---- time ---- */

static int
by_size(const void *a, const void *b)
{
    const float *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Work that a round repeats `times` times, the i-th with its own operands. */
typedef void work_fn(const void *what, size_t i);

static void
round_run(work_fn *work, const void *what, size_t times)
{
    for (size_t i = 0; i < times; i++)
        work(what, i);
    check_cuda(cudaGetLastError(), "launch");
}

/* The median time of one piece of work, in seconds. */
static double
seconds_of(work_fn *work, const void *what, size_t times)
{
    float ms[ROUNDS_MAX];

    round_run(work, what, times); // warms up
    for (size_t r = 0; r < rounds(); r++) {
        check_cuda(cudaEventRecord(began, NULL), "event");
        round_run(work, what, times);
        check_cuda(cudaEventRecord(ended, NULL), "event");
        check_cuda(cudaEventSynchronize(ended), "kernel");
        check_cuda(cudaEventElapsedTime(&ms[r], began, ended), "time");
    }
    qsort(ms, rounds(), sizeof *ms, by_size);
    return (double) ms[rounds() / 2] / 1e3 / (double) times;
}

/* ---- the ceiling ---- */

struct copy {
    char *from, *to;
    size_t bytes;
};

static void
copy_run(const void *what, size_t i)
{
    const struct copy *copy = what;

    (void) i;
    check_cuda(cudaMemcpyAsync(copy->to, copy->from, copy->bytes,
                               cudaMemcpyDeviceToDevice, NULL),
               "copy");
}

static void
copy_measure(void)
{
    size_t bytes = few ? (size_t) 1 << 20 : (size_t) 1 << 30;
    struct copy copy = {check_cuda_alloc(bytes), check_cuda_alloc(bytes),
                        bytes};

    copy_rate = 2 * (double) bytes / seconds_of(copy_run, &copy, 3) / 1e9;
    printf("copy on the device, %zu MiB: %.0f GB/s read and written\n",
           bytes >> 20, copy_rate);
    check_cuda(cudaFree(copy.from), "cudaFree");
    check_cuda(cudaFree(copy.to), "cudaFree");
}

/* ---- linear layers ---- */

struct layer {
    const struct format *format;
    size_t rows, width, tokens;
    bool matrix_order;

    uint8_t *w; // `copies` matrices, `stride` bytes apart
    size_t copies, stride;
    struct activations a;
    void *planes;
    float *y;
};

static size_t
weights_bytes(const struct layer *l)
{
    return l->rows * format_row_bytes(l->format, l->width);
}

static void
weights_upload(struct layer *l)
{
    size_t bytes = weights_bytes(l);
    size_t spread = 2 * (size_t) device.l2CacheSize + bytes;
    uint8_t *w = check_alloc(bytes);

    l->stride = (bytes + 255) / 256 * 256;
    l->copies = few ? 2 : (spread + l->stride - 1) / l->stride + 1;
    l->w = check_cuda_alloc(l->copies * l->stride);
    linear_sample_weights(&rng, l->format, w, l->rows, l->width, WEIGHTS_USUAL);
    for (size_t i = 0; i < l->copies; i++)
        check_cuda(
            cudaMemcpy(l->w + i * l->stride, w, bytes, cudaMemcpyHostToDevice),
            "copy of weights");
    check_free(w);
}

static void
activations_upload(struct layer *l)
{
    const uint32_t zero = 0;
    size_t count = l->tokens * l->width;
    float *x = check_floats(count);

    linear_sample_values(&rng, x, count, VALUES_NORMAL);
    float *device_x = check_cuda_copy(x, count * sizeof *x);
    uint32_t *broken = check_cuda_copy(&zero, sizeof zero);
    l->planes = check_cuda_alloc(activations_bytes(l->tokens, l->width / 32));
    activations_place_cuda(&l->a, l->planes, l->tokens, l->width / 32,
                           l->matrix_order, NULL);
    quantize_q8_cuda(&l->a, device_x, l->width, broken, NULL);
    check_cuda(cudaDeviceSynchronize(), "rounding");
    check_cuda(cudaFree(device_x), "cudaFree");
    check_cuda(cudaFree(broken), "cudaFree");
    check_free(x);
}

static void
layer_run(const void *what, size_t i)
{
    const struct layer *l = what;

    (l->matrix_order ? linear_matrix_cuda : linear_vector_cuda)(
        l->format, l->w + i % l->copies * l->stride, l->rows, &l->a, l->y,
        l->rows, NULL);
}

static void
layer_print(const struct layer *l, double seconds)
{
    double rate = (double) weights_bytes(l) / seconds / 1e9;
    double operations = 2 * (double) (l->rows * l->width * l->tokens);

    printf("%-5s %6zu x %-6zu %4zu %-7s %9.1f us %7.0f GB/s %3.0f %% of copy "
           "%9.2f Top/s\n",
           l->format->name, l->rows, l->width, l->tokens,
           l->matrix_order ? "prompt" : "decoded", seconds * 1e6, rate,
           100 * rate / copy_rate, operations / seconds / 1e12);
    fflush(stdout);
}

static void
layer_measure(struct layer l)
{
    if (l.width % l.format->block_elems != 0)
        return;
    weights_upload(&l);
    activations_upload(&l);
    l.y = check_cuda_alloc(l.tokens * l.rows * sizeof *l.y);
    layer_print(&l, seconds_of(layer_run, &l, l.matrix_order ? 4 : 16));
    check_cuda(cudaFree(l.w), "cudaFree");
    check_cuda(cudaFree(l.planes), "cudaFree");
    check_cuda(cudaFree(l.y), "cudaFree");
}

/* Expert, projection, dense layer and output of V2-Lite; dense of V3. */
static void
format_measure(const struct format *format)
{
    static const struct {
        size_t rows, width;
    } shapes[] = {
        {1408, 2048},  {2048, 1408},   {2048, 2048},
        {10944, 2048}, {102400, 2048}, {18432, 7168},
    };
    const size_t count = sizeof shapes / sizeof *shapes;

    if (few) {
        layer_measure(
            (struct layer){format, 40, 512, 1, .matrix_order = false});
        layer_measure((struct layer){format, 40, 512, 9, .matrix_order = true});
        return;
    }
    for (size_t i = 0; i < count; i++)
        layer_measure((struct layer){format, shapes[i].rows, shapes[i].width, 1,
                                     .matrix_order = false});
    layer_measure((struct layer){format, 10944, 2048, LINEAR_VECTOR_MAX,
                                 .matrix_order = false});
    layer_measure(
        (struct layer){format, 10944, 2048, 512, .matrix_order = true});
}

int
main(int argc, char **argv)
{
    if (!check_cuda_device())
        return CHECK_SKIPPED;
    if (argc > 1 && strcmp(argv[1], "device") == 0)
        return 0;
    few = argc > 1 && strcmp(argv[1], "few") == 0;
    check_cuda(cudaGetDeviceProperties(&device, 0), "device");
    check_cuda(cudaEventCreateWithFlags(&began, 0), "event");
    check_cuda(cudaEventCreateWithFlags(&ended, 0), "event");
    copy_measure();
    for (size_t i = 0; format_at(i) != NULL; i++)
        if (linear_cuda_has(format_at(i)))
            format_measure(format_at(i));
    check_cuda(cudaEventDestroy(began), "event");
    check_cuda(cudaEventDestroy(ended), "event");
    return 0;
}
