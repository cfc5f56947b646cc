/*
 * The bytes of the keyboard, cut into what readline may have at once: a
 * character, or a whole sequence that is bound in the map in use. Sequences
 * that are bound to nothing are dropped whole, pastes and the mouse never
 * reach readline, and a key that may begin a longer one (Esc, y) waits a
 * moment for the rest. Inside of ui only; the main thread.
 */
#ifndef FATHOM_UI_KEY_READER_H
#define FATHOM_UI_KEY_READER_H

#include "base/base.h"

enum { PASTE_MOST_BYTES = 64 << 20 };

struct key_reader {
    struct buffer queue;  // bytes to come
    size_t window;        // of them, those that readline may have now
    bool shadowed;        // they are the beginning of others, and meant alone
    bool pasting;         // between the marks of a paste
    bool pasted_most;     // and what comes more of it is dropped
    struct buffer paste;  // what was pasted
    bool held;            // the key waited alone before
    bool waiting;         // for more bytes, until deadline_ns
    uint64_t deadline_ns; // UINT64_MAX: however long
};

enum key_kind { KEY_NONE, KEY_TYPED, KEY_PASTED, KEY_MOUSE };

struct key_mouse {
    unsigned row, column; // from 0
    int wheel;            // -1 up, 1 down, 0 a button
};

MUST_CHECK enum status key_reader_add(struct key_reader *reader,
                                      const char *bytes, size_t length,
                                      struct error *err);
/*
 * What is next. KEY_TYPED sets the window, which key_reader_byte empties;
 * KEY_PASTED leaves the text in reader->paste. `raw`: the next character is
 * taken as it is; `wait_ns`: how long a key waits for the rest of it.
 */
enum key_kind key_reader_next(struct key_reader *reader, bool raw,
                              uint64_t now_ns, uint64_t wait_ns,
                              struct key_mouse *mouse);
/* The next byte of the window, -1 when it is empty. */
int key_reader_byte(struct key_reader *reader);
/* When key_reader_next has something; 0: now; UINT64_MAX: not by itself. */
uint64_t key_reader_deadline(const struct key_reader *reader);
/* Forgets all; {0} again. */
void key_reader_release(struct key_reader *reader);

#endif
