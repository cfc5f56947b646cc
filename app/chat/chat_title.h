/*
 * What a chat is called before anybody names it: the beginning of its first
 * question, on one line.
 */
#ifndef FATHOM_APP_CHAT_TITLE_H
#define FATHOM_APP_CHAT_TITLE_H

#include "base/protocol.h"

enum { CHAT_TITLE_CHARACTERS = 60, CHAT_TITLE_BYTES = 256 };

/*
 * The first line of `question` that holds a word, its blanks as single ones,
 * shortened between words (with "..." as a sign of it) to at most
 * CHAT_TITLE_CHARACTERS. Empty where there is no word. Returns its length;
 * out is NUL-terminated UTF-8.
 */
size_t chat_title(char out[CHAT_TITLE_BYTES], struct text question);

#endif
