/*
 * The gate between a model's file and the engine: nothing of the file is
 * opened before it has been let through. What is checked is settings_verify's.
 */
#ifndef FATHOM_APP_MODEL_GATE_H
#define FATHOM_APP_MODEL_GATE_H

#include "app/model/model_check.h"
#include "app/places.h"

/*
 * Fills `out` with the path to open, without links where something was
 * checked. STATUS_SIGNATURE: the model is refused; err->text is the sentence.
 */
MUST_CHECK enum status model_gate(char out[PLACE_BYTES], const char *path,
                                  struct error *err);

/* Who vouched for the model that was let through last. */
struct model_voucher {
    bool checked, recorded;
    char manifest[2 * MANIFEST_HASH_BYTES + 1];
    char signer[TRUST_NAME_BYTES + 64]; // empty: nobody signed
};
const struct model_voucher *model_gate_voucher(void);

/*
 * Records in an open vault which model was let through, once. STATUS_DENIED:
 * it cannot be recorded and must be.
 */
MUST_CHECK enum status model_gate_record(struct vault *vault,
                                         struct error *err);

#endif
