/* A ring of pieces. */
#include "config.h"

#include "app/gauges/expert_window.h"

#include <stdlib.h>
#include <string.h>

uint64_t
expert_window_length(size_t i)
{
    static const uint64_t lengths[EXPERT_WINDOWS] = {32, 128, 512, 2048};

    return lengths[i < EXPERT_WINDOWS ? i : EXPERT_WINDOWS - 1];
}

static size_t
cells(const struct expert_window *w)
{
    return w->layers * w->experts;
}

static uint16_t *
piece(const struct expert_window *w, size_t i)
{
    return w->counts + i * cells(w);
}

void
expert_window_wipe(struct expert_window *w)
{
    if (w->counts != NULL) {
        explicit_bzero(w->counts, EXPERT_PIECES * cells(w) * sizeof *w->counts);
        explicit_bzero(w->sums, cells(w) * sizeof *w->sums);
    }
    memset(w->tokens, 0, sizeof w->tokens);
    w->newest = w->pieces = 0;
    w->summed = w->length = 0;
    w->stale = false;
}

void
expert_window_release(struct expert_window *w)
{
    expert_window_wipe(w);
    free(w->counts);
    free(w->sums);
    free(w->tier);
    *w = (struct expert_window){0};
}

static bool
is_shape(const struct expert_window *w, const struct residency *event)
{
    return w->counts != NULL && w->layers == event->layers &&
           w->experts == event->experts && w->first_layer == event->first_layer;
}

/* Shapes come from the protocol, which limits them; products fit. */
static enum status
start(struct expert_window *w, const struct residency *event, struct error *err)
{
    size_t count = (size_t) event->layers * event->experts;
    void *counts = NULL, *sums = NULL, *tier = NULL;

    expert_window_release(w);
    enum status status =
        memory_alloc(&counts, EXPERT_PIECES * count * sizeof *w->counts, err);

    if (status == STATUS_OK)
        status = memory_alloc(&sums, count * sizeof *w->sums, err);
    if (status == STATUS_OK)
        status = memory_alloc(&tier, count, err);
    if (status != STATUS_OK) {
        free(counts);
        free(sums);
        return status;
    }
    memset(counts, 0, EXPERT_PIECES * count * sizeof *w->counts);
    memset(sums, 0, count * sizeof *w->sums);
    w->layers = event->layers;
    w->experts = event->experts;
    w->first_layer = event->first_layer;
    w->counts = counts;
    w->sums = sums;
    w->tier = tier;
    return STATUS_OK;
}

/* A full piece is left as it is, and the oldest one is used anew. */
static void
turn(struct expert_window *w)
{
    if (w->pieces > 0 && w->tokens[w->newest] < EXPERT_PIECE_TOKENS)
        return;
    if (w->pieces > 0)
        w->newest = (w->newest + 1) % EXPERT_PIECES;
    if (w->pieces < EXPERT_PIECES)
        w->pieces++;
    w->tokens[w->newest] = 0;
    memset(piece(w, w->newest), 0, cells(w) * sizeof *w->counts);
}

enum status
expert_window_add(struct expert_window *w, const struct residency *event,
                  struct error *err)
{
    if (event->layers == 0 || event->experts == 0 || event->uses == NULL)
        return STATUS_OK;
    if (!is_shape(w, event))
        TRY(start(w, event, err));
    w->active = event->active;
    w->shared = event->shared;
    turn(w);
    uint16_t *counts = piece(w, w->newest);

    for (size_t i = 0; i < cells(w); i++) {
        uint64_t sum = (uint64_t) counts[i] + event->uses[i];

        counts[i] = sum < UINT16_MAX ? (uint16_t) sum : UINT16_MAX;
    }
    if (event->tier != NULL)
        memcpy(w->tier, event->tier, cells(w));
    w->tokens[w->newest] += event->tokens;
    w->stale = true;
    return STATUS_OK;
}

const uint32_t *
expert_window_sums(struct expert_window *w, uint64_t tokens, uint64_t *summed)
{
    if (w->counts == NULL)
        return NULL;
    if (w->stale || w->length != tokens) {
        memset(w->sums, 0, cells(w) * sizeof *w->sums);
        w->summed = 0;
        for (size_t p = 0; p < w->pieces && w->summed < tokens; p++) {
            size_t at = (w->newest + EXPERT_PIECES - p) % EXPERT_PIECES;
            const uint16_t *counts = piece(w, at);

            for (size_t i = 0; i < cells(w); i++)
                w->sums[i] += counts[i];
            w->summed += w->tokens[at];
        }
        w->length = tokens;
        w->stale = false;
    }
    if (summed != NULL)
        *summed = w->summed;
    return w->sums;
}
