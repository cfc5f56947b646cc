/* Shared memory of the resident block, and asynchronous copies into it. */
#include "config.h"

#include "tests/cuda_emulation/emulator.h"

namespace emu {

char *
shared_arena()
{
    alignas(128) static char arena[SHARED_ARENA];
    return arena;
}

/* Garbage in every new block: NaN, or -1. */
void
shared_reset(size_t dynamic_bytes)
{
    memset(shared_arena(), 0xff, dynamic_bytes);
    block.arrays.assign(1, SharedArray{nullptr, 0, dynamic_bytes});
}

/* Arrays lie 64 bytes or more apart, so that the checker sees overruns. */
void *
shared(const void *key, size_t bytes)
{
    for (const SharedArray &array : block.arrays)
        if (array.key == key)
            return shared_arena() + array.at;
    const SharedArray &last = block.arrays.back();
    size_t at = (last.at + last.bytes + 64 + 127) / 128 * 128;
    if (at + bytes > SHARED_ARENA)
        die("too much shared memory");
    block.arrays.push_back(SharedArray{key, at, bytes});
    return memset(shared_arena() + at, 0xff, bytes);
}

static void
copy_land(const Copy &copy)
{
    if (copy.bytes == 0)
        return; // landed at once
    if (hooks.touched != nullptr) {
        hooks.touched(copy.from, copy.bytes, false, false);
        hooks.touched(copy.to, copy.bytes, true, false);
    }
    memcpy(copy.to, copy.from, copy.bytes);
}

void
copy_start(void *to, const void *from, unsigned bytes)
{
    uintptr_t both =
        reinterpret_cast<uintptr_t>(to) | reinterpret_cast<uintptr_t>(from);
    Copy copy = {to, from, bytes, current->copy_group};

    if (both % bytes != 0)
        die("cp.async: an address is not a multiple of %u", bytes);
    if (!lazy) {
        copy_land(copy);
        copy.bytes = 0;
    }
    current->copies.push_back(copy);
}

void
copy_commit()
{
    current->copy_group++;
}

void
copy_wait(unsigned pending)
{
    std::vector<Copy> later;

    for (const Copy &copy : current->copies)
        if (copy.group + pending < current->copy_group)
            copy_land(copy);
        else
            later.push_back(copy);
    current->copies = later;
}

} // namespace emu
