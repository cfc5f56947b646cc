/*
 * A screen with nothing behind it, for tests of the screen: shows its size and
 * what was typed, and does one thing for each of some keys.
 *
 *   l looks of all kinds        w wide and combined characters
 *   c copies to the clipboard   n tells that an answer is there
 *   z gives the terminal to a shell command and takes it again
 *   s overflows the stack       a aborts      x exits without care
 *   f a frame for every ms for a while        k hides the cursor
 *   q quits
 */
#include "config.h"

#include "ui/ui.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t resized, stopped, ended, continued;

static struct {
    char typed[200];
    char note[200];
    bool looks, wide, hidden, quit;
    unsigned frames;
} demo;

static void
on_signal(int number)
{
    resized |= number == SIGWINCH;
    stopped |= number == SIGTSTP;
    continued |= number == SIGCONT;
    if (number == SIGTERM || number == SIGHUP)
        ended = number;
}

static void
draw_looks(struct canvas *canvas)
{
    for (unsigned i = 0; i < LOOKS; i++)
        canvas_print(canvas, 4 + i % 16, 2 + i / 16 * 20, 10, (enum look) i,
                     "look %u", i);
}

static void
draw_wide(struct canvas *canvas)
{
    static const char text[] = "\xE6\xBC\xA2\xE5\xAD\x97 e\xCC\x81 "
                               "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB|"
                               "\xF0\x9F\x91\x8D\xF0\x9F\x8F\xBD|"
                               "\xE2\x9D\xA4\xEF\xB8\x8F|";

    canvas_put(canvas, 4, 2, 40, LOOK_PLAIN, text, sizeof text - 1);
    // across the right edge
    canvas_put(canvas, 5, canvas->columns - 3, 40, LOOK_PLAIN, text, 6);
    canvas_put(canvas, canvas->rows - 2, canvas->columns - 2, 40, LOOK_PLAIN,
               text, 3);
}

static void
draw(void)
{
    struct canvas *canvas = screen_canvas();

    canvas_clear(canvas, (struct area){0, 0, canvas->rows, canvas->columns});
    canvas_print(canvas, 0, 0, canvas->columns, LOOK_TITLE, " demo %ux%u",
                 canvas->columns, canvas->rows);
    canvas_rule(canvas, 1, 0, canvas->columns, LOOK_DIM);
    if (demo.looks)
        draw_looks(canvas);
    if (demo.wide)
        draw_wide(canvas);
    canvas_print(canvas, 2, 1, 70, LOOK_PLAIN, "%s", demo.note);
    canvas_print(canvas, canvas->rows - 1, 0, canvas->columns, LOOK_PLAIN,
                 "> %s", demo.typed);
    if (demo.hidden)
        canvas->cursor = false;
    else
        canvas_cursor(canvas, canvas->rows - 1,
                      2 + (unsigned) strlen(demo.typed));
}

static void
give_up(enum status status, const struct error *err)
{
    if (status == STATUS_OK)
        return;
    screen_close();
    fprintf(stderr, "screen_demo: %s\n", err->text);
    exit(1);
}

static void
show(void)
{
    uint64_t now_ns = clock_ns();
    struct error err;

    if (!screen_is_due(now_ns))
        return;
    draw();
    demo.frames++;
    give_up(screen_show(now_ns, &err), &err);
}

/* 4 GB of stack. */
static int
overflow(int depth)
{
    volatile char here[4096];

    for (size_t i = 0; i < sizeof here; i += 256)
        here[i] = (char) depth;
    return depth > 1 << 20 ? 0 : overflow(depth + 1) + here[256];
}

static void
suspend(bool command)
{
    struct error err;

    screen_leave();
    if (command) {
        puts("now the shell");
        fflush(stdout);
        if (system("stty -a | grep -q ' icanon' && echo cooked") != 0)
            puts("raw");
        fflush(stdout);
    } else {
        raise(SIGSTOP);
    }
    give_up(screen_return(&err), &err);
}

/* Many changes: how many frames they become is told. */
static void
flood(void)
{
    uint64_t start = clock_ns();
    unsigned before = demo.frames;

    while (clock_ns() - start < 500000000) {
        snprintf(demo.note, sizeof demo.note, "%llu",
                 (unsigned long long) clock_ns());
        screen_touch();
        show();
        poll(NULL, 0, 1);
    }
    snprintf(demo.note, sizeof demo.note, "flood: %s",
             demo.frames - before <= 14 ? "few frames" : "too many frames");
}

static void
take_copy(void)
{
    struct error err;

    if (screen_copy("copied text", 11, &err) != STATUS_OK)
        text_copy(demo.note, sizeof demo.note, err.text);
    else
        strcpy(demo.note, "copied");
}

static void
act(char key)
{
    switch (key) {
    case 'l':
        demo.looks = true;
        break;
    case 'w':
        demo.wide = true;
        break;
    case 'c':
        take_copy();
        break;
    case 'n':
        screen_notify();
        break;
    case 'z':
        suspend(true);
        break;
    case 's':
        demo.hidden = overflow(0) > 0;
        break;
    case 'a':
        abort();
    case 'x':
        exit(3);
    case 'f':
        flood();
        break;
    case 'k':
        demo.hidden = true;
        break;
    case 'q':
        demo.quit = true;
        break;
    default:
        break;
    }
}

static void
take_keys(void)
{
    unsigned char keys[20];
    ssize_t got = read(STDIN_FILENO, keys, sizeof keys);

    if (got <= 0 && errno != EINTR)
        ended = SIGHUP;
    for (ssize_t i = 0; i < got; i++) {
        size_t length = strlen(demo.typed);

        if (length > 150)
            length = 0;
        snprintf(demo.typed + length, sizeof demo.typed - length, "%02X ",
                 keys[i]);
        act((char) keys[i]);
    }
    screen_hurry();
}

static void
take_signals(void)
{
    struct error err;

    if (ended) {
        screen_close();
        printf("ended by %d\n", ended);
        exit(128 + ended);
    }
    if (stopped) {
        stopped = 0;
        suspend(false);
    }
    if (resized || continued) {
        resized = continued = 0;
        give_up(screen_resized(&err), &err);
    }
}

/* Signals come while it waits, and at no other time. */
static void
run(void)
{
    sigset_t none;

    sigemptyset(&none);
    while (!demo.quit) {
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        uint64_t deadline = screen_deadline(), now_ns = clock_ns();
        uint64_t left = deadline <= now_ns ? 0 : deadline - now_ns;
        struct timespec wait = {.tv_sec = (time_t) (left / 1000000000),
                                .tv_nsec = (long) (left % 1000000000)};

        if (ppoll(&input, 1, deadline == UINT64_MAX ? NULL : &wait, &none) > 0)
            take_keys();
        take_signals();
        show();
    }
}

static struct screen_settings
settings_of(int argc, char **argv)
{
    struct screen_settings settings = {.notify = NOTIFY_BELL};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "clipboard") == 0)
            settings.clipboard = true;
        if (strcmp(argv[i], "mouse") == 0)
            settings.mouse = true;
        if (strcmp(argv[i], "osc9") == 0)
            settings.notify = NOTIFY_OSC9;
        if (strcmp(argv[i], "dark") == 0)
            settings.theme = THEME_DARK;
        if (strcmp(argv[i], "mono") == 0)
            settings.theme = THEME_MONO;
    }
    return settings;
}

int
main(int argc, char **argv)
{
    static const int handled[] = {SIGWINCH, SIGTSTP, SIGTERM, SIGHUP, SIGCONT};
    struct screen_settings settings = settings_of(argc, argv);
    struct sigaction action = {.sa_handler = on_signal}, now;
    sigset_t blocked;
    struct error err;

    setlocale(LC_ALL, "");
    text_width_start(text_locale_is_utf8(), 1);
    if (screen_possible(&err) != STATUS_OK) {
        fprintf(stderr, "screen_demo: %s\n", err.text);
        return 2;
    }
    sigemptyset(&blocked);
    for (size_t i = 0; i < sizeof handled / sizeof *handled; i++) {
        sigaction(handled[i], &action, NULL);
        sigaddset(&blocked, handled[i]);
    }
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    give_up(screen_open(&settings, &err), &err);
    sigaction(SIGINT, NULL, &now);
    strcpy(demo.note, now.sa_handler == SIG_DFL ? "ready" : "a handler");
    run();
    screen_close();
    puts("bye");
    return 0;
}
