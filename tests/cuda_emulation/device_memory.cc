/*
 * Device and pinned memory: an address is never used twice, and an allocation
 * ends at a page that cannot be touched.
 */
#include "config.h"

#include "tests/cuda_emulation/emulator.h"

#include <map>
#include <sys/mman.h>

namespace emu {

static const size_t page = 4096, room = (size_t) 1 << 40;

static std::map<const char *, Allocation> allocations; // by address

/* The next address: all of the room is reserved once and never touched. */
static char *
room_take(size_t bytes)
{
    static char *next = static_cast<char *>(
        mmap(nullptr, room, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    static size_t left = room;

    if (next == MAP_FAILED || bytes + page > left ||
        mprotect(next, bytes, PROT_READ | PROT_WRITE) != 0)
        return nullptr;
    left -= bytes + page;
    next += bytes + page;
    return next - bytes - page;
}

const Allocation *
allocation_find(const void *address)
{
    auto after = allocations.upper_bound(static_cast<const char *>(address));

    if (after == allocations.begin())
        return nullptr;
    const Allocation *a = &(--after)->second;
    return static_cast<const char *>(address) < a->memory + a->bytes ? a
                                                                     : nullptr;
}

bool
on_device(const void *address)
{
    const Allocation *a = allocation_find(address);
    return a != nullptr && !a->host;
}

static cudaError_t
allocate(void **memory, size_t bytes, bool host)
{
    size_t body = (bytes + 255) / 256 * 256;
    size_t whole = (body + page - 1) / page * page;

    *memory = nullptr;
    if (bytes == 0)
        return cudaSuccess;
    char *pages = bytes < room ? room_take(whole) : nullptr;
    if (pages == nullptr)
        return cudaErrorMemoryAllocation;
    char *start = pages + whole - body;
    memset(start, 0xff, body);
    void *shadow =
        hooks.shadow_make != nullptr ? hooks.shadow_make(bytes, host) : nullptr;
    allocations[start] = Allocation{start, bytes, pages, whole, host, shadow};
    *memory = start;
    return cudaSuccess;
}

static cudaError_t
give_back(void *memory, bool host)
{
    if (memory == nullptr)
        return cudaSuccess;
    cudaDeviceSynchronize();
    auto it = allocations.find(static_cast<char *>(memory));
    if (it == allocations.end() || it->second.host != host)
        die("free of an address that was never allocated there");
    const Allocation &a = it->second;
    mprotect(a.pages, a.page_bytes, PROT_NONE);
    madvise(a.pages, a.page_bytes, MADV_DONTNEED);
    if (a.shadow != nullptr)
        hooks.shadow_drop(a.shadow);
    allocations.erase(it);
    return cudaSuccess;
}

} // namespace emu

cudaError_t
cudaMalloc(void **memory, size_t bytes)
{
    return emu::allocate(memory, bytes, false);
}

cudaError_t
cudaFree(void *memory)
{
    return emu::give_back(memory, false);
}

cudaError_t
cudaMallocHost(void **memory, size_t bytes)
{
    return emu::allocate(memory, bytes, true);
}

cudaError_t
cudaFreeHost(void *memory)
{
    return emu::give_back(memory, true);
}
