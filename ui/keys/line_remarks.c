/* Readline's messages go to standard error: meanwhile a file in memory. */
#include "config.h"

#include "ui/keys/line_editor_parts.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { REMARK_BYTES = 4096 };

static int remarks = -1, errors = -1; // where it goes meanwhile, and belongs

void
line_remarks_hold(void)
{
    if (!line_editor.box || errors >= 0)
        return;
    if (remarks < 0)
        remarks = memfd_create("remarks", MFD_CLOEXEC);
    if (remarks < 0)
        return;
    fflush(stderr);
    errors = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (errors >= 0)
        dup2(remarks, STDERR_FILENO);
}

void
line_remarks_return(void)
{
    if (errors < 0)
        return;
    fflush(stderr);
    dup2(errors, STDERR_FILENO);
    close(errors);
    errors = -1;
}

char *
line_editor_remarks(void)
{
    char text[REMARK_BYTES];
    ssize_t got = remarks < 0 ? 0 : pread(remarks, text, sizeof text, 0);

    if (got <= 0 || ftruncate(remarks, 0) < 0)
        return NULL;
    lseek(remarks, 0, SEEK_SET);
    while (got > 0 && strchr("\n\r\a", text[got - 1]))
        got--;
    return got ? strndup(text, (size_t) got) : NULL;
}

void
line_remarks_close(void)
{
    if (remarks >= 0)
        close(remarks);
    remarks = errors = -1;
}
