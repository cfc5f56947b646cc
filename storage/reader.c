/* pread until all is there. */
#include "config.h"

#include "storage/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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
