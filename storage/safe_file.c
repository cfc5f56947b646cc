/* Checks by descriptor where there is one, by lstat on the way to it. */
#include "config.h"

#include "storage/safe_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    OTHERS_WRITE = S_IWGRP | S_IWOTH,
    OTHERS_ALL = S_IRWXG | S_IRWXO,
    PRIVATE = S_IRUSR | S_IWUSR,
    PATH_SHOWN = 300,
    READ_PIECE = 65536,
};

struct shown {
    char text[PATH_SHOWN];
};

static const char *
show(struct shown *shown, const char *path)
{
    return text_quote(shown->text, sizeof shown->text, path, strlen(path));
}

/* A call, unless it is the one that a test makes fail. */
#define fallible(call) (fault_due() ? (errno = EIO, -1) : (call))

static enum status
fail(struct error *err, const char *what, const char *path)
{
    struct shown shown;

    return error_errno(err, "cannot %s %s", what, show(&shown, path));
}

// -- what is safe -----------------------------------------------------------

static enum status
copy_path(char out[PATH_MAX], const char *path, struct error *err)
{
    size_t length = strlen(path);

    if (length == 0 || length >= PATH_MAX)
        return error_set(err, STATUS_LIMIT, "a path is %s: %.200s",
                         length == 0 ? "empty" : "too long", path);
    memcpy(out, path, length + 1);
    return STATUS_OK;
}

/* "a/b" gives "a", "b" gives ".", "/b" gives "/"; blanks at the end go. */
static enum status
folder_of(char out[PATH_MAX], const char *path, struct error *err)
{
    TRY(copy_path(out, path, err));
    size_t length = strlen(out);

    while (length > 1 && out[length - 1] == '/')
        length--;
    while (length > 0 && out[length - 1] != '/')
        length--;
    while (length > 1 && out[length - 1] == '/')
        length--;
    if (length == 0)
        out[length++] = '.';
    out[length] = '\0';
    return STATUS_OK;
}

/* One step of the way: a folder or a link that only root or we could make. */
static enum status
check_step(const char *path, bool last, struct error *err)
{
    struct stat status;
    struct shown shown;

    if (fallible(lstat(path, &status)) != 0)
        return fail(err, "look at", path);
    if (status.st_uid != geteuid() && status.st_uid != 0)
        return error_set(err, STATUS_DENIED,
                         "%s belongs to another user, who could replace what "
                         "is in it; choose a folder of your own",
                         show(&shown, path));
    if (S_ISLNK(status.st_mode))
        return STATUS_OK;
    if (!S_ISDIR(status.st_mode))
        return error_set(err, STATUS_DENIED, "%s is not a folder",
                         show(&shown, path));
    // in a sticky folder others cannot move what is not theirs
    if ((status.st_mode & OTHERS_WRITE) != 0 &&
        (last || (status.st_mode & S_ISVTX) == 0))
        return error_set(err, STATUS_DENIED,
                         "others may write to the folder %s; type: "
                         "chmod go-w %s",
                         show(&shown, path), shown.text);
    return STATUS_OK;
}

/* Every folder of an absolute path, from / on. */
static enum status
check_way(const char *path, struct error *err)
{
    char step[PATH_MAX];

    TRY(copy_path(step, path, err));
    TRY(check_step("/", step[1] == '\0', err));
    for (char *at = step + 1; *at != '\0';) {
        char *end = at + strcspn(at, "/"), kept = *end;

        *end = '\0';
        if (end > at)
            TRY(check_step(
                step, end[strspn(end + (kept != 0), "/") + (kept != 0)] == '\0',
                err));
        *end = kept;
        at = end + (kept != '\0');
    }
    return STATUS_OK;
}

static enum status
absolute(char out[PATH_MAX], const char *path, struct error *err)
{
    size_t used = 0;

    if (path[0] == '/')
        return copy_path(out, path, err);
    if (getcwd(out, PATH_MAX) == NULL)
        return error_errno(err, "cannot tell the current folder");
    used = strlen(out);
    if (used + 1 + strlen(path) >= PATH_MAX)
        return error_set(err, STATUS_LIMIT, "a path is too long: %.200s", path);
    out[used] = '/';
    memcpy(out + used + 1, path, strlen(path) + 1);
    return STATUS_OK;
}

enum status
safe_folder_check(const char *path, struct error *err)
{
    char way[PATH_MAX], real[PATH_MAX];
    struct stat status;
    struct shown shown;

    TRY(absolute(way, path, err));
    if (realpath(path, real) == NULL)
        return fail(err, "open the folder", path);
    TRY(check_way(real, err));
    // as it was written, too: its links must not be another user's
    TRY(check_way(way, err));
    if (stat(real, &status) != 0)
        return fail(err, "look at", path);
    if (status.st_uid != geteuid())
        return error_set(err, STATUS_DENIED,
                         "the folder %s is not yours; choose one that is",
                         show(&shown, path));
    return STATUS_OK;
}

/* Makes the last folder of a path whose others are there. */
static enum status
make_one(const char *path, struct error *err)
{
    if (fallible(mkdir(path, S_IRWXU)) != 0) {
        struct stat status;

        if (errno == EEXIST && stat(path, &status) == 0 &&
            S_ISDIR(status.st_mode))
            return STATUS_OK;
        return fail(err, "make the folder", path);
    }
    // the umask may have taken even our own rights
    if (chmod(path, S_IRWXU) != 0)
        return fail(err, "set the mode of", path);
    return STATUS_OK;
}

enum status
safe_folder_make(const char *path, struct error *err)
{
    char step[PATH_MAX];

    TRY(copy_path(step, path, err));
    for (char *at = step + 1; *at != '\0'; at++) {
        if (*at != '/' || at[-1] == '/')
            continue;
        *at = '\0';
        TRY(make_one(step, err));
        *at = '/';
    }
    TRY(make_one(step, err));
    return safe_folder_check(path, err);
}

static const char *
kind_name(mode_t mode)
{
    return S_ISLNK(mode)    ? "a symbolic link"
           : S_ISDIR(mode)  ? "a folder"
           : S_ISFIFO(mode) ? "a pipe"
                            : "not a regular file";
}

static enum status
check_file(const struct stat *status, const char *path, struct error *err)
{
    struct shown shown;

    show(&shown, path);
    if (!S_ISREG(status->st_mode))
        return error_set(err, STATUS_DENIED,
                         "%s is %s; a file of your own belongs there",
                         shown.text, kind_name(status->st_mode));
    if (status->st_uid != geteuid())
        return error_set(err, STATUS_DENIED,
                         "%s belongs to another user, so it is not used",
                         shown.text);
    if ((status->st_mode & OTHERS_ALL) != 0)
        return error_set(err, STATUS_DENIED,
                         "others may reach %s (mode %03o); type: chmod 600 %s",
                         shown.text, (unsigned) (status->st_mode & 0777),
                         shown.text);
    return STATUS_OK;
}

enum status
safe_file_exists(bool *out, const char *path, struct error *err)
{
    struct stat status;

    *out = fallible(lstat(path, &status)) == 0;
    if (!*out && errno != ENOENT && errno != ENOTDIR)
        return fail(err, "look at", path);
    return STATUS_OK;
}

static enum status
check_folder_of(const char *path, struct error *err)
{
    char folder[PATH_MAX];

    TRY(folder_of(folder, path, err));
    return safe_folder_check(folder, err);
}

enum status
safe_file_check(const char *path, struct error *err)
{
    struct stat status;

    TRY(check_folder_of(path, err));
    if (fallible(lstat(path, &status)) != 0)
        return fail(err, "open", path);
    return check_file(&status, path, err);
}

// -- opening, reading, writing ----------------------------------------------

static int
open_flags(enum safe_access access)
{
    // O_NONBLOCK: a pipe without a writer would stop us here
    int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

    switch (access) {
    case SAFE_READ:
        return flags | O_RDONLY;
    case SAFE_CHANGE:
        return flags | O_RDWR;
    case SAFE_APPEND:
        return flags | O_RDWR | O_APPEND | O_CREAT;
    case SAFE_NEW:
        return flags | O_WRONLY | O_CREAT | O_EXCL;
    }
    return flags;
}

/* Why open failed; a link and a device have names of their own. */
static enum status
open_failed(const char *path, enum safe_access access, struct error *err)
{
    int reason = errno;
    struct stat status;
    struct shown shown;

    if (access == SAFE_NEW && reason == EEXIST)
        return error_set(err, STATUS_LIMIT, "%s is there already",
                         show(&shown, path));
    if ((reason == ELOOP || reason == ENXIO || reason == EISDIR) &&
        lstat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return check_file(&status, path, err);
    errno = reason;
    return fail(err, access == SAFE_NEW ? "make" : "open", path);
}

/* Refuses pipes and devices before they are opened, which could do harm. */
static enum status
check_before(const char *path, enum safe_access access, struct error *err)
{
    struct stat status;

    TRY(check_folder_of(path, err));
    if (access != SAFE_NEW && lstat(path, &status) == 0)
        return check_file(&status, path, err);
    return STATUS_OK;
}

enum status
safe_file_open(int *out, const char *path, enum safe_access access,
               struct error *err)
{
    bool made = access == SAFE_NEW;
    struct stat status;

    *out = -1;
    TRY(check_before(path, access, err));
    if (access == SAFE_APPEND)
        made = lstat(path, &status) != 0;
    int fd = fallible(open(path, open_flags(access), (mode_t) PRIVATE));
    if (fd < 0)
        return open_failed(path, access, err);
    enum status result = STATUS_OK;
    if ((made && fchmod(fd, PRIVATE) != 0) || fstat(fd, &status) != 0)
        result = fail(err, "look at", path);
    else
        result = check_file(&status, path, err);
    if (result == STATUS_OK) {
        *out = fd;
        return STATUS_OK;
    }
    close(fd);
    if (access == SAFE_NEW)
        unlink(path);
    return result;
}

static enum status
read_all(struct buffer *out, int fd, const char *path, size_t most,
         struct error *err)
{
    size_t start = out->length;
    struct shown shown;

    for (;;) {
        TRY(buffer_reserve(out, READ_PIECE, err));
        ssize_t got = fault_due()
                          ? (errno = EIO, -1)
                          : read(fd, out->data + out->length, READ_PIECE);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(err, "read", path);
        if (got == 0)
            return STATUS_OK;
        out->length += (size_t) got;
        out->data[out->length] = '\0';
        if (out->length - start > most)
            return error_set(err, STATUS_LIMIT,
                             "%s is longer than the %zu bytes it may have",
                             show(&shown, path), most);
    }
}

enum status
safe_file_read(struct buffer *out, const char *path, size_t most,
               struct error *err)
{
    int fd;

    TRY(safe_file_open(&fd, path, SAFE_READ, err));
    enum status status = read_all(out, fd, path, most, err);
    close(fd);
    return status;
}

static enum status
write_all(int fd, const char *path, const void *bytes, size_t length,
          struct error *err)
{
    const char *next = bytes;

    while (length > 0) {
        ssize_t put = fault_due() ? (errno = EIO, -1) : write(fd, next, length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return fail(err, "write", path);
        next += put;
        length -= (size_t) put;
    }
    if (fallible(fsync(fd)) != 0)
        return fail(err, "put on the disk", path);
    return STATUS_OK;
}

enum status
safe_file_sync_folder(const char *path, struct error *err)
{
    char folder[PATH_MAX];

    TRY(folder_of(folder, path, err));
    int fd = fallible(open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd < 0)
        return fail(err, "open the folder", folder);
    enum status status = STATUS_OK;
    // some file systems cannot sync folders; there is nothing more to do then
    if (fallible(fsync(fd)) != 0 && errno != EINVAL && errno != ENOTSUP)
        status = fail(err, "put on the disk", folder);
    close(fd);
    return status;
}

/* A new file beside `path`; its name is chosen so that no two collide. */
static enum status
open_beside(int *out, char name[PATH_MAX], const char *path, struct error *err)
{
    for (unsigned i = 0; i < 100; i++) {
        int n =
            snprintf(name, PATH_MAX, "%s.new-%ld-%u", path, (long) getpid(), i);

        if (n < 0 || n >= PATH_MAX)
            return error_set(err, STATUS_LIMIT, "a path is too long: %.200s",
                             path);
        enum status status = safe_file_open(out, name, SAFE_NEW, err);

        if (status != STATUS_LIMIT)
            return status;
    }
    return error_set(err, STATUS_IO, "too many temporary files beside %.200s",
                     path);
}

static enum status
replace(const char *path, const void *bytes, size_t length, mode_t mode,
        struct error *err)
{
    char beside[PATH_MAX];
    int fd;

    TRY(open_beside(&fd, beside, path, err));
    enum status status = STATUS_OK;
    if (mode != PRIVATE && fallible(fchmod(fd, mode)) != 0)
        status = fail(err, "set the mode of", path);
    if (status == STATUS_OK)
        status = write_all(fd, path, bytes, length, err);
    close(fd);
    if (status == STATUS_OK && fallible(rename(beside, path)) != 0)
        status = fail(err, "put in its place", path);
    if (status != STATUS_OK)
        unlink(beside);
    else
        status = safe_file_sync_folder(path, err);
    return status;
}

/* A copy, since not every medium that holds keys has hard links. */
static enum status
keep_former(const char *path, struct error *err)
{
    char old[PATH_MAX];
    struct buffer former = {0};
    int n = snprintf(old, sizeof old, "%s.old", path);

    if (n < 0 || (size_t) n >= sizeof old)
        return error_set(err, STATUS_LIMIT, "a path is too long: %.200s", path);
    enum status status = safe_file_read(&former, path, SIZE_MAX, err);

    if (status == STATUS_OK)
        status = replace(old, former.data, former.length, PRIVATE, err);
    buffer_release(&former);
    return status;
}

enum status
safe_file_write(const char *path, const void *bytes, size_t length,
                bool keep_old, struct error *err)
{
    bool there;

    TRY(safe_file_exists(&there, path, err));
    if (there)
        TRY(safe_file_check(path, err));
    if (there && keep_old)
        TRY(keep_former(path, err));
    return replace(path, bytes, length, PRIVATE, err);
}

enum status
safe_file_replace(const char *path, const void *bytes, size_t length,
                  mode_t mode, struct error *err)
{
    struct stat status;

    TRY(check_folder_of(path, err));
    if (fallible(lstat(path, &status)) == 0) {
        // whoever may read it, it has to be a file of the user's
        status.st_mode &= ~(mode_t) OTHERS_ALL;
        TRY(check_file(&status, path, err));
    } else if (errno != ENOENT) {
        return fail(err, "look at", path);
    }
    return replace(path, bytes, length, mode, err);
}

enum status
safe_file_remove(const char *path, struct error *err)
{
    if (fallible(unlink(path)) != 0)
        return errno == ENOENT ? STATUS_OK : fail(err, "remove", path);
    return safe_file_sync_folder(path, err);
}

/* Is `name` that of a temporary file of `base`: BASE[.old].new-N-N? */
static bool
is_left_over(const char *name, const char *base)
{
    size_t length = strlen(base);

    if (strncmp(name, base, length) != 0)
        return false;
    name += length;
    if (strncmp(name, ".old", 4) == 0)
        name += 4;
    return strncmp(name, ".new-", 5) == 0 && name[5] != '\0' &&
           strspn(name + 5, "0123456789-") == strlen(name + 5);
}

enum status
safe_file_sweep(const char *path, struct error *err)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');

    TRY(folder_of(folder, path, err));
    DIR *open_folder = fault_due() ? (errno = EIO, NULL) : opendir(folder);
    if (open_folder == NULL)
        return fail(err, "open the folder", folder);
    for (struct dirent *entry; (entry = readdir(open_folder)) != NULL;)
        if (is_left_over(entry->d_name, slash != NULL ? slash + 1 : path))
            (void) unlinkat(dirfd(open_folder), entry->d_name, 0);
    closedir(open_folder);
    return STATUS_OK;
}

// -- one at a time ----------------------------------------------------------

/* *holder: who has the lock. */
static enum status
lock_taken(int fd, pid_t *holder, const char *path, struct error *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct shown shown;

    if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
        *holder = lock.l_pid > 0 ? lock.l_pid : 0;
    if (*holder > 0)
        return error_set(err, STATUS_BUSY, "process %ld has %s", (long) *holder,
                         show(&shown, path));
    return error_set(err, STATUS_BUSY, "another process has %s",
                     show(&shown, path));
}

/* A network's file system may have nobody who keeps them. */
static enum status
no_locks(const char *path, struct error *err)
{
    struct shown shown;

    return error_set(err, STATUS_IO,
                     "cannot lock %s: its file system keeps no locks; put the "
                     "folder on a local disk",
                     show(&shown, path));
}

enum status
safe_file_lock(int *out, pid_t *holder, const char *path, struct error *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    enum status status;

    *holder = 0;
    TRY(safe_file_open(out, path, SAFE_APPEND, err));
    if (fallible(fcntl(*out, F_SETLK, &lock)) == 0)
        return STATUS_OK;
    if (errno == EACCES || errno == EAGAIN)
        status = lock_taken(*out, holder, path, err);
    else if (errno == ENOLCK)
        status = no_locks(path, err);
    else
        status = fail(err, "lock", path);
    close(*out);
    *out = -1;
    return status;
}

enum status
safe_file_holder(pid_t *holder, const char *path, struct error *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    bool there;
    int fd;

    *holder = 0;
    TRY(safe_file_exists(&there, path, err));
    if (!there)
        return STATUS_OK;
    TRY(safe_file_open(&fd, path, SAFE_READ, err));
    if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
        *holder = lock.l_pid;
    close(fd);
    return STATUS_OK;
}

enum status
safe_folder_hold(int *out, const char *path, struct error *err)
{
    char folder[PATH_MAX];

    *out = -1;
    TRY(folder_of(folder, path, err));
    int fd = fallible(open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd < 0)
        return fail(err, "open the folder", folder);
    while (flock(fd, LOCK_EX) != 0)
        if (errno != EINTR) {
            enum status status = fail(err, "lock", folder);

            close(fd);
            return status;
        }
    *out = fd;
    return STATUS_OK;
}
