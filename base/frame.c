/* Headers, and frames in and out of byte buffers. */
#include "config.h"

#include "base/frame.h"

#include <string.h>

static void
put_le(uint8_t *out, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        out[i] = (uint8_t) (value >> (8 * i));
}

static uint64_t
get_le(const uint8_t *in, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t) in[i] << (8 * i);
    return value;
}

void
frame_header_encode(uint8_t out[FRAME_HEADER_BYTES],
                    const struct frame_header *header)
{
    put_le(out, header->length, 4);
    put_le(out + 4, header->version, 2);
    put_le(out + 6, header->type, 2);
    put_le(out + 8, header->request, 8);
}

enum status
frame_header_decode(struct frame_header *out,
                    const uint8_t in[FRAME_HEADER_BYTES], struct error *err)
{
    out->length = (uint32_t) get_le(in, 4);
    out->version = (uint16_t) get_le(in + 4, 2);
    out->type = (uint16_t) get_le(in + 6, 2);
    out->request = get_le(in + 8, 8);
    if (out->version != PROTOCOL_VERSION)
        return error_set(err, STATUS_FORMAT,
                         "a frame of protocol version %u arrived, this program "
                         "speaks version %d",
                         out->version, PROTOCOL_VERSION);
    if (out->length > FRAME_MAX_BYTES)
        return error_set(err, STATUS_LIMIT,
                         "a frame of %u bytes arrived, the limit is %d",
                         out->length, FRAME_MAX_BYTES);
    return STATUS_OK;
}

enum status
frame_take(struct buffer *bytes, struct frame_header *header,
           struct buffer *payload, bool *found, struct error *err)
{
    *found = false;
    if (bytes->length < FRAME_HEADER_BYTES)
        return STATUS_OK;
    uint8_t head[FRAME_HEADER_BYTES];
    memcpy(head, bytes->data, sizeof head);
    TRY(frame_header_decode(header, head, err));
    if (bytes->length - FRAME_HEADER_BYTES < header->length)
        return STATUS_OK;
    buffer_clear(payload);
    TRY(buffer_append(payload, bytes->data + FRAME_HEADER_BYTES, header->length,
                      err));
    buffer_drop(bytes, FRAME_HEADER_BYTES + (size_t) header->length);
    *found = true;
    return STATUS_OK;
}

enum status
frame_append(struct buffer *bytes, uint16_t type, uint64_t request,
             const char *payload, size_t length, struct error *err)
{
    if (length > FRAME_MAX_BYTES)
        return error_set(err, STATUS_LIMIT,
                         "a frame of %zu bytes was to be sent, the limit is %d",
                         length, FRAME_MAX_BYTES);
    struct frame_header header = {(uint32_t) length, PROTOCOL_VERSION, type,
                                  request};
    uint8_t head[FRAME_HEADER_BYTES];

    frame_header_encode(head, &header);
    TRY(buffer_reserve(bytes, sizeof head + length, err));
    TRY(buffer_append(bytes, head, sizeof head, err));
    return buffer_append(bytes, payload, length, err);
}
