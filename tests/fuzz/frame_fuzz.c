/*
 * base/frame.h on any bytes, in pieces whose sizes the first byte picks: what
 * comes out is what went in, in order, or the stream is refused.
 */
#include "config.h"

#include "base/base.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Takes all frames; each must lie in the stream at *at. False: refused. */
static bool
take_all(struct buffer *input, const uint8_t *stream, size_t *at)
{
    struct frame_header header;
    struct buffer payload = {0};
    struct error err;
    bool found = true;
    enum status status = STATUS_OK;

    while (found && status == STATUS_OK) {
        status = frame_take(input, &header, &payload, &found, &err);
        if (status != STATUS_OK || !found)
            break;
        uint8_t head[FRAME_HEADER_BYTES];
        frame_header_encode(head, &header);
        if (memcmp(head, stream + *at, sizeof head) != 0 ||
            payload.length != header.length ||
            (payload.length > 0 &&
             memcmp(payload.data, stream + *at + sizeof head, payload.length) !=
                 0))
            abort();
        *at += sizeof head + header.length;
    }
    buffer_release(&payload);
    return status == STATUS_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct buffer input = {0};
    struct error err;
    size_t at = 0, step = length > 0 ? bytes[0] + 1u : 1;

    if (length > 0) {
        bytes++;
        length--;
    }
    for (size_t i = 0; i < length; i += step) {
        size_t piece = length - i < step ? length - i : step;

        if (buffer_append(&input, bytes + i, piece, &err) != STATUS_OK ||
            !take_all(&input, bytes, &at))
            break;
        if (at + input.length != i + piece)
            abort();
    }
    buffer_release(&input);
    return 0;
}
