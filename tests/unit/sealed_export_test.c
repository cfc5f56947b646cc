/* A sealed export is there whole or is refused. */
#include "config.h"

#include "storage/sealed_export.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// what Argon2id can do at least; users get more
static const struct kdf_cost cheap = {1, 8192};

static struct secret *
passphrase(const char *text)
{
    struct secret *secret;
    struct error err;

    assert_int_equal(secret_copy(&secret, text, strlen(text), &err), 0);
    return secret;
}

/* `length` bytes of a pattern, written in pieces of `step`. */
static struct buffer
sealed(size_t length, size_t step, const struct kdf_cost *cost)
{
    struct secret *key = passphrase("correct horse");
    struct sealed_export *export;
    struct buffer out = {0};
    struct error err;

    assert_int_equal(sealed_export_begin(&export, &out, key, cost, &err), 0);
    for (size_t at = 0; at < length; at += step) {
        char piece[4096];
        size_t n = length - at < step ? length - at : step;

        for (size_t i = 0; i < n; i++)
            piece[i] = (char) ((at + i) % 251);
        assert_int_equal(sealed_export_write(export, &out, piece, n, &err), 0);
    }
    assert_int_equal(sealed_export_finish(export, &out, &err), 0);
    sealed_export_close(export);
    secret_close(key);
    return out;
}

static enum status
open_it(struct buffer *plain, const void *bytes, size_t length,
        const char *with, struct error *err)
{
    struct secret *key = passphrase(with);
    enum status status = sealed_export_open(plain, bytes, length, key, err);

    secret_close(key);
    return status;
}

/* Opening from memory of exactly that length. */
static enum status
open_exact(const void *bytes, size_t length)
{
    struct buffer plain = {0};
    struct error err;
    void *copy = malloc(length + !length);

    memcpy(copy, bytes, length);
    enum status status = open_it(&plain, copy, length, "correct horse", &err);

    if (status != STATUS_OK)
        assert_int_equal(plain.length, 0);
    buffer_release(&plain);
    free(copy);
    return status;
}

static void
what_was_sealed_comes_back(void **state)
{
    static const size_t lengths[] = {0,
                                     1,
                                     SEALED_EXPORT_CHUNK - 1,
                                     SEALED_EXPORT_CHUNK,
                                     SEALED_EXPORT_CHUNK + 1,
                                     2 * SEALED_EXPORT_CHUNK,
                                     300000};

    (void) state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct buffer out = sealed(lengths[i], 1000 + i, &cheap), plain = {0};
        size_t chunks =
            lengths[i] ? (lengths[i] - 1) / SEALED_EXPORT_CHUNK + 1 : 1;
        struct error err;

        assert_int_equal(out.length, SEALED_EXPORT_HEAD + lengths[i] +
                                         chunks * SEALED_EXPORT_MORE);
        assert_true(sealed_export_is(out.data, out.length));
        assert_int_equal(buffer_append(&plain, "before", 6, &err), 0);
        assert_int_equal(
            open_it(&plain, out.data, out.length, "correct horse", &err), 0);
        assert_int_equal(plain.length, 6 + lengths[i]);
        for (size_t at = 0; at < lengths[i]; at++)
            if (plain.data[6 + at] != (char) (at % 251))
                fail_msg("byte %zu of %zu", at, lengths[i]);
        buffer_release(&out);
        buffer_release(&plain);
    }
}

static void
a_cut_at_every_byte_is_noticed(void **state)
{
    struct buffer out = sealed(200, 50, &cheap);

    (void) state;
    for (size_t length = 0; length < out.length; length++)
        if (open_exact(out.data, length) != STATUS_FORMAT)
            fail_msg("%zu of %zu bytes opened", length, out.length);
    assert_int_equal(open_exact(out.data, out.length), STATUS_OK);
    buffer_release(&out);
}

static void
a_cut_between_chunks_is_noticed(void **state)
{
    enum { SEALED = SEALED_EXPORT_CHUNK + SEALED_EXPORT_MORE };
    struct buffer out = sealed(3 * SEALED_EXPORT_CHUNK, 4096, &cheap);

    (void) state;
    for (size_t chunks = 1; chunks < 3; chunks++)
        for (size_t off = 0; off < 40; off++)
            assert_int_equal(
                open_exact(out.data,
                           SEALED_EXPORT_HEAD + chunks * SEALED + off - 20),
                STATUS_FORMAT);
    buffer_release(&out);
}

static void
every_flipped_bit_is_noticed(void **state)
{
    struct buffer out = sealed(100, 50, &cheap);

    (void) state;
    for (size_t bit = 0; bit < 8 * out.length; bit++) {
        // what the passphrase costs is not flipped to what takes minutes
        if (bit / 8 >= 16 && bit / 8 < 32 && bit % 64 > 3)
            continue;
        out.data[bit / 8] = (char) (out.data[bit / 8] ^ 1 << bit % 8);
        if (open_exact(out.data, out.length) == STATUS_OK)
            fail_msg("bit %zu was flipped and it opened", bit);
        out.data[bit / 8] = (char) (out.data[bit / 8] ^ 1 << bit % 8);
    }
    buffer_release(&out);
}

static void
chunks_cannot_be_moved_doubled_or_added(void **state)
{
    enum { SEALED = SEALED_EXPORT_CHUNK + SEALED_EXPORT_MORE };
    struct buffer out = sealed(2 * SEALED_EXPORT_CHUNK + 5, 4096, &cheap);
    struct buffer odd = {0};
    struct error err;
    char *first = out.data + SEALED_EXPORT_HEAD, *second = first + SEALED;

    (void) state;
    assert_int_equal(buffer_append(&odd, out.data, out.length, &err), 0);
    memcpy(odd.data + SEALED_EXPORT_HEAD, second, SEALED);
    memcpy(odd.data + SEALED_EXPORT_HEAD + SEALED, first, SEALED);
    assert_int_equal(open_exact(odd.data, odd.length), STATUS_FORMAT);
    memcpy(odd.data + SEALED_EXPORT_HEAD, first, SEALED);
    assert_int_equal(open_exact(odd.data, odd.length), STATUS_FORMAT);
    assert_int_equal(buffer_append(&out, "\0", 1, &err), 0);
    assert_int_equal(open_exact(out.data, out.length), STATUS_FORMAT);
    out.length--;
    // without the chunk in the middle
    memmove(second, second + SEALED, 5 + SEALED_EXPORT_MORE);
    assert_int_equal(open_exact(out.data, out.length - SEALED), STATUS_FORMAT);
    buffer_release(&out);
    buffer_release(&odd);
}

static void
another_passphrase_is_denied(void **state)
{
    struct buffer out = sealed(10, 5, &cheap), plain = {0};
    struct error err;

    (void) state;
    assert_int_equal(open_it(&plain, out.data, out.length, "wrong horse", &err),
                     STATUS_DENIED);
    assert_non_null(strstr(err.text, "passphrase is wrong"));
    assert_int_equal(plain.length, 0);
    buffer_release(&out);
    buffer_release(&plain);
}

static void
put(struct buffer *out, size_t at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        out->data[at + i] = (char) (value >> 8 * i);
}

static void
a_header_cannot_ask_for_too_much(void **state)
{
    struct buffer out = sealed(10, 5, &cheap);
    static const struct {
        uint64_t passes, kib;
        enum status status;
    } cases[] = {
        {17, 8, STATUS_LIMIT},
        {UINT64_MAX, 8, STATUS_LIMIT},
        {1, (4 << 20) + 1, STATUS_LIMIT},
        {1, UINT64_MAX, STATUS_LIMIT},
        {1, UINT64_C(1) << 54, STATUS_LIMIT}, // 2^64 bytes
        {0, 8, STATUS_FORMAT},
        {1, 0, STATUS_FORMAT},
        {1, 7, STATUS_FORMAT},
    };

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put(&out, 16, cases[i].passes, 8);
        put(&out, 24, cases[i].kib, 8);
        assert_int_equal(open_exact(out.data, out.length), cases[i].status);
    }
    buffer_release(&out);
}

static void
a_newer_format_is_unsupported(void **state)
{
    struct buffer out = sealed(10, 5, &cheap);

    (void) state;
    put(&out, 8, 2, 4);
    assert_int_equal(open_exact(out.data, out.length), STATUS_UNSUPPORTED);
    put(&out, 8, 1, 4);
    put(&out, 12, 9, 4);
    assert_int_equal(open_exact(out.data, out.length), STATUS_UNSUPPORTED);
    assert_int_equal(open_exact("fathom", 6), STATUS_FORMAT);
    assert_int_equal(open_exact("", 0), STATUS_FORMAT);
    buffer_release(&out);
}

static void
nothing_is_sealed_beyond_the_ceilings(void **state)
{
    struct kdf_cost cost = {17, 8192};
    struct secret *key = passphrase("x");
    struct sealed_export *export;
    struct buffer out = {0};
    struct error err;

    (void) state;
    assert_int_equal(sealed_export_begin(&export, &out, key, &cost, &err),
                     STATUS_LIMIT);
    assert_null(export);
    assert_int_equal(out.length, 0);
    secret_close(key);
}

/* Sealed by libsodium's Python bindings after fathom-export(5). */
static void
what_another_program_sealed_opens(void **state)
{
    static const char wanted[] =
        "{\"schema\":\"fathom.export/1\",\"chats\":[]}";
    const char *folder = getenv("top_srcdir");
    char path[4096], bytes[1000];
    struct buffer plain = {0};
    struct error err;

    (void) state;
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/sealed_export/whole",
             folder ? folder : ".");
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    size_t length = fread(bytes, 1, sizeof bytes, file);

    fclose(file);
    assert_int_equal(open_it(&plain, bytes, length, "fuzz", &err), STATUS_OK);
    assert_int_equal(plain.length, strlen(wanted));
    assert_string_equal(plain.data, wanted);
    buffer_release(&plain);
}

/* Salt and stream are new each time, so two of the same text differ. */
static void
two_exports_share_nothing(void **state)
{
    struct buffer a = sealed(100, 50, &cheap), b = sealed(100, 50, &cheap);

    (void) state;
    for (size_t at = 32; at + 16 <= a.length; at += 8)
        if (memcmp(a.data + at, b.data + at, 16) == 0)
            fail_msg("bytes from %zu on are the same", at);
    buffer_release(&a);
    buffer_release(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sealed_comes_back),
        cmocka_unit_test(a_cut_at_every_byte_is_noticed),
        cmocka_unit_test(a_cut_between_chunks_is_noticed),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(chunks_cannot_be_moved_doubled_or_added),
        cmocka_unit_test(another_passphrase_is_denied),
        cmocka_unit_test(a_header_cannot_ask_for_too_much),
        cmocka_unit_test(a_newer_format_is_unsupported),
        cmocka_unit_test(nothing_is_sealed_beyond_the_ceilings),
        cmocka_unit_test(what_another_program_sealed_opens),
        cmocka_unit_test(two_exports_share_nothing),
    };
    struct error err;

    if (secret_start(&err) != STATUS_OK)
        return 99;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
