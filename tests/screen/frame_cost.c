/*
 * An answer that streams onto a terminal, for frame_cost.sh to count the
 * instructions of: 100 tokens a second at 25 frames.
 *
 *     frame_cost ROWS COLUMNS FRAMES
 */
#include "config.h"

#include "ui/ui.h"

#include <locale.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TOKENS_A_FRAME = 4, TOKEN_BYTES = 5, FRAME_NS = 40000000 };

static const char text[] =
    "Each state unlocks **one kind of work**, so both ends share their numbers "
    "before a packet can leave:\n\n"
    "| state | what becomes legal | what it needs first |\n|---|---|---|\n"
    "| INIT | post receive buffers | port, pkey, access flags |\n"
    "| RTR | accept inbound | peer QPN, expected PSN, path |\n\n"
    "The order follows from *who can be hurt*: a sender that starts before its "
    "peer has an expected PSN gets its first packet dropped.\n\n"
    "```c\nif (ibv_modify_qp(qp, &a, IBV_QP_STATE))\n    return "
    "-errno;\n```\n\n"
    "1. posting a send in RTR, which returns EINVAL at once\n"
    "2. swapping the two PSNs, which gives silence, then a completion\n\n";

static struct error err;

static void
need(enum status status)
{
    if (status == STATUS_OK)
        return;
    screen_close();
    fprintf(stderr, "frame_cost: %s\n", err.text);
    exit(1);
}

/* Standard input and output are a terminal that somebody reads. */
static pid_t
take_terminal(unsigned rows, unsigned columns)
{
    struct winsize size = {.ws_row = (unsigned short) rows,
                           .ws_col = (unsigned short) columns};
    int master, slave;
    pid_t reader;

    if (openpty(&master, &slave, NULL, NULL, &size) < 0)
        exit(99);
    reader = fork();
    if (reader == 0) {
        dup2(master, STDIN_FILENO);
        close(slave);
        execlp("sh", "sh", "-c", "exec cat >/dev/null 2>&1", (char *) NULL);
        _exit(127);
    }
    dup2(slave, STDIN_FILENO);
    dup2(slave, STDOUT_FILENO);
    close(master);
    close(slave);
    return reader;
}

static void
ignore_line(void *context, const char *line)
{
    (void) context;
    (void) line;
}

static void
ignore_text(void *context, const char *bytes, size_t length)
{
    (void) context;
    (void) bytes;
    (void) length;
}

static const struct chat_view_calls calls = {NULL, ignore_line, ignore_text,
                                             ignore_text};

static void
stream(struct transcript *transcript, struct view view, unsigned frames)
{
    size_t item, at = 0;

    need(transcript_add(&item, transcript, TRANSCRIPT_ANSWER, NULL, &err));
    for (unsigned i = 1; i <= frames; i++) {
        struct canvas *canvas = screen_canvas();
        struct area area = {0, 0, canvas->rows - 4, canvas->columns};

        for (int token = 0; token < TOKENS_A_FRAME; token++) {
            size_t left = sizeof text - 1 - at,
                   n = left < TOKEN_BYTES ? left : TOKEN_BYTES;

            need(transcript_append(transcript, item, TRANSCRIPT_TEXT, text + at,
                                   n, &err));
            at = (at + n) % (sizeof text - 1);
        }
        view.ops->draw(view.state, canvas, area, 0);
        need(screen_show(i * (uint64_t) FRAME_NS, &err));
    }
}

int
main(int argc, char **argv)
{
    struct chat_view_state state = {.product = "fathom",
                                    .title = "cost",
                                    .model = "model",
                                    .model_size = "",
                                    .think = "high",
                                    .vault = "open",
                                    .queued = "",
                                    .notice = "",
                                    .phase_text = "",
                                    .phase = CHAT_ANSWERING};
    struct screen_settings settings = {.theme = THEME_DARK};
    struct transcript *transcript;
    struct view_chat *chat;

    if (argc != 4)
        return 64;
    pid_t reader =
        take_terminal((unsigned) atoi(argv[1]), (unsigned) atoi(argv[2]));

    setlocale(LC_ALL, "C.UTF-8");
    setenv("TERM", "xterm-256color", 1);
    text_width_start(text_locale_is_utf8(), 1);
    need(screen_open(&settings, &err));
    need(transcript_open(&transcript, &err));
    need(view_chat_open(&chat, transcript, &state, &calls, &err));
    stream(transcript, view_chat(chat), (unsigned) atoi(argv[3]));
    view_chat_close(chat);
    transcript_close(transcript);
    screen_close();
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    waitpid(reader, NULL, 0);
    return 0;
}
