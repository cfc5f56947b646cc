/*
 * What is inside rows: bodies of fields. A field is
 *
 *     0  u8, its number
 *     1  u32, length of its value
 *     5  value
 *
 * in ascending order of numbers, each number at most once; one that is 0 or
 * empty is left out. Values are text (UTF-8), bytes, or a number of a fixed
 * size: u8 (flags 0 or 1, and words), u32, u64, i64, f64 (IEEE 754). Unknown
 * numbers, wrong sizes and bytes behind the last field break the format.
 *
 * A reference names a row that another row vouches for (32 bytes):
 *
 *     0  u64 number of the row
 *     8  u64 its generation
 *    16  its tag, the last 16 bytes of the row
 *
 * root: row 1, and once more in row 2^61 + 1, which only repairs read
 *     1 u64 counter: transactions so far
 *     2 bytes[32] BLAKE2b of the former root's row with the anchor's key
 *     3 u64 the next number for a row
 *     4 u64 when it was written, ms since 1970
 *     5 references to shards      6 references to pages of inputs
 *     7 references to audit pages 8 one reference: list of caches
 *     9 one reference: what came through the inbox
 *
 * shard: up to 256 chats; once more in row 2^61 + number, for repairs
 *     1 entries of 56 bytes: chat's id 16, reference to its manifest 32,
 *       u64 used_ms
 *
 * chat: the manifest
 *     1 text title    2 text system       3 text model of the last answer
 *     4 u64 created_ms  5 u64 used_ms     6 u64 leaf  7 u8 pinned
 *     8 u64 row of the draft, which may be there or not
 *     9 references to turns, in the order in which they were written
 *    10 text tags, as in storage/tags.h; a fathom that knows no tags does not
 *       read a chat that has some
 *
 * turn, draft: a draft has generation and chat of the manifest; nothing lists
 *   it, so that it went, or an older one of the same answer came back, is not
 *   noticed
 *     1 u64 parent (0: none)  2 u8 role: 0 question, 1 answer
 *     3 u64 time_ms   4 text content   5 text thinking
 *     6 u8 complete   7 u8 arrived through the inbox
 *     8 u8 finish, as numbered by enum finish
 *     9 text model   10 text fingerprint   11 text device
 *    12 f64 repeat penalty  13 f64 temperature  14 i64 top_k  15 f64 top_p
 *    16 f64 min_p   17 i64 seed   18 u64 prompt tokens
 *    19 u64 thinking tokens   20 u64 answer tokens
 *    21 f64 ttft_ms   22 f64 total_ms   23 f64 decode_tps
 *    The turn's id is the number of its row; its generation is 1.
 *
 * page of inputs
 *     1 items, oldest first: u32 length, text
 *
 * list of caches
 *     1 items: u32 length, and a body of
 *         1 bytes[16] chat   2 bytes[32] key   3 u64 counter at the last use
 *         4 u64 bytes        5 references to chunks
 *   Rows of chunks have numbers from 2^62; their bodies are the chunk.
 *
 * audit page
 *     1 items, oldest first: u32 length, and a body of
 *         1 u64 number, from 1   2 u64 time_ms   3 text event   4 text detail
 *         5 bytes[32] keyed BLAKE2b over the former event's (32 zeros before
 *           the first), u64 number, u64 time_ms, u32 length of event, event,
 *           detail
 *
 * what came through the inbox
 *     1 bytes: ids of 16 bytes, oldest first
 *
 * Threads: plain functions; what is read borrows from the bytes it was read
 * from.
 */
#ifndef FATHOM_STORAGE_VAULT_BODY_H
#define FATHOM_STORAGE_VAULT_BODY_H

#include "storage/record.h"

enum {
    ROW_REF_BYTES = 32,
    SHARD_ENTRY_BYTES = 56,
    SHARD_CHATS = 256,
    ROOT_MAC_BYTES = 32,
};

/* Numbers of rows; those of chats are between. */
#define ROOT_ROW UINT64_C(1)
#define FIRST_ROW UINT64_C(2)
#define MIRROR_ROWS (UINT64_C(1) << 61)
#define CACHE_ROWS (UINT64_C(1) << 62)

struct row_ref {
    uint64_t row;
    uint64_t generation;
    uint8_t tag[16];
};
void row_ref_write(uint8_t out[ROW_REF_BYTES], const struct row_ref *ref);
struct row_ref row_ref_read(const void *bytes);
/* The i-th of a list, and back into its place. */
struct row_ref row_ref_at(const struct buffer *list, size_t i);
void row_ref_set(struct buffer *list, size_t i, const struct row_ref *ref);
size_t row_ref_count(const struct buffer *list);
MUST_CHECK enum status row_ref_append(struct buffer *list,
                                      const struct row_ref *ref,
                                      struct error *err);
/* Drops the i-th. */
void row_ref_drop(struct buffer *list, size_t i);

struct root_body {
    uint64_t counter;
    struct text previous; // ROOT_MAC_BYTES, or empty in the first
    uint64_t next_row;
    uint64_t written_ms;
    struct text shards, inputs, audits, caches, taken; // references
};

struct shard_body {
    struct text chats;
};

struct chat_body {
    struct chat_info info; // without id and turns
    uint64_t draft;
    struct text turns; // references
};

struct cache_body {
    struct text chat;
    struct text key;
    uint64_t used; // counter of the root
    uint64_t bytes;
    struct text chunks; // references
};

struct audit_body {
    uint64_t number;
    uint64_t time_ms;
    struct text event, detail;
    struct text mac;
};

/* One list of items: a page of inputs, of audit events; the list of caches. */
struct items_body {
    struct text items;
};

/*
 * Writing appends to *out. Reading fills everything of *out and fails with
 * STATUS_FORMAT where the bytes are no such body.
 */
MUST_CHECK enum status root_body_write(struct buffer *out,
                                       const struct root_body *body,
                                       struct error *err);
MUST_CHECK enum status root_body_read(struct root_body *out, const void *bytes,
                                      size_t length, struct error *err);
MUST_CHECK enum status shard_body_write(struct buffer *out,
                                        const struct shard_body *body,
                                        struct error *err);
MUST_CHECK enum status shard_body_read(struct shard_body *out,
                                       const void *bytes, size_t length,
                                       struct error *err);
MUST_CHECK enum status chat_body_write(struct buffer *out,
                                       const struct chat_body *body,
                                       struct error *err);
MUST_CHECK enum status chat_body_read(struct chat_body *out, const void *bytes,
                                      size_t length, struct error *err);
/* `id` of a turn is not in its body. */
MUST_CHECK enum status turn_body_write(struct buffer *out,
                                       const struct turn_record *turn,
                                       struct error *err);
MUST_CHECK enum status turn_body_read(struct turn_record *out,
                                      const void *bytes, size_t length,
                                      struct error *err);
/* Are the question's or answer's texts UTF-8? */
bool turn_texts_valid(const struct turn_record *turn);
MUST_CHECK enum status cache_body_write(struct buffer *out,
                                        const struct cache_body *body,
                                        struct error *err);
MUST_CHECK enum status cache_body_read(struct cache_body *out,
                                       const void *bytes, size_t length,
                                       struct error *err);
MUST_CHECK enum status audit_body_write(struct buffer *out,
                                        const struct audit_body *body,
                                        struct error *err);
MUST_CHECK enum status audit_body_read(struct audit_body *out,
                                       const void *bytes, size_t length,
                                       struct error *err);
/* Items are checked whole here, so items_next cannot fail. */
MUST_CHECK enum status items_body_write(struct buffer *out,
                                        const struct items_body *body,
                                        struct error *err);
MUST_CHECK enum status items_body_read(struct items_body *out,
                                       const void *bytes, size_t length,
                                       struct error *err);
MUST_CHECK enum status items_append(struct buffer *items, struct text item,
                                    struct error *err);
/* Do items end with the bytes? Only then may they be taken off. */
bool items_whole(struct text items);
/* Takes the first item off *rest; false when there is none. */
bool items_next(struct text *item, struct text *rest);

#endif
