/* A temporary file in the same directory, so that rename is one step. */
#include "config.h"

#include "app/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { QUOTED_BYTES = 300, NAME_TRIES = 100 };

static enum status
cannot_create(const char *path, struct error *err)
{
    char shown[QUOTED_BYTES];
    int number = errno;

    text_quote(shown, sizeof shown, path, strlen(path));
    errno = number;
    return error_errno(err, "cannot create %s", shown);
}

/* Creates PATH.part, or PATH.part-N where that is taken. */
static enum status
create_beside(struct output *out, mode_t mode, struct error *err)
{
    size_t bytes = strlen(out->path) + sizeof ".part-99";
    void *memory;

    TRY(memory_alloc(&memory, bytes, err));
    out->temporary = memory;
    for (int try = 0; try < NAME_TRIES; try++) {
        snprintf(out->temporary, bytes, try ? "%s.part-%d" : "%s.part",
                 out->path, try);
        out->descriptor =
            open(out->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (out->descriptor >= 0) {
            out->owned = true;
            return STATUS_OK;
        }
        if (errno != EEXIST)
            break;
    }
    enum status status = cannot_create(out->path, err);

    free(out->temporary);
    out->temporary = NULL;
    return status;
}

static enum status
open_in_place(struct output *out, const char *path, struct error *err)
{
    out->descriptor = open(path, O_WRONLY | O_CLOEXEC);
    if (out->descriptor < 0)
        return cannot_create(path, err);
    out->owned = true;
    return STATUS_OK;
}

enum status
output_open(struct output *out, const char *path, struct error *err)
{
    struct stat status;

    *out = (struct output){.descriptor = STDOUT_FILENO};
    if (path == NULL || strcmp(path, "-") == 0)
        return STATUS_OK;
    bool exists = stat(path, &status) == 0;

    if (!exists && errno != ENOENT)
        return cannot_create(path, err);
    if (exists && S_ISDIR(status.st_mode)) {
        errno = EISDIR;
        return cannot_create(path, err);
    }
    if (exists && !S_ISREG(status.st_mode))
        return open_in_place(out, path, err);
    // a link keeps pointing at its file, which is the one replaced
    out->path = exists ? realpath(path, NULL) : strdup(path);
    if (out->path == NULL)
        return cannot_create(path, err);
    enum status created =
        create_beside(out, exists ? status.st_mode & 0777 : 0600, err);

    if (created != STATUS_OK)
        output_close(out);
    return created;
}

static enum status
exists_already(const char *path, struct error *err)
{
    char shown[QUOTED_BYTES];

    text_quote(shown, sizeof shown, path, strlen(path));
    return error_set(err, STATUS_LIMIT,
                     "%s exists, and is left as it is; choose another name",
                     shown);
}

enum status
output_open_new(struct output *out, const char *path, struct error *err)
{
    struct stat status;

    *out = (struct output){.descriptor = STDOUT_FILENO, .is_new = true};
    if (strcmp(path, "-") == 0)
        return STATUS_OK;
    if (lstat(path, &status) == 0)
        return exists_already(path, err);
    if (errno != ENOENT)
        return cannot_create(path, err);
    out->path = strdup(path);
    if (out->path == NULL)
        return cannot_create(path, err);
    enum status created = create_beside(out, 0600, err);

    if (created != STATUS_OK)
        output_close(out);
    return created;
}

/* Gives the temporary file its name; errno says why not. */
static bool
take_name(const struct output *output)
{
    if (!output->is_new)
        return rename(output->temporary, output->path) == 0;
    if (renameat2(AT_FDCWD, output->temporary, AT_FDCWD, output->path,
                  RENAME_NOREPLACE) == 0)
        return true;
    // file systems that know no such flag know links
    return (errno == EINVAL || errno == ENOSYS) &&
           link(output->temporary, output->path) == 0 &&
           unlink(output->temporary) == 0;
}

enum status
output_commit(struct output *output, struct error *err)
{
    char shown[QUOTED_BYTES];

    if (output->temporary == NULL)
        return STATUS_OK;
    text_quote(shown, sizeof shown, output->path, strlen(output->path));
    if (fsync(output->descriptor) < 0 && errno != EINVAL && errno != EROFS)
        return error_errno(err, "cannot write %s", shown);
    int closed = close(output->descriptor);

    output->owned = false;
    if (closed < 0)
        return error_errno(err, "cannot write %s", shown);
    if (!take_name(output))
        return errno == EEXIST ? exists_already(output->path, err)
                               : error_errno(err, "cannot write %s", shown);
    free(output->temporary);
    output->temporary = NULL;
    return STATUS_OK;
}

void
output_close(struct output *output)
{
    if (output->owned)
        close(output->descriptor);
    if (output->temporary)
        unlink(output->temporary);
    free(output->temporary);
    free(output->path);
    *output = (struct output){.descriptor = -1};
}
