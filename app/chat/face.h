/*
 * How a chat meets its user. There are two faces: plain lines, one below the
 * other (chat_plain.c), and a full screen (chat_screen.c). The core of a chat
 * (chat.c, chat_turn.c and the commands) speaks to its user through these
 * calls alone, and waits for keys, the engine, signals and time in one place,
 * chat_wait.
 *
 * The main thread only; builds with readline only.
 */
#ifndef FATHOM_APP_FACE_H
#define FATHOM_APP_FACE_H

#include "app/client.h"
#include "storage/storage.h"
#include "ui/ui.h"

struct chat;

struct face {
    const char *name; // "plain", "screen"
    // keys are taken at any time; else only where the core asks for them
    bool live;
    // where the vault is opened ^C leaves; else it means a chat not kept
    bool interrupt_leaves;

    // takes the terminal and greets; on failure it is as it was
    enum status (*open)(struct chat *chat, struct error *err);
    // gives it back, as often as it is called
    void (*close)(struct chat *chat);
    // the vault is about to be locked: what covers the chat is ended as if the
    // user had closed it
    void (*uncover)(struct chat *chat);
    // the chat is being locked: nothing of it stays to be seen
    void (*wipe)(struct chat *chat);

    // a sentence about the chat, without brackets around it
    void (*say)(struct chat *chat, const char *text);
    // lines as they are laid out: a list, a table
    void (*print)(struct chat *chat, struct print_style style, const char *text,
                  size_t length);
    // a passphrase to be written down; NULL: it has been
    void (*show_secret)(struct chat *chat, const struct secret *secret);

    // a line is asked for; `text` is its beginning. NULL for a prompt: the
    // next message
    void (*ask)(struct chat *chat, const char *prompt, const char *text);
    // standard input is readable, and a line is asked for
    enum line_result (*keys)(struct chat *chat);
    // the same while none is; live faces only
    void (*busy_keys)(struct chat *chat);
    // ^C: the line is given up; true: something had been typed
    bool (*interrupt)(struct chat *chat);

    // a passphrase is asked for, has so many characters now, or not any more
    void (*ask_secret)(struct chat *chat, const char *prompt);
    void (*secret_typed)(struct chat *chat, size_t characters);
    void (*end_secret)(struct chat *chat);
    // the user wants to see what is typed (lent until end_secret), or not any
    // more: NULL. No such call: it cannot be seen
    void (*secret_seen)(struct chat *chat, const struct secret *secret,
                        size_t length);
    // the vault is open, or left alone
    void (*unlocked)(struct chat *chat);

    // another chat is in use: its end is shown. `resumed`: the user asked for
    // it
    void (*show)(struct chat *chat, bool resumed);
    // turns were added, or another leaf is in use
    void (*moved)(struct chat *chat);

    // an answer begins: conversation.turns[answer]
    void (*begin_answer)(struct chat *chat, size_t answer);
    // text of it, which its turn has already. STATUS_IO: the terminal is gone
    enum status (*answer_text)(struct chat *chat,
                               const struct token_event *token,
                               struct error *err);
    // what goes on before any text comes
    void (*activity)(struct chat *chat, const struct progress_event *progress);
    // it has ended; done is NULL where the engine did not say so
    void (*end_answer)(struct chat *chat, const struct generate_done *done);
    // what it took, after what is to be said of its end
    void (*figures)(struct chat *chat, const struct generate_done *done);
    // the engine reads and answers nothing, which activity tells; or does not
    // any more
    void (*reading)(struct chat *chat, bool reads);
    // what the engine counted of experts
    void (*residency)(struct chat *chat, const struct event *event);

    // the model is being loaded; or has been: NULL
    void (*loading)(struct chat *chat, const struct progress_event *progress);

    // shows what a command is about in a way of its own; false: it has none
    bool (*view)(struct chat *chat, const char *command, const char *arguments);

    // when tick is due; UINT64_MAX: never
    uint64_t (*deadline)(struct chat *chat);
    void (*tick)(struct chat *chat, uint64_t now_ns);
    // a line ended without a key, as keys or busy_keys will tell
    bool (*ready)(struct chat *chat);
    void (*resized)(struct chat *chat);
    // Ctrl-Z: gives the terminal back, stops, takes it again
    void (*suspend)(struct chat *chat);
};

extern const struct face plain_face;
extern const struct face screen_face;

/* -- chat_wait.c ---------------------------------------------------------- */

enum chat_wake {
    CHAT_EVENT,     // wait->event is filled; event_release it
    CHAT_KEYS,      // standard input is readable
    CHAT_INTERRUPT, // Ctrl-C
    CHAT_TIME,      // wait->deadline_ns has passed
    CHAT_OVER,      // the chat is to end or to lock since this wait
};

struct chat_wait {
    bool keys;            // are wanted
    bool without_keys;    // they wait with the terminal, whatever the face
    bool without_engine;  // it has to wait
    uint64_t deadline_ns; // on clock_ns; UINT64_MAX: none
    enum chat_wake wake;
    struct event event;
};

/*
 * Waits for the first of these. What concerns the terminal alone (its size,
 * Ctrl-Z, frames of the screen) is done meanwhile; want of keys locks. Fails
 * as client_wait does.
 */
MUST_CHECK enum status chat_wait(struct chat *chat, struct chat_wait *wait,
                                 struct error *err);

typedef enum status chat_take_fn(void *context, const struct event *event,
                                 struct error *err);
/* The same, once; an event goes to `take` and is given back. */
MUST_CHECK enum status chat_wait_taking(struct chat *chat,
                                        struct chat_wait *wait,
                                        chat_take_fn *take, void *context,
                                        struct error *err);

/*
 * Why a chat here has the plain face, in a few words; "": it has the screen.
 * `asked`: by --plain. Writes into out, safe to show; returns out.
 */
const char *face_plain_reason(char *out, size_t size, bool asked);

#endif
