/*
 * Speed of linear layers, beside what memory and the multipliers give.
 *
 *   linear_bench [decode] [prefill] [neighbour] [FORMAT]...
 *
 * decode: one token in vector order over more weights than caches hold: GB/s
 * of weights, its share of plain reading in the same minute, and of the same
 * kernel with weights in the second-level cache. prefill: tokens in matrix
 * order over one expert's matrix: Gop/s (a product and a sum are two).
 * neighbour: decoding in small layers on all processors, alone and beside a
 * busy process on one of them. Medians; candidates take turns.
 */
#include "config.h"

#include "base/base.h"
#include "kernels/kernels.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ROUNDS = 7,
    WIDTH = 2048,       // a hidden state
    ROWS = 1408,        // an expert's inner width
    STREAM_MB = 384,    // more than any cache
    CACHED_KB = 256,    // within the second-level cache
    CHUNK_ROWS = 32,    // a worker's chunk
    READ_AHEAD = 4096,  // bytes
    PATTERN_ROWS = 64,  // random rows, repeated
    SMALL_LAYERS = 200, // a token of a small model, for the neighbour
};

static const int32_t formats_usual[] = {
    FORMAT_Q4_0, FORMAT_Q4_1, FORMAT_Q5_0, FORMAT_Q8_0, FORMAT_Q2_K,
    FORMAT_Q3_K, FORMAT_Q4_K, FORMAT_Q5_K, FORMAT_Q6_K, FORMAT_IQ4_NL};

static struct error failure;

static void *
memory_get(size_t bytes, const char *what)
{
    void *memory;

    if (pages_alloc(&memory, bytes, what, &failure) != STATUS_OK) {
        fprintf(stderr, "linear_bench: %s\n", failure.text);
        exit(1);
    }
    return memory;
}

static uint64_t
random_next(void)
{
    static uint64_t state = 1;
    uint64_t z = state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* ---- a matrix and its activations ---- */

struct job {
    const struct kernels *kernels;
    const struct format *format;
    const uint8_t *w;
    size_t rows, row_bytes, tokens;
    struct activations a;
    void *planes;
    float *y;
    bool matrix_order;
};

/* Random bits with scales near 0.01, repeated over the whole memory. */
static void
weights_fill(const struct format *format, uint8_t *w, size_t bytes,
             size_t row_bytes)
{
    size_t some = PATTERN_ROWS * row_bytes;

    some = some < bytes ? some : bytes;
    for (size_t i = 0; i < some; i++)
        w[i] = (uint8_t) random_next();
    for (size_t b = 0; b + format->block_bytes <= some;
         b += format->block_bytes)
        for (size_t i = 0; i < format->halves; i++) {
            uint16_t half = (uint16_t) (0x2000 + random_next() % 1024);
            memcpy(w + b + format->halves_at + 2 * i, &half, sizeof half);
        }
    for (size_t at = some; at < bytes; at += some)
        memcpy(w + at, w, some < bytes - at ? some : bytes - at);
}

static void
job_open(struct job *job, const struct format *format, uint8_t *memory,
         size_t memory_bytes, size_t rows, size_t tokens, bool matrix_order)
{
    float x[WIDTH];

    *job = (struct job){.kernels = kernels_select(cpu_level()),
                        .format = format,
                        .w = memory,
                        .row_bytes = format_row_bytes(format, WIDTH),
                        .tokens = tokens,
                        .matrix_order = matrix_order};
    job->rows = rows > 0
                    ? rows
                    : memory_bytes / job->row_bytes / CHUNK_ROWS * CHUNK_ROWS;
    weights_fill(format, memory, job->rows * job->row_bytes, job->row_bytes);
    job->planes = memory_get(activations_bytes(tokens, WIDTH / 32), "planes");
    job->y = memory_get(tokens * job->rows * sizeof *job->y, "results");
    activations_place(&job->a, job->planes, tokens, WIDTH / 32, matrix_order);
    for (size_t t = 0; t < tokens; t++) {
        for (size_t i = 0; i < WIDTH; i++)
            x[i] = (float) (random_next() >> 40) * 0x1p-23f - 1.0f;
        if (!job->kernels->quantize_q8(&job->a, t, x))
            abort();
    }
}

static void
job_close(struct job *job)
{
    pages_free(job->planes, activations_bytes(job->tokens, WIDTH / 32));
    pages_free(job->y, job->tokens * job->rows * sizeof *job->y);
}

static void
job_rows(void *context, unsigned worker, size_t first, size_t count)
{
    struct job *job = context;
    linear_fn *linear = job->matrix_order ? job->kernels->linear_matrix
                                          : job->kernels->linear_vector;

    (void) worker;
    linear(job->format, job->w + first * job->row_bytes, count, &job->a,
           job->y + first, job->rows);
}

/* Reads the same bytes and keeps nothing; asking ahead, as the kernels do. */
static void
read_rows(void *context, unsigned worker, size_t first, size_t count)
{
    const struct job *job = context;
    const uint8_t *at = job->w + first * job->row_bytes;
    uint64_t sum[8] = {0};

    (void) worker;
    for (size_t i = 0; i + 64 <= count * job->row_bytes; i += 64) {
        __builtin_prefetch(at + i + READ_AHEAD);
        for (size_t k = 0; k < 8; k++) {
            uint64_t word;
            memcpy(&word, at + i + 8 * k, sizeof word);
            sum[k] ^= word;
        }
    }
    for (size_t k = 1; k < 8; k++)
        sum[0] ^= sum[k];
    *(volatile float *) (job->y + first) = (float) sum[0];
}

/* ---- time ---- */

static double
run_seconds(struct workers *workers, struct job *job, workers_fn *fn,
            size_t repeat)
{
    uint64_t start = clock_ns();

    for (size_t i = 0; i < repeat; i++)
        workers_run(workers, job->rows, CHUNK_ROWS, fn, job);
    return (double) (clock_ns() - start) * 1e-9 / (double) repeat;
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}

static double
median(double values[ROUNDS])
{
    qsort(values, ROUNDS, sizeof *values, by_value);
    return values[ROUNDS / 2];
}

/* ---- decode ---- */

static void
decode_line(const struct format *format, uint8_t *memory, unsigned threads)
{
    struct workers *workers = workers_start(threads);
    struct job big, small;
    double reading[ROUNDS], linear[ROUNDS], cached[ROUNDS];

    job_open(&big, format, memory, (size_t) STREAM_MB << 20, 0, 1, false);
    // weights of each thread in its own second-level cache
    job_open(&small, format, memory, (size_t) CACHED_KB << 10, 0, 1, false);
    for (int r = -1; r < ROUNDS; r++) {
        double seconds[3] = {run_seconds(workers, &big, read_rows, 1),
                             run_seconds(workers, &big, job_rows, 1),
                             run_seconds(workers, &small, job_rows, 100)};
        if (r < 0)
            continue; // warm
        reading[r] = (double) (big.rows * big.row_bytes) / seconds[0] * 1e-9;
        linear[r] = (double) (big.rows * big.row_bytes) / seconds[1] * 1e-9;
        cached[r] = (double) (small.rows * small.row_bytes) / seconds[2] * 1e-9;
    }
    double read = median(reading), speed = median(linear);
    double ceiling = median(cached), least = read < ceiling ? read : ceiling;
    printf("%-7s %u thread%s %6.1f GB/s  reading %5.1f (%3.0f%%)  cached %5.1f "
           "(%3.0f%%)  of the lower %3.0f%%\n",
           format->name, threads, threads > 1 ? "s" : " ", speed, read,
           100 * speed / read, ceiling, 100 * speed / ceiling,
           100 * speed / least);
    fflush(stdout);
    job_close(&big);
    job_close(&small);
    workers_stop(workers);
}

/* ---- prefill ---- */

static void
prefill_line(const struct format *format, uint8_t *memory, size_t tokens,
             unsigned threads)
{
    struct workers *workers = workers_start(threads);
    struct job job;
    double speed[ROUNDS];

    job_open(&job, format, memory, 0, ROWS, tokens, true);
    double ops = 2.0 * WIDTH * ROWS * (double) tokens;
    size_t repeat = (size_t) (6e9 / ops) + 1;
    for (int r = -1; r < ROUNDS; r++) {
        double seconds = run_seconds(workers, &job, job_rows, repeat);
        if (r >= 0)
            speed[r] = ops / seconds * 1e-9;
    }
    printf("%-7s %u thread%s %4zu tokens %6.0f Gop/s\n", format->name, threads,
           threads > 1 ? "s" : " ", tokens, median(speed));
    fflush(stdout);
    job_close(&job);
    workers_stop(workers);
}

/* ---- a neighbour ---- */

static pid_t
neighbour_start(int processor)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    sched_setaffinity(0, sizeof set, &set);
    for (volatile uint64_t i = 0;; i++)
        ;
}

/* Tokens a second of a model of small layers. */
static double
small_layers_speed(struct workers *workers, struct job *job)
{
    enum { TOKENS = 20 };
    uint64_t start = clock_ns();

    for (int i = 0; i < TOKENS * SMALL_LAYERS; i++)
        workers_run(workers, job->rows, CHUNK_ROWS, job_rows, job);
    return TOKENS / ((double) (clock_ns() - start) * 1e-9);
}

static void
neighbour_lines(const struct format *format, uint8_t *memory)
{
    struct workers *workers = workers_start(0);
    unsigned count = workers_count(workers);
    double alone[ROUNDS], beside[ROUNDS];
    struct job job;

    job_open(&job, format, memory, 0, 576, 1, false);
    for (int r = 0; r < ROUNDS; r++) {
        alone[r] = small_layers_speed(workers, &job);
        pid_t pid = neighbour_start(r % (int) count);
        beside[r] = small_layers_speed(workers, &job);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    double free_speed = median(alone), shared = median(beside);
    printf("%-7s %u threads, %d layers of %zu rows: %.1f tokens/s alone, %.1f "
           "beside a busy process on one processor (%.2f)\n",
           format->name, count, SMALL_LAYERS, job.rows, free_speed, shared,
           shared / free_speed);
    job_close(&job);
    workers_stop(workers);
}

/* ---- what was asked for ---- */

struct choice {
    bool decode, prefill, neighbour;
    const struct format *formats[64];
    size_t count;
};

static const struct format *
format_named(const char *name)
{
    for (size_t i = 0; format_at(i) != NULL; i++)
        if (strcmp(format_at(i)->name, name) == 0)
            return format_at(i);
    return NULL;
}

static bool
choice_read(struct choice *choice, int argc, char **argv)
{
    *choice = (struct choice){0};
    for (int i = 1; i < argc; i++) {
        const struct format *format = format_named(argv[i]);
        if (strcmp(argv[i], "decode") == 0)
            choice->decode = true;
        else if (strcmp(argv[i], "prefill") == 0)
            choice->prefill = true;
        else if (strcmp(argv[i], "neighbour") == 0)
            choice->neighbour = true;
        else if (format != NULL && format->contract == CONTRACT_INT8 &&
                 choice->count < 64)
            choice->formats[choice->count++] = format;
        else
            return false;
    }
    if (!choice->decode && !choice->prefill && !choice->neighbour)
        choice->decode = choice->prefill = choice->neighbour = true;
    if (choice->count == 0)
        for (size_t i = 0; i < sizeof formats_usual / sizeof *formats_usual;
             i++)
            choice->formats[choice->count++] = format_find(formats_usual[i]);
    return true;
}

int
main(int argc, char **argv)
{
    static const size_t tokens[] = {1, 8, 64, 512};
    unsigned most = cpu_count() < 2 ? 1 : 2;
    struct choice choice;

    if (!choice_read(&choice, argc, argv)) {
        fprintf(stderr, "usage: linear_bench [decode] [prefill] [neighbour] "
                        "[FORMAT]...\n");
        return 64;
    }
    size_t bytes = (size_t) STREAM_MB << 20;
    uint8_t *memory = memory_get(bytes, "weights");
    printf("level %s, width %d, medians of %d\n", cpu_level_name(cpu_level()),
           WIDTH, ROUNDS);
    for (size_t f = 0; choice.decode && f < choice.count; f++)
        for (unsigned threads = 1; threads <= most; threads++)
            decode_line(choice.formats[f], memory, threads);
    for (size_t f = 0; choice.prefill && f < choice.count; f++)
        for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
            for (unsigned threads = 1; threads <= most; threads++)
                prefill_line(choice.formats[f], memory, tokens[i], threads);
    if (choice.neighbour)
        neighbour_lines(choice.formats[0], memory);
    pages_free(memory, bytes);
    return 0;
}
