/*
 * The model picker: the models that were found, what is known of each, and
 * what can be done with the one that is chosen; and the presets, with which
 * any of them can be asked.
 *
 * Posts "/model NAME" on Enter, "/set --keep model.default NAME" for the
 * default, and "/preset NAME" out of the list of presets. What takes long is
 * the source's to do, beside the screen.
 */
#ifndef FATHOM_UI_VIEW_MODELS_H
#define FATHOM_UI_VIEW_MODELS_H

#include "ui/views/view.h"

enum { MODEL_CELL = 24, MODEL_LINES = 40 };

enum model_sign {
    MODEL_UNKNOWN, // not looked at yet
    MODEL_SIGNED,
    MODEL_UNSIGNED,
    MODEL_BAD,
};

struct model_row {
    const char *name; // as /model takes it
    bool in_use, is_default;
    char size[MODEL_CELL];    // "81 GB", as all texts fit to be shown
    char fits[MODEL_CELL];    // "R43", "no"
    char speed[MODEL_CELL];   // "14"; "" before it was measured
    char context[MODEL_CELL]; // "128k", or "-"
    char used[MODEL_CELL];    // "today", "never"
    enum model_sign sign;
};

/* Where a line about a model is shown: below the list, or in the pane. */
enum model_width { MODEL_ANY, MODEL_NARROW, MODEL_WIDE };

struct model_line {
    const char *label; // "family"; "": goes on
    const char *text;
    enum model_width width;
};

struct model_preset {
    const char *name; // as /preset takes it
    const char *text; // "temp 0.3  think off"
    bool in_use;
};

/* What is known of one model. */
struct model_detail {
    const struct model_line *lines;
    size_t count;
    const char *remark; // why it is refused; or NULL
};

struct models_source {
    void *context;
    size_t (*count)(void *context);
    const struct model_row *(*row)(void *context, size_t i);
    // lent until the next call
    const struct model_detail *(*detail)(void *context, size_t i);
    // "free: RAM 58 GB", and where models were looked for
    const char *(*room)(void *context);
    const char *(*places)(void *context);
    // begins to look into the model, or to read all of it; what comes of it:
    void (*info)(void *context, size_t i);
    void (*verify)(void *context, size_t i);
    // the text of info, NULL: none is there; ended: all of it
    const char *(*info_text)(void *context, bool *ended);
    // the last line of verify, or NULL
    const char *(*news)(void *context);
    // goes on with what was begun; true: there is more to do
    bool (*work)(void *context);
    size_t (*preset_count)(void *context);
    // lent until the next call
    const struct model_preset *(*preset)(void *context, size_t i);
};

enum models_page {
    MODELS_LIST,
    MODELS_INFO,    // the text of info
    MODELS_PRESETS, // which of them to ask with
};

struct view_models {
    struct models_source source;
    view_post_fn *post;
    void *post_context;
    char filter[100];
    size_t chosen; // of all rows
    size_t top;    // the first one shown, of those that the filter leaves
    size_t height; // rows of the last frame
    enum models_page page;
    size_t preset;    // chosen, of all presets; the one after them: none
    size_t info_top;  // its first line
    size_t info_size; // lines that it has
};

/* Fills *out with a view whose state is *view; both are the caller's. */
void view_models_start(struct view_models *view,
                       const struct models_source *source, view_post_fn *post,
                       void *post_context, struct view *out);

#endif
