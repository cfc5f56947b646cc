/*
 * Says what the keys of its terminal do, for the tests of keys: opens the line
 * editor's box with the keys of the map that is named, and prints a line for
 * each action, line and signal. With "table" it prints all keys instead.
 */
#include "config.h"

#include "ui/ui.h"

#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static struct termios before;
static volatile sig_atomic_t interrupted;

static void
on_interrupt(int number)
{
    (void) number;
    interrupted = 1;
}

static void
print_action(void *context, enum action action, int count)
{
    (void) context;
    printf("%s %d\r\n", action_row(action)->name, count);
}

static void
print_mouse(void *context, unsigned row, unsigned column, int wheel)
{
    (void) context;
    printf("mouse %u %u %d\r\n", row, column, wheel);
}

static void
print_attached(void *context, const char *bytes, size_t length)
{
    (void) context;
    (void) bytes;
    printf("attached %zu\r\n", length);
}

static void
print_offer(void *context, char **words, size_t count)
{
    (void) context;
    printf("offer");
    for (size_t i = 0; i < count; i++)
        printf(" %s", words[i]);
    printf("\r\n");
}

static void
complete(void *context, const char *line, size_t start,
         struct line_candidates *out)
{
    (void) context;
    (void) line;
    if (start > 0)
        out->files = true;
    line_candidates_add(out, "/help");
    line_candidates_add(out, "/history");
}

/* As the screen sets it. */
static void
take_terminal(void)
{
    struct termios now;
    sigset_t interrupt;

    tcgetattr(STDIN_FILENO, &before);
    now = before;
    now.c_lflag &= ~(tcflag_t) (ICANON | ECHO | IEXTEN);
    now.c_iflag &= ~(tcflag_t) (ICRNL | INLCR | IXON);
    now.c_cc[VMIN] = 1;
    now.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &now);
    signal(SIGINT, on_interrupt);
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    sigprocmask(SIG_BLOCK, &interrupt, NULL);
}

/* A line as it is written in C. */
static void
print_line(const char *what, const char *line)
{
    printf("%s ", what);
    for (; *line; line++)
        if ((unsigned char) *line < 0x20)
            printf("\\x%02x", (unsigned) *line);
        else
            putchar(*line);
    printf("\r\n");
}

static void
print_result(enum line_result result)
{
    if (result == LINE_MORE)
        return;
    if (result == LINE_DONE)
        print_line("line", line_editor_line());
    else
        printf("end\r\n");
    line_editor_show("> ");
}

/* True: standard input is readable. Signals come here and nowhere else. */
static bool
wait_for_key(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    uint64_t now = clock_ns(), deadline = line_editor_deadline(),
             ns = deadline > now ? deadline - now : 0;
    struct timespec limit = {.tv_sec = (time_t) (ns / 1000000000),
                             .tv_nsec = (long) (ns % 1000000000)};
    sigset_t none;

    sigemptyset(&none);
    return ppoll(&input, 1, deadline == UINT64_MAX ? NULL : &limit, &none) > 0;
}

static void
take_keys(void)
{
    bool ready = wait_for_key();

    if (interrupted) {
        interrupted = 0;
        printf("signal %s\r\n", line_editor_interrupt() ? "typed" : "empty");
        line_editor_show("> ");
    } else if (ready) {
        print_result(line_editor_feed());
    } else {
        print_result(line_editor_tick(clock_ns()));
    }
    // where the test looks for what is in the box
    if (getenv("KEY_ECHO_BOX"))
        print_line("box", line_editor_box().text);
    fflush(stdout);
}

static int
print_table(void)
{
    static const char *const maps[] = {"input", "transcript", "list",
                                       "experts"};

    for (const struct action_key *key = action_keys; key->action; key++)
        printf("%s\t%s\t%s\t%s\n", maps[key->map], key->shown,
               action_row(key->action)->name, action_row(key->action)->help);
    for (int action = ACTION_NONE + 1; action < ACTIONS; action++)
        printf("name\t%s\t%s\n", action_row((enum action) action)->name,
               action_row((enum action) action)->help);
    return 0;
}

static enum action_map
map_of(const char *name)
{
    for (int map = MAP_INPUT + 1; map < ACTION_MAPS; map++)
        if (strcmp(action_map_name((enum action_map) map), name) == 0)
            return (enum action_map) map;
    return MAP_INPUT;
}

int
main(int argc, char **argv)
{
    static const struct line_box_calls calls = {.act = print_action,
                                                .offer = print_offer,
                                                .attach = print_attached,
                                                .mouse = print_mouse};
    const char *map = argc > 1 ? argv[1] : "";

    setlocale(LC_ALL, "");
    if (strcmp(map, "table") == 0)
        return print_table();
    take_terminal();
    line_editor_open_box(complete, &calls);
    char *remarks = line_editor_remarks();

    if (remarks)
        print_line("remarks", remarks);
    free(remarks);
    line_editor_use(map_of(map));
    line_editor_remember("first of history");
    line_editor_show("> ");
    printf("ready\r\n");
    fflush(stdout);
    while (getppid() != 1)
        take_keys();
    return 0;
}
