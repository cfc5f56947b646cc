/*
 * A memory checker for emulated kernels. Kernel files are compiled with
 * -fsanitize=thread and linked without it: the calls that the compiler puts at
 * every access land here. Finds races in a block and between blocks, in shared
 * and in global memory; reads of what nothing wrote; accesses out of bounds,
 * misaligned, or to ordinary memory of the host.
 *
 * A global atomic is taken to order its block after all earlier blocks, and a
 * collective of less than a warp orders nothing. Accesses through memcpy are
 * not seen.
 */
#include "config.h"

#include "tests/cuda_emulation/emulator.h"

#include <stdio.h>
#include <stdlib.h>

extern "C" char __executable_start, end; // the program itself: its constants

namespace emu {

/* Who touched a byte last, and when. */
struct Mark {
    uint32_t launch, block;
    uint16_t thread, epoch, warp_epoch;
    bool atomic;
};

struct Cell {
    Mark written, read;
    bool filled; // by a kernel, a copy or the host
};

static uint32_t launch_number = 1;
static unsigned errors;
static bool ordered; // this block did a global atomic

static void
report(const char *what, const Access &access, const Mark *other)
{
    if (errors++ >= 20)
        return;
    fprintf(stderr, "emulated CUDA: %s: %s block %u thread %u %s %u bytes",
            what, block.launch->shape.name, block.id, current->flat,
            access.write ? "writes" : "reads", access.bytes);
    if (other != nullptr)
        fprintf(stderr, ", touched by block %u thread %u", other->block,
                other->thread);
    fprintf(stderr, " (at +%#zx of the program)\n",
            (size_t) (static_cast<const char *>(access.instruction) -
                      &__executable_start));
}

/* ---- which cell an address has ---- */

static Cell *
shared_cell(const Access &access)
{
    static Cell *cells =
        static_cast<Cell *>(calloc(SHARED_ARENA, sizeof(Cell)));
    size_t at = (size_t) (access.address - shared_arena());

    for (const SharedArray &array : block.arrays)
        if (at >= array.at && at + access.bytes <= array.at + array.bytes)
            return cells + at;
    report("out of bounds in shared memory", access, nullptr);
    return nullptr;
}

static bool
belongs_to_the_program(const char *p)
{
    const char *arguments =
        static_cast<const char *>(block.launch->arguments.memory);

    return (p >= &__executable_start && p < &end) ||
           (p >= arguments && p < arguments + block.launch->arguments.bytes);
}

static Cell *
global_cell(const Access &access)
{
    const Allocation *a = allocation_find(access.address);

    if (a == nullptr && !access.write && belongs_to_the_program(access.address))
        return nullptr;
    if (a == nullptr)
        report("not device memory", access, nullptr);
    else if (access.address + access.bytes > a->memory + a->bytes)
        report("out of bounds", access, nullptr);
    else
        return static_cast<Cell *>(a->shadow) + (access.address - a->memory);
    return nullptr;
}

/* ---- what may not happen to it ---- */

/* Unordered: no barrier and, in a warp, no collective stands between. */
static bool
races(const Mark &mark, const Mark &now, bool shared)
{
    if (mark.launch != now.launch || (mark.atomic && now.atomic))
        return false;
    if (mark.block != now.block)
        return !shared && !ordered;
    if (mark.thread == now.thread || mark.epoch != now.epoch)
        return false;
    return mark.thread / 32 != now.thread / 32 ||
           mark.warp_epoch == now.warp_epoch;
}

static bool
was_written(const Cell &cell, const Mark &now, bool shared)
{
    if (shared)
        return cell.written.launch == now.launch &&
               cell.written.block == now.block;
    return cell.filled;
}

/* False when something was reported. */
static bool
byte_touch(Cell *cell, const Access &access, const Mark &now)
{
    const Mark *other = nullptr;
    bool good = true;

    if (races(cell->written, now, access.shared))
        other = &cell->written;
    else if (access.write && races(cell->read, now, access.shared))
        other = &cell->read;
    if (other != nullptr) {
        report("race", access, other);
        good = false;
    } else if (!access.write && !was_written(*cell, now, access.shared)) {
        report("nothing wrote this", access, nullptr);
        good = false;
    }
    (access.write ? cell->written : cell->read) = now;
    cell->filled |= access.write;
    return good;
}

static void
access_check(const Access &access, bool atomic)
{
    const Fiber *fiber = fiber_current();

    if (current == nullptr ||
        (access.address >= fiber->low && access.address < fiber->high))
        return; // host code, or the thread's own stack
    Cell *cell = access.shared ? shared_cell(access) : global_cell(access);
    if (cell == nullptr)
        return;
    if (reinterpret_cast<uintptr_t>(access.address) % access.bytes != 0)
        report("misaligned", access, nullptr);
    Mark now = {launch_number,
                block.id,
                (uint16_t) current->flat,
                (uint16_t) block.epoch,
                (uint16_t) block.warps[current->warp].epoch,
                atomic};
    for (unsigned i = 0; i < access.bytes; i++)
        if (!byte_touch(cell + i, access, now))
            break;
    if (atomic && !access.shared)
        ordered = true;
    if (!atomic)
        profile_access(access);
}

static void
touch(const void *address, unsigned bytes, bool write, bool atomic,
      const void *instruction)
{
    const char *p = static_cast<const char *>(address);
    bool in_arena = p >= shared_arena() && p < shared_arena() + SHARED_ARENA;

    access_check(Access{p, instruction, bytes, write, in_arena}, atomic);
}

/* ---- copies, allocations, the end ---- */

/* What is copied is as good as its source; the host's is good. */
static void
copied(void *to, const void *from, size_t bytes)
{
    const Allocation *a = allocation_find(to), *b = allocation_find(from);

    if (a == nullptr)
        return;
    Cell *cells =
        static_cast<Cell *>(a->shadow) + (static_cast<char *>(to) - a->memory);
    const Cell *source = nullptr;
    if (b != nullptr)
        source = static_cast<const Cell *>(b->shadow) +
                 (static_cast<const char *>(from) - b->memory);
    for (size_t i = 0; i < bytes; i++)
        cells[i].filled = source == nullptr || source[i].filled;
}

static void *
shadow_make(size_t bytes, bool written)
{
    Cell *cells = static_cast<Cell *>(calloc(bytes, sizeof(Cell)));

    for (size_t i = 0; written && i < bytes; i++)
        cells[i].filled = true;
    return cells;
}

static void
block_ended()
{
    ordered = false;
    profile_block_ended();
}

static void
program_ended()
{
    if (errors == 0)
        return;
    fprintf(stderr, "emulated CUDA: %u errors\n", errors);
    fflush(nullptr);
    _Exit(99);
}

static struct Install {
    Install()
    {
        hooks.block_ended = block_ended;
        hooks.launch_ended = [] { launch_number++; };
        hooks.copied = copied;
        hooks.touched = [](const void *p, unsigned n, bool write, bool atomic) {
            touch(p, n, write, atomic, __builtin_return_address(0));
        };
        hooks.shadow_make = shadow_make;
        hooks.shadow_drop = free;
        atexit(program_ended);
    }
} install;

/* ---- what the compiler calls ---- */

static void
range(const void *p, size_t bytes, bool write, const void *instruction)
{
    for (size_t i = 0; i < bytes; i++)
        touch(static_cast<const char *>(p) + i, 1, write, false, instruction);
}

} // namespace emu

#define CALLER __builtin_return_address(0)
#define ACCESS(NAME, BYTES, WRITE)                                             \
    extern "C" void __tsan_##NAME##BYTES(void *p)                              \
    {                                                                          \
        emu::touch(p, BYTES, WRITE, false, CALLER);                            \
    }
#define ACCESSES(BYTES)                                                        \
    ACCESS(read, BYTES, false)                                                 \
    ACCESS(write, BYTES, true)                                                 \
    ACCESS(unaligned_read, BYTES, false)                                       \
    ACCESS(unaligned_write, BYTES, true)
ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

extern "C" {

void
__tsan_read_range(void *p, size_t bytes)
{
    emu::range(p, bytes, false, CALLER);
}

void
__tsan_write_range(void *p, size_t bytes)
{
    emu::range(p, bytes, true, CALLER);
}

void *
__tsan_memcpy(void *to, const void *from, size_t bytes)
{
    return memcpy(to, from, bytes);
}

void *
__tsan_memset(void *to, int value, size_t bytes)
{
    return memset(to, value, bytes);
}

void
__tsan_vptr_update(void **, void *)
{
}

void
__tsan_init()
{
}

void
__tsan_func_entry(void *)
{
}

void
__tsan_func_exit()
{
}

} // extern "C"
