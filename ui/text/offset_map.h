/*
 * Which place of an earlier text a place of a later one comes from, where
 * most of it was copied as it was. Between two entries both count alike.
 */
#ifndef FATHOM_UI_OFFSET_MAP_H
#define FATHOM_UI_OFFSET_MAP_H

#include "base/base.h"

struct offset_pair {
    size_t later, earlier;
};

struct offset_map {
    struct buffer pairs; // struct offset_pair, both of them ascending
};

/* From `later` on it is a copy of what begins at `earlier`. */
MUST_CHECK enum status offset_map_add(struct offset_map *map, size_t later,
                                      size_t earlier, struct error *err);
size_t offset_map_find(const struct offset_map *map, size_t later);
void offset_map_clear(struct offset_map *map);
void offset_map_release(struct offset_map *map);

#endif
