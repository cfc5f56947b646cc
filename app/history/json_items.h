/*
 * Large JSON documents from outside, an item at a time: the bytes are looked
 * through for where an item ends, and only that item becomes a tree. What a
 * tree may take is bounded before it is made, so that a small hostile file
 * cannot fill the memory.
 */
#ifndef FATHOM_APP_JSON_ITEMS_H
#define FATHOM_APP_JSON_ITEMS_H

#include "base/protocol.h"

#include <jansson.h>

enum {
    JSON_ITEM_BYTES = 256 << 20,
    JSON_ITEM_VALUES = 4 << 20, // of one item
    JSON_ITEM_DEPTH = 100,
};

/* What a document begins with: '{', '[', another character, 0 when empty. */
char json_items_kind(struct text document);

/*
 * The bytes of a member's value in the outermost object; .bytes is NULL where
 * there is no such member.
 */
MUST_CHECK enum status json_items_member(struct text *out, struct text document,
                                         const char *name, struct error *err);

/* A walk over the elements of an array. Start from {.document}. */
struct json_items {
    struct text document;
    size_t at; // behind the last element
    bool begun, ended;
};

/* The bytes of the next element; .bytes is NULL behind the last one. */
MUST_CHECK enum status
json_items_next(struct text *out, struct json_items *items, struct error *err);

/* A tree of an item; the caller gives it back. NUL in texts is allowed. */
MUST_CHECK enum status json_items_parse(json_t **out, struct text item,
                                        struct error *err);

#endif
