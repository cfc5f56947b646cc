/* Filling struct error. */
#include "config.h"

#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
error_fill(struct error *err, enum status status, const char *text, ...)
{
    va_list args;

    err->status = status;
    va_start(args, text);
    vsnprintf(err->text, sizeof err->text, text, args);
    va_end(args);
}

void
error_fill_errno(struct error *err, const char *text, ...)
{
    int number = errno;
    va_list args;

    err->status = STATUS_IO;
    va_start(args, text);
    vsnprintf(err->text, sizeof err->text, text, args);
    va_end(args);

    size_t used = strlen(err->text);
    char reason[128];
    // GNU strerror_r returns the text, which may be elsewhere than `reason`
    snprintf(err->text + used, sizeof err->text - used, ": %s",
             strerror_r(number, reason, sizeof reason));
    errno = number;
}
