/* app/attachment.h: documents that go with a question come apart again. */
#include "config.h"

#include "app/attachment.h"
#include "app/chat/chat_title.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct text
of(const char *text)
{
    return (struct text){text, strlen(text)};
}

static void
expect(struct text text, const char *wanted)
{
    assert_int_equal(text.length, strlen(wanted));
    assert_memory_equal(text.bytes, wanted, text.length);
}

static void
documents_come_apart_as_they_were_put_together(void **state)
{
    static const char *const contents[] = {"", "\n", "x", "two\nlines\n",
                                           "[file name]: x\n"};
    struct buffer out = {0};
    struct error err;

    (void) state;
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++)
        assert_int_equal(
            attachment_append(&out, "a.txt", of(contents[i]), &err), STATUS_OK);
    assert_int_equal(buffer_append(&out, "What?", 5, &err), STATUS_OK);
    struct text rest = {out.data, out.length}, name, content;

    expect(attachment_rest(rest), "What?");
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        assert_true(attachment_next(&rest, &name, &content));
        expect(name, "a.txt");
        expect(content, contents[i]);
    }
    assert_false(attachment_next(&rest, &name, &content));
    expect(rest, "What?");
    buffer_release(&out);
}

static void
what_is_no_document_is_left_alone(void **state)
{
    static const char *const texts[] = {
        "",
        "What?",
        "[file name]: ",
        "[file name]: a\n[file content begin]\n",
        "[file name]: a\n[file content begin]\nx",
        " [file name]: a\n[file content begin]\nx\n[file content end]\n",
        "[file name]: a\nb\n[file content begin]\nx\n[file content end]\n",
        "[file name]: a\n[file content end]\n[file content begin]\n",
    };

    (void) state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct text text = of(texts[i]), name, content;

        assert_false(attachment_next(&text, &name, &content));
        expect(text, texts[i]);
    }
}

static void
people_see_names_and_sizes(void **state)
{
    struct buffer question = {0}, shown = {0};
    struct error err;

    (void) state;
    assert_int_equal(attachment_append(&question, "a.txt", of("12345"), &err),
                     STATUS_OK);
    assert_int_equal(attachment_append(&question, "b", of(""), &err),
                     STATUS_OK);
    assert_int_equal(buffer_append(&question, "What?", 5, &err), STATUS_OK);
    struct text text = {question.data, question.length};

    assert_int_equal(attachment_lay_out(&shown, text, &err), STATUS_OK);
    assert_string_equal(shown.data, "[a.txt, 5 B]\n[b, 0 B]\nWhat?");
    buffer_release(&question);
    buffer_release(&shown);
}

static void
a_name_is_without_folders_and_fit_to_be_shown(void **state)
{
    char name[ATTACHMENT_NAME_BYTES];

    (void) state;
    attachment_name(name, "/a/b c.txt");
    assert_string_equal(name, "b c.txt");
    attachment_name(name, "a\n.txt");
    assert_string_equal(name, "a\\x0A.txt");
}

static void
a_title_is_of_the_words_not_of_documents(void **state)
{
    static const char document[] =
        "[file name]: a.txt\n[file content begin]\nx\n[file content end]\n";
    char title[CHAT_TITLE_BYTES], question[200];

    (void) state;
    strcpy(question, document);
    chat_title(title, of(question));
    assert_string_equal(title, "a.txt");
    strcat(question, "\nWhat is it?\n");
    chat_title(title, of(question));
    assert_string_equal(title, "What is it?");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_come_apart_as_they_were_put_together),
        cmocka_unit_test(what_is_no_document_is_left_alone),
        cmocka_unit_test(people_see_names_and_sizes),
        cmocka_unit_test(a_name_is_without_folders_and_fit_to_be_shown),
        cmocka_unit_test(a_title_is_of_the_words_not_of_documents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
