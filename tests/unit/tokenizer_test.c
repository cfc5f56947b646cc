/* engine/tokenizer.h against the published tokenizers' own ids. */
#include "config.h"

#include "tests/unit/golden_file.h"
#include "tests/unit/vocabulary_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One published tokenizer and how its files here are called. */
struct published {
    const char *name, *pre;
    const char *vectors; // tokenizer/VECTORS.out, or NULL
    struct vocabulary_file file;
};

static struct published published[] = {
    {"deepseek-v3", NULL, NULL, {0}},
    {"llama3_1", NULL, "llama-bpe", {0}},
    {"qwen2", NULL, "qwen2", {0}},
    {"smollm", NULL, NULL, {0}},
    {"deepseek-llm", NULL, "deepseek-llm", {0}},
    {"deepseek-coder", NULL, "deepseek-coder", {0}},
    {"llama-spm", NULL, "llama-spm", {0}},
    {"qwen2", "deepseek-r1-qwen", "qwen2", {0}},
};

enum { PUBLISHED = sizeof published / sizeof *published };

static int
open_all(void **state)
{
    (void) state;
    for (size_t i = 0; i < PUBLISHED; i++)
        vocabulary_file_open(&published[i].file, published[i].name, NULL,
                             published[i].pre);
    return 0;
}

static int
close_all(void **state)
{
    (void) state;
    for (size_t i = 0; i < PUBLISHED; i++)
        vocabulary_file_close(&published[i].file);
    return 0;
}

static const struct tokenizer *
tokenizer_named(const char *name)
{
    for (size_t i = 0; i < PUBLISHED; i++)
        if (strcmp(published[i].name, name) == 0)
            return published[i].file.tokenizer;
    fail_msg("no tokenizer %s", name);
    return NULL;
}

/* Writes ids as the goldens do: decimal, one blank between. */
static void
print_ids(struct buffer *out, const struct tokens *tokens)
{
    struct error err;

    buffer_clear(out);
    assert_int_equal(buffer_append(out, "", 0, &err), STATUS_OK);
    for (size_t i = 0; i < tokens->count; i++)
        assert_int_equal(
            buffer_print(out, &err, i > 0 ? " %d" : "%d", tokens->ids[i]),
            STATUS_OK);
}

/* True when `text` has exactly these ids; says what it has if not. */
static bool
has_ids(const struct tokenizer *tokenizer, const char *text, size_t length,
        const char *ids, const char *where)
{
    struct tokens tokens = {0};
    struct buffer got = {0};
    struct error err;

    // an exact block, so that a sanitizer sees a read past the end
    char *exact = malloc(length > 0 ? length : 1);
    assert_non_null(exact);
    memcpy(exact, text, length);
    assert_int_equal(tokenizer_encode(tokenizer, exact, length, &tokens, &err),
                     STATUS_OK);
    free(exact);
    print_ids(&got, &tokens);
    bool same = strcmp(got.data, ids) == 0;
    if (!same)
        print_message("# %s: \"%.60s\"\n#  want %.200s\n#  got  %.200s\n",
                      where, text, ids, got.data);
    tokens_release(&tokens);
    buffer_release(&got);
    return same;
}

static void
assert_all_lines(const struct published *p, const char *texts,
                 const char *ids_suffix)
{
    struct golden_file cases, ids;
    char name[128], where[160], *text, *want;
    size_t wrong = 0;

    snprintf(name, sizeof name, "tokenizer/%s%s", p->name, ids_suffix);
    golden_open(&cases, texts);
    golden_open(&ids, name);
    while ((text = golden_line(&cases)) != NULL) {
        size_t length = golden_unescape(text);

        want = golden_line(&ids);
        assert_non_null(want);
        snprintf(where, sizeof where, "%s line %zu", name, ids.line);
        wrong += !has_ids(p->file.tokenizer, text, length, want, where);
    }
    assert_null(golden_line(&ids));
    assert_int_equal(wrong, 0);
    golden_close(&cases);
    golden_close(&ids);
}

static void
every_published_case_has_its_published_ids(void **state)
{
    (void) state;
    for (size_t i = 0; i < PUBLISHED; i++)
        assert_all_lines(&published[i], "tokenizer/cases.txt", ".ids.txt");
}

static void
input_that_is_not_utf8_is_repaired_first(void **state)
{
    (void) state;
    for (size_t i = 0; i < PUBLISHED; i++) {
        assert_all_lines(&published[i], "tokenizer/bytes.txt",
                         ".bytes.ids.txt");
        assert_all_lines(&published[i], "tokenizer/bytes.as.txt",
                         ".bytes.ids.txt");
    }
}

static void
assert_vectors(const struct published *p)
{
    const char *separator = "\n__ggml_vocab_test__\n";
    struct golden_file texts, ids;
    char name[128], *want;
    size_t wrong = 0, count = 0;

    snprintf(name, sizeof name, "tokenizer/%s.out", p->vectors);
    golden_open(&texts, "tokenizer/vectors.inp");
    golden_open(&ids, name);
    for (char *text = texts.bytes.data, *end; *text != '\0';
         text = end + strlen(separator), count++) {
        end = strstr(text, separator);
        assert_non_null(end);
        want = golden_line(&ids);
        assert_non_null(want);
        want += strspn(want, " ");
        want[strcspn(want, "\r")] = '\0';
        for (size_t n = strlen(want); n > 0 && want[n - 1] == ' '; n--)
            want[n - 1] = '\0';
        wrong += !has_ids(p->file.tokenizer, text, (size_t) (end - text), want,
                          name);
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(count, 46);
    golden_close(&texts);
    golden_close(&ids);
}

static void
the_vectors_of_other_engines_agree(void **state)
{
    (void) state;
    for (size_t i = 0; i < PUBLISHED; i++)
        if (published[i].vectors != NULL)
            assert_vectors(&published[i]);
}

static void
a_small_table_checked_by_hand_agrees(void **state)
{
    static const struct {
        const char *text, *v3, *llm, *llama3, *qwen2;
    } rows[] = {
        {"Hello", "19923", "17464", "9906", "9707"},
        {"Who are you", "18387 477 440", "11604 418 340", "15546 527 499",
         "15191 525 498"},
        {"The quick brown fox", "671 4787 13769 46012", "549 3399 10176 32431",
         "791 4062 14198 39935", "785 3974 13876 38835"},
        {"12345 67", "6895 1883 223 3186", "16 17 18 19 20 207 21 22",
         "4513 1774 220 3080", "16 17 18 19 20 220 21 22"},
        {"foo.bar(baz)", "40897 6229 287 7011 1521 11",
         "12435 13 1684 7 47732 8", "8134 22773 1921 1394 8",
         "7975 22001 1883 1370 8"},
        {"你好，世界", "30594 303 3427", "84313 19304 4997",
         "57668 53901 3922 102616", "108386 3837 99489"},
        {" \n\n x", "1004 1527", "207 185 185 1376", "4815 865", "4710 856"},
        {"don't I'LL", "20385 1664 342 9 3699", "10314 6 83 304 6 2369",
         "15357 956 358 6 4178", "15007 944 358 6 4086"},
        {"naïve café", "2720 91223 57664", "2490 2865 313 26506 587",
         "3458 38672 588 53050", "3376 37572 586 51950"},
        {"\U0001F642\U0001F680", "80300 227 74287 225",
         "10044 234 211 10044 95300", "9468 19044 9468 248 222",
         "145080 145836"},
        {"\r\n\t", "204 201 200", "188 185 184", "319 197", "319 197"},
        {"3.14159", "21 16 9926 3318", "18 13 16 19 16 20 24",
         "18 13 9335 2946", "18 13 16 19 16 20 24"},
        {"日本語のテスト", "88768 1576 109288",
         "10162 13072 239 28213 8550 215 50145 52462",
         "102433 102158 16144 57933 71634", "101059 102819 15767 140592"},
    };
    size_t wrong = 0;

    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *text = rows[i].text;
        size_t n = strlen(text);
        wrong +=
            !has_ids(tokenizer_named("deepseek-v3"), text, n, rows[i].v3, "v3");
        wrong += !has_ids(tokenizer_named("deepseek-llm"), text, n, rows[i].llm,
                          "llm");
        wrong += !has_ids(tokenizer_named("llama3_1"), text, n, rows[i].llama3,
                          "llama3");
        wrong +=
            !has_ids(tokenizer_named("qwen2"), text, n, rows[i].qwen2, "qwen2");
    }
    assert_int_equal(wrong, 0);
}

static size_t
from_hex(char *text)
{
    size_t n = strcmp(text, "-") == 0 ? 0 : strlen(text) / 2;

    for (size_t i = 0; i < n; i++) {
        char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
        text[i] = (char) strtoul(digits, NULL, 16);
    }
    return n;
}

static void
the_strings_of_smollm2_have_their_ids(void **state)
{
    struct golden_file table;
    char *line;
    size_t wrong = 0;

    (void) state;
    golden_open(&table, "tokenizer/smollm2.tsv");
    while ((line = golden_line(&table)) != NULL) {
        char *ids = strchr(line, '\t') + 1, *shown = strchr(ids, '\t') + 1;

        ids[-1] = shown[-1] = '\0';
        if (strcmp(ids, "-") == 0)
            *ids = '\0';
        // those that are not UTF-8 follow another engine's repair there
        if (strncmp(shown, "invalid UTF-8", 13) == 0)
            continue;
        size_t length = from_hex(line);
        wrong += !has_ids(tokenizer_named("smollm"), line, length, ids, shown);
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(table.line, 200);
    golden_close(&table);
}

/* Lines of a roundtrip table: number, kind, the text that comes back. */
struct exceptions {
    struct golden_file table;
    size_t number; // of the next one; 0 when there is none
    char *text;
};

static void
next_exception(struct exceptions *list)
{
    char *line = golden_line(&list->table);

    list->number = 0;
    if (line == NULL)
        return;
    list->number = strtoul(line, &line, 10);
    list->text = strchr(line + 1, '\t') + 1;
}

static void
assert_roundtrip(const struct published *p)
{
    struct golden_file cases;
    struct exceptions list;
    char name[128], *text;
    size_t wrong = 0;

    snprintf(name, sizeof name, "tokenizer/%s.roundtrip.tsv", p->name);
    golden_open(&list.table, name);
    golden_open(&cases, "tokenizer/cases.txt");
    next_exception(&list);
    while ((text = golden_line(&cases)) != NULL) {
        struct tokens tokens = {0};
        struct buffer back = {0};
        struct error err;
        size_t length = golden_unescape(text);
        const char *want = text;
        size_t want_length = length;

        if (list.number == cases.line) {
            want = list.text;
            want_length = golden_unescape(list.text);
            next_exception(&list);
        }
        assert_int_equal(
            tokenizer_encode(p->file.tokenizer, text, length, &tokens, &err),
            STATUS_OK);
        assert_int_equal(tokenizer_decode(p->file.tokenizer, tokens.ids,
                                          tokens.count, &back, &err),
                         STATUS_OK);
        if (back.length != want_length ||
            (want_length > 0 && memcmp(back.data, want, want_length) != 0)) {
            print_message("# %s line %zu: \"%.60s\" became \"%.60s\"\n", name,
                          cases.line, want, back.data);
            wrong++;
        }
        tokens_release(&tokens);
        buffer_release(&back);
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(list.number, 0);
    golden_close(&cases);
    golden_close(&list.table);
}

static void
decoding_gives_back_what_was_encoded(void **state)
{
    (void) state;
    for (size_t i = 0; i < PUBLISHED; i++)
        assert_roundtrip(&published[i]);
}

/* A token that only a renderer may put into a prompt. */
static bool
is_marker(const struct tokenizer *tokenizer, int32_t id)
{
    struct gguf_string text = tokenizer_text(tokenizer, id);
    uint32_t code_point;
    bool valid;

    switch (tokenizer_kind(tokenizer, id)) {
    case TOKEN_CONTROL:
    case TOKEN_UNKNOWN:
    case TOKEN_UNUSED:
        return true;
    case TOKEN_USER_DEFINED:
        return text.length == 0 || utf8_next(text.bytes, text.length,
                                             &code_point, &valid) < text.length;
    case TOKEN_NORMAL:
    case TOKEN_BYTE:
        return false;
    }
    return false;
}

/* Encodes `text` as if a user had typed it. */
static void
assert_typed(const struct tokenizer *tokenizer, struct gguf_string text)
{
    struct tokens tokens = {0};
    struct error err;

    assert_int_equal(
        tokenizer_encode(tokenizer, text.bytes, text.length, &tokens, &err),
        STATUS_OK);
    for (size_t i = 0; i < tokens.count; i++)
        if (is_marker(tokenizer, tokens.ids[i]))
            fail_msg("typed \"%s\" became token %d", text.bytes, tokens.ids[i]);
    tokens_release(&tokens);
}

static void
no_marker_can_be_typed(void **state)
{
    (void) state;
    for (size_t i = 0; i < PUBLISHED; i++) {
        const struct tokenizer *tokenizer = published[i].file.tokenizer;
        size_t markers = 0;

        for (int32_t id = 0; (size_t) id < tokenizer_count(tokenizer); id++) {
            if (!is_marker(tokenizer, id))
                continue;
            markers++;
            assert_typed(tokenizer, tokenizer_text(tokenizer, id));
        }
        assert_true(markers >= 3);
    }
}

static void
repeat(struct buffer *out, const char *unit, size_t bytes)
{
    struct error err;

    buffer_clear(out);
    while (out->length < bytes)
        assert_int_equal(buffer_append(out, unit, strlen(unit), &err),
                         STATUS_OK);
}

static void
a_megabyte_of_one_thing_comes_back_whole(void **state)
{
    static const char *const units[] = {" ", "a", "你", "\n", " \n."};
    static const char *const names[] = {"deepseek-v3", "deepseek-llm",
                                        "llama-spm"};
    struct buffer text = {0}, back = {0};
    struct error err;

    (void) state;
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        repeat(&text, units[u], 1 << 20);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            const struct tokenizer *tokenizer = tokenizer_named(names[i]);
            struct tokens tokens = {0};

            buffer_clear(&back);
            assert_int_equal(tokenizer_encode(tokenizer, text.data, text.length,
                                              &tokens, &err),
                             STATUS_OK);
            assert_int_equal(tokenizer_decode(tokenizer, tokens.ids,
                                              tokens.count, &back, &err),
                             STATUS_OK);
            assert_int_equal(back.length, text.length);
            assert_memory_equal(back.data, text.data, text.length);
            tokens_release(&tokens);
        }
    }
    buffer_release(&text);
    buffer_release(&back);
}

static void
an_endless_text_is_refused_before_it_is_read(void **state)
{
    struct tokens tokens = {0};
    struct error err;

    (void) state;
    assert_int_equal(tokenizer_encode(tokenizer_named("smollm"), "a",
                                      (size_t) TOKENIZER_TEXT_MAX + 1, &tokens,
                                      &err),
                     STATUS_LIMIT);
    assert_int_equal(tokens.count, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_published_case_has_its_published_ids),
        cmocka_unit_test(input_that_is_not_utf8_is_repaired_first),
        cmocka_unit_test(the_vectors_of_other_engines_agree),
        cmocka_unit_test(a_small_table_checked_by_hand_agrees),
        cmocka_unit_test(the_strings_of_smollm2_have_their_ids),
        cmocka_unit_test(decoding_gives_back_what_was_encoded),
        cmocka_unit_test(no_marker_can_be_typed),
        cmocka_unit_test(a_megabyte_of_one_thing_comes_back_whole),
        cmocka_unit_test(an_endless_text_is_refused_before_it_is_read),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
