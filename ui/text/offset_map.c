/* Pairs in order, found by halving. */
#include "config.h"

#include "ui/text/offset_map.h"

static size_t
pair_count(const struct offset_map *map)
{
    return map->pairs.length / sizeof(struct offset_pair);
}

static struct offset_pair *
pair_at(const struct offset_map *map, size_t i)
{
    void *pairs = map->pairs.data;

    return (struct offset_pair *) pairs + i;
}

enum status
offset_map_add(struct offset_map *map, size_t later, size_t earlier,
               struct error *err)
{
    size_t count = pair_count(map);
    struct offset_pair pair = {later, earlier};

    if (count == 0 && later == earlier)
        return STATUS_OK;
    if (count > 0) {
        struct offset_pair *last = pair_at(map, count - 1);

        if (later - last->later == earlier - last->earlier)
            return STATUS_OK;
        if (last->later == later) {
            last->earlier = earlier;
            return STATUS_OK;
        }
    }
    return buffer_append(&map->pairs, &pair, sizeof pair, err);
}

size_t
offset_map_find(const struct offset_map *map, size_t later)
{
    size_t low = 0, high = pair_count(map);

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (pair_at(map, middle)->later <= later)
            low = middle + 1;
        else
            high = middle;
    }
    size_t place = low == 0 ? later
                            : pair_at(map, low - 1)->earlier + later -
                                  pair_at(map, low - 1)->later;

    // what was put in lies before what follows it
    if (low < pair_count(map) && place > pair_at(map, low)->earlier)
        place = pair_at(map, low)->earlier;
    return place;
}

void
offset_map_clear(struct offset_map *map)
{
    map->pairs.length = 0;
}

void
offset_map_release(struct offset_map *map)
{
    buffer_release(&map->pairs);
}
