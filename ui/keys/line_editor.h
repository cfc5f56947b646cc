/*
 * The line typed at a prompt: readline, so every key the user knows works,
 * vi mode, macros and ~/.inputrc included ("$if fathom" applies). Two
 * functions are ours and can be bound there: fathom-send (Enter) and
 * fathom-newline (^J, Alt-Enter). A backslash before Enter is a new line too,
 * and pasted line feeds never send.
 *
 * The owner polls standard input and feeds the editor when it is readable, so
 * it can watch an engine at the same time. History is in memory only. There
 * is one editor, and it belongs to the main thread. Only in builds with
 * readline (HAVE_READLINE).
 */
#ifndef FATHOM_UI_LINE_EDITOR_H
#define FATHOM_UI_LINE_EDITOR_H

#include "ui/keys/action.h"

enum line_result {
    LINE_MORE, // still being typed
    LINE_DONE, // line_editor_line has it; the prompt is gone
    LINE_END,  // ^D on an empty line, or the terminal went away
};

/* What Tab may offer; the completer fills it. */
struct line_candidates {
    char **words;
    size_t count;
    bool files; // names of files instead
};
void line_candidates_add(struct line_candidates *candidates, const char *word);

/*
 * Offers completions for the word that begins at line[start]; what precedes it
 * tells the context. Offered words need not match: the editor chooses.
 */
typedef void (*line_complete_fn)(void *context, const char *line, size_t start,
                                 struct line_candidates *out);

/*
 * Before the first line_editor_open: Enter begins a new line, and the keys
 * that otherwise do so send.
 */
void line_editor_enter_opens_line(void);
/*
 * Reads the user's inputrc. From the end of the first line on the terminal is
 * muted (see terminal_mute) wherever no line is shown, until it is closed.
 */
void line_editor_open(line_complete_fn complete, void *context);
void line_editor_close(void); // forgets the history; takes never opened

/*
 * After line_editor_open: what is pasted and longer than LINE_PASTE_BYTES goes
 * to `attach`, and is not in the line. A paste that never ends holds the keys.
 */
void line_editor_attach(void (*attach)(void *context, const char *bytes,
                                       size_t length),
                        void *context);
/* Sends the terminal no modes: what is pasted is as if it were typed. */
void line_editor_without_modes(void);

/* Shows the prompt and begins a line. The terminal is the editor's now. */
void line_editor_show(const char *prompt);
/* Begins the line that is shown with this text, to be edited. */
void line_editor_fill(const char *text);
/* Puts this text in place of what is in the line, which undo brings back. */
void line_editor_replace(const char *text);
/* Standard input is readable. */
MUST_CHECK enum line_result line_editor_feed(void);
/* The line of LINE_DONE: UTF-8 repaired, valid until the next show. */
const char *line_editor_line(void);
/* How many lines the user wants remembered: history-size of inputrc. */
size_t line_editor_history_size(void);
/* Lets ^P find this text again. */
void line_editor_remember(const char *text);

/*
 * Ctrl-C at the prompt: gives the line up and leaves the terminal on a new
 * one, without prompt. True when something had been typed.
 */
bool line_editor_interrupt(void);
/*
 * Leaves a half-typed line for later: the terminal is free for other text,
 * and for other lines. Does nothing when no line is shown.
 */
void line_editor_hide(void);
/* Takes the half-typed line up again where it was, if there is one. */
void line_editor_resume(void);
/* Gives up the line that is shown, or else the one that was hidden last. */
void line_editor_give_up(void);
bool line_editor_visible(void);

/* -- the box ---------------------------------------------------------------
 *
 * On a full screen the editor writes nothing itself: it tells what is in the
 * line, and input_box.h draws it. Keys go to the map in use; what they do
 * beside editing comes as actions. All the rest is as above. A paste that
 * never ends holds the keys until line_editor_interrupt.
 */

struct line_box_calls {
    void *context;
    // the key that aborts is ACTION_BACK, while a line is typed, too
    void (*act)(void *context, enum action action, int count);
    // the line, its prompt or the cursor is another
    void (*changed)(void *context);
    // what Tab found, where that is more than one: words, or names of files
    // without their folder; `words` is lent
    void (*offer)(void *context, char **words, size_t count);
    // more was pasted than a line should hold: it is not in the line
    void (*attach)(void *context, const char *bytes, size_t length);
    // a button or the wheel of the mouse, cells from 0; wheel: -1 up, 1 down
    void (*mouse)(void *context, unsigned row, unsigned column, int wheel);
};

enum {
    LINE_PASTE_BYTES = 64 << 10, // what is longer is attached
    // a key that adds more than the second, where the line is then longer than
    // the first, is taken back
    LINE_MOST_BYTES = 128 << 10,
    LINE_KEY_BYTES = 4 << 10,
};

/*
 * What keys are to do beside editing, at a plain prompt too: `act` is called
 * after the key, so it may hide the line, show another, and feed.
 */
void line_editor_watch(void (*act)(void *context, enum action action,
                                   int count),
                       void *context);

/*
 * In place of line_editor_open, or after it to go on in the other form. The
 * calls are copied. The owner has set the terminal: no echo, every byte at
 * once, Enter as CR, ^C and ^Z as signals, ^S and ^V as keys.
 */
void line_editor_open_box(line_complete_fn complete,
                          const struct line_box_calls *calls);
bool line_editor_is_box(void);
/*
 * Whether messages wait: then Up in an empty line is ACTION_RECALL, and ^U
 * ACTION_UNQUEUE.
 */
void line_editor_set_waiting(bool waiting);
/* Which keys are live from the next one on. */
void line_editor_use(enum action_map map);
enum action_map line_editor_map(void);

/*
 * Keys that may go on (Esc, y) wait for it: line_editor_tick is due at this
 * time of clock_ns. 0: keys are there already; UINT64_MAX: never.
 */
uint64_t line_editor_deadline(void);
MUST_CHECK enum line_result line_editor_tick(uint64_t now_ns);
/* The same for bytes that are not from standard input. */
MUST_CHECK enum line_result line_editor_keys(const char *bytes, size_t length,
                                             uint64_t now_ns);

/*
 * What readline had to say since the last call, of a broken inputrc for
 * example: lines of text, to be freed; NULL: nothing.
 */
char *line_editor_remarks(void);

struct line_box {
    const char *mode;   // of vi, where inputrc wants it shown; or ""
    const char *prompt; // readline's own while it searches the history
    const char *text;   // may hold line feeds
    size_t length, cursor;
    bool searching; // ^R: cursor is where it found something
    size_t pasting; // bytes so far of a paste that has not ended, else 0
};
/* What the box holds now; lent until the next key. */
struct line_box line_editor_box(void);

/* A copy of the half-typed line, shown or hidden, to be wiped and freed. */
char *line_editor_typed(void); // NULL: none
/* The same of the line that lies below the others, which were shown later. */
char *line_editor_lowest(void);
void line_editor_resized(void);

#endif
