/* Commands that move about among the turns of a chat. */
#include "config.h"

#include "app/attachment.h"
#include "app/chat/chat_title.h"
#include "app/chat/chat_vault.h"
#include "app/chat/chat_verb.h"
#include "app/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The beginning of a question, for people. */
static void
shown_question(char out[CHAT_TITLE_BYTES], const struct conversation *c,
               size_t turn)
{
    if (c->turns[turn].role == TURN_ANSWER)
        turn = c->turns[turn].parent;
    if (chat_title(out, conversation_text(&c->turns[turn].content)) == 0)
        text_copy(out, CHAT_TITLE_BYTES, "(no words)");
}

/*
 * The turn that the user named, or the leaf. TURN_NONE: there is none, and the
 * user was told.
 */
static size_t
named_turn(struct chat *chat, const char *arguments, const char *verb)
{
    const struct conversation *c = &chat->conversation;
    uint64_t number;

    if (c->count == 0) {
        chat_say(chat, "there is no question yet");
        return TURN_NONE;
    }
    if (*arguments == '\0') {
        if (c->leaf == TURN_NONE)
            chat_say(chat, "you are before the first question; /redo and "
                           "/tree lead back");
        return c->leaf;
    }
    if (!option_read_count(arguments, &number)) {
        chat_say_usage(chat, verb);
        return TURN_NONE;
    }
    size_t turn = number == 0 ? TURN_NONE : conversation_numbered(c, number);

    if (turn == TURN_NONE)
        chat_say(chat, "there is no turn %llu; /tree shows what there is",
                 (unsigned long long) number);
    return turn;
}

void
chat_run_retry(struct chat *chat, const char *arguments)
{
    struct conversation *c = &chat->conversation;
    size_t before = c->leaf, turn = *arguments == '\0'
                                        ? c->leaf
                                        : named_turn(chat, arguments, "retry");
    size_t keep;

    if (turn == TURN_NONE && *arguments != '\0')
        return;
    if (turn != TURN_NONE && conversation_summary(c, turn, &keep)) {
        chat_summarise_again(chat, turn);
        return;
    }
    if (chat->generation.seed.given && turn != TURN_NONE)
        chat_say(chat, "the seed is fixed, so the answer may well be the same; "
                       "/seed random frees it");
    if (turn != before)
        conversation_move(c, turn);
    chat_retry(chat);
    // no answer came: everything is where it was
    if (turn != before && c->leaf == turn)
        chat_move(chat, before);
}

void
chat_run_continue(struct chat *chat, const char *arguments)
{
    const struct conversation *c = &chat->conversation;
    size_t answer = conversation_answered(c);

    if (*arguments != '\0')
        chat_say_usage(chat, "continue");
    else if (answer == TURN_NONE)
        chat_say(chat, "there is no answer to go on with");
    else if (c->turns[answer].complete)
        chat_say(chat, "the answer is complete; /retry asks for another");
    else
        chat_continue(chat);
}

/* The question's documents, as they were, and the new text. */
static enum status
join_edited(struct buffer *out, struct text question, const char *line,
            struct error *err)
{
    struct text words = attachment_rest(question);

    TRY(buffer_append(out, question.bytes, question.length - words.length,
                      err));
    return buffer_append(out, line, strlen(line), err);
}

/* The question's text as the user wants it now; false: given up. */
static bool
edit_question(struct chat *chat, size_t turn, struct buffer *out)
{
    struct text question =
        conversation_text(&chat->conversation.turns[turn].content);
    // ends with the question, so with its NUL
    const char *line =
        chat_edit_line(chat, "edit> ", attachment_rest(question).bytes);
    struct error err;

    if (line == NULL || strspn(line, " \t\n") == strlen(line)) {
        chat_keep_given_up(chat, "");
        if (!chat->quit)
            chat_say(chat, "nothing was changed");
        return false;
    }
    chat_remember(chat, line);
    if (join_edited(out, question, line, &err) == STATUS_OK)
        return true;
    chat_say(chat, "%s", err.text);
    return false;
}

/* Asks an old question's text anew, beside it. */
void
chat_run_edit(struct chat *chat, const char *arguments)
{
    struct conversation *c = &chat->conversation;
    size_t turn = named_turn(chat, arguments, "edit"), keep;
    struct buffer text = {0};

    if (turn == TURN_NONE)
        return;
    if (conversation_summary(c, turn, &keep)) {
        chat_say(chat, "that turn is a summary; /compact says what another is "
                       "to keep, /retry makes it again");
        return;
    }
    if (c->turns[turn].role == TURN_ANSWER)
        turn = c->turns[turn].parent;
    // an edit that was refused leaves everything where it was
    if (edit_question(chat, turn, &text))
        (void) chat_ask_after(chat, c->turns[turn].parent, text.data,
                              text.length);
    buffer_release(&text);
}

/* "after turn 3, "What is a rainbow?"" */
static void
say_where(struct chat *chat, const char *what)
{
    const struct conversation *c = &chat->conversation;
    char shown[CHAT_TITLE_BYTES];

    if (c->leaf == TURN_NONE) {
        chat_say(chat, "%s; the chat begins anew with your next message", what);
        return;
    }
    shown_question(shown, c, c->leaf);
    chat_say(chat, "%s; your next message comes after turn %zu, \"%s\"", what,
             conversation_number(c, c->leaf), shown);
}

void
chat_run_undo(struct chat *chat, const char *arguments)
{
    struct conversation *c = &chat->conversation;
    bool cut = c->cut != TURN_NONE;

    if (*arguments != '\0') {
        chat_say_usage(chat, "undo");
    } else if (!conversation_undo(c)) {
        chat_say(chat, "there is nothing to undo");
    } else {
        chat_moved(chat);
        say_where(chat, cut ? "what /delete took off is back"
                            : "went back before the last question, /redo "
                              "takes it up again");
    }
}

void
chat_run_delete(struct chat *chat, const char *arguments)
{
    struct conversation *c = &chat->conversation;
    size_t turn = named_turn(chat, arguments, "delete");

    if (turn == TURN_NONE)
        return;
    if (!conversation_on_branch(c, turn)) {
        chat_say(chat, "that turn is on another branch; /tree shows them");
        return;
    }
    conversation_cut(c, turn);
    chat_moved(chat);
    say_where(chat, "off the branch, and still in /tree: /undo brings it back, "
                    "/forget deletes a chat for good");
}

void
chat_run_redo(struct chat *chat, const char *arguments)
{
    if (*arguments != '\0') {
        chat_say_usage(chat, "redo");
    } else if (!conversation_redo(&chat->conversation)) {
        chat_say(chat, "there is no /undo to take back");
    } else {
        chat_moved(chat);
        say_where(chat, "taken up again");
    }
}

void
chat_run_branch(struct chat *chat, const char *arguments)
{
    size_t turn = named_turn(chat, arguments, "branch");

    if (turn == TURN_NONE)
        return;
    if (*arguments != '\0')
        chat_move(chat, turn);
    say_where(chat, *arguments ? "here we go on" : "/tree shows all branches");
}

/* A line of /tree: "* 3    after 1: And at night?". */
static void
print_branch_line(struct buffer *out, const struct conversation *c, size_t turn,
                  size_t shown_before)
{
    bool again = c->turns[turn].role == TURN_ANSWER &&
                 conversation_numbered(
                     c, conversation_number(c, c->turns[turn].parent)) != turn;
    size_t question =
        c->turns[turn].role == TURN_ANSWER ? c->turns[turn].parent : turn;
    size_t parent = c->turns[question].parent;
    char text[CHAT_TITLE_BYTES], after[40] = "";
    struct error err;

    shown_question(text, c, turn);
    if (again)
        snprintf(after, sizeof after,
                 "turn %zu again: ", conversation_number(c, question));
    else if (parent != shown_before && parent != TURN_NONE)
        snprintf(after, sizeof after,
                 "after %zu: ", conversation_number(c, parent));
    else if (parent != shown_before)
        strcpy(after, "another beginning: ");
    (void) !buffer_print(out, &err, "%c %3zu  %s%s%s\n",
                         conversation_on_branch(c, turn) ? '*' : ' ',
                         conversation_number(c, turn), after, text,
                         c->turns[turn].role == TURN_QUESTION ? " (no answer)"
                         : c->turns[turn].complete            ? ""
                                                   : " (incomplete)");
}

/* Whether /tree has a line for this turn: an answer, or what has none. */
static bool
has_line(const struct conversation *c, size_t turn)
{
    if (c->turns[turn].role == TURN_ANSWER)
        return true;
    for (size_t i = turn + 1; i < c->count; i++)
        if (c->turns[i].parent == turn)
            return false;
    return true;
}

/* The next turn of the tree, parents before children; TURN_NONE at its end. */
static size_t
next_in_depth(const struct conversation *c, size_t turn)
{
    for (size_t i = turn == TURN_NONE ? 0 : turn + 1; i < c->count; i++)
        if (c->turns[i].parent == turn)
            return i;
    for (; turn != TURN_NONE; turn = c->turns[turn].parent)
        for (size_t i = turn + 1; i < c->count; i++)
            if (c->turns[i].parent == c->turns[turn].parent)
                return i;
    return TURN_NONE;
}

void
chat_run_tree(struct chat *chat, const char *arguments)
{
    const struct conversation *c = &chat->conversation;
    size_t before = TURN_NONE;
    struct buffer text = {0};
    struct error err;

    if (*arguments != '\0') {
        chat_say_usage(chat, "tree");
        return;
    }
    if (c->count == 0) {
        chat_say(chat, "there is no question yet");
        return;
    }
    for (size_t i = next_in_depth(c, TURN_NONE); i != TURN_NONE;
         i = next_in_depth(c, i))
        if (has_line(c, i)) {
            print_branch_line(&text, c, i, before);
            before = i;
        }
    (void) !buffer_print(&text, &err,
                         "* the branch in use; /branch TURN goes on after "
                         "another turn\n");
    chat_print(chat, (struct print_style){0}, text.data, text.length);
    buffer_release(&text);
}

void
chat_run_title(struct chat *chat, const char *arguments)
{
    struct conversation *c = &chat->conversation;
    char title[CHAT_TITLE_BYTES];
    struct error err;

    if (*arguments != '\0') {
        chat_title(title, text_of(arguments, strlen(arguments)));
        if (conversation_set_title(c, title, &err) != STATUS_OK)
            chat_say(chat, "%s", err.text);
        else
            chat_moved(chat);
    }
    // where nothing is kept the first question is shown for one
    if (c->title.length > 0)
        chat_say(chat, "the title is \"%s\"", c->title.data);
    else if (c->count > 0 &&
             chat_title(title, conversation_text(&c->turns[0].content)) > 0)
        chat_say(chat,
                 "the title is \"%s\", the first question; /title TEXT "
                 "gives another",
                 title);
    else
        chat_say(chat, "there is no title yet; the first question gives one, "
                       "or /title TEXT");
}
