/*
 * A conversation's cache as bytes, so that it can go on later without its
 * prompt being run again, and bit for bit as if it had never stopped: the
 * token ids, the rows of the cache, where the last prompt began, and the
 * answers by their own ids.
 *
 * Integers are little-endian:
 *
 *     0  8 bytes   "FATHOMKV"
 *     8  u32       format, 1
 *    12  u32       bytes of the head, a multiple of 64
 *    16  u64       bytes of the snapshot
 *    24  u64       tokens
 *    32  u64       tokens of the last prompt
 *    40  u64       of them those that were not run
 *    48  u64       answers so far; the last 64 of them follow
 *    56  u32       bytes of an element of the cache: 2 (f16) or 4 (f32)
 *    60  u32       layers
 *    64  u32       elements of a key row, or latent with rotated key
 *    68  u32       elements of a value row, 0 with latent attention
 *    72  32 bytes  fingerprint of the model's content
 *   104  16 bytes  kind: what else must be the same (snapshot_kind)
 *   120  i32 ...   token ids
 *        answers   u32 bytes of text, u32 ids, text, i32 ids, each
 *        zeros     to the end of the head
 *        rows      a layer after the other, keys before values
 *        32 bytes  BLAKE2b of all before
 *
 * What is restored is hostile: every count is checked against what is there
 * and what fits before it is believed, no number may be infinite or NaN, and
 * nothing counts before the last hash was right. Until the head has been found
 * sound nothing changes; then the session is emptied, and stays empty if the
 * rest does not fit. Chunks follow each other; a generation in between ends the
 * transfer.
 * Threads: the session's.
 */
#ifndef FATHOM_ENGINE_SNAPSHOT_H
#define FATHOM_ENGINE_SNAPSHOT_H

#include "base/base.h"
#include "base/protocol.h"

struct session;
struct session_model;

enum {
    SNAPSHOT_KIND_BYTES = 16,
    SNAPSHOT_KEY_BYTES = 32, // kind, and 16 bytes of the hash of the ids
    SNAPSHOT_KEY_TEXT = 2 * SNAPSHOT_KEY_BYTES + 1,
    SNAPSHOT_HASH_BYTES = 32,
};

enum transfer_kind { TRANSFER_NONE, TRANSFER_SAVE, TRANSFER_RESTORE };

/* One snapshot, part of which has been saved or restored. */
struct transfer {
    enum transfer_kind kind;
    uint64_t next;      // where the next chunk begins
    uint64_t bytes;     // of the whole
    size_t tokens;      // 0: the head is not known yet
    struct buffer head; // as it is, or as far as it has come
    size_t head_bytes;  // 0: not known yet
    struct blake2b hash;
    uint8_t last[SNAPSHOT_HASH_BYTES];
};

/* What was saved or restored so far. */
struct snapshot_state {
    uint64_t next, bytes;
    size_t tokens; // in the whole snapshot; of a restore 0 before its end
    uint8_t key[SNAPSHOT_KEY_BYTES]; // of a save
};

/*
 * What snapshots fit this model on this machine, in one hash: fingerprint,
 * files, engine version, device, form of the cache.
 */
void snapshot_kind(uint8_t out[SNAPSHOT_KIND_BYTES],
                   const struct session_model *model);

/*
 * Appends the chunk at `offset` to *chunk, at most PROTOCOL_CHUNK_BYTES. It is
 * 0, or where the last one ended. A session that holds nothing gives nothing:
 * state->bytes is 0.
 */
MUST_CHECK enum status session_save(struct session *session, uint64_t offset,
                                    struct buffer *chunk,
                                    struct snapshot_state *state,
                                    struct error *err);
/*
 * Takes the chunk at `offset`; all but the last have a multiple of 64 bytes.
 * state->tokens is what the session holds when the last one was right.
 * STATUS_FORMAT or STATUS_LIMIT: it does not fit, and why.
 */
MUST_CHECK enum status session_restore(struct session *session, uint64_t offset,
                                       const void *chunk, size_t length,
                                       struct snapshot_state *state,
                                       struct error *err);
/* Ends and wipes a transfer. */
void session_end_transfer(struct session *session);

#endif
