/* The list of pieces while a prompt is written. Used by prompt.c only. */
#ifndef FATHOM_ENGINE_PROMPT_PIECES_H
#define FATHOM_ENGINE_PROMPT_PIECES_H

#include "engine/prompt.h"

/* Appends ordinary text: neighbouring text is one piece. */
MUST_CHECK enum status prompt_pieces_text(struct prompt_pieces *pieces,
                                          const char *text, size_t length,
                                          struct error *err);

/* Appends a marker, as text where `tokenizer` (may be NULL) lacks it. */
MUST_CHECK enum status prompt_pieces_marker(struct prompt_pieces *pieces,
                                            const struct tokenizer *tokenizer,
                                            const char *marker, size_t length,
                                            struct error *err);

/* Appends ids as they are. Borrows them. */
MUST_CHECK enum status prompt_pieces_ids(struct prompt_pieces *pieces,
                                         const int32_t *ids, size_t count,
                                         struct error *err);

/* Forgets all pieces and wipes their text; memory is kept. */
void prompt_pieces_clear(struct prompt_pieces *pieces);

#endif
