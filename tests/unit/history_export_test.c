/* Chats as Markdown, HTML and JSON. */
#include "config.h"

#include "app/history/history_export.h"
#include "app/history/turn_tree.h"
#include "tests/unit/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEXT(literal)                                                          \
    {                                                                          \
        literal, sizeof literal - 1                                            \
    }

/* A question that was answered twice, and another beginning. */
static const struct turn_record turns[] = {
    {.id = 70,
     .role = TURN_QUESTION,
     .time_ms = 1795356251123,
     .content = TEXT("Is 1 < 2 & \"so\"?")},
    {.id = 71,
     .parent = 70,
     .role = TURN_ANSWER,
     .time_ms = 1795356252000,
     .content = TEXT("No."),
     .thinking = TEXT("Hm.\n## You\n")},
    {.id = 75,
     .parent = 70,
     .role = TURN_ANSWER,
     .time_ms = 1795356253000,
     .content = TEXT("Yes:\n\n```c\na\n\nb\n```\nDone\033[2J."),
     .thinking = TEXT("Let me see."),
     .complete = true,
     .finish = FINISH_THINK_BUDGET,
     .origin = {.model = TEXT("mini"),
                .fingerprint = TEXT("b2:12"),
                .device = TEXT("cpu avx2"),
                .sampling = {1.0, 0.1, 40, 0.95, 0, 7},
                .prompt_tokens = 12,
                .thinking_tokens = 3,
                .answer_tokens = 9,
                .ttft_ms = 100.0 / 3,
                .total_ms = 2000,
                .decode_tps = 13.75}},
    {.id = 80, .role = TURN_QUESTION, .content = TEXT("Another beginning")},
};
enum { TURNS = sizeof turns / sizeof turns[0] };

static struct chat_info
sample_info(void)
{
    return (struct chat_info){.title = TEXT("A\n<b>title\033]0;x\a"),
                              .system = TEXT("Be \u202Ebrief"),
                              .model = TEXT("mini"),
                              .tags = TEXT("<i> \u202Ex"),
                              .created_ms = 1795356251123,
                              .used_ms = 1795356253000,
                              .leaf = 75,
                              .turns = TURNS,
                              .pinned = true};
}

static struct buffer
exported(struct export_how how)
{
    struct chat_info info = sample_info();
    struct export_chat chat = {"0A1B", &info, turns, TURNS};
    struct buffer out = {0};
    struct error err;

    assert_int_equal(history_export_begin(&out, &how, 1795356260000, &err), 0);
    assert_int_equal(history_export_chat(&out, &how, &chat, 0, &err), 0);
    assert_int_equal(history_export_end(&out, &how, &err), 0);
    assert_true(utf8_valid(out.data, out.length));
    return out;
}

static void
expect_whole(struct export_how how, const char *wanted)
{
    struct buffer out = exported(how);

    assert_string_equal(out.data, wanted);
    buffer_release(&out);
}

static void
markdown_has_the_branch_in_use(void **state)
{
    (void) state;
    expect_whole((struct export_how){EXPORT_MARKDOWN, false, false},
                 "# A <b>title<ESC>]0;x<BEL>\n\n2026-11-22 14:04, mini\n\n"
                 "Tags: <i> <U+202E>x\n\n"
                 "## System\n\nBe <U+202E>brief\n\n"
                 "## You\n\nIs 1 < 2 & \"so\"?\n\n"
                 "## fathom\n\nYes:\n\n```c\na\n\nb\n```\nDone<ESC>[2J.\n\n");
}

static void
thoughts_are_quoted_and_branches_numbered(void **state)
{
    (void) state;
    expect_whole(
        (struct export_how){EXPORT_MARKDOWN, true, true},
        "# A <b>title<ESC>]0;x<BEL>\n\n2026-11-22 14:04, mini\n\n"
        "Tags: <i> <U+202E>x\n\n"
        "## System\n\nBe <U+202E>brief\n\n"
        "## 1. You (version 1 of 2)\n\nIs 1 < 2 & \"so\"?\n\n"
        "## Thinking\n\n> Hm.\n> ## You\n\n"
        "## 2. fathom (incomplete) (after 1, version 1 of 2)\n\nNo.\n\n"
        "## Thinking\n\n> Let me see.\n\n"
        "## 3. fathom (after 1, version 2 of 2)\n\n"
        "Yes:\n\n```c\na\n\nb\n```\nDone<ESC>[2J.\n\n"
        "## 4. You (version 2 of 2)\n\nAnother beginning\n\n");
}

static void
html_is_escaped(void **state)
{
    struct buffer out = exported((struct export_how){EXPORT_HTML, true, false});
    const char *body = strstr(out.data, "<body>");

    (void) state;
    assert_non_null(body);
    assert_string_equal(
        body,
        "<body>\n<article>\n<h1>A\n&lt;b&gt;title&lt;ESC&gt;]0;x&lt;BEL&gt;"
        "</h1>\n<p class=\"facts\">2026-11-22 14:04, mini</p>\n"
        "<p class=\"facts\">Tags: &lt;i&gt; &lt;U+202E&gt;x</p>\n"
        "<h2>System</h2>\n<p>Be &lt;U+202E&gt;brief</p>\n"
        "<h2>You</h2>\n<p>Is 1 &lt; 2 &amp; &quot;so&quot;?</p>\n"
        "<h2>fathom</h2>\n<details>\n<summary>Thinking</summary>\n"
        "<p>Let me see.</p>\n</details>\n"
        "<p>Yes:</p>\n<pre>\na\n\nb\n</pre>\n<p>Done&lt;ESC&gt;[2J.</p>\n"
        "</article>\n</body>\n</html>\n");
    buffer_release(&out);
}

static void
append_base64(char *out, const uint8_t *bytes, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq"
                                 "rstuvwxyz0123456789+/";

    out += strlen(out);
    for (size_t i = 0; i < length; i += 3) {
        uint32_t three = (uint32_t) bytes[i] << 16;

        if (i + 1 < length)
            three |= (uint32_t) bytes[i + 1] << 8;
        if (i + 2 < length)
            three |= bytes[i + 2];
        for (int j = 0; j < 4; j++)
            *out++ = i + (size_t) j > length
                         ? '='
                         : digits[three >> (18 - 6 * j) & 63];
    }
    *out = '\0';
}

static void
html_allows_its_own_style_and_nothing_else(void **state)
{
    struct buffer out =
        exported((struct export_how){EXPORT_HTML, false, false});
    const char *style = strstr(out.data, "<style>") + strlen("<style>");
    const char *style_end = strstr(style, "</style>");
    char policy[300] = "content=\"default-src 'none'; style-src 'sha256-";
    uint8_t digest[32];

    (void) state;
    sha256(style, (size_t) (style_end - style), digest);
    append_base64(policy, digest, sizeof digest);
    strcat(policy, "'; base-uri 'none'; form-action 'none'\">");
    assert_non_null(strstr(out.data, policy));
    assert_null(strstr(out.data, "<script"));
    assert_null(strstr(out.data, "http:"));
    assert_null(strstr(out.data, "https:"));
    assert_null(strstr(out.data, "url("));
    assert_null(strstr(out.data, "style="));
    assert_non_null(strstr(style, "prefers-color-scheme:dark"));
    buffer_release(&out);
}

static void
json_has_all(void **state)
{
    (void) state;
    expect_whole(
        (struct export_how){EXPORT_JSON, true, false},
        "{\n  \"schema\": \"fathom.export/1\",\n"
        "  \"created\": \"2026-11-22T14:04:20.000Z\",\n"
        "  \"build\": \"" PACKAGE_STRING "\",\n  \"chats\": [\n    {\n"
        "      \"id\": \"0A1B\",\n"
        "      \"title\": \"A\\n<b>title\\u001B]0;x\\u0007\",\n"
        "      \"system\": \"Be \\u202Ebrief\",\n"
        "      \"model\": \"mini\",\n"
        "      \"tags\": [\"<i>\", \"\\u202Ex\"],\n"
        "      \"created\": \"2026-11-22T14:04:11.123Z\",\n"
        "      \"used\": \"2026-11-22T14:04:13.000Z\",\n"
        "      \"pinned\": true,\n      \"leaf\": 3,\n      \"turns\": [\n"
        "        {\n          \"id\": 1,\n          \"role\": \"user\",\n"
        "          \"time\": \"2026-11-22T14:04:11.123Z\",\n"
        "          \"content\": \"Is 1 < 2 & \\\"so\\\"?\"\n        },\n"
        "        {\n          \"id\": 2,\n          \"parent\": 1,\n"
        "          \"role\": \"assistant\",\n"
        "          \"time\": \"2026-11-22T14:04:12.000Z\",\n"
        "          \"content\": \"No.\",\n"
        "          \"thinking\": \"Hm.\\n## You\\n\",\n"
        "          \"complete\": false,\n"
        "          \"sampling\": {\"seed\": 0, \"temp\": 0, \"top_p\": 0, "
        "\"top_k\": 0, \"min_p\": 0, \"repeat_penalty\": 0},\n"
        "          \"tokens\": {},\n"
        "          \"timing\": {\"ttft_ms\": 0, \"total_ms\": 0, "
        "\"decode_tps\": 0}\n        },\n"
        "        {\n          \"id\": 3,\n          \"parent\": 1,\n"
        "          \"role\": \"assistant\",\n"
        "          \"time\": \"2026-11-22T14:04:13.000Z\",\n"
        "          \"content\": \"Yes:\\n\\n```c\\na\\n\\nb\\n```\\n"
        "Done\\u001B[2J.\",\n"
        "          \"thinking\": \"Let me see.\",\n"
        "          \"complete\": true,\n"
        "          \"finish\": \"think_budget\",\n"
        "          \"model\": \"mini\",\n"
        "          \"fingerprint\": \"b2:12\",\n"
        "          \"device\": \"cpu avx2\",\n"
        "          \"sampling\": {\"seed\": 7, \"temp\": 0.1, \"top_p\": 0.95, "
        "\"top_k\": 40, \"min_p\": 0, \"repeat_penalty\": 1},\n"
        "          \"tokens\": {\"prompt\": 12, \"thinking\": 3, \"answer\": "
        "9},\n"
        "          \"timing\": {\"ttft_ms\": 33.333333333333336, "
        "\"total_ms\": 2000, \"decode_tps\": 13.75}\n        },\n"
        "        {\n          \"id\": 4,\n          \"role\": \"user\",\n"
        "          \"content\": \"Another beginning\"\n        }\n"
        "      ]\n    }\n  ]\n}\n");
}

static void
json_without_thinking_has_none(void **state)
{
    struct buffer out =
        exported((struct export_how){EXPORT_JSON, false, false});

    (void) state;
    assert_null(strstr(out.data, "Let me see"));
    assert_null(strstr(out.data, "\"thinking\": \""));
    buffer_release(&out);
}

static enum status
try_export(struct export_how how, struct buffer *out, struct error *err)
{
    struct chat_info info = sample_info();
    struct export_chat chat = {"0A1B", &info, turns, TURNS};

    TRY(history_export_begin(out, &how, 1795356260000, err));
    TRY(history_export_chat(out, &how, &chat, 0, err));
    return history_export_end(out, &how, err);
}

static void
memory_may_fail_anywhere(void **state)
{
    (void) state;
    for (enum export_format f = EXPORT_MARKDOWN; f <= EXPORT_HTML; f++) {
        struct export_how how = {f, true, true};
        struct buffer whole = exported(how);
        enum status status = STATUS_NOMEM;
        unsigned long n = 0;

        while (status == STATUS_NOMEM) {
            struct buffer out = {0};
            struct error err;

            fault_arm(++n);
            status = try_export(how, &out, &err);
            fault_arm(0);
            if (status == STATUS_OK)
                assert_string_equal(out.data, whole.data);
            buffer_release(&out);
        }
        assert_int_equal(status, STATUS_OK);
        assert_true(n > 3);
        buffer_release(&whole);
    }
}

static void
formats_have_names(void **state)
{
    enum export_format format;

    (void) state;
    assert_true(history_export_find(&format, "html") && format == EXPORT_HTML);
    assert_true(history_export_find(&format, "md"));
    assert_int_equal(format, EXPORT_MARKDOWN);
    assert_true(history_export_find(&format, "json") && format == EXPORT_JSON);
    assert_false(history_export_find(&format, "pdf"));
}

static void
a_tree_whose_leaf_is_unknown_ends_at_its_last_turn(void **state)
{
    struct turn_tree tree;
    struct error err;

    (void) state;
    assert_int_equal(turn_tree_build(&tree, turns, TURNS, 9999, false, &err),
                     0);
    assert_int_equal(tree.order_count, 1);
    assert_int_equal(tree.order[0], 3);
    turn_tree_release(&tree);
    assert_int_equal(turn_tree_build(&tree, turns, 0, 0, true, &err), 0);
    assert_int_equal(tree.order_count, 0);
    turn_tree_release(&tree);
}

static void
a_parent_that_comes_later_is_none(void **state)
{
    static const struct turn_record odd[] = {
        {.id = 1, .parent = 2}, {.id = 2, .parent = 1}, {.id = 3, .parent = 3}};
    struct turn_tree tree;
    struct error err;

    (void) state;
    assert_int_equal(turn_tree_build(&tree, odd, 3, 2, true, &err), 0);
    assert_int_equal(tree.order_count, 3);
    assert_int_equal(tree.nodes[0].parent, TURN_TREE_NONE);
    assert_int_equal(tree.nodes[2].parent, TURN_TREE_NONE);
    turn_tree_release(&tree);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markdown_has_the_branch_in_use),
        cmocka_unit_test(thoughts_are_quoted_and_branches_numbered),
        cmocka_unit_test(html_is_escaped),
        cmocka_unit_test(html_allows_its_own_style_and_nothing_else),
        cmocka_unit_test(json_has_all),
        cmocka_unit_test(json_without_thinking_has_none),
        cmocka_unit_test(memory_may_fail_anywhere),
        cmocka_unit_test(formats_have_names),
        cmocka_unit_test(a_tree_whose_leaf_is_unknown_ends_at_its_last_turn),
        cmocka_unit_test(a_parent_that_comes_later_is_none),
    };

    setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
