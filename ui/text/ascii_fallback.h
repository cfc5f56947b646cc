/* ASCII that reads like a character, for terminals that have no more. */
#ifndef FATHOM_UI_ASCII_FALLBACK_H
#define FATHOM_UI_ASCII_FALLBACK_H

#include <stdint.h>

/* Printable and never empty; "?" where nothing reads alike. Until next call. */
const char *ascii_fallback(uint32_t code_point);

#endif
