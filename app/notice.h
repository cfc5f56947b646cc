/*
 * Sentences for people, on standard error, through the sanitiser:
 * "fathom ask: there is no option --foo". The main thread only.
 */
#ifndef FATHOM_APP_NOTICE_H
#define FATHOM_APP_NOTICE_H

#include "base/base.h"

/* Who speaks, from now on: "fathom ask". Borrowed. */
void notice_speaker(const char *speaker);
const char *notice_speaker_name(void);

/* One line; with quiet notices (-q) only notice_error speaks. */
void notice_error(const char *format, ...) PRINTF_LIKE(1, 2);
void notice_note(const char *format, ...) PRINTF_LIKE(1, 2);
void notice_quiet(bool quiet);
bool notice_is_quiet(void);

#endif
