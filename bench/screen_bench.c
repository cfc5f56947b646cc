/*
 * The chat's screen: what an answer costs while it streams, and how long a
 * key takes in a long chat. Everything up to the canvas; no terminal.
 *
 *     screen_bench [TOKENS]     200000 tokens of transcript
 */
#include "config.h"

#include "ui/ui.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    FRAMES_A_SECOND = 25,
    TOKENS_A_FRAME = 4, // 100 a second
    STREAM_SECONDS = 80,
    TOKEN_BYTES = 5,
    ANSWER_BYTES = 1500,
    KEYS = 200,
    LONG_TOKENS = 32000,
};

static struct error err;

static void
need(enum status status)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "screen_bench: %s\n", err.text);
    exit(1);
}

/* An answer as models write them; it goes round at its end. */
static const char text[] =
    "Each state unlocks **one kind of work**, so both ends share their numbers "
    "before a packet can leave:\n\n"
    "| state | what becomes legal | what it needs first |\n|---|---|---|\n"
    "| INIT | post receive buffers | port, pkey, access flags |\n"
    "| RTR | accept inbound | peer QPN, expected PSN, path |\n"
    "| RTS | post sends | timeout, retry counts |\n\n"
    "The order follows from *who can be hurt*: a sender that starts before its "
    "peer has an expected PSN gets its first packet dropped as out of "
    "sequence, and the retry timer, not an error code, is what you see. See "
    "`ibv_modify_qp` for $a_0 \\le b$ and the rest.\n\n"
    "```c\n"
    "struct ibv_qp_attr a = { .qp_state = IBV_QPS_INIT, .port_num = 1 };\n"
    "if (ibv_modify_qp(qp, &a, IBV_QP_STATE | IBV_QP_PORT))\n"
    "    return -errno;\n"
    "```\n\n"
    "## Three mistakes that look alike\n\n"
    "1. posting a send in RTR, which returns EINVAL at once\n"
    "2. swapping the two PSNs, which gives silence, then a completion\n"
    "3. a different MTU on each side, which works until the first message\n\n";

static size_t
next_piece(size_t *at, size_t bytes, const char **piece)
{
    size_t left = sizeof text - 1 - *at;

    *piece = text + *at;
    if (bytes > left)
        bytes = left;
    *at = (*at + bytes) % (sizeof text - 1);
    return bytes;
}

struct bench {
    struct transcript *transcript;
    struct chat_view_state state;
    struct view_chat *chat;
    struct view view;
    struct canvas canvas;
};

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

static void
begin(struct bench *b)
{
    static const struct chat_view_calls calls = {NULL, ignore_line, ignore_text,
                                                 ignore_text};

    *b = (struct bench){.state = {.product = "fathom",
                                  .title = "bench",
                                  .model = "model",
                                  .model_size = "",
                                  .think = "high",
                                  .vault = "open",
                                  .queued = "",
                                  .notice = "",
                                  .phase_text = "",
                                  .phase = CHAT_ANSWERING}};
    need(transcript_open(&b->transcript, &err));
    need(view_chat_open(&b->chat, b->transcript, &b->state, &calls, &err));
    b->view = view_chat(b->chat);
}

static void
finish(struct bench *b)
{
    view_chat_close(b->chat);
    transcript_close(b->transcript);
    canvas_release(&b->canvas);
}

static void
draw(struct bench *b, unsigned rows, unsigned columns)
{
    if (b->canvas.rows != rows || b->canvas.columns != columns)
        need(canvas_resize(&b->canvas, rows, columns, &err));
    b->view.ops->draw(b->view.state, &b->canvas,
                      (struct area){0, 0, rows - 4, columns}, 0);
}

static void
stream(unsigned rows, unsigned columns)
{
    const char *piece;
    struct bench b;
    size_t item, at = 0;
    clock_t start;

    begin(&b);
    need(transcript_add(&item, b.transcript, TRANSCRIPT_ANSWER, NULL, &err));
    start = clock();
    for (int i = 0; i < STREAM_SECONDS * FRAMES_A_SECOND; i++) {
        for (int token = 0; token < TOKENS_A_FRAME; token++) {
            size_t n = next_piece(&at, TOKEN_BYTES, &piece);

            need(transcript_append(b.transcript, item, TRANSCRIPT_TEXT, piece,
                                   n, &err));
        }
        draw(&b, rows, columns);
    }
    double cpu = (double) (clock() - start) / CLOCKS_PER_SEC;

    printf("streaming %ux%u: %d tokens/s at %d Hz take %.2f %% of a core\n",
           columns, rows, TOKENS_A_FRAME * FRAMES_A_SECOND, FRAMES_A_SECOND,
           100 * cpu / STREAM_SECONDS);
    finish(&b);
}

static void
fill(struct bench *b, size_t tokens, size_t answer_bytes)
{
    static const char question[] = "What comes after that, and why?";
    const char *piece;
    size_t at = 0, item;

    for (size_t bytes = 0; bytes < tokens * TOKEN_BYTES;) {
        need(transcript_put(NULL, b->transcript, TRANSCRIPT_QUESTION, NULL,
                            question, strlen(question), &err));
        need(transcript_add(&item, b->transcript, TRANSCRIPT_ANSWER, NULL,
                            &err));
        for (size_t n = 0; n < answer_bytes;) {
            size_t more = next_piece(&at, answer_bytes, &piece);

            need(transcript_append(b->transcript, item, TRANSCRIPT_TEXT, piece,
                                   more, &err));
            n += more;
            bytes += more;
        }
        need(transcript_finish(b->transcript, item, &err));
    }
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}

static void
report(const char *name, double *ms, size_t count)
{
    qsort(ms, count, sizeof *ms, compare);
    printf("  %-28s median %7.3f ms   worst %7.3f ms\n", name, ms[count / 2],
           ms[count - 1]);
}

static double
ms_since(uint64_t start_ns)
{
    return (double) (clock_ns() - start_ns) / 1e6;
}

static void
press(struct bench *b, const char *name, enum action action, int count,
      int times)
{
    double ms[KEYS];

    for (int i = 0; i < times; i++) {
        uint64_t start = clock_ns();

        b->view.ops->act(b->view.state, action, count);
        draw(b, 48, 160);
        ms[i] = ms_since(start);
    }
    report(name, ms, (size_t) times);
}

static void
look_for(struct bench *b, const char *needle)
{
    char name[64];
    double ms;
    uint64_t start = clock_ns();

    b->view.ops->filter(b->view.state, needle);
    draw(b, 48, 160);
    ms = ms_since(start);
    snprintf(name, sizeof name, "search \"%s\"", needle);
    report(name, &ms, 1);
}

static void
keys(size_t tokens)
{
    struct bench b;
    double ms[4];

    begin(&b);
    fill(&b, tokens, ANSWER_BYTES);
    printf("keys to canvas 160x48, %zu tokens in %zu items:\n", tokens,
           transcript_items(b.transcript));
    for (int i = 0; i < 4; i++) {
        uint64_t start = clock_ns();

        draw(&b, i % 2 ? 24 : 48, i % 2 ? 80 : 160);
        ms[i] = ms_since(start);
    }
    printf("  first drawing %.3f ms\n", ms[0]);
    report("another size", ms + 1, 3);
    press(&b, "page up", ACTION_PAGE_UP, 1, KEYS);
    press(&b, "line down", ACTION_LINE_DOWN, 1, KEYS);
    press(&b, "first line", ACTION_TOP, 1, 1);
    press(&b, "page down", ACTION_PAGE_DOWN, 1, KEYS);
    press(&b, "turn after", ACTION_TURN_NEXT, 1, KEYS);
    press(&b, "code block after", ACTION_CODE_NEXT, 1, KEYS);
    press(&b, "follow the end", ACTION_BOTTOM, 1, 1);
    look_for(&b, "xyzzy");
    look_for(&b, "ibv_modify");
    press(&b, "next match", ACTION_SEARCH_NEXT, 1, KEYS);
    finish(&b);
}

/* One answer as long as they get: a width that is new lays all of it out. */
static void
long_answer(void)
{
    struct bench b;
    double ms[KEYS];

    begin(&b);
    fill(&b, 1, LONG_TOKENS * TOKEN_BYTES);
    printf("one answer of %d tokens:\n", LONG_TOKENS);
    for (unsigned i = 0; i < 11; i++) {
        uint64_t start = clock_ns();

        draw(&b, 48, 80 + i);
        ms[i] = ms_since(start);
    }
    report("another width", ms, 11);
    press(&b, "page up", ACTION_PAGE_UP, 1, KEYS);
    finish(&b);
}

int
main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    text_width_start(true, 1);
    stream(24, 80);
    stream(48, 160);
    long_answer();
    keys(argc > 1 ? strtoul(argv[1], NULL, 10) : 200000);
    return 0;
}
