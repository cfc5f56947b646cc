/* The head of a manifest that is made here. */
#ifndef FATHOM_APP_MANIFEST_HEAD_H
#define FATHOM_APP_MANIFEST_HEAD_H

#include "storage/storage.h"

struct manifest_head {
    const char *name, *family, *licence; // NULL: what can be told
    const char *only;                    // the one file; NULL: the folder
};

/*
 * Fills the head: the name from the folder or file, the format from what is
 * there, the time from SOURCE_DATE_EPOCH or the clock. STATUS_FORMAT: a value
 * is not a line of printable ASCII.
 */
MUST_CHECK enum status manifest_head_fill(struct manifest *out,
                                          const char *folder,
                                          const struct manifest_head *head,
                                          struct error *err);

#endif
