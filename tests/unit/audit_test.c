/* app/vault/audit.h: lines that are bound to each other. */
#include "config.h"

#include "app/vault/audit.h"
#include "app/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { EVENTS = 5 };

/* What the program links from its own objects: here nothing is decided. */
bool
policy_requires_audit(void)
{
    return false;
}

const char *
policy_path(void)
{
    return "policy.conf";
}

static struct buffer
write_events(void)
{
    struct audit_chain chain = {0};
    struct buffer text = {0};
    struct error err;

    for (uint64_t n = 1; n <= EVENTS; n++)
        assert_int_equal(audit_chain_write(&text, &chain, n, n * 1000, "unlock",
                                           "a \"detail\"", &err),
                         STATUS_OK);
    return text;
}

static enum status
follow(const char *text, size_t length, struct error *err)
{
    struct audit_chain chain = {0};

    for (const char *at = text, *end = text + length; at < end;) {
        const char *stop = memchr(at, '\n', (size_t) (end - at));

        TRY(audit_chain_follow(&chain, at, (size_t) ((stop ? stop : end) - at),
                               err));
        at = stop ? stop + 1 : end;
    }
    return STATUS_OK;
}

static void
what_was_written_is_followed(void **state)
{
    struct buffer text = write_events();
    struct error err;

    (void) state;
    assert_int_equal(follow(text.data, text.length, &err), STATUS_OK);
    assert_memory_equal(text.data,
                        "{\"n\":1,\"time\":\"1970-01-01T00:00:01.000Z\","
                        "\"event\":\"unlock\",\"detail\":\"a \\\"detail\\\"\","
                        "\"chain\":\"",
                        90);
    buffer_release(&text);
}

static void
no_byte_of_any_line_can_be_changed(void **state)
{
    struct buffer text = write_events();
    struct error err;

    (void) state;
    for (size_t i = 0; i < text.length; i++) {
        char byte = text.data[i];

        text.data[i] = byte == '5' ? '6' : '5';
        // only the last line feed may be anything that ends a line
        if (i + 1 < text.length)
            assert_int_equal(follow(text.data, text.length, &err),
                             STATUS_INTEGRITY);
        text.data[i] = byte;
    }
    buffer_release(&text);
}

static void
no_line_can_be_dropped_swapped_or_repeated(void **state)
{
    struct buffer text = write_events();
    size_t line = text.length / EVENTS;
    struct buffer other = {0};
    struct error err;

    (void) state;
    assert_int_equal(line * EVENTS, text.length);
    for (size_t drop = 0; drop + 1 < EVENTS; drop++) {
        buffer_clear(&other);
        assert_int_equal(buffer_append(&other, text.data, drop * line, &err),
                         STATUS_OK);
        assert_int_equal(buffer_append(&other, text.data + (drop + 1) * line,
                                       text.length - (drop + 1) * line, &err),
                         STATUS_OK);
        assert_int_equal(follow(other.data, other.length, &err),
                         STATUS_INTEGRITY);
    }
    buffer_clear(&other);
    for (int twice = 0; twice < 2; twice++)
        assert_int_equal(buffer_append(&other, text.data, line, &err),
                         STATUS_OK);
    assert_int_equal(follow(other.data, other.length, &err), STATUS_INTEGRITY);
    buffer_release(&other);
    buffer_release(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_followed),
        cmocka_unit_test(no_byte_of_any_line_can_be_changed),
        cmocka_unit_test(no_line_can_be_dropped_swapped_or_repeated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
