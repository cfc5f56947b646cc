/* base/base64.h: the vectors of RFC 4648, section 10, and what is refused. */
#include "config.h"

#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct error err;

static void
the_published_vectors_go_there_and_back(void **state)
{
    static const char *const vectors[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xFB\xFF\xBE", "+/++"},
    };

    (void) state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const char *bytes = vectors[i][0], *text = vectors[i][1];
        struct buffer out = {0};

        assert_int_equal(base64_encode(&out, bytes, strlen(bytes), &err),
                         STATUS_OK);
        assert_string_equal(out.data, text);
        buffer_clear(&out);
        assert_int_equal(base64_decode(&out, text, strlen(text), &err),
                         STATUS_OK);
        assert_string_equal(out.data, bytes);
        buffer_release(&out);
    }
}

static void
only_what_is_written_so_is_read(void **state)
{
    static const char *const refused[] = {
        "Z",      "Zg",       "Zg=",         "Zh==",     "Zm9=",     "Zm 9",
        "Zm9v\n", "Zg==Zg==", "====",        "Z===",     "=m9v",     "Zm=v",
        "Zm9-",   "Zm9v=",    "Zm9vZm9\xFF", "Zg==Zm9v", "Zm8=====",
    };
    struct buffer out = {0};

    (void) state;
    assert_int_equal(buffer_append(&out, "kept", 4, &err), STATUS_OK);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_int_equal(
            base64_decode(&out, refused[i], strlen(refused[i]), &err),
            STATUS_FORMAT);
        assert_string_equal(out.data, "kept");
        assert_int_equal(out.length, 4);
    }
    buffer_release(&out);
}

static void
every_length_and_byte_comes_back(void **state)
{
    uint8_t bytes[256];
    struct buffer text = {0}, out = {0};

    (void) state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t) (i * 167 + 13);
    for (size_t length = 0; length <= sizeof bytes; length++) {
        buffer_clear(&text);
        buffer_clear(&out);
        assert_int_equal(base64_encode(&text, bytes, length, &err), STATUS_OK);
        assert_int_equal(base64_decode(&out, text.data, text.length, &err),
                         STATUS_OK);
        assert_int_equal(out.length, length);
        assert_memory_equal(out.data, bytes, length);
    }
    buffer_release(&text);
    buffer_release(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_vectors_go_there_and_back),
        cmocka_unit_test(only_what_is_written_so_is_read),
        cmocka_unit_test(every_length_and_byte_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
