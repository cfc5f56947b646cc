/*
 * One chat at the terminal: what it holds, and what its commands may do to
 * it. chat.c has the loop, chat_turn.c asks the engine, face.h shows what
 * comes of it, and chat_verb.h has the commands. The main thread only; builds
 * with readline only.
 */
#ifndef FATHOM_APP_CHAT_H
#define FATHOM_APP_CHAT_H

#include "app/chat/conversation.h"
#include "app/chat/face.h"
#include "app/generation.h"
#include "app/chat/keeping.h"
#include "app/vault/lock_request.h"
#include "app/places.h"
#include "app/settings.h"
#include "app/vault/unlock.h"

#include <jansson.h>

enum { MODEL_NAME_BYTES = 200 };

/* What the last answer took; all 0 before the first. */
struct chat_figures {
    bool known;
    struct generate_done done; // without its pointers
};

/* What the command line says. */
struct chat_settings {
    struct generation generation;
    const char *show_thinking;
    const char *resume; // NULL: a new chat; "": the newest
    struct option_count lock_after;
    struct unlock_settings unlock;
    bool ephemeral, plain, version;
};

/*
 * An answer that goes on while the vault is locked: what has come since, and
 * where it belongs.
 */
struct locked_answer {
    uint64_t number;          // of GENERATE; 0: there is none
    uint64_t question;        // in the vault
    uint64_t newest;          // turn of the vault before it was drafted there
    bool begun;               // the vault has a beginning of it
    struct conversation rest; // one question and one answer
    bool done, sealed;
};

/* What waited when the vault was locked, and waits no more. */
struct chat_dropped {
    size_t lines, kept; // that were typed; of them, those that ^P finds
    size_t documents;   // for the next message
};

/* A key that is being derived from a passphrase. */
struct chat_deriving {
    bool active;
    uint64_t begun_ns;  // 0: waits until one that was given up has ended
    uint64_t before_ns; // what it took the last time; 0: not known
    bool lock;          // was asked for meanwhile, and comes afterwards
    struct kdf_cost cost;
};

enum { CHAT_QUEUE = 16 };

/* A line that waits for the prompt. */
struct queued_line {
    struct buffer text;
    bool typed; // by the user, who may want it again; else posted by a view
};

enum { CHAT_ATTACHED = 16 };

/* Documents that go with the next message. */
struct chat_attached {
    struct buffer documents; // as they will stand before it
    char names[CHAT_ATTACHED][80];
    size_t count;
};

struct chat {
    const struct face *face;
    char face_why[200]; // what made it plain; or ""
    const struct chat_settings *settings;
    struct generation generation;
    bool show_thinking;
    struct conversation conversation;
    struct keeping keeping;
    bool keep_told;                    // that a write failed
    bool tried;                        // to unlock the vault
    char unlock_remark[UNLOCK_REMARK]; // of failed tries; or ""
    bool settling;  // the first start: whether chats are kept is asked
    bool unlocking; // a passphrase is asked for that opens the vault
    bool key_file;  // one was chosen to open it with
    struct chat_deriving deriving;
    struct lock_listener *listener; // while the vault is open

    uint64_t lock_after_ns; // without a key; 0: never
    uint64_t touched_ns;    // the last key
    bool locking;           // everything ends, to begin anew locked
    uint64_t rest_by_ns;    // when the engine is given up; 0: not yet known
    bool locked;            // begun anew, the passphrase is asked for
    struct locked_answer away;
    char locked_id[CHAT_ID_TEXT]; // the chat to come back to; "": none
    bool typed_kept;              // a half-typed line is in the history
    bool unkept;                  // turns were lost, for they were not kept
    struct chat_dropped dropped;

    char path[PLACE_BYTES]; // of the model's file
    char model[MODEL_NAME_BYTES];
    char family[MODEL_NAME_BYTES];
    bool opened; // the engine has told the model's name
    bool thinks, has_switch;
    uint64_t context;
    struct sampling recommended;

    struct client *client; // NULL: ended, to be restarted on request
    uint64_t open_number;
    uint64_t opened_ns; // when the engine was started

    struct terminal terminal;
    struct chat_figures last;
    size_t answering;       // the turn that is coming; or TURN_NONE
    uint64_t answer_number; // of its GENERATE; 0: nothing is asked
    struct chat_attached attached;
    char preset[INI_NAME_BYTES]; // in use; or ""
    bool full_told;              // that the context is nearly full
    size_t loop_told; // the answer of which it was said, or TURN_NONE
    struct queued_line queue[CHAT_QUEUE];
    size_t queued;

    bool quit;
    int code; // with which the program ends
};

/* Begins and runs a chat until the user leaves; returns the exit code. */
int chat_run(struct chat_settings *settings);

/* -- chat_turn.c ---------------------------------------------------------- */

/* Starts an engine for chat->path, or finds a warm one, and sends OPEN. */
MUST_CHECK enum status chat_start_engine(struct chat *chat, struct error *err);
/* Takes in what the engine says outside of an answer. */
MUST_CHECK enum status chat_take_event(struct chat *chat,
                                       const struct event *event,
                                       struct error *err);
/*
 * Asks `question`, shows the answer as it comes, keeps both. False: it was
 * taken back, for nothing came, and the user was told why.
 */
bool chat_ask(struct chat *chat, const char *question, size_t length);
/* The same behind another turn than the leaf; TURN_NONE: at the beginning. */
bool chat_ask_after(struct chat *chat, size_t turn, const char *question,
                    size_t length);
/* Closes the thought that is coming; false: none is. */
bool chat_answer_now(struct chat *chat);
/* Answers the last question again. */
void chat_retry(struct chat *chat);
/* Goes on with the leaf, an answer that was stopped, as a branch beside it. */
void chat_continue(struct chat *chat);
/*
 * Asks for a summary behind the leaf, which is an answer. True: it is the leaf
 * now. It has to be whole; otherwise everything is as it was, and the user was
 * told.
 */
bool chat_ask_summary(struct chat *chat, struct text question);
/*
 * Follows an answer that an engine goes on with: its number, and the turn that
 * has its beginning, which is the leaf.
 */
void chat_follow(struct chat *chat, uint64_t number);
/* False: there is no engine, and none is wanted. */
bool chat_have_engine(struct chat *chat);
/* What the engine holds of the chat goes into the vault, behind the prompt. */
void chat_keep_cache(struct chat *chat);
/* What is kept of the chat's cache goes to the engine. */
void chat_give_cache(struct chat *chat);
/* The user leaves: what is being fetched of it is kept, if that is soon. */
void chat_finish_cache(struct chat *chat);
/*
 * Waits until the engine has opened the model, or the chat is over or locked;
 * an ERROR of it fails.
 */
MUST_CHECK enum status chat_wait_opened(struct chat *chat, struct error *err);

/* -- chat_gauges.c: what gauges.h keeps ----------------------------------- */

/* An engine was started or found; asks what it will hold. */
void chat_gauges_start(struct chat *chat);
/* A GENERATE goes out, which gets this number; asks how the engine is. */
uint64_t chat_gauges_ask(struct chat *chat);
void chat_gauges_take(struct chat *chat, const struct event *event);
/* Keeps how fast models were, for the model picker; not of ephemeral chats. */
void chat_gauges_keep(struct chat *chat);
/* Nothing is written of the chat any more: what was measured in it is not. */
void chat_gauges_drop(void);
/* Asks how the engine is now. */
void chat_gauges_look(struct chat *chat);
/* Asks, once, what the file of the model in use says of itself. */
void chat_gauges_describe(struct chat *chat);
/* The answer, as model_describe of the engine writes it; NULL: none yet. */
const json_t *chat_gauges_description(void);

/* -- chat.c ---------------------------------------------------------------- */

/* Says a sentence about the chat, through the sanitiser. */
void chat_say(struct chat *chat, const char *format, ...) PRINTF_LIKE(2, 3);
/* Shows text as it is laid out, through the sanitiser; `style` as there. */
void chat_print(struct chat *chat, struct print_style style, const char *text,
                size_t length);
/*
 * Brings the vault up to the conversation, but for the turn `unfinished`; says
 * once when that fails, and when it works again.
 */
void chat_keep(struct chat *chat, size_t unfinished);
/*
 * A line to be taken at the next prompt, behind those that wait already. False:
 * too many do, or there is no memory; the user was told.
 */
bool chat_queue(struct chat *chat, const char *line, bool typed);
/* The last line that waits, which waits no more; its text is the caller's. */
bool chat_unqueue_last(struct chat *chat, struct queued_line *out);
/* Forgets what waits. */
void chat_drop_queue(struct chat *chat);
/* When to lock for want of keys; UINT64_MAX: never. */
uint64_t chat_lock_deadline(const struct chat *chat);
/* The engine is gone while a passphrase is asked for: it is told later. */
void chat_keep_loss(struct chat *chat, const struct error *err);
/* The engine is gone; says why and offers to start it again. */
void chat_lost_engine(struct chat *chat, const struct error *err);
/*
 * Reads a line that begins with `text`; NULL: given up. It is lent until the
 * next line is read.
 */
const char *chat_edit_line(struct chat *chat, const char *prompt,
                           const char *text);
/* Goes on after another turn. */
void chat_move(struct chat *chat, size_t leaf);
/* The leaf, the title or the system text is another now. */
void chat_moved(struct chat *chat);
/*
 * Lets ^P find this line, here and in later chats; what begins with a blank is
 * not remembered, as in shells. True: the vault has it.
 */
bool chat_remember(struct chat *chat, const char *typed);
/*
 * Asks a question with a yes or no answer at the prompt. Given up is ^C, ^D,
 * and that the chat ends or is locked.
 */
enum chat_answer { CHAT_NO, CHAT_YES, CHAT_GIVEN_UP };
enum chat_answer chat_decide(struct chat *chat, const char *question,
                             bool by_default);
/* The same, where giving up is a no. */
bool chat_confirm(struct chat *chat, const char *question, bool by_default);

/* -- chat_thinking.c ------------------------------------------------------- */

/* Thinking of the answers to come: on, off, as the model is used to. */
void chat_effort_next(struct chat *chat);
/*
 * The engine says that a thought or an answer repeats itself: tells the user,
 * once. True: the settings say that the thought is to be closed.
 */
bool chat_take_loop(struct chat *chat, const struct loop_event *loop);

/* -- chat_copy.c ----------------------------------------------------------- */

/* Says which blocks of code an answer has, and what can be done with them. */
void chat_say_codes(struct chat *chat, size_t answer);

/* -- chat_attach.c -------------------------------------------------------- */

/* Asks with the documents that wait, which wait on if it is refused. */
void chat_send(struct chat *chat, const char *message, size_t length);
/* A text that goes with the next message: a paste that is too long. */
void chat_attach_text(struct chat *chat, const char *name, const char *bytes,
                      size_t length);
void chat_drop_attached(struct chat *chat);

/* -- chat_compact.c --------------------------------------------------------
 */

/* Makes the summary that is the leaf, or the leaf asks for, anew, beside it. */
void chat_summarise_again(struct chat *chat, size_t summary);

/* -- chat_commands.c, see chat_verb.h ------------------------------------- */

/* Runs "/name arguments". */
void chat_command(struct chat *chat, const char *line);
/* Completes names of commands and their arguments; context is the chat. */
void chat_complete(void *context, const char *line, size_t start,
                   struct line_candidates *out);

#endif
