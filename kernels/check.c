/* TAP, splitmix64, guard pages. */
#include "config.h"

#include "kernels/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static unsigned lines, failures;

bool
check_ok(bool passed, const char *sentence)
{
    printf("%sok %u - %s\n", passed ? "" : "not ", ++lines, sentence);
    fflush(stdout);
    failures += !passed;
    return passed;
}

int
check_done(void)
{
    printf("1..%u\n", lines);
    return failures > 0;
}

size_t
check_width(size_t i)
{
    static const size_t wide[] = {95,  127, 128,  129,  192,  255,
                                  512, 576, 1408, 2048, 7168, 0};

    if (i < 70)
        return i + 1;
    return i - 70 < sizeof wide / sizeof *wide ? wide[i - 70] : 0;
}

/* -- numbers --------------------------------------------------------------- */

uint64_t
check_bits(struct check_random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

size_t
check_below(struct check_random *random, size_t limit)
{
    return (size_t) (check_bits(random) % limit);
}

float
check_unit(struct check_random *random)
{
    return (float) (check_bits(random) >> 40) * 0x1p-23f - 1;
}

float
check_normal(struct check_random *random)
{
    float sum = 0; // of uniform numbers: near enough to a normal one

    for (int i = 0; i < 6; i++)
        sum += check_unit(random);
    return sum * 0.7071068f;
}

void
check_fill(struct check_random *random, float *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        x[i] = check_normal(random);
}

/* -- memory ---------------------------------------------------------------- */

enum { LIVE_MAX = 64, FENCE = 0xa5 };

static struct live {
    unsigned char *map, *memory;
    size_t map_bytes, page;
} live[LIVE_MAX];

static _Noreturn void
bail(const char *why)
{
    printf("Bail out! %s\n", why);
    exit(99);
}

void *
check_alloc(size_t bytes)
{
    size_t page = (size_t) sysconf(_SC_PAGESIZE);
    size_t body = (bytes + page - 1) / page * page;
    struct live *slot = live;

    while (slot < live + LIVE_MAX && slot->map != NULL)
        slot++;
    if (slot == live + LIVE_MAX)
        bail("more guarded buffers than the table holds");
    slot->map_bytes = body + 2 * page;
    slot->page = page;
    slot->map = mmap(NULL, slot->map_bytes, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (slot->map == MAP_FAILED ||
        (body > 0 &&
         mprotect(slot->map + page, body, PROT_READ | PROT_WRITE) != 0))
        bail("no memory for a guarded buffer");
    slot->memory = slot->map + page + body - bytes;
    memset(slot->map + page, FENCE, body - bytes);
    memset(slot->memory, 0xff, bytes);
    return slot->memory;
}

float *
check_floats(size_t count)
{
    return check_alloc(count * sizeof(float));
}

void
check_free(void *memory)
{
    struct live *slot = live;

    while (slot < live + LIVE_MAX && slot->memory != memory)
        slot++;
    if (slot == live + LIVE_MAX)
        bail("check_free of something else");
    for (unsigned char *p = slot->map + slot->page; p < slot->memory; p++)
        if (*p != FENCE)
            bail("bytes before a buffer were written");
    munmap(slot->map, slot->map_bytes);
    *slot = (struct live){0};
}

uint64_t
check_sum(const void *memory, size_t bytes)
{
    const unsigned char *p = memory;
    uint64_t sum = 0xcbf29ce484222325; // FNV-1a

    for (size_t i = 0; i < bytes; i++)
        sum = (sum ^ p[i]) * 0x100000001b3;
    return sum;
}

/* -- comparison ------------------------------------------------------------ */

bool
check_same(const float *x, const float *y, size_t count, const char *what)
{
    for (size_t i = 0; i < count; i++) {
        if (memcmp(x + i, y + i, sizeof *x) == 0 ||
            (isnan(x[i]) && isnan(y[i])))
            continue;
        printf("# %s: value %zu is %a, not %a\n", what, i, (double) x[i],
               (double) y[i]);
        return false;
    }
    return true;
}

void
check_error_add(struct check_error *error, double got, double want,
                double bound)
{
    double share = fabs(got - want) / bound;

    error->values++;
    if (got == want)
        share = 0; // also where the bound is 0
    if (isnan(share))
        share = HUGE_VAL;
    if (share > error->most)
        error->most = share;
}

bool
check_error_within(const struct check_error *error, const char *what)
{
    printf("# %s: %.3g of the bound used over %zu values\n", what, error->most,
           error->values);
    return error->values > 0 && error->most <= 1;
}
