/*
 * SQLite as a box of opaque rows. Nothing that is secret reaches it, and
 * nothing that it says is believed before a row was opened with its key.
 */
#include "config.h"

#include "storage/vault_file.h"
#include "storage/little_endian.h"
#include "storage/safe_file.h"
#include "storage/sealed.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    META_BYTES = 60,
    PATH_SHOWN = 300,
    KEYS_MOST = 1 << 20,
    ROW_MOST = 200 << 20,
    DATABASE_HEAD = 100, // SQLite's own header
};

static const char META_MAGIC[8] = {'f', 'a', 't', 'h', 'o', 'm', '-', 'v'};
static const char META_SQL[] =
    "CREATE TABLE meta(k INTEGER PRIMARY KEY,v BLOB NOT NULL)";
static const char ROWS_SQL[] =
    "CREATE TABLE r(id INTEGER PRIMARY KEY,b BLOB NOT NULL)";

enum prepared { READ_ROW, WRITE_ROW, REMOVE_ROW, EACH_ROW, PREPARED };
static const char *const PREPARED_SQL[PREPARED] = {
    [READ_ROW] = "SELECT b FROM r WHERE id=?1",
    [WRITE_ROW] = "INSERT OR REPLACE INTO r(id,b) VALUES(?1,?2)",
    [REMOVE_ROW] = "DELETE FROM r WHERE id=?1",
    [EACH_ROW] = "SELECT id FROM r WHERE id>=?1 ORDER BY id",
};

struct vault_file {
    sqlite3 *db;
    sqlite3_stmt *statements[PREPARED];
    struct vault_header header;
    bool reading; // opened so, and nobody else has it
    char shown[PATH_SHOWN];
    char path[PATH_MAX];
};

// -- failing ----------------------------------------------------------------

static enum status
file_fail(const struct vault_file *file, int code, const char *what,
          struct error *err)
{
    const char *why = sqlite3_errstr(code);

    switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return error_set(err, STATUS_FORMAT,
                         "cannot %s %s: the file is damaged; fathom vault "
                         "check tells how far",
                         what, file->shown);
    case SQLITE_FULL:
        return error_set(err, STATUS_IO, "cannot %s %s: the disk is full", what,
                         file->shown);
    case SQLITE_NOMEM:
        return error_set(err, STATUS_NOMEM, "cannot %s %s: no memory", what,
                         file->shown);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_set(err, STATUS_BUSY, "%s is used by another process",
                         file->shown);
    case SQLITE_TOOBIG:
        return error_set(err, STATUS_LIMIT, "cannot %s %s: a row is too long",
                         what, file->shown);
    default:
        return error_set(err, STATUS_IO, "cannot %s %s: %s", what, file->shown,
                         why);
    }
}

static enum status
run(struct vault_file *file, const char *sql, const char *what,
    struct error *err)
{
    int code = sqlite3_exec(file->db, sql, NULL, NULL, NULL);

    return code == SQLITE_OK ? STATUS_OK : file_fail(file, code, what, err);
}

// -- opening ----------------------------------------------------------------

/* The folder's real path, so that SQLite may refuse any symbolic link. */
static enum status
real_path(struct vault_file *file, const char *path, struct error *err)
{
    char folder[PATH_MAX], real[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    int length;

    text_quote(file->shown, sizeof file->shown, path, strlen(path));
    length = slash == NULL ? snprintf(folder, sizeof folder, ".")
                           : snprintf(folder, sizeof folder, "%.*s",
                                      (int) (slash - path + 1), path);
    if (length < 0 || (size_t) length >= sizeof folder)
        return error_set(err, STATUS_LIMIT, "%s is too long a path",
                         file->shown);
    if (realpath(folder, real) == NULL)
        return error_errno(err, "cannot open %s", file->shown);
    length = snprintf(file->path, sizeof file->path, "%s/%s", real, name);
    if (length < 0 || (size_t) length >= sizeof file->path)
        return error_set(err, STATUS_LIMIT, "%s is too long a path",
                         file->shown);
    return STATUS_OK;
}

static enum status
connect_database(struct vault_file *file, int flags, struct error *err)
{
    int code = sqlite3_open_v2(file->path, &file->db,
                               flags | SQLITE_OPEN_NOFOLLOW |
                                   SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                               NULL);

    if (code != SQLITE_OK)
        return file_fail(file, code, "open", err);
    sqlite3_limit(file->db, SQLITE_LIMIT_LENGTH, ROW_MOST);
    sqlite3_limit(file->db, SQLITE_LIMIT_SQL_LENGTH, 4096);
    sqlite3_limit(file->db, SQLITE_LIMIT_COLUMN, 8);
    sqlite3_limit(file->db, SQLITE_LIMIT_EXPR_DEPTH, 16);
    sqlite3_limit(file->db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(file->db, SQLITE_LIMIT_TRIGGER_DEPTH, 1);
    sqlite3_db_config(file->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(file->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(file->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(file->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_db_config(file->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    // what a planted WAL says is merged only after it was checked
    sqlite3_db_config(file->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return run(file,
               "PRAGMA locking_mode=EXCLUSIVE;"
               "PRAGMA temp_store=MEMORY;"
               "PRAGMA mmap_size=0;"
               "PRAGMA trusted_schema=OFF;"
               "PRAGMA cell_size_check=ON;"
               "PRAGMA secure_delete=ON;"
               "PRAGMA synchronous=FULL;",
               "open", err);
}

static enum status
prepare(struct vault_file *file, struct error *err)
{
    for (size_t i = 0; i < PREPARED; i++) {
        int code = sqlite3_prepare_v3(file->db, PREPARED_SQL[i], -1,
                                      SQLITE_PREPARE_PERSISTENT,
                                      &file->statements[i], NULL);

        if (code != SQLITE_OK)
            return file_fail(file, code, "read", err);
    }
    return STATUS_OK;
}

static enum status
file_alloc(struct vault_file **out, const char *path, struct error *err)
{
    void *memory;
    enum status status;

    TRY(memory_alloc(&memory, sizeof **out, err));
    *out = memory;
    memset(*out, 0, sizeof **out);
    status = real_path(*out, path, err);
    if (status != STATUS_OK)
        free(*out);
    return status;
}

/* One row of `meta` goes in, or comes out of it. */
static enum status
meta_write(struct vault_file *file, int key, const void *bytes, size_t length,
           struct error *err)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(
        file->db, "INSERT INTO meta(k,v) VALUES(?1,?2)", -1, &statement, NULL);

    if (code == SQLITE_OK) {
        sqlite3_bind_int(statement, 1, key);
        sqlite3_bind_blob64(statement, 2, bytes, length, SQLITE_STATIC);
        code = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    if (code != SQLITE_DONE)
        return file_fail(file, code, "write", err);
    return STATUS_OK;
}

static enum status
meta_read(struct buffer *out, struct vault_file *file, int key,
          struct error *err)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(file->db, "SELECT v FROM meta WHERE k=?1", -1,
                                  &statement, NULL);
    enum status status = STATUS_OK;

    buffer_clear(out);
    if (code == SQLITE_OK) {
        sqlite3_bind_int(statement, 1, key);
        code = sqlite3_step(statement);
    }
    if (code == SQLITE_ROW)
        status =
            buffer_append(out, sqlite3_column_blob(statement, 0),
                          (size_t) sqlite3_column_bytes(statement, 0), err);
    else if (code != SQLITE_DONE)
        status = file_fail(file, code, "read", err);
    sqlite3_finalize(statement);
    return status;
}

static enum status
write_header(struct vault_file *file, struct error *err)
{
    uint8_t meta[META_BYTES];

    memcpy(meta, META_MAGIC, sizeof META_MAGIC);
    put_u32(meta + 8, file->header.format);
    memcpy(meta + 12, file->header.vault, sizeof file->header.vault);
    memcpy(meta + 28, file->header.sealing, sizeof file->header.sealing);
    return meta_write(file, 1, meta, sizeof meta, err);
}

static enum status
read_header(struct vault_file *file, struct error *err)
{
    struct buffer meta = {0};
    enum status status = meta_read(&meta, file, 1, err);

    if (status != STATUS_OK)
        return status;
    if (meta.length < 12 || memcmp(meta.data, META_MAGIC, 8) != 0) {
        buffer_release(&meta);
        return error_set(err, STATUS_FORMAT, "%s is no vault of fathom's",
                         file->shown);
    }
    file->header.format = get_u32(meta.data + 8);
    if (file->header.format == SEALED_FORMAT && meta.length == META_BYTES) {
        memcpy(file->header.vault, meta.data + 12, VAULT_ID_BYTES);
        memcpy(file->header.sealing, meta.data + 28, 32);
    } else if (file->header.format > SEALED_FORMAT) {
        status = error_set(err, STATUS_UNSUPPORTED,
                           "%s has format %u; this fathom knows %d: a newer "
                           "one is needed",
                           file->shown, file->header.format, SEALED_FORMAT);
    } else {
        status = error_set(err, STATUS_FORMAT, "%s has a damaged header",
                           file->shown);
    }
    buffer_release(&meta);
    return status;
}

static enum status
make_empty(const struct vault_file *file, struct error *err)
{
    int descriptor =
        open(file->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
             S_IRUSR | S_IWUSR);

    if (descriptor < 0 && errno == EEXIST)
        return error_set(err, STATUS_LIMIT, "%s exists already", file->shown);
    if (descriptor < 0)
        return error_errno(err, "cannot make %s", file->shown);
    fchmod(descriptor, S_IRUSR | S_IWUSR); // whatever the umask took away
    close(descriptor);
    return STATUS_OK;
}

static enum status
create_tables(struct vault_file *file, struct error *err)
{
    TRY(run(file,
            "PRAGMA page_size=8192; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA "
            "journal_mode=WAL;",
            "make", err));
    TRY(run(file, "BEGIN IMMEDIATE", "make", err));
    TRY(run(file, META_SQL, "make", err));
    TRY(run(file, ROWS_SQL, "make", err));
    TRY(write_header(file, err));
    TRY(run(file, "COMMIT", "make", err));
    return prepare(file, err);
}

enum status
vault_file_create(struct vault_file **out, const char *path,
                  const struct vault_header *header, struct error *err)
{
    struct vault_file *file;
    enum status status;

    TRY(file_alloc(&file, path, err));
    file->header = *header;
    status = make_empty(file, err);
    if (status == STATUS_OK)
        status = connect_database(file, SQLITE_OPEN_READWRITE, err);
    if (status == STATUS_OK)
        status = create_tables(file, err);
    if (status == STATUS_OK)
        *out = file;
    else
        vault_file_close(file, false);
    return status;
}

/* A journal beside it would be played back into it: we never leave one. */
static enum status
check_beside(const struct vault_file *file, struct error *err)
{
    char path[PATH_MAX + 16];
    struct stat info;

    snprintf(path, sizeof path, "%s-journal", file->path);
    if (lstat(path, &info) == 0)
        return error_set(err, STATUS_INTEGRITY,
                         "%s-journal is not fathom's; somebody put it there, "
                         "move it away",
                         file->shown);
    snprintf(path, sizeof path, "%s-wal", file->path);
    if (lstat(path, &info) == 0)
        return safe_file_check(path, err);
    return STATUS_OK;
}

/* Refuses what is no database of ours before SQLite looks at it. */
static enum status
check_head(const struct vault_file *file, bool wal, struct error *err)
{
    static const char magic[16] = "SQLite format 3";
    uint8_t head[DATABASE_HEAD];
    int descriptor =
        open(file->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t got;
    struct stat info;
    bool regular;

    if (descriptor < 0)
        return error_errno(err, "cannot open %s", file->shown);
    regular = fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
    got = regular ? pread(descriptor, head, sizeof head, 0) : -1;
    close(descriptor);
    if (got != (ssize_t) sizeof head || memcmp(head, magic, 16) != 0 ||
        head[18] != (wal ? 2 : 1) || head[19] != (wal ? 2 : 1))
        return error_set(err, STATUS_FORMAT,
                         "%s is no %s of fathom's, or its beginning is damaged",
                         file->shown, wal ? "vault" : "backup");
    return STATUS_OK;
}

struct schema_check {
    size_t rows;
    bool ours;
};

static int
schema_row(void *context, int columns, char **values, char **names)
{
    static const char *const want[2][4] = {{"table", "meta", "meta", META_SQL},
                                           {"table", "r", "r", ROWS_SQL}};
    struct schema_check *check = context;

    (void) names;
    assert(columns == 4);
    for (int i = 0; i < 4; i++)
        if (check->rows >= 2 || values[i] == NULL ||
            strcmp(values[i], want[check->rows][i]) != 0)
            check->ours = false;
    check->rows++;
    return 0;
}

static enum status
check_schema(struct vault_file *file, struct error *err)
{
    struct schema_check check = {0, true};
    int code = sqlite3_exec(
        file->db,
        "SELECT type,name,tbl_name,sql FROM sqlite_master ORDER BY rowid",
        schema_row, &check, NULL);

    // a schema that cannot be parsed is not ours either
    if (code == SQLITE_ERROR)
        check.ours = false;
    else if (code != SQLITE_OK)
        return file_fail(file, code, "read", err);
    if (!check.ours || check.rows != 2)
        return error_set(err, STATUS_INTEGRITY,
                         "%s has other tables than fathom makes: somebody "
                         "changed it",
                         file->shown);
    return STATUS_OK;
}

static enum status
open_checked(struct vault_file *file, enum vault_file_use use,
             struct error *err)
{
    bool backup = use == VAULT_FILE_BACKUP;

    if (!backup)
        TRY(safe_file_check(file->path, err));
    TRY(check_head(file, !backup, err));
    TRY(check_beside(file, err));
    TRY(connect_database(
        file, backup ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE, err));
    TRY(check_schema(file, err));
    TRY(read_header(file, err));
    if (use == VAULT_FILE_READ)
        TRY(run(file, "PRAGMA query_only=ON", "open", err));
    TRY(prepare(file, err));
    file->reading = use == VAULT_FILE_READ;
    return STATUS_OK;
}

enum status
vault_file_open(struct vault_file **out, const char *path,
                enum vault_file_use use, struct error *err)
{
    struct vault_file *file;
    enum status status;

    TRY(file_alloc(&file, path, err));
    status = open_checked(file, use, err);
    if (status == STATUS_OK)
        *out = file;
    else
        vault_file_close(file, false);
    return status;
}

/* Reading makes an empty WAL, which is no trace to leave. */
static void
drop_empty_wal(const struct vault_file *file)
{
    char path[PATH_MAX + 8];
    struct stat info;

    snprintf(path, sizeof path, "%s-wal", file->path);
    if (lstat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size == 0)
        unlink(path);
}

void
vault_file_close(struct vault_file *file, bool merge)
{
    if (file == NULL)
        return;
    for (size_t i = 0; i < PREPARED; i++)
        sqlite3_finalize(file->statements[i]);
    if (merge && file->db != NULL) {
        sqlite3_wal_checkpoint_v2(file->db, NULL, SQLITE_CHECKPOINT_TRUNCATE,
                                  NULL, NULL);
        sqlite3_db_config(file->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    }
    sqlite3_close(file->db);
    if (file->reading)
        drop_empty_wal(file);
    free(file);
}

const struct vault_header *
vault_file_header(const struct vault_file *file)
{
    return &file->header;
}

// -- rows -------------------------------------------------------------------

enum status
vault_file_read(struct buffer *out, bool *found, struct vault_file *file,
                uint64_t row, struct error *err)
{
    sqlite3_stmt *statement = file->statements[READ_ROW];
    enum status status = STATUS_OK;
    int code;

    buffer_clear(out);
    *found = false;
    sqlite3_bind_int64(statement, 1, (sqlite3_int64) row);
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        const void *bytes = sqlite3_column_blob(statement, 0);

        *found = true;
        status = buffer_append(
            out, bytes, (size_t) sqlite3_column_bytes(statement, 0), err);
    } else if (code != SQLITE_DONE) {
        status = file_fail(file, code, "read", err);
    }
    sqlite3_reset(statement);
    return status;
}

static enum status
step_done(struct vault_file *file, sqlite3_stmt *statement, struct error *err)
{
    int code = sqlite3_step(statement);

    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    if (code != SQLITE_DONE)
        return file_fail(file, code, "write", err);
    return STATUS_OK;
}

enum status
vault_file_write(struct vault_file *file, uint64_t row, const void *bytes,
                 size_t length, struct error *err)
{
    sqlite3_stmt *statement = file->statements[WRITE_ROW];

    sqlite3_bind_int64(statement, 1, (sqlite3_int64) row);
    sqlite3_bind_blob64(statement, 2, bytes, length, SQLITE_STATIC);
    return step_done(file, statement, err);
}

enum status
vault_file_remove(struct vault_file *file, uint64_t row, struct error *err)
{
    sqlite3_stmt *statement = file->statements[REMOVE_ROW];

    sqlite3_bind_int64(statement, 1, (sqlite3_int64) row);
    return step_done(file, statement, err);
}

enum status
vault_file_begin(struct vault_file *file, struct error *err)
{
    return run(file, "BEGIN IMMEDIATE", "write", err);
}

enum status
vault_file_commit(struct vault_file *file, struct error *err)
{
    return run(file, "COMMIT", "write", err);
}

void
vault_file_rollback(struct vault_file *file)
{
    // after some failures SQLite has rolled back already
    if (sqlite3_get_autocommit(file->db) == 0)
        sqlite3_exec(file->db, "ROLLBACK", NULL, NULL, NULL);
}

enum status
vault_file_each(struct vault_file *file, uint64_t first, vault_row_fn *visit,
                void *context, struct error *err)
{
    sqlite3_stmt *statement = file->statements[EACH_ROW];
    int code;

    sqlite3_bind_int64(statement, 1, (sqlite3_int64) first);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        if (!visit(context, (uint64_t) sqlite3_column_int64(statement, 0)))
            break;
    sqlite3_reset(statement);
    if (code != SQLITE_DONE && code != SQLITE_ROW)
        return file_fail(file, code, "read", err);
    return STATUS_OK;
}

// -- care -------------------------------------------------------------------

static int
take_number(void *context, int columns, char **values, char **names)
{
    (void) names;
    if (columns == 1 && values[0] != NULL)
        *(uint64_t *) context = strtoull(values[0], NULL, 10);
    return 0;
}

static enum status
number_of(uint64_t *out, struct vault_file *file, const char *sql,
          struct error *err)
{
    int code = sqlite3_exec(file->db, sql, take_number, out, NULL);

    return code == SQLITE_OK ? STATUS_OK : file_fail(file, code, "read", err);
}

enum status
vault_file_measure(uint64_t *rows, uint64_t *bytes, struct vault_file *file,
                   struct error *err)
{
    uint64_t pages = 0, page_bytes = 0;

    *rows = 0;
    TRY(number_of(rows, file, "SELECT count(*) FROM r", err));
    TRY(number_of(&pages, file, "PRAGMA page_count", err));
    TRY(number_of(&page_bytes, file, "PRAGMA page_size", err));
    *bytes = pages * page_bytes;
    return STATUS_OK;
}

enum status
vault_file_compact(struct vault_file *file, struct error *err)
{
    int code;

    TRY(run(file, "PRAGMA incremental_vacuum", "compact", err));
    code = sqlite3_wal_checkpoint_v2(file->db, NULL, SQLITE_CHECKPOINT_TRUNCATE,
                                     NULL, NULL);
    if (code != SQLITE_OK)
        return file_fail(file, code, "compact", err);
    return STATUS_OK;
}

struct examination {
    vault_fault_fn *fault;
    void *context;
};

static int
examine_row(void *context, int columns, char **values, char **names)
{
    struct examination *examination = context;
    char sentence[512], quoted[400];

    (void) names;
    if (columns != 1 || values[0] == NULL || strcmp(values[0], "ok") == 0)
        return 0;
    text_quote(quoted, sizeof quoted, values[0], strlen(values[0]));
    snprintf(sentence, sizeof sentence, "the file's structure: %s", quoted);
    examination->fault(examination->context, sentence);
    return 0;
}

enum status
vault_file_examine(struct vault_file *file, vault_fault_fn *fault,
                   void *context, struct error *err)
{
    struct examination examination = {fault, context};
    int code = sqlite3_exec(file->db, "PRAGMA integrity_check(20)", examine_row,
                            &examination, NULL);

    if ((code & 0xFF) == SQLITE_CORRUPT) {
        fault(context, "the file's structure cannot be walked through");
        return STATUS_OK;
    }
    return code == SQLITE_OK ? STATUS_OK : file_fail(file, code, "read", err);
}

// -- copies -----------------------------------------------------------------

static enum status
copy_pages(struct vault_file *to, struct vault_file *from, struct error *err)
{
    sqlite3_backup *copy =
        sqlite3_backup_init(to->db, "main", from->db, "main");
    int code;

    if (copy == NULL)
        return file_fail(to, sqlite3_errcode(to->db), "write", err);
    code = sqlite3_backup_step(copy, -1);
    if (code == SQLITE_DONE)
        code = sqlite3_backup_finish(copy);
    else
        sqlite3_backup_finish(copy);
    return code == SQLITE_OK ? STATUS_OK : file_fail(to, code, "write", err);
}

/* A copy at `to` that `finish` ends; gone again when something fails. */
static enum status
copy_file(struct vault_file *from, const char *to, const char *last_sql,
          const struct buffer *keys, struct error *err)
{
    struct vault_file *copy;
    enum status status;

    TRY(file_alloc(&copy, to, err));
    status = make_empty(copy, err);
    if (status != STATUS_OK) {
        vault_file_close(copy, false);
        return status;
    }
    status = connect_database(copy, SQLITE_OPEN_READWRITE, err);
    if (status == STATUS_OK)
        status = copy_pages(copy, from, err);
    if (status == STATUS_OK && keys != NULL)
        status = meta_write(copy, 2, keys->data, keys->length, err);
    if (status == STATUS_OK)
        status = run(copy, last_sql, "write", err);
    if (status == STATUS_OK)
        status = safe_file_sync_folder(copy->path, err);
    if (status != STATUS_OK)
        unlink(copy->path);
    vault_file_close(copy, true);
    return status;
}

enum status
vault_file_backup(struct vault_file *file, const char *to,
                  const struct buffer *keys, struct error *err)
{
    return copy_file(file, to, "PRAGMA journal_mode=DELETE", keys, err);
}

enum status
vault_file_backup_keys(struct buffer *keys, struct vault_file *backup,
                       struct error *err)
{
    TRY(meta_read(keys, backup, 2, err));
    if (keys->length == 0 || keys->length > KEYS_MOST)
        return error_set(err, STATUS_FORMAT,
                         "%s has no slots: it is no backup, or it was "
                         "interrupted",
                         backup->shown);
    return STATUS_OK;
}

enum status
vault_file_unpack(struct vault_file *backup, const char *to, struct error *err)
{
    return copy_file(backup, to,
                     "DELETE FROM meta WHERE k=2; PRAGMA journal_mode=WAL;",
                     NULL, err);
}
