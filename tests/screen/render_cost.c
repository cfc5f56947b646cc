/*
 * Draws an answer as it streams, for render_cost.sh to count instructions:
 *
 *     render_cost FRAMES TURNS
 *
 * frames of four tokens each, behind a chat of so many turns. Exit status 77
 * says that this build's instructions tell nothing.
 */
#include "config.h"

#include "ui/ui.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __OPTIMIZE__
static const bool optimised = true;
#else
static const bool optimised = false;
#endif

enum { ROWS = 24, COLUMNS = 80, FRAME_BYTES = 20 };

static struct error err;

static void
need(enum status status)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "render_cost: %s\n", err.text);
    exit(1);
}

static const char text[] =
    "A paragraph with **strong** words and `code` in it that is long enough "
    "to take three lines of a screen of eighty columns, so that it wraps as "
    "paragraphs do, again and again.\n\n"
    "- one item\n- another item, which is longer\n\n"
    "```c\nif (a > b)\n    return a;\n```\n\n"
    "| a | b |\n|---|---|\n| left | right |\n\n";

static void
put(struct transcript *transcript, size_t item, size_t *at, size_t bytes)
{
    while (bytes > 0) {
        size_t left = sizeof text - 1 - *at;
        size_t n = bytes < left ? bytes : left;

        need(transcript_append(transcript, item, TRANSCRIPT_TEXT, text + *at, n,
                               &err));
        *at = (*at + n) % (sizeof text - 1);
        bytes -= n;
    }
}

static void
fill(struct transcript *transcript, unsigned long turns)
{
    for (unsigned long i = 0; i < turns; i++) {
        size_t item, at = 0;

        need(transcript_put(NULL, transcript, TRANSCRIPT_QUESTION, NULL, "why?",
                            4, &err));
        need(transcript_add(&item, transcript, TRANSCRIPT_ANSWER, NULL, &err));
        put(transcript, item, &at, 2 * (sizeof text - 1));
        need(transcript_finish(transcript, item, &err));
    }
}

static void
stream(struct transcript *transcript, struct view *view, unsigned long frames)
{
    struct canvas canvas = {0};
    size_t item, at = 0;

    need(canvas_resize(&canvas, ROWS, COLUMNS, &err));
    need(transcript_add(&item, transcript, TRANSCRIPT_ANSWER, NULL, &err));
    for (unsigned long i = 0; i < frames; i++) {
        put(transcript, item, &at, FRAME_BYTES);
        view->ops->draw(view->state, &canvas,
                        (struct area){0, 0, ROWS - 4, COLUMNS}, 0);
    }
    canvas_release(&canvas);
}

int
main(int argc, char **argv)
{
    static const struct chat_view_calls calls = {0};
    static const struct chat_view_state state = {.product = "fathom",
                                                 .title = "cost",
                                                 .model = "model",
                                                 .model_size = "",
                                                 .think = "on",
                                                 .vault = "open",
                                                 .queued = "",
                                                 .notice = "",
                                                 .phase_text = "",
                                                 .phase = CHAT_ANSWERING};
    struct transcript *transcript;
    struct view_chat *chat;

    if (!optimised)
        return 77;
    if (argc != 3)
        return 99;
    text_width_start(false, 1);
    need(transcript_open(&transcript, &err));
    need(view_chat_open(&chat, transcript, &state, &calls, &err));
    struct view view = view_chat(chat);

    fill(transcript, strtoul(argv[2], NULL, 10));
    stream(transcript, &view, strtoul(argv[1], NULL, 10));
    view_chat_close(chat);
    transcript_close(transcript);
    return 0;
}
