/*
 * Where the engine and the models are. Nothing is looked for in the current
 * directory but what the user names as a file.
 *
 * The engine: FATHOM_ENGINE, else fathom-engine beside this program (a build
 * tree), else in libexecdir.
 *
 * A model: a FILE (a name with a slash, or ending in .gguf), or a NAME, which
 * is NAME.gguf or NAME-00001-of-N.gguf in a folder of FATHOM_MODEL_PATH or the
 * settings, in the user's model directory, then among the installed models.
 * Without either: FATHOM_MODEL, the settings' model, then the bundled one.
 */
#ifndef FATHOM_APP_PLACES_H
#define FATHOM_APP_PLACES_H

#include "base/base.h"

enum { PLACE_BYTES = 4096 };

/* "folder/name"; STATUS_LIMIT where that is too long. */
MUST_CHECK enum status places_join(char out[PLACE_BYTES], const char *folder,
                                   const char *name, struct error *err);

MUST_CHECK enum status places_engine(char out[PLACE_BYTES], struct error *err);

/*
 * Fills `out` with the path of a model that exists; `asked` is what -m said
 * or NULL. STATUS_IO: there is none, and err->text says where it was looked
 * for.
 */
MUST_CHECK enum status places_model(char out[PLACE_BYTES], const char *asked,
                                    struct error *err);

/* The user's model directory: ${XDG_DATA_HOME:-~/.local/share}/fathom/models */
MUST_CHECK enum status places_user_models(char out[PLACE_BYTES],
                                          struct error *err);

/*
 * Where the vault lies, whether there is one or not: FATHOM_VAULT or
 * ${XDG_DATA_HOME:-~/.local/share}/fathom, with its state (anchor, failed
 * tries) in ${XDG_STATE_HOME:-~/.local/state}/fathom.
 */
struct vault_folders {
    char data[PLACE_BYTES], state[PLACE_BYTES];
};
MUST_CHECK enum status places_vault(struct vault_folders *out,
                                    struct error *err);

/*
 * Calls visit with the name of every model that a NAME can reach, each once,
 * sorted.
 */
void places_each_model(void (*visit)(void *context, const char *name),
                       void *context);

#endif
