/*
 * What tells one model from another: a hash of its files' content.
 *
 * `content` covers the sizes of all files, everything before their tensors
 * (metadata, vocabulary, table of tensors) and of the tensors' bytes: all,
 * where the files have 16 MiB or less together, else of each tensor the first,
 * the middle and the last 4 KiB. So it is known at once for a file of any size,
 * is the same wherever the file lies, and tells apart models that were trained,
 * merged or rounded differently. It does not prove that every weight is as
 * published: a manifest and a signature do that.
 *
 * `files` covers what the system says about the files: size, inode number and
 * times of the last change of content and status. Who writes to a file, even in
 * place, changes it. It is of use on one machine only.
 */
#ifndef FATHOM_ENGINE_FINGERPRINT_H
#define FATHOM_ENGINE_FINGERPRINT_H

#include "engine/gguf.h"

enum { FINGERPRINT_BYTES = 32, FINGERPRINT_TEXT = 2 * FINGERPRINT_BYTES + 1 };

struct fingerprint {
    uint8_t content[FINGERPRINT_BYTES];
    uint8_t files[FINGERPRINT_BYTES];
};

MUST_CHECK enum status fingerprint_take(struct fingerprint *out,
                                        const struct gguf *gguf,
                                        struct error *err);

/* `content` as 64 digits. */
void fingerprint_text(char out[FINGERPRINT_TEXT],
                      const struct fingerprint *fingerprint);

#endif
