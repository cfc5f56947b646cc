/*
 * The model picker. Names, sizes and speeds are known at once; manifests are
 * looked at one by one while no key waits. What is in a model's file only an
 * engine can tell: "fathom model info" is run for it when it is asked for, and
 * "fathom model verify" for a check, beside the screen.
 */
#include "config.h"

#include "app/screen/chat_screen.h"
#include "app/screen/side_run.h"
#include "app/model/model_check.h"
#include "app/model/model_speed.h"
#include "app/model/model_store.h"
#include "app/progress_text.h"
#include "app/settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    NAME_BYTES = 256,
    TEXT_BYTES = 300,
    LINES = 8,
    POLL_MS = 20, // a key waits no longer
    DAY_S = 24 * 60 * 60,
};

/* A model that was found. */
struct found_model {
    struct model_row row;
    char name[NAME_BYTES], shown[NAME_BYTES];
    char path[PLACE_BYTES];
    uint64_t bytes;
    bool looked; // at its manifest
    char manifest[TEXT_BYTES], signer[TEXT_BYTES], remark[TEXT_BYTES];
    bool receipt;
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
    char news[TEXT_BYTES], verified[NAME_BYTES], room[60];
    struct model_line lines[LINES];
    char values[LINES][TEXT_BYTES];
    struct model_detail detail;
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
    if (speed->context >= 1024)
        snprintf(model->row.context, MODEL_CELL, "%lluk",
                 (unsigned long long) speed->context / 1024);
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

static void
add_model(void *context, const char *name)
{
    struct stat status;
    struct error err;
    char bytes[BYTES_TEXT];

    (void) context;
    if (screen_models.count == screen_models.capacity ||
        strlen(name) >= NAME_BYTES)
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
    uint64_t all = all_bytes(model->path, model->bytes);

    snprintf(model->row.size, MODEL_CELL, "%.16s",
             progress_bytes(bytes, (double) all));
    snprintf(model->row.fits, MODEL_CELL, "%s",
             all <= memory_available_bytes() ? "RAM" : "not now");
    model->row.in_use = strcmp(model->path, screen_models.chat->path) == 0;
    if (model->row.in_use)
        screen_models.view.chosen = screen_models.count;
    fill_speed(model);
    screen_models.count++;
}

static size_t
lend_count(void *context)
{
    (void) context;
    return screen_models.count;
}

static const struct model_row *
lend_row(void *context, size_t i)
{
    (void) context;
    return &screen_models.models[i].row;
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

/* -- manifests ---------------------------------------------------------------
 */

static void
take_check(struct found_model *model, const struct model_check *check)
{
    const struct manifest *manifest = &check->manifest;
    char hash[13] = "";

    for (size_t i = 0; i < 6; i++)
        snprintf(hash + 2 * i, 3, "%02x", check->hash[i]);
    snprintf(
        model->manifest, sizeof model->manifest, "%s, %zu file%s, licence %s",
        hash, manifest->files, manifest->files == 1 ? "" : "s",
        manifest->head[MANIFEST_LICENCE][0] ? manifest->head[MANIFEST_LICENCE]
                                            : "not given");
    if (check->signers > 0)
        model_signer_text(model->signer, sizeof model->signer,
                          &check->signer[0]);
    model->receipt = model_check_has_receipt(check);
    model->row.sign = check->signers > 0 ? MODEL_SIGNED : MODEL_UNSIGNED;
}

static bool
has_manifest(const char *folder)
{
    char path[PLACE_BYTES + 16];
    struct stat status;

    snprintf(path, sizeof path, "%s/%s", folder, MANIFEST_NAME);
    return stat(path, &status) == 0;
}

/* Signatures and sizes; contents are only for verify. */
static void
look_at(struct found_model *model)
{
    char folder[PLACE_BYTES];
    struct model_check check = {0};
    struct error err;
    enum verify_mode mode = settings_verify();

    model->looked = true;
    model->row.sign = MODEL_UNSIGNED;
    if (model_store_folder(folder, model->name, &err) != STATUS_OK)
        return;
    if (has_manifest(folder)) {
        if (model_check_open(&check, folder, VERIFY_RECEIPTS, NULL, &err) ==
            STATUS_OK) {
            take_check(model, &check);
        } else {
            model->row.sign = MODEL_BAD;
            snprintf(model->remark, sizeof model->remark, "refused: %.280s",
                     err.text);
        }
        model_check_release(&check);
    }
    if (model->row.sign == MODEL_UNSIGNED && mode >= VERIFY_SIGNED)
        snprintf(model->remark, sizeof model->remark,
                 "refused: nobody who is trusted signed it (model.verify = %s)",
                 settings_verify_word(mode));
}

/* -- what is known of one ----------------------------------------------------
 */

static void add_line(const char *label, const char *format, ...)
    PRINTF_LIKE(2, 3);

static void
add_line(const char *label, const char *format, ...)
{
    size_t i = screen_models.detail.count;
    va_list args;

    if (i == LINES)
        return;
    va_start(args, format);
    vsnprintf(screen_models.values[i], TEXT_BYTES, format, args);
    va_end(args);
    screen_models.lines[i] =
        (struct model_line){label, screen_models.values[i]};
    screen_models.detail.count++;
}

static const struct model_detail *
lend_detail(void *context, size_t i)
{
    struct found_model *model = &screen_models.models[i];
    const struct model_speed *speed = speed_of(model);
    char shown[TEXT_BYTES];

    (void) context;
    screen_models.detail = (struct model_detail){
        screen_models.lines, 0, model->remark[0] ? model->remark : NULL};
    add_line("file", "%s",
             text_quote(shown, sizeof shown, model->path, strlen(model->path)));
    if (model->manifest[0] != '\0') {
        add_line("manifest", "%s", model->manifest);
        add_line("signed by", "%s",
                 model->signer[0] ? model->signer : "nobody who is trusted");
        add_line("receipt", "%s",
                 model->receipt ? "files are as when they were last read in "
                                  "full"
                                : "none: it is read in full before it is "
                                  "loaded, where that is asked for");
    } else if (model->looked && model->row.sign == MODEL_UNSIGNED) {
        add_line("manifest", "none: nobody vouches for this file");
    }
    if (speed == NULL || speed->runs == 0)
        add_line("measured", "nothing yet on this machine");
    else
        add_line("measured",
                 "prompt %.0f tok/s, answer %.1f tok/s, in %llu answer%s",
                 speed->prompt_tps, speed->decode_tps,
                 (unsigned long long) speed->runs, speed->runs == 1 ? "" : "s");
    if (speed != NULL && speed->load_ms > 0)
        add_line("load", "%.2f s, the last time that it was read",
                 speed->load_ms / 1e3);
    return &screen_models.detail;
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
    char shown[TEXT_BYTES];
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
        look_at(&screen_models.models[screen_models.looked++]);
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
        NULL,      lend_count,   lend_row,  lend_detail, lend_room, lend_places,
        look_into, verify_model, lend_info, lend_news,   work};
    struct error no_speeds;

    screen_models.chat = chat;
    chat_gauges_keep(chat);
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
