/*
 * What terminfo says of the terminal, for bytes that ncurses does not send by
 * itself. All but terminfo_check ask the terminal that ncurses has open.
 */
#ifndef FATHOM_UI_TERMINFO_H
#define FATHOM_UI_TERMINFO_H

#include "base/base.h"

/* Whether a terminal of this type can be one screen; err->text says why not. */
MUST_CHECK enum status terminfo_check(const char *term, struct error *err);

bool terminfo_has(const char *capability);
/* Appends a capability to a string of `size` bytes, without its padding. */
void terminfo_append(char *out, size_t size, const char *capability);
/* Whether it takes sequences as ECMA-48 has them. */
bool terminfo_is_ansi(void);

#endif
