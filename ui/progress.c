/* One line, rewritten from its start. */
#include "config.h"

#include "ui/progress.h"

#include "ui/terminal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)

static struct {
    bool enabled, rewrites;
    bool visible;
    uint64_t begun_ns, shown_ns;
} line;

void
progress_begin(uint64_t now_ns, enum progress_form form)
{
    struct terminal terminal = terminal_of(STDERR_FILENO);

    progress_clear();
    line.enabled = form != PROGRESS_NONE && terminal.is_terminal;
    line.rewrites =
        form == PROGRESS_LINE && !terminal.dumb && !terminal.accessible;
    line.begun_ns = now_ns;
    line.shown_ns = 0;
}

static void
print(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0) {
        // progress is not worth failing for
    }
}

static bool
is_due(uint64_t now_ns)
{
    if (!line.enabled || now_ns - line.begun_ns < SECOND_NS)
        return false;
    if (line.shown_ns == 0)
        return true;
    uint64_t pause = line.rewrites ? SECOND_NS / 10 : 10 * SECOND_NS;

    return now_ns - line.shown_ns >= pause;
}

void
progress_show(uint64_t now_ns, const char *text)
{
    char shown[512];

    if (!is_due(now_ns))
        return;
    line.shown_ns = now_ns;
    if (!line.rewrites) {
        snprintf(shown, sizeof shown, "%s\n", text);
        print(shown);
        return;
    }
    size_t columns = terminal_columns(STDERR_FILENO);
    int fits =
        (int) (columns - 1 < sizeof shown - 8 ? columns - 1 : sizeof shown - 8);

    snprintf(shown, sizeof shown, "\r%.*s\033[K", fits, text);
    print(shown);
    line.visible = true;
}

void
progress_clear(void)
{
    if (line.visible)
        print("\r\033[K");
    line.visible = false;
}
