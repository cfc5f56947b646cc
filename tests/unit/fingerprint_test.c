/* engine/fingerprint.h */
#include "config.h"

#include "engine/fingerprint.h"
#include "tests/unit/model_writer.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define FILE_NAME "fingerprint_test.gguf"
#define OTHER "fingerprint_test_other.gguf"
#define PREFIX "fingerprint_test_split"

static struct error err;

static struct fingerprint
take(const char *path)
{
    struct fingerprint out = {.content = {0}};
    struct gguf *gguf;

    if (gguf_open(&gguf, path, &err) != STATUS_OK ||
        fingerprint_take(&out, gguf, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    gguf_close(gguf);
    return out;
}

/* Two tensors of `rows` rows of 1 KiB. */
static void
save(const char *path, uint64_t rows, const char *name)
{
    const uint64_t extent[4] = {256, rows};
    struct model_writer w;

    writer_init(&w, 32);
    writer_text(&w, "general.architecture", "test");
    writer_text(&w, "general.name", name);
    writer_tensor(&w, "a", FORMAT_F32, extent, NULL);
    writer_tensor(&w, "b", FORMAT_F32, extent, NULL);
    assert_true(writer_save(&w, path));
    writer_release(&w);
}

static void
put_byte(const char *path, off_t at, uint8_t byte)
{
    int fd = open(path, O_WRONLY);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static off_t
size_of(const char *path)
{
    int fd = open(path, O_RDONLY);
    off_t size = lseek(fd, 0, SEEK_END);

    close(fd);
    return size;
}

static void
assert_content(const struct fingerprint *a, const struct fingerprint *b,
               bool same)
{
    int difference = memcmp(a->content, b->content, sizeof a->content);

    assert_int_equal(difference == 0, same);
}

static void
a_copy_has_the_same_content_and_other_files(void **state)
{
    char text[FINGERPRINT_TEXT], again[FINGERPRINT_TEXT];

    (void) state;
    save(FILE_NAME, 4, "x");
    save(OTHER, 4, "x");
    struct fingerprint a = take(FILE_NAME), b = take(OTHER);
    assert_content(&a, &b, true);
    assert_memory_not_equal(a.files, b.files, sizeof a.files);
    fingerprint_text(text, &a);
    fingerprint_text(again, &b);
    assert_int_equal(strlen(text), 64);
    assert_string_equal(text, again);
}

static void
every_byte_of_a_small_file_counts(void **state)
{
    (void) state;
    save(FILE_NAME, 4, "x");
    struct fingerprint a = take(FILE_NAME);
    off_t size = size_of(FILE_NAME);
    // what lies in front of the tensors must stay readable
    for (off_t at = size - 8192; at < size; at += 61) {
        put_byte(FILE_NAME, at, 1);
        struct fingerprint b = take(FILE_NAME);
        assert_content(&a, &b, false);
        assert_memory_not_equal(a.files, b.files, sizeof a.files);
        put_byte(FILE_NAME, at, 0);
    }
    struct fingerprint c = take(FILE_NAME);
    assert_content(&a, &c, true);
    save(OTHER, 4, "y");
    struct fingerprint d = take(OTHER);
    assert_content(&a, &d, false);
}

static void
a_large_file_is_sampled(void **state)
{
    enum { ROWS = 10240, TENSOR = ROWS * 1024 };
    const struct {
        off_t from_end;
        bool counts;
    } places[] = {
        {1, true},           {4096, true},       {TENSOR / 2, true},
        {TENSOR, true},      {TENSOR + 1, true}, {2 * TENSOR, true},
        {TENSOR / 4, false},
    };

    (void) state;
    save(FILE_NAME, ROWS, "x");
    struct fingerprint a = take(FILE_NAME);
    off_t size = size_of(FILE_NAME);
    assert_true(size > 16 << 20);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        put_byte(FILE_NAME, size - places[i].from_end, 1);
        struct fingerprint b = take(FILE_NAME);
        assert_content(&a, &b, !places[i].counts);
        // a change that the samples miss is one of the file all the same
        assert_memory_not_equal(a.files, b.files, sizeof a.files);
        put_byte(FILE_NAME, size - places[i].from_end, 0);
    }
    save(OTHER, ROWS, "y");
    struct fingerprint c = take(OTHER);
    assert_content(&a, &c, false);
    save(OTHER, ROWS + 1, "x");
    struct fingerprint d = take(OTHER);
    assert_content(&a, &d, false);
}

static void
every_file_of_a_split_set_counts(void **state)
{
    char path[2][64];
    struct gguf *gguf;

    (void) state;
    save(FILE_NAME, 4, "x");
    if (gguf_open(&gguf, FILE_NAME, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    writer_split(gguf, PREFIX, 2, false);
    gguf_close(gguf);
    for (unsigned i = 0; i < 2; i++)
        writer_shard_path(path[i], sizeof path[i], PREFIX, i, 2);
    struct fingerprint a = take(path[0]);
    for (unsigned i = 0; i < 2; i++) {
        put_byte(path[i], size_of(path[i]) - 5, 1);
        struct fingerprint b = take(path[0]);
        assert_content(&a, &b, false);
        put_byte(path[i], size_of(path[i]) - 5, 0);
    }
    struct fingerprint c = take(path[0]);
    assert_content(&a, &c, true);
    remove(path[0]);
    remove(path[1]);
}

static int
clean(void **state)
{
    (void) state;
    remove(FILE_NAME);
    remove(OTHER);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_has_the_same_content_and_other_files),
        cmocka_unit_test(every_byte_of_a_small_file_counts),
        cmocka_unit_test(a_large_file_is_sampled),
        cmocka_unit_test(every_file_of_a_split_set_counts),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
