/* pread until all is there; and a team of threads that does it. */
#include "config.h"

#include "storage/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct reader {
    int fd;
    uint64_t bytes;
    const char *shown;
};

/* Why something that is not a regular file is refused. */
static enum status
refuse_kind(const struct stat *status, const char *shown, struct error *err)
{
    return error_set(err, STATUS_IO, "cannot read %s: it is %s", shown,
                     S_ISDIR(status->st_mode) ? "a directory"
                                              : "not a regular file");
}

/* Takes over fd, which stays the caller's to close when this fails. */
static enum status
adopt(struct reader **out, int fd, const char *shown, struct error *err)
{
    struct stat status;
    void *memory;

    if (fstat(fd, &status) != 0)
        return error_errno(err, "cannot read the size of %s", shown);
    if (!S_ISREG(status.st_mode))
        return refuse_kind(&status, shown, err);
    TRY(memory_alloc(&memory, sizeof **out, err));
    *out = memory;
    **out = (struct reader){fd, (uint64_t) status.st_size, shown};
    return STATUS_OK;
}

enum status
reader_open(struct reader **out, const char *path, const char *shown,
            struct error *err)
{
    *out = NULL;
    // O_NONBLOCK: a pipe without a writer would stop us here
    int fd = fault_due() ? (errno = EIO, -1)
                         : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_errno(err, "cannot open %s", shown);
    enum status result = adopt(out, fd, shown, err);
    if (result != STATUS_OK)
        close(fd);
    return result;
}

void
reader_close(struct reader *reader)
{
    if (reader == NULL)
        return;
    close(reader->fd);
    free(reader);
}

uint64_t
reader_bytes(const struct reader *reader)
{
    return reader->bytes;
}

enum status
reader_read(const struct reader *reader, void *to, size_t bytes,
            uint64_t offset, struct error *err)
{
    char *next = to;

    while (bytes > 0) {
        ssize_t got = fault_due()
                          ? (errno = EIO, -1)
                          : pread(reader->fd, next, bytes, (off_t) offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(
                err, "cannot read %zu bytes at offset %" PRIu64 " of %s", bytes,
                offset, reader->shown);
        if (got == 0)
            return error_set(err, STATUS_FORMAT,
                             "%s became shorter while it was read: it ends at "
                             "offset %" PRIu64 ", not %" PRIu64,
                             reader->shown, offset, reader->bytes);
        next += got;
        bytes -= (size_t) got;
        offset += (uint64_t) got;
    }
    return STATUS_OK;
}

void
reader_forget(const struct reader *reader, uint64_t offset, uint64_t bytes)
{
    // advice: refusal costs page cache only
    (void) posix_fadvise(reader->fd, (off_t) offset, (off_t) bytes,
                         POSIX_FADV_DONTNEED);
}

// -- a team of threads ------------------------------------------------------

enum { THREADS_MAX = 64 };

/* A file that is open while pieces of it are being read. */
struct open_file {
    struct reader *reader;
    size_t left; // pieces not yet done
};

/* Shared by the team. `lock` guards all but the atomics. */
struct team {
    const struct reader_plan *plan;
    atomic_size_t next; // piece to be taken
    atomic_bool stop;
    atomic_ullong done_bytes;
    pthread_mutex_t lock;
    struct open_file *file;
    enum status status; // the first failure
    struct error *err;
};

static void
team_fail(struct team *team, enum status status, const struct error *err)
{
    pthread_mutex_lock(&team->lock);
    if (team->status == STATUS_OK) {
        team->status = status;
        *team->err = *err;
    }
    pthread_mutex_unlock(&team->lock);
    atomic_store(&team->stop, true);
}

/* The reader of a piece's file, opened by whoever comes first. */
static enum status
team_open(struct team *team, const struct reader_piece *piece,
          struct reader **out, struct error *err)
{
    const struct reader_file *file = &team->plan->file[piece->file];
    struct open_file *open_file = &team->file[piece->file];
    enum status status = STATUS_OK;

    pthread_mutex_lock(&team->lock);
    if (open_file->reader == NULL)
        status = reader_open(&open_file->reader, file->path, file->shown, err);
    *out = open_file->reader;
    pthread_mutex_unlock(&team->lock);
    return status;
}

/* One piece of the file less; with the last one it is closed. */
static void
team_leave(struct team *team, const struct reader_piece *piece)
{
    struct open_file *open_file = &team->file[piece->file];
    struct reader *unused = NULL;

    pthread_mutex_lock(&team->lock);
    if (--open_file->left == 0) {
        unused = open_file->reader;
        open_file->reader = NULL;
    }
    pthread_mutex_unlock(&team->lock);
    reader_close(unused);
}

static enum status
team_read(struct team *team, const struct reader_piece *piece, void *staging,
          struct error *err)
{
    const struct reader_plan *plan = team->plan;
    void *to = piece->to != NULL ? piece->to : staging;
    struct reader *reader;

    TRY(team_open(team, piece, &reader, err));
    TRY(reader_read(reader, to, piece->bytes, piece->offset, err));
    if (plan->forget)
        reader_forget(reader, piece->offset, piece->bytes);
    TRY(plan->arrived(plan->context, piece, to, err));
    team_leave(team, piece);
    uint64_t done =
        atomic_fetch_add(&team->done_bytes, piece->bytes) + piece->bytes;
    if (plan->progress != NULL)
        plan->progress(plan->context, done);
    return STATUS_OK;
}

static enum status
team_work(struct team *team, struct error *err)
{
    const struct reader_plan *plan = team->plan;
    enum status status = STATUS_OK;
    void *staging = NULL;

    if (plan->staging_bytes > 0)
        TRY(memory_alloc(&staging, plan->staging_bytes, err));
    while (status == STATUS_OK && !atomic_load(&team->stop)) {
        size_t i = atomic_fetch_add(&team->next, 1);
        if (i >= plan->pieces)
            break;
        if (plan->cancel != NULL && atomic_load(plan->cancel))
            status = error_set(err, STATUS_CANCELLED, "loading was stopped");
        else
            status = team_read(team, &plan->piece[i], staging, err);
    }
    free(staging);
    return status;
}

static void *
team_thread(void *argument)
{
    struct team *team = argument;
    struct error err;
    enum status status = team_work(team, &err);

    if (status != STATUS_OK)
        team_fail(team, status, &err);
    return NULL;
}

static enum status
team_open_files(struct team *team, struct error *err)
{
    const struct reader_plan *plan = team->plan;
    void *memory;

    TRY(memory_alloc(&memory, plan->files * sizeof *team->file, err));
    team->file = memory;
    for (size_t i = 0; i < plan->pieces; i++)
        team->file[plan->piece[i].file].left++;
    return STATUS_OK;
}

static void
team_close_files(struct team *team)
{
    for (size_t i = 0; i < team->plan->files; i++)
        reader_close(team->file[i].reader);
    free(team->file);
}

enum status
reader_run(const struct reader_plan *plan, unsigned threads, struct error *err)
{
    struct team team = {.plan = plan, .err = err};
    pthread_t thread[THREADS_MAX];
    size_t started = 0;

    TRY(team_open_files(&team, err));
    pthread_mutex_init(&team.lock, NULL);
    while (started + 1 < threads && started < THREADS_MAX &&
           started + 1 < plan->pieces &&
           pthread_create(&thread[started], NULL, team_thread, &team) == 0)
        started++;
    team_thread(&team);
    for (size_t i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    pthread_mutex_destroy(&team.lock);
    team_close_files(&team);
    return team.status;
}
