/*
 * The terminal as one screen, by ncurses: brings a canvas to it, and takes
 * care that the terminal is as it was after any end, a crash too.
 *
 * Bytes of the keyboard are never read here: line_editor.h does. There is one
 * screen, and it belongs to the main thread. Only in builds with readline.
 */
#ifndef FATHOM_UI_SCREEN_H
#define FATHOM_UI_SCREEN_H

#include "ui/screen/canvas.h"
#include "ui/screen/theme.h"

enum screen_notify { NOTIFY_OFF, NOTIFY_BELL, NOTIFY_OSC9 };

struct screen_settings {
    enum screen_theme theme;
    enum screen_notify notify;
    bool mouse;
    bool clipboard; // OSC 52 may be sent
};

enum { SCREEN_LEAST_ROWS = 16, SCREEN_LEAST_COLUMNS = 60 };

/*
 * Whether the terminal of standard input and output can be one screen; else
 * err->text says why not ("TERM is dumb", "40x10, it takes 60x16").
 */
MUST_CHECK enum status screen_possible(struct error *err);

/* Takes the terminal. On failure it is as it was. */
MUST_CHECK enum status screen_open(const struct screen_settings *settings,
                                   struct error *err);
/* Gives it back as it was. Takes never opened; may be called twice. */
void screen_close(void);
bool screen_is_open(void);

/* Gives the terminal up for another program or Ctrl-Z, and takes it again. */
void screen_leave(void);
MUST_CHECK enum status screen_return(struct error *err);

/* The canvas to draw on, of the terminal's size. */
struct canvas *screen_canvas(void);

/*
 * SIGWINCH: takes the new size; the canvas is another. SIGCONT too: modes are
 * set and all is sent once more, whatever was done to the terminal meanwhile.
 */
MUST_CHECK enum status screen_resized(struct error *err);

/*
 * Something is to be drawn; costs nothing. The first frame after a pause is
 * due at once, the next ones not before 40 ms have passed.
 */
void screen_touch(void);
/* The same after a key, whose frame borrows the time of the next one. */
void screen_hurry(void);
/* When the next frame is due on clock_ns; UINT64_MAX: nothing has changed. */
uint64_t screen_deadline(void);
/* Whether a frame is due: the caller draws and shows it. */
bool screen_is_due(uint64_t now_ns);
/*
 * Sends what differs from what the terminal shows. A terminal that takes no
 * bytes now gets the newest frame when it does. STATUS_IO: it is gone.
 */
MUST_CHECK enum status screen_show(uint64_t now_ns, struct error *err);
/* The next frame is sent whole, whatever the terminal is thought to show. */
void screen_redraw(void);

/* Hands text to the clipboard of the terminal; UNSUPPORTED: not allowed. */
MUST_CHECK enum status screen_copy(const char *text, size_t length,
                                   struct error *err);
/* An answer is there, for who looks elsewhere. */
void screen_notify(void);

#endif
