/*
 * A program on a pseudo-terminal, and the screen that it shows there, as
 * libvterm understands its bytes. For tests; what fails in the system ends the
 * test program with status 99.
 */
#ifndef FATHOM_TESTS_SCREEN_PTY_SCREEN_H
#define FATHOM_TESTS_SCREEN_PTY_SCREEN_H

#include "base/base.h"

#include <sys/types.h>
#include <termios.h>
#include <vterm.h>

struct pty_screen {
    VTerm *vterm;
    VTermScreen *cells;
    int master;            // -1: closed
    pid_t program;         // 0: none runs
    bool over;             // it has closed the terminal
    bool mute;             // what it asks the terminal is not answered
    bool alternate, shown; // screen, cursor
    unsigned rows, columns;
    struct termios before;
    struct buffer bytes; // all that it wrote
    size_t shown_bytes;  // of these libvterm has had
    char last;           // character, which may be repeated
    int status;          // as of waitpid, once it has ended
    bool ended;
};

/* Starts argv[0] with this environment. */
void pty_screen_start(struct pty_screen *screen, char **argv,
                      char **environment, unsigned rows, unsigned columns);
/* Kills what still runs, and gives all back. */
void pty_screen_stop(struct pty_screen *screen);

/* Takes in what the program writes within `ms`; false: nothing came. */
bool pty_screen_read(struct pty_screen *screen, int ms);
void pty_screen_send(struct pty_screen *screen, const char *bytes,
                     size_t length);
void pty_screen_resize(struct pty_screen *screen, unsigned rows,
                       unsigned columns);
/* The terminal vanishes. */
void pty_screen_close(struct pty_screen *screen);
/* Whether the program has ended; `screen->status` tells how. */
bool pty_screen_ended(struct pty_screen *screen);
/* The letter of its state in /proc: S sleeps, T is stopped; 0: none. */
char pty_screen_state(const struct pty_screen *screen);
/* Whether the modes of the terminal are those from before the start. */
bool pty_screen_modes_restored(const struct pty_screen *screen);

/* Lines without blanks at their ends. */
void pty_screen_text(const struct pty_screen *screen, struct buffer *out);
/*
 * How it looks, a letter for each cell: b bold, u underlined, h both, r
 * reverse, c bold and reverse; in capitals where it has a colour, K for
 * nothing but a colour. (libvterm tells nothing of dim.)
 */
void pty_screen_looks(const struct pty_screen *screen, struct buffer *out);

/* Ends the test program: its surroundings are broken. */
void pty_screen_broken(const char *what) __attribute__((noreturn));

#endif
