/* The turns of a chat, what a prompt has of them, and summaries. */
#include "config.h"

#include "app/chat/conversation.h"
#include "app/chat/summary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t
ask(struct conversation *c, const char *question)
{
    struct error err;
    size_t turn;

    assert_int_equal(
        conversation_ask(&turn, c, question, strlen(question), &err),
        STATUS_OK);
    return turn;
}

static size_t
answer(struct conversation *c, const char *text)
{
    struct error err;
    size_t turn;

    assert_int_equal(conversation_answer(&turn, c, &err), STATUS_OK);
    if (*text != '\0')
        assert_int_equal(
            buffer_append(&c->turns[turn].content, text, strlen(text), &err),
            STATUS_OK);
    c->turns[turn].complete = true;
    return turn;
}

/* "q1", "a1" and so on. */
static void
talk(struct conversation *c, int first, int last)
{
    char text[20];

    for (int i = first; i <= last; i++) {
        snprintf(text, sizeof text, "q%d", i);
        ask(c, text);
        snprintf(text, sizeof text, "a%d", i);
        answer(c, text);
    }
}

static size_t
ask_summary(struct conversation *c, size_t keep)
{
    struct buffer question = {0};
    struct error err;

    assert_int_equal(
        summary_question(&question, keep, (struct text){"", 0}, &err),
        STATUS_OK);
    size_t turn = ask(c, question.data);

    buffer_release(&question);
    return turn;
}

/* Messages as "q1 a1 q2"; a question for a summary is "S". */
static void
expect_messages(const struct chat_message *messages, size_t count,
                const char *wanted)
{
    char text[400] = "";
    size_t keep;

    for (size_t i = 0; i < count; i++) {
        const struct chat_message *m = &messages[i];
        bool summary = summary_is_asked(m->content, &keep);
        size_t at = strlen(text);

        if (m->role == CHAT_USER && !summary)
            assert_int_equal(m->content.bytes[0], 'q');
        if (m->role == CHAT_ASSISTANT)
            assert_int_not_equal(m->content.bytes[0], 'q');
        snprintf(text + at, sizeof text - at, "%s%.*s", at ? " " : "",
                 summary ? 1 : (int) m->content.length,
                 summary ? "S" : m->content.bytes);
    }
    assert_string_equal(text, wanted);
}

static void
expect_request(const struct conversation *c, const char *wanted)
{
    struct chat_message *messages;
    struct error err;
    size_t count;

    assert_int_equal(conversation_messages(&messages, &count, c, &err),
                     STATUS_OK);
    expect_messages(messages, count, wanted);
    free(messages);
}

static void
expect_context(const struct conversation *c, const char *wanted)
{
    struct chat_message *messages;
    struct error err;
    size_t count;

    assert_int_equal(conversation_context(&messages, &count, c, &err),
                     STATUS_OK);
    expect_messages(messages, count, wanted);
    free(messages);
}

static void
a_request_has_the_branch_in_use(void **state)
{
    struct conversation c;
    struct error err;

    (void) state;
    conversation_init(&c);
    assert_int_equal(conversation_set_system(&c, "sys", 3, &err), STATUS_OK);
    talk(&c, 1, 2);
    size_t second = c.leaf;

    ask(&c, "q3");
    answer(&c, ""); // without a word: left out
    ask(&c, "q4");
    expect_request(&c, "sys q1 a1 q2 a2 q4");
    conversation_move(&c, c.turns[c.turns[second].parent].parent);
    ask(&c, "q5");
    expect_request(&c, "sys q1 a1 q5");
    conversation_release(&c);
}

static void
a_summary_is_asked_for_without_what_it_keeps(void **state)
{
    struct conversation c;

    (void) state;
    conversation_init(&c);
    talk(&c, 1, 5);
    ask_summary(&c, 2);
    expect_request(&c, "q1 a1 q2 a2 q3 a3 S");
    answer(&c, "");
    expect_request(&c, "q1 a1 q2 a2 q3 a3 S");
    conversation_release(&c);
}

static void
a_summary_takes_the_place_of_old_turns(void **state)
{
    struct conversation c;

    (void) state;
    conversation_init(&c);
    talk(&c, 1, 5);
    ask_summary(&c, 2);
    answer(&c, "sum");
    expect_context(&c, "S sum q4 a4 q5 a5");
    ask(&c, "q6");
    expect_request(&c, "S sum q4 a4 q5 a5 q6");
    answer(&c, "a6");
    ask(&c, "q7");
    expect_request(&c, "S sum q4 a4 q5 a5 q6 a6 q7");
    conversation_release(&c);
}

static void
a_summary_may_keep_nothing_or_everything(void **state)
{
    struct conversation c;

    (void) state;
    conversation_init(&c);
    talk(&c, 1, 2);
    size_t end = c.leaf;

    ask_summary(&c, 0);
    answer(&c, "sum");
    ask(&c, "q3");
    expect_request(&c, "S sum q3");
    conversation_move(&c, end);
    ask_summary(&c, 9);
    expect_request(&c, "S");
    answer(&c, "sum");
    ask(&c, "q3");
    expect_request(&c, "S sum q1 a1 q2 a2 q3");
    conversation_release(&c);
}

static void
a_summary_can_be_summarised(void **state)
{
    struct conversation c;

    (void) state;
    conversation_init(&c);
    talk(&c, 1, 4);
    ask_summary(&c, 2);
    answer(&c, "one");
    talk(&c, 5, 6);
    ask_summary(&c, 1);
    expect_request(&c, "S one q3 a3 q4 a4 q5 a5 S");
    answer(&c, "two");
    talk(&c, 7, 7);
    expect_context(&c, "S two q6 a6 q7 a7");
    // it reaches back over a summary: nothing of that is lost
    ask_summary(&c, 4);
    answer(&c, "three");
    expect_context(&c, "S three S two q6 a6 q7 a7");
    conversation_release(&c);
}

static void
undo_takes_a_summary_back_and_redo_takes_it_up(void **state)
{
    struct conversation c;

    (void) state;
    conversation_init(&c);
    talk(&c, 1, 4);
    ask_summary(&c, 1);
    answer(&c, "sum");
    expect_context(&c, "S sum q4 a4");
    assert_true(conversation_undo(&c));
    expect_context(&c, "q1 a1 q2 a2 q3 a3 q4 a4");
    assert_true(conversation_redo(&c));
    expect_context(&c, "S sum q4 a4");
    // a turn before it goes on as it was then
    conversation_move(&c, conversation_numbered(&c, 2));
    ask(&c, "q9");
    expect_request(&c, "q1 a1 q2 a2 q9");
    conversation_release(&c);
}

static void
what_the_context_takes_is_that_of_the_branch(void **state)
{
    struct conversation c;

    (void) state;
    conversation_init(&c);
    assert_int_equal(conversation_used(&c), 0);
    talk(&c, 1, 2);
    for (size_t i = 1; i < 4; i += 2)
        c.turns[i].origin = (struct turn_origin){.prompt_tokens = 100 * i,
                                                 .thinking_tokens = 10,
                                                 .answer_tokens = 5};
    assert_int_equal(conversation_used(&c), 315);
    ask(&c, "q3"); // not counted yet
    assert_int_equal(conversation_used(&c), 315);
    conversation_move(&c, 1);
    assert_int_equal(conversation_used(&c), 115);
    conversation_move(&c, 3);
    ask_summary(&c, 1);
    size_t summary = answer(&c, "sum");

    // what was read for it is not what is there with it
    c.turns[summary].origin.prompt_tokens = 280;
    assert_int_equal(conversation_used(&c), 0);
    c.turns[summary].prompted_tokens = 77;
    assert_int_equal(conversation_used(&c), 77);
    conversation_release(&c);
}

static bool
is_asked(const char *text, size_t *keep)
{
    return summary_is_asked((struct text){text, strlen(text)}, keep);
}

static void
a_question_for_a_summary_is_known_by_its_ends(void **state)
{
    const char *wanted = "error messages";
    struct buffer out = {0};
    size_t keep = 77;
    struct error err;

    (void) state;
    assert_int_equal(
        summary_question(&out, 12, (struct text){wanted, strlen(wanted)}, &err),
        STATUS_OK);
    assert_true(is_asked(out.data, &keep));
    assert_int_equal(keep, 12);
    assert_non_null(strstr(out.data, "\nMind above all: error messages\n"));
    // what stands in between may be another text some day
    assert_true(is_asked("Summarise our conversation so far: your summary "
                         "takes its place.\nBriefly!\nTurns that follow your "
                         "summary word for word: 0",
                         &keep));
    assert_int_equal(keep, 0);
    buffer_release(&out);
}

static void
other_questions_are_no_summaries(void **state)
{
    static const char *const texts[] = {
        "",
        "7",
        "Summarise our conversation so far.",
        "Summarise our conversation so far: your summary takes its place.\n",
        "Summarise our conversation so far: your summary takes its place.\n"
        "\nTurns that follow your summary word for word: ",
        "Summarise our conversation so far: your summary takes its place.\n"
        "\nTurns that follow your summary word for word: 2\n",
        "Summarise our conversation so far: your summary takes its place.\n"
        "\nTurns that follow your summary word for word: 1234567890",
        "Summarise our conversation so far: your summary takes its place."
        "\nTurns that follow your summary word for word: 2",
        " Summarise our conversation so far: your summary takes its place.\n"
        "\nTurns that follow your summary word for word: 2",
    };
    size_t keep = 77;

    (void) state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(is_asked(texts[i], &keep));
    assert_int_equal(keep, 77);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_has_the_branch_in_use),
        cmocka_unit_test(a_summary_is_asked_for_without_what_it_keeps),
        cmocka_unit_test(a_summary_takes_the_place_of_old_turns),
        cmocka_unit_test(a_summary_may_keep_nothing_or_everything),
        cmocka_unit_test(a_summary_can_be_summarised),
        cmocka_unit_test(undo_takes_a_summary_back_and_redo_takes_it_up),
        cmocka_unit_test(what_the_context_takes_is_that_of_the_branch),
        cmocka_unit_test(a_question_for_a_summary_is_known_by_its_ends),
        cmocka_unit_test(other_questions_are_no_summaries),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
