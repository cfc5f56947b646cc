/* The CPU device: memory, failures, the table of operations. */
#include "config.h"

#include "engine/device/device_cpu.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* In multiplications; 16 of them take about a nanosecond. */
enum {
    SMALL_WORK = 32 * 1024,       // not worth a second worker
    CHUNK_LEAST = 32 * 1024,      // claiming a chunk must not be felt
    CHUNK_MOST = 8 * 1024 * 1024, // nor the wait for the last one
    CHUNKS_PER_WORKER = 4,
};

const char not_finite[] = "the numbers stopped being finite";

void
device_cpu_run(struct device_cpu *cpu, size_t rows, size_t grain, size_t cost,
               workers_fn *fn, void *context)
{
    if (rows == 0)
        return;
    if (cpu->share_all) {
        workers_run(cpu->workers, rows, grain, fn, context);
        return;
    }
    if (cpu->threads == 1 || rows <= grain || rows * cost < SMALL_WORK) {
        fn(context, 0, 0, rows);
        return;
    }
    size_t fair = rows / (cpu->threads * (size_t) CHUNKS_PER_WORKER);
    size_t least = CHUNK_LEAST / (cost + 1), most = CHUNK_MOST / (cost + 1);
    size_t chunk = fair > least ? fair : least;
    if (chunk > most)
        chunk = most;
    chunk = (chunk + grain - 1) / grain * grain;
    workers_run(cpu->workers, rows, chunk > 0 ? chunk : grain, fn, context);
}

// -- failures ----------------------------------------------------------------

void
device_cpu_fail(struct device_cpu *cpu, const struct error *err)
{
    if (cpu->failed != STATUS_OK)
        return;
    cpu->failed = err->status;
    cpu->failure = *err;
}

void
device_cpu_check(struct device_cpu *cpu, const struct step *step,
                 const char *what)
{
    struct error err;
    int64_t row = INT64_MAX;

    for (unsigned w = 0; w < cpu->threads; w++) {
        int64_t *bad = &cpu->bad[w * BAD_STRIDE];

        if (*bad < row)
            row = *bad;
        *bad = INT64_MAX;
    }
    if (row == INT64_MAX)
        return;
    int64_t position = step->state->position + (int64_t) step->first + row;
    error_fill(&err, STATUS_DEVICE,
               "%s in layer %" PRIu32 " at position %" PRId64, what,
               step->layer, position);
    device_cpu_fail(cpu, &err);
}

// -- memory ------------------------------------------------------------------

static enum status
cpu_alloc(struct device *device, void **out, size_t bytes, const char *what,
          struct error *err)
{
    (void) device;
    return pages_alloc(out, bytes, what, err);
}

static void
cpu_release(struct device *device, void *memory, size_t bytes)
{
    (void) device;
    pages_free(memory, bytes);
}

static void
cpu_copy(struct device *device, void *to, const void *from, size_t bytes)
{
    (void) device;
    memcpy(to, from, bytes);
}

static enum status
cpu_wait(struct device *device, struct error *err)
{
    struct device_cpu *cpu = device_cpu(device);
    enum status status = cpu->failed;

    if (status != STATUS_OK)
        *err = cpu->failure;
    cpu->failed = STATUS_OK;
    return status;
}

static uint64_t
cpu_reserve_bytes(const struct device *device, const struct shape *shape,
                  size_t tokens, size_t context)
{
    const struct device_cpu *cpu = (const struct device_cpu *) device;
    struct scratch_limits limits = {0};
    struct scratch scratch;

    scratch_limits_join(&limits, shape, tokens, context);
    scratch_place(&scratch, NULL, &limits, cpu->threads);
    return scratch.bytes;
}

static enum status
cpu_reserve(struct device *device, const struct shape *shape, size_t tokens,
            size_t context, struct error *err)
{
    struct device_cpu *cpu = device_cpu(device);
    struct scratch_limits limits = cpu->limits;
    struct scratch scratch;
    void *memory;

    scratch_limits_join(&limits, shape, tokens, context);
    scratch_place(&scratch, NULL, &limits, cpu->threads);
    if (scratch.bytes <= cpu->scratch.bytes &&
        memcmp(&limits, &cpu->limits, sizeof limits) == 0)
        return STATUS_OK;
    TRY(pages_alloc(&memory, scratch.bytes, "scratch memory", err));
    pages_free(cpu->scratch_memory, cpu->scratch.bytes);
    cpu->scratch_memory = memory;
    cpu->limits = limits;
    scratch_place(&cpu->scratch, memory, &limits, cpu->threads);
    return STATUS_OK;
}

static void
cpu_close(struct device *device)
{
    struct device_cpu *cpu = device_cpu(device);

    workers_stop(cpu->workers);
    pages_free(cpu->scratch_memory, cpu->scratch.bytes);
    free(cpu->bad);
    free(cpu);
}

static const struct device_ops cpu_ops = {
    .alloc = cpu_alloc,
    .release = cpu_release,
    .upload = cpu_copy,
    .download = cpu_copy,
    .wait = cpu_wait,
    .reserve_bytes = cpu_reserve_bytes,
    .reserve = cpu_reserve,
    .read_speed = device_cpu_read_speed,
    .close = cpu_close,
    .embed = device_cpu_embed,
    .rotation = device_cpu_rotation,
    .norm = device_cpu_norm,
    .rope = device_cpu_rope,
    .linear = device_cpu_linear,
    .append = device_cpu_append,
    .latent_attention = device_cpu_latent_attention,
    .grouped_attention = device_cpu_grouped_attention,
    .router = device_cpu_router,
    .experts = device_cpu_experts,
    .silu_mul = device_cpu_silu_mul,
    .add = device_cpu_add,
};

static enum status
workers_open(struct device_cpu *cpu, unsigned threads, struct error *err)
{
    void *memory;

    cpu->workers = workers_start(threads);
    if (cpu->workers == NULL)
        return error_set(err, STATUS_NOMEM, "no memory for worker threads");
    cpu->threads = workers_count(cpu->workers);
    size_t notes = (size_t) cpu->threads * BAD_STRIDE;
    TRY(memory_alloc(&memory, notes * sizeof *cpu->bad, err));
    cpu->bad = memory;
    for (size_t i = 0; i < notes; i++)
        cpu->bad[i] = INT64_MAX;
    return STATUS_OK;
}

enum status
device_cpu_open(struct device **out, const struct device_cpu_options *options,
                struct error *err)
{
    void *memory;

    *out = NULL;
    TRY(memory_alloc(&memory, sizeof(struct device_cpu), err));
    struct device_cpu *cpu = memory;
    cpu->device =
        (struct device){.ops = &cpu_ops, .name = "cpu", .host_memory = true};
    cpu->k = kernels_select(options->level);
    cpu->share_all = options->share_all;
    enum status status = workers_open(cpu, options->threads, err);
    if (status != STATUS_OK) {
        cpu_close(&cpu->device);
        return status;
    }
    *out = &cpu->device;
    return STATUS_OK;
}

unsigned
device_cpu_threads(const struct device *device)
{
    return ((const struct device_cpu *) device)->threads;
}

void
device_close(struct device *device)
{
    if (device != NULL)
        device->ops->close(device);
}
