/* SQLite's default VFS with a memory and a temper. */
#include "config.h"

#include "shim_vfs.h"

#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum kind { OP_WRITE, OP_TRUNCATE, OP_SYNC, OP_DELETE };

struct operation {
    enum kind kind;
    char name[32]; // of the file, without its folder
    sqlite3_int64 at;
    size_t bytes;
    void *data;
    char note[SHIM_NOTE_BYTES];
};

struct shim_file {
    sqlite3_file base;
    char name[32];
    sqlite3_file *real;
};

static struct {
    sqlite3_vfs vfs, *real;
    sqlite3_io_methods methods;
    unsigned long countdown;
    int code;
    bool onwards, failed;
    shim_note_fn *note;
    struct operation *operations;
    size_t count, room;
} shim;

// -- failing and remembering ------------------------------------------------

static bool
due(void)
{
    if (shim.failed && shim.onwards)
        return true;
    if (shim.countdown == 0 || --shim.countdown > 0)
        return false;
    shim.failed = true;
    return true;
}

static void
remember(enum kind kind, const char *name, const void *data, size_t bytes,
         sqlite3_int64 at)
{
    struct operation *operation;

    if (shim.note == NULL)
        return;
    if (shim.count == shim.room) {
        shim.room = shim.room == 0 ? 256 : 2 * shim.room;
        shim.operations =
            realloc(shim.operations, shim.room * sizeof *shim.operations);
        assert_non_null(shim.operations);
    }
    operation = &shim.operations[shim.count++];
    memset(operation, 0, sizeof *operation);
    operation->kind = kind;
    snprintf(operation->name, sizeof operation->name, "%s", name);
    operation->at = at;
    operation->bytes = bytes;
    if (data != NULL) {
        operation->data = malloc(bytes);
        assert_non_null(operation->data);
        memcpy(operation->data, data, bytes);
    }
    shim.note(operation->note);
}

void
shim_fail(unsigned long n, int code, bool onwards)
{
    shim.countdown = n;
    shim.code = code;
    shim.onwards = onwards;
    shim.failed = false;
}

bool
shim_failed(void)
{
    return shim.failed;
}

void
shim_record(shim_note_fn *note)
{
    shim.note = note;
    if (note == NULL)
        return;
    for (size_t i = 0; i < shim.count; i++)
        free(shim.operations[i].data);
    shim.count = 0;
}

size_t
shim_operations(void)
{
    return shim.count;
}

const void *
shim_note(size_t operation)
{
    return shim.operations[operation].note;
}

// -- the file ---------------------------------------------------------------

static struct shim_file *
shim_of(sqlite3_file *file)
{
    return (struct shim_file *) file;
}

static sqlite3_file *
real_of(sqlite3_file *file)
{
    return shim_of(file)->real;
}

static int
shim_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int
shim_read(sqlite3_file *file, void *out, int bytes, sqlite3_int64 at)
{
    return real_of(file)->pMethods->xRead(real_of(file), out, bytes, at);
}

static int
shim_write(sqlite3_file *file, const void *data, int bytes, sqlite3_int64 at)
{
    if (due())
        return shim.code;
    remember(OP_WRITE, shim_of(file)->name, data, (size_t) bytes, at);
    return real_of(file)->pMethods->xWrite(real_of(file), data, bytes, at);
}

static int
shim_truncate(sqlite3_file *file, sqlite3_int64 bytes)
{
    if (due())
        return shim.code == SQLITE_FULL ? SQLITE_IOERR_TRUNCATE : shim.code;
    remember(OP_TRUNCATE, shim_of(file)->name, NULL, 0, bytes);
    return real_of(file)->pMethods->xTruncate(real_of(file), bytes);
}

static int
shim_sync(sqlite3_file *file, int flags)
{
    if (due())
        return SQLITE_IOERR_FSYNC;
    remember(OP_SYNC, shim_of(file)->name, NULL, 0, 0);
    (void) flags; // nothing here survives a real power cut anyway
    return SQLITE_OK;
}

static int
shim_size(sqlite3_file *file, sqlite3_int64 *out)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), out);
}

static int
shim_lock(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xLock(real_of(file), lock);
}

static int
shim_unlock(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), lock);
}

static int
shim_reserved(sqlite3_file *file, int *out)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int
shim_control(sqlite3_file *file, int what, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), what, argument);
}

static int
shim_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

/* The disk promises nothing. */
static int
shim_promises(sqlite3_file *file)
{
    (void) file;
    return 0;
}

// -- the file system --------------------------------------------------------

static const char *
last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static int
shim_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
          int *out)
{
    struct shim_file *mine = shim_of(file);
    int code;

    (void) vfs;
    memset(mine, 0, sizeof *mine);
    mine->real = (sqlite3_file *) (void *) (mine + 1);
    snprintf(mine->name, sizeof mine->name, "%s",
             path == NULL ? "" : last_part(path));
    code = shim.real->xOpen(shim.real, path, mine->real, flags, out);
    if (code == SQLITE_OK)
        mine->base.pMethods = &shim.methods;
    return code;
}

static int
shim_delete(sqlite3_vfs *vfs, const char *path, int sync)
{
    (void) vfs;
    if (due())
        return SQLITE_IOERR_DELETE;
    remember(OP_DELETE, last_part(path), NULL, 0, 0);
    return shim.real->xDelete(shim.real, path, sync);
}

void
shim_start(void)
{
    shim.real = sqlite3_vfs_find(NULL);
    assert_non_null(shim.real);
    shim.vfs = *shim.real;
    shim.vfs.zName = "shim";
    shim.vfs.pNext = NULL;
    shim.vfs.szOsFile = (int) sizeof(struct shim_file) + shim.real->szOsFile;
    shim.vfs.xOpen = shim_open;
    shim.vfs.xDelete = shim_delete;
    shim.methods = (sqlite3_io_methods){
        .iVersion = 1,
        .xClose = shim_close,
        .xRead = shim_read,
        .xWrite = shim_write,
        .xTruncate = shim_truncate,
        .xSync = shim_sync,
        .xFileSize = shim_size,
        .xLock = shim_lock,
        .xUnlock = shim_unlock,
        .xCheckReservedLock = shim_reserved,
        .xFileControl = shim_control,
        .xSectorSize = shim_sector,
        .xDeviceCharacteristics = shim_promises,
    };
    assert_int_equal(sqlite3_vfs_register(&shim.vfs, 1), SQLITE_OK);
}

// -- power cuts -------------------------------------------------------------

/* Was the file synced, or gone, between this operation and the cut? */
static bool
certain(size_t i, size_t count)
{
    for (size_t j = i + 1; j < count; j++)
        if ((shim.operations[j].kind == OP_SYNC ||
             shim.operations[j].kind == OP_DELETE) &&
            strcmp(shim.operations[j].name, shim.operations[i].name) == 0)
            return true;
    return false;
}

static void
apply(const char *folder, const struct operation *operation)
{
    char path[4096 + 64];
    int file;

    snprintf(path, sizeof path, "%s/%s", folder, operation->name);
    if (operation->kind == OP_DELETE) {
        unlink(path);
        return;
    }
    file = open(path, O_RDWR | O_CREAT, 0600);
    assert_true(file >= 0);
    if (operation->kind == OP_WRITE)
        assert_int_equal(
            pwrite(file, operation->data, operation->bytes, operation->at),
            operation->bytes);
    else
        assert_int_equal(ftruncate(file, operation->at), 0);
    close(file);
}

void
shim_power_cut(const char *folder, size_t count, unsigned seed)
{
    for (size_t i = 0; i < count; i++) {
        bool reached = certain(i, count) || rand_r(&seed) % 2 == 0;

        if (shim.operations[i].kind != OP_SYNC && reached)
            apply(folder, &shim.operations[i]);
    }
}
