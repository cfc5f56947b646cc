/* Words first; all else is the name of a file. */
#include "config.h"

#include "app/ask/thought.h"

#include "app/exit_code.h"
#include "app/options.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { QUOTED_BYTES = 300, MAX_DESCRIPTOR = 1 << 20 };

static enum status
use_descriptor(struct thought *out, const char *number, struct error *err)
{
    uint64_t value;

    if (!option_read_count(number, &value) || value > MAX_DESCRIPTOR)
        return error_set(err, STATUS_FORMAT,
                         "--show-thinking=fd:N takes the number of an open "
                         "file descriptor");
    int flags = fcntl((int) value, F_GETFL);

    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
        return error_set(err, STATUS_FORMAT,
                         "--show-thinking=fd:%d: that file descriptor is not "
                         "open for writing",
                         (int) value);
    out->sink = THOUGHT_DESCRIPTOR;
    out->printer.descriptor = (int) value;
    return STATUS_OK;
}

static enum status
use_file(struct thought *out, const char *path, struct error *err)
{
    char shown[QUOTED_BYTES];
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (descriptor < 0) {
        text_quote(shown, sizeof shown, path, strlen(path));
        return error_errno(err, "cannot create %s", shown);
    }
    out->sink = THOUGHT_DESCRIPTOR;
    out->printer.descriptor = descriptor;
    out->owned = true;
    return STATUS_OK;
}

enum status
thought_open(struct thought *out, const char *value, int *code,
             struct error *err)
{
    static const struct {
        const char *name;
        enum thought_sink sink;
        int descriptor;
    } words[] = {
        {"none", THOUGHT_NONE, -1},
        {"stderr", THOUGHT_STDERR, STDERR_FILENO},
        {"stdout", THOUGHT_STDOUT, STDOUT_FILENO},
        {"json", THOUGHT_JSON, -1},
    };

    *out = (struct thought){.printer.descriptor = -1};
    if (value == NULL)
        return STATUS_OK;
    *code = EXIT_USAGE;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(value, words[i].name) == 0) {
            out->sink = words[i].sink;
            out->printer.descriptor = words[i].descriptor;
            return STATUS_OK;
        }
    if (*value == '\0')
        return error_set(err, STATUS_FORMAT,
                         "--show-thinking takes none, stderr, stdout, json, "
                         "fd:N or the name of a file");
    if (strncmp(value, "fd:", 3) == 0)
        return use_descriptor(out, value + 3, err);
    *code = EXIT_CANT_CREATE;
    return use_file(out, value, err);
}

void
thought_close(struct thought *thought)
{
    if (thought->owned)
        close(thought->printer.descriptor);
    thought->owned = false;
    printer_release(&thought->printer);
}
