/* storage/tags.h: which words are tags, and what becomes of a list of them. */
#include "config.h"

#include "storage/tags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TEXT(literal)                                                          \
    (struct text)                                                              \
    {                                                                          \
        literal, sizeof(literal) - 1                                           \
    }

static struct error err;

static void
assert_tags(const struct buffer *tags, const char *want)
{
    assert_int_equal(tags->length, strlen(want));
    assert_memory_equal(tags->data, want, tags->length);
}

static void
words_are_added_once_and_taken_away(void **state)
{
    struct buffer tags = {0};

    (void) state;
    assert_int_equal(tags_change(&tags, TEXT("rdma  thesis rdma "), &err),
                     STATUS_OK);
    assert_tags(&tags, "rdma thesis");
    // capitals make another one, and part of a tag is none
    assert_int_equal(tags_change(&tags, TEXT("RDMA the"), &err), STATUS_OK);
    assert_tags(&tags, "rdma thesis RDMA the");
    assert_int_equal(tags_change(&tags, TEXT("-the -rdma"), &err), STATUS_OK);
    assert_tags(&tags, "thesis RDMA");
    assert_int_equal(tags_change(&tags, TEXT("-thesis x -RDMA -x"), &err),
                     STATUS_OK);
    assert_tags(&tags, "");
    buffer_release(&tags);
}

static void
what_is_no_tag_is_refused_with_its_name(void **state)
{
    const struct text wrong[] = {
        TEXT(""),         TEXT("a,b"),          TEXT("a b"),
        TEXT("-"),        TEXT("-x"),           TEXT("tab\there"),
        TEXT("\033[31m"), TEXT("\x7f"),         TEXT("a\0b"),
        TEXT("\xC2\x85"), TEXT("a\xC2\xA0z"),   TEXT("\xE3\x80\x80"),
        TEXT("\xFF"),     TEXT("\xED\xA0\x80"), TEXT("cut\xE5\xA4"),
    };
    struct buffer tags = {0};

    (void) state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(tags_add(&tags, wrong[i], &err), STATUS_FORMAT);
        assert_null(strchr(err.text, '\033'));
        assert_tags(&tags, "");
        // only a blank between two makes a text of several tags
        assert_int_equal(tags_valid(wrong[i]), wrong[i].length == 0 || i == 2);
    }
    assert_int_equal(tags_change(&tags, TEXT("good a,b"), &err), STATUS_FORMAT);
    assert_non_null(strstr(err.text, "a,b is no tag"));
    assert_int_equal(tags_remove(&tags, TEXT("goo"), &err), STATUS_FORMAT);
    assert_string_equal(err.text, "goo is no tag of this chat");
    buffer_release(&tags);
}

static void
a_tag_is_as_long_as_it_says_and_no_longer(void **state)
{
    char word[TAG_BYTES + 1];
    struct buffer tags = {0};

    (void) state;
    memset(word, 'x', sizeof word);
    assert_int_equal(tags_add(&tags, (struct text){word, TAG_BYTES}, &err),
                     STATUS_OK);
    assert_true(tags_valid((struct text){word, TAG_BYTES}));
    assert_int_equal(tags_add(&tags, (struct text){word, TAG_BYTES + 1}, &err),
                     STATUS_FORMAT);
    assert_false(tags_valid((struct text){word, TAG_BYTES + 1}));
    buffer_release(&tags);
}

static void
there_are_as_many_as_it_says_and_no_more(void **state)
{
    struct buffer tags = {0};

    (void) state;
    for (int i = 0; i < TAGS_MOST; i++) {
        char word[16];

        snprintf(word, sizeof word, "t%d", i);
        assert_int_equal(
            tags_add(&tags, (struct text){word, strlen(word)}, &err),
            STATUS_OK);
    }
    assert_true(tags_valid((struct text){tags.data, tags.length}));
    assert_int_equal(tags_add(&tags, TEXT("t3"), &err), STATUS_OK);
    assert_int_equal(tags_add(&tags, TEXT("more"), &err), STATUS_LIMIT);
    assert_non_null(strstr(err.text, "more is one too many"));
    assert_int_equal(buffer_append(&tags, " more", 5, &err), STATUS_OK);
    assert_false(tags_valid((struct text){tags.data, tags.length}));
    buffer_release(&tags);
}

static void
a_text_of_tags_has_one_blank_between_two(void **state)
{
    (void) state;
    assert_true(tags_valid((struct text){NULL, 0}));
    assert_true(tags_valid(TEXT("sky \xe7\xa9\xba c++")));
    assert_false(tags_valid(TEXT(" a")));
    assert_false(tags_valid(TEXT("a ")));
    assert_false(tags_valid(TEXT("a  b")));
    assert_false(tags_valid(TEXT("a b a")));
    assert_true(tags_have(TEXT("ab a"), TEXT("a")));
    assert_false(tags_have(TEXT("ab ac"), TEXT("a")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_added_once_and_taken_away),
        cmocka_unit_test(what_is_no_tag_is_refused_with_its_name),
        cmocka_unit_test(a_tag_is_as_long_as_it_says_and_no_longer),
        cmocka_unit_test(there_are_as_many_as_it_says_and_no_more),
        cmocka_unit_test(a_text_of_tags_has_one_blank_between_two),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
