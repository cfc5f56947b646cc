/* Numbers in files: little-endian, at any alignment. */
#ifndef FATHOM_STORAGE_LITTLE_ENDIAN_H
#define FATHOM_STORAGE_LITTLE_ENDIAN_H

#include <stdint.h>
#include <string.h>

// configure refuses machines of the other order

static inline void
put_u32(void *out, uint32_t value)
{
    memcpy(out, &value, sizeof value);
}

static inline void
put_u64(void *out, uint64_t value)
{
    memcpy(out, &value, sizeof value);
}

static inline uint32_t
get_u32(const void *bytes)
{
    uint32_t value;

    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline uint64_t
get_u64(const void *bytes)
{
    uint64_t value;

    memcpy(&value, bytes, sizeof value);
    return value;
}

#endif
