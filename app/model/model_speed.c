/* "fathom speeds 1", then a line a model, its name at the end. */
#include "config.h"

#include "app/model/model_speed.h"

#include "storage/storage.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADING "fathom speeds 1\n"

enum { FILE_MOST = 128 << 10, MEAN_OF = 8 };

static enum status
speeds_folder(char out[PATH_MAX], struct error *err)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = -1;

    if (cache != NULL && cache[0] == '/')
        n = snprintf(out, PATH_MAX, "%s/fathom", cache);
    else if (home != NULL && home[0] == '/')
        n = snprintf(out, PATH_MAX, "%s/.cache/fathom", home);
    // room for the file's name behind it
    if (n < 0 || n >= PATH_MAX - 16)
        return error_set(err, STATUS_IO,
                         "there is no cache folder for speeds: neither "
                         "XDG_CACHE_HOME nor HOME is an absolute path");
    return STATUS_OK;
}

static enum status
speeds_path(char out[PATH_MAX], struct error *err)
{
    TRY(speeds_folder(out, err));
    text_copy(out + strlen(out), PATH_MAX - strlen(out), "/speeds");
    return STATUS_OK;
}

/* Without controls, and short enough. */
static bool
is_kept(const char *name)
{
    size_t length = strlen(name);

    if (length == 0 || length >= SPEED_NAME_BYTES)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char) name[i] < 0x20 || name[i] == 0x7F)
            return false;
    return true;
}

static bool
is_rate(double value)
{
    return value >= 0 && value < 1e12; // not for a NAN
}

static bool
read_line(struct model_speed *out, const char *line)
{
    int name = 0;

    *out = (struct model_speed){0};
    if (sscanf(line,
               "%" SCNu64 " %" SCNu64 " %lf %lf %lf %" SCNu64 " %" SCNu64 " %n",
               &out->bytes, &out->runs, &out->prompt_tps, &out->decode_tps,
               &out->load_ms, &out->context, &out->used_s, &name) != 7 ||
        name == 0 || !is_kept(line + name) || !is_rate(out->prompt_tps) ||
        !is_rate(out->decode_tps) || !is_rate(out->load_ms))
        return false;
    text_copy(out->name, sizeof out->name, line + name);
    return true;
}

static void
read_lines(struct model_speeds *out, char *text)
{
    char *rest = text;

    for (char *line; (line = strsep(&rest, "\n")) != NULL;)
        if (out->count < SPEEDS_MOST &&
            read_line(&out->speed[out->count], line))
            out->count++;
}

enum status
model_speeds_read(struct model_speeds *out, struct error *err)
{
    char path[PATH_MAX];
    struct buffer text = {0};
    bool there;

    out->count = 0;
    TRY(speeds_path(path, err));
    TRY(safe_file_exists(&there, path, err));
    if (!there)
        return STATUS_OK;
    enum status status = safe_file_read(&text, path, FILE_MOST, err);

    if (status == STATUS_OK && text.data != NULL &&
        strncmp(text.data, HEADING, strlen(HEADING)) == 0)
        read_lines(out, text.data + strlen(HEADING));
    buffer_release(&text);
    return status;
}

static struct model_speed *
find(struct model_speeds *speeds, const char *name, uint64_t bytes)
{
    for (size_t i = 0; i < speeds->count; i++)
        if (speeds->speed[i].bytes == bytes &&
            strcmp(speeds->speed[i].name, name) == 0)
            return &speeds->speed[i];
    return NULL;
}

const struct model_speed *
model_speeds_find(const struct model_speeds *speeds, const char *name,
                  uint64_t bytes)
{
    for (size_t i = 0; i < speeds->count; i++)
        if (speeds->speed[i].bytes == bytes &&
            strcmp(speeds->speed[i].name, name) == 0)
            return &speeds->speed[i];
    return NULL;
}

/* A place for another model. */
static struct model_speed *
make_room(struct model_speeds *speeds)
{
    struct model_speed *oldest = &speeds->speed[0];

    if (speeds->count < SPEEDS_MOST)
        return &speeds->speed[speeds->count++];
    for (size_t i = 1; i < speeds->count; i++)
        if (speeds->speed[i].used_s < oldest->used_s)
            oldest = &speeds->speed[i];
    return oldest;
}

/* The mean of the last few: what was measured long ago counts less. */
static void
mix(double *mean, double measured, uint64_t runs)
{
    double weight = 1.0 / (double) (runs < MEAN_OF ? runs : MEAN_OF);

    if (measured > 0)
        *mean = *mean > 0 ? *mean + weight * (measured - *mean) : measured;
}

bool
model_speeds_add(struct model_speeds *speeds,
                 const struct model_speed *measured)
{
    if (!is_kept(measured->name) || !is_rate(measured->prompt_tps) ||
        !is_rate(measured->decode_tps) || !is_rate(measured->load_ms))
        return false;
    struct model_speed *speed = find(speeds, measured->name, measured->bytes);

    if (speed == NULL) {
        speed = make_room(speeds);
        *speed = (struct model_speed){.bytes = measured->bytes};
        text_copy(speed->name, sizeof speed->name, measured->name);
    }
    if (measured->runs > 0) {
        speed->runs += measured->runs;
        mix(&speed->prompt_tps, measured->prompt_tps, speed->runs);
        mix(&speed->decode_tps, measured->decode_tps, speed->runs);
    }
    if (measured->load_ms > 0)
        speed->load_ms = measured->load_ms;
    if (measured->context > 0)
        speed->context = measured->context;
    if (measured->used_s > speed->used_s)
        speed->used_s = measured->used_s;
    return true;
}

enum status
model_speeds_write(const struct model_speeds *speeds, struct error *err)
{
    char folder[PATH_MAX], path[PATH_MAX];
    struct buffer text = {0};

    TRY(speeds_folder(folder, err));
    TRY(speeds_path(path, err));
    TRY(safe_folder_make(folder, err));
    enum status status = buffer_print(&text, err, "%s", HEADING);

    for (size_t i = 0; status == STATUS_OK && i < speeds->count; i++) {
        const struct model_speed *s = &speeds->speed[i];

        status = buffer_print(&text, err,
                              "%" PRIu64 " %" PRIu64 " %.3f %.3f %.1f %" PRIu64
                              " %" PRIu64 " %s\n",
                              s->bytes, s->runs, s->prompt_tps, s->decode_tps,
                              s->load_ms, s->context, s->used_s, s->name);
    }
    if (status == STATUS_OK)
        status = safe_file_write(path, text.data, text.length, false, err);
    buffer_release(&text);
    return status;
}
