/*
 * What terminfo says of the terminal, for bytes that ncurses does not send by
 * itself. All but terminfo_check and
 * terminfo_describe ask the terminal that ncurses has open.
 */
#ifndef FATHOM_UI_TERMINFO_H
#define FATHOM_UI_TERMINFO_H

#include "base/base.h"

/* Whether a terminal of this type can be one screen; err->text says why not. */
MUST_CHECK enum status terminfo_check(const char *term, struct error *err);

/* What is said of a type; STATUS_UNSUPPORTED: it is not known. */
struct terminfo_facts {
    bool ansi;      // sequences of ECMA-48
    bool alternate; // a screen of its own, and the one before comes back
    bool keys;      // F1 to F10 have names
    bool mouse;
    int colours; // 0: none; 256 or so: a palette; more: any
};
MUST_CHECK enum status terminfo_describe(struct terminfo_facts *out,
                                         const char *term, struct error *err);

bool terminfo_has(const char *capability);
/* Appends a capability to a string of `size` bytes, without its padding. */
void terminfo_append(char *out, size_t size, const char *capability);
/* The same of what has lines move in these rows, from the first on. */
void terminfo_append_region(char *out, size_t size, unsigned rows);
/* Whether it takes sequences as ECMA-48 has them. */
bool terminfo_is_ansi(void);

#endif
