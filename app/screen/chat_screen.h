/*
 * The full screen of a chat: the frame with the input box, the chat above it,
 * and the views that may cover the chat.
 *
 *   chat_screen.c         the face: what the core of the chat tells it
 *   chat_screen_keys.c    lines, actions, and the view over the chat
 *   chat_screen_frame.c   drawing: the view, the input box, the last line
 *   chat_screen_turns.c   turns of the conversation as items of the transcript
 *   chat_screen_state.c   what the lines around the transcript tell
 *   chat_views.h          the views
 *
 * There is one screen. The main thread only.
 */
#ifndef FATHOM_APP_CHAT_SCREEN_H
#define FATHOM_APP_CHAT_SCREEN_H

#include "app/chat/chat_title.h"
#include "app/screen/chat_views.h"

/* -- chat_screen_turns.c --------------------------------------------------- */

/* A turn on the screen. */
struct shown_turn {
    size_t turn; // of the conversation
    size_t item; // of the transcript
};

/* Where a turn stands among those with the same parent. */
struct sibling {
    size_t at;            // from 1
    size_t last;          // the turn that came last
    size_t before, after; // the turns beside it, or TURN_NONE
    size_t child;         // of it, the turn that came last, or TURN_NONE
};

struct screen_turns {
    struct transcript *transcript;
    struct shown_turn *shown; // the branch in use, from its beginning
    size_t count, capacity;
    size_t clearings; // of the conversation that is shown
    size_t coming;    // the item of the answer that comes; or TRANSCRIPT_NONE
    struct sibling *siblings; // one for each turn of the conversation
    size_t sibling_count;
    size_t branches;              // of the conversation
    char title[CHAT_TITLE_BYTES]; // of its first question
};

MUST_CHECK enum status screen_turns_open(struct screen_turns *turns,
                                         struct error *err);
void screen_turns_close(struct screen_turns *turns);

/* Brings the transcript up to the conversation's branch in use. */
MUST_CHECK enum status screen_turns_update(struct screen_turns *turns,
                                           const struct chat *chat,
                                           struct error *err);
/* The answer begins to come; what its turn has already is there. */
MUST_CHECK enum status screen_turns_begin(struct screen_turns *turns,
                                          const struct chat *chat,
                                          size_t answer, struct error *err);
MUST_CHECK enum status screen_turns_text(struct screen_turns *turns,
                                         const struct token_event *token,
                                         struct error *err);
/* Figures of the answer that comes, as far as they are known. */
void screen_turns_figures(struct screen_turns *turns, const struct chat *chat,
                          uint64_t thought_tokens, uint64_t thought_ms);
void screen_turns_end(struct screen_turns *turns, const struct chat *chat);

/* -- chat_screen_state.c --------------------------------------------------- */

/* Counted while an answer comes. */
struct screen_counts {
    uint64_t begun_ns;  // of the answer
    uint64_t first_ns;  // its first token; 0: none came
    uint64_t answer_ns; // the first of the answer itself; 0: none came
    uint64_t thought_tokens, answer_tokens;
    struct progress_event progress; // the last one
    uint64_t progress_ns, progress_begun_ns;
    uint64_t progress_first; // done when it began
    bool progressing;
    bool reading; // it answers nothing
    // of the last RESIDENCY
    struct residency residency;
    bool has_residency;
};

/* Room for the texts of a state. */
struct screen_texts {
    char title[200], model[MODEL_NAME_BYTES], think[20], queued[200],
        phase[100];
};

void screen_state_fill(struct chat_view_state *state,
                       struct screen_texts *texts, const struct chat *chat,
                       const struct screen_turns *turns,
                       const struct screen_counts *counts, uint64_t now_ns);

/* -- the screen ------------------------------------------------------------ */

/* What the input box is for. */
enum screen_box {
    BOX_LINE,   // the next message
    BOX_ASK,    // an answer to a question of the chat
    BOX_FILTER, // what a view, or the transcript, is searched for
    BOX_END,    // the end of a command that a view has begun
    BOX_SECRET, // a passphrase, which the editor does not see
};

enum { NOTICE_BYTES = 800, OFFER_BYTES = 100 };

/* What Tab offered last. */
struct screen_offer {
    bool now;           // by the keys in hand
    size_t count, next; // words, and the first one that was not shown
    char first[OFFER_BYTES];
};

struct chat_screen {
    struct chat *chat; // NULL: not open
    struct screen_turns turns;
    struct view_chat *view;
    struct chat_view_state state;
    struct screen_texts texts;
    struct screen_counts counts;

    struct view cover; // over the chat; or none
    chat_view_close_fn *close_cover;
    bool work; // the cover has something to do

    enum screen_box box;
    char begun[100];    // of BOX_END: the command
    bool asks_in_cover; // a question of that command leaves the cover
    char secret_prompt[200];
    size_t secret_typed;
    const struct secret *made; // is to be written down; or NULL
    char first_text[400];      // what the first start is about
    char first_step[100];      // and what it has come to; or ""
    const struct secret *seen; // what is typed, where the user wants to see it
    size_t seen_length;
    enum line_result pending;  // of a key that was waited for
    bool answers;              // what is put now answers a line just typed
    char notice[NOTICE_BYTES]; // beside the input box, until the next key
    struct screen_offer offer;
    uint64_t drawn_ns; // the last frame
};

extern struct chat_screen chat_screen;

/* -- chat_screen_keys.c ---------------------------------------------------- */

/* The calls of the line editor and of the views. */
extern const struct line_box_calls screen_box_calls;
extern const struct chat_view_calls screen_view_calls;

/* What Tab may offer; see line_editor.h. */
void screen_complete(void *context, const char *line, size_t start,
                     struct line_candidates *out);

/* Standard input is readable: what became of the box. */
enum line_result screen_feed(struct chat *chat);
/* The same while the core is busy. */
void screen_busy_keys(struct chat *chat);
bool screen_interrupt(struct chat *chat);
/* prompt NULL: the chat's own, for the next message. */
void screen_ask(struct chat *chat, const char *prompt, const char *text);

/* Opens a view over the chat by the name of its command; false: no such. */
bool screen_open_view(struct chat *chat, const char *name,
                      const char *arguments);
void screen_close_cover(void);
/* The same, where it is the one of this name. */
void screen_close_view(const char *name);
/* What a view or the transcript asks for is given up, if it does. */
void screen_give_up_filter(void);
/* Something to know at once; stays until the next key. */
void screen_notice(const char *text);

/* -- chat_screen_frame.c --------------------------------------------------- */

/* Draws all of it and shows it. */
MUST_CHECK enum status screen_frame(uint64_t now_ns, struct error *err);

#endif
