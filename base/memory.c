/* Arenas over reserved address space, wiped buffers, huge pages. */
#include "config.h"

#include "base/memory.h"

#include "base/fault.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ALIGNMENT = 64, HUGE_PAGE = 2 * 1024 * 1024 };

struct arena {
    char *base;
    size_t used, limit;
};

bool
size_mul(size_t *out, size_t a, size_t b)
{
    return !__builtin_mul_overflow(a, b, out);
}

bool
size_add(size_t *out, size_t a, size_t b)
{
    return !__builtin_add_overflow(a, b, out);
}

enum status
arena_open(struct arena **out, size_t limit_bytes, struct error *err)
{
    void *memory;

    *out = NULL;
    TRY(memory_alloc(&memory, sizeof **out, err));
    struct arena *arena = memory;
    size_t page = (size_t) sysconf(_SC_PAGESIZE);
    size_t limit = (limit_bytes / page + 1) * page;
    // reserved, not committed: pages cost memory when they are first touched
    arena->base = mmap(NULL, limit, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (arena->base == MAP_FAILED) {
        free(arena);
        return error_set(err, STATUS_NOMEM,
                         "cannot reserve %zu bytes of address space", limit);
    }
    arena->limit = limit;
    *out = arena;
    return STATUS_OK;
}

void
arena_close(struct arena *arena)
{
    if (arena == NULL)
        return;
    munmap(arena->base, arena->limit);
    free(arena);
}

void *
arena_alloc(struct arena *arena, size_t bytes)
{
    size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

    assert(rounded >= bytes && rounded <= arena->limit - arena->used);
    void *memory = arena->base + arena->used;
    arena->used += rounded;
    return memory;
}

char *
arena_copy(struct arena *arena, const char *bytes, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);

    if (length > 0)
        memcpy(copy, bytes, length);
    return copy;
}

size_t
arena_used_bytes(const struct arena *arena)
{
    return arena->used;
}

enum status
memory_alloc(void **out, size_t bytes, struct error *err)
{
    *out = fault_due() ? NULL : calloc(1, bytes > 0 ? bytes : 1);
    if (*out == NULL)
        return error_set(err, STATUS_NOMEM, "cannot allocate %zu bytes", bytes);
    return STATUS_OK;
}

enum status
buffer_reserve(struct buffer *buffer, size_t more, struct error *err)
{
    size_t need;

    if (!size_add(&need, buffer->length, more) || !size_add(&need, need, 1))
        return error_set(err, STATUS_LIMIT, "a text grew beyond all memory");
    if (need <= buffer->capacity)
        return STATUS_OK;

    size_t capacity = buffer->capacity < 128 ? 128 : buffer->capacity;
    while (capacity < need)
        capacity = capacity > SIZE_MAX / 2 ? need : capacity * 2;
    void *memory;
    TRY(memory_alloc(&memory, capacity, err));
    char *data = memory;
    // not realloc: the old copy must be wiped
    if (buffer->length > 0)
        memcpy(data, buffer->data, buffer->length);
    struct buffer old = *buffer;
    buffer->data = data;
    buffer->capacity = capacity;
    buffer_release(&old);
    return STATUS_OK;
}

enum status
buffer_append(struct buffer *buffer, const void *bytes, size_t length,
              struct error *err)
{
    TRY(buffer_reserve(buffer, length, err));
    if (length > 0)
        memcpy(buffer->data + buffer->length, bytes, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
    return STATUS_OK;
}

enum status
buffer_print(struct buffer *buffer, struct error *err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(length >= 0);
    TRY(buffer_reserve(buffer, (size_t) length, err));
    va_start(args, format);
    vsnprintf(buffer->data + buffer->length, (size_t) length + 1, format, args);
    va_end(args);
    buffer->length += (size_t) length;
    return STATUS_OK;
}

void
buffer_drop(struct buffer *buffer, size_t count)
{
    assert(count <= buffer->length);
    if (count == 0)
        return;
    memmove(buffer->data, buffer->data + count, buffer->length - count);
    buffer->length -= count;
    explicit_bzero(buffer->data + buffer->length, count);
}

void
buffer_clear(struct buffer *buffer)
{
    if (buffer->data != NULL)
        explicit_bzero(buffer->data, buffer->length);
    buffer->length = 0;
}

void
buffer_release(struct buffer *buffer)
{
    if (buffer->data != NULL)
        explicit_bzero(buffer->data, buffer->capacity);
    free(buffer->data);
    *buffer = (struct buffer){0};
}

enum status
pages_alloc(void **out, size_t bytes, const char *what, struct error *err)
{
    size_t extra = bytes >= HUGE_PAGE ? HUGE_PAGE : 0, mapped;
    char *base = MAP_FAILED;

    *out = NULL;
    if (bytes == 0)
        return STATUS_OK;
    if (size_add(&mapped, bytes, extra) && !fault_due())
        base = mmap(NULL, mapped, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        return error_set(err, STATUS_NOMEM,
                         "cannot get %zu bytes of memory for %s", bytes, what);
    if (extra > 0) {
        // keep the 2 MiB-aligned part, give back what lies around it
        size_t head = (HUGE_PAGE - (uintptr_t) base % HUGE_PAGE) % HUGE_PAGE;
        size_t page = (size_t) sysconf(_SC_PAGESIZE);
        size_t kept = (bytes + page - 1) / page * page;

        if (head > 0)
            munmap(base, head);
        base += head;
        if (mapped > head + kept)
            munmap(base + kept, mapped - head - kept);
        madvise(base, kept, MADV_HUGEPAGE); // advice: refusal costs speed only
    }
    *out = base;
    return STATUS_OK;
}

void
pages_free(void *pages, size_t bytes)
{
    if (pages != NULL && bytes > 0)
        munmap(pages, bytes);
}
