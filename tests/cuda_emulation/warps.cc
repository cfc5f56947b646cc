/* Warp collectives and atomics. */
#include "config.h"

#include "tests/cuda_emulation/emulator.h"

namespace emu {

/* Lanes meet where mask and operation agree; else the block deadlocks. */
static Meeting *
meeting_find(Warp *warp, uint32_t mask, combine_fn *combine)
{
    Meeting *hole = nullptr, *m = warp->meeting;

    for (unsigned left = warp->open; left > 0; m++) {
        if (m->arrived == 0) {
            hole = hole != nullptr ? hole : m;
            continue;
        }
        if (m->mask == mask && m->combine == combine)
            return m;
        left--;
    }
    m = hole != nullptr ? hole : m;
    m->mask = mask;
    m->combine = combine;
    warp->open++;
    return m;
}

static void
meeting_close(Warp *warp, Meeting *m)
{
    Thread *first = current - current->lane;

    m->combine(m->mask, m->operand); // the last lane to come acts for all
    m->arrived = 0;
    warp->open--;
    if (m->mask == warp->exist)
        warp->epoch++;
    for (unsigned l = 0; l < 32; l++)
        if (m->mask >> l & 1 && l != current->lane)
            thread_ready(first + l);
}

static void
collective(uint32_t mask, combine_fn *combine, void *operand, const char *what)
{
    Warp *warp = &block.warps[current->warp];

    if (!(mask >> current->lane & 1))
        die("%s: lane %u is not in its own mask %08x", what, current->lane,
            mask);
    if (mask == ~0u)
        mask = warp->exist; // the last warp of a block may be smaller
    if (mask & (warp->exited | ~warp->exist))
        die("%s: mask %08x names lanes that have left", what, mask);
    Meeting *m = meeting_find(warp, mask, combine);
    m->operand[current->lane] = operand;
    m->arrived |= 1u << current->lane;
    if (m->arrived == mask)
        meeting_close(warp, m);
    else
        thread_wait(what);
}

unsigned
lane()
{
    return current->lane;
}

static void
sync_combine(uint32_t, void **)
{
}

void
sync_warp(uint32_t mask)
{
    collective(mask, sync_combine, nullptr, "__syncwarp");
}

struct Vote {
    bool predicate;
    uint32_t ballot;
};

static void
vote_combine(uint32_t mask, void **operands)
{
    uint32_t ballot = 0;

    for (unsigned l = 0; l < 32; l++)
        if (mask >> l & 1 && static_cast<Vote *>(operands[l])->predicate)
            ballot |= 1u << l;
    for (unsigned l = 0; l < 32; l++)
        if (mask >> l & 1)
            static_cast<Vote *>(operands[l])->ballot = ballot;
}

uint32_t
ballot(uint32_t mask, bool predicate)
{
    Vote vote = {predicate, 0};

    collective(mask, vote_combine, &vote, "a vote");
    return vote.ballot;
}

struct Shuffle {
    uint64_t given, taken;
    unsigned from;
};

/* From a lane that does not take part comes garbage, as on a device. */
static void
shuffle_combine(uint32_t mask, void **operands)
{
    for (unsigned l = 0; l < 32; l++) {
        if (!(mask >> l & 1))
            continue;
        Shuffle *own = static_cast<Shuffle *>(operands[l]);
        bool there = mask >> own->from & 1;
        own->taken = there ? static_cast<Shuffle *>(operands[own->from])->given
                           : 0xa5a5a5a5a5a5a5a5;
    }
}

uint64_t
shuffle(uint32_t mask, uint64_t given, unsigned from)
{
    Shuffle shuffle = {given, 0, from % 32};

    collective(mask, shuffle_combine, &shuffle, "a shuffle");
    return shuffle.taken;
}

/* ---- mma: fragments as kernels/cuda_port.h draws them ---- */

struct Fragments {
    const uint32_t *a, *b;
    int32_t *d;
};

struct Tiles {
    int a[16][32], b[8][32]; // b by columns
};

static void
tiles_gather(Fragments *const *lanes, Tiles *tiles)
{
    for (unsigned l = 0; l < 32; l++)
        for (unsigned r = 0; r < 4; r++)
            for (unsigned j = 0; j < 4; j++) {
                unsigned g = l / 4, k = l % 4 * 4 + j;
                tiles->a[g + 8 * (r % 2)][k + 16 * (r / 2)] =
                    (int8_t) (lanes[l]->a[r] >> 8 * j);
                if (r < 2)
                    tiles->b[g][k + 16 * r] =
                        (int8_t) (lanes[l]->b[r] >> 8 * j);
            }
}

static void
mma_combine(uint32_t, void **operands)
{
    Fragments *lanes[32];
    Tiles tiles;

    for (unsigned l = 0; l < 32; l++)
        lanes[l] = static_cast<Fragments *>(operands[l]);
    tiles_gather(lanes, &tiles);
    for (unsigned l = 0; l < 32; l++)
        for (unsigned r = 0; r < 4; r++) {
            const int *row = tiles.a[l / 4 + 8 * (r / 2)];
            const int *column = tiles.b[2 * (l % 4) + r % 2];
            int sum = 0;
            for (unsigned k = 0; k < 32; k++)
                sum += row[k] * column[k];
            lanes[l]->d[r] += sum;
        }
}

void
mma_s8(int32_t d[4], const uint32_t a[4], const uint32_t b[2])
{
    Fragments fragments = {a, b, d};

    if (block.warps[current->warp].exist != ~0u)
        die("mma in a warp of less than 32 lanes");
    collective(~0u, mma_combine, &fragments, "mma");
}

/* ---- atomics ---- */

static uint64_t
combined(Rmw op, uint64_t old, uint64_t value, uint64_t expected, bool less)
{
    switch (op) {
    case ADD:
        return old + value;
    case EXCHANGE:
        return value;
    case MIN:
        return less ? value : old;
    case MAX:
        return less ? old : value;
    case OR:
        return old | value;
    case AND:
        return old & value;
    case COMPARE:
        return old == expected ? value : old;
    }
    return old;
}

uint64_t
read_modify_write(Rmw op, void *memory, uint64_t value, uint64_t expected,
                  bool wide, bool is_signed)
{
    uint32_t *narrow = static_cast<uint32_t *>(memory);
    uint64_t *word = static_cast<uint64_t *>(memory);

    if (hooks.touched != nullptr)
        hooks.touched(memory, wide ? 8 : 4, true, true);
    uint64_t old = wide ? *word : *narrow;
    bool less = is_signed ? (int32_t) value < (int32_t) old : value < old;
    uint64_t fresh = combined(op, old, value, expected, less);
    if (wide)
        *word = fresh;
    else
        *narrow = (uint32_t) fresh;
    return old;
}

} // namespace emu
