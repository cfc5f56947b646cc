/*
 * The history: a list of the chats that are kept, a search in them as it is
 * typed, and a preview of the one in use.
 *
 * Rows are asked for as they are shown, a screenful at a time, however many
 * there are. Looking through the vault goes on in small steps (work of view.h),
 * so no key waits for it. What is deleted is marked, and goes when the view is
 * closed; until then it can be had back. The main thread only.
 */
#ifndef FATHOM_UI_VIEW_HISTORY_H
#define FATHOM_UI_VIEW_HISTORY_H

#include "ui/views/view.h"

#define HISTORY_TURNS_UNKNOWN UINT64_MAX

/*
 * A chat as the list shows it. Texts are UTF-8 of one line that went through
 * the sanitiser, lent until the source is asked again; so is all below.
 */
struct history_row {
    const char *id; // as "/resume" takes it
    const char *when;
    const char *model, *title;
    const char *tags; // with blanks between them, or ""
    uint64_t turns;   // questions of the branch in use
    size_t hits;      // texts in which something was found, without the title
    bool in_use;      // this chat is open here
    bool pinned;      // is not pruned
    bool deleted;     // goes when the view is closed
};

/* Where something was found: bytes at..at+length of a line. */
struct history_hit {
    const char *line;
    size_t at, length;
    const char *place; // "you", "fathom", "thinking"
};

struct history_turn {
    bool question;
    const char *when;
    const char *thought; // "thought 903 tok, 61 s", or ""
    const char *text;    // Markdown, as it is in the vault
    size_t length;
};

/* The turns of the branch in use, the last of them or those about a hit. */
struct history_preview {
    const char *head;      // "id 01jd3k8q   12 turns   2 branches"
    const char *tags;      // with blanks between them, or ""
    const char *tree;      // lines, or ""
    size_t earlier, later; // turns that are not among these
    const struct history_turn *turns;
    size_t count;
    size_t at; // the turn to be seen; count: the end
    // what was found in its text, and the byte at which it begins there
    const char *hit;
    size_t hit_length, hit_begin; // no length: nothing was
};

/* What there is in all, and what a search has come to. */
struct history_totals {
    uint64_t chats, messages; // questions and answers of all branches
    bool messages_known;      // all were counted
    uint64_t vault_bytes;     // 0: not known
    // of the search
    bool searching; // something is looked for, or filtered by
    bool done;      // all of the vault was looked through
    bool text;      // a text is looked for, so there are hits
    uint64_t hits, matches;
    uint64_t took_ns;
    const char *fault; // a sentence, or NULL
};

struct view_history_source {
    void *context;
    struct history_totals (*totals)(void *context);
    // chats that the search has found so far, or all
    size_t (*rows)(void *context);
    bool (*row)(void *context, size_t index, struct history_row *out);
    bool (*hit)(void *context, size_t index, size_t number,
                struct history_hit *out);
    // `number` of a hit, or SIZE_MAX: the end of the chat
    bool (*preview)(void *context, size_t index, size_t number,
                    struct history_preview *out);
    // hits in the rows before this one
    uint64_t (*hits_before)(void *context, size_t index);
    // of the turn in which a hit is, as "/branch" counts; 0: not known
    size_t (*turn_number)(void *context, size_t index, size_t number);
    // begins to look for something else; "": for nothing
    void (*search)(void *context, const char *text, bool regex);
    // a small step of the search; false: it is done
    bool (*work)(void *context);
    // each NULL, or a sentence that says why it was not done
    const char *(*pin)(void *context, size_t index);
    const char *(*remove)(void *context, size_t index);
    const char *(*restore)(void *context, size_t *index); // the last one
};

/*
 * `absent`: why there is nothing to show, a sentence, and then no source; the
 * text is copied. The view is closed with view_history_close, which does not
 * close the source.
 */
MUST_CHECK enum status
view_history_open(struct view *out, const struct view_history_source *source,
                  const char *absent, view_post_fn *post, view_ask_fn *ask,
                  void *context, struct error *err);
/* What a chat is called, or its tags, is another now. */
void view_history_changed(struct view *view);
void view_history_close(struct view *view); // wipes; takes an empty one

#endif
