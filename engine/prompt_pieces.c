/* Pieces and the one text they lie in. */
#include "config.h"

#include "engine/prompt_pieces.h"

#include <stdlib.h>
#include <string.h>

enum { MARKER_MAX = 64 };

static enum status
add_piece(struct prompt_pieces *pieces, const struct prompt_piece *piece,
          struct error *err)
{
    if (pieces->count == pieces->capacity) {
        size_t capacity = pieces->capacity < 32 ? 32 : 2 * pieces->capacity;
        void *memory;

        TRY(memory_alloc(&memory, capacity * sizeof *piece, err));
        if (pieces->count > 0)
            memcpy(memory, pieces->piece, pieces->count * sizeof *piece);
        free(pieces->piece);
        pieces->piece = memory;
        pieces->capacity = capacity;
    }
    pieces->piece[pieces->count++] = *piece;
    return STATUS_OK;
}

/* A text piece at the end that can grow, or NULL. */
static struct prompt_piece *
open_text(struct prompt_pieces *pieces)
{
    if (pieces->count == 0)
        return NULL;
    struct prompt_piece *last = &pieces->piece[pieces->count - 1];

    return last->special || last->ids != NULL ? NULL : last;
}

enum status
prompt_pieces_text(struct prompt_pieces *pieces, const char *text,
                   size_t length, struct error *err)
{
    struct prompt_piece *last = open_text(pieces);

    if (length == 0)
        return STATUS_OK;
    if (last == NULL) {
        struct prompt_piece piece = {.start = pieces->text.length};
        TRY(add_piece(pieces, &piece, err));
        last = &pieces->piece[pieces->count - 1];
    }
    TRY(buffer_append(&pieces->text, text, length, err));
    last->length += length;
    return STATUS_OK;
}

static int32_t
find_marker(const struct tokenizer *tokenizer, const char *marker,
            size_t length)
{
    char name[MARKER_MAX];

    if (length >= sizeof name)
        return TOKEN_NONE;
    memcpy(name, marker, length);
    name[length] = '\0';
    return tokenizer_find(tokenizer, name);
}

enum status
prompt_pieces_marker(struct prompt_pieces *pieces,
                     const struct tokenizer *tokenizer, const char *marker,
                     size_t length, struct error *err)
{
    struct prompt_piece piece = {
        .special = true, .start = pieces->text.length, .length = length};

    if (tokenizer != NULL &&
        find_marker(tokenizer, marker, length) == TOKEN_NONE)
        return prompt_pieces_text(pieces, marker, length, err);
    TRY(buffer_append(&pieces->text, marker, length, err));
    return add_piece(pieces, &piece, err);
}

enum status
prompt_pieces_ids(struct prompt_pieces *pieces, const int32_t *ids,
                  size_t count, struct error *err)
{
    struct prompt_piece piece = {
        .start = pieces->text.length, .ids = ids, .id_count = count};

    return count == 0 ? STATUS_OK : add_piece(pieces, &piece, err);
}

void
prompt_pieces_clear(struct prompt_pieces *pieces)
{
    pieces->count = 0;
    pieces->thinking = false;
    buffer_clear(&pieces->text);
}

void
prompt_pieces_release(struct prompt_pieces *pieces)
{
    free(pieces->piece);
    buffer_release(&pieces->text);
    *pieces = (struct prompt_pieces){0};
}

enum status
prompt_tokens(const struct prompt_pieces *pieces,
              const struct tokenizer *tokenizer, struct tokens *out,
              bool *thinking, struct error *err)
{
    *thinking = pieces->thinking;
    for (size_t i = 0; i < pieces->count; i++) {
        const struct prompt_piece *piece = &pieces->piece[i];
        const char *text = pieces->text.data + piece->start;
        int32_t id = piece->special
                         ? find_marker(tokenizer, text, piece->length)
                         : TOKEN_NONE;

        if (piece->ids != NULL)
            TRY(tokens_append(out, piece->ids, piece->id_count, err));
        else if (id != TOKEN_NONE)
            TRY(tokens_append(out, &id, 1, err));
        else
            TRY(tokenizer_encode(tokenizer, text, piece->length, out, err));
    }
    return STATUS_OK;
}
