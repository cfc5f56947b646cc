/*
 * Frames of the engine protocol: what fathom and fathom-engine exchange over
 * pipes and FIFOs. fathom-protocol(5) is the full description.
 *
 * A frame is a header of 16 bytes, little-endian, and a payload of one UTF-8
 * JSON object:
 *
 *   0  u32  length of the payload, at most FRAME_MAX_BYTES
 *   4  u16  version of the protocol
 *   6  u16  type (base/protocol.h)
 *   8  u64  request id, chosen by the client, echoed in every event
 */
#ifndef FATHOM_BASE_FRAME_H
#define FATHOM_BASE_FRAME_H

#include "base/memory.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    FRAME_HEADER_BYTES = 16,
    FRAME_MAX_BYTES = 1 << 20,
    PROTOCOL_VERSION = 1,
};

struct frame_header {
    uint32_t length;
    uint16_t version;
    uint16_t type;
    uint64_t request;
};

void frame_header_encode(uint8_t out[FRAME_HEADER_BYTES],
                         const struct frame_header *header);

/* Fails with STATUS_FORMAT on a wrong version, STATUS_LIMIT on a length. */
MUST_CHECK enum status frame_header_decode(struct frame_header *out,
                                           const uint8_t in[FRAME_HEADER_BYTES],
                                           struct error *err);

/*
 * Takes the first whole frame out of `bytes` (what was read so far): header
 * and payload (payload is cleared first, NUL-terminated). *found is false
 * when more bytes are needed. The frame's bytes are dropped from `bytes`.
 */
MUST_CHECK enum status frame_take(struct buffer *bytes,
                                  struct frame_header *header,
                                  struct buffer *payload, bool *found,
                                  struct error *err);

/* Appends a whole frame to `bytes`, to be written when the pipe has room. */
MUST_CHECK enum status frame_append(struct buffer *bytes, uint16_t type,
                                    uint64_t request, const char *payload,
                                    size_t length, struct error *err);

#endif
