/*
 * base: what every folder may use. This is the folder's door.
 *
 *   base64.h  bytes in JSON
 *   blake2b.h a hash, for fingerprints and checksums
 *   status.h  enum status, struct error, TRY: the one scheme for failures
 *   memory.h  arenas, growable buffers, page memory, checked sizes
 *   text.h    UTF-8: checking, repairing, and showing hostile bytes safely
 *   fault.h   FATHOM_FAULT=N: the Nth allocation, read or write fails
 *   log.h     the log: a file and a ring, never the terminal
 *   clock.h   monotonic time
 *   frame.h   frames of the engine protocol: 16-byte header, payload
 *   queue.h   bounded queues between threads
 *   rendezvous.h  where warm engines are met: paths, records, connecting
 *   process_usage.h  memory, time and faults of this process
 *   protocol.h (a door of its own) the messages inside frames
 */
#ifndef FATHOM_BASE_BASE_H
#define FATHOM_BASE_BASE_H

#include "base/base64.h"
#include "base/blake2b.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/frame.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/process_usage.h"
#include "base/queue.h"
#include "base/rendezvous.h"
#include "base/status.h"
#include "base/text.h"

#endif
