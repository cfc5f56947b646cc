/* Read, edited, read again, and only then written. */
#include "config.h"

#include "app/settings_keep.h"

#include "app/ini_edit.h"
#include "storage/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- the text ----------------------------------------------------------------
 */

/* Whether a row says the same in both, in words as a file has them. */
static bool
is_same(const struct ini_row *row, const void *a, const void *b)
{
    char of_a[INI_TEXT_BYTES], of_b[INI_TEXT_BYTES];
    bool given = ini_value(of_a, a, row);

    return given == ini_value(of_b, b, row) &&
           (!given || strcmp(of_a, of_b) == 0);
}

static bool
are_same(const struct settings *a, const struct settings *b)
{
    if (a->preset_count != b->preset_count)
        return false;
    for (size_t i = 0; i < settings_table.rows; i++) {
        const struct ini_row *row = &settings_table.row[i];
        bool of_preset = strcmp(row->section, "preset.") == 0;

        if (!of_preset && !is_same(row, a, b))
            return false;
        for (size_t p = 0; of_preset && p < a->preset_count; p++)
            if (!is_same(row, &a->presets[p], &b->presets[p]))
                return false;
    }
    return true;
}

/* Both of them are large. */
struct readings {
    struct settings wanted, got;
};

static enum status
edit(struct buffer *out, struct readings *r, const char *shown,
     const struct buffer *text, const struct ini_row *row, const char *value,
     struct error *err)
{
    struct ini_change change = {row->section, row->name, value};
    char quoted[100];
    size_t begun = out->length;

    TRY(ini_parse_text(&r->wanted, &settings_table, shown, text->data,
                       text->length, err));
    TRY(ini_store(&r->wanted, row, value, err));
    TRY(ini_edit(out, text->data, text->length, &change, err));
    if (out->length - begun > INI_FILE_BYTES)
        return error_set(err, STATUS_LIMIT, "%s would be larger than %d kB",
                         shown, INI_FILE_BYTES / 1024);
    if (ini_parse_text(&r->got, &settings_table, shown, out->data + begun,
                       out->length - begun, err) == STATUS_OK &&
        are_same(&r->wanted, &r->got))
        return STATUS_OK;
    return error_set(err, STATUS_FORMAT,
                     "a file of settings cannot hold '%s': a line has at most "
                     "196 characters, and ';' after a blank begins a comment",
                     text_quote(quoted, sizeof quoted, value, strlen(value)));
}

enum status
settings_edit(struct buffer *out, const char *shown, const struct buffer *text,
              const struct ini_row *row, const char *value, struct error *err)
{
    size_t begun = out->length;
    void *memory;

    TRY(memory_alloc(&memory, sizeof(struct readings), err));
    memset(memory, 0, sizeof(struct readings));
    enum status status = edit(out, memory, shown, text, row, value, err);

    free(memory);
    if (status != STATUS_OK)
        out->length = begun;
    return status;
}

/* -- the file ----------------------------------------------------------------
 */

struct user_file {
    char path[PATH_MAX]; // without a link as its last name
    const char *shown;
    bool is_there;
    mode_t mode;
};

/* A file that is a link is written where the link leads. */
static enum status
find_file(struct user_file *file, struct error *err)
{
    char asked[PATH_MAX];
    struct stat status;

    TRY(settings_path(asked, sizeof asked, err));
    text_copy(file->path, sizeof file->path, asked);
    file->mode = S_IRUSR | S_IWUSR;
    file->is_there = lstat(asked, &status) == 0;
    if (!file->is_there)
        return errno == ENOENT || errno == ENOTDIR
                   ? STATUS_OK
                   : error_errno(err, "cannot look at %s", file->shown);
    if (S_ISLNK(status.st_mode) && realpath(asked, file->path) == NULL)
        return error_errno(err, "%s is a link that leads nowhere", file->shown);
    return STATUS_OK;
}

/* The folder of settings is made; one that FATHOM_CONFIG names has to be. */
static enum status
make_folder(struct error *err)
{
    const char *asked = getenv("FATHOM_CONFIG");
    char folder[PATH_MAX];

    if (asked && *asked)
        return STATUS_OK;
    TRY(settings_folder(folder, sizeof folder, err));
    return safe_folder_make(folder, err);
}

static enum status
read_file(struct buffer *out, struct user_file *file, struct error *err)
{
    struct stat status;
    int open_file =
        open(file->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (open_file < 0)
        return error_errno(err, "cannot read %s", file->shown);
    enum status result = STATUS_OK;

    if (fstat(open_file, &status) != 0)
        result = error_errno(err, "cannot look at %s", file->shown);
    else if (!S_ISREG(status.st_mode))
        result = error_set(err, STATUS_DENIED, "%s is not a file of settings",
                           file->shown);
    else
        result = settings_read_text(out, open_file, file->shown, err);
    file->mode = status.st_mode & (S_IRWXU | S_IRWXG | S_IRWXO);
    close(open_file);
    return result;
}

static enum status
change_file(struct user_file *file, const struct ini_row *row,
            const char *value, struct error *err)
{
    struct buffer text = {0}, changed = {0};
    enum status status =
        file->is_there ? read_file(&text, file, err) : STATUS_OK;

    if (status == STATUS_OK)
        status = settings_edit(&changed, file->shown, &text, row, value, err);
    // what is there already is not written anew
    if (status == STATUS_OK &&
        (!file->is_there || changed.length != text.length ||
         memcmp(changed.data, text.data, text.length) != 0))
        status = safe_file_replace(file->path, changed.data, changed.length,
                                   file->mode, err);
    buffer_release(&text);
    buffer_release(&changed);
    return status;
}

/* "~/.config/fathom/fathom.conf"; what FATHOM_CONFIG says as it says it. */
static void
show(char shown[SETTINGS_SHOWN], const char *path)
{
    const char *home = getenv("HOME"), *asked = getenv("FATHOM_CONFIG");
    size_t length = home ? strlen(home) : 0;

    if (length > 1 && (asked == NULL || *asked == '\0') &&
        strncmp(path, home, length) == 0 && path[length] == '/') {
        path += length;
        *shown++ = '~';
        text_quote(shown, SETTINGS_SHOWN - 1, path, strlen(path));
    } else {
        text_quote(shown, SETTINGS_SHOWN, path, strlen(path));
    }
}

enum status
settings_keep(char shown[SETTINGS_SHOWN], const char *key, const char *value,
              struct error *err)
{
    struct user_file file = {.shown = shown};
    const struct ini_row *row;
    char path[PATH_MAX];
    int held;

    TRY(settings_check(&row, key, value, err));
    TRY(settings_path(path, sizeof path, err));
    show(shown, path);
    TRY(make_folder(err));
    TRY(find_file(&file, err));
    // nobody else changes it between reading and writing
    TRY(safe_folder_hold(&held, file.path, err));
    enum status status = change_file(&file, row, value, err);

    close(held);
    if (status == STATUS_OK)
        settings_take_kept(row, value);
    return status;
}
