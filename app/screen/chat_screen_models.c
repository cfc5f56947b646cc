/*
 * The model picker. Names, sizes and speeds are known at once; manifests are
 * looked at one by one while no key waits. What is in a model's file only an
 * engine can tell: "fathom model info" is run for it when it is asked for, and
 * "fathom model verify" for a check, beside the screen.
 */
#include "config.h"

#include "app/screen/chat_screen.h"
#include "app/screen/model_pane.h"
#include "app/screen/side_run.h"
#include "app/progress_text.h"
#include "app/settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    POLL_MS = 20, // a key waits no longer
    DAY_S = 24 * 60 * 60,
};

static struct {
    struct chat *chat;
    struct view_models view;
    struct found_model *models;
    size_t count, capacity;
    size_t looked; // rows before this one were looked at
    struct model_speeds speeds;
    struct side_run info, verify;
    struct buffer text; // of info, sanitised
    size_t text_of;     // bytes of the output that are in it
    char news[FOUND_TEXT_BYTES], verified[FOUND_NAME_BYTES], room[60];
    char preset_text[FOUND_TEXT_BYTES];
    struct model_preset preset;
    bool marked;
    char defaulted[PLACE_BYTES]; // the name by which rows were marked
    char used[PLACE_BYTES];      // the path by which one was
} screen_models;

/* -- the list ---------------------------------------------------------------
 */

static void
count_model(void *context, const char *name)
{
    (void) name;
    ++*(size_t *) context;
}

static void
fill_used(char out[MODEL_CELL], uint64_t used_s)
{
    time_t used = (time_t) used_s, now = time(NULL);
    struct tm then, today;

    if (used_s == 0 || localtime_r(&used, &then) == NULL ||
        localtime_r(&now, &today) == NULL)
        snprintf(out, MODEL_CELL, "never");
    else if (then.tm_yday == today.tm_yday && then.tm_year == today.tm_year)
        snprintf(out, MODEL_CELL, "today");
    else if (now - used < 300 * (time_t) DAY_S)
        strftime(out, MODEL_CELL, "%d %b", &then);
    else
        strftime(out, MODEL_CELL, "%Y", &then);
}

static const struct model_speed *
speed_of(const struct found_model *model)
{
    const char *slash = strrchr(model->path, '/');

    return model_speeds_find(&screen_models.speeds,
                             slash ? slash + 1 : model->path, model->bytes);
}

/* "1M", "128k" */
static void
put_context(char out[MODEL_CELL], uint64_t tokens)
{
    static const char *const units[] = {"", "k", "M", "G"};
    size_t unit = 0;

    for (; tokens >= 1024 && unit < 3; unit++)
        tokens /= 1024;
    snprintf(out, MODEL_CELL, "%llu%s", (unsigned long long) tokens,
             units[unit]);
}

static void
fill_speed(struct found_model *model)
{
    const struct model_speed *speed = speed_of(model);

    snprintf(model->row.context, MODEL_CELL, "-");
    fill_used(model->row.used, speed ? speed->used_s : 0);
    if (speed == NULL)
        return;
    if (speed->decode_tps > 0)
        snprintf(model->row.speed, MODEL_CELL, "%.*f",
                 speed->decode_tps < 10 ? 1 : 0, speed->decode_tps);
    if (speed->context > 0)
        put_context(model->row.context, speed->context);
}

/* Of the model in use more is known than what was measured before. */
static void
fill_in_use(struct found_model *model)
{
    const json_t *description = chat_gauges_description();
    json_int_t tokens =
        json_integer_value(json_object_get(description, "context"));

    snprintf(model->row.used, MODEL_CELL, "today");
    if (tokens > 0)
        put_context(model->row.context, (uint64_t) tokens);
}

/* Bytes of a file, with those of its other shards: NAME-00001-of-00046.gguf */
static uint64_t
all_bytes(const char *path, uint64_t first)
{
    const char *mark = strstr(path, "-00001-of-");
    unsigned shards;
    uint64_t sum = first;

    if (mark == NULL || sscanf(mark, "-00001-of-%5u", &shards) != 1 ||
        shards > 1000)
        return first;
    for (unsigned i = 2; i <= shards; i++) {
        char other[PLACE_BYTES + 16];
        struct stat status;

        snprintf(other, sizeof other, "%.*s-%05u%s", (int) (mark - path), path,
                 i, mark + 6);
        if (stat(other, &status) == 0)
            sum += (uint64_t) status.st_size;
    }
    return sum;
}

/* The chat may have been given another way to it. */
static bool
is_same_file(const char *one, const char *other)
{
    struct stat a, b;

    return strcmp(one, other) == 0 ||
           (stat(one, &a) == 0 && stat(other, &b) == 0 &&
            a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

/* "81 GB", "9.8 GB": as wide as its column. */
static void
put_size(char out[MODEL_CELL], double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    size_t unit = text_thousands(&bytes, sizeof units / sizeof units[0] - 1);

    snprintf(out, MODEL_CELL, "%.*f %s", unit > 0 && bytes < 9.95 ? 1 : 0,
             bytes, units[unit]);
}

static void
add_model(void *context, const char *name)
{
    struct stat status;
    struct error err;

    (void) context;
    if (screen_models.count == screen_models.capacity ||
        strlen(name) >= FOUND_NAME_BYTES)
        return;
    struct found_model *model = &screen_models.models[screen_models.count];

    memset(model, 0, sizeof *model);
    text_copy(model->name, sizeof model->name, name);
    text_quote(model->shown, sizeof model->shown, name, strlen(name));
    model->row.name = model->name;
    if (places_model(model->path, name, &err) != STATUS_OK ||
        stat(model->path, &status) != 0)
        return;
    model->bytes = (uint64_t) status.st_size;
    model->all_bytes = all_bytes(model->path, model->bytes);
    put_size(model->row.size, (double) model->all_bytes);
    snprintf(model->row.fits, MODEL_CELL, "%s",
             model->all_bytes <= memory_available_bytes() ? "RAM" : "not now");
    model->row.in_use = is_same_file(model->path, screen_models.chat->path);
    if (model->row.in_use)
        screen_models.view.chosen = screen_models.count;
    fill_speed(model);
    screen_models.count++;
}

/* Which one is used where none is named, when settings have changed. */
static void
mark_default(void)
{
    const char *name = settings_model();
    char path[PLACE_BYTES];
    struct error err;

    if (screen_models.marked &&
        strcmp(screen_models.defaulted, name ? name : "") == 0)
        return;
    snprintf(screen_models.defaulted, sizeof screen_models.defaulted, "%s",
             name ? name : "");
    screen_models.marked = true;
    bool found = places_model(path, NULL, &err) == STATUS_OK;

    for (size_t i = 0; i < screen_models.count; i++)
        screen_models.models[i].row.is_default =
            found && is_same_file(screen_models.models[i].path, path);
}

/* Commands change what is in use, and what is the default. */
static void
mark_rows(void)
{
    const char *path = screen_models.chat->path;

    mark_default();
    if (strcmp(screen_models.used, path) == 0)
        return;
    for (size_t i = 0; i < screen_models.count; i++)
        screen_models.models[i].row.in_use =
            is_same_file(screen_models.models[i].path, path);
    text_copy(screen_models.used, sizeof screen_models.used, path);
}

static size_t
lend_count(void *context)
{
    (void) context;
    mark_rows();
    return screen_models.count;
}

static const struct model_row *
lend_row(void *context, size_t i)
{
    struct found_model *model = &screen_models.models[i];

    (void) context;
    if (model->row.in_use)
        fill_in_use(model);
    return &model->row;
}

static const char *
lend_room(void *context)
{
    char bytes[BYTES_TEXT];

    (void) context;
    snprintf(screen_models.room, sizeof screen_models.room, "free: RAM %s",
             progress_bytes(bytes, (double) memory_available_bytes()));
    return screen_models.room;
}

static const char *
lend_places(void *context)
{
    (void) context;
    return settings_model_path() ? "the model path and the usual places"
                                 : "the usual places";
}

/* -- what is known of one ----------------------------------------------------
 */

static const struct model_detail *
lend_detail(void *context, size_t i)
{
    const struct found_model *model = &screen_models.models[i];

    (void) context;
    return model_pane_detail(model, speed_of(model),
                             model->row.in_use ? chat_gauges_description()
                                               : NULL);
}

/* -- presets -----------------------------------------------------------------
 */

static size_t
lend_preset_count(void *context)
{
    (void) context;
    return settings_now()->preset_count;
}

/* Appends "temp 0.3" to what a preset says. */
static void
add_setting(const struct preset *preset, const struct ini_row *row)
{
    char value[INI_TEXT_BYTES], *out = screen_models.preset_text;
    size_t used = strlen(out);
    bool is_text = row->kind == INI_TEXT;

    if (strcmp(row->section, "preset.") != 0 || !ini_value(value, preset, row))
        return;
    snprintf(out + used, sizeof screen_models.preset_text - used, "%s%s ",
             used > 0 ? "  " : "", is_text ? "system:" : row->name);
    used = strlen(out);
    text_quote(out + used, sizeof screen_models.preset_text - used, value,
               strlen(value));
}

/* Numbers first, then the text or its file, which may be long. */
static const struct model_preset *
lend_preset(void *context, size_t i)
{
    const struct preset *preset = &settings_now()->presets[i];

    (void) context;
    screen_models.preset_text[0] = '\0';
    for (int texts = 0; texts < 2; texts++)
        for (size_t r = 0; r < settings_table.rows; r++)
            if ((settings_table.row[r].kind == INI_TEXT) == texts)
                add_setting(preset, &settings_table.row[r]);
    screen_models.preset = (struct model_preset){
        preset->name, screen_models.preset_text,
        strcmp(screen_models.chat->preset, preset->name) == 0};
    return &screen_models.preset;
}

/* -- beside the screen --------------------------------------------------------
 */

static void
run_beside(struct side_run *run, const char *verb, const char *name)
{
    const char *arguments[] = {"model", verb, "--", name, NULL};
    struct error err;

    if (side_run_start(run, arguments, &err) != STATUS_OK)
        snprintf(screen_models.news, sizeof screen_models.news, "%.290s",
                 err.text);
}

static void
look_into(void *context, size_t i)
{
    (void) context;
    buffer_clear(&screen_models.text);
    screen_models.text_of = 0;
    run_beside(&screen_models.info, "info", screen_models.models[i].name);
}

static void
verify_model(void *context, size_t i)
{
    const struct found_model *model = &screen_models.models[i];

    (void) context;
    text_copy(screen_models.verified, sizeof screen_models.verified,
              model->shown);
    snprintf(screen_models.news, sizeof screen_models.news,
             "%.200s: every byte of it is being read", model->shown);
    run_beside(&screen_models.verify, "verify", model->name);
}

/* A line of another process, fit to be shown. */
static size_t
append_line(struct buffer *out, const char *line, size_t length)
{
    char shown[FOUND_TEXT_BYTES];
    struct error err;

    text_quote(shown, sizeof shown, line, length);
    if (buffer_append(out, shown, strlen(shown), &err) != STATUS_OK ||
        buffer_append(out, "\n", 1, &err) != STATUS_OK)
        log_warn("a line is not shown: status %d", (int) err.status);
    return length + 1;
}

/* Whole lines only, until there are no more. */
static void
take_info(void)
{
    const struct buffer *output = &screen_models.info.output;

    while (screen_models.text_of < output->length) {
        const char *line = output->data + screen_models.text_of;
        size_t left = output->length - screen_models.text_of;
        const char *end = memchr(line, '\n', left);

        if (end == NULL && !screen_models.info.ended)
            return;
        screen_models.text_of += append_line(
            &screen_models.text, line, end ? (size_t) (end - line) : left);
    }
}

static const char *
lend_info(void *context, bool *ended)
{
    (void) context;
    take_info();
    *ended = screen_models.info.process == 0;
    return screen_models.text.data;
}

/* What it said last, or that it ended well. */
static void
take_verified(void)
{
    static const char speaker[] = "fathom model verify: ";
    const struct buffer *output = &screen_models.verify.output;
    size_t end = output->length, start;

    while (end > 0 &&
           (output->data[end - 1] == '\n' || output->data[end - 1] == '\r'))
        end--;
    for (start = end; start > 0 && output->data[start - 1] != '\n' &&
                      output->data[start - 1] != '\r';)
        start--;
    // whose words they are is plain here
    if (end - start > sizeof speaker - 1 &&
        memcmp(output->data + start, speaker, sizeof speaker - 1) == 0)
        start += sizeof speaker - 1;
    if (end > start)
        text_quote(screen_models.news, sizeof screen_models.news,
                   output->data + start, end - start);
    else
        snprintf(screen_models.news, sizeof screen_models.news,
                 "%.200s: verify ended with %d", screen_models.verified,
                 screen_models.verify.code);
    screen_models.verify.ended = false; // it is told
    screen_models.looked = 0;           // there may be a receipt now
}

static const char *
lend_news(void *context)
{
    (void) context;
    return screen_models.news[0] ? screen_models.news : NULL;
}

static bool
work(void *context)
{
    (void) context;
    if (screen_models.looked < screen_models.count) {
        model_pane_look(&screen_models.models[screen_models.looked++]);
        return true;
    }
    bool more = screen_models.verify.process != 0 &&
                side_run_take(&screen_models.verify, POLL_MS);

    if (screen_models.verify.ended) {
        take_verified();
        return true;
    }
    if (screen_models.info.process != 0)
        more = side_run_take(&screen_models.info, POLL_MS) || more;
    return more;
}

/* -- the view
 * ------------------------------------------------------------------ */

static enum status
find_models(struct error *err)
{
    size_t count = 0;
    void *memory;

    places_each_model(count_model, &count);
    TRY(memory_alloc(&memory, (count + 1) * sizeof *screen_models.models, err));
    screen_models.models = memory;
    screen_models.capacity = count;
    places_each_model(add_model, NULL);
    return STATUS_OK;
}

enum status
chat_screen_models_open(struct chat *chat, view_post_fn *post, void *context,
                        struct view *out, struct error *err)
{
    static const struct models_source source = {
        NULL,        lend_count,        lend_row,     lend_detail, lend_room,
        lend_places, look_into,         verify_model, lend_info,   lend_news,
        work,        lend_preset_count, lend_preset};
    struct error no_speeds;

    screen_models.chat = chat;
    chat_gauges_keep(chat);
    chat_gauges_describe(chat);
    if (model_speeds_read(&screen_models.speeds, &no_speeds) != STATUS_OK)
        log_note("no speeds are known: %s", no_speeds.text);
    view_models_start(&screen_models.view, &source, post, context, out);
    return find_models(err);
}

void
chat_screen_models_close(struct view *view)
{
    side_run_stop(&screen_models.info);
    side_run_stop(&screen_models.verify);
    buffer_release(&screen_models.text);
    free(screen_models.models);
    memset(&screen_models, 0, sizeof screen_models);
    *view = (struct view){0};
}
