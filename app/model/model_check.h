/*
 * Whether a model is what somebody signed. The order is: signatures, the
 * manifest's grammar, sizes, and, where that is asked for or nothing tells
 * that the files are as they were when it was last done, every byte. Nothing
 * of the model's own files is parsed here.
 *
 * What was found whole is noted in a receipt in the user's cache folder, with
 * inode, size and times of each file. Whoever can write there could forge
 * one; VERIFY_FULL does not look at receipts.
 */
#ifndef FATHOM_APP_MODEL_CHECK_H
#define FATHOM_APP_MODEL_CHECK_H

#include "app/model/model_trust.h"
#include "app/settings.h"

struct model_signer {
    char id[MINISIGN_ID_TEXT];
    char name[TRUST_NAME_BYTES];
    char comment[MINISIGN_COMMENT_BYTES]; // trusted, fit to be shown
};

struct model_check {
    char folder[PATH_MAX];
    struct buffer text; // of MANIFEST
    uint8_t hash[MANIFEST_HASH_BYTES];
    struct manifest manifest;
    struct model_signer signer[MANIFEST_FILE_SIGNATURES];
    size_t signers;    // trusted, and right
    size_t signatures; // all that there are
};

/*
 * Checks all but contents. From VERIFY_SIGNED on a trusted key must have
 * signed; below, signatures that are there must still be right. `trust` NULL:
 * the usual keys. STATUS_SIGNATURE: refused. The caller releases *out, also
 * after a failure.
 */
MUST_CHECK enum status model_check_open(struct model_check *out,
                                        const char *folder,
                                        enum verify_mode mode,
                                        const struct model_trust *trust,
                                        struct error *err);
void model_check_release(struct model_check *check);

/*
 * Contents, by the receipt or, with `always` or without a good one, by reading
 * all. Progress is shown from one second on; Ctrl-C cancels.
 */
MUST_CHECK enum status model_check_contents(struct model_check *check,
                                            bool always, struct error *err);
/* Is there a receipt, and are the files as it says? */
bool model_check_has_receipt(const struct model_check *check);
/* When they were read in full, in seconds since 1970; 0: there is none. */
int64_t model_check_receipt_time(const struct model_check *check);
/* Writes one for files that were just read; *out is not changed by failing. */
MUST_CHECK enum status
model_check_write_receipt(const struct model_check *check, struct error *err);
/* Removes the receipt of a folder, where there is one. */
void model_check_forget(const char *folder);

/* Threads, progress "WHAT, 1.2 GB of 4.3 GB", and Ctrl-C for long work. */
struct manifest_work model_check_work(const char *what, uint64_t bytes);

/* "2026-11-25" after "expires:" in a signer's comment; false: none. */
bool model_signer_expiry(const struct model_signer *signer, char out[11],
                         bool *is_past);
/* "acme (B26B8215EF6B227F)", with its expiry; for sentences. */
void model_signer_text(char *out, size_t size,
                       const struct model_signer *signer);

#endif
