/*
 * The terminal below the screen: its modes, bytes on their way to it, and the
 * way back, which is gone whatever ends the program.
 *
 * Nothing here waits for a terminal that takes no bytes: what it does not take
 * stays here until it does. One terminal, the main thread's.
 */
#ifndef FATHOM_UI_TTY_H
#define FATHOM_UI_TTY_H

#include "base/base.h"

/*
 * Takes the terminal of standard input and output: keys come one by one, as
 * they are, but for ^C and ^Z, which stay signals. `restore` are the bytes
 * that undo what was done to it (copied); they are sent by tty_close, and by
 * whatever ends the program from now on, a crash too.
 */
MUST_CHECK enum status tty_open(const char *restore, size_t length,
                                struct error *err);
/* Both take never opened. */
void tty_close(void);

/* The terminal as it was, for a time; and ours again. */
void tty_leave(void);
MUST_CHECK enum status tty_return(struct error *err);
/* Its modes once more, whoever changed them. */
void tty_set_modes(void);

/* Rows and columns now; 24x80 where nobody knows. */
void tty_size(unsigned *rows, unsigned *columns);

/*
 * Sends bytes, or keeps them; waits a few milliseconds at most. STATUS_IO: the
 * terminal is gone, now and for ever.
 */
MUST_CHECK enum status tty_write(const char *bytes, size_t length,
                                 struct error *err);
/* Sends what was kept. */
MUST_CHECK enum status tty_flush(struct error *err);
/* How many bytes are kept. */
size_t tty_pending(void);

#endif
