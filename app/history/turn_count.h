/*
 * How many turns a kept chat has: questions, answered or not, on the branch in
 * use, as the chat itself counts them. The vault knows only how many texts
 * there are in all branches, so the chat is read.
 */
#ifndef FATHOM_APP_TURN_COUNT_H
#define FATHOM_APP_TURN_COUNT_H

#include "storage/storage.h"

#define TURN_COUNT_UNKNOWN UINT32_MAX

/* TURN_COUNT_UNKNOWN: it cannot be read. */
uint32_t turn_count(struct vault *vault, const struct chat_id *id);
/* "12", or "?" */
enum { TURN_COUNT_TEXT = 12 };
const char *turn_count_text(char out[TURN_COUNT_TEXT], uint32_t count);

#endif
