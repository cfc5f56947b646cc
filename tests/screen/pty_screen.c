#include "config.h"

#include "tests/screen/pty_screen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

void
pty_screen_broken(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(99);
}

static void
append(struct buffer *out, const char *bytes, size_t length)
{
    struct error err;

    if (buffer_append(out, bytes, length, &err) != STATUS_OK)
        pty_screen_broken("memory");
}

static int
on_property(VTermProp property, VTermValue *value, void *user)
{
    struct pty_screen *screen = user;

    if (property == VTERM_PROP_ALTSCREEN)
        screen->alternate = value->boolean != 0;
    if (property == VTERM_PROP_CURSORVISIBLE)
        screen->shown = value->boolean != 0;
    return 1;
}

/* Answers of the terminal go where keys go. */
static void
on_answer(const char *bytes, size_t length, void *user)
{
    struct pty_screen *screen = user;

    if (!screen->mute)
        pty_screen_send(screen, bytes, length);
}

static void
open_vterm(struct pty_screen *screen)
{
    static const VTermScreenCallbacks callbacks = {.settermprop = on_property};

    screen->vterm = vterm_new((int) screen->rows, (int) screen->columns);
    if (screen->vterm == NULL)
        pty_screen_broken("libvterm");
    vterm_set_utf8(screen->vterm, 1);
    vterm_output_set_callback(screen->vterm, on_answer, screen);
    screen->cells = vterm_obtain_screen(screen->vterm);
    vterm_screen_set_callbacks(screen->cells, &callbacks, screen);
    vterm_screen_enable_altscreen(screen->cells, 1);
    vterm_screen_reset(screen->cells, 1);
}

/* The program waits for a byte, so that nothing is lost of its first ones. */
void
pty_screen_start(struct pty_screen *screen, char **argv, char **environment,
                 unsigned rows, unsigned columns)
{
    struct winsize size = {.ws_row = (unsigned short) rows,
                           .ws_col = (unsigned short) columns};
    int slave;

    screen->rows = rows;
    screen->columns = columns;
    screen->over = screen->ended = false;
    screen->alternate = false;
    screen->shown = true;
    buffer_clear(&screen->bytes);
    screen->shown_bytes = 0;
    open_vterm(screen);
    // its modes are read before a program can change them
    if (openpty(&screen->master, &slave, NULL, NULL, &size) < 0 ||
        tcgetattr(screen->master, &screen->before) < 0)
        pty_screen_broken("openpty");
    fcntl(screen->master, F_SETFD, FD_CLOEXEC);
    screen->program = fork();
    if (screen->program < 0)
        pty_screen_broken("fork");
    if (screen->program == 0) {
        if (login_tty(slave) < 0)
            _exit(127);
        execve(argv[0], argv, environment);
        perror(argv[0]);
        _exit(127);
    }
    close(slave);
    fcntl(screen->master, F_SETFL, O_NONBLOCK);
}

void
pty_screen_stop(struct pty_screen *screen)
{
    if (screen->program > 0 && !screen->ended) {
        kill(screen->program, SIGKILL);
        waitpid(screen->program, &screen->status, 0);
    }
    screen->program = 0;
    pty_screen_close(screen);
    if (screen->vterm != NULL)
        vterm_free(screen->vterm);
    screen->vterm = NULL;
    buffer_release(&screen->bytes);
}

/* The length of "ESC [ count b" at the start; 0: something else. */
static size_t
repeat_at(const char *bytes, size_t length, unsigned *count)
{
    size_t at = 2;

    if (length < 4 || bytes[0] != '\033' || bytes[1] != '[')
        return 0;
    for (*count = 0; at < length && bytes[at] >= '0' && bytes[at] <= '9'; at++)
        *count = *count * 10 + (unsigned) (bytes[at] - '0');
    return at > 2 && at < length && bytes[at] == 'b' ? at + 1 : 0;
}

/* Where the bytes end on a sequence that is not whole, it waits. */
static size_t
whole_length(const char *bytes, size_t length)
{
    for (size_t i = length; i > 0 && length - i < 8; i--) {
        char byte = bytes[i - 1];

        if (byte == '\033')
            return i - 1;
        if (byte != '[' && (byte < '0' || byte > '9'))
            break;
    }
    return length;
}

/*
 * libvterm 0.1.4 repeats characters wrongly at the right edge, so it is given
 * them one by one.
 */
static void
show_bytes(struct pty_screen *screen)
{
    const char *bytes = screen->bytes.data + screen->shown_bytes;
    size_t length =
        whole_length(bytes, screen->bytes.length - screen->shown_bytes);
    size_t start = 0, at = 0;

    while (at < length) {
        unsigned count;
        size_t n = repeat_at(bytes + at, length - at, &count);

        if (n == 0) {
            screen->last = bytes[at++];
            continue;
        }
        vterm_input_write(screen->vterm, bytes + start, at - start);
        while (count-- > 0)
            vterm_input_write(screen->vterm, &screen->last, 1);
        at += n;
        start = at;
    }
    vterm_input_write(screen->vterm, bytes + start, at - start);
    screen->shown_bytes += length;
}

bool
pty_screen_read(struct pty_screen *screen, int ms)
{
    struct pollfd ready = {.fd = screen->master, .events = POLLIN};
    char bytes[65536];

    if (screen->master < 0 || screen->over) {
        poll(NULL, 0, ms);
        return false;
    }
    if (poll(&ready, 1, ms) <= 0)
        return false;
    ssize_t got = read(screen->master, bytes, sizeof bytes);

    if (got <= 0) {
        screen->over = got == 0 || errno == EIO;
        return false;
    }
    append(&screen->bytes, bytes, (size_t) got);
    show_bytes(screen);
    return true;
}

/* A program that does not read is read from meanwhile, or both would wait. */
void
pty_screen_send(struct pty_screen *screen, const char *bytes, size_t length)
{
    while (length > 0 && screen->master >= 0 && !screen->over) {
        ssize_t sent = write(screen->master, bytes, length);

        if (sent > 0) {
            bytes += sent;
            length -= (size_t) sent;
        } else if (errno == EAGAIN) {
            pty_screen_read(screen, 10);
        } else {
            return;
        }
    }
}

void
pty_screen_resize(struct pty_screen *screen, unsigned rows, unsigned columns)
{
    struct winsize size = {.ws_row = (unsigned short) rows,
                           .ws_col = (unsigned short) columns};

    screen->rows = rows;
    screen->columns = columns;
    // libvterm 0.1.4 ends on a wide character where there is one column
    vterm_set_size(screen->vterm, (int) rows, columns > 2 ? (int) columns : 2);
    if (screen->master >= 0)
        ioctl(screen->master, TIOCSWINSZ, &size);
}

void
pty_screen_close(struct pty_screen *screen)
{
    if (screen->master >= 0)
        close(screen->master);
    screen->master = -1;
}

bool
pty_screen_ended(struct pty_screen *screen)
{
    if (!screen->ended && screen->program > 0 &&
        waitpid(screen->program, &screen->status, WNOHANG) == screen->program)
        screen->ended = true;
    return screen->ended;
}

char
pty_screen_state(const struct pty_screen *screen)
{
    char path[64], line[512] = "";
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/stat", (int) screen->program);
    file = fopen(path, "r");
    if (file == NULL)
        return 0;
    if (fgets(line, sizeof line, file) == NULL)
        *line = '\0';
    fclose(file);
    const char *end = strrchr(line, ')');

    return end != NULL && end[1] == ' ' ? end[2] : '\0';
}

bool
pty_screen_modes_restored(const struct pty_screen *screen)
{
    struct termios now;

    return tcgetattr(screen->master, &now) == 0 &&
           now.c_iflag == screen->before.c_iflag &&
           now.c_oflag == screen->before.c_oflag &&
           now.c_lflag == screen->before.c_lflag &&
           memcmp(now.c_cc, screen->before.c_cc, sizeof now.c_cc) == 0;
}

static void
append_cell(struct buffer *out, const VTermScreenCell *cell)
{
    char utf8[4];

    // the right half of a wide one
    if (cell->chars[0] == (uint32_t) -1)
        return;
    if (cell->chars[0] == 0)
        append(out, " ", 1);
    for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell->chars[i] != 0; i++)
        append(out, utf8, utf8_write(utf8, cell->chars[i]));
}

static void
end_line(struct buffer *out, size_t start)
{
    size_t length = out->length;

    while (length > start && out->data[length - 1] == ' ')
        length--;
    out->length = length;
    append(out, "\n", 1);
}

void
pty_screen_text(const struct pty_screen *screen, struct buffer *out)
{
    VTermScreenCell cell;

    for (int row = 0; row < (int) screen->rows; row++) {
        size_t start = out->length;

        for (int column = 0; column < (int) screen->columns; column++)
            if (vterm_screen_get_cell(screen->cells, (VTermPos){row, column},
                                      &cell))
                append_cell(out, &cell);
        end_line(out, start);
    }
}

static char
look_of(const VTermScreenCell *cell)
{
    bool bold = cell->attrs.bold, underline = cell->attrs.underline != 0,
         reverse = cell->attrs.reverse,
         colour = !VTERM_COLOR_IS_DEFAULT_FG(&cell->fg) ||
                  !VTERM_COLOR_IS_DEFAULT_BG(&cell->bg);
    char letter = reverse && bold     ? 'c'
                  : reverse           ? 'r'
                  : bold && underline ? 'h'
                  : bold              ? 'b'
                  : underline         ? 'u'
                                      : ' ';

    if (!colour)
        return letter;
    return letter == ' ' ? 'K' : (char) (letter - 'a' + 'A');
}

void
pty_screen_looks(const struct pty_screen *screen, struct buffer *out)
{
    VTermScreenCell cell;

    for (int row = 0; row < (int) screen->rows; row++) {
        size_t start = out->length;

        for (int column = 0; column < (int) screen->columns; column++)
            if (vterm_screen_get_cell(screen->cells, (VTermPos){row, column},
                                      &cell))
                append(out, (char[]){look_of(&cell)}, 1);
        end_line(out, start);
    }
}
