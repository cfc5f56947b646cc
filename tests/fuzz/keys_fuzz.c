/*
 * Any bytes as keys of the input box, in all maps: no crash, nothing written
 * to the terminal, a line that is valid and not endless, a cursor inside of
 * what is drawn.
 * The first byte says which map and mode, and how many keys come at once.
 */
#include "config.h"

#include "ui/ui.h"

#include <stdio.h>

#include <readline/readline.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* What readline loses of its own (searches, undo of vi) is not ours to mend. */
__attribute__((visibility("default"))) const char *
__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
    return "leak:libreadline\n";
}

static uint64_t now_ns;
static struct canvas canvas;

static void
demand(bool holds)
{
    if (!holds)
        abort();
}

/* As a program would: focus goes from map to map, questions are asked. */
static void
act(void *context, enum action action, int count)
{
    (void) context;
    (void) count;
    demand(action > ACTION_NONE && action < ACTIONS);
    if (action == ACTION_FOCUS || action == ACTION_BACK)
        line_editor_use(line_editor_map() == MAP_INPUT ? MAP_TRANSCRIPT
                                                       : MAP_INPUT);
    if (action == ACTION_EXPERTS)
        line_editor_use(MAP_EXPERTS);
    if (action == ACTION_HISTORY)
        line_editor_use(MAP_LIST);
    if (action == ACTION_STATS) {
        line_editor_hide();
        line_editor_show("Sure? ");
    }
    if (action == ACTION_LOCK) {
        line_editor_hide();
        line_editor_resume();
    }
    if (action == ACTION_EDIT)
        line_editor_replace("out of\nthe editor");
}

static void
attach(void *context, const char *bytes, size_t length)
{
    (void) context;
    demand(length > LINE_PASTE_BYTES && strlen(bytes) == length);
}

static void
mouse(void *context, unsigned row, unsigned column, int wheel)
{
    (void) context;
    demand(row < 100000 && column < 100000 && wheel >= -1 && wheel <= 1);
}

static void
offer(void *context, char **words, size_t count)
{
    (void) context;
    for (size_t i = 0; i < count; i++)
        demand(strlen(words[i]) > 0);
}

static void
complete(void *context, const char *line, size_t start,
         struct line_candidates *out)
{
    (void) context;
    demand(start <= strlen(line));
    line_candidates_add(out, "/help");
    line_candidates_add(out, "/history");
}

static void
start_once(void)
{
    static const struct line_box_calls calls = {
        .act = act, .attach = attach, .mouse = mouse, .offer = offer};
    struct error err;

    if (canvas.rows > 0)
        return;
    setlocale(LC_ALL, "C.UTF-8");
    setenv("TERM", "xterm", 1);
    setenv("INPUTRC", "/dev/null", 1);
    demand(canvas_resize(&canvas, 4, 20, &err) == STATUS_OK);
    line_editor_open_box(complete, &calls);
    line_editor_remember("first line of the history");
    line_editor_remember("second\nline");
}

static void
check_box(void)
{
    struct line_box box = line_editor_box();
    unsigned rows = input_box_rows(&box, 20, 4);

    demand(box.cursor <= box.length && rows >= 1 && rows <= 4);
    // pastes come on top, and are as long as an input at the most
    demand(box.length <= 2 * LINE_MOST_BYTES);
    demand(box.prompt != NULL && box.mode != NULL);
    input_box_draw(&box, &canvas, (struct area){0, 0, rows, 20});
    demand(canvas.cursor && canvas.cursor_row < rows);
}

static void
check_result(enum line_result result)
{
    if (result == LINE_MORE)
        return;
    if (result == LINE_DONE)
        demand(utf8_valid(line_editor_line(), strlen(line_editor_line())));
    line_editor_resume();
    if (!line_editor_visible())
        line_editor_show("> ");
}

static void
type(const uint8_t *bytes, size_t length)
{
    check_result(line_editor_keys((const char *) bytes, length, ++now_ns));
    check_box();
    // a line that has ended leaves the rest for the next
    for (size_t i = 0; i < length && line_editor_deadline() == 0; i++)
        check_result(line_editor_tick(++now_ns));
}

static void
type_all(const uint8_t *bytes, size_t length, size_t step)
{
    for (size_t i = 0; i < length; i += step) {
        type(bytes + i, length - i < step ? length - i : step);
        // every other key waits as long as it may
        if (i % 2 == 0 && line_editor_deadline() < UINT64_MAX) {
            now_ns = line_editor_deadline() + 1;
            check_result(line_editor_tick(now_ns));
            check_box();
        }
    }
}

static void
begin_in(const char *mode)
{
    rl_variable_bind("editing-mode", mode);
    line_editor_use(MAP_INPUT);
    line_editor_show("> ");
}

/* What the last input has killed, of which ten are kept, and typed in vi. */
static void
forget_last_input(void)
{
    begin_in("emacs");
    for (int i = 0; i < 10; i++)
        (void) !line_editor_keys("x\025", 2, ++now_ns);
    (void) line_editor_interrupt();
    begin_in("vi");
    (void) !line_editor_keys("x\033", 2, ++now_ns);
    now_ns = line_editor_deadline();
    (void) !line_editor_tick(now_ns);
    (void) line_editor_interrupt();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    int out = dup(STDOUT_FILENO), written = memfd_create("written", 0);

    if (length > 0) {
        start_once();
        forget_last_input();
        begin_in(bytes[0] & 4 ? "vi" : "emacs");
        line_editor_use((enum action_map)(bytes[0] % ACTION_MAPS));
        fflush(stdout);
        dup2(written, STDOUT_FILENO);
        type_all(bytes + 1, length - 1, 1 + (bytes[0] >> 3));
        fflush(stdout);
        dup2(out, STDOUT_FILENO);
        demand(lseek(written, 0, SEEK_END) == 0);
        (void) line_editor_interrupt();
        demand(!line_editor_visible());
    }
    close(written);
    close(out);
    return 0;
}
