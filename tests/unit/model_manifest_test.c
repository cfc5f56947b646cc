/*
 * storage/model_manifest.h: the grammar of a manifest, and folders that are
 * not what it says.
 */
#include "config.h"

#include "storage/storage.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define HEAD                                                                   \
    "fathom-manifest 1\nname: n\nfamily: deepseek2\nformat: gguf\n"            \
    "licence: MIT\ncreated: 2026-11-25T20:00:00Z\ntool: t 1\n\n"
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define A16 "aaaaaaaaaaaaaaaa"

static enum status
parse(const char *text, struct error *err)
{
    struct manifest manifest;
    struct buffer again = {0};
    enum status status =
        manifest_parse(&manifest, "M", text, strlen(text), err);

    // what is accepted is written the same way again
    if (status == STATUS_OK) {
        assert_int_equal(manifest_write(&again, &manifest, err), STATUS_OK);
        assert_string_equal(again.data, text);
    }
    buffer_release(&again);
    manifest_release(&manifest);
    return status;
}

static void
what_is_accepted_has_one_spelling(void **state)
{
    struct error err;

    (void) state;
    assert_int_equal(parse(HEAD HASH " 0 a\n", &err), STATUS_OK);
    assert_int_equal(
        parse(HEAD HASH " 5 a\n" HASH " 16777216 a b/c.gguf\n", &err),
        STATUS_OK);
    assert_int_equal(parse(HEAD HASH " 16777217 a\n" HASH " 1 b\n"
                                     "\nchunks a\n" HASH "\n" HASH "\n",
                           &err),
                     STATUS_OK);
}

static void
what_breaks_the_grammar_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"", "M is empty or too large"},
        {"\n", "M line 1: a manifest begins with \"fathom-manifest 1\""},
        {"fathom-manifest 2\n", "M is of a newer kind than this fathom knows"},
        {"fathom-manifest 1\nfamily: x\n",
         "M line 2: here is \"name: \" and its value"},
        {"fathom-manifest 1\nname: \n",
         "M line 2: here is \"name: \" and its value"},
        {"fathom-manifest 1\nname:  x\n",
         "M line 2: here is \"name: \" and its value"},
        {"fathom-manifest 1\nname: \xc3\xa9\n",
         "M line 2: there is a character that is not printable ASCII"},
        {"fathom-manifest 1\r\n",
         "M line 1: there is a character that is not printable ASCII"},
        {HEAD, "M lists no file"},
        {HEAD "\n", "M line 9: there is no large file, so no chunks"},
        {HEAD HASH " 1 a",
         "M line 9: the last line does not end with a line feed"},
        {HEAD HASH "  1 a\n",
         "M line 9: the size is not a number that a file can have"},
        {HEAD HASH " 01 a\n",
         "M line 9: the size is not a number that a file can have"},
        {HEAD HASH " -1 a\n",
         "M line 9: the size is not a number that a file can have"},
        {HEAD HASH " 99999999999999999999 a\n",
         "M line 9: the size is not a number that a file can have"},
        {HEAD "0123456789ABCDEF" HASH " 1 a\n",
         "M line 9: a file begins with 64 hexadecimal digits"},
        {HEAD HASH "0 1 a\n",
         "M line 9: a file begins with 64 hexadecimal digits"},
        {HEAD HASH " 1 a\n" HASH " 1 a\n",
         "M line 10: paths are not in order, or one is there twice"},
        {HEAD HASH " 1 b\n" HASH " 1 a\n",
         "M line 10: paths are not in order, or one is there twice"},
        {HEAD HASH " 16777217 a\n", "M line 9: the chunks are missing"},
        {HEAD HASH " 16777217 a\n\n", "M line 11: it is missing"},
        {HEAD HASH " 16777217 a\n\nchunks b\n",
         "M line 11: here are the chunks of the next large file"},
        {HEAD HASH " 16777217 a\n\nchunks a\n" HASH "\n",
         "M line 11: there are fewer chunks than the file has"},
        {HEAD HASH " 9999999999999999 a\n\nchunks a\n" HASH "\n",
         "M line 11: there are fewer chunks than the file has"},
        {HEAD HASH " 16777217 a\n\nchunks a\n" HASH "\n" HASH "\n" HASH "\n",
         "M line 14: there is more than there should be"},
        {HEAD HASH " 1 a\n\n",
         "M line 10: there is no large file, so no chunks"},
    };

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err;

        assert_int_not_equal(parse(cases[i].text, &err), STATUS_OK);
        assert_string_equal(err.text, cases[i].wanted);
    }
}

static void
paths_that_lead_elsewhere_are_refused(void **state)
{
    static const char *const paths[] = {
        "..",
        "../a",
        "a/../b",
        "/a",
        "/etc/passwd",
        "a/",
        "a//b",
        ".",
        "./a",
        ".hidden",
        "a/.b",
        "a\\b",
        "a /b",
        "a/ b",
        " a",
        "a ",
        "MANIFEST",
        "MANIFEST.minisig",
        "MANIFEST.x.minisig",
        "a/..",
        "",
    };

    (void) state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char text[1000];
        struct error err;

        snprintf(text, sizeof text, HEAD HASH " 1 %s\n", paths[i]);
        assert_int_equal(parse(text, &err), STATUS_FORMAT);
    }
}

static void
a_long_path_is_refused(void **state)
{
    char text[1200] = HEAD HASH " 1 ";
    struct error err;

    (void) state;
    for (int i = 0; i < 40; i++)
        strcat(text, A16 "/");
    strcat(text, "a\n");
    assert_int_equal(parse(text, &err), STATUS_FORMAT);
}

/* -- folders -----------------------------------------------------------------
 */

struct model {
    char folder[64];
    struct manifest manifest;
};

static const struct manifest_work work = {.threads = 2};

static const char *
in(const struct model *model, const char *name)
{
    static char path[200];

    snprintf(path, sizeof path, "%s/%s", model->folder, name);
    return path;
}

static void
put(const struct model *model, const char *name, uint64_t bytes)
{
    FILE *file = fopen(in(model, name), "w");

    assert_non_null(file);
    for (uint64_t i = 0; i < bytes; i++)
        putc((int) (i * 7 + i / 251), file);
    assert_int_equal(fclose(file), 0);
}

static void
flip(const struct model *model, const char *name, off_t at)
{
    int file = open(in(model, name), O_RDWR);
    char byte;

    assert_true(file >= 0);
    assert_int_equal(pread(file, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(file, &byte, 1, at), 1);
    close(file);
}

static int
make_model(void **state)
{
    struct model *model = calloc(1, sizeof *model);
    struct error err;

    assert_non_null(model);
    strcpy(model->folder, "/tmp/fathom-manifest-XXXXXX");
    assert_non_null(mkdtemp(model->folder));
    assert_int_equal(mkdir(in(model, "sub"), 0700), 0);
    put(model, "big.gguf", MANIFEST_CHUNK_BYTES + 100);
    put(model, "sub/small", 10);
    put(model, "empty", 0);
    put(model, "MANIFEST.minisig", 3);
    for (size_t i = 0; i < MANIFEST_FIELDS; i++)
        strcpy(model->manifest.head[i], "x");
    assert_int_equal(
        manifest_build(&model->manifest, model->folder, NULL, &work, &err),
        STATUS_OK);
    *state = model;
    return 0;
}

static int
remove_model(void **state)
{
    struct model *model = *state;
    char line[100];

    manifest_release(&model->manifest);
    snprintf(line, sizeof line, "rm -r %s", model->folder);
    int failed = system(line);

    free(model);
    return failed;
}

static enum status
check(const struct model *model, struct error *err)
{
    return manifest_check_hashes(&model->manifest, model->folder, &work, err);
}

static void
a_model_is_what_its_manifest_says(void **state)
{
    struct model *model = *state;
    struct buffer text = {0};
    struct manifest back;
    struct error err;

    assert_int_equal(model->manifest.files, 3);
    assert_string_equal(model->manifest.file[0].path, "big.gguf");
    assert_string_equal(model->manifest.file[1].path, "empty");
    assert_string_equal(model->manifest.file[2].path, "sub/small");
    assert_int_equal(model->manifest.file[0].chunks, 2);
    assert_int_equal(check(model, &err), STATUS_OK);
    assert_int_equal(manifest_write(&text, &model->manifest, &err), STATUS_OK);
    assert_int_equal(manifest_parse(&back, "M", text.data, text.length, &err),
                     STATUS_OK);
    assert_int_equal(manifest_bytes(&back), MANIFEST_CHUNK_BYTES + 110);
    assert_non_null(manifest_find(&back, "sub/small"));
    assert_null(manifest_find(&back, "sub"));
    manifest_release(&back);
    buffer_release(&text);
}

static void
hashes_are_those_that_b2sum_prints(void **state)
{
    struct model *model = *state;
    char line[300], hex[80];
    FILE *pipe;

    if (system("command -v b2sum >/dev/null") != 0)
        skip();
    snprintf(line, sizeof line, "b2sum -l 256 %s", in(model, "big.gguf"));
    pipe = popen(line, "r");
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%64s", hex), 1);
    pclose(pipe);
    for (size_t i = 0; i < MANIFEST_HASH_BYTES; i++) {
        char byte[3];

        snprintf(byte, sizeof byte, "%02x", model->manifest.file[0].hash[i]);
        assert_memory_equal(byte, hex + 2 * i, 2);
    }
}

static void
a_changed_bit_anywhere_is_found(void **state)
{
    struct model *model = *state;
    static const off_t at[] = {0, MANIFEST_CHUNK_BYTES - 1,
                               MANIFEST_CHUNK_BYTES, MANIFEST_CHUNK_BYTES + 99};
    struct error err;

    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        flip(model, "big.gguf", at[i]);
        assert_int_equal(check(model, &err), STATUS_SIGNATURE);
        assert_non_null(strstr(err.text, "big.gguf is not the file"));
        flip(model, "big.gguf", at[i]);
    }
    flip(model, "sub/small", 3);
    assert_int_equal(check(model, &err), STATUS_SIGNATURE);
    assert_non_null(strstr(err.text, "sub/small is not the file"));
    flip(model, "sub/small", 3);
    assert_int_equal(check(model, &err), STATUS_OK);
}

static void
a_folder_with_more_less_or_other_files_is_refused(void **state)
{
    struct model *model = *state;
    struct error err;

    put(model, "more", 1);
    assert_int_equal(check(model, &err), STATUS_SIGNATURE);
    assert_non_null(strstr(err.text, "more is not in the model's manifest"));
    unlink(in(model, "more"));
    put(model, "zz", 1);
    assert_int_equal(check(model, &err), STATUS_SIGNATURE);
    unlink(in(model, "zz"));
    put(model, ".hidden", 1);
    assert_int_equal(check(model, &err), STATUS_SIGNATURE);
    unlink(in(model, ".hidden"));
    put(model, "sub/small", 9);
    assert_int_equal(check(model, &err), STATUS_SIGNATURE);
    assert_non_null(strstr(err.text, "has 9 bytes, but 10"));
    unlink(in(model, "sub/small"));
    assert_int_equal(check(model, &err), STATUS_SIGNATURE);
    assert_non_null(strstr(err.text, "sub/small is missing"));
    put(model, "sub/small", 10);
    assert_int_equal(check(model, &err), STATUS_OK);
}

static void
links_and_devices_in_a_model_are_refused(void **state)
{
    struct model *model = *state;
    char target[200];
    struct error err;

    strcpy(target, in(model, "sub/small"));
    rename(target, "/tmp/fathom-manifest-aside");
    assert_int_equal(symlink("/tmp/fathom-manifest-aside", target), 0);
    assert_int_equal(check(model, &err), STATUS_SIGNATURE);
    assert_non_null(strstr(err.text, "is a symbolic link"));
    unlink(target);
    rename("/tmp/fathom-manifest-aside", target);
    strcpy(target, in(model, "loop"));
    assert_int_equal(symlink(".", target), 0);
    assert_int_equal(check(model, &err), STATUS_SIGNATURE);
    unlink(target);
    assert_int_equal(mkfifo(target, 0600), 0);
    assert_int_equal(check(model, &err), STATUS_SIGNATURE);
    assert_non_null(strstr(err.text, "is not a regular file"));
    unlink(target);
    assert_int_equal(check(model, &err), STATUS_OK);
}

static void
a_receipt_tells_when_a_file_was_touched(void **state)
{
    struct model *model = *state;
    uint8_t hash[MANIFEST_HASH_BYTES] = {1};
    struct buffer before = {0}, after = {0};
    struct error err;

    assert_int_equal(
        manifest_receipt(&before, &model->manifest, model->folder, hash, &err),
        STATUS_OK);
    assert_int_equal(
        manifest_receipt(&after, &model->manifest, model->folder, hash, &err),
        STATUS_OK);
    assert_string_equal(before.data, after.data);
    buffer_clear(&after);
    // the same content and time of change, but another time of status change
    struct stat s;

    assert_int_equal(stat(in(model, "sub/small"), &s), 0);
    flip(model, "sub/small", 0);
    flip(model, "sub/small", 0);
    assert_int_equal(utimensat(AT_FDCWD, in(model, "sub/small"),
                               (struct timespec[]){s.st_atim, s.st_mtim}, 0),
                     0);
    assert_int_equal(
        manifest_receipt(&after, &model->manifest, model->folder, hash, &err),
        STATUS_OK);
    assert_string_not_equal(before.data, after.data);
    buffer_release(&before);
    buffer_release(&after);
}

static void
a_copy_has_every_byte_and_a_bad_one_is_found(void **state)
{
    struct model *model = *state;
    struct model copy = {.folder = "/tmp/fathom-manifest-XXXXXX"};
    struct error err;
    char line[100];

    assert_non_null(mkdtemp(copy.folder));
    assert_int_equal(manifest_copy(&model->manifest, model->folder, copy.folder,
                                   &work, &err),
                     STATUS_OK);
    assert_int_equal(
        manifest_check_hashes(&model->manifest, copy.folder, &work, &err),
        STATUS_OK);
    // never over what is there
    assert_int_equal(manifest_copy(&model->manifest, model->folder, copy.folder,
                                   &work, &err),
                     STATUS_IO);
    snprintf(line, sizeof line, "rm -r %s/*", copy.folder);
    assert_int_equal(system(line), 0);
    flip(model, "big.gguf", 77);
    assert_int_equal(manifest_copy(&model->manifest, model->folder, copy.folder,
                                   &work, &err),
                     STATUS_SIGNATURE);
    flip(model, "big.gguf", 77);
    snprintf(line, sizeof line, "rm -r %s", copy.folder);
    assert_int_equal(system(line), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_accepted_has_one_spelling),
        cmocka_unit_test(what_breaks_the_grammar_is_refused_with_its_line),
        cmocka_unit_test(paths_that_lead_elsewhere_are_refused),
        cmocka_unit_test(a_long_path_is_refused),
        cmocka_unit_test(a_model_is_what_its_manifest_says),
        cmocka_unit_test(hashes_are_those_that_b2sum_prints),
        cmocka_unit_test(a_changed_bit_anywhere_is_found),
        cmocka_unit_test(a_folder_with_more_less_or_other_files_is_refused),
        cmocka_unit_test(links_and_devices_in_a_model_are_refused),
        cmocka_unit_test(a_receipt_tells_when_a_file_was_touched),
        cmocka_unit_test(a_copy_has_every_byte_and_a_bad_one_is_found),
    };

    // one group: two would print two plans
    return cmocka_run_group_tests(tests, make_model, remove_model);
}
