/*
 * ncurses finds out what differs, and writes it into a file in memory; tty.c
 * sends it. So a terminal that is slow, stopped or gone never holds up the
 * program, and ncurses, which would try a full terminal again and again, never
 * meets one. It reads no keys, and its signal handlers are taken out again.
 */
#include "config.h"

#include "ui/screen/screen.h"

#include "ui/screen/clipboard.h"
#include "ui/terminal.h"
#include "ui/screen/terminfo.h"
#include "ui/screen/tty.h"

#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    FRAME_MS = 40,
    RESTORE_MOST = 256,
    REGION_MOST = 64,
    MARKS_MOST = CCHARW_MAX - 1, // after a character, in a cell of ncurses
};

static const uint64_t frame_ns = FRAME_MS * (uint64_t) 1000000;

static struct {
    bool open, left;
    struct screen_settings settings;
    SCREEN *curses;
    FILE *memory; // what ncurses writes
    struct canvas canvas, shown;
    bool whole; // nothing is known of what the terminal shows
    bool touched, hurried;
    uint64_t next_ns;  // no frame before
    uint64_t retry_ns; // for what the terminal did not take
    uint64_t pause_ns; // until then, and twice as long after that; 0: it takes
    int colours;
    struct theme_look looks[LOOKS];
    bool ansi; // knows sequences of ECMA-48
    enum passage passage;
    char start[RESTORE_MOST]; // after ncurses has taken the terminal
    char restore[RESTORE_MOST];
} screen;

/* -- what the terminal can do -----------------------------------------------
 */

static void
append(char *out, size_t size, const char *text)
{
    size_t length = strlen(out);

    snprintf(out + length, size - length, "%s", text);
}

/*
 * CAN ends a sequence that was sent in part. The text is wiped before the
 * terminal goes back to what it showed before, for some can show it again.
 */
static void
describe_restore(void)
{
    char *out = screen.restore;
    size_t size = sizeof screen.restore;

    *out = '\0';
    append(out, size, "\030");
    terminfo_append(out, size, "sgr0");
    terminfo_append(out, size, "op");
    if (screen.ansi && screen.settings.mouse)
        append(out, size, "\033[?1006l\033[?1000l");
    if (screen.ansi)
        append(out, size, "\033[?2004l");
    terminfo_append(out, size, "rmkx");
    terminfo_append(out, size, "cnorm");
    terminfo_append(out, size, "clear");
    terminfo_append(out, size, "rmcup");
}

static void
describe_start(void)
{
    char *out = screen.start;
    size_t size = sizeof screen.start;

    *out = '\0';
    // keys send then what terminfo says of them
    terminfo_append(out, size, "smkx");
    if (screen.ansi)
        append(out, size, "\033[?2004h");
    if (screen.ansi && screen.settings.mouse && terminfo_has("kmous"))
        append(out, size, "\033[?1000h\033[?1006h");
}

enum status
screen_possible(struct error *err)
{
    const char *term = getenv("TERM");
    unsigned rows, columns;

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return error_set(err, STATUS_UNSUPPORTED,
                         "standard input and output are no terminal");
    if (term == NULL || *term == '\0')
        return error_set(err, STATUS_UNSUPPORTED, "TERM is not set");
    if (terminal_of(STDOUT_FILENO).dumb)
        return error_set(err, STATUS_UNSUPPORTED, "TERM is dumb");
    TRY(terminfo_check(term, err));
    tty_size(&rows, &columns);
    if (rows < SCREEN_LEAST_ROWS || columns < SCREEN_LEAST_COLUMNS)
        return error_set(
            err, STATUS_LIMIT, "the terminal has %ux%u, the screen takes %dx%d",
            columns, rows, SCREEN_LEAST_COLUMNS, SCREEN_LEAST_ROWS);
    return STATUS_OK;
}

/* -- ncurses ----------------------------------------------------------------
 */

/* Bytes that ncurses wrote since the last time. */
static enum status
take_written(struct buffer *out, struct error *err)
{
    int descriptor = fileno(screen.memory);
    off_t size = lseek(descriptor, 0, SEEK_CUR);

    if (size < 0)
        return error_errno(err, "cannot read a frame back");
    TRY(buffer_reserve(out, (size_t) size + 1, err));
    ssize_t got = pread(descriptor, out->data + out->length, (size_t) size, 0);

    if (got > 0)
        out->length += (size_t) got;
    out->data[out->length] = '\0';
    if (got != size || ftruncate(descriptor, 0) < 0 ||
        lseek(descriptor, 0, SEEK_SET) < 0)
        return error_errno(err, "cannot read a frame back");
    return STATUS_OK;
}

static void
drop_written(void)
{
    int descriptor = fileno(screen.memory);

    if (ftruncate(descriptor, 0) == 0)
        lseek(descriptor, 0, SEEK_SET);
}

static enum status
send_written(struct error *err)
{
    struct buffer bytes = {0};
    enum status status = take_written(&bytes, err);

    if (status == STATUS_OK && bytes.length > 0)
        status = tty_write(bytes.data, bytes.length, err);
    buffer_release(&bytes);
    return status;
}

static const int caught[] = {SIGINT, SIGTERM, SIGTSTP, SIGWINCH};

enum { CAUGHT = sizeof caught / sizeof *caught };

/* newterm takes signals that are the program's. */
static SCREEN *
new_screen(FILE *out)
{
    struct sigaction before[CAUGHT];
    SCREEN *curses;

    for (int i = 0; i < CAUGHT; i++)
        sigaction(caught[i], NULL, &before[i]);
    curses = newterm(NULL, out, stdin);
    for (int i = 0; i < CAUGHT; i++)
        sigaction(caught[i], &before[i], NULL);
    return curses;
}

static int
direct_colour(int index)
{
    static const int steps[] = {0, 95, 135, 175, 215, 255};
    int cube = index - 16;

    if (index >= 232)
        return (8 + 10 * (index - 232)) * 0x10101;
    return steps[cube / 36] << 16 | steps[cube / 6 % 6] << 8 | steps[cube % 6];
}

/* A colour of the palette on a terminal that is given red, green and blue. */
static int
colour_of(int index)
{
    return screen.colours > 256 && index >= 16 ? direct_colour(index) : index;
}

static void
prepare_looks(void)
{
    enum screen_theme theme = screen.settings.theme;

    screen.colours = 0;
    if (terminal_of(STDOUT_FILENO).colour && theme != THEME_MONO &&
        start_color() == OK) {
        use_default_colors();
        screen.colours = COLORS;
    }
    for (int i = 0; i < LOOKS; i++) {
        struct theme_look *look = &screen.looks[i];

        *look = theme_look(theme, (enum look) i, screen.colours);
        if (look->foreground >= 0 || look->background >= 0)
            init_extended_pair(i + 1, colour_of(look->foreground),
                               colour_of(look->background));
    }
}

static attr_t
attributes_of(const struct theme_look *look)
{
    return (look->attributes & SHOWN_BOLD ? A_BOLD : 0) |
           (look->attributes & SHOWN_DIM ? A_DIM : 0) |
           (look->attributes & SHOWN_UNDERLINE ? A_UNDERLINE : 0) |
           (look->attributes & SHOWN_REVERSE ? A_REVERSE : 0);
}

static void
prepare_curses(void)
{
    noecho();
    raw();
    nonl();
    typeahead(-1);
    scrollok(stdscr, FALSE);
    leaveok(stdscr, FALSE);
    prepare_looks();
}

static enum status
open_memory(struct error *err)
{
    int descriptor = memfd_create("screen", MFD_CLOEXEC);

    if (descriptor < 0)
        return error_errno(err, "cannot make room for frames");
    screen.memory = fdopen(descriptor, "w");
    if (screen.memory == NULL) {
        close(descriptor);
        return error_set(err, STATUS_NOMEM, "no memory for the screen");
    }
    return STATUS_OK;
}

static enum status
size_canvas(struct error *err)
{
    unsigned rows, columns;

    tty_size(&rows, &columns);
    TRY(canvas_resize(&screen.canvas, rows, columns, err));
    TRY(canvas_resize(&screen.shown, rows, columns, err));
    if (resize_term((int) rows, (int) columns) != OK)
        return error_set(err, STATUS_NOMEM, "no memory for a screen of %ux%u",
                         columns, rows);
    screen.whole = true;
    screen.touched = true;
    return STATUS_OK;
}

static enum status
open_curses(struct error *err)
{
    TRY(open_memory(err));
    screen.curses = new_screen(screen.memory);
    if (screen.curses == NULL)
        return error_set(err, STATUS_UNSUPPORTED,
                         "the terminal type is not known");
    prepare_curses();
    screen.ansi = terminfo_is_ansi();
    screen.passage = passage_of(getenv("TERM"), getenv("TMUX"), getenv("STY"));
    describe_start();
    describe_restore();
    return STATUS_OK;
}

static void
close_curses(void)
{
    if (screen.curses != NULL) {
        endwin();
        delscreen(screen.curses);
    }
    screen.curses = NULL;
    if (screen.memory != NULL)
        fclose(screen.memory);
    screen.memory = NULL;
    canvas_release(&screen.canvas);
    canvas_release(&screen.shown);
}

/*
 * Modes, and that lines move in all rows: newterm, which writes to no terminal,
 * took it for one of 24. It puts the cursor with all that is drawn next.
 */
static enum status
send_start(struct error *err)
{
    char region[REGION_MOST] = "";

    terminfo_append_region(region, sizeof region, screen.canvas.rows);
    TRY(tty_write(region, strlen(region), err));
    return tty_write(screen.start, strlen(screen.start), err);
}

/* ncurses takes the terminal with the next frame, which is blank. */
static enum status
take_terminal(struct error *err)
{
    erase();
    clearok(curscr, TRUE);
    wnoutrefresh(stdscr);
    doupdate();
    TRY(send_written(err));
    TRY(send_start(err));
    screen.whole = true;
    screen.touched = true;
    return STATUS_OK;
}

enum status
screen_open(const struct screen_settings *settings, struct error *err)
{
    enum status status;

    if (screen.open)
        return STATUS_OK;
    memset(&screen, 0, sizeof screen);
    screen.settings = *settings;
    status = open_curses(err);
    if (status == STATUS_OK)
        status = tty_open(screen.restore, strlen(screen.restore), err);
    if (status == STATUS_OK)
        status = size_canvas(err);
    if (status == STATUS_OK)
        status = take_terminal(err);
    screen.open = status == STATUS_OK;
    if (status != STATUS_OK) {
        tty_close();
        close_curses();
    }
    return status;
}

/* What was shown is in no memory of ncurses any more. */
static void
forget_text(void)
{
    erase();
    wnoutrefresh(stdscr);
    doupdate();
    drop_written();
}

void
screen_close(void)
{
    if (!screen.open)
        return;
    tty_close();
    forget_text();
    close_curses();
    memset(&screen, 0, sizeof screen);
}

bool
screen_is_open(void)
{
    return screen.open;
}

void
screen_leave(void)
{
    if (!screen.open || screen.left)
        return;
    tty_leave();
    forget_text();
    endwin();
    // what it would send is in the bytes that tty_leave has sent
    drop_written();
    screen.left = true;
}

enum status
screen_return(struct error *err)
{
    if (!screen.open || !screen.left)
        return STATUS_OK;
    TRY(tty_return(err));
    screen.left = false;
    TRY(size_canvas(err));
    return take_terminal(err);
}

struct canvas *
screen_canvas(void)
{
    return &screen.canvas;
}

enum status
screen_resized(struct error *err)
{
    // where it is left, the return will ask for the size
    if (!screen.open || screen.left)
        return STATUS_OK;
    tty_set_modes();
    TRY(size_canvas(err));
    return send_start(err);
}

/* -- frames -----------------------------------------------------------------
 */

void
screen_touch(void)
{
    screen.touched = true;
}

void
screen_hurry(void)
{
    screen.touched = true;
    screen.hurried = true;
}

uint64_t
screen_deadline(void)
{
    if (!screen.open || screen.left)
        return UINT64_MAX;
    if (tty_pending() > 0)
        return screen.retry_ns;
    if (!screen.touched)
        return UINT64_MAX;
    if (screen.hurried && screen.next_ns >= frame_ns)
        return screen.next_ns - frame_ns;
    return screen.next_ns;
}

bool
screen_is_due(uint64_t now_ns)
{
    return screen_deadline() <= now_ns;
}

/* A character with its marks at (row, column); the columns it took. */
static unsigned
put_character(unsigned row, unsigned column, const wchar_t *text,
              enum look look)
{
    const struct theme_look *shown = &screen.looks[look];
    int pair = shown->foreground >= 0 || shown->background >= 0 ? look + 1 : 0;
    cchar_t cell;

    if (setcchar(&cell, text, attributes_of(shown), 0, &pair) != OK)
        return 1;
    // the last cell of the screen counts as an error, and is drawn
    mvadd_wch((int) row, (int) column, &cell);
    return text_width_of((uint32_t) text[0]);
}

/*
 * Joiners and what chooses a form make some terminals draw a cluster narrower
 * or wider than the sum of its characters; without them all agree. A colour of
 * skin becomes blank.
 */
static bool
is_joiner(uint32_t character)
{
    return character == 0x200D || (character >= 0xFE00 && character <= 0xFE0F);
}

static bool
is_skin(uint32_t character)
{
    return character >= 0x1F3FB && character <= 0x1F3FF;
}

static void
put_cell(unsigned row, unsigned column, const struct cell *cell)
{
    size_t length = strlen(cell->text);
    wchar_t text[CCHARW_MAX + 1];
    unsigned end = column + cell->columns;

    for (size_t at = 0; at < length;) {
        size_t marks = 0;
        uint32_t next;
        bool valid;

        at += utf8_next(cell->text + at, length - at, &next, &valid);
        text[marks++] = (wchar_t) (is_skin(next) && at > 4 ? ' ' : next);
        while (at < length) {
            size_t n = utf8_next(cell->text + at, length - at, &next, &valid);

            if (text_width_of(next) > 0)
                break;
            at += n;
            if (!is_joiner(next) && marks < MARKS_MOST)
                text[marks++] = (wchar_t) next;
        }
        text[marks] = L'\0';
        column += put_character(row, column, text, (enum look) cell->look);
    }
    for (; column < end; column++)
        put_character(row, column, L" ", (enum look) cell->look);
}

/* Starts of clusters that differ are drawn; their other columns follow. */
static void
put_row(unsigned row)
{
    unsigned columns = screen.canvas.columns;
    const struct cell *now = &screen.canvas.cells[(size_t) row * columns];
    struct cell *before = &screen.shown.cells[(size_t) row * columns];
    size_t bytes = columns * sizeof *now;

    if (!screen.whole && memcmp(now, before, bytes) == 0)
        return;
    for (unsigned c = 0; c < columns; c++)
        if (now[c].columns > 0 &&
            (screen.whole ||
             memcmp(&now[c], &before[c], sizeof *now * now[c].columns) != 0))
            put_cell(row, c, &now[c]);
    memcpy(before, now, bytes);
}

static void
put_cursor(void)
{
    const struct canvas *canvas = &screen.canvas;

    if (canvas->cursor)
        move((int) canvas->cursor_row, (int) canvas->cursor_column);
    curs_set(canvas->cursor ? 1 : 0);
}

static void
set_next(uint64_t now_ns)
{
    bool early = now_ns < screen.next_ns;

    screen.next_ns = (early ? screen.next_ns : now_ns) + frame_ns;
    screen.touched = false;
    screen.hurried = false;
}

/* A terminal that stays stuck is asked less and less often. */
static void
wait_longer(uint64_t now_ns)
{
    static const uint64_t most_ns = 1000000000;
    uint64_t pause_ns = screen.pause_ns > 0 ? 2 * screen.pause_ns : frame_ns;

    screen.pause_ns = pause_ns < most_ns ? pause_ns : most_ns;
    screen.retry_ns = now_ns + screen.pause_ns;
}

enum status
screen_show(uint64_t now_ns, struct error *err)
{
    if (!screen.open || screen.left)
        return STATUS_OK;
    // frames are of now: none waits behind another
    if (tty_pending() > 0) {
        TRY(tty_flush(err));
        if (tty_pending() > 0) {
            wait_longer(now_ns);
            return STATUS_OK;
        }
    }
    screen.pause_ns = 0;
    screen.retry_ns = now_ns + frame_ns;
    if (screen.whole)
        clearok(curscr, TRUE);
    for (unsigned r = 0; r < screen.canvas.rows; r++)
        put_row(r);
    screen.whole = false;
    put_cursor();
    wnoutrefresh(stdscr);
    doupdate();
    set_next(now_ns);
    return send_written(err);
}

void
screen_redraw(void)
{
    screen.whole = true;
    screen.touched = true;
}

/* -- beside the frames ------------------------------------------------------
 */

enum status
screen_copy(const char *text, size_t length, struct error *err)
{
    struct buffer bytes = {0};
    enum status status;

    if (!screen.settings.clipboard)
        return error_set(err, STATUS_UNSUPPORTED,
                         "the settings allow no clipboard");
    if (!screen.open || screen.left)
        return error_set(err, STATUS_UNSUPPORTED, "there is no screen");
    status = clipboard_bytes(&bytes, screen.passage, text, length, err);
    if (status == STATUS_OK)
        status = tty_write(bytes.data, bytes.length, err);
    buffer_release(&bytes);
    return status;
}

void
screen_notify(void)
{
    static const char ready[] = "fathom: the answer is there";
    struct buffer bytes = {0};
    struct error err;
    enum status status = STATUS_OK;

    if (!screen.open || screen.left || screen.settings.notify == NOTIFY_OFF)
        return;
    if (screen.settings.notify == NOTIFY_BELL ||
        screen.passage == PASSAGE_BLOCKED)
        status = buffer_append(&bytes, "\a", 1, &err);
    else
        status = notice_bytes(&bytes, screen.passage, ready, &err);
    // a terminal that is gone is found by the next frame
    if (status == STATUS_OK)
        status = tty_write(bytes.data, bytes.length, &err);
    if (status != STATUS_OK)
        log_note("the notice was not sent: %s", err.text);
    buffer_release(&bytes);
}
