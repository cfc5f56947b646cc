/*
 * The expert map: a row a layer, a column an expert or a few of them, and in
 * each cell a glyph that tells where the expert lies and whether it is much
 * used. It shows counts of what was computed, never what was intended.
 *
 *            hot  cold
 *   VRAM      #    =       hot: used at least twice as often as the average
 *   RAM       +    -       expert of its layer
 *   NVMe      o    .       ! is being read
 *
 * A cell of several experts shows the most used of them.
 */
#ifndef FATHOM_UI_VIEW_EXPERTS_H
#define FATHOM_UI_VIEW_EXPERTS_H

#include "ui/views/view.h"

enum expert_place {
    EXPERT_VRAM,
    EXPERT_RAM,
    EXPERT_NVME,
    EXPERT_READING,
    EXPERT_PLACES
};

enum { EXPERT_MAP_LAYERS = 1024 }; // more are not shown

struct expert_map {
    const char *model;      // fit to be shown
    const char *right;      // of the top line: "net:off"
    const char *sentence;   // in place of the map, where there is none; or NULL
    size_t layers, experts; // that have experts, and how many each
    size_t first_layer;     // the model's number of the first of them
    unsigned active, shared; // for each token
    const uint32_t *uses;    // (layers, experts), in the window
    const uint8_t *place;    // (layers, experts), enum expert_place
    uint64_t tokens;         // that the window holds
    uint64_t window;         // that it can hold
};

struct experts_source {
    void *context;
    // the newest map; lent until the next call
    const struct expert_map *(*map)(void *context);
    // the next longer window (1), or shorter one (-1)
    void (*window)(void *context, int change);
};

struct view_experts {
    struct experts_source source;
    view_post_fn *post;
    void *post_context;
    size_t layer, expert;    // under the cursor
    size_t top, left;        // the first row, as sorted, and the first cell
    size_t cell;             // experts in one; 0: as many as fit
    size_t shown, per, wide; // of the last frame: rows, experts a cell, cells
    bool by_heat, mono;
};

/* Fills *out with a view whose state is *view; both are the caller's. */
void view_experts_start(struct view_experts *view,
                        const struct experts_source *source, view_post_fn *post,
                        void *post_context, struct view *out);

#endif
