/* Chats from outside: three formats, and what is none. */
#include "config.h"

#include "app/history/history_export.h"
#include "app/history/history_import.h"
#include "app/history/json_items.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(literal)                                                          \
    {                                                                          \
        literal, sizeof literal - 1                                            \
    }

static struct text
text(const char *string)
{
    return (struct text){string, strlen(string)};
}

static struct history_import *
opened(struct text document)
{
    struct history_import *import;
    struct error err;

    if (history_import_open(&import, document, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    return import;
}

static const struct import_chat *
next(struct history_import *import)
{
    const struct import_chat *chat;
    struct error err;

    if (history_import_next(&chat, import, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    return chat;
}

/* The last line of a document's refusal, at open or at any chat. */
static enum status
refusal(struct text document, struct error *err)
{
    struct history_import *import;
    const struct import_chat *chat;
    enum status status = history_import_open(&import, document, err);

    if (status != STATUS_OK)
        return status;
    do
        status = history_import_next(&chat, import, err);
    while (status == STATUS_OK && chat != NULL);
    history_import_close(import);
    return status;
}

static void
expect_refusal(const char *document, enum status status, const char *sentence)
{
    struct error err = {0};
    enum status got = refusal(text(document), &err);

    if (got != status || strstr(err.text, sentence) == NULL)
        fail_msg("%.60s: status %d, '%s'", document, got, err.text);
}

/* "1<0 Q hello|2<1 A yes" */
static void
expect_turns(const struct import_chat *chat, const char *wanted)
{
    struct buffer out = {0};
    struct error err;

    for (size_t i = 0; i < chat->count; i++) {
        const struct turn_record *turn = &chat->turns[i];

        assert_int_equal(
            buffer_print(&out, &err, "%s%d<%d %c %.*s", i > 0 ? "|" : "",
                         (int) turn->id, (int) turn->parent,
                         turn->role == TURN_ANSWER ? 'A' : 'Q',
                         (int) turn->content.length, turn->content.bytes),
            STATUS_OK);
    }
    assert_string_equal(out.data, wanted);
    buffer_release(&out);
}

static void
expect_text(struct text got, const char *wanted)
{
    assert_int_equal(got.length, strlen(wanted));
    assert_memory_equal(got.bytes ? got.bytes : "", wanted, got.length);
}

/* -- our own -----------------------------------------------------------------
 */

static const struct turn_record records[] = {
    {.id = 170,
     .role = TURN_QUESTION,
     .time_ms = 1795356251123,
     .content = TEXT("A\0B \"q\" \\ \033[2J \xF3\xA0\x80\x81 \xE2\x80\xAE")},
    {.id = 171,
     .parent = 170,
     .role = TURN_ANSWER,
     .complete = false,
     .arrived_locked = true,
     .thinking = TEXT("Hm.\n\n")},
    {.id = 175,
     .parent = 170,
     .role = TURN_ANSWER,
     .time_ms = 1795356253000,
     .content = TEXT("\xF0\x9F\x8C\x88"),
     .thinking = TEXT("Let me see."),
     .complete = true,
     .finish = FINISH_THINK_BUDGET,
     .origin = {.model = TEXT("mini"),
                .fingerprint = TEXT("b2:12"),
                .device = TEXT("cpu avx2"),
                .sampling = {1.05, 0.1, 40, 0.95, 1e-9, INT64_MAX},
                .prompt_tokens = 12,
                .thinking_tokens = 3,
                .answer_tokens = 9,
                .ttft_ms = 100.0 / 3,
                .total_ms = 1e15,
                .decode_tps = 13.75}},
    {.id = 180, .role = TURN_QUESTION, .content = TEXT("Another beginning")},
    {.id = 181, .parent = 175, .role = TURN_QUESTION, .content = TEXT("")},
    {.id = 190,
     .parent = 181,
     .role = TURN_ANSWER,
     .complete = true,
     .finish = FINISH_STOP,
     .content = TEXT("x"),
     .origin = {.sampling = {(double) NAN, (double) NAN, -1, (double) NAN,
                             (double) NAN, -1}}},
};
enum { RECORDS = sizeof records / sizeof records[0] };

static struct buffer
exported(const struct chat_info *info, const struct turn_record *turns,
         size_t count)
{
    struct export_how how = {EXPORT_JSON, true, false};
    struct export_chat chat = {NULL, info, turns, count};
    struct buffer out = {0};
    struct error err;

    assert_int_equal(history_export_begin(&out, &how, 0, &err), 0);
    assert_int_equal(history_export_chat(&out, &how, &chat, 0, &err), 0);
    assert_int_equal(history_export_chat(&out, &how, &chat, 1, &err), 0);
    assert_int_equal(history_export_end(&out, &how, &err), 0);
    return out;
}

static void
our_own_comes_back_exactly(void **state)
{
    static const struct chat_info info = {.title = TEXT("T\n2"),
                                          .system = TEXT("S"),
                                          .model = TEXT("M"),
                                          .tags = TEXT("a \"b\" \u7a7a"),
                                          .created_ms = 1,
                                          .used_ms = 1795356253000,
                                          .leaf = 175,
                                          .turns = RECORDS,
                                          .pinned = true};
    struct buffer first = exported(&info, records, RECORDS);
    struct history_import *import =
        opened((struct text){first.data, first.length});
    const struct import_chat *chat = next(import);

    (void) state;
    assert_string_equal(history_import_format(import), "a fathom export");
    assert_int_equal(chat->count, RECORDS);
    assert_int_equal(chat->turns[0].content.length, records[0].content.length);
    assert_memory_equal(chat->turns[0].content.bytes, records[0].content.bytes,
                        records[0].content.length);
    assert_true(chat->turns[1].arrived_locked);
    assert_true(chat->turns[2].origin.ttft_ms == 100.0 / 3);
    assert_true(chat->turns[2].origin.sampling.seed == INT64_MAX);
    assert_true(isnan(chat->turns[5].origin.sampling.temperature));

    struct buffer second = exported(&chat->info, chat->turns, chat->count);

    assert_string_equal(second.data, first.data);
    assert_non_null(next(import));
    assert_null(next(import));
    buffer_release(&first);
    buffer_release(&second);
    history_import_close(import);
}

static void
it_can_be_read_twice(void **state)
{
    struct buffer document =
        exported(&(struct chat_info){.leaf = 170}, records, 1);
    struct history_import *import =
        opened((struct text){document.data, document.length});

    (void) state;
    for (int pass = 0; pass < 2; pass++) {
        assert_non_null(next(import));
        assert_non_null(next(import));
        assert_null(next(import));
        assert_null(next(import));
        history_import_rewind(import);
    }
    history_import_close(import);
    buffer_release(&document);
}

#define OWN(chats) "{\"schema\": \"fathom.export/1\", \"chats\": " chats "}"
#define TURN1 "{\"id\": 1, \"role\": \"user\", \"content\": \"q\"}"

static void
what_our_own_never_says_is_refused(void **state)
{
    (void) state;
    expect_refusal("", STATUS_FORMAT, "no export that is known");
    expect_refusal("hello", STATUS_FORMAT, "no export that is known");
    expect_refusal("{}", STATUS_FORMAT, "no export that is known");
    expect_refusal("{\"schema\": \"fathom.ask/1\"}", STATUS_FORMAT,
                   "no export that is known");
    expect_refusal("{\"schema\": \"fathom.export/2\", \"chats\": []}",
                   STATUS_UNSUPPORTED, "newer fathom");
    expect_refusal("{\"schema\": \"fathom.export/1\"}", STATUS_FORMAT,
                   "no \"chats\"");
    expect_refusal("{\"schema\": \"fathom.export/1\", \"schema\": 1}",
                   STATUS_FORMAT, "there twice");
    expect_refusal(OWN("7"), STATUS_FORMAT, "a list was expected");
    expect_refusal(OWN("[7]"), STATUS_FORMAT, "chat 1: it is not an object");
    expect_refusal(OWN("[{\"title\": 7}]"), STATUS_FORMAT,
                   "its \"title\" is not a text");
    expect_refusal(OWN("[{\"tags\": \"x\"}]"), STATUS_FORMAT,
                   "its \"tags\" is not a list");
    expect_refusal(OWN("[{\"tags\": [7]}]"), STATUS_FORMAT,
                   "its \"tags\" are not all texts");
    expect_refusal(OWN("[{\"tags\": [\"x y\"]}]"), STATUS_FORMAT,
                   "x y is no tag");
    expect_refusal(OWN("[{\"created\": \"yesterday\"}]"), STATUS_FORMAT,
                   "is not a time");
    expect_refusal(OWN("[{\"turns\": {}}]"), STATUS_FORMAT, "is not a list");
    expect_refusal(OWN("[{\"turns\": [7]}]"), STATUS_FORMAT,
                   "chat 1: turn 1: it is not an object");
    expect_refusal(OWN("[{\"turns\": [{\"id\": 1, \"role\": \"tool\"}]}]"),
                   STATUS_FORMAT, "its \"role\" is neither");
    expect_refusal(OWN("[{\"turns\": [" TURN1 "," TURN1 "]}]"), STATUS_FORMAT,
                   "turn 2: its \"id\" is not 2");
    expect_refusal(OWN("[{\"turns\": [" TURN1
                       ", {\"id\": 2, \"role\": \"user\", \"parent\": 1}]}]"),
                   STATUS_FORMAT, "follows a question");
    expect_refusal(OWN("[{\"turns\": [" TURN1 ", {\"id\": 2, \"role\": "
                       "\"assistant\", \"parent\": 3}]}]"),
                   STATUS_FORMAT, "follows one that is not before it");
    expect_refusal(OWN("[{\"turns\": [" TURN1 ", {\"id\": 2, \"role\": "
                       "\"assistant\", \"parent\": 1, \"finish\": \"no\"}]}]"),
                   STATUS_FORMAT, "no way to finish");
    expect_refusal(OWN("[{\"leaf\": 2, \"turns\": [" TURN1 "]}]"),
                   STATUS_FORMAT, "its \"leaf\" is no turn");
    expect_refusal(OWN("[{\"leaf\": -1, \"turns\": [" TURN1 "]}]"),
                   STATUS_FORMAT, "its \"leaf\" is not a count");
}

static void
an_answer_whose_question_is_lost_gets_an_empty_one(void **state)
{
    struct history_import *import = opened(text(
        OWN("[{\"leaf\": 3, \"turns\": [" TURN1 ", {\"id\": 2, \"role\": "
            "\"assistant\", \"content\": \"lost\"}, {\"id\": 3, \"parent\": 2, "
            "\"role\": \"user\", \"content\": \"more\"}]}]")));
    const struct import_chat *chat = next(import);

    (void) state;
    expect_turns(chat, "1<0 Q q|2<0 Q |3<2 A lost|4<3 Q more");
    assert_int_equal(chat->info.leaf, 4);
    history_import_close(import);
}

static void
broken_json_is_told_without_its_content(void **state)
{
    struct error err;

    (void) state;
    expect_refusal(OWN("[{}"), STATUS_FORMAT, "it is not JSON at byte");
    expect_refusal(OWN("[{]]"), STATUS_FORMAT, "it is not JSON at byte");
    expect_refusal(OWN("[{\"a\" 1}]"), STATUS_FORMAT, "it is not JSON at byte");
    expect_refusal(OWN("[{},]"), STATUS_FORMAT, "a value is missing");
    expect_refusal(OWN("[{} {}]"), STATUS_FORMAT, "a comma is missing");
    expect_refusal(OWN("[]") "x", STATUS_FORMAT, "does not end where");
    expect_refusal("[] []", STATUS_FORMAT, "something follows");
    expect_refusal("{\"schema", STATUS_FORMAT, "a string does not end");
    expect_refusal(OWN("[{\"title\": \"\\ud800\"}]"), STATUS_FORMAT,
                   "it is not JSON");
    expect_refusal("{\"schema\": \"fathom.export/1\", \"x\": \"\xFF\"}",
                   STATUS_FORMAT, "it is not UTF-8 at byte 36");
    assert_int_equal(
        refusal(text(OWN("[{\"title\": \"canary\" \"canary\"}]")), &err),
        STATUS_FORMAT);
    assert_null(strstr(err.text, "canary"));
}

static void
what_would_fill_the_memory_is_refused(void **state)
{
    enum { DEEP = 200000, MANY = JSON_ITEM_VALUES + 10 };
    static const char begin[] =
        "{\"schema\": \"fathom.export/1\", \"chats\": [";
    struct buffer document = {0};
    struct error err;

    (void) state;
    assert_int_equal(buffer_append(&document, begin, strlen(begin), &err), 0);
    for (int i = 0; i < DEEP; i++)
        assert_int_equal(buffer_append(&document, "[", 1, &err), 0);
    for (int i = 0; i < DEEP; i++)
        assert_int_equal(buffer_append(&document, "]", 1, &err), 0);
    assert_int_equal(buffer_append(&document, "]}", 2, &err), 0);
    expect_refusal(document.data, STATUS_LIMIT, "deeper than 100 levels");

    document.length = strlen(begin);
    assert_int_equal(buffer_append(&document, "[", 1, &err), 0);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(buffer_append(&document, "7,", 2, &err), 0);
    assert_int_equal(buffer_append(&document, "7]]}", 4, &err), 0);
    expect_refusal(document.data, STATUS_LIMIT, "larger than a chat may be");
    buffer_release(&document);
}

/* -- OpenAI's ----------------------------------------------------------------
 */

#define NODE(id, parent, role, more)                                           \
    "\"" id "\": {\"id\": \"" id "\", \"parent\": " parent ", \"message\": "   \
    "{\"author\": {\"role\": \"" role "\"}, " more "}}"
#define SAYS(words)                                                            \
    "\"content\": {\"content_type\": \"text\", \"parts\": [\"" words "\"]}"

static const char
    openai
        [] = "[{\"title\": \"Two ways\", \"create_time\": 1700000000.5, "
             "\"update_time\": 1700000100, \"current_node\": \"tool\", "
             "\"mapping\": {"
             "\"root\": {\"id\": \"root\", \"message\": null, \"parent\": "
             "null, "
             "\"children\": [\"s\"]}," NODE("s", "\"root\"", "system", SAYS("Be nice")) "," NODE("hidden",
                                                                                                 "\"s\"",
                                                                                                 "user",
                                                                                                 SAYS(
                                                                                                     "About me") ", \"metadata\": "
                                                                                                                 "{\"is_visually_hidden_from_conversation\": true}") "," NODE("q", "\"hidden\"", "user", SAYS("Hello?") ", \"create_time\": 1700000001.25") "," NODE("think", "\"q\"", "assistant",
                                                                                                                                                                                                                                                                     "\"content\": {\"content_type\": \"thoughts\", \"thoughts\": "
                                                                                                                                                                                                                                                                     "[{\"summary\": \"Greeting\", \"content\": \"Be kind.\"}]}") "," NODE("a",
                                                                                                                                                                                                                                                                                                                                           "\"think\"", "assistant", SAYS("Let me look.") ", \"metadata\": {\"model_slug\": \"gpt-x\"}") "," NODE("call",
                                                                                                                                                                                                                                                                                                                                                                                                                                                  "\"a\"", "assistant", SAYS("search()") ", \"recipient\": \"browser\"") "," NODE("tool",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                  "\"call\"",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                  "tool",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                  SAYS(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      "found")) "," NODE("b", "\"tool\"", "assistant", SAYS("Found it.") ", \"metadata\": {\"model_slug\": \"gpt-y\"}") "," NODE("again",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                 "\"q\"",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                 "assistant",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                 "\"content\": {\"content_type\": \"multimodal_text\", \"parts\": "
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                 "[\"See:\", {\"content_type\": \"image_asset_pointer\"}]}, "
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                 "\"metadata\": {\"finish_details\": {\"type\": \"interrupted\"}}") "," NODE("why",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             "\"again\"",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             "user",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             SAYS(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                 "Why?")) "}}, {\"title\": null, \"mapping\": {" NODE("g",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      "null",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      "assistant",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      SAYS(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                          "Good morning")) "}},"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                           "{\"title\": \"Nothing\", \"mapping\": {}}]";

static void
an_openai_export_keeps_branches(void **state)
{
    struct history_import *import = opened(text(openai));
    const struct import_chat *chat = next(import);

    (void) state;
    assert_string_equal(history_import_format(import), "an OpenAI export");
    expect_text(chat->info.title, "Two ways");
    assert_int_equal(chat->info.created_ms, 1700000000500);
    assert_int_equal(chat->info.used_ms, 1700000100000);
    expect_turns(chat, "1<0 Q Hello?|2<1 A Let me look.\n\nFound it.|"
                       "3<1 A See:\n[image]|4<3 Q Why?");
    assert_int_equal(chat->turns[0].time_ms, 1700000001250);
    expect_text(chat->turns[1].thinking, "Greeting\n\nBe kind.");
    expect_text(chat->turns[1].origin.model, "gpt-y");
    assert_true(chat->turns[1].complete);
    assert_false(chat->turns[2].complete);
    // the tool's node lies in the run that became turn 2, before its end
    assert_int_equal(chat->info.leaf, 1);
    expect_text(chat->info.model, "gpt-y");
    history_import_close(import);
}

static void
an_answer_to_nothing_gets_an_empty_question(void **state)
{
    struct history_import *import = opened(text(openai));
    const struct import_chat *chat;

    (void) state;
    assert_non_null(next(import));
    chat = next(import);
    expect_turns(chat, "1<0 Q |2<1 A Good morning");
    expect_text(chat->info.title, "");
    chat = next(import);
    assert_int_equal(chat->count, 0);
    assert_null(next(import));
    history_import_close(import);
}

static void
circles_and_crooked_nodes_are_refused(void **state)
{
    (void) state;
    expect_refusal(
        "[{\"mapping\": {" NODE("a", "\"b\"", "user", SAYS("x")) "," NODE(
            "b", "\"a\"", "assistant", SAYS("y")) "}}]",
        STATUS_FORMAT, "chat 1: its nodes go round in a circle");
    expect_refusal(
        "[{\"mapping\": {" NODE("a", "\"a\"", "user", SAYS("x")) "}}]",
        STATUS_FORMAT, "go round in a circle");
    expect_refusal("[{\"mapping\": {\"a\": 7}}]", STATUS_FORMAT,
                   "a node is not an object");
    expect_refusal("[{\"mapping\": {\"a\": {\"parent\": 7}}}]", STATUS_FORMAT,
                   "the \"parent\" of a node is no text");
    expect_refusal("[{\"mapping\": [], \"response\": 1}]", STATUS_FORMAT,
                   "its \"mapping\" is not an object");
    expect_refusal("[{\"mapping\": {}}, {}]", STATUS_FORMAT,
                   "chat 2: its \"mapping\" is not an object");
    expect_refusal("[{\"mapping\": {}, \"create_time\": -1}]", STATUS_FORMAT,
                   "seconds since 1970");
    expect_refusal("[{\"mapping\": {}, \"create_time\": 1e300}]", STATUS_FORMAT,
                   "seconds since 1970");
}

/* Every kind of value in every place: nothing but an answer or a refusal. */
static void
odd_values_in_an_openai_export_do_no_harm(void **state)
{
    static const char *const odd[] = {"null", "7",      "\"\"", "[]",  "{}",
                                      "true", "[null]", "[{}]", "[[]]"};
    static const char *const forms[] = {
        "[{\"mapping\": {\"a\": {\"message\": %s}}}]",
        "[{\"mapping\": {\"a\": {\"message\": {\"author\": %s}}}}]",
        "[{\"mapping\": {\"a\": {\"message\": {\"author\": {\"role\": "
        "\"user\"}, \"content\": %s}}}}]",
        "[{\"mapping\": {\"a\": {\"message\": {\"author\": {\"role\": "
        "\"user\"}, \"content\": {\"content_type\": \"text\", \"parts\": %s"
        "}}}}}]",
        "[{\"mapping\": {\"a\": {\"message\": {\"author\": {\"role\": "
        "\"assistant\"}, \"content\": {\"content_type\": \"thoughts\", "
        "\"thoughts\": %s}}}}}]",
        "[{\"mapping\": {\"a\": {\"message\": {\"author\": {\"role\": "
        "\"assistant\"}, \"content\": {\"content_type\": \"code\", "
        "\"text\": %s}}}}}]",
        "[{\"mapping\": {\"a\": {\"message\": {\"metadata\": %s}}}}]",
        "[{\"mapping\": {}, \"current_node\": %s}]",
        "[{\"mapping\": {}, \"title\": %s}]",
    };
    char document[400];
    struct error err;

    (void) state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        for (size_t j = 0; j < sizeof odd / sizeof odd[0]; j++) {
            const char *gap = strstr(forms[i], "%s");

            snprintf(document, sizeof document, "%.*s%s%s",
                     (int) (gap - forms[i]), forms[i], odd[j], gap + 2);
            enum status status = refusal(text(document), &err);

            if (status != STATUS_OK && status != STATUS_FORMAT)
                fail_msg("%s: %d", document, status);
        }
}

static void
a_long_run_of_one_role_is_one_turn(void **state)
{
    enum { LENGTH = 20000 };
    struct buffer document = {0};
    struct error err;

    (void) state;
    assert_int_equal(buffer_print(&document, &err, "[{\"mapping\": {\"0\": {}"),
                     0);
    for (int i = 1; i <= LENGTH; i++)
        assert_int_equal(
            buffer_print(&document, &err,
                         ",\"%d\": {\"parent\": \"%d\", \"message\": "
                         "{\"author\": {\"role\": \"user\"}, " SAYS("x") "}}",
                         i, i - 1),
            0);
    assert_int_equal(buffer_print(&document, &err, "}}]"), 0);
    struct history_import *import =
        opened((struct text){document.data, document.length});
    const struct import_chat *chat = next(import);

    assert_int_equal(chat->count, 1);
    assert_int_equal(chat->turns[0].content.length, LENGTH + 2 * (LENGTH - 1));
    history_import_close(import);
    buffer_release(&document);
}

/* -- llm's -------------------------------------------------------------------
 */

static const char llm[] =
    "[{\"id\": \"2\", \"model\": \"m1\", \"prompt\": \"And then?\", "
    "\"system\": null, \"response\": \"Then that.\", "
    "\"conversation_id\": \"c1\", \"conversation_name\": \"Stories\", "
    "\"datetime_utc\": \"2023-08-17T20:54:00.000001\"},"
    "{\"id\": \"9\", \"model\": \"m2\", \"prompt\": \"Alone\", "
    "\"response\": \"Yes\", \"datetime_utc\": \"2023-08-18T00:00:00\"},"
    "{\"id\": \"1\", \"model\": \"m1\", \"prompt\": \"Tell me\", "
    "\"system\": \"Be short\", \"response\": \"This.\", "
    "\"conversation_id\": \"c1\", \"conversation_name\": \"Stories\", "
    "\"datetime_utc\": \"2023-08-17T20:53:58.618893\", \"duration_ms\": 1500, "
    "\"input_tokens\": 5, \"output_tokens\": 7}]";

static void
a_log_of_llm_becomes_chats_in_order_of_time(void **state)
{
    struct history_import *import = opened(text(llm));
    const struct import_chat *chat = next(import);

    (void) state;
    assert_string_equal(history_import_format(import), "a log of llm");
    expect_text(chat->info.title, "Stories");
    expect_text(chat->info.system, "Be short");
    expect_text(chat->info.model, "m1");
    expect_turns(chat, "1<0 Q Tell me|2<1 A This.|3<2 Q And then?|"
                       "4<3 A Then that.");
    assert_int_equal(chat->info.leaf, 4);
    assert_int_equal(chat->info.created_ms, 1692305638618);
    assert_int_equal(chat->info.used_ms, 1692305640000);
    assert_true(chat->turns[1].complete);
    assert_int_equal(chat->turns[1].origin.prompt_tokens, 5);
    assert_int_equal(chat->turns[1].origin.answer_tokens, 7);
    assert_true(chat->turns[1].origin.total_ms == 1500);
    chat = next(import);
    expect_turns(chat, "1<0 Q Alone|2<1 A Yes");
    expect_text(chat->info.title, "Alone");
    assert_null(next(import));
    history_import_close(import);
}

static void
a_crooked_log_is_refused(void **state)
{
    (void) state;
    expect_refusal("[{\"response\": 7}]", STATUS_FORMAT,
                   "chat 1: its \"response\" is not a text");
    expect_refusal("[{\"response\": \"\", \"datetime_utc\": \"now\"}]",
                   STATUS_FORMAT, "entry 1: its \"datetime_utc\"");
    expect_refusal("[{\"response\": \"\"}, {\"conversation_id\": 7}]",
                   STATUS_FORMAT, "entry 2: its \"conversation_id\"");
    expect_refusal("[{\"response\": \"\"}, 7]", STATUS_FORMAT,
                   "chat 2: it is not an object");
    expect_refusal("[{\"response\": \"\", \"conversation_id\": \"a\\u0000b\"}]",
                   STATUS_FORMAT, "holds NUL");
    expect_refusal("[{\"other\": 1}]", STATUS_FORMAT,
                   "no export that is known");
    expect_refusal("[7]", STATUS_FORMAT, "no export that is known");
}

/* Memory that is refused once, wherever: STATUS_NOMEM, and nothing is lost. */
static void
memory_may_fail_anywhere(void **state)
{
    struct buffer own = exported(&(struct chat_info){0}, records, RECORDS);
    const struct text documents[] = {{openai, sizeof openai - 1},
                                     {llm, sizeof llm - 1},
                                     {own.data, own.length}};

    (void) state;
    for (size_t d = 0; d < 3; d++) {
        enum status status = STATUS_NOMEM;
        struct error err;
        unsigned long n = 0;

        while (status == STATUS_NOMEM) {
            fault_arm(++n);
            status = refusal(documents[d], &err);
        }
        fault_arm(0);
        if (status != STATUS_OK)
            fail_msg("document %zu, step %lu: %s", d, n, err.text);
        assert_true(n > 20);
    }
    buffer_release(&own);
}

/* Cut anywhere, each document is refused or, at its end, whole. */
static void
a_document_that_is_cut_is_refused(void **state)
{
    struct buffer own =
        exported(&(struct chat_info){.leaf = 170}, records, RECORDS);
    const struct text documents[] = {
        {openai, sizeof openai - 1},
        {llm, sizeof llm - 1},
        {own.data, own.length - 1}, // but for the line feed
    };
    struct error err;

    (void) state;
    for (size_t d = 0; d < 3; d++)
        for (size_t length = 0; length < documents[d].length; length++) {
            // exact memory, so that a sanitizer sees what is read beyond
            char *copy = malloc(length + 1);

            memcpy(copy, documents[d].bytes, length);
            enum status status = refusal((struct text){copy, length}, &err);

            if (status != STATUS_FORMAT)
                fail_msg("document %zu, %zu bytes: %d", d, length, status);
            free(copy);
        }
    buffer_release(&own);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_own_comes_back_exactly),
        cmocka_unit_test(it_can_be_read_twice),
        cmocka_unit_test(what_our_own_never_says_is_refused),
        cmocka_unit_test(an_answer_whose_question_is_lost_gets_an_empty_one),
        cmocka_unit_test(broken_json_is_told_without_its_content),
        cmocka_unit_test(what_would_fill_the_memory_is_refused),
        cmocka_unit_test(an_openai_export_keeps_branches),
        cmocka_unit_test(an_answer_to_nothing_gets_an_empty_question),
        cmocka_unit_test(circles_and_crooked_nodes_are_refused),
        cmocka_unit_test(odd_values_in_an_openai_export_do_no_harm),
        cmocka_unit_test(a_long_run_of_one_role_is_one_turn),
        cmocka_unit_test(a_log_of_llm_becomes_chats_in_order_of_time),
        cmocka_unit_test(a_crooked_log_is_refused),
        cmocka_unit_test(a_document_that_is_cut_is_refused),
        cmocka_unit_test(memory_may_fail_anywhere),
    };

    protocol_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
