/*
 * Asks the terminal how many columns it gives to texts: each is printed at the
 * start of a line, the terminal is asked where its cursor is, and the line is
 * wiped. And whether it knows bracketed pastes and the mouse.
 *
 * It takes a second at most, in which keys are lost. The terminal is as before
 * after any end: signals that end or stop the program wait until it is. The
 * main thread only, and no screen open; builds with readline only.
 */
#ifndef FATHOM_UI_WIDTH_PROBE_H
#define FATHOM_UI_WIDTH_PROBE_H

#include "base/base.h"

enum { WIDTH_SAMPLES_MOST = 32, WIDTH_SAMPLE_COLUMNS = 16 };

struct width_sample {
    const char *text; // of fewer columns than WIDTH_SAMPLE_COLUMNS
    unsigned columns; // as the terminal says
};

enum mode_known { MODE_NOT_TOLD, MODE_UNKNOWN, MODE_KNOWN };

struct width_probe {
    struct width_sample *samples;
    size_t count;
    enum mode_known paste, mouse;
};

/*
 * Asks the terminal of standard input and output, which knows sequences of
 * ECMA-48. STATUS_UNSUPPORTED: it does not answer, or makes no sense, and
 * err->text is a sentence about that; no sample counts then.
 */
MUST_CHECK enum status width_probe_run(struct width_probe *probe,
                                       struct error *err);

#endif
