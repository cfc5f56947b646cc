/*
 * Prints text from outside as it comes, to a terminal, a pipe or a file:
 * through the sanitiser, whole characters only, and on request wrapped at
 * words, dimmed, and with a prefix before each line. Lines between ``` fences
 * are never wrapped.
 *
 * The main thread only. A printer writes at once; it never loses the error of
 * a write. Without memory a text is dropped, never printed twice.
 */
#ifndef FATHOM_UI_PRINTER_H
#define FATHOM_UI_PRINTER_H

#include "ui/text/sanitiser.h"

/* How one kind of text looks; strings are borrowed and ours. */
struct print_style {
    const char *prefix; // before each line, at most 8 columns; or NULL
    bool dim;           // only where the printer has colour
};

struct printer {
    int descriptor;
    bool colour;
    size_t columns; // to wrap at; 0: never

    struct print_style style;
    struct sanitiser sanitiser;
    struct buffer fit;  // sanitised, not yet laid out
    struct buffer out;  // laid out, not yet written
    struct buffer word; // waits for its end
    bool word_open;     // its beginning is printed, no break before the rest
    size_t word_columns;
    size_t blanks; // before the word
    size_t column; // of the cursor; 0: at the start of a line
    size_t held_newlines;
    uint32_t before;       // the last character, and
    int32_t cluster_state; // whether the next belongs to it
    unsigned ticks;        // of ``` at the start of this line
    bool line_begun, in_fence;
    bool anything; // was printed since printer_begin
};

/* Text of this style follows. Start from {.descriptor, .colour, .columns}. */
void printer_begin(struct printer *printer, struct print_style style);
/* Begins the first line with a word of ours, before any text: "fathom> ". */
MUST_CHECK enum status printer_label(struct printer *printer, const char *label,
                                     struct error *err);
/* Prints; line feeds at the end wait for more text. */
MUST_CHECK enum status printer_write(struct printer *printer, const char *bytes,
                                     size_t length, struct error *err);
/*
 * The text has ended: prints what waited, but for line feeds at its end, and
 * closes the line when one is open.
 */
MUST_CHECK enum status printer_end(struct printer *printer, struct error *err);
void printer_release(struct printer *printer);

/* All of a text at once, on a descriptor without colour: begin to release. */
MUST_CHECK enum status printer_print(int descriptor, const char *bytes,
                                     size_t length, struct error *err);

/* Writes all bytes, whatever the number of calls it takes. */
MUST_CHECK enum status printer_put(int descriptor, const char *bytes,
                                   size_t length, struct error *err);

#endif
