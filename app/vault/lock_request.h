/*
 * How "fathom vault lock" reaches chats of the same user that are open. Each
 * has a FIFO of mode 0600, lock-PID.fifo, in the runtime directory. Whoever
 * wants them locked writes one byte into each; a chat that reads it locks, and
 * says that it has by removing the name. Nothing is told but that.
 *
 *   chat: lock_listener_open when the vault is open; its descriptor in the
 *   poll loop; when readable: lock the vault, then lock_listener_close (which
 *   removes the name) before the program begins anew.
 */
#ifndef FATHOM_APP_LOCK_REQUEST_H
#define FATHOM_APP_LOCK_REQUEST_H

#include "base/base.h"

struct lock_listener;

MUST_CHECK enum status lock_listener_open(struct lock_listener **out,
                                          struct error *err);
/* Readable when somebody wants the vault locked. */
int lock_listener_descriptor(const struct lock_listener *listener);
void lock_listener_close(struct lock_listener *listener); // takes NULL

/*
 * Asks every chat of this user to lock and waits up to wait_ms for each to
 * have done so. Names that dead processes left are removed.
 */
MUST_CHECK enum status lock_request_all(size_t *locked, size_t *silent,
                                        uint64_t wait_ms, struct error *err);

#endif
