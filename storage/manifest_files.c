/* The files of a model: found, measured, hashed, copied. */
#include "config.h"

#include "storage/manifest_parts.h"
#include "storage/reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DEPTH_MOST = 8, // folders in folders
    QUOTED_BYTES = 300,
    FILE_MODE = 0644,
    FOLDER_MODE = 0755,
};

static const char *
shown_path(char out[QUOTED_BYTES], const char *folder, const char *path)
{
    char whole[PATH_MAX];

    snprintf(whole, sizeof whole, "%.3000s/%.1000s", folder, path);
    return text_quote(out, QUOTED_BYTES, whole, strlen(whole));
}

static enum status
join(char out[PATH_MAX], const char *folder, const char *path,
     struct error *err)
{
    int n = snprintf(out, PATH_MAX, "%s/%s", folder, path);

    if (n < 0 || n >= PATH_MAX)
        return error_set(err, STATUS_LIMIT, "a path is too long: %.200s/...",
                         folder);
    return STATUS_OK;
}

/* -- finding -----------------------------------------------------------------
 */

struct walk {
    struct manifest *found; // paths and sizes
    const char *folder;
    enum status refusal; // status of what does not belong there
};

static enum status
refuse(const struct walk *walk, const char *path, const char *why,
       struct error *err)
{
    char shown[QUOTED_BYTES];

    shown_path(shown, walk->folder, path);
    error_fill(err, walk->refusal, "%s %s", shown, why);
    return walk->refusal;
}

static enum status walk_into(struct walk *walk, int parent, const char *name,
                             const char *prefix, int depth, struct error *err);

/* The manifest and its signatures do not list themselves. */
static bool
is_about_model(const char *path)
{
    return strcmp(path, MANIFEST_NAME) == 0 || manifest_is_signature(path);
}

static enum status
walk_entry(struct walk *walk, int folder, const char *name, const char *prefix,
           int depth, struct error *err)
{
    char path[PATH_MAX];
    struct stat status;

    if (snprintf(path, sizeof path, "%s%s", prefix, name) + 2 >
        MANIFEST_PATH_BYTES)
        return refuse(walk, name, "has a path that is too long for a model",
                      err);
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, "cannot look at %.200s/...", walk->folder);
    if (S_ISLNK(status.st_mode))
        return refuse(walk, path,
                      "is a symbolic link; a model's folder holds files only",
                      err);
    if (S_ISDIR(status.st_mode))
        return walk_into(walk, folder, name, path, depth + 1, err);
    if (!S_ISREG(status.st_mode))
        return refuse(walk, path, "is not a regular file", err);
    if (is_about_model(path))
        return STATUS_OK;
    if (!manifest_is_path(path))
        return refuse(walk, path, "has a name that no file of a model may have",
                      err);
    return manifest_add(walk->found, path, (uint64_t) status.st_size, err);
}

static enum status
walk_entries(struct walk *walk, DIR *open, const char *prefix, int depth,
             struct error *err)
{
    enum status status = STATUS_OK;

    for (struct dirent *entry;
         status == STATUS_OK && (entry = readdir(open)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        status =
            walk_entry(walk, dirfd(open), entry->d_name, prefix, depth, err);
    }
    return status;
}

/* `path` is that of the folder below the first one; "" for that one. */
static enum status
walk_into(struct walk *walk, int parent, const char *name, const char *path,
          int depth, struct error *err)
{
    char prefix[PATH_MAX], shown[QUOTED_BYTES];

    if (depth > DEPTH_MOST)
        return refuse(walk, path, "lies too deep for a model", err);
    int folder =
        openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *open = folder < 0 ? NULL : fdopendir(folder);

    if (open == NULL) {
        int failed = errno;

        if (folder >= 0)
            close(folder);
        shown_path(shown, walk->folder, path);
        errno = failed;
        return error_errno(err, "cannot read the folder %s", shown);
    }
    snprintf(prefix, sizeof prefix, "%s%s", path, *path ? "/" : "");
    enum status status = walk_entries(walk, open, prefix, depth, err);

    closedir(open);
    return status;
}

static int
compare_files(const void *a, const void *b)
{
    return strcmp(((const struct manifest_file *) a)->path,
                  ((const struct manifest_file *) b)->path);
}

/* All files below the folder, in order. */
static enum status
find_files(struct manifest *out, const char *folder, enum status refusal,
           struct error *err)
{
    struct walk walk = {out, folder, refusal};

    TRY(walk_into(&walk, AT_FDCWD, folder, "", 0, err));
    if (out->files > 0)
        qsort(out->file, out->files, sizeof *out->file, compare_files);
    return STATUS_OK;
}

/* -- sizes -------------------------------------------------------------------
 */

static enum status
compare_sizes(const struct manifest *wanted, const struct manifest *found,
              const char *folder, struct error *err)
{
    char shown[QUOTED_BYTES];
    size_t i = 0;

    for (size_t f = 0; f < found->files; f++, i++) {
        const struct manifest_file *there = &found->file[f];
        int order =
            i < wanted->files ? strcmp(wanted->file[i].path, there->path) : 1;

        if (order < 0)
            break; // one that is listed is missing
        if (order > 0)
            return error_set(err, STATUS_SIGNATURE,
                             "%s is not in the model's manifest",
                             shown_path(shown, folder, there->path));
        if (wanted->file[i].bytes != there->bytes)
            return error_set(
                err, STATUS_SIGNATURE,
                "%s has %llu bytes, but %llu by the model's manifest",
                shown_path(shown, folder, there->path),
                (unsigned long long) there->bytes,
                (unsigned long long) wanted->file[i].bytes);
    }
    if (i < wanted->files)
        return error_set(err, STATUS_SIGNATURE,
                         "%s is missing, though it is in the model's manifest",
                         shown_path(shown, folder, wanted->file[i].path));
    return STATUS_OK;
}

enum status
manifest_check_sizes(const struct manifest *manifest, const char *folder,
                     struct error *err)
{
    struct manifest found = {0};
    enum status status = find_files(&found, folder, STATUS_SIGNATURE, err);

    if (status == STATUS_OK)
        status = compare_sizes(manifest, &found, folder, err);
    manifest_release(&found);
    return status;
}

/* -- reading every byte ------------------------------------------------------
 */

/* All chunks of all files, for the team of readers. */
struct plan {
    const struct manifest *manifest;
    const char *from, *to; // `to` NULL: nothing is copied
    const struct manifest_work *work;
    struct reader_plan reader;
    struct reader_file *file;
    struct reader_piece *piece;
    char *paths; // files times PATH_MAX
};

static void
hash_bytes(uint8_t out[MANIFEST_HASH_BYTES], const void *bytes, size_t length)
{
    crypto_generichash(out, MANIFEST_HASH_BYTES, bytes, length, NULL, 0);
}

void
manifest_text_hash(uint8_t out[MANIFEST_HASH_BYTES], const void *text,
                   size_t length)
{
    hash_bytes(out, text, length);
}

static enum status
differs(const struct plan *plan, const struct manifest_file *file,
        struct error *err)
{
    char shown[QUOTED_BYTES];

    return error_set(err, STATUS_SIGNATURE,
                     "%s is not the file of the model's manifest: its content "
                     "differs",
                     shown_path(shown, plan->from, file->path));
}

static enum status
write_piece(const char *path, const char *bytes, size_t length, uint64_t offset,
            struct error *err)
{
    char shown[QUOTED_BYTES];
    int file = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t n = file < 0 ? -1 : 1;

    while (length > 0 && n > 0) {
        n = fault_due() ? (errno = EIO, -1)
                        : pwrite(file, bytes, length, (off_t) offset);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0) {
            bytes += n;
            length -= (size_t) n;
            offset += (uint64_t) n;
        }
    }
    int failed = errno;

    if (file >= 0 && close(file) < 0 && n >= 0) {
        failed = errno;
        n = -1;
    }
    errno = failed;
    if (n < 0)
        return error_errno(err, "cannot write %s",
                           text_quote(shown, sizeof shown, path, strlen(path)));
    return STATUS_OK;
}

static enum status
arrived(void *context, const struct reader_piece *piece, void *data,
        struct error *err)
{
    const struct plan *plan = context;
    const struct manifest_file *file = &plan->manifest->file[piece->file];
    const uint8_t *wanted =
        file->chunk ? file->chunk + piece->item * (size_t) MANIFEST_HASH_BYTES
                    : file->hash;
    uint8_t hash[MANIFEST_HASH_BYTES];
    char to[PATH_MAX];

    hash_bytes(hash, data, piece->bytes);
    if (memcmp(hash, wanted, sizeof hash) != 0)
        return differs(plan, file, err);
    if (plan->to == NULL)
        return STATUS_OK;
    TRY(join(to, plan->to, file->path, err));
    return write_piece(to, data, piece->bytes, piece->offset, err);
}

static void
tell_progress(void *context, uint64_t done_bytes)
{
    const struct plan *plan = context;

    if (plan->work->progress)
        plan->work->progress(plan->work->context, done_bytes);
}

static void
add_pieces(struct plan *plan, size_t f)
{
    uint64_t bytes = plan->manifest->file[f].bytes, offset = 0;

    for (uint32_t item = 0; offset < bytes; item++) {
        uint64_t left = bytes - offset;
        size_t n =
            left < MANIFEST_CHUNK_BYTES ? (size_t) left : MANIFEST_CHUNK_BYTES;

        plan->piece[plan->reader.pieces++] = (struct reader_piece){
            .offset = offset, .bytes = n, .file = (uint32_t) f, .item = item};
        if (n > plan->reader.staging_bytes)
            plan->reader.staging_bytes = n;
        offset += n;
    }
}

static size_t
count_pieces(const struct manifest *manifest)
{
    size_t count = 0;

    for (size_t i = 0; i < manifest->files; i++)
        count += manifest->file[i].chunks ? manifest->file[i].chunks : 1;
    return count;
}

static enum status
plan_open(struct plan *plan, struct error *err)
{
    const struct manifest *manifest = plan->manifest;
    void *memory;

    TRY(memory_alloc(&memory, manifest->files * sizeof *plan->file, err));
    plan->file = memory;
    TRY(memory_alloc(&memory, count_pieces(manifest) * sizeof *plan->piece,
                     err));
    plan->piece = memory;
    TRY(memory_alloc(&memory, manifest->files * (size_t) PATH_MAX, err));
    plan->paths = memory;
    for (size_t i = 0; i < manifest->files; i++) {
        char *path = plan->paths + i * PATH_MAX;

        TRY(join(path, plan->from, manifest->file[i].path, err));
        plan->file[i] = (struct reader_file){path, manifest->file[i].path};
        add_pieces(plan, i);
    }
    plan->reader.file = plan->file;
    plan->reader.files = manifest->files;
    plan->reader.piece = plan->piece;
    plan->reader.arrived = arrived;
    plan->reader.progress = tell_progress;
    plan->reader.context = plan;
    plan->reader.cancel = plan->work->cancel;
    return STATUS_OK;
}

/* A file without bytes has no piece. */
static enum status
check_empty(const struct plan *plan, struct error *err)
{
    uint8_t hash[MANIFEST_HASH_BYTES];

    hash_bytes(hash, NULL, 0);
    for (size_t i = 0; i < plan->manifest->files; i++) {
        const struct manifest_file *file = &plan->manifest->file[i];

        if (file->bytes == 0 && memcmp(file->hash, hash, sizeof hash) != 0)
            return differs(plan, file, err);
    }
    return STATUS_OK;
}

static enum status
read_everything(const struct manifest *manifest, const char *from,
                const char *to, const struct manifest_work *work,
                struct error *err)
{
    struct plan plan = {
        .manifest = manifest, .from = from, .to = to, .work = work};
    enum status status = plan_open(&plan, err);

    if (status == STATUS_OK)
        status = check_empty(&plan, err);
    if (status == STATUS_OK && plan.reader.pieces > 0)
        status = reader_run(&plan.reader, work->threads, err);
    // a file that became shorter meanwhile is not the one that was signed
    if (status == STATUS_FORMAT)
        status = err->status = STATUS_SIGNATURE;
    free(plan.file);
    free(plan.piece);
    free(plan.paths);
    return status;
}

enum status
manifest_check_hashes(const struct manifest *manifest, const char *folder,
                      const struct manifest_work *work, struct error *err)
{
    TRY(manifest_check_sizes(manifest, folder, err));
    return read_everything(manifest, folder, NULL, work, err);
}

/* -- copying -----------------------------------------------------------------
 */

/* The folders on the way to a file. */
static enum status
make_folders(const char *to, const char *path, struct error *err)
{
    char whole[PATH_MAX], shown[QUOTED_BYTES];

    TRY(join(whole, to, path, err));
    for (char *slash = whole + strlen(to) + 1;
         (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
        *slash = '\0';
        if (mkdir(whole, FOLDER_MODE) < 0 && errno != EEXIST)
            return error_errno(
                err, "cannot make the folder %s",
                text_quote(shown, sizeof shown, whole, strlen(whole)));
    }
    return STATUS_OK;
}

/* An empty file that has its room already, so that a full disk shows early. */
static enum status
make_file(const char *path, uint64_t bytes, struct error *err)
{
    char shown[QUOTED_BYTES];
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    FILE_MODE);
    int failed = file < 0 ? errno : 0;

    if (file >= 0 && bytes > 0)
        failed = posix_fallocate(file, 0, (off_t) bytes);
    // where room cannot be kept, it is found out while writing
    if (failed == EOPNOTSUPP || failed == EINVAL)
        failed = 0;
    if (file >= 0)
        close(file);
    errno = failed;
    if (failed)
        return error_errno(err, "cannot create %s",
                           text_quote(shown, sizeof shown, path, strlen(path)));
    return STATUS_OK;
}

static enum status
sync_path(const char *path, int flags, struct error *err)
{
    char shown[QUOTED_BYTES];
    int file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | flags);
    bool good =
        file >= 0 && (fault_due() ? (errno = EIO, -1) : fsync(file)) == 0;
    int failed = errno;

    if (file >= 0)
        close(file);
    errno = failed;
    if (!good)
        return error_errno(err, "cannot write %s",
                           text_quote(shown, sizeof shown, path, strlen(path)));
    return STATUS_OK;
}

/* A file, and the folders between it and `to`, to the disk. */
static enum status
sync_file(const char *to, const char *path, struct error *err)
{
    char whole[PATH_MAX];

    TRY(join(whole, to, path, err));
    TRY(sync_path(whole, 0, err));
    for (char *slash; (slash = strrchr(whole, '/')) != NULL &&
                      (size_t) (slash - whole) >= strlen(to);) {
        *slash = '\0';
        TRY(sync_path(whole, O_DIRECTORY, err));
    }
    return STATUS_OK;
}

enum status
manifest_copy(const struct manifest *manifest, const char *from, const char *to,
              const struct manifest_work *work, struct error *err)
{
    char whole[PATH_MAX];

    for (size_t i = 0; i < manifest->files; i++) {
        TRY(make_folders(to, manifest->file[i].path, err));
        TRY(join(whole, to, manifest->file[i].path, err));
        TRY(make_file(whole, manifest->file[i].bytes, err));
    }
    TRY(read_everything(manifest, from, to, work, err));
    for (size_t i = 0; i < manifest->files; i++)
        TRY(sync_file(to, manifest->file[i].path, err));
    return STATUS_OK;
}

/* -- building ----------------------------------------------------------------
 */

/* One file being hashed: as a whole, and by chunks. */
struct hashing {
    struct manifest_file *file;
    uint8_t *chunk; // MANIFEST_CHUNK_BYTES
    const struct manifest_work *work;
    uint64_t *done_bytes; // of all files
};

static enum status
hash_file(struct hashing *h, const struct reader *reader, struct error *err)
{
    crypto_generichash_state whole;
    uint64_t offset = 0, bytes = h->file->bytes;

    crypto_generichash_init(&whole, NULL, 0, MANIFEST_HASH_BYTES);
    for (size_t c = 0; offset < bytes; c++) {
        size_t n = bytes - offset < MANIFEST_CHUNK_BYTES
                       ? (size_t) (bytes - offset)
                       : MANIFEST_CHUNK_BYTES;

        if (h->work->cancel && *h->work->cancel)
            return error_set(err, STATUS_CANCELLED, "stopped");
        TRY(reader_read(reader, h->chunk, n, offset, err));
        crypto_generichash_update(&whole, h->chunk, n);
        if (h->file->chunk)
            hash_bytes(h->file->chunk + c * MANIFEST_HASH_BYTES, h->chunk, n);
        offset += n;
        *h->done_bytes += n;
        if (h->work->progress)
            h->work->progress(h->work->context, *h->done_bytes);
    }
    crypto_generichash_final(&whole, h->file->hash, MANIFEST_HASH_BYTES);
    return STATUS_OK;
}

static enum status
build_file(struct hashing *h, const char *folder, struct error *err)
{
    char path[PATH_MAX], shown[QUOTED_BYTES];
    struct reader *reader = NULL;
    void *memory;

    TRY(join(path, folder, h->file->path, err));
    TRY(reader_open(&reader, path, shown_path(shown, folder, h->file->path),
                    err));
    enum status status = STATUS_OK;

    h->file->bytes = reader_bytes(reader);
    h->file->chunks = manifest_chunks(h->file->bytes);
    if (h->file->chunks > 0)
        status =
            memory_alloc(&memory, h->file->chunks * MANIFEST_HASH_BYTES, err);
    if (status == STATUS_OK && h->file->chunks > 0)
        h->file->chunk = memory;
    if (status == STATUS_OK)
        status = hash_file(h, reader, err);
    reader_close(reader);
    return status;
}

enum status
manifest_build(struct manifest *out, const char *folder, const char *only,
               const struct manifest_work *work, struct error *err)
{
    struct hashing hashing = {.work = work};
    uint64_t done_bytes = 0;
    void *memory;

    if (only && !manifest_is_path(only))
        return refuse(&(struct walk){out, folder, STATUS_FORMAT}, only,
                      "has a name that no file of a model may have", err);
    if (only)
        TRY(manifest_add(out, only, 0, err));
    else
        TRY(find_files(out, folder, STATUS_FORMAT, err));
    if (out->files == 0)
        return error_set(err, STATUS_FORMAT, "there is no file in %.300s",
                         folder);
    TRY(memory_alloc(&memory, MANIFEST_CHUNK_BYTES, err));
    hashing.chunk = memory;
    hashing.done_bytes = &done_bytes;
    enum status status = STATUS_OK;

    for (size_t i = 0; i < out->files && status == STATUS_OK; i++) {
        hashing.file = &out->file[i];
        status = build_file(&hashing, folder, err);
    }
    free(memory);
    return status;
}

/* -- receipts ----------------------------------------------------------------
 */

static long long
nanoseconds(struct timespec time)
{
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static enum status
add_receipt(struct buffer *out, const char *folder,
            const struct manifest_file *file, struct error *err)
{
    char path[PATH_MAX], shown[QUOTED_BYTES];
    struct stat s;

    TRY(join(path, folder, file->path, err));
    if (lstat(path, &s) < 0)
        return error_errno(err, "cannot look at %s",
                           shown_path(shown, folder, file->path));
    return buffer_print(out, err, "%llu %llu %llu %lld %lld %s\n",
                        (unsigned long long) s.st_dev,
                        (unsigned long long) s.st_ino,
                        (unsigned long long) s.st_size, nanoseconds(s.st_mtim),
                        nanoseconds(s.st_ctim), file->path);
}

enum status
manifest_receipt(struct buffer *out, const struct manifest *manifest,
                 const char *folder, const uint8_t hash[MANIFEST_HASH_BYTES],
                 struct error *err)
{
    char text[2 * MANIFEST_HASH_BYTES + 1];

    sodium_bin2hex(text, sizeof text, hash, MANIFEST_HASH_BYTES);
    TRY(buffer_print(out, err, "fathom-receipt 1\nmanifest %s\n", text));
    for (size_t i = 0; i < manifest->files; i++)
        TRY(add_receipt(out, folder, &manifest->file[i], err));
    return STATUS_OK;
}
