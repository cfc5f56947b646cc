/*
 * Text to id: a hash table over texts that lie elsewhere.
 *
 * The caller owns an array of texts whose index is the id and adds ids one by
 * one. Texts come from hostile files, so a lookup that would walk far is
 * refused when the table is filled: afterwards every lookup is short.
 * Threads: constant once filled.
 */
#ifndef FATHOM_ENGINE_TEXT_TABLE_H
#define FATHOM_ENGINE_TEXT_TABLE_H

#include "base/base.h"
#include "engine/gguf.h"

struct text_slot {
    uint32_t hash;
    int32_t id; // TEXT_NONE: free
};

struct text_table {
    const struct gguf_string *texts;
    struct text_slot *slots;
    size_t mask; // slots - 1
};

enum {
    TEXT_NONE = -1,
    TEXT_WALK_MAX = 256, // slots a lookup may pass; some 40 are usual
    TEXT_AHEAD = 8,      // lookups that are worth prefetching
};

/* Makes room for ids below `count`. Nothing is in the table yet. */
MUST_CHECK enum status text_table_init(struct text_table *table,
                                       const struct gguf_string *texts,
                                       size_t count, struct error *err);
void text_table_release(struct text_table *table);

/*
 * Adds texts[id]; *found is the id that has this text already, else `id`.
 * STATUS_LIMIT: too many texts share a hash, which no honest file does.
 */
MUST_CHECK enum status text_table_add(struct text_table *table, int32_t id,
                                      int32_t *found, struct error *err);

/* The hash of a text; its low bits say where lookups start. */
uint32_t text_table_hash(const char *bytes, size_t length);

/* Fetches what a lookup of this text will need: call it some lookups ahead. */
void text_table_prefetch(const struct text_table *table, const char *bytes,
                         size_t length);

/* The id of a text, or TEXT_NONE. */
int32_t text_table_find(const struct text_table *table, const char *bytes,
                        size_t length);

#endif
