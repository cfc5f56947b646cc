/* storage/reader.h: whole ranges, by one thread and by a team. */
#include "config.h"

#include "storage/reader.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define FILE_NAME "reader_test.data"

enum { FILE_BYTES = 100003, PIECE = 1009, FILES = 300, NOBODY = 65534 };

static struct error err;

static uint8_t
byte_at(size_t file, size_t i)
{
    return (uint8_t) (file * 31 + i * 7 + i / 251);
}

static void
make_file(const char *path, size_t number)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    for (size_t i = 0; i < FILE_BYTES; i++)
        fputc(byte_at(number, i), file);
    assert_int_equal(fclose(file), 0);
}

static int
open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

// -- one reader -------------------------------------------------------------

static void
a_range_is_read_exactly(void **state)
{
    struct reader *reader;
    uint8_t bytes[64];

    (void) state;
    make_file(FILE_NAME, 0);
    assert_int_equal(reader_open(&reader, FILE_NAME, "it", &err), STATUS_OK);
    assert_int_equal(reader_bytes(reader), FILE_BYTES);
    memset(bytes, 0xEE, sizeof bytes);
    assert_int_equal(reader_read(reader, bytes, 50, 5000, &err), STATUS_OK);
    for (size_t i = 0; i < 50; i++)
        assert_int_equal(bytes[i], byte_at(0, 5000 + i));
    assert_int_equal(bytes[50], 0xEE);
    assert_int_equal(reader_read(reader, bytes, 0, FILE_BYTES, &err),
                     STATUS_OK);
    reader_forget(reader, 0, FILE_BYTES);
    reader_close(reader);
    reader_close(NULL);
    remove(FILE_NAME);
}

static void
a_file_that_shrank_is_said(void **state)
{
    struct reader *reader;
    uint8_t bytes[64];

    (void) state;
    make_file(FILE_NAME, 0);
    assert_int_equal(reader_open(&reader, FILE_NAME, "it", &err), STATUS_OK);
    assert_int_equal(truncate(FILE_NAME, 5010), 0);
    assert_int_equal(reader_read(reader, bytes, 50, 5000, &err), STATUS_FORMAT);
    assert_string_equal(err.text, "it became shorter while it was read: it "
                                  "ends at offset 5010, not 100003");
    reader_close(reader);
    remove(FILE_NAME);
}

static void
only_regular_files_are_opened(void **state)
{
    struct reader *reader;

    (void) state;
    assert_int_equal(reader_open(&reader, "reader_test.no", "none", &err),
                     STATUS_IO);
    assert_string_equal(err.text,
                        "cannot open none: No such file or directory");
    assert_int_equal(reader_open(&reader, ".", "here", &err), STATUS_IO);
    assert_string_equal(err.text, "cannot read here: it is a directory");
    assert_int_equal(reader_open(&reader, "/dev/zero", "zero", &err),
                     STATUS_IO);
    assert_string_equal(err.text, "cannot read zero: it is not a regular file");
    // a pipe that nobody writes to must not stop us
    assert_int_equal(mkfifo("reader_test.fifo", 0600), 0);
    assert_int_equal(reader_open(&reader, "reader_test.fifo", "pipe", &err),
                     STATUS_IO);
    remove("reader_test.fifo");
}

static int
open_as_nobody(void)
{
    struct reader *reader;

    if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
        return 77;
    if (reader_open(&reader, FILE_NAME, "it", &err) == STATUS_OK) {
        reader_close(reader);
        return 1;
    }
    return strstr(err.text, "Permission denied") != NULL ? 0 : 2;
}

static void
an_unreadable_file_is_said(void **state)
{
    int status;

    (void) state;
    make_file(FILE_NAME, 0);
    assert_int_equal(chmod(FILE_NAME, 0), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(open_as_nobody());
    waitpid(pid, &status, 0);
    remove(FILE_NAME);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

// -- a team -----------------------------------------------------------------

/* What a run reads, and what its callbacks saw. */
struct run {
    struct reader_file file[FILES];
    char name[FILES][40];
    size_t files;
    struct reader_piece *piece;
    size_t pieces;
    uint8_t *place; // of all bytes that have one
    atomic_size_t arrived, wrong;
    atomic_ullong most;
    size_t fail_at; // number of arrivals after which one fails; 0: none
    atomic_bool cancel;
    size_t cancel_at;
};

static void
make_run(struct run *run, size_t files)
{
    size_t each = (FILE_BYTES + PIECE - 1) / PIECE;

    memset(run, 0, sizeof *run);
    run->files = files;
    run->piece = calloc(files * each, sizeof *run->piece);
    run->place = calloc(files, FILE_BYTES);
    for (size_t f = 0; f < files; f++) {
        snprintf(run->name[f], sizeof run->name[f], "reader_test.%zu", f);
        make_file(run->name[f], f);
        run->file[f] = (struct reader_file){run->name[f], run->name[f]};
        for (size_t at = 0; at < FILE_BYTES; at += PIECE) {
            struct reader_piece *piece = &run->piece[run->pieces++];
            size_t left = FILE_BYTES - at;

            piece->file = (uint32_t) f;
            piece->offset = at;
            piece->bytes = left < PIECE ? left : PIECE;
            piece->item = (uint32_t) run->pieces;
            // every third through a thread's own memory
            if (run->pieces % 3 != 0)
                piece->to = run->place + f * FILE_BYTES + at;
        }
    }
}

static void
free_run(struct run *run)
{
    for (size_t f = 0; f < run->files; f++)
        remove(run->name[f]);
    free(run->piece);
    free(run->place);
}

static enum status
arrived(void *context, const struct reader_piece *piece, void *data,
        struct error *error)
{
    struct run *run = context;
    const uint8_t *bytes = data;

    for (size_t i = 0; i < piece->bytes; i++)
        if (bytes[i] != byte_at(piece->file, piece->offset + i))
            atomic_fetch_add(&run->wrong, 1);
    size_t count = atomic_fetch_add(&run->arrived, 1) + 1;
    if (count == run->fail_at)
        return error_set(error, STATUS_FORMAT, "piece %zu is bad", count);
    if (count == run->cancel_at)
        atomic_store(&run->cancel, true);
    return STATUS_OK;
}

static void
progress(void *context, uint64_t done)
{
    struct run *run = context;
    unsigned long long most = atomic_load(&run->most);

    while (done > most &&
           !atomic_compare_exchange_weak(&run->most, &most, done))
        ;
}

static enum status
start(struct run *run, unsigned threads)
{
    const struct reader_plan plan = {
        .file = run->file,
        .files = run->files,
        .piece = run->piece,
        .pieces = run->pieces,
        .staging_bytes = PIECE,
        .arrived = arrived,
        .progress = progress,
        .context = run,
        .cancel = &run->cancel,
        .forget = threads % 2 == 0,
    };

    return reader_run(&plan, threads, &err);
}

static void
a_team_reads_every_piece_to_its_place(void **state)
{
    static struct run run;
    int before = open_descriptors();

    (void) state;
    for (unsigned threads = 0; threads <= 5; threads++) {
        make_run(&run, 3);
        assert_int_equal(start(&run, threads), STATUS_OK);
        assert_int_equal(run.arrived, run.pieces);
        assert_int_equal(run.wrong, 0);
        assert_int_equal(run.most, 3 * FILE_BYTES);
        for (size_t i = 0; i < run.pieces; i++) {
            const struct reader_piece *piece = &run.piece[i];
            const uint8_t *to = piece->to;

            for (size_t b = 0; to != NULL && b < piece->bytes; b++)
                assert_int_equal(to[b],
                                 byte_at(piece->file, piece->offset + b));
        }
        free_run(&run);
    }
    assert_int_equal(open_descriptors(), before);
}

/* More files than descriptors: each is open only while it is read. */
static void
a_set_of_many_files_needs_few_descriptors(void **state)
{
    static struct run run;
    struct rlimit saved, few = {64, 64};

    (void) state;
    make_run(&run, FILES);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
    few.rlim_max = saved.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    enum status status = start(&run, 4);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
    assert_int_equal(status, STATUS_OK);
    assert_int_equal(run.wrong, 0);
    free_run(&run);
}

static void
a_bad_piece_stops_the_team(void **state)
{
    static struct run run;

    (void) state;
    for (unsigned threads = 1; threads <= 4; threads++) {
        make_run(&run, 3);
        run.fail_at = 20;
        assert_int_equal(start(&run, threads), STATUS_FORMAT);
        assert_string_equal(err.text, "piece 20 is bad");
        // others read on until the one that knows has been given its turn
        if (threads == 1)
            assert_true(run.arrived <= 20 + 1);
        free_run(&run);
    }
}

static void
a_team_can_be_stopped(void **state)
{
    static struct run run;

    (void) state;
    make_run(&run, 3);
    run.cancel_at = 30;
    assert_int_equal(start(&run, 3), STATUS_CANCELLED);
    assert_true(run.arrived < run.pieces);
    free_run(&run);
}

static void
a_missing_file_is_named(void **state)
{
    static struct run run;

    (void) state;
    make_run(&run, 3);
    remove("reader_test.1");
    assert_int_equal(start(&run, 2), STATUS_IO);
    assert_string_equal(err.text,
                        "cannot open reader_test.1: No such file or directory");
    free_run(&run);
}

static void
every_failure_is_clean(void **state)
{
    static struct run run;
    int before = open_descriptors();
    unsigned long n = 1;

    (void) state;
    for (;; n++) {
        make_run(&run, 1);
        fault_arm(n);
        enum status status = start(&run, 3);
        fault_arm(0);
        free_run(&run);
        if (status == STATUS_OK)
            break;
        assert_true(status == STATUS_IO || status == STATUS_NOMEM);
    }
    assert_true(n > FILE_BYTES / PIECE);
    assert_int_equal(open_descriptors(), before);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_is_read_exactly),
        cmocka_unit_test(a_file_that_shrank_is_said),
        cmocka_unit_test(only_regular_files_are_opened),
        cmocka_unit_test(an_unreadable_file_is_said),
        cmocka_unit_test(a_team_reads_every_piece_to_its_place),
        cmocka_unit_test(a_set_of_many_files_needs_few_descriptors),
        cmocka_unit_test(a_bad_piece_stops_the_team),
        cmocka_unit_test(a_team_can_be_stopped),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(every_failure_is_clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
