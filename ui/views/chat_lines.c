/* Figures and words, put together and fitted into a row. */
#include "config.h"

#include "ui/views/chat_lines.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    LEAST_TITLE = 12,
    LINE_BYTES = 400,
    SEGMENTS = 6,
    CONTEXT_BAR = 32,
    PHASE_BAR = 24,
    LEAST_BAR = 8,
    MOST_DAYS = 999,
    MOST_PERCENT = 9999,
};

/* -- lines of text --------------------------------------------------------- */

/* Text that is put together; what does not fit is cut off. */
struct line {
    char text[LINE_BYTES];
    size_t length;
};

static void PRINTF_LIKE(2, 3) put(struct line *line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int more = vsnprintf(line->text + line->length,
                         sizeof line->text - line->length, format, args);
    va_end(args);
    if (more > 0)
        line->length += (size_t) more;
    if (line->length >= sizeof line->text)
        line->length = strlen(line->text);
    line->length = utf8_complete_prefix(line->text, line->length);
    line->text[line->length] = '\0';
}

static unsigned
columns_of(const struct line *line)
{
    return (unsigned) text_columns(line->text, line->length);
}

/* Text from a column on, ending in ".." where it is longer than that. */
static unsigned
put_cut(struct canvas *canvas, unsigned row, unsigned column, unsigned limit,
        enum look look, const char *text)
{
    size_t used, length = strlen(text);

    if (text_columns(text, length) <= limit)
        return canvas_put(canvas, row, column, limit, look, text, length);
    if (limit < 3)
        return 0;
    length = text_fit(text, length, limit - 2, &used);
    canvas_put(canvas, row, column, limit, look, text, length);
    return (unsigned) used +
           canvas_print(canvas, row, column + (unsigned) used, 2, look, "..");
}

/* "812", "4.1k", "128k", "1M" */
static void
put_thousands(struct line *line, size_t number)
{
    static const char units[] = "kMG";
    double value = (double) number;
    int unit = -1;

    if (number < 1000) {
        put(line, "%zu", number);
        return;
    }
    while ((value >= 999.5 || unit < 0) && unit < 2) {
        value /= 1024;
        unit++;
    }
    if (value < 9.95 && number % 1024 != 0)
        put(line, "%.1f%c", value, units[unit]);
    else
        put(line, "%.0f%c", value, units[unit]);
}

static void
put_number(struct line *line, uint64_t number)
{
    char digits[24];
    size_t length;

    snprintf(digits, sizeof digits, "%" PRIu64, number);
    length = strlen(digits);
    for (size_t i = 0; i < length; i++)
        put(line, "%s%c", i > 0 && (length - i) % 3 == 0 ? "," : "", digits[i]);
}

static void
put_seconds(struct line *line, double seconds)
{
    if (seconds < 100)
        put(line, "%.0f s", seconds);
    else if (seconds < 6000)
        put(line, "%.0fm", seconds / 60);
    else if (seconds < 360000)
        put(line, "%.0fh", seconds / 3600);
    else if (seconds < 86400 * MOST_DAYS)
        put(line, "%.0f days", seconds / 86400);
    else
        put(line, "over %d days", MOST_DAYS);
}

static void
put_rate(struct line *line, double rate)
{
    put(line, rate < 99.95 ? "%.1f tok/s" : "%.0f tok/s", rate);
}

/* "6.9 GB/s" */
static void
put_byte_rate(struct line *line, double rate)
{
    if (rate >= 1e9)
        put(line, "%.1f GB/s", rate / 1e9);
    else
        put(line, "%.0f MB/s", rate / 1e6);
}

/* -- the top line ---------------------------------------------------------- */

static void
put_vault(struct line *line, const struct chat_view_state *state, bool large)
{
    put(line, "vault:%s", state->vault);
    if (large && state->lock_in_ms > 0) {
        put(line, " (lock in ");
        if (state->lock_in_ms < 60000)
            put(line, "%us)", (unsigned) (state->lock_in_ms / 1000));
        else
            put(line, "%um)", (unsigned) (state->lock_in_ms / 60000));
    }
}

/* `parts`: 2 with model and thinking, 1 with the model, 0 privacy alone. */
static void
compose_right(struct line *line, const struct chat_view_state *state,
              bool large, int parts)
{
    const char *gap = large ? "   " : "  ";

    *line = (struct line){0};
    if (parts > 0 && state->model[0]) {
        put(line, "%s", state->model);
        if (large && state->model_size[0])
            put(line, " %s", state->model_size);
        put(line, "%s", gap);
    }
    if (parts > 1 && state->think[0]) {
        put(line, "think:%s", state->think);
        if (large && state->think_budget > 0) {
            put(line, " budget ");
            put_thousands(line, state->think_budget);
        }
        put(line, "%s", gap);
    }
    put(line, "net:%s%s", state->network ? "ON" : "off", gap);
    put_vault(line, state, large);
}

static void
put_extent(struct line *line, const struct chat_view_state *state)
{
    if (state->turns == 0)
        return;
    put(line, "(%zu turn%s", state->turns, state->turns == 1 ? "" : "s");
    if (state->branches > 1)
        put(line, ", %zu branches", state->branches);
    put(line, "%s)", state->saved ? ", saved" : "");
}

void
chat_lines_top(const struct chat_view_state *state, struct canvas *canvas,
               struct area area, bool large)
{
    unsigned end = area.column + area.columns - 1, at = area.column + 1;
    unsigned title =
        (unsigned) text_columns(state->title, strlen(state->title));
    unsigned least = (unsigned) strlen(state->product) + 4 +
                     (title < LEAST_TITLE ? title : LEAST_TITLE);
    struct line right, extent = {0};
    int parts = 2;

    do
        compose_right(&right, state, large, parts);
    while (least + columns_of(&right) > area.columns - 1 && parts-- > 0);
    canvas_print_right(canvas, area.row, end, LOOK_DIM, "%s", right.text);
    unsigned limit = area.columns > columns_of(&right) + 3
                         ? end - columns_of(&right) - 2
                         : at;
    at += canvas_print(canvas, area.row, at, limit > at ? limit - at : 0,
                       LOOK_TITLE, "%s", state->product);
    if (at + 2 < limit && state->title[0])
        at += 2 + put_cut(canvas, area.row, at + 2, limit - at - 2, LOOK_STRONG,
                          state->title);
    put_extent(&extent, state);
    if (large && at + 2 + columns_of(&extent) < limit)
        canvas_print(canvas, area.row, at + 2, limit - at - 2, LOOK_DIM, "%s",
                     extent.text);
}

/* -- the lines below ------------------------------------------------------- */

void
chat_lines_queued(const struct chat_view_state *state, struct canvas *canvas,
                  struct area area)
{
    static const char keys[] = "Up edits, ^U drops";
    unsigned end = area.column + area.columns - 1, at = area.column + 1;
    unsigned limit = end - at;
    char more[40] = "";

    if (state->queued_more > 0)
        snprintf(more, sizeof more, " (and %zu more)", state->queued_more);
    if (area.columns > 50) {
        canvas_print_right(canvas, area.row, end, LOOK_DIM, "%s", keys);
        limit -= (unsigned) strlen(keys) + 2;
    }
    at += canvas_print(canvas, area.row, at, limit, LOOK_DIM, "queued: ");
    if (limit < 20 + strlen(more))
        return;
    limit -= 10 + (unsigned) strlen(more);
    at += canvas_print(canvas, area.row, at, 1, LOOK_PLAIN, "\"");
    at += put_cut(canvas, area.row, at, limit, LOOK_PLAIN, state->queued);
    at += canvas_print(canvas, area.row, at, 1, LOOK_PLAIN, "\"");
    canvas_print(canvas, area.row, at, end - at, LOOK_DIM, "%s", more);
}

/* A part of the status line; the highest rank is left out first. */
struct segment {
    struct line line;
    int rank;
};

struct status_line {
    struct segment segments[SEGMENTS];
    size_t count;
    struct line right, right_short;
};

static struct line *
add_segment(struct status_line *status, int rank)
{
    struct segment *segment = &status->segments[status->count++];

    *segment = (struct segment){.rank = rank};
    return &segment->line;
}

static void
compose_context(struct status_line *status, const struct chat_view_state *state,
                bool large)
{
    struct line *line;
    double share;

    if (state->context_tokens == 0)
        return;
    line = add_segment(status, 0);
    share =
        100.0 * (double) state->context_used / (double) state->context_tokens;
    unsigned percent =
        (unsigned) (share < MOST_PERCENT ? share + 0.5 : MOST_PERCENT);

    put(line, "ctx ");
    if (large)
        put(line, "%*s", CONTEXT_BAR + 1, ""); // the bar is drawn over it
    put_thousands(line, state->context_used);
    put(line, large ? " of " : "/");
    put_thousands(line, state->context_tokens);
    put(line, large ? " (%u%%)" : " %u%%", percent);
}

static void
compose_hits(struct line *line, const struct chat_view_state *state)
{
    put(line, "hit V%.0f R%.0f N%.0f", 100 * state->hit_vram,
        100 * state->hit_ram, 100 * state->hit_disk);
}

static void
compose_rates(struct status_line *status, const struct chat_view_state *state,
              bool large)
{
    struct line *line;

    if (state->answer_rate > 0) {
        line = add_segment(status, 1);
        put(line, "%s", large ? "answer " : "");
        put_rate(line, state->answer_rate);
    }
    if (large && state->prompt_rate > 0) {
        line = add_segment(status, 4);
        put(line, "prefill ");
        put_rate(line, state->prompt_rate);
    }
}

static void
compose_tiers(struct status_line *status, const struct chat_view_state *state,
              bool large)
{
    bool vram = large && state->vram_limit_bytes > 0;
    struct line *line;

    if (vram || state->has_hits) {
        line = add_segment(status, 3);
        if (vram)
            put(line, "VRAM %.0f/%.0fG%s", (double) state->vram_bytes / 1e9,
                (double) state->vram_limit_bytes / 1e9,
                state->has_hits ? "  " : "");
        if (state->has_hits)
            compose_hits(line, state);
    }
    if (large && state->disk_rate > 0) {
        line = add_segment(status, 5);
        put(line, "NVMe ");
        put_byte_rate(line, (double) state->disk_rate);
    }
}

static void
compose_status(struct status_line *status, const struct chat_view_state *state,
               bool large)
{
    compose_context(status, state, large);
    compose_rates(status, state, large);
    compose_tiers(status, state, large);
    if (state->branches_here > 1 && !large)
        put(add_segment(status, 2), "branch %zu/%zu", state->branch,
            state->branches_here);
}

static void
compose_keys(struct status_line *status, const struct chat_view_state *state)
{
    if (state->phase == CHAT_IDLE)
        return;
    put(&status->right_short, "^C %s",
        state->phase == CHAT_LOADING ? "cancel" : "stop");
    status->right = status->right_short;
    if (state->can_answer_now)
        put(&status->right, "  ^Xa answer now");
}

static unsigned
status_columns(const struct status_line *status, const struct line *right)
{
    unsigned columns = 2 + (right->length > 0 ? 2 + columns_of(right) : 0);

    for (size_t i = 0; i < status->count; i++)
        columns += columns_of(&status->segments[i].line) + (i > 0 ? 3 : 0);
    return columns;
}

/* Leaves out the least important part. */
static void
drop_segment(struct status_line *status)
{
    size_t drop = 0;

    for (size_t i = 1; i < status->count; i++)
        if (status->segments[i].rank > status->segments[drop].rank)
            drop = i;
    status->count--;
    for (size_t i = drop; i < status->count; i++)
        status->segments[i] = status->segments[i + 1];
}

static void
fit_status(struct status_line *status, unsigned columns)
{
    while (status_columns(status, &status->right) > columns) {
        bool shortens = status->count <= 2 &&
                        status->right.length > status->right_short.length;

        if (shortens)
            status->right = status->right_short;
        else if (status->count > 0)
            drop_segment(status);
        else
            break;
    }
}

static void
draw_status(const struct chat_view_state *state, struct canvas *canvas,
            struct area area, bool large)
{
    struct status_line status = {0};
    unsigned at = area.column + 1, end = area.column + area.columns;

    compose_status(&status, state, large);
    compose_keys(&status, state);
    fit_status(&status, area.columns);
    canvas_print_right(canvas, area.row, end - 1, LOOK_DIM, "%s",
                       status.right.text);
    for (size_t i = 0; i < status.count; i++) {
        if (i > 0)
            at += canvas_print(canvas, area.row, at, end - at, LOOK_DIM, " | ");
        at += canvas_print(canvas, area.row, at, end - at, LOOK_DIM, "%s",
                           status.segments[i].line.text);
    }
    if (large && status.count > 0 && state->context_tokens > 0)
        canvas_progress(canvas, area.row, area.column + 5, CONTEXT_BAR,
                        (double) state->context_used /
                            (double) state->context_tokens);
}

/* "2,048/4,096", "20.8/33.5 GB" */
static void
put_amount(struct line *line, const struct chat_view_state *state)
{
    put(line, " ");
    if (state->phase == CHAT_LOADING) {
        put(line, "%.1f/%.1f GB", (double) state->phase_done / 1e9,
            (double) state->phase_all / 1e9);
        return;
    }
    put_number(line, state->phase_done);
    put(line, "/");
    put_number(line, state->phase_all);
}

/* "reading the prompt 2,048/4,096  412 tok/s  eta 5 s" */
static void
compose_phase(struct line *line, const struct chat_view_state *state, bool rate)
{
    *line = (struct line){0};
    put(line, "%s", state->phase_text);
    if (state->phase_all > 0)
        put_amount(line, state);
    if (rate && state->phase_rate > 0) {
        put(line, "  ");
        if (state->phase == CHAT_LOADING)
            put_byte_rate(line, state->phase_rate);
        else
            put(line, "%.0f tok/s", state->phase_rate);
    }
    if (state->phase_eta_s >= 0) {
        put(line, "  eta ");
        put_seconds(line, state->phase_eta_s);
    }
}

static void
draw_phase(const struct chat_view_state *state, struct canvas *canvas,
           struct area area)
{
    struct status_line keys = {0};
    struct line line;
    unsigned at = area.column + 1, end = area.column + area.columns - 1;

    compose_keys(&keys, state);
    canvas_print_right(canvas, area.row, end, LOOK_DIM, "%s", keys.right.text);
    if (end > columns_of(&keys.right) + 2)
        end -= columns_of(&keys.right) + 2;
    unsigned room = end > at ? end - at : 0;

    compose_phase(&line, state, true);
    if (columns_of(&line) > room)
        compose_phase(&line, state, false);
    at += put_cut(canvas, area.row, at, room, LOOK_DIM, line.text) + 2;
    room = end > at ? end - at : 0;
    if (state->phase_all > 0 && room >= LEAST_BAR)
        canvas_progress(canvas, area.row, at,
                        room < PHASE_BAR ? room : PHASE_BAR,
                        (double) state->phase_done / (double) state->phase_all);
}

void
chat_lines_status(const struct chat_view_state *state, struct canvas *canvas,
                  struct area area, bool large)
{
    if (state->phase == CHAT_LOADING || state->phase == CHAT_READING)
        draw_phase(state, canvas, area);
    else
        draw_status(state, canvas, area, large);
}

void
chat_lines_sentence(struct canvas *canvas, struct area area, enum look look,
                    const char *text)
{
    if (area.columns > 2)
        put_cut(canvas, area.row, area.column + 1, area.columns - 2, look,
                text);
}
