/* See tap_report.h. */
#include "config.h"

#include "tests/model/tap_report.h"

#include <stdarg.h>
#include <stdio.h>

static unsigned tests, failures;

void
report(bool ok, const char *format, ...)
{
    va_list args;

    failures += !ok;
    printf("%sok %u - ", ok ? "" : "not ", ++tests);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

void
report_skip(const char *why, const char *format, ...)
{
    va_list args;

    printf("ok %u - ", ++tests);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf(" # SKIP %s\n", why);
}

int
report_end(void)
{
    printf("1..%u\n", tests);
    return failures == 0 ? 0 : 1;
}
