/* Small vocabularies made by hand: what files may say, and what it means. */
#include "config.h"

#include "engine/engine.h"
#include "engine/text_table.h"
#include "tests/unit/gguf_writer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A vocabulary in the making; what is left empty is not written. */
struct recipe {
    const char *model, *pre; // gpt2 and deepseek-v3 when NULL; "" for none
    const char *tokens[16];
    int32_t kinds[16]; // 0: normal
    float scores[16];
    const char *merges[16];
    void (*more)(struct gguf_writer *writer);
};

/* A tokenizer of a recipe, or the message of its refusal. */
struct dish {
    struct gguf *gguf;
    struct tokenizer *tokenizer;
    enum status status;
    struct error err;
};

static size_t
count_of(const char *const *texts)
{
    size_t n = 0;

    while (n < 16 && texts[n] != NULL)
        n++;
    return n;
}

static void
write_recipe(struct gguf_writer *w, const struct recipe *r)
{
    size_t tokens = count_of(r->tokens);
    int32_t kinds[16];
    bool spm = r->model != NULL && strcmp(r->model, "llama") == 0;

    for (size_t i = 0; i < 16; i++)
        kinds[i] = r->kinds[i] != 0 ? r->kinds[i] : TOKEN_NORMAL;
    gguf_writer_string(w, "tokenizer.ggml.model",
                       r->model != NULL ? r->model : "gpt2");
    if (r->pre == NULL || r->pre[0] != '\0')
        gguf_writer_string(w, "tokenizer.ggml.pre",
                           r->pre != NULL ? r->pre : "deepseek-v3");
    gguf_writer_strings(w, "tokenizer.ggml.tokens", r->tokens, tokens);
    gguf_writer_i32s(w, "tokenizer.ggml.token_type", kinds, tokens);
    if (spm)
        gguf_writer_f32s(w, "tokenizer.ggml.scores", r->scores, tokens);
    else
        gguf_writer_strings(w, "tokenizer.ggml.merges", r->merges,
                            count_of(r->merges));
    if (r->more != NULL)
        r->more(w);
}

static void
open_writer(struct dish *dish, struct gguf_writer *w)
{
    *dish = (struct dish){0};
    assert_int_equal(gguf_writer_open(w, &dish->gguf, &dish->err), STATUS_OK);
    dish->status = tokenizer_open(&dish->tokenizer, dish->gguf, &dish->err);
    assert_true((dish->status == STATUS_OK) == (dish->tokenizer != NULL));
}

static void
cook(struct dish *dish, const struct recipe *r)
{
    struct gguf_writer w = {0};

    write_recipe(&w, r);
    open_writer(dish, &w);
}

static void
clear(struct dish *dish)
{
    tokenizer_close(dish->tokenizer);
    gguf_close(dish->gguf);
}

/* Checks the ids of a text, written as "0 1 2". */
static void
assert_ids(const struct dish *dish, const char *text, const char *want)
{
    struct tokens tokens = {0};
    struct error err;
    char got[256] = "";

    assert_int_equal(dish->status, STATUS_OK);
    assert_int_equal(
        tokenizer_encode(dish->tokenizer, text, strlen(text), &tokens, &err),
        STATUS_OK);
    for (size_t i = 0, n = 0; i < tokens.count; i++)
        n += (size_t) snprintf(got + n, sizeof got - n, i > 0 ? " %d" : "%d",
                               tokens.ids[i]);
    assert_string_equal(got, want);
    tokens_release(&tokens);
}

/* Checks that some warning holds every one of the words, divided by '|'. */
static void
assert_text_has(const char *text, const char *words)
{
    char list[256], *rest = list, *word;

    snprintf(list, sizeof list, "%s", words);
    while ((word = strsep(&rest, "|")) != NULL)
        if (strstr(text, word) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", word, text);
}

static void
assert_warned(const struct dish *dish, const char *words)
{
    size_t count;
    const char *const *warning = tokenizer_warnings(dish->tokenizer, &count);

    assert_int_equal(count, 1);
    assert_text_has(warning[0], words);
}

static void
assert_refused(const struct recipe *r, enum status status, const char *words)
{
    struct dish dish;

    cook(&dish, r);
    assert_int_equal(dish.status, status);
    assert_text_has(dish.err.text, words);
    clear(&dish);
}

// -- merges ------------------------------------------------------------------

static void
merges_go_by_their_rank(void **state)
{
    struct dish dish;

    (void) state;
    cook(&dish, &(struct recipe){.tokens = {"a", "b", "c", "bc", "ab", "abc"},
                                 .merges = {"b c", "a b", "a bc"}});
    assert_ids(&dish, "abc", "5"); // bc first, then a bc
    assert_ids(&dish, "abab", "4 4");
    assert_ids(&dish, "cab", "2 4");
    clear(&dish);
    cook(&dish, &(struct recipe){.tokens = {"a", "b", "c", "bc", "ab", "abc"},
                                 .merges = {"a b", "b c", "a bc"}});
    assert_ids(&dish, "abc", "4 2");
    clear(&dish);
}

static void
a_pair_listed_twice_has_its_first_rank(void **state)
{
    struct dish dish;

    (void) state;
    cook(&dish, &(struct recipe){.tokens = {"a", "b", "c", "bc", "ab"},
                                 .merges = {"a b", "b c", "a b"}});
    assert_ids(&dish, "abc", "4 2");
    clear(&dish);
}

static void
a_joined_text_without_a_token_gives_its_bytes(void **state)
{
    struct dish dish;

    (void) state;
    // "ab" and "cd" are no tokens, but "abc" is made by way of "ab"
    cook(&dish, &(struct recipe){.tokens = {"a", "b", "c", "d", "abc"},
                                 .merges = {"a b", "c d", "ab c", "x y"}});
    assert_ids(&dish, "ab", "0 1");
    assert_ids(&dish, "cd", "2 3");
    assert_ids(&dish, "abd", "0 1 3");
    assert_ids(&dish, "abc", "4");
    assert_ids(&dish, "abcd", "0 1 2 3"); // c d came first
    // bytes that no token stands for vanish
    assert_ids(&dish, "axb", "0 1");
    assert_ids(&dish, "xyz", "");
    clear(&dish);
}

static void
merges_never_make_a_marker(void **state)
{
    struct dish dish;

    (void) state;
    cook(&dish, &(struct recipe){
                    .tokens = {"<", "x", ">", "<x", "<x>"},
                    .kinds = {[4] = TOKEN_CONTROL},
                    .pre = "default",
                    .merges = {"< x", "<x >"},
                });
    assert_ids(&dish, "x>", "1 2");
    assert_int_equal(tokenizer_find(dish.tokenizer, "<x>"), 4);
    clear(&dish);
    // one segment, so that the merges would reach it
    cook(&dish, &(struct recipe){
                    .tokens = {"x", "y", "z", "xy", "xyz"},
                    .kinds = {[4] = TOKEN_USER_DEFINED},
                    .merges = {"x y", "xy z"},
                });
    assert_ids(&dish, "xyz", "0 1 2");
    clear(&dish);
    // nor does the rule that whole words come first
    cook(&dish, &(struct recipe){
                    .tokens = {"x", "y", "xy"},
                    .kinds = {[2] = TOKEN_CONTROL},
                    .pre = "llama-bpe",
                    .merges = {"x y"},
                });
    assert_ids(&dish, "xy", "0 1");
    clear(&dish);
}

static void
a_whole_word_comes_first_where_its_family_says_so(void **state)
{
    struct recipe r = {.tokens = {"a", "b", "ab"}, .merges = {"x y"}};
    struct dish dish;

    (void) state;
    r.pre = "llama-bpe";
    cook(&dish, &r);
    assert_ids(&dish, "ab", "2");
    assert_ids(&dish, "abb", "0 1 1");
    assert_true(tokenizer_adds_bos(dish.tokenizer));
    clear(&dish);
    r.pre = "qwen2";
    cook(&dish, &r);
    assert_ids(&dish, "ab", "0 1");
    assert_false(tokenizer_adds_bos(dish.tokenizer));
    clear(&dish);
}

static void
a_user_defined_letter_is_taken_out_of_the_text(void **state)
{
    struct dish dish;
    struct buffer text = {0};
    struct error err;

    (void) state;
    cook(&dish,
         &(struct recipe){
             .tokens = {"a", "b", "ü", "ab", "<t>", "c"},
             .kinds = {[2] = TOKEN_USER_DEFINED, [4] = TOKEN_USER_DEFINED},
             .merges = {"a b"},
         });
    assert_ids(&dish, "abüabü", "3 2 3 2");
    assert_ids(&dish, "aüb", "0 2 1");
    assert_ids(&dish, "a<t>c", "0 5");
    // decoded it is the letter, not the byte of that number
    assert_int_equal(
        tokenizer_decode(dish.tokenizer, (int32_t[]){2}, 1, &text, &err),
        STATUS_OK);
    assert_string_equal(text.data, "ü");
    buffer_release(&text);
    clear(&dish);
}

// -- scores ------------------------------------------------------------------

static const struct recipe spm = {
    .model = "llama",
    .tokens = {"<unk>", "<s>", "</s>", "a", "b", "ab", "ba", "\u2581",
               "\u2581a", "<0xC3>", "s", ">", "<", "aba"},
    .kinds = {TOKEN_UNKNOWN, TOKEN_CONTROL, TOKEN_CONTROL, [9] = TOKEN_BYTE},
    .scores = {[5] = -2, [6] = -2, [7] = 0, [8] = -3, [13] = -1},
};

static void
spm_blank(struct gguf_writer *w)
{
    gguf_writer_bool(w, "tokenizer.ggml.add_space_prefix", false);
}

static void
spm_joins_by_score_leftmost_of_equals(void **state)
{
    struct recipe r = spm;
    struct dish dish;

    (void) state;
    cook(&dish, &r);
    assert_string_equal(tokenizer_pre(dish.tokenizer), "spm");
    assert_int_equal(tokenizer_bos(dish.tokenizer), 1);
    assert_int_equal(tokenizer_eos(dish.tokenizer), 2);
    assert_true(tokenizer_adds_bos(dish.tokenizer));
    assert_true(tokenizer_is_end(dish.tokenizer, 2));
    assert_false(tokenizer_is_end(dish.tokenizer, 1));
    assert_ids(&dish, "", "");
    assert_ids(&dish, "a", "8");
    assert_ids(&dish, "bab", "7 6 4"); // ba and ab are alike: ba is left
    assert_ids(&dish, "b a", "7 4 8");
    clear(&dish);
    r.more = spm_blank;
    cook(&dish, &r);
    assert_ids(&dish, "aba", "13"); // ab, then ab a
    assert_ids(&dish, "b", "4");
    clear(&dish);
}

static void
scores_of_either_sign_are_ordered(void **state)
{
    struct recipe r = {
        .model = "llama",
        .tokens = {"a", "b", "c", "ab", "bc"},
        .more = spm_blank,
    };
    // ab and bc compete for abc
    static const struct {
        float ab, bc;
        const char *want;
    } rows[] = {
        {2, 1, "3 2"},        {1, 2, "0 4"},   {-1, 1, "0 4"},
        {1, -1, "3 2"},       {-2, -1, "0 4"}, {-1, -2, "3 2"},
        {-0.0F, 0.0F, "3 2"}, {0, 0, "3 2"},   {0, 1e-30F, "0 4"},
        {-1e-30F, 0, "0 4"},  {5, 5, "3 2"},
    };

    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dish dish;

        r.scores[3] = rows[i].ab;
        r.scores[4] = rows[i].bc;
        cook(&dish, &r);
        assert_ids(&dish, "abc", rows[i].want);
        clear(&dish);
    }
}

static void
spm_falls_back_to_bytes_then_to_unknown(void **state)
{
    struct recipe r = spm;
    struct dish dish;

    (void) state;
    r.more = spm_blank;
    cook(&dish, &r);
    assert_ids(&dish, "\u00E9", "9 0");   // C3 has a token, A9 has none
    assert_ids(&dish, "<s>", "12 10 11"); // typed, so it is text
    clear(&dish);
}

static void
spm_decodes_blanks_and_bytes(void **state)
{
    const int32_t ids[] = {8, 7, 4, 9, 1};
    struct buffer text = {0};
    struct error err;
    struct dish dish;

    (void) state;
    cook(&dish, &spm);
    assert_int_equal(tokenizer_decode(dish.tokenizer, ids, 5, &text, &err),
                     STATUS_OK);
    assert_string_equal(text.data, "a b\xC3<s>");
    buffer_release(&text);
    clear(&dish);
}

// -- special tokens ----------------------------------------------------------

static void
odd_ids(struct gguf_writer *w)
{
    gguf_writer_u32(w, "tokenizer.ggml.bos_token_id", 0xFFFFFFFF);
    gguf_writer_u32(w, "tokenizer.ggml.eos_token_id", 3);
}

static void
good_ids(struct gguf_writer *w)
{
    gguf_writer_u32(w, "tokenizer.ggml.bos_token_id", 0);
    gguf_writer_u32(w, "tokenizer.ggml.eos_token_id", 2);
    gguf_writer_u32(w, "tokenizer.ggml.eot_token_id", 1);
    gguf_writer_bool(w, "tokenizer.ggml.add_bos_token", true);
}

static void
an_id_out_of_range_is_absent_and_said_to_be(void **state)
{
    struct recipe r = {
        .tokens = {"a", "b", "c"}, .merges = {"a b"}, .more = odd_ids};
    struct dish dish;

    (void) state;
    cook(&dish, &r);
    assert_int_equal(tokenizer_bos(dish.tokenizer), TOKEN_NONE);
    assert_int_equal(tokenizer_eos(dish.tokenizer), TOKEN_NONE);
    assert_warned(&dish, "eos_token_id|3");
    clear(&dish);
    r.more = good_ids;
    cook(&dish, &r);
    assert_int_equal(tokenizer_bos(dish.tokenizer), 0);
    assert_int_equal(tokenizer_eos(dish.tokenizer), 2);
    assert_true(tokenizer_adds_bos(dish.tokenizer));
    assert_true(tokenizer_is_end(dish.tokenizer, 1));
    assert_true(tokenizer_is_end(dish.tokenizer, 2));
    assert_false(tokenizer_is_end(dish.tokenizer, 0));
    clear(&dish);
}

static void
end_tokens_are_known_by_text_if_they_are_markers(void **state)
{
    struct dish dish;

    (void) state;
    cook(&dish, &(struct recipe){
                    .tokens = {"a", "<|EOT|>", "<|im_end|>", "</s>",
                               "<｜end▁of▁sentence｜>"},
                    .kinds = {[1] = TOKEN_CONTROL,
                              [2] = TOKEN_USER_DEFINED,
                              [4] = TOKEN_CONTROL},
                    .merges = {"a b"},
                });
    assert_true(tokenizer_is_end(dish.tokenizer, 1));
    assert_true(tokenizer_is_end(dish.tokenizer, 2));
    assert_false(tokenizer_is_end(dish.tokenizer, 3)); // an ordinary token
    assert_true(tokenizer_is_end(dish.tokenizer, 4));
    clear(&dish);
}

// -- what files may not say --------------------------------------------------

static void
other_size(struct gguf_writer *w)
{
    gguf_writer_string(w, "general.architecture", "deepseek2");
    gguf_writer_u32(w, "deepseek2.vocab_size", 9);
}

static void
oddities_are_accepted_with_a_warning(void **state)
{
    struct recipe r = {.tokens = {"a", "b", "a", "b"}, .merges = {"a b"}};
    struct dish dish;

    (void) state;
    cook(&dish, &r);
    assert_warned(&dish, "token 2|token 0|2 such");
    assert_ids(&dish, "a", "0");
    clear(&dish);

    r = (struct recipe){.tokens = {"a", ""}, .merges = {"a b"}};
    cook(&dish, &r);
    assert_warned(&dish, "token 1|empty");
    clear(&dish);

    r = (struct recipe){.tokens = {"a", "\xFF"}, .merges = {"a b"}};
    cook(&dish, &r);
    assert_warned(&dish, "token 1|not UTF-8");
    clear(&dish);

    r = (struct recipe){.tokens = {"a"}, .merges = {"a b"}, .pre = ""};
    cook(&dish, &r);
    assert_warned(&dish, "tokenizer.ggml.pre|default");
    clear(&dish);

    r = (struct recipe){.tokens = {"a"}, .merges = {"a b"}, .more = other_size};
    cook(&dish, &r);
    assert_warned(&dish, "vocab_size is 9|1 tokens");
    clear(&dish);
}

static void
what_breaks_a_rule_is_refused_by_name(void **state)
{
    struct recipe broken = spm;

    (void) state;
    assert_refused(&(struct recipe){.tokens = {NULL}, .merges = {"a b"}},
                   STATUS_FORMAT, "tokenizer.ggml.tokens|0 entries");
    assert_refused(
        &(struct recipe){.tokens = {"a"}, .kinds = {7}, .merges = {"a b"}},
        STATUS_FORMAT, "token_type|token 0|type 7");
    assert_refused(
        &(struct recipe){.tokens = {"a"}, .merges = {"a b", "ab\x1B[2J"}},
        STATUS_FORMAT, "merges|entry 1|ab\\x1B");
    assert_refused(&(struct recipe){.tokens = {"a"}, .merges = {"ab "}},
                   STATUS_FORMAT, "merges|entry 0");
    assert_refused(
        &(struct recipe){.tokens = {"a"}, .merges = {"a b"}, .pre = "no\nsuch"},
        STATUS_UNSUPPORTED, "tokenizer.ggml.pre|no\\x0Asuch");
    assert_refused(
        &(struct recipe){.tokens = {"a"}, .merges = {"a b"}, .model = "t5"},
        STATUS_UNSUPPORTED, "tokenizer.ggml.model|\"t5\"");
    broken.scores[3] = NAN;
    assert_refused(&broken, STATUS_FORMAT, "scores|token 3");
    broken = spm;
    broken.tokens[9] = "<0x-1>";
    assert_refused(&broken, STATUS_FORMAT, "token 9 \"<0x-1>\"");
    broken.tokens[9] = "<0xFG>";
    assert_refused(&broken, STATUS_FORMAT, "token 9");
    broken.tokens[9] = "<0xFFF>";
    assert_refused(&broken, STATUS_FORMAT, "token 9");
}

/* Texts whose lookups all start at the same place of any small table. */
static void
texts_that_collide(char (*texts)[16], size_t count)
{
    uint32_t number = 0;

    for (size_t i = 0; i < count;) {
        int n = snprintf(texts[i], sizeof texts[i], "%u", number++);
        if ((text_table_hash(texts[i], (size_t) n) & 0xFFF) == 0)
            i++;
    }
}

static void
tokens_made_to_be_slow_are_refused(void **state)
{
    static char texts[TEXT_WALK_MAX + 1][16];
    const char *tokens[TEXT_WALK_MAX + 1];
    struct gguf_writer w = {0};
    struct dish dish;

    (void) state;
    texts_that_collide(texts, TEXT_WALK_MAX + 1);
    for (size_t i = 0; i <= TEXT_WALK_MAX; i++)
        tokens[i] = texts[i];
    for (size_t count = TEXT_WALK_MAX; count <= TEXT_WALK_MAX + 1; count++) {
        gguf_writer_string(&w, "tokenizer.ggml.model", "gpt2");
        gguf_writer_string(&w, "tokenizer.ggml.pre", "deepseek-v3");
        gguf_writer_strings(&w, "tokenizer.ggml.tokens", tokens, count);
        gguf_writer_strings(&w, "tokenizer.ggml.merges", tokens, 0);
        open_writer(&dish, &w);
        assert_int_equal(dish.status,
                         count == TEXT_WALK_MAX ? STATUS_OK : STATUS_FORMAT);
        clear(&dish);
    }
    assert_text_has(dish.err.text, "tokenizer.ggml.tokens|hash");
}

// -- memory ------------------------------------------------------------------

/* Opens, encodes and decodes, and says how that went. */
static enum status
use(const struct gguf *gguf)
{
    const char text[] = "ab\xFF ü ab c";
    struct tokenizer *tokenizer;
    struct tokens tokens = {0};
    struct buffer back = {0};
    struct error err;

    TRY(tokenizer_open(&tokenizer, gguf, &err));
    enum status status =
        tokenizer_encode(tokenizer, text, sizeof text - 1, &tokens, &err);
    if (status == STATUS_OK)
        status =
            tokenizer_decode(tokenizer, tokens.ids, tokens.count, &back, &err);
    tokens_release(&tokens);
    buffer_release(&back);
    tokenizer_close(tokenizer);
    return status;
}

static void
every_allocation_may_fail(void **state)
{
    const struct recipe recipes[] = {
        spm,
        {.tokens = {"a", "b", "ab", "ü", "a"},
         .kinds = {[3] = TOKEN_USER_DEFINED},
         .pre = "llama-bpe",
         .merges = {"a b", "b b"},
         .more = odd_ids},
    };

    (void) state;
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
        struct dish dish;
        unsigned long n = 0;
        enum status status;

        cook(&dish, &recipes[i]);
        do {
            fault_arm(++n);
            status = use(dish.gguf);
            fault_arm(0);
            assert_true(status == STATUS_OK || status == STATUS_NOMEM);
        } while (status != STATUS_OK);
        assert_true(n > 8);
        clear(&dish);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merges_go_by_their_rank),
        cmocka_unit_test(a_pair_listed_twice_has_its_first_rank),
        cmocka_unit_test(a_joined_text_without_a_token_gives_its_bytes),
        cmocka_unit_test(merges_never_make_a_marker),
        cmocka_unit_test(a_whole_word_comes_first_where_its_family_says_so),
        cmocka_unit_test(a_user_defined_letter_is_taken_out_of_the_text),
        cmocka_unit_test(spm_joins_by_score_leftmost_of_equals),
        cmocka_unit_test(scores_of_either_sign_are_ordered),
        cmocka_unit_test(spm_falls_back_to_bytes_then_to_unknown),
        cmocka_unit_test(spm_decodes_blanks_and_bytes),
        cmocka_unit_test(an_id_out_of_range_is_absent_and_said_to_be),
        cmocka_unit_test(end_tokens_are_known_by_text_if_they_are_markers),
        cmocka_unit_test(oddities_are_accepted_with_a_warning),
        cmocka_unit_test(what_breaks_a_rule_is_refused_by_name),
        cmocka_unit_test(tokens_made_to_be_slow_are_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
