/*
 * The turns of a chat in memory, wiped when they go: a tree. A question's
 * parent is the answer that it follows, an answer's parent its question; two
 * turns with one parent are branches. The leaf is the end of the branch in
 * use. Nothing is ever taken out of the tree but a turn to which nothing came:
 * undo and edit move the leaf.
 *
 * Turns are named by their index, which stays; a pointer to one is good until
 * the next turn is added.
 */
#ifndef FATHOM_APP_CONVERSATION_H
#define FATHOM_APP_CONVERSATION_H

#include "base/protocol.h"
#include "storage/storage.h"

#define TURN_NONE SIZE_MAX

struct turn {
    uint64_t id;   // in the vault; 0: not kept there
    size_t parent; // TURN_NONE: the chat begins here
    enum turn_role role;
    uint64_t time_ms;
    struct buffer content;
    // of answers only
    struct buffer thinking;
    bool complete; // the answer ended by itself
    bool arrived_locked;
    enum finish finish;
    struct turn_origin origin; // its texts are the buffers below
    struct buffer model, fingerprint, device;
    // of a summary: tokens of a prompt with it, once they were counted here
    uint64_t prompted_tokens;
};

struct conversation {
    struct buffer system; // empty: none
    struct buffer title;  // one line; empty: none yet
    struct buffer tags;   // as in storage/tags.h
    struct turn *turns;   // in the order in which they were made
    size_t count, capacity;
    size_t clearings; // turns of before have other numbers than now
    size_t leaf;      // TURN_NONE: before the first question
    size_t redo; // the leaf before the first of several undos, or TURN_NONE
    size_t cut;  // the leaf before the last cut, or TURN_NONE
};

void conversation_init(struct conversation *conversation);
/* Wipes title, tags and turns; the system text stays. */
void conversation_clear(struct conversation *conversation);
void conversation_release(struct conversation *conversation);

MUST_CHECK enum status
conversation_set_system(struct conversation *conversation, const char *text,
                        size_t length, struct error *err);

MUST_CHECK enum status conversation_set_title(struct conversation *conversation,
                                              const char *title,
                                              struct error *err);

/*
 * Adds a question after the leaf, beside it where the leaf is a question that
 * got no answer, and makes it the leaf.
 */
MUST_CHECK enum status conversation_ask(size_t *out,
                                        struct conversation *conversation,
                                        const char *question, size_t length,
                                        struct error *err);
/* Adds an empty answer to the leaf's question, and makes it the leaf. */
MUST_CHECK enum status conversation_answer(size_t *out,
                                           struct conversation *conversation,
                                           struct error *err);
/* Wipes the turn that was added last; `leaf` is the leaf then. */
void conversation_drop(struct conversation *conversation, size_t leaf);

/* The leaf's question and answer; TURN_NONE where there is none. */
size_t conversation_question(const struct conversation *conversation);
size_t conversation_answered(const struct conversation *conversation);
/* Questions from the beginning to the leaf. */
size_t conversation_depth(const struct conversation *conversation);
/* Whether the turn lies between the beginning and the leaf, or is the leaf. */
bool conversation_on_branch(const struct conversation *conversation,
                            size_t turn);

/* The turns from the beginning to the leaf; the caller frees *out. */
MUST_CHECK enum status
conversation_path(size_t **out, size_t *count,
                  const struct conversation *conversation, struct error *err);

/*
 * Takes a turn of the branch in use, and what follows it, off the branch: the
 * leaf is before its question. conversation_undo takes that back at once.
 */
void conversation_cut(struct conversation *conversation, size_t turn);
/* Before the leaf's question; false where there is none. */
bool conversation_undo(struct conversation *conversation);
/* Takes the last undo back; false: there was none, or much came since. */
bool conversation_redo(struct conversation *conversation);
/* Goes on after this turn, or from the beginning with TURN_NONE. */
void conversation_move(struct conversation *conversation, size_t leaf);

/*
 * People count questions with their answers, from 1, in the order in which
 * they were made; an answer made again counts anew. The number of a turn, and
 * the last turn of a number (TURN_NONE: there is none).
 */
size_t conversation_number(const struct conversation *conversation,
                           size_t turn);
size_t conversation_numbered(const struct conversation *conversation,
                             size_t number);

/*
 * Whether the turn is a summary, or asks for one, that takes the place of the
 * turns before it but for the newest *keep; see summary.h.
 */
bool conversation_summary(const struct conversation *conversation, size_t turn,
                          size_t *keep);

/*
 * The answers whose words, and those of their questions, the next prompt has,
 * in its order: a summary goes before the turns that it keeps. An answer
 * without a word is left out. The caller frees *out.
 */
MUST_CHECK enum status
conversation_prompted(size_t **out, size_t *count,
                      const struct conversation *conversation,
                      struct error *err);
/*
 * Tokens of the context that the branch in use takes, as they were counted with
 * its last answer; 0: they were not.
 */
uint64_t conversation_used(const struct conversation *conversation);
/*
 * The messages of a request for an answer to the leaf's question, which is
 * there: what conversation_prompted says of the turns before it. Before a
 * question for a summary the turns that it keeps are left out. Thoughts are
 * never sent. *out is the caller's to free; its texts are the conversation's.
 */
MUST_CHECK enum status
conversation_messages(struct chat_message **out, size_t *count,
                      const struct conversation *conversation,
                      struct error *err);
/* The same of what the next prompt has up to the leaf, an answer. */
MUST_CHECK enum status
conversation_context(struct chat_message **out, size_t *count,
                     const struct conversation *conversation,
                     struct error *err);

/* What is known of how an answer came about, taken from its DONE. */
MUST_CHECK enum status conversation_describe(struct turn *answer,
                                             const struct generate_done *done,
                                             struct error *err);

/* A turn as the vault keeps it; its texts are borrowed. */
struct turn_record conversation_record(const struct conversation *conversation,
                                       size_t turn);
/* Adds a turn from the vault, after its parent; the leaf stays. */
MUST_CHECK enum status conversation_take(struct conversation *conversation,
                                         const struct turn_record *record,
                                         struct error *err);
/* The turn with this number of the vault; TURN_NONE: it is not here. */
size_t conversation_find(const struct conversation *conversation, uint64_t id);

struct text conversation_text(const struct buffer *buffer);

#endif
