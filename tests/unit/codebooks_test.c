/* The codebooks of the IQ formats are the published ones. */
#include "quant/codebooks.h"
#include "tests/unit/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef int value_fn(unsigned row, unsigned j);

/* SHA-256 of the values as bytes, rows in order. */
struct book {
    const char *name;
    const uint16_t *rows;
    size_t count;
    unsigned width;
    value_fn *value;
    const char *hash;
};

static const struct book books[] = {
    {"iq2_xxs", codebook_iq2_xxs, 256, 8, codebook_iq2_value,
     "05826b5d3e472a3a78f196be62ac78acf81df0f909626e12ab9fa2a5d490dd54"},
    {"iq2_xs", codebook_iq2_xs, 512, 8, codebook_iq2_value,
     "06e47aaca60b4dc1d9b5a3f34540437058a6b142b4d7a59d5ded769b4d1bf1de"},
    {"iq2_s", codebook_iq2_s, 1024, 8, codebook_iq2_value,
     "e1aa1473412b0552c2174c30ef22ab4073f6a181b85a17056e8249bd2932fd88"},
    {"iq3_xxs", codebook_iq3_xxs, 256, 4, codebook_iq3_xxs_value,
     "46e35f5a997efdee6c99ce57854c8a0d4f0ff8ca57e5e8a60c0793ea580acf5d"},
    {"iq3_s", codebook_iq3_s, 512, 4, codebook_iq3_s_value,
     "bd1af4945a1717c65610b0284e4628b9a1ba3b306fae3a06f6e5f597356e349f"},
    {"iq1_s", codebook_iq1_s, 2048, 8, codebook_iq1_value,
     "07540ffc1aeaf6ad4d97e96b0fcc765aae39671d4ae4a27bbd0e796fde167c6a"},
};

enum { BOOKS = sizeof books / sizeof books[0] };

static void
codebooks_have_the_published_hashes(void **state)
{
    (void) state;
    static uint8_t bytes[2048 * 8];
    for (size_t b = 0; b < BOOKS; b++) {
        const struct book *book = &books[b];
        char hex[65];
        size_t count = 0;
        for (size_t r = 0; r < book->count; r++)
            for (unsigned j = 0; j < book->width; j++)
                bytes[count++] = (uint8_t) book->value(book->rows[r], j);
        sha256_hex(bytes, count, hex);
        if (strcmp(hex, book->hash) != 0)
            fail_msg("%s: hash %s", book->name, hex);
    }
}

static bool
row_occurs_before(const struct book *book, size_t r)
{
    for (size_t i = 0; i < r; i++)
        if (book->rows[i] == book->rows[r])
            return true;
    return false;
}

static void
codebook_rows_are_distinct_and_in_order(void **state)
{
    (void) state;
    for (size_t b = 0; b < BOOKS; b++)
        for (size_t r = 1; r < books[b].count; r++) {
            bool sorted = books[b].rows[r - 1] < books[b].rows[r];
            if (books[b].rows == codebook_iq1_s)
                assert_false(row_occurs_before(&books[b], r));
            else if (!sorted)
                fail_msg("%s: row %zu", books[b].name, r);
        }
}

static void
rows_of_iq2_books_have_an_even_number_of_25s(void **state)
{
    (void) state;
    for (size_t b = 0; b < 3; b++)
        for (size_t r = 0; r < books[b].count; r++) {
            unsigned count = 0;
            for (unsigned j = 0; j < 8; j++)
                count += codebook_iq2_value(books[b].rows[r], j) == 25;
            assert_int_equal(count % 2, 0);
        }
}

static void
the_hash_is_sha256(void **state)
{
    (void) state;
    char hex[65];
    sha256_hex("abc", 3, hex); // FIPS 180-4's example
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223"
                             "b00361a396177a9cb410ff61f20015ad");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_is_sha256),
        cmocka_unit_test(codebooks_have_the_published_hashes),
        cmocka_unit_test(codebook_rows_are_distinct_and_in_order),
        cmocka_unit_test(rows_of_iq2_books_have_an_even_number_of_25s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
