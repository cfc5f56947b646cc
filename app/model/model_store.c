/* Temporary folders, renamed when they are complete. */
#include "config.h"

#include "app/model/model_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY ".import-"

enum { QUOTED_BYTES = 300, DEPTH_MOST = 16 };

static const char *
quoted(char out[QUOTED_BYTES], const char *path)
{
    return text_quote(out, QUOTED_BYTES, path, strlen(path));
}

bool
model_store_is_name(const char *name)
{
    size_t length = strlen(name);

    if (length == 0 || length >= MODEL_STORE_NAME_BYTES || name[0] == '.' ||
        name[0] == '-' || name[0] == ' ' || name[length - 1] == ' ')
        return false;
    for (size_t i = 0; i < length; i++)
        if (name[i] < ' ' || name[i] > '~' || strchr("/\\:", name[i]))
            return false;
    return true;
}

/* -- removing ----------------------------------------------------------------
 */

static enum status remove_entries(int folder, const char *shown, int depth,
                                  struct error *err);

static enum status
remove_entry(int folder, const char *name, const char *shown, int depth,
             struct error *err)
{
    struct stat status;

    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, "cannot remove what is in %s", shown);
    if (S_ISDIR(status.st_mode)) {
        int inner = openat(folder, name,
                           O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (inner < 0)
            return error_errno(err, "cannot remove what is in %s", shown);
        TRY(remove_entries(inner, shown, depth + 1, err)); // takes `inner`
    }
    if (unlinkat(folder, name, S_ISDIR(status.st_mode) ? AT_REMOVEDIR : 0) < 0)
        return error_errno(err, "cannot remove what is in %s", shown);
    return STATUS_OK;
}

/* Takes the descriptor. */
static enum status
remove_entries(int folder, const char *shown, int depth, struct error *err)
{
    DIR *open = depth > DEPTH_MOST ? (errno = ELOOP, NULL) : fdopendir(folder);
    enum status status = STATUS_OK;

    if (open == NULL) {
        status = error_errno(err, "cannot remove what is in %s", shown);
        close(folder);
        return status;
    }
    for (struct dirent *entry;
         status == STATUS_OK && (entry = readdir(open)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            status =
                remove_entry(dirfd(open), entry->d_name, shown, depth, err);
    closedir(open);
    return status;
}

enum status
model_store_remove(const char *path, struct error *err)
{
    char shown[QUOTED_BYTES];
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    quoted(shown, path);
    if (folder < 0)
        return error_errno(err, "cannot remove %s", shown);
    TRY(remove_entries(folder, shown, 0, err));
    if (rmdir(path) < 0)
        return error_errno(err, "cannot remove %s", shown);
    return safe_file_sync_folder(path, err);
}

/* -- finding -----------------------------------------------------------------
 */

enum status
model_store_folder(char out[PLACE_BYTES], const char *asked, struct error *err)
{
    char path[PLACE_BYTES], shown[QUOTED_BYTES];
    struct stat status;

    if (strchr(asked, '/') != NULL && stat(asked, &status) == 0 &&
        S_ISDIR(status.st_mode))
        snprintf(path, sizeof path, "%s/.", asked);
    else
        TRY(places_model(path, asked, err));
    if (realpath(path, out) == NULL)
        return error_errno(err, "cannot read the model %s",
                           quoted(shown, path));
    if (stat(out, &status) == 0 && !S_ISDIR(status.st_mode)) {
        char *slash = strrchr(out, '/');

        slash[slash == out] = '\0';
    }
    return STATUS_OK;
}

enum status
model_store_place(char out[PLACE_BYTES], const char *name, struct error *err)
{
    char folder[PLACE_BYTES], file[PLACE_BYTES], shown[QUOTED_BYTES];
    struct stat status;

    TRY(places_user_models(folder, err));
    TRY(places_join(out, folder, name, err));
    if (snprintf(file, sizeof file, "%.4000s.gguf", out) < 0)
        return error_set(err, STATUS_LIMIT, "a path is too long");
    if (lstat(out, &status) == 0 || lstat(file, &status) == 0)
        return error_set(err, STATUS_LIMIT,
                         "there is a model %s already; --name gives another "
                         "name, or \"fathom model rm\" removes it",
                         quoted(shown, name));
    return STATUS_OK;
}

/* -- importing ---------------------------------------------------------------
 */

enum status
model_store_write_new(const char *path, mode_t mode, const void *bytes,
                      size_t length, struct error *err)
{
    char shown[QUOTED_BYTES];
    const char *next = bytes;
    int file =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    bool made = file >= 0, good = made;

    while (good && length > 0) {
        ssize_t n = fault_due() ? (errno = EIO, -1) : write(file, next, length);

        if (n < 0 && errno == EINTR)
            continue;
        good = n > 0;
        next += n > 0 ? n : 0;
        length -= n > 0 ? (size_t) n : 0;
    }
    good = good && fsync(file) == 0;
    int failed = errno;

    if (made && close(file) < 0 && good) {
        failed = errno;
        good = false;
    }
    if (made && !good)
        unlink(path);
    errno = failed;
    return good ? STATUS_OK
                : error_errno(err, "cannot create %s", quoted(shown, path));
}

/* Copies a small file of the folder, byte for byte. */
static enum status
copy_about(const char *from, const char *to, const char *name,
           struct error *err)
{
    char source[PLACE_BYTES], target[PLACE_BYTES], shown[QUOTED_BYTES];
    struct buffer text = {0};

    TRY(places_join(source, from, name, err));
    TRY(places_join(target, to, name, err));
    int file = open(source, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (file < 0)
        return error_errno(err, "cannot read %s", quoted(shown, source));
    enum status status =
        settings_read_text(&text, file, quoted(shown, source), err);

    close(file);
    if (status == STATUS_OK)
        status =
            model_store_write_new(target, 0644, text.data, text.length, err);
    buffer_release(&text);
    return status;
}

static enum status
copy_signatures(const char *from, const char *to, struct error *err)
{
    DIR *open = opendir(from);
    enum status status = STATUS_OK;

    if (open == NULL)
        return error_errno(err, "cannot read the model's folder");
    for (struct dirent *entry;
         status == STATUS_OK && (entry = readdir(open)) != NULL;)
        if (manifest_is_signature(entry->d_name))
            status = copy_about(from, to, entry->d_name, err);
    closedir(open);
    return status;
}

static enum status
fill(struct model_check *check, const char *folder, struct error *err)
{
    char path[PLACE_BYTES];
    struct manifest_work work = model_check_work(
        "copying and checking the model", manifest_bytes(&check->manifest));

    TRY(manifest_copy(&check->manifest, check->folder, folder, &work, err));
    TRY(copy_signatures(check->folder, folder, err));
    TRY(places_join(path, folder, MANIFEST_NAME, err));
    return model_store_write_new(path, 0644, check->text.data,
                                 check->text.length, err);
}

/* What imports whose process has ended have left. */
static void
clear_leftovers(const char *models)
{
    DIR *open = opendir(models);
    char path[PLACE_BYTES];
    struct error err;

    for (struct dirent *entry; open && (entry = readdir(open)) != NULL;) {
        size_t skip = strlen(TEMPORARY);

        if (strncmp(entry->d_name, TEMPORARY, skip) != 0)
            continue;
        pid_t process = (pid_t) strtol(entry->d_name + skip, NULL, 10);

        if (process > 0 && (kill(process, 0) == 0 || errno != ESRCH))
            continue;
        if (places_join(path, models, entry->d_name, &err) == STATUS_OK &&
            model_store_remove(path, &err) != STATUS_OK)
            log_note("%s", err.text);
    }
    if (open)
        closedir(open);
}

/* The complete folder takes its place; nothing is overwritten. */
static enum status
put_in_place(const char *temporary, const char *place, struct error *err)
{
    char shown[QUOTED_BYTES];

    TRY(safe_file_sync_folder(temporary, err));
    if (renameat2(AT_FDCWD, temporary, AT_FDCWD, place, RENAME_NOREPLACE) < 0)
        return error_errno(err, "cannot create %s", quoted(shown, place));
    return safe_file_sync_folder(place, err);
}

enum status
model_store_import(struct model_check *check, const char *place,
                   struct error *err)
{
    char models[PLACE_BYTES], temporary[PLACE_BYTES], shown[QUOTED_BYTES];
    char name[40];
    struct error other;

    TRY(places_user_models(models, err));
    TRY(safe_folder_make(models, err));
    clear_leftovers(models);
    snprintf(name, sizeof name, TEMPORARY "%ld", (long) getpid());
    TRY(places_join(temporary, models, name, err));
    if (mkdir(temporary, 0700) < 0)
        return error_errno(err, "cannot create %s", quoted(shown, temporary));
    enum status status = fill(check, temporary, err);

    if (status == STATUS_OK)
        status = put_in_place(temporary, place, err);
    if (status != STATUS_OK) {
        if (model_store_remove(temporary, &other) != STATUS_OK)
            log_note("%s", other.text);
        return status;
    }
    if (realpath(place, check->folder) == NULL)
        return error_errno(err, "cannot read %s", quoted(shown, place));
    if (model_check_write_receipt(check, &other) != STATUS_OK)
        log_note("no receipt is kept: %s", other.text);
    return STATUS_OK;
}
