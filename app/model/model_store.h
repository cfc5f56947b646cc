/*
 * The user's models: a folder each, with a MANIFEST, below the user's model
 * directory. A model appears there whole or not at all: it is copied beside
 * its place, checked on the way, and renamed when it is on the disk. What an
 * import that was killed has left is cleared away by the next one.
 */
#ifndef FATHOM_APP_MODEL_STORE_H
#define FATHOM_APP_MODEL_STORE_H

#include "app/model/model_check.h"
#include "app/places.h"

enum { MODEL_STORE_NAME_BYTES = 128 };

/* Whether a model can be called so: the name of one file, not hidden. */
bool model_store_is_name(const char *name);

/*
 * The folder of a model: `asked` is a folder, a file in one, or a name.
 * STATUS_IO: there is none.
 */
MUST_CHECK enum status model_store_folder(char out[PLACE_BYTES],
                                          const char *asked, struct error *err);

/* The place of a model of this name; STATUS_LIMIT: it is taken. */
MUST_CHECK enum status model_store_place(char out[PLACE_BYTES],
                                         const char *name, struct error *err);

/*
 * Copies the files of a checked model, its manifest and its signatures to
 * `place`. On success `check` speaks of the copy, and there is a receipt.
 */
MUST_CHECK enum status model_store_import(struct model_check *check,
                                          const char *place, struct error *err);

/* Removes a folder and what is in it, without following links. */
MUST_CHECK enum status model_store_remove(const char *folder,
                                          struct error *err);

/* Writes a file that must not exist; it is on the disk when this returns. */
MUST_CHECK enum status model_store_write_new(const char *path, mode_t mode,
                                             const void *bytes, size_t length,
                                             struct error *err);

#endif
