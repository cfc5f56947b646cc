/* Words of which passphrases are made. */
#ifndef FATHOM_STORAGE_WORDS_H
#define FATHOM_STORAGE_WORDS_H

enum { WORDS = 2048, WORD_LONGEST = 8 };

extern const char *const words[WORDS];

#endif
