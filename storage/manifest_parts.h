/* What the two halves of model_manifest.h share: text and files. */
#ifndef FATHOM_STORAGE_MANIFEST_PARTS_H
#define FATHOM_STORAGE_MANIFEST_PARTS_H

#include "storage/model_manifest.h"

/* Whether a manifest may list a file of this path. */
bool manifest_is_path(const char *path);
/* Hashes that a file of this size has of its own; 0: it is one chunk. */
size_t manifest_chunks(uint64_t bytes);
/* Appends a file without hashes. */
MUST_CHECK enum status manifest_add(struct manifest *manifest, const char *path,
                                    uint64_t bytes, struct error *err);

#endif
