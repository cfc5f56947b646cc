/* FIFOs in the runtime directory; opening one tells whether its owner lives. */
#include "config.h"

#include "app/vault/lock_request.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "lock-"
#define SUFFIX ".fifo"

enum { STEP_MS = 20 };

struct lock_listener {
    int fd;
    char path[PATH_MAX];
};

static enum status
own_path(char out[PATH_MAX], struct error *err)
{
    struct buffer folder = {0};
    enum status status = rendezvous_directory(&folder, err);

    if (status == STATUS_OK &&
        snprintf(out, PATH_MAX, "%s/" PREFIX "%ld" SUFFIX, folder.data,
                 (long) getpid()) >= PATH_MAX)
        status =
            error_set(err, STATUS_LIMIT, "%s is too long a path", folder.data);
    buffer_release(&folder);
    return status;
}

enum status
lock_listener_open(struct lock_listener **out, struct error *err)
{
    void *memory;

    *out = NULL;
    TRY(memory_alloc(&memory, sizeof **out, err));
    struct lock_listener *listener = memory;
    enum status status = own_path(listener->path, err);

    if (status == STATUS_OK) {
        // what a dead process of the same number left
        (void) unlink(listener->path);
        // open for both, so that it is never at its end
        if (mkfifo(listener->path, S_IRUSR | S_IWUSR) != 0 ||
            (listener->fd = open(listener->path, O_RDWR | O_NONBLOCK |
                                                     O_CLOEXEC | O_NOFOLLOW)) <
                0)
            status = error_errno(err, "cannot make %s", listener->path);
    }
    if (status != STATUS_OK)
        free(listener);
    else
        *out = listener;
    return status;
}

int
lock_listener_descriptor(const struct lock_listener *listener)
{
    return listener->fd;
}

void
lock_listener_close(struct lock_listener *listener)
{
    if (listener == NULL)
        return;
    (void) unlink(listener->path);
    close(listener->fd);
    free(listener);
}

// -- asking -----------------------------------------------------------------

static bool
is_listener(const char *name)
{
    size_t length = strlen(name), fixed = strlen(PREFIX) + strlen(SUFFIX);

    return length > fixed && strncmp(name, PREFIX, strlen(PREFIX)) == 0 &&
           strcmp(name + length - strlen(SUFFIX), SUFFIX) == 0;
}

/* Writes to it; false when nobody reads, and then the name goes. */
static bool
ask(int folder, const char *name)
{
    int fd =
        openat(folder, name, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0) {
        if (errno == ENXIO)
            (void) unlinkat(folder, name, 0);
        return false;
    }
    // a full pipe has been asked often enough
    bool asked = write(fd, "l", 1) == 1 || errno == EAGAIN;

    close(fd);
    return asked;
}

/* Waits until its owner has removed the name. */
static bool
gone(int folder, const char *name, uint64_t wait_ms)
{
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
    struct stat status;

    for (uint64_t waited = 0;; waited += STEP_MS) {
        if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
            return true;
        if (waited >= wait_ms)
            return false;
        nanosleep(&step, NULL);
    }
}

enum status
lock_request_all(size_t *locked, size_t *silent, uint64_t wait_ms,
                 struct error *err)
{
    struct buffer path = {0};
    enum status status = rendezvous_directory(&path, err);
    DIR *folder = status == STATUS_OK ? opendir(path.data) : NULL;

    *locked = *silent = 0;
    if (status == STATUS_OK && folder == NULL)
        status = error_errno(err, "cannot open %s", path.data);
    buffer_release(&path);
    if (status != STATUS_OK)
        return status;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (!is_listener(entry->d_name) || !ask(dirfd(folder), entry->d_name))
            continue;
        if (gone(dirfd(folder), entry->d_name, wait_ms))
            ++*locked;
        else
            ++*silent;
    }
    closedir(folder);
    return STATUS_OK;
}
