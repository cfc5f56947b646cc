/*
 * What a terminal answers when it is asked something, taken out of the bytes
 * of its keyboard. They are hostile input: keys and pastes come in between,
 * and who answers may be anybody. Whatever is no answer, byte by byte as
 * ECMA-48 writes sequences, is passed over; nothing is kept of it.
 *
 * An xterm sends F3 with Shift or Ctrl as if its cursor were in row 1, so who
 * asks for the cursor keeps it out of that row.
 */
#ifndef FATHOM_UI_TERMINAL_ANSWER_H
#define FATHOM_UI_TERMINAL_ANSWER_H

#include <stdbool.h>

enum { ANSWER_NUMBERS = 2, ANSWER_MOST = 9999 };

enum answer_kind {
    ANSWER_NONE,
    ANSWER_CURSOR, // ESC [ row ; column R, from 1
    ANSWER_READY,  // ESC [ 0 n: all that was asked before has been answered
    ANSWER_MODE,   // ESC [ ? mode ; state $ y, state 0: it knows no such mode
};

/* Starts as {0}. */
struct answer_reader {
    enum {
        ANSWER_TEXT,
        ANSWER_ESCAPE,
        ANSWER_PARAMETERS,
        ANSWER_DOLLAR,
        ANSWER_OTHER, // a sequence that is none of ours
    } state;
    bool question;
    unsigned count, digits; // of numbers; of the last of them
    unsigned numbers[ANSWER_NUMBERS];
};

/*
 * Takes the next byte. Other than ANSWER_NONE: an answer is whole, and its
 * numbers are in reader->numbers until the next call.
 */
enum answer_kind answer_reader_take(struct answer_reader *reader,
                                    unsigned char byte);

#endif
