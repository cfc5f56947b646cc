/*
 * A conversation as a file: Markdown for people, JSON ("fathom.chat/1",
 * fathom-json(5)) for programs. Mode 0600, since it is as private as the chat.
 */
#ifndef FATHOM_APP_TRANSCRIPT_H
#define FATHOM_APP_TRANSCRIPT_H

#include "app/conversation.h"

enum transcript_format { TRANSCRIPT_MARKDOWN, TRANSCRIPT_JSON };

/* Appends the whole text. `model` is the model's name. */
MUST_CHECK enum status transcript_print(struct buffer *out,
                                        const struct conversation *conversation,
                                        enum transcript_format format,
                                        const char *model, bool with_thinking,
                                        struct error *err);

/*
 * Writes a new file. Where there is one and `replace` is false it fails, with
 * *exists true; a replaced file changes as a whole.
 */
MUST_CHECK enum status transcript_save(const char *path, bool replace,
                                       const struct buffer *text, bool *exists,
                                       struct error *err);

#endif
