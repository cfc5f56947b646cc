/*
 * A model that is being loaded: the steps, what is planned, what has happened.
 * The input box below is live meanwhile.
 */
#ifndef FATHOM_UI_VIEW_LOADING_H
#define FATHOM_UI_VIEW_LOADING_H

#include "ui/views/view.h"

enum loading_state {
    LOADING_WAITS,
    LOADING_RUNS,
    LOADING_DONE,
    LOADING_SKIPPED,
    LOADING_FAILED
};

enum { LOADING_SIZE = 24, LOADING_WHAT = 160 };

struct loading_step {
    const char *name; // "signature", at most 12 columns
    enum loading_state state;
    char what[LOADING_WHAT]; // a few words, fit to be shown; or a bar is drawn:
    bool measured;           // `share` is known
    double share;            // 0 to 1
    char size[LOADING_SIZE]; // "20.8 / 33.5 GB", or ""
    char rate[LOADING_SIZE]; // "6.9 GB/s", or ""
    double elapsed_s;        // negative: unknown
    double left_s;           // negative: unknown
};

/* A line below the steps. */
struct loading_line {
    const char *label; // "weights"; of the log "14:01:52"
    const char *text;
};

struct loading_sheet {
    const char *model; // fit to be shown, as all texts here
    const char *right; // of the top line
    const struct loading_step *steps;
    size_t step_count;
    double share; // of all, negative: unknown
    double elapsed_s, left_s;
    const struct loading_line *plan;
    size_t plan_count;
    const struct loading_line *log; // the newest last
    size_t log_count;
    const char *remark; // "Chat is usable after step 4", or NULL
    const char *queued; // what was typed and waits; or NULL
    const char *keys;   // at the end of the last line, "^C cancels"; or NULL
};

struct loading_source {
    void *context;
    // as things are; lent until the next call
    const struct loading_sheet *(*sheet)(void *context, uint64_t now_ns);
};

struct view_loading {
    struct loading_source source;
    view_post_fn *post;
    void *post_context;
};

/* Fills *out with a view whose state is *view; both are the caller's. */
void view_loading_start(struct view_loading *view,
                        const struct loading_source *source, view_post_fn *post,
                        void *post_context, struct view *out);

#endif
