/* Paths, records and the client's half. */
#include "config.h"

#include "base/rendezvous.h"

#include "base/clock.h"
#include "base/text.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* -- directory and names --------------------------------------------------- */

enum status
rendezvous_open_directory(int *out, const char *path, struct error *err)
{
    struct stat stat;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    *out = -1;
    if (fd < 0)
        return error_errno(err, "cannot open the runtime directory %s", path);
    if (fstat(fd, &stat) != 0 || stat.st_uid != geteuid() ||
        (stat.st_mode & 077) != 0) {
        close(fd);
        return error_set(err, STATUS_IO,
                         "the runtime directory %s must be yours and closed to "
                         "others (mode 0700)",
                         path);
    }
    *out = fd;
    return STATUS_OK;
}

static bool
exists(const char *path)
{
    struct stat stat;

    return lstat(path, &stat) == 0;
}

static enum status
check_directory(const char *path, struct error *err)
{
    int fd;

    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return error_errno(err, "cannot make the runtime directory %s", path);
    TRY(rendezvous_open_directory(&fd, path, err));
    close(fd);
    return STATUS_OK;
}

enum status
rendezvous_directory(struct buffer *out, struct error *err)
{
    const char *xdg = getenv("XDG_RUNTIME_DIR");
    char parent[PATH_MAX], path[PATH_MAX];

    // relative values are ignored, as the XDG specification demands
    if (xdg == NULL || xdg[0] != '/' || strlen(xdg) > PATH_MAX - 100 ||
        !exists(xdg)) {
        snprintf(parent, sizeof parent, "/run/user/%u", (unsigned) geteuid());
        if (!exists(parent))
            snprintf(parent, sizeof parent, "/dev/shm/fathom-%u",
                     (unsigned) geteuid());
    } else {
        snprintf(parent, sizeof parent, "%s", xdg);
    }
    TRY(check_directory(parent, err));
    if (snprintf(path, sizeof path, "%s/fathom", parent) >= (int) sizeof path)
        return error_set(err, STATUS_LIMIT, "%s is too long a path", parent);
    TRY(check_directory(path, err));
    return buffer_append(out, path, strlen(path), err);
}

/* FNV-1a, 64 bits. */
static uint64_t
hash(const char *text)
{
    uint64_t value = 0xcbf29ce484222325u;

    for (; *text != '\0'; text++)
        value = (value ^ (unsigned char) *text) * 0x100000001b3u;
    return value;
}

enum status
rendezvous_name(char out[RENDEZVOUS_NAME], const char *model, struct error *err)
{
    char *real = realpath(model, NULL);

    if (real == NULL)
        return error_errno(err, "cannot open %s", model);
    snprintf(out, RENDEZVOUS_NAME, "%016" PRIx64, hash(real));
    free(real);
    return STATUS_OK;
}

/* -- records --------------------------------------------------------------- */

static bool
is_client(const char *name, size_t length)
{
    if (length == 0 || length >= RENDEZVOUS_CLIENT)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((name[i] < '0' || name[i] > '9') &&
            (name[i] < 'a' || name[i] > 'z') && name[i] != '-')
            return false;
    return true;
}

bool
rendezvous_parse(struct rendezvous_record *out, const char *line, size_t length)
{
    static const char stop[] = "fathom 1 stop", head[] = "fathom 1 open ";

    *out = (struct rendezvous_record){0};
    if (length == sizeof stop - 1 && memcmp(line, stop, length) == 0) {
        out->verb = RENDEZVOUS_STOP;
        return true;
    }
    if (length < sizeof head - 1 || memcmp(line, head, sizeof head - 1) != 0)
        return false;
    line += sizeof head - 1;
    length -= sizeof head - 1;
    if (!is_client(line, length))
        return false;
    out->verb = RENDEZVOUS_OPEN;
    memcpy(out->client, line, length);
    return true;
}

/* -- finding --------------------------------------------------------------- */

/* Who holds the lock of an open NAME.engine: 0, nobody. */
static pid_t
lock_holder(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK)
        return 0;
    return lock.l_pid;
}

/* Fills *out from NAME.engine; false when no engine lives behind it. */
static bool
read_engine(struct rendezvous_engine *out, int directory, const char *file)
{
    int fd = openat(directory, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return false;
    ssize_t length = read(fd, out->model, sizeof out->model - 1);
    out->pid = lock_holder(fd);
    close(fd);
    if (length < 0 || out->pid == 0)
        return false;
    out->model[length] = '\0';
    snprintf(out->name, sizeof out->name, "%.16s", file);
    return true;
}

enum status
rendezvous_find(struct rendezvous_engine *out, bool *found,
                const char *directory, const char *name, struct error *err)
{
    char file[RENDEZVOUS_NAME + 8];
    int fd;

    *found = false;
    *out = (struct rendezvous_engine){0};
    TRY(rendezvous_open_directory(&fd, directory, err));
    snprintf(file, sizeof file, "%.16s.engine", name);
    *found = read_engine(out, fd, file);
    close(fd);
    return STATUS_OK;
}

enum status
rendezvous_each(const char *directory, rendezvous_fn *fn, void *context,
                struct error *err)
{
    struct rendezvous_engine engine;
    struct dirent *entry;
    int fd;

    TRY(rendezvous_open_directory(&fd, directory, err));
    DIR *list = fdopendir(fd);
    if (list == NULL) {
        close(fd);
        return error_errno(err, "cannot list %s", directory);
    }
    while ((entry = readdir(list)) != NULL)
        if (strlen(entry->d_name) == 16 + strlen(".engine") &&
            strcmp(entry->d_name + 16, ".engine") == 0 &&
            read_engine(&engine, fd, entry->d_name))
            fn(context, &engine);
    closedir(list);
    return STATUS_OK;
}

/* -- connecting ------------------------------------------------------------ */

static void
pause_ms(long ms)
{
    struct timespec span = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&span, NULL);
}

/* Writes one record; false when nobody reads the rendezvous. */
static bool
write_record(int directory, const char *name, const char *record)
{
    char file[RENDEZVOUS_NAME + 8];
    size_t length = strlen(record);

    assert(length <= PIPE_BUF);
    snprintf(file, sizeof file, "%.16s.fifo", name);
    int fd =
        openat(directory, file, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool wrote = write(fd, record, length) == (ssize_t) length;
    close(fd);
    return wrote;
}

/* A pair of FIFOs in the making. */
struct pair {
    int directory;
    char client[RENDEZVOUS_CLIENT];
    char in[RENDEZVOUS_CLIENT + 8], out[RENDEZVOUS_CLIENT + 8];
};

static enum status
pair_make(struct pair *pair, struct error *err)
{
    uint64_t random = 0;

    if (getrandom(&random, sizeof random, 0) != sizeof random)
        return error_errno(err, "cannot draw a name for a FIFO");
    snprintf(pair->client, sizeof pair->client, "client-%ld-%016" PRIx64,
             (long) getpid(), random);
    snprintf(pair->in, sizeof pair->in, "%s.in", pair->client);
    snprintf(pair->out, sizeof pair->out, "%s.out", pair->client);
    if (mkfifoat(pair->directory, pair->in, 0600) != 0 ||
        mkfifoat(pair->directory, pair->out, 0600) != 0)
        return error_errno(err, "cannot make a FIFO in the runtime directory");
    return STATUS_OK;
}

static void
pair_remove(const struct pair *pair)
{
    unlinkat(pair->directory, pair->in, 0);
    unlinkat(pair->directory, pair->out, 0);
}

/* Opens CLIENT.in once the engine reads it; -1 when it does not in time. */
static int
pair_open_in(const struct pair *pair, unsigned wait_ms)
{
    uint64_t end = clock_ns() + wait_ms * (uint64_t) 1000000;

    for (;;) {
        int fd = openat(pair->directory, pair->in,
                        O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

        if (fd >= 0 || errno != ENXIO || clock_ns() >= end)
            return fd;
        pause_ms(1);
    }
}

static enum status
pair_connect(struct pair *pair, const char *name, unsigned wait_ms,
             int *to_engine, int *from_engine, struct error *err)
{
    char record[PIPE_BUF];

    TRY(pair_make(pair, err));
    // the engine's open for writing needs a reader, so this end comes first
    *from_engine = openat(pair->directory, pair->out,
                          O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (*from_engine < 0)
        return error_errno(err, "cannot open a FIFO in the runtime directory");
    snprintf(record, sizeof record, "fathom 1 open %s\n", pair->client);
    if (write_record(pair->directory, name, record))
        *to_engine = pair_open_in(pair, wait_ms);
    if (*to_engine < 0) {
        close(*from_engine);
        *from_engine = -1;
    }
    return STATUS_OK;
}

enum status
rendezvous_connect(int *to_engine, int *from_engine, bool *found,
                   const char *directory, const char *name, unsigned wait_ms,
                   struct error *err)
{
    struct pair pair = {0};

    *to_engine = *from_engine = -1;
    *found = false;
    TRY(rendezvous_open_directory(&pair.directory, directory, err));
    enum status status =
        pair_connect(&pair, name, wait_ms, to_engine, from_engine, err);
    pair_remove(&pair);
    close(pair.directory);
    *found = *to_engine >= 0;
    return status;
}

enum status
rendezvous_stop(const char *directory, const char *name, unsigned wait_ms,
                bool *found, struct error *err)
{
    uint64_t end = clock_ns() + wait_ms * (uint64_t) 1000000;
    struct rendezvous_engine engine;
    bool alive;
    int fd;

    TRY(rendezvous_find(&engine, found, directory, name, err));
    if (!*found)
        return STATUS_OK;
    TRY(rendezvous_open_directory(&fd, directory, err));
    write_record(fd, name, "fathom 1 stop\n");
    close(fd);
    for (;;) {
        TRY(rendezvous_find(&engine, &alive, directory, name, err));
        if (!alive)
            return STATUS_OK;
        if (clock_ns() >= end)
            return error_set(err, STATUS_IO,
                             "the engine of %s (process %ld) did not end",
                             engine.model, (long) engine.pid);
        pause_ms(5);
    }
}
