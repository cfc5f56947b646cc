/* storage/sealed.h: a row opens where it belongs, unchanged, or not at all. */
#include "config.h"

#include "storage/sealed.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct error err;
static const uint8_t KEY[SEALED_KEY_BYTES] = {1, 2, 3};
static const struct sealed_place PLACE = {
    .format = 1,
    .vault = {9, 8, 7},
    .row = 42,
    .kind = ROW_TURN,
    .chat = {{5, 5}},
    .generation = 3,
};

static void
seal(struct buffer *row, const struct sealed_place *place, const char *body)
{
    assert_int_equal(sealed_close(row, KEY, place, body, strlen(body), &err),
                     STATUS_OK);
}

static enum status
open_at(const struct sealed_place *place, const struct buffer *row)
{
    struct buffer body = {0};
    enum status status =
        sealed_open(&body, KEY, place, row->data, row->length, &err);

    buffer_release(&body);
    return status;
}

static void
what_was_sealed_comes_back(void **state)
{
    static const size_t lengths[] = {0, 1, 251, 252, 253, 4096, 100000};
    struct buffer row = {0}, body = {0};

    (void) state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char *text = calloc(lengths[i] + 1, 1);

        assert_non_null(text);
        memset(text, 'x', lengths[i]);
        assert_int_equal(
            sealed_close(&row, KEY, &PLACE, text, lengths[i], &err), STATUS_OK);
        assert_int_equal(row.length, 24 + sealed_padded(lengths[i]) + 16);
        assert_int_equal(
            sealed_open(&body, KEY, &PLACE, row.data, row.length, &err),
            STATUS_OK);
        assert_int_equal(body.length, lengths[i]);
        assert_memory_equal(body.data, text, lengths[i]);
        free(text);
    }
    buffer_release(&row);
    buffer_release(&body);
}

/*
 * Attack 37: a field that is not authenticated makes its line fail. The bytes
 * themselves are compared with the drawing in sealed.h below.
 */
static void
a_row_opens_at_no_other_place(void **state)
{
    struct sealed_place other[6];
    struct buffer row = {0};

    (void) state;
    for (size_t i = 0; i < 6; i++)
        other[i] = PLACE;
    other[0].format = 2;
    other[1].vault[15] = 1;
    other[2].row = 43;
    other[3].kind = ROW_DRAFT;
    other[4].chat.bytes[15] = 1;
    other[5].generation = 4;
    seal(&row, &PLACE, "body");
    assert_int_equal(open_at(&PLACE, &row), STATUS_OK);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(open_at(&other[i], &row), STATUS_INTEGRITY);
    }
    buffer_release(&row);
}

static void
the_place_has_the_bytes_of_the_drawing(void **state)
{
    uint8_t got[SEALED_PLACE_BYTES];
    static const uint8_t want[SEALED_PLACE_BYTES] = {
        'f',  'a', 't', 'h', 'o', 'm', '-', 'r', 'o', 'w', // 0
        1,    0,   0,   0,                                 // 10 format
        9,    8,   7,   0,   0,   0,   0,   0,             // 14 vault
        0,    0,   0,   0,   0,   0,   0,   0,             //
        0x2A, 0,   0,   0,   0,   0,   0,   0,             // 30 row
        4,    0,   0,   0,                                 // 38 kind
        5,    5,   0,   0,   0,   0,   0,   0,             // 42 chat
        0,    0,   0,   0,   0,   0,   0,   0,             //
        3,    0,   0,   0,   0,   0,   0,   0,             // 58 generation
    };

    (void) state;
    sealed_place_bytes(got, &PLACE);
    assert_memory_equal(got, want, sizeof want);
}

/* By libsodium alone, from the drawing: what another program would write. */
static void
a_row_made_from_the_drawing_opens(void **state)
{
    uint8_t row[24 + 256 + 16] = {0}, plain[256] = {0},
                           place[SEALED_PLACE_BYTES];
    struct buffer body = {0};

    (void) state;
    memset(row, 0x11, 24);
    plain[0] = 5;
    memcpy(plain + 4, "hello", 5);
    sealed_place_bytes(place, &PLACE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(row + 24, NULL, plain,
                                               sizeof plain, place,
                                               sizeof place, NULL, row, KEY);
    assert_int_equal(sealed_open(&body, KEY, &PLACE, row, sizeof row, &err),
                     STATUS_OK);
    assert_string_equal(body.data, "hello");
    // padding that is not zero was not written by us
    plain[200] = 1;
    crypto_aead_xchacha20poly1305_ietf_encrypt(row + 24, NULL, plain,
                                               sizeof plain, place,
                                               sizeof place, NULL, row, KEY);
    assert_int_equal(sealed_open(&body, KEY, &PLACE, row, sizeof row, &err),
                     STATUS_INTEGRITY);
    assert_int_equal(body.length, 0);
    buffer_release(&body);
}

static void
every_flipped_bit_and_every_cut_is_noticed(void **state)
{
    struct buffer row = {0}, cut = {0};

    (void) state;
    seal(&row, &PLACE, "body");
    for (size_t bit = 0; bit < 8 * row.length; bit++) {
        row.data[bit / 8] ^= (char) (1 << bit % 8);
        assert_int_equal(open_at(&PLACE, &row), STATUS_INTEGRITY);
        row.data[bit / 8] ^= (char) (1 << bit % 8);
    }
    for (size_t length = 0; length < row.length; length++) {
        buffer_clear(&cut);
        assert_int_equal(buffer_append(&cut, row.data, length, &err),
                         STATUS_OK);
        assert_int_equal(open_at(&PLACE, &cut), STATUS_INTEGRITY);
    }
    assert_int_equal(open_at(&PLACE, &row), STATUS_OK);
    buffer_release(&row);
    buffer_release(&cut);
}

// padme by hand: L = 1000: E = 9, S = 4, multiples of 32
static void
lengths_are_padded_as_padme_does(void **state)
{
    (void) state;
    assert_int_equal(sealed_padded(0), 256);
    assert_int_equal(sealed_padded(252), 256);
    assert_int_equal(sealed_padded(253), 272); // 257: E = 8, multiples of 16
    assert_int_equal(sealed_padded(996), 1024);
    assert_int_equal(sealed_padded(1021), 1088);    // 1025: E = 10, by 64
    assert_int_equal(sealed_padded(99996), 100352); // E = 16, S = 5, by 2048
}

static int
by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, SEALED_NONCE_BYTES);
}

// attack 35
static void
no_nonce_comes_twice(void **state)
{
    size_t writes = getenv("FATHOM_LONG") != NULL ? 1000000 : 50000;
    char *nonces = calloc(writes, SEALED_NONCE_BYTES);
    struct buffer row = {0};

    (void) state;
    assert_non_null(nonces);
    for (size_t i = 0; i < writes; i++) {
        seal(&row, &PLACE, "the same body at the same place");
        memcpy(nonces + i * SEALED_NONCE_BYTES, row.data, SEALED_NONCE_BYTES);
    }
    qsort(nonces, writes, SEALED_NONCE_BYTES, by_bytes);
    for (size_t i = 1; i < writes; i++)
        assert_memory_not_equal(nonces + (i - 1) * SEALED_NONCE_BYTES,
                                nonces + i * SEALED_NONCE_BYTES,
                                SEALED_NONCE_BYTES);
    free(nonces);
    buffer_release(&row);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sealed_comes_back),
        cmocka_unit_test(a_row_opens_at_no_other_place),
        cmocka_unit_test(the_place_has_the_bytes_of_the_drawing),
        cmocka_unit_test(a_row_made_from_the_drawing_opens),
        cmocka_unit_test(every_flipped_bit_and_every_cut_is_noticed),
        cmocka_unit_test(lengths_are_padded_as_padme_does),
        cmocka_unit_test(no_nonce_comes_twice),
    };

    if (sodium_init() < 0)
        return 99;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
