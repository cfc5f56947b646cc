/* Days are counted by hand: timegm is not in POSIX. */
#include "config.h"

#include "app/time_text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DAY_S = 86400, HOUR_S = 3600, MINUTE_S = 60 };

static uint64_t
at_most_last(uint64_t time_ms)
{
    return time_ms < TIME_TEXT_LAST_MS ? time_ms : TIME_TEXT_LAST_MS;
}

const char *
time_text_utc(char out[TIME_TEXT], uint64_t time_ms)
{
    time_t seconds = (time_t) (at_most_last(time_ms) / 1000);
    struct tm utc;

    gmtime_r(&seconds, &utc);
    size_t n = strftime(out, TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &utc);

    snprintf(out + n, TIME_TEXT - n, ".%03uZ",
             (unsigned) (at_most_last(time_ms) % 1000));
    return out;
}

const char *
time_text_local(char out[TIME_TEXT], uint64_t time_ms)
{
    time_t seconds = (time_t) (at_most_last(time_ms) / 1000);
    struct tm local;

    localtime_r(&seconds, &local);
    strftime(out, TIME_TEXT, "%Y-%m-%d %H:%M", &local);
    return out;
}

const char *
time_text_brief(char out[TIME_TEXT], uint64_t time_ms, uint64_t now_ms)
{
    time_t then = (time_t) (at_most_last(time_ms) / 1000);
    time_t now = (time_t) (at_most_last(now_ms) / 1000);
    struct tm a, b;

    localtime_r(&then, &a);
    localtime_r(&now, &b);
    if (a.tm_year != b.tm_year)
        strftime(out, TIME_TEXT, "%b %Y", &a);
    else if (a.tm_yday == b.tm_yday)
        strftime(out, TIME_TEXT, "today %H:%M", &a);
    else
        strftime(out, TIME_TEXT, "%d %b", &a);
    return out;
}

/* What is left to be read. */
struct reading {
    const char *at, *end;
};

static bool
take_character(struct reading *r, const char *any_of)
{
    if (r->at == r->end || *r->at == '\0' || strchr(any_of, *r->at) == NULL)
        return false;
    r->at++;
    return true;
}

static bool
take_number(struct reading *r, int digits, int least, int most, int *out)
{
    int value = 0;

    for (int i = 0; i < digits; i++, r->at++) {
        if (r->at == r->end || *r->at < '0' || *r->at > '9')
            return false;
        value = value * 10 + (*r->at - '0');
    }
    *out = value;
    return value >= least && value <= most;
}

/* ".618893" to 618; there need not be one. */
static bool
take_decimals(struct reading *r, int *out_ms)
{
    int digits = 0;

    *out_ms = 0;
    if (!take_character(r, ".,"))
        return true;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++, digits++)
        if (digits < 3)
            *out_ms = *out_ms * 10 + (*r->at - '0');
    for (int i = digits; i < 3; i++)
        *out_ms *= 10;
    return digits > 0 && digits <= 9;
}

static bool
take_zone(struct reading *r, int *out_s)
{
    int hours, minutes;

    *out_s = 0;
    if (r->at == r->end || take_character(r, "Zz"))
        return r->at == r->end;
    bool west = *r->at == '-';

    if (!take_character(r, "+-") || !take_number(r, 2, 0, 23, &hours))
        return false;
    take_character(r, ":");
    if (!take_number(r, 2, 0, 59, &minutes))
        return false;
    *out_s = (hours * HOUR_S + minutes * MINUTE_S) * (west ? -1 : 1);
    return r->at == r->end;
}

static bool
is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Since the first of January 1970. */
static int64_t
days_since_1970(int year, int month, int day)
{
    int64_t before = year - 1;
    int64_t days = before * 365 + before / 4 - before / 100 + before / 400 -
                   719162; // the same for 1970

    for (int m = 1; m < month; m++)
        days += days_in(year, m);
    return days + day - 1;
}

bool
time_text_read(uint64_t *time_ms, struct text text)
{
    struct reading r = {text.bytes, text.bytes + text.length};
    int year, month, day, hour, minute, second, ms, zone_s;

    if (text.length == 0 || !take_number(&r, 4, 1970, 9999, &year) ||
        !take_character(&r, "-") || !take_number(&r, 2, 1, 12, &month) ||
        !take_character(&r, "-") ||
        !take_number(&r, 2, 1, days_in(year, month), &day) ||
        !take_character(&r, "T ") || !take_number(&r, 2, 0, 23, &hour) ||
        !take_character(&r, ":") || !take_number(&r, 2, 0, 59, &minute) ||
        !take_character(&r, ":") || !take_number(&r, 2, 0, 60, &second) ||
        !take_decimals(&r, &ms) || !take_zone(&r, &zone_s))
        return false;
    int64_t seconds = days_since_1970(year, month, day) * DAY_S +
                      hour * HOUR_S + minute * MINUTE_S + second - zone_s;
    int64_t total = seconds * 1000 + ms;

    if (total < 0 || total > (int64_t) TIME_TEXT_LAST_MS)
        return false;
    *time_ms = (uint64_t) total;
    return true;
}
