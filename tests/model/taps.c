/* See taps.h. */
#include "config.h"

#include "tests/model/taps.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void
taps_open(struct taps *taps, struct device *device)
{
    *taps = (struct taps){.device = device};
}

void
taps_clear(struct taps *taps)
{
    for (size_t i = 0; i < taps->count; i++)
        taps->tap[i].rows = 0;
}

void
taps_close(struct taps *taps)
{
    for (size_t i = 0; i < taps->count; i++)
        free(taps->tap[i].words);
    taps->count = 0;
}

static size_t
find(const struct taps *taps, const char *name, uint32_t layer)
{
    size_t i = 0;

    while (i < taps->count && (taps->tap[i].layer != layer ||
                               strcmp(taps->tap[i].name, name) != 0))
        i++;
    return i;
}

const struct tap *
taps_find(const struct taps *taps, const char *name, uint32_t layer)
{
    size_t i = find(taps, name, layer);

    return i < taps->count && taps->tap[i].rows > 0 ? &taps->tap[i] : NULL;
}

static void
make_room(struct tap *tap, size_t rows)
{
    size_t need = (tap->rows + rows) * tap->width;

    if (need <= tap->capacity)
        return;
    tap->capacity = 2 * need;
    tap->words = realloc(tap->words, tap->capacity * sizeof *tap->words);
    assert(tap->words != NULL);
}

void
taps_observe(void *context, const char *name, uint32_t layer, const void *data,
             size_t rows, size_t width)
{
    struct taps *taps = context;
    struct device *device = taps->device;
    size_t i = find(taps, name, layer);
    struct tap *tap = &taps->tap[i];

    assert(i < sizeof taps->tap / sizeof *taps->tap);
    if (i == taps->count) {
        assert(strlen(name) < sizeof tap->name);
        strcpy(tap->name, name);
        tap->layer = layer;
        tap->width = width;
        taps->count++;
    }
    assert(tap->width == width);
    make_room(tap, rows);
    // complete at the next wait, which the forward pass ends with
    device->ops->download(device, tap->words + tap->rows * width, data,
                          rows * width * sizeof *tap->words);
    tap->rows += rows;
}
