/* Entities of HTML that occur in Markdown, "&lt;" and "&#956;". */
#ifndef FATHOM_UI_ENTITY_H
#define FATHOM_UI_ENTITY_H

#include "base/base.h"

/*
 * Writes the character of an entity, at most 4 bytes, and returns how many; 0
 * where it is not known, or a terminal could act upon it.
 */
size_t entity_decode(char *out, const char *bytes, size_t length);

#endif
