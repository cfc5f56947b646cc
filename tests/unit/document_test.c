/* Documents keep their header's promises, for text cut anywhere. */
#include "config.h"

#include "ui/ui.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

static struct error err;

static struct document *
opened(enum document_kind kind)
{
    struct document *document;

    assert_int_equal(document_open(&document, kind, &err), STATUS_OK);
    return document;
}

static void
add(struct document *document, const char *text, size_t length)
{
    assert_int_equal(document_append(document, text, length, &err), STATUS_OK);
}

static void
lay_out(struct document *document, unsigned columns)
{
    assert_int_equal(document_layout(document, columns, &err), STATUS_OK);
}

/* The lines as text, each ended by a newline. */
static const char *
lines_of(const struct document *document)
{
    static struct buffer out;

    buffer_clear(&out);
    assert_int_equal(buffer_append(&out, "", 0, &err), STATUS_OK);
    for (size_t i = 0; i < document_lines(document); i++) {
        struct document_line line = document_line(document, i);

        assert_int_equal(buffer_append(&out, line.text, line.length, &err),
                         STATUS_OK);
        assert_int_equal(buffer_append(&out, "\n", 1, &err), STATUS_OK);
    }
    return out.data;
}

static void
expect(enum document_kind kind, unsigned columns, const char *text,
       const char *wanted)
{
    struct document *document = opened(kind);

    add(document, text, strlen(text));
    assert_int_equal(document_finish(document, &err), STATUS_OK);
    lay_out(document, columns);
    assert_string_equal(lines_of(document), wanted);
    document_close(document);
}

static void
plain_text_is_wrapped_as_it_is(void **state)
{
    (void) state;
    expect(DOCUMENT_PLAIN, 20,
           "* Each transition supplies the attributes.\n"
           "\n"
           "    indented\ta_word_longer_than_a_line\n",
           "* Each transition\n"
           "supplies the\n"
           "attributes.\n"
           "\n"
           "    indented\n"
           "a_word_longer_than_a\n"
           "_line\n");
}

static void
code_has_a_label_and_its_exact_source(void **state)
{
    struct document *document = opened(DOCUMENT_MARKDOWN);
    static const char text[] = "So:\n"
                               "```c\n"
                               "if (x)\n"
                               "\treturn -errno;   \n"
                               "\n"
                               "```\n"
                               "done";

    (void) state;
    add(document, text, sizeof text - 1);
    assert_int_equal(document_finish(document, &err), STATUS_OK);
    lay_out(document, 44);
    assert_string_equal(lines_of(document),
                        "So:\n"
                        "\n"
                        "c                     [1] y1 copies, o pages\n"
                        "if (x)\n"
                        "        return -errno;   \n"
                        "\n"
                        "\n"
                        "done\n");
    assert_int_equal(document_code_count(document), 1);
    struct document_code code = document_code(document, 1);

    assert_string_equal(code.label, "c");
    assert_int_equal(code.length, strlen("if (x)\n\treturn -errno;   \n\n"));
    assert_memory_equal(code.text, "if (x)\n\treturn -errno;   \n\n",
                        code.length);
    assert_int_equal(code.first_line, 2);
    assert_int_equal(code.line_count, 4);
    assert_false(code.open);
    document_close(document);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_is_wrapped_as_it_is),
        cmocka_unit_test(code_has_a_label_and_its_exact_source),
    };

    setlocale(LC_ALL, "C.UTF-8");
    text_width_start(true, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
