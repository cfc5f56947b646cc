/* Progress of the engine as a sentence, with numbers that were measured. */
#ifndef FATHOM_APP_PROGRESS_TEXT_H
#define FATHOM_APP_PROGRESS_TEXT_H

#include "base/protocol.h"

/*
 * "reading the model, 1.2 of 4.3 GB, 900 MB/s, 4 s left"; elapsed_ns since
 * the phase, or the program, began.
 */
void progress_sentence(char *out, size_t size,
                       const struct progress_event *progress,
                       uint64_t elapsed_ns);

/* "512 B", "7.9 MB", "404 GB": decimal units, three digits. */
enum { BYTES_TEXT = 24 };
const char *progress_bytes(char out[BYTES_TEXT], double bytes);

#endif
