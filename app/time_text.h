/*
 * Moments as text: milliseconds since 1970, to ISO 8601 and back.
 */
#ifndef FATHOM_APP_TIME_TEXT_H
#define FATHOM_APP_TIME_TEXT_H

#include "base/protocol.h"

enum { TIME_TEXT = 32 };

/* The end of the year 9999, beyond which nothing is written or read. */
#define TIME_TEXT_LAST_MS UINT64_C(253402300799999)

/* "2026-11-22T14:04:11.123Z" */
const char *time_text_utc(char out[TIME_TEXT], uint64_t time_ms);
/* "2026-11-22 14:04", as clocks on the wall say. */
const char *time_text_local(char out[TIME_TEXT], uint64_t time_ms);
/* "today 14:04", "20 Nov", "Nov 2024": as exact as is of use at `now_ms`. */
const char *time_text_brief(char out[TIME_TEXT], uint64_t time_ms,
                            uint64_t now_ms);

/*
 * Reads what time_text_utc writes, and its kin: a blank in place of the T,
 * up to nine decimals of a second or none, "Z", "+01:00" or nothing (UTC) at
 * the end. False: that is no time from 1970 to 9999.
 */
bool time_text_read(uint64_t *time_ms, struct text text);

#endif
