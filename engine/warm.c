/* Lock, rendezvous, and the clients' FIFOs. */
#include "config.h"

#include "engine/warm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct warm {
    int directory, lock, fifo;
    char lock_file[RENDEZVOUS_NAME + 8], fifo_file[RENDEZVOUS_NAME + 8];
    struct buffer input;
};

/* -- opening --------------------------------------------------------------- */

/* The lock file: whoever holds its lock is the engine of this model. */
static enum status
take_lock(struct warm *warm, const char *model, struct error *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char *real = realpath(model, NULL);

    if (real == NULL)
        return error_errno(err, "cannot open %s", model);
    warm->lock = openat(warm->directory, warm->lock_file,
                        O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    enum status status = STATUS_OK;
    if (warm->lock < 0)
        status = error_errno(err, "cannot make the lock of a warm engine");
    else if (fcntl(warm->lock, F_SETLK, &lock) != 0)
        status = error_set(err, STATUS_LIMIT,
                           "another engine serves %s already", real);
    else if (ftruncate(warm->lock, 0) != 0 ||
             write(warm->lock, real, strlen(real)) != (ssize_t) strlen(real))
        status = error_errno(err, "cannot write the lock of a warm engine");
    free(real);
    return status;
}

static enum status
make_fifo(struct warm *warm, struct error *err)
{
    // what is left of an engine that was killed
    unlinkat(warm->directory, warm->fifo_file, 0);
    if (mkfifoat(warm->directory, warm->fifo_file, 0600) != 0)
        return error_errno(err, "cannot make the rendezvous");
    // for writing too, so that it never ends between two clients
    warm->fifo = openat(warm->directory, warm->fifo_file,
                        O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (warm->fifo < 0)
        return error_errno(err, "cannot open the rendezvous");
    return STATUS_OK;
}

/* True for the FIFO of a client that lives no more. */
static bool
is_stale(const char *file)
{
    long pid;

    return sscanf(file, "client-%ld-", &pid) == 1 && pid > 0 &&
           kill((pid_t) pid, 0) != 0 && errno == ESRCH;
}

static void
remove_stale(const struct warm *warm)
{
    int fd = openat(warm->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;

    if (list == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while ((entry = readdir(list)) != NULL)
        if (is_stale(entry->d_name))
            unlinkat(warm->directory, entry->d_name, 0);
    closedir(list);
}

static enum status
open_all(struct warm *warm, const char *directory, const char *model,
         struct error *err)
{
    char name[RENDEZVOUS_NAME];

    TRY(rendezvous_open_directory(&warm->directory, directory, err));
    TRY(rendezvous_name(name, model, err));
    snprintf(warm->lock_file, sizeof warm->lock_file, "%s.engine", name);
    snprintf(warm->fifo_file, sizeof warm->fifo_file, "%s.fifo", name);
    TRY(take_lock(warm, model, err));
    remove_stale(warm);
    return make_fifo(warm, err);
}

enum status
warm_open(struct warm **out, const char *directory, const char *model,
          struct error *err)
{
    void *memory;

    *out = NULL;
    TRY(memory_alloc(&memory, sizeof **out, err));
    struct warm *warm = memory;
    *warm = (struct warm){.directory = -1, .lock = -1, .fifo = -1};
    enum status status = open_all(warm, directory, model, err);
    if (status != STATUS_OK) {
        warm_close(warm);
        return status;
    }
    *out = warm;
    return STATUS_OK;
}

static void
close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

void
warm_close(struct warm *warm)
{
    if (warm == NULL)
        return;
    if (warm->fifo >= 0) {
        // the FIFO goes while the lock is held: no new engine's is removed
        unlinkat(warm->directory, warm->fifo_file, 0);
        unlinkat(warm->directory, warm->lock_file, 0);
    }
    close_if_open(warm->fifo);
    close_if_open(warm->lock);
    close_if_open(warm->directory);
    buffer_release(&warm->input);
    free(warm);
}

int
warm_descriptor(const struct warm *warm)
{
    return warm->fifo;
}

/* -- clients --------------------------------------------------------------- */

/* Opens a FIFO of a client; -1 when it is not one, or nobody is there. */
static int
open_fifo(const struct warm *warm, const char *client, const char *suffix,
          int flags)
{
    char file[RENDEZVOUS_CLIENT + 8];
    struct stat stat;

    snprintf(file, sizeof file, "%s.%s", client, suffix);
    int fd = openat(warm->directory, file,
                    flags | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && (fstat(fd, &stat) != 0 || !S_ISFIFO(stat.st_mode) ||
                    stat.st_uid != geteuid())) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static enum warm_event
accept_client(const struct warm *warm, const char *client, int *in, int *out)
{
    // the client reads already; it writes as soon as we read
    *out = open_fifo(warm, client, "out", O_WRONLY);
    *in = *out >= 0 ? open_fifo(warm, client, "in", O_RDONLY) : -1;
    if (*in >= 0)
        return WARM_CLIENT;
    log_warn("rendezvous: a client is not where its record says");
    close_if_open(*out);
    return WARM_NOTHING;
}

static void
read_more(struct warm *warm)
{
    struct error err;

    if (buffer_reserve(&warm->input, PIPE_BUF, &err) != STATUS_OK)
        return;
    ssize_t got =
        read(warm->fifo, warm->input.data + warm->input.length, PIPE_BUF);
    if (got > 0)
        warm->input.length += (size_t) got;
}

/* Takes one line out of the input; false when there is no whole one. */
static bool
take_record(struct warm *warm, struct rendezvous_record *record, bool *valid)
{
    const char *end = warm->input.length > 0
                          ? memchr(warm->input.data, '\n', warm->input.length)
                          : NULL;

    if (end == NULL) {
        if (warm->input.length > PIPE_BUF)
            buffer_clear(&warm->input); // no record is that long
        return false;
    }
    size_t length = (size_t) (end - warm->input.data);
    *valid = rendezvous_parse(record, warm->input.data, length);
    buffer_drop(&warm->input, length + 1);
    return true;
}

enum warm_event
warm_next(struct warm *warm, int *in, int *out)
{
    struct rendezvous_record record;
    bool valid;

    for (bool have_read = false;; have_read = true) {
        while (take_record(warm, &record, &valid)) {
            if (!valid) {
                log_warn("rendezvous: a record is broken");
                continue;
            }
            if (record.verb == RENDEZVOUS_STOP)
                return WARM_STOP;
            if (accept_client(warm, record.client, in, out) == WARM_CLIENT)
                return WARM_CLIENT;
        }
        if (have_read)
            return WARM_NOTHING;
        read_more(warm);
    }
}
