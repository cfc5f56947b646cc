/* At most three bytes wait: a character has four. */
#include "config.h"

#include "engine/detokenizer.h"

#include <assert.h>
#include <string.h>

void
detokenizer_init(struct detokenizer *d, const struct tokenizer *tokenizer,
                 bool whole_text)
{
    *d = (struct detokenizer){
        .tokenizer = tokenizer,
        .at_start = whole_text && tokenizer_drops_blank(tokenizer),
    };
}

static void
keep(struct detokenizer *d, const char *bytes, size_t length)
{
    assert(length < sizeof d->waiting);
    memmove(d->waiting, bytes, length);
    d->waiting_length = length;
}

/* Appends what is whole in `bytes` and keeps the rest. */
static enum status
take(struct detokenizer *d, const char *bytes, size_t length,
     struct buffer *out, struct error *err)
{
    size_t whole = utf8_complete_prefix(bytes, length);

    TRY(utf8_repair(out, bytes, whole, err));
    keep(d, bytes + whole, length - whole);
    return STATUS_OK;
}

enum status
detokenizer_push(struct detokenizer *d, int32_t id, struct buffer *out,
                 struct error *err)
{
    struct gguf_string piece = tokenizer_piece(d->tokenizer, id);

    if (piece.length == 0)
        return STATUS_OK;
    if (d->at_start && piece.bytes[0] == ' ') {
        piece.bytes++;
        piece.length--;
    }
    d->at_start = false;
    if (d->waiting_length == 0)
        return take(d, piece.bytes, piece.length, out, err);

    struct buffer joined = {0};
    enum status status =
        buffer_append(&joined, d->waiting, d->waiting_length, err);
    if (status == STATUS_OK)
        status = buffer_append(&joined, piece.bytes, piece.length, err);
    if (status == STATUS_OK)
        status = take(d, joined.data, joined.length, out, err);
    buffer_release(&joined);
    return status;
}

enum status
detokenizer_flush(struct detokenizer *d, struct buffer *out, struct error *err)
{
    TRY(utf8_repair(out, d->waiting, d->waiting_length, err));
    d->waiting_length = 0;
    return STATUS_OK;
}
