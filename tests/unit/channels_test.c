/* engine/channels.h: what is shown does not depend on where tokens end. */
#include "config.h"

#include "engine/channels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OPEN = 1000, CLOSE = 1001 };

static struct error err;

/* What came out. */
static struct {
    struct buffer text[2];
    size_t tokens[2];
    int32_t last_token;
    size_t fail_after; // parts; 0: never
} out;

static enum status
collect(void *context, const struct channels_part *part, struct error *error)
{
    (void) context;
    if (out.fail_after > 0 && --out.fail_after == 0)
        return error_set(error, STATUS_IO, "broken");
    assert_true(utf8_valid(part->bytes, part->length));
    out.tokens[part->channel] += part->token_count;
    for (size_t i = 0; i < part->token_count; i++)
        out.last_token = part->tokens[i].id;
    return buffer_append(&out.text[part->channel], part->bytes, part->length,
                         error);
}

static void
forget(void)
{
    for (int i = 0; i < 2; i++) {
        buffer_release(&out.text[i]);
        out.tokens[i] = 0;
    }
    out.last_token = -1;
}

static struct channels *
opened(const struct channels_rule *rule)
{
    struct channels *channels;

    forget();
    assert_int_equal(channels_open(&channels, rule, collect, NULL, &err),
                     STATUS_OK);
    return channels;
}

static void
push(struct channels *channels, int32_t id, const char *text)
{
    struct channels_token token = {.id = id};

    if (!channels_stopped(channels))
        assert_int_equal(
            channels_push(channels, &token, text, strlen(text), true, &err),
            STATUS_OK);
}

static void
end(struct channels *channels)
{
    assert_int_equal(channels_end(channels, "", 0, &err), STATUS_OK);
}

static void
assert_shown(enum channel channel, const char *expected)
{
    size_t length = strlen(expected);

    if (out.text[channel].length != length ||
        (length > 0 && memcmp(out.text[channel].data, expected, length) != 0))
        fail_msg("shown \"%s\", expected \"%s\"",
                 out.text[channel].data ? out.text[channel].data : "",
                 expected);
}

/*
 * Pushes `text` cut into pieces by the bits of `cuts`: bit i cuts after byte
 * i. Ids count the tokens. Only for ASCII.
 */
static void
push_cut(struct channels *channels, const char *text, unsigned cuts)
{
    char piece[64];
    size_t length = 0;
    int32_t id = 0;

    for (size_t i = 0; text[i] != '\0'; i++) {
        piece[length++] = text[i];
        if ((cuts >> i & 1) != 0 || text[i + 1] == '\0') {
            piece[length] = '\0';
            push(channels, id++, piece);
            length = 0;
        }
    }
}

#define TEXT(literal)                                                          \
    {                                                                          \
        literal, sizeof(literal) - 1                                           \
    }

static void
stop_strings_never_leak_however_tokens_are_cut(void **state)
{
    static const struct text stops[] = {TEXT("abcd"), TEXT("cdx"), TEXT("\n\n"),
                                        TEXT("aab")};
    static const struct {
        const char *text, *shown;
        bool stopped;
    } cases[] = {
        {"xabcdy", "x", true},         {"ababcd", "ab", true},
        {"abcxabc", "abcxabc", false}, {"abcdxy", "", true},
        {"zcdcdxab", "zcd", true},     {"a\nb\n\nc", "a\nb", true},
        {"aaaab", "aa", true},         {"ab\n", "ab\n", false},
        {"cdcdcd", "cdcdcd", false},
    };
    struct channels_rule rule = {
        .think_open = -1, .think_close = -1, .stops = stops, .stop_count = 4};

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (unsigned cuts = 0; cuts < 1u << strlen(cases[i].text); cuts++) {
            struct channels *channels = opened(&rule);

            push_cut(channels, cases[i].text, cuts);
            end(channels);
            assert_shown(CHANNEL_ANSWER, cases[i].shown);
            assert_int_equal(channels_stopped(channels), cases[i].stopped);
            assert_int_equal(channels_answer(channels).length,
                             strlen(cases[i].shown));
            channels_close(channels);
        }
    forget();
}

static void
the_stop_string_that_ends_first_counts(void **state)
{
    // "cd" ends before "abcde" could; of two that end together the longer
    static const struct text first[] = {TEXT("abcde"), TEXT("cd")};
    static const struct text longer[] = {TEXT("cd"), TEXT("bcd")};
    struct channels_rule rule = {.think_open = -1, .think_close = -1};

    (void) state;
    for (unsigned cuts = 0; cuts < 64; cuts++) {
        rule.stops = first;
        rule.stop_count = 2;
        struct channels *channels = opened(&rule);
        push_cut(channels, "abcdef", cuts);
        assert_shown(CHANNEL_ANSWER, "ab");
        channels_close(channels);

        rule.stops = longer;
        channels = opened(&rule);
        push_cut(channels, "abcdef", cuts);
        assert_shown(CHANNEL_ANSWER, "a");
        channels_close(channels);
    }
    forget();
}

static void
text_is_held_only_as_long_as_needed(void **state)
{
    static const struct text stops[] = {TEXT("END")};
    struct channels_rule rule = {
        .think_open = -1, .think_close = -1, .stops = stops, .stop_count = 1};
    struct channels *channels = opened(&rule);

    (void) state;
    push(channels, 1, "one E");
    assert_shown(CHANNEL_ANSWER, "one ");
    assert_int_equal(out.tokens[CHANNEL_ANSWER], 0);
    push(channels, 2, "N");
    assert_shown(CHANNEL_ANSWER, "one ");
    push(channels, 3, "A");
    assert_shown(CHANNEL_ANSWER, "one ENA");
    assert_int_equal(out.tokens[CHANNEL_ANSWER], 3);
    push(channels, 4, "EN");
    end(channels);
    assert_shown(CHANNEL_ANSWER, "one ENAEN");
    channels_close(channels);
    forget();
}

static const struct channels_rule thinking = {.thinks = true,
                                              .think_open = OPEN,
                                              .think_close = CLOSE,
                                              .in_thought = true};

static void
a_thought_ends_at_its_marker(void **state)
{
    static const struct text stops[] = {TEXT("stop")};
    struct channels_rule rule = thinking;

    (void) state;
    rule.stops = stops;
    rule.stop_count = 1;
    struct channels *channels = opened(&rule);
    push(channels, 1, "\n");
    push(channels, 2, "Do not stop");
    push(channels, 3, " here.\n");
    assert_true(channels_in_thought(channels));
    push(channels, CLOSE, "");
    assert_false(channels_in_thought(channels));
    assert_int_equal(out.tokens[CHANNEL_THINK], 4);
    push(channels, 4, "\n\n");
    push(channels, 5, "378");
    push(channels, 6, " s");
    push(channels, 7, "top more");
    assert_true(channels_stopped(channels));
    assert_shown(CHANNEL_THINK, "Do not stop here.");
    assert_shown(CHANNEL_ANSWER, "378 ");
    assert_int_equal(channels_thought_tokens(channels), 4);
    assert_int_equal(out.tokens[CHANNEL_ANSWER], 2);
    channels_close(channels);
    forget();
}

static void
a_model_may_open_its_thought_itself(void **state)
{
    struct channels_rule rule = thinking;

    (void) state;
    rule.in_thought = false;
    struct channels *channels = opened(&rule);
    push(channels, OPEN, "");
    push(channels, 1, "Hm");
    push(channels, OPEN, "");
    push(channels, CLOSE, "");
    push(channels, CLOSE, "");
    push(channels, 2, "Yes");
    end(channels);
    assert_shown(CHANNEL_THINK, "Hm");
    assert_shown(CHANNEL_ANSWER, "Yes");
    assert_int_equal(channels_thought_tokens(channels), 4);
    channels_close(channels);
    forget();
}

static void
without_marker_tokens_their_text_counts(void **state)
{
    const struct channels_rule rule = {.thinks = true,
                                       .think_open = TOKEN_NONE,
                                       .think_close = TOKEN_NONE,
                                       .open_text = "<T>",
                                       .close_text = "</T>"};

    (void) state;
    for (unsigned cuts = 0; cuts < 1u << 14; cuts += 7) {
        struct channels *channels = opened(&rule);

        push_cut(channels, " <T>a<b </T>\nc", cuts);
        end(channels);
        assert_shown(CHANNEL_THINK, "a<b");
        assert_shown(CHANNEL_ANSWER, "c");
        channels_close(channels);
    }
    // later in the answer it is text like any other
    struct channels *channels = opened(&rule);
    push_cut(channels, "a <T>b</T>", 0x155);
    end(channels);
    assert_shown(CHANNEL_ANSWER, "a <T>b</T>");
    channels_close(channels);
    forget();
}

static void
a_model_without_thoughts_shows_all(void **state)
{
    struct channels_rule rule = thinking;

    (void) state;
    rule.thinks = rule.in_thought = false;
    struct channels *channels = opened(&rule);
    assert_false(channels_is_marker(channels, OPEN));
    push(channels, OPEN, "<think>");
    push(channels, 1, "x");
    end(channels);
    assert_shown(CHANNEL_ANSWER, "<think>x");
    assert_int_equal(channels_thought_tokens(channels), 0);
    channels_close(channels);
    forget();
}

static void
assert_ids(const struct channels *channels, const int32_t *ids, size_t count)
{
    const struct tokens *got = channels_answer_ids(channels);

    assert_non_null(got);
    assert_int_equal(got->count, count);
    assert_memory_equal(got->ids, ids, count * sizeof *ids);
}

static void
ids_are_kept_where_they_are_the_answer(void **state)
{
    static const struct text stops[] = {TEXT("END")};
    struct channels_rule rule = thinking;

    (void) state;
    rule.stops = stops;
    rule.stop_count = 1;
    // white space dropped in whole tokens, a stop string at a border
    struct channels *channels = opened(&rule);
    push(channels, 1, "Hm ");
    push(channels, CLOSE, "");
    push(channels, 2, "\n\n");
    push(channels, 3, "Hi");
    push(channels, 4, " E");
    push(channels, 5, "x");
    push(channels, 6, "EN");
    push(channels, 7, "D");
    assert_ids(channels, (int32_t[]){3, 4, 5}, 3);
    channels_close(channels);

    // a token that begins with what was dropped
    channels = opened(&rule);
    push(channels, CLOSE, "");
    push(channels, 2, "\n\nHi");
    end(channels);
    assert_shown(CHANNEL_ANSWER, "Hi");
    assert_null(channels_answer_ids(channels));
    channels_close(channels);

    // a token that ends in a stop string
    channels = opened(&rule);
    push(channels, CLOSE, "");
    push(channels, 2, "Hi EN");
    push(channels, 3, "D");
    assert_shown(CHANNEL_ANSWER, "Hi ");
    assert_null(channels_answer_ids(channels));
    channels_close(channels);

    // a blank that the prompt's form puts first
    struct channels_rule blank = {
        .think_open = -1, .think_close = -1, .blank_first = true};
    channels = opened(&blank);
    push(channels, 2, " Hi");
    push(channels, 3, " you");
    end(channels);
    assert_shown(CHANNEL_ANSWER, "Hi you");
    assert_ids(channels, (int32_t[]){2, 3}, 2);
    channels_close(channels);

    // an answer that is continued keeps its white space
    rule.in_thought = false;
    rule.continued = true;
    channels = opened(&rule);
    push(channels, 2, " and");
    end(channels);
    assert_shown(CHANNEL_ANSWER, " and");
    assert_ids(channels, (int32_t[]){2}, 1);
    channels_close(channels);
    forget();
}

static void
half_characters_wait_for_their_end(void **state)
{
    static const struct text stops[] = {TEXT("\xE4\xB8\xAD")};
    struct channels_rule rule = {.think_open = -1, .think_close = -1};
    struct channels_token first = {.id = 1}, second = {.id = 2};

    (void) state;
    for (int with_stop = 0; with_stop < 2; with_stop++) {
        rule.stops = stops;
        rule.stop_count = (size_t) with_stop;
        struct channels *channels = opened(&rule);
        assert_int_equal(channels_push(channels, &first, "a", 1, false, &err),
                         STATUS_OK);
        assert_shown(CHANNEL_ANSWER, "a");
        // the token's own text, as a score would show it, is half a secret
        assert_int_equal(out.tokens[CHANNEL_ANSWER], 0);
        assert_int_equal(
            channels_push(channels, &second, "\xE4\xB8\xAD", 3, true, &err),
            STATUS_OK);
        end(channels);
        assert_int_equal(out.tokens[CHANNEL_ANSWER], with_stop ? 0 : 2);
        assert_shown(CHANNEL_ANSWER, with_stop ? "a" : "a\xE4\xB8\xAD");
        assert_int_equal(channels_answer_ids(channels) == NULL, with_stop);
        channels_close(channels);
    }
    forget();
}

static void
what_the_decoder_held_comes_at_the_end(void **state)
{
    struct channels_rule rule = {.think_open = -1, .think_close = -1};
    struct channels_token token = {.id = 1};
    struct channels *channels = opened(&rule);

    (void) state;
    assert_int_equal(channels_push(channels, &token, "a", 1, false, &err),
                     STATUS_OK);
    assert_int_equal(channels_end(channels, "\xEF\xBF\xBD", 3, &err),
                     STATUS_OK);
    assert_shown(CHANNEL_ANSWER, "a\xEF\xBF\xBD");
    assert_int_equal(out.tokens[CHANNEL_ANSWER], 1);
    channels_close(channels);
    channels_close(NULL);
    forget();
}

static enum status
one_answer(void)
{
    static const struct text stops[] = {TEXT("END")};
    struct channels_rule rule = thinking;
    struct channels *channels;
    enum status status;

    rule.stops = stops;
    rule.stop_count = 1;
    status = channels_open(&channels, &rule, collect, NULL, &err);
    for (int32_t id = 0; status == STATUS_OK && id < 40; id++) {
        struct channels_token token = {.id = id == 20 ? CLOSE : id};

        status = channels_push(channels, &token, "EN ", 3, true, &err);
    }
    if (status == STATUS_OK)
        status = channels_end(channels, "", 0, &err);
    channels_close(channels);
    forget();
    return status;
}

static void
every_allocation_and_every_part_may_fail(void **state)
{
    unsigned long n = 0;

    (void) state;
    do
        fault_arm(++n);
    while (one_answer() == STATUS_NOMEM);
    fault_arm(0);
    assert_true(n > 5);
    for (size_t i = 1; i < 10; i++) {
        out.fail_after = i;
        assert_int_equal(one_answer(), STATUS_IO);
    }
    out.fail_after = 0;
    assert_int_equal(one_answer(), STATUS_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stop_strings_never_leak_however_tokens_are_cut),
        cmocka_unit_test(the_stop_string_that_ends_first_counts),
        cmocka_unit_test(text_is_held_only_as_long_as_needed),
        cmocka_unit_test(a_thought_ends_at_its_marker),
        cmocka_unit_test(a_model_may_open_its_thought_itself),
        cmocka_unit_test(without_marker_tokens_their_text_counts),
        cmocka_unit_test(a_model_without_thoughts_shows_all),
        cmocka_unit_test(ids_are_kept_where_they_are_the_answer),
        cmocka_unit_test(half_characters_wait_for_their_end),
        cmocka_unit_test(what_the_decoder_held_comes_at_the_end),
        cmocka_unit_test(every_allocation_and_every_part_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
