/* engine/detokenizer.h: whole characters, however the ids cut them. */
#include "config.h"

#include "tests/unit/golden_file.h"
#include "tests/unit/vocabulary_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const vocabularies[] = {"smollm", "deepseek-coder",
                                           "llama-spm"};

enum { VOCABULARIES = sizeof vocabularies / sizeof *vocabularies };

static struct error err;

/* Streams ids; every part must be valid UTF-8. */
static void
stream(struct buffer *out, const struct tokenizer *tokenizer,
       const int32_t *ids, size_t count)
{
    struct detokenizer detokenizer;

    detokenizer_init(&detokenizer, tokenizer, true);
    for (size_t i = 0; i < count; i++) {
        size_t before = out->length;
        assert_int_equal(detokenizer_push(&detokenizer, ids[i], out, &err),
                         STATUS_OK);
        assert_true(out->length == before ||
                    utf8_valid(out->data + before, out->length - before));
    }
    assert_int_equal(detokenizer_flush(&detokenizer, out, &err), STATUS_OK);
}

static void
assert_stream_is_the_repaired_text(const struct tokenizer *tokenizer,
                                   const int32_t *ids, size_t count)
{
    struct buffer streamed = {0}, decoded = {0}, repaired = {0};

    stream(&streamed, tokenizer, ids, count);
    assert_int_equal(tokenizer_decode(tokenizer, ids, count, &decoded, &err),
                     STATUS_OK);
    assert_int_equal(utf8_repair(&repaired, decoded.data, decoded.length, &err),
                     STATUS_OK);
    assert_int_equal(streamed.length, repaired.length);
    if (repaired.length > 0)
        assert_memory_equal(streamed.data, repaired.data, repaired.length);
    buffer_release(&streamed);
    buffer_release(&decoded);
    buffer_release(&repaired);
}

static void
a_stream_is_the_text_of_its_ids_in_whole_characters(void **state)
{
    (void) state;
    for (size_t v = 0; v < VOCABULARIES; v++) {
        struct vocabulary_file file;
        struct golden_file cases;
        char *text;

        vocabulary_file_open(&file, vocabularies[v], NULL, NULL);
        golden_open(&cases, "tokenizer/cases.txt");
        while ((text = golden_line(&cases)) != NULL) {
            struct tokens tokens = {0};
            size_t length = golden_unescape(text);
            assert_int_equal(
                tokenizer_encode(file.tokenizer, text, length, &tokens, &err),
                STATUS_OK);
            assert_stream_is_the_repaired_text(file.tokenizer, tokens.ids,
                                               tokens.count);
            tokens_release(&tokens);
        }
        golden_close(&cases);
        vocabulary_file_close(&file);
    }
}

static void
ids_in_any_order_give_valid_text(void **state)
{
    enum { SEED = 7, RUNS = 2000, LENGTH = 40 };
    int32_t ids[LENGTH];

    (void) state;
    srand(SEED);
    print_message("# seed %d\n", SEED);
    for (size_t v = 0; v < VOCABULARIES; v++) {
        struct vocabulary_file file;

        vocabulary_file_open(&file, vocabularies[v], NULL, NULL);
        size_t tokens = tokenizer_count(file.tokenizer);
        for (int run = 0; run < RUNS; run++) {
            // many of the first tokens, which are single bytes
            for (int i = 0; i < LENGTH; i++)
                ids[i] =
                    (int32_t) ((size_t) rand() % (rand() % 2 ? tokens : 300));
            assert_stream_is_the_repaired_text(file.tokenizer, ids, LENGTH);
        }
        vocabulary_file_close(&file);
    }
}

/* The token of one byte, found by what it decodes to. */
static int32_t
byte_token(const struct tokenizer *tokenizer, uint8_t byte)
{
    for (int32_t id = 0; (size_t) id < tokenizer_count(tokenizer); id++) {
        struct gguf_string piece = tokenizer_piece(tokenizer, id);
        if (piece.length == 1 && (uint8_t) piece.bytes[0] == byte)
            return id;
    }
    return TOKEN_NONE;
}

static void
half_a_character_waits_and_what_never_comes_is_replaced(void **state)
{
    struct vocabulary_file file;
    struct detokenizer d;
    struct buffer out = {0};

    (void) state;
    vocabulary_file_open(&file, "llama-spm", NULL, NULL);
    const struct tokenizer *t = file.tokenizer;
    detokenizer_init(&d, t, true);
    // U+1F642 is F0 9F 99 82
    assert_int_equal(detokenizer_push(&d, byte_token(t, 0xF0), &out, &err), 0);
    assert_int_equal(detokenizer_push(&d, byte_token(t, 0x9F), &out, &err), 0);
    assert_int_equal(detokenizer_push(&d, byte_token(t, 0x99), &out, &err), 0);
    assert_int_equal(out.length, 0);
    assert_int_equal(detokenizer_push(&d, byte_token(t, 0x82), &out, &err), 0);
    assert_string_equal(out.data, "\U0001F642");
    buffer_clear(&out);
    // a lead byte, then a letter: the lead byte can never be completed
    assert_int_equal(detokenizer_push(&d, byte_token(t, 0xE4), &out, &err), 0);
    assert_int_equal(out.length, 0);
    assert_int_equal(detokenizer_push(&d, byte_token(t, 'x'), &out, &err), 0);
    assert_string_equal(out.data, "\uFFFDx");
    buffer_clear(&out);
    // the end comes first
    assert_int_equal(detokenizer_push(&d, byte_token(t, 0xE4), &out, &err), 0);
    assert_int_equal(detokenizer_flush(&d, &out, &err), 0);
    assert_string_equal(out.data, "\uFFFD");
    assert_int_equal(detokenizer_flush(&d, &out, &err), 0);
    assert_string_equal(out.data, "\uFFFD");
    buffer_release(&out);
    vocabulary_file_close(&file);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_is_the_text_of_its_ids_in_whole_characters),
        cmocka_unit_test(ids_in_any_order_give_valid_text),
        cmocka_unit_test(
            half_a_character_waits_and_what_never_comes_is_replaced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
