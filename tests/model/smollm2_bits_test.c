/*
 * The arithmetic contract on real rows and activations, to the bit: three
 * tensors of SmolLM2-135M-Instruct with what goes into them. The golden was
 * made by plain C that is no part of this project.
 */
#include "config.h"

#include "engine/engine.h"
#include "kernels/kernels.h"
#include "tests/model/golden.h"
#include "tests/model/tap_report.h"
#include "tests/model/smollm2.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 64, TOKENS = 12 };

static struct error failure;

static void
must(enum status status)
{
    if (status != STATUS_OK) {
        printf("Bail out! %s\n", failure.text);
        exit(99);
    }
}

static void *
memory_get(size_t bytes)
{
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);

    if (memory == NULL) {
        printf("Bail out! no memory\n");
        exit(99);
    }
    return memory;
}

/* The first rows of a tensor and its goldens. */
struct subject {
    const char *name;
    const struct kernels *kernels;
    const struct format *format;
    uint8_t *w;
    size_t width;
    const float *x, *d, *vector, *matrix;
    const int32_t *q;
};

static const void *
golden_words(const struct golden *golden, const char *tensor, const char *what,
             size_t rows, size_t *width)
{
    char name[80];

    snprintf(name, sizeof name, "bits.%s.%s", tensor, what);
    const struct golden_tensor *found = golden_find(golden, name);
    if (found == NULL || found->rows != rows ||
        (*width > 0 && found->width != *width)) {
        printf("Bail out! the golden has no %s of the right shape\n", name);
        exit(99);
    }
    *width = found->width;
    return found->words;
}

static void
rows_read(struct subject *s, const struct gguf *gguf)
{
    char name[80];

    snprintf(name, sizeof name, "%s.weight", s->name);
    const struct gguf_tensor *tensor = gguf_tensor_find(gguf, name);
    if (tensor == NULL || tensor->extent[0] != s->width ||
        tensor->extent[1] < ROWS) {
        printf("Bail out! the model has no %s of the right shape\n", name);
        exit(99);
    }
    size_t bytes = ROWS * format_row_bytes(tensor->format, s->width);
    int file = open(gguf_shard_path(gguf, tensor->shard), O_RDONLY | O_CLOEXEC);
    s->format = tensor->format;
    s->w = memory_get(bytes);
    if (file < 0 || pread(file, s->w, bytes, (off_t) tensor->offset_bytes) !=
                        (ssize_t) bytes) {
        printf("Bail out! cannot read %s\n", name);
        exit(99);
    }
    close(file);
}

static void
subject_open(struct subject *s, const struct golden *golden,
             const struct gguf *gguf, const char *name)
{
    size_t rows = ROWS, blocks;

    *s = (struct subject){.name = name};
    s->x = golden_words(golden, name, "x", TOKENS, &s->width);
    s->q = golden_words(golden, name, "q", TOKENS, &s->width);
    blocks = s->width / 32;
    s->d = golden_words(golden, name, "d", TOKENS, &blocks);
    s->vector = golden_words(golden, name, "vector", LINEAR_VECTOR_MAX, &rows);
    s->matrix = golden_words(golden, name, "matrix", TOKENS, &rows);
    rows_read(s, gguf);
}

static void *
rounded(const struct subject *s, struct activations *a, size_t tokens,
        bool matrix_order)
{
    void *planes = memory_get(activations_bytes(tokens, s->width / 32));
    bool finite = true;

    activations_place(a, planes, tokens, s->width / 32, matrix_order);
    for (size_t t = 0; t < tokens; t++)
        finite = s->kernels->quantize_q8(a, t, s->x + t * s->width) && finite;
    if (!finite)
        printf("# a value is not finite\n");
    return planes;
}

static void
rounding_agrees(const struct subject *s, bool matrix_order)
{
    struct activations a;
    void *planes = rounded(s, &a, TOKENS, matrix_order);
    size_t differing = 0;

    for (size_t t = 0; t < TOKENS; t++)
        for (size_t i = 0; i < s->width / 32; i++) {
            size_t k = t * a.token_stride + i * a.block_stride;
            differing +=
                memcmp(&a.d[k], &s->d[t * s->width / 32 + i], sizeof *a.d) != 0;
            for (size_t j = 0; j < 32; j++)
                differing += a.q[activation_half(&a, k, j / 16) + j % 16] !=
                             s->q[t * s->width + 32 * i + j];
        }
    report(differing == 0,
           "%s, level %s: what goes in rounds to the golden's "
           "bits in %s order (%zu differ)",
           s->name, cpu_level_name(s->kernels->level),
           matrix_order ? "matrix" : "vector", differing);
    free(planes);
}

static void
product_agrees(const struct subject *s, size_t tokens, bool matrix_order)
{
    const float *want = matrix_order ? s->matrix : s->vector;
    float *y = memory_get(tokens * ROWS * sizeof *y);
    struct activations a;
    void *planes = rounded(s, &a, tokens, matrix_order);
    size_t differing = 0;

    (matrix_order ? s->kernels->linear_matrix : s->kernels->linear_vector)(
        s->format, s->w, ROWS, &a, y, ROWS);
    for (size_t i = 0; i < tokens * ROWS; i++)
        differing += memcmp(&y[i], &want[i], sizeof *y) != 0;
    report(differing == 0,
           "%s (%s), level %s: %zu rows times %zu tokens give "
           "the golden's bits in %s order (%zu differ)",
           s->name, s->format->name, cpu_level_name(s->kernels->level),
           (size_t) ROWS, tokens, matrix_order ? "matrix" : "vector",
           differing);
    free(planes);
    free(y);
}

static void
subject_agrees(struct subject *s)
{
    for (enum cpu_level level = CPU_REF; level <= cpu_level(); level++) {
        s->kernels = kernels_select(level);
        rounding_agrees(s, false);
        rounding_agrees(s, true);
        product_agrees(s, 1, false);
        product_agrees(s, LINEAR_VECTOR_MAX, false);
        product_agrees(s, TOKENS, true);
    }
}

int
main(void)
{
    static const char *const names[] = {"blk.0.attn_q", "blk.12.ffn_down",
                                        "token_embd"};
    const char *built = getenv("top_builddir");
    char path[4096], folder[4096];
    struct golden *golden;
    struct gguf *gguf;

    if (!smollm2_path(path, sizeof path)) {
        report_skip(SMOLLM2_ABSENT, "real rows give the bits of a golden");
        return report_end();
    }
    snprintf(folder, sizeof folder, "%s/tests/data/smollm2",
             built != NULL ? built : ".");
    must(golden_open(&golden, folder, &failure));
    must(gguf_open(&gguf, path, &failure));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct subject subject;
        subject_open(&subject, golden, gguf, names[i]);
        subject_agrees(&subject);
        free(subject.w);
    }
    gguf_close(gguf);
    golden_close(golden);
    return report_end();
}
