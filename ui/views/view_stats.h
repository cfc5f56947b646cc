/*
 * Statistics: parts with labels and values, the speed of recent answers as
 * bars, and why the last one took its time.
 */
#ifndef FATHOM_UI_VIEW_STATS_H
#define FATHOM_UI_VIEW_STATS_H

#include "ui/views/view.h"

struct stats_row {
    const char *label; // "prompt"
    const char *value; // "412 tokens, 380 of them from the cache"
};

struct stats_part {
    const char *title; // "last answer"
    const struct stats_row *rows;
    size_t count;
};

struct stats_bar {
    const char *label; // "14:02"
    double rate;
    const char *more; // "611 tokens"
};

struct stats_sheet {
    const char *subject; // of the top line, and its right end
    const char *right;
    const char *why, *reason; // "busy machine", and the sentence; or NULL
    const struct stats_part *parts;
    size_t part_count;
    const char *bars_title; // "answers, tok/s"
    const struct stats_bar *bars;
    size_t bar_count;
};

struct stats_source {
    void *context;
    // the newest, lent until the next call; all its texts are fit to be shown
    const struct stats_sheet *(*sheet)(void *context, uint64_t now_ns);
};

struct view_stats {
    struct stats_source source;
    view_post_fn *post;
    void *post_context;
    size_t top;           // the first line shown
    size_t lines, height; // of the last frame
};

/* Fills *out with a view whose state is *view; both are the caller's. */
void view_stats_start(struct view_stats *view,
                      const struct stats_source *source, view_post_fn *post,
                      void *post_context, struct view *out);

#endif
