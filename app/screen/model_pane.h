/*
 * What the model picker knows of a model that was found: from its place on the
 * disk, its manifest and its signatures, from runs on this machine, and of the
 * model in use from the engine. What is not known has no line.
 */
#ifndef FATHOM_APP_MODEL_PANE_H
#define FATHOM_APP_MODEL_PANE_H

#include "app/model/model_speed.h"
#include "app/places.h"
#include "ui/ui.h"

#include <jansson.h>

enum { FOUND_NAME_BYTES = 256, FOUND_TEXT_BYTES = 300 };

struct found_model {
    struct model_row row;
    char name[FOUND_NAME_BYTES], shown[FOUND_NAME_BYTES];
    char path[PLACE_BYTES];
    uint64_t bytes;     // of the first file
    uint64_t all_bytes; // of all its files
    bool looked;        // at its manifest
    // "" each: not known
    char manifest[FOUND_TEXT_BYTES], signer[FOUND_TEXT_BYTES];
    char licence[FOUND_TEXT_BYTES], bill[FOUND_TEXT_BYTES]; // of materials
    char since[FOUND_TEXT_BYTES], receipt[FOUND_TEXT_BYTES];
    const char *verity;            // fs-verity: "on", "off"; NULL: unknown
    char remark[FOUND_TEXT_BYTES]; // why it is refused
};

/* Looks at manifest, signatures and sizes; contents are only for verify. */
void model_pane_look(struct found_model *model);

/*
 * The lines about it, lent until the next call. `speed` is what was measured
 * of it, `description` what the engine tells of its file, or NULL.
 */
const struct model_detail *model_pane_detail(const struct found_model *model,
                                             const struct model_speed *speed,
                                             const json_t *description);

#endif
