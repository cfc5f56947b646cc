/*
 * The chat: its top line, the transcript, the thought that comes in, what
 * waits, and the status line. The frame below (rule, input box, keys) is
 * drawn by whoever draws the screen.
 *
 * Layouts of thoughts: `auto` is `side` from 120 columns on, else `fold`.
 *   fold   a live tail in the text, a third of the screen high, that folds to
 *          one line when the answer starts
 *   split  a pane across the screen below the text
 *   side   a pane beside the text; below 120 columns the same as fold
 *   hide   heads tell that a thought was there
 *
 * With 120 columns and 36 rows the top and status lines take their large
 * forms. What does not fit is left out, the least important first; what is
 * kept of privacy stays: "net:off" and the state of the vault.
 *
 * The main thread only.
 */
#ifndef FATHOM_UI_VIEW_CHAT_H
#define FATHOM_UI_VIEW_CHAT_H

#include "ui/views/transcript.h"
#include "ui/views/view.h"

enum chat_layout {
    CHAT_AUTO,
    CHAT_FOLD,
    CHAT_SPLIT,
    CHAT_SIDE,
    CHAT_HIDE,
};

enum chat_phase {
    CHAT_IDLE,
    CHAT_LOADING,   // the model: what.. done of size, bytes
    CHAT_READING,   // the prompt: done of size, tokens
    CHAT_THINKING,  // tokens of a thought come in
    CHAT_ANSWERING, // tokens of an answer come in
};

/*
 * What the lines around the transcript tell. Owned by whoever opened the view
 * and changed at will; texts are UTF-8, sanitised, of one line, never NULL.
 * 0: not known, left out.
 */
struct chat_view_state {
    const char *product;    // "fathom"
    const char *title;      // "RDMA notes"; or ""
    const char *model;      // "V4-Flash-q2"
    const char *model_size; // "284B/13B", large form only; or ""
    const char *think;      // "high"; or "": the model does not think
    uint64_t think_budget;  // tokens, large form only
    const char *vault;      // "open", "eph", "locked", "sealed"
    uint64_t lock_in_ms;    // "(lock in 14m)"
    bool network;           // "net:ON": it could not be shut off
    size_t turns, branches; // of the chat, large form only
    bool saved;
    bool enter_opens_line; // and other keys send

    bool asking;        // something is asked for: no word of what one can do
    const char *queued; // the message that waits; or ""
    size_t queued_more; // so many wait behind it
    const char *notice; // something to know now, on the status line; or ""

    size_t context_used, context_tokens;
    double answer_rate, prompt_rate; // tokens a second
    bool has_hits;                   // shares of expert calls served, 0 to 1:
    double hit_vram, hit_ram, hit_disk;
    uint64_t vram_bytes, vram_limit_bytes; // large form only
    uint64_t disk_rate;                    // bytes a second
    size_t branch, branches_here;          // of the current end: "branch 2/2"

    enum chat_phase phase;
    const char *phase_text;         // "reading the prompt"
    uint64_t phase_done, phase_all; // bytes while loading, else tokens
    double phase_rate;              // the same a second
    double phase_eta_s;             // below 0: not known
    bool can_answer_now;            // "^Xa answer now"
};

/*
 * What the view wants done. All are needed. Turns are named as their heads
 * number them; "/save 2 " is block 2 of the last answer, "/save 3.2 " that of
 * turn 3.
 */
struct chat_view_calls {
    void *context;
    view_post_fn *post; // "/edit 3"
    void (*copy)(void *context, const char *text, size_t length);
    void (*page)(void *context, const char *text, size_t length);
};

enum chat_focus { CHAT_FOCUS_INPUT, CHAT_FOCUS_TRANSCRIPT, CHAT_FOCUS_PANE };

struct view_chat;

/* Transcript, state and calls are lent until view_chat_close. */
MUST_CHECK enum status view_chat_open(struct view_chat **out,
                                      struct transcript *transcript,
                                      const struct chat_view_state *state,
                                      const struct chat_view_calls *calls,
                                      struct error *err);
void view_chat_close(struct view_chat *view); // takes NULL
struct view view_chat(struct view_chat *view);

/*
 * ACTION_FOCUS goes on to the next part that is there, ACTION_BACK to the
 * input box. The keys of MAP_TRANSCRIPT are live unless this is
 * CHAT_FOCUS_INPUT.
 */
enum chat_focus view_chat_focus(const struct view_chat *view);
void view_chat_set_focus(struct view_chat *view, enum chat_focus focus);

enum chat_layout view_chat_layout(const struct view_chat *view);
void view_chat_set_layout(struct view_chat *view, enum chat_layout layout);

/*
 * A click of the mouse: folds the thought of a head, gives the pane the keys.
 * False: it means nothing there.
 */
bool view_chat_click(struct view_chat *view, unsigned row, unsigned column);

/*
 * What the last key did, or why it did nothing, is told no longer: for another
 * was pressed, wherever it goes to, or this time has come (UINT64_MAX: nothing
 * is told).
 */
void view_chat_hush(struct view_chat *view);
uint64_t view_chat_deadline(const struct view_chat *view);

/*
 * ACTION_BARE: the transcript alone, without lines around it. The area is
 * then to be all of the screen but what the input box needs while typing.
 */
bool view_chat_is_bare(const struct view_chat *view);

#endif
