/* Composes a line, sanitises it, and writes it in one call. */
#include "config.h"

#include "app/notice.h"

#include "ui/ui.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *speaker_name = "fathom";
static bool only_errors;

void
notice_speaker(const char *speaker)
{
    speaker_name = speaker;
}

const char *
notice_speaker_name(void)
{
    return speaker_name;
}

void
notice_quiet(bool quiet)
{
    only_errors = quiet;
}

bool
notice_is_quiet(void)
{
    return only_errors;
}

static void __attribute__((format(printf, 1, 0)))
print_line(const char *format, va_list args)
{
    char text[2048];
    struct sanitiser sanitiser = {0};
    struct buffer line = {0};
    struct error err;
    int used = snprintf(text, sizeof text, "%s: ", speaker_name);

    vsnprintf(text + used, sizeof text - (size_t) used, format, args);
    // a sentence is one line, whatever was put into it
    for (char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        *at = ' ';
    if (sanitiser_write(&sanitiser, &line, text, strlen(text), &err) ==
            STATUS_OK &&
        sanitiser_finish(&sanitiser, &line, &err) == STATUS_OK &&
        buffer_append(&line, "\n", 1, &err) == STATUS_OK) {
        progress_clear();
        if (write(STDERR_FILENO, line.data, line.length) < 0) {
            // nobody is left to be told
        }
    }
    buffer_release(&line);
}

void
notice_error(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_line(format, args);
    va_end(args);
}

void
notice_note(const char *format, ...)
{
    va_list args;

    if (only_errors)
        return;
    va_start(args, format);
    print_line(format, args);
    va_end(args);
}
