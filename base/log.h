/*
 * The log: decisions and their reasons, never content. Lines go to a ring in
 * memory and, after log_open, to a file; never to the terminal. Safe from any
 * thread.
 */
#ifndef FATHOM_BASE_LOG_H
#define FATHOM_BASE_LOG_H

#include "base/memory.h"
#include "base/status.h"

/* Appends to the file at `path`, made with mode 0600. */
MUST_CHECK enum status log_open(const char *path, struct error *err);
void log_close(void);

void log_error(const char *format, ...) PRINTF_LIKE(1, 2);
void log_warn(const char *format, ...) PRINTF_LIKE(1, 2);
void log_note(const char *format, ...) PRINTF_LIKE(1, 2);

/* Appends the lines still in the ring, oldest first. */
MUST_CHECK enum status log_ring(struct buffer *out, struct error *err);

#endif
