/* Environment and termios. */
#include "config.h"

#include "ui/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios before; // of the muted terminal
static int muted = -1;

static bool
is_set(const char *name)
{
    const char *value = getenv(name);

    return value && *value != '\0' && strcmp(value, "0") != 0 &&
           strcmp(value, "false") != 0;
}

struct terminal
terminal_of(int descriptor)
{
    struct terminal terminal = {0};
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

    terminal.is_terminal = isatty(descriptor) == 1;
    terminal.dumb = term == NULL || *term == '\0' || strcmp(term, "dumb") == 0;
    terminal.accessible = is_set("ACCESSIBLE");
    // NO_COLOR counts with any value, as no-color.org has it
    terminal.colour = terminal.is_terminal && !terminal.dumb &&
                      !terminal.accessible && !(no_color && *no_color);
    if (is_set("CLICOLOR_FORCE") && !(no_color && *no_color))
        terminal.colour = true;
    return terminal;
}

size_t
terminal_columns(int descriptor)
{
    struct winsize size;

    if (ioctl(descriptor, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return 80;
    return size.ws_col < 20 ? 20 : size.ws_col;
}

void
terminal_mute(int descriptor)
{
    struct termios quiet;

    if (muted >= 0 || tcgetattr(descriptor, &before) < 0)
        return;
    quiet = before;
    // Enter must still arrive as CR, or it would look like ^J to the editor
    quiet.c_iflag &= ~(tcflag_t) (ICRNL | INLCR);
    quiet.c_lflag &= ~(tcflag_t) (ECHO | ICANON);
    quiet.c_cc[VMIN] = 1;
    quiet.c_cc[VTIME] = 0;
    if (tcsetattr(descriptor, TCSADRAIN, &quiet) == 0)
        muted = descriptor;
}

void
terminal_unmute(void)
{
    if (muted < 0)
        return;
    tcsetattr(muted, TCSADRAIN, &before);
    muted = -1;
}

bool
terminal_is_muted(void)
{
    return muted >= 0;
}
