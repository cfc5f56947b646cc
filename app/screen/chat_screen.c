/* The full screen as a face of a chat. */
#include "config.h"

#include "app/screen/chat_screen.h"

#include "app/chat/chat_verb.h"
#include "app/exit_code.h"
#include "app/settings.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS UINT64_C(1000000000)
// how often what runs by itself is drawn: clocks and rates
#define CLOCK_NS (SECOND_NS / 2)
#define BAR_NS (SECOND_NS / 10)
#define MINUTE_NS (60 * SECOND_NS)
// an answer that took longer is told to who looks elsewhere
#define LONG_NS (10 * SECOND_NS)

struct chat_screen chat_screen;

static void
check_terminal(struct chat *chat, enum status status)
{
    if (status != STATUS_IO || chat->quit)
        return;
    chat->quit = true;
    chat->code = EXIT_CANT_WRITE;
}

/* What could not be shown is still kept; the user learns why. */
static void
check(enum status status, const struct error *err)
{
    if (status != STATUS_OK)
        screen_notice(err->text);
    screen_touch();
}

/* -- texts -----------------------------------------------------------------
 */

static void
put(enum transcript_kind kind, const char *text, size_t length)
{
    struct error err;

    check(transcript_put(NULL, chat_screen.turns.transcript, kind, NULL, text,
                         length, &err),
          &err);
    // a reader who scrolled up stays there, unless that is what was asked for
    if (chat_screen.answers)
        transcript_follow(chat_screen.turns.transcript);
}

static void
face_say(struct chat *chat, const char *text)
{
    // what is said about a passphrase is of no use later
    if (!chat->locked && chat_screen.box != BOX_SECRET && !chat->settling)
        put(TRANSCRIPT_NOTE, text, strlen(text));
    // and what covers the chat would hide the rest
    if (chat->locked || chat_screen.box == BOX_SECRET || chat->settling ||
        chat_screen.cover.ops != NULL)
        screen_notice(text);
}

/* What the first start is about comes first, then what it has come to. */
static void
note_first(const char *text, size_t length)
{
    bool begins = chat_screen.first_text[0] == '\0';

    while (length > 0 && text[length - 1] == '\n')
        length--;
    snprintf(begins ? chat_screen.first_text : chat_screen.first_step,
             begins ? sizeof chat_screen.first_text
                    : sizeof chat_screen.first_step,
             "%.*s", (int) length, text);
}

static void
face_print(struct chat *chat, struct print_style style, const char *text,
           size_t length)
{
    (void) style;
    if (chat->settling)
        note_first(text, length);
    else
        put(TRANSCRIPT_REPORT, text, length);
}

static void
face_show_secret(struct chat *chat, const struct secret *secret)
{
    (void) chat;
    // never an item of the transcript, which stays
    chat_screen.made = secret;
    screen_touch();
}

static void
draw_now(struct chat *chat)
{
    struct error err;

    if (chat_screen.chat != NULL) // it is closed when the engine is lost
        check_terminal(chat, screen_frame(clock_ns(), &err));
}

/* The view in which the vault is opened; without it the box does. */
static void
cover_with_unlock(struct chat *chat)
{
    struct error err;

    if (!chat->unlocking ||
        chat_screen_unlock_open(chat, screen_view_calls.post, NULL,
                                &chat_screen.cover, &err) != STATUS_OK)
        return;
    chat_screen.close_cover = chat_screen_unlock_close;
}

static void
face_ask_secret(struct chat *chat, const char *prompt)
{
    char said[sizeof chat_screen.notice];

    // why the last one was wrong is still to be read
    memcpy(said, chat_screen.notice, sizeof said);
    if (!chat->settling) {
        screen_close_cover();
        screen_give_up_filter();
        cover_with_unlock(chat);
    }
    memcpy(chat_screen.notice, said, sizeof said);
    line_editor_hide();
    chat_screen.box = BOX_SECRET;
    chat_screen.secret_typed = 0;
    snprintf(chat_screen.secret_prompt, sizeof chat_screen.secret_prompt, "%s",
             prompt);
    draw_now(chat);
}

static void
face_secret_typed(struct chat *chat, size_t characters)
{
    (void) chat;
    chat_screen.secret_typed = characters;
    chat_screen.notice[0] = '\0';
    screen_hurry();
}

static void
face_end_secret(struct chat *chat)
{
    chat_screen.seen = NULL;
    chat_screen.notice[0] = '\0';
    draw_now(chat);
}

static void
face_secret_seen(struct chat *chat, const struct secret *secret, size_t length)
{
    (void) chat;
    chat_screen.seen = secret;
    chat_screen.seen_length = length;
    screen_hurry();
}

static void
face_unlocked(struct chat *chat)
{
    (void) chat;
    chat_screen.notice[0] = '\0';
    chat_screen.first_text[0] = chat_screen.first_step[0] = '\0';
    screen_close_cover();
}

/* -- opening and closing ---------------------------------------------------
 */

static enum status
open_parts(struct chat *chat, struct error *err)
{
    TRY(screen_turns_open(&chat_screen.turns, err));
    screen_state_fill(&chat_screen.state, &chat_screen.texts, chat,
                      &chat_screen.turns, &chat_screen.counts, clock_ns());
    TRY(view_chat_open(&chat_screen.view, chat_screen.turns.transcript,
                       &chat_screen.state, &screen_view_calls, err));
    view_chat_set_layout(chat_screen.view,
                         (enum chat_layout) settings_thought_view());
    struct screen_settings settings = settings_screen();

    return screen_open(&settings, err);
}

static void
face_close(struct chat *chat)
{
    (void) chat;
    if (chat_screen.chat == NULL)
        return;
    screen_close_cover();
    line_editor_close();
    screen_close();
    view_chat_close(chat_screen.view);
    screen_turns_close(&chat_screen.turns);
    explicit_bzero(&chat_screen, sizeof chat_screen);
}

/* What readline had to say of the user's inputrc. */
static void
say_remarks(struct chat *chat)
{
    char *remarks = line_editor_remarks();

    if (remarks != NULL)
        face_print(chat, (struct print_style){0}, remarks, strlen(remarks));
    free(remarks);
}

static enum status
face_open(struct chat *chat, struct error *err)
{
    chat_screen.chat = chat;
    text_width_start(text_width_utf8(), settings_ambiguous_width());
    enum status status = open_parts(chat, err);

    if (status != STATUS_OK) {
        view_chat_close(chat_screen.view);
        screen_turns_close(&chat_screen.turns);
        explicit_bzero(&chat_screen, sizeof chat_screen);
        return status;
    }
    line_editor_open_box(screen_complete, &screen_box_calls);
    say_remarks(chat);
    screen_ask(chat, NULL, "");
    return STATUS_OK;
}

static void
face_uncover(struct chat *chat)
{
    (void) chat;
    screen_close_cover();
}

static void
face_wipe(struct chat *chat)
{
    struct error err;

    if (chat_screen.chat == NULL)
        return;
    screen_close_cover();
    transcript_clear(chat_screen.turns.transcript);
    canvas_clear(screen_canvas(), (struct area){0, 0, screen_canvas()->rows,
                                                screen_canvas()->columns});
    if (screen_show(clock_ns(), &err) != STATUS_OK)
        log_warn("the screen was not wiped: status %d", (int) err.status);
    face_close(chat);
}

/* -- the conversation ------------------------------------------------------
 */

static void
face_moved(struct chat *chat)
{
    struct error err;

    check(screen_turns_update(&chat_screen.turns, chat, &err), &err);
    chat_screen_history_changed();
    chat_screen.work =
        chat_screen.cover.ops != NULL && chat_screen.cover.ops->work != NULL;
}

static void
face_show(struct chat *chat, bool resumed)
{
    (void) resumed;
    face_moved(chat);
    screen_close_cover();
    transcript_follow(chat_screen.turns.transcript);
}

static void
face_begin_answer(struct chat *chat, size_t answer)
{
    struct screen_counts *counts = &chat_screen.counts;
    struct error err;

    *counts = (struct screen_counts){.begun_ns = clock_ns(),
                                     .residency = counts->residency,
                                     .has_residency = counts->has_residency};
    check(screen_turns_begin(&chat_screen.turns, chat, answer, &err), &err);
    chat_screen.answers = false;
    if (chat_screen.box == BOX_SECRET || !line_editor_visible())
        screen_ask(chat, NULL, "");
}

static enum status
face_answer_text(struct chat *chat, const struct token_event *token,
                 struct error *err)
{
    struct screen_counts *counts = &chat_screen.counts;
    uint64_t now = clock_ns();

    (void) chat;
    if (counts->first_ns == 0)
        counts->first_ns = now;
    if (token->channel == CHANNEL_THINK) {
        counts->thought_tokens += token->tokens;
    } else {
        counts->answer_tokens += token->tokens;
        if (counts->answer_ns == 0)
            counts->answer_ns = now;
    }
    screen_touch();
    return screen_turns_text(&chat_screen.turns, token, err);
}

static void
take_progress(const struct progress_event *progress)
{
    struct screen_counts *counts = &chat_screen.counts;
    uint64_t now = clock_ns();

    if (!counts->progressing || counts->progress.phase != progress->phase) {
        counts->progress_begun_ns = now;
        counts->progress_first = progress->done;
    }
    counts->progressing = true;
    counts->progress = *progress;
    counts->progress_ns = now;
    screen_touch();
}

static void
face_activity(struct chat *chat, const struct progress_event *progress)
{
    (void) chat;
    take_progress(progress);
}

static void
face_loading(struct chat *chat, const struct progress_event *progress)
{
    (void) chat;
    if (progress != NULL)
        take_progress(progress);
    else
        chat_screen.counts.progressing = false;
    if (progress == NULL)
        screen_close_view("loading");
    screen_touch();
}

static void
face_end_answer(struct chat *chat, const struct generate_done *done)
{
    (void) done;
    screen_turns_end(&chat_screen.turns, chat);
    if (clock_ns() - chat_screen.counts.begun_ns > LONG_NS)
        screen_notify();
    chat_screen.counts.progressing = false;
    chat_screen.counts.thought_tokens = chat_screen.counts.answer_tokens = 0;
    screen_touch();
}

/* They are in the answer's head and on the status line. */
static void
face_figures(struct chat *chat, const struct generate_done *done)
{
    (void) chat;
    (void) done;
    screen_touch();
}

static void
face_reading(struct chat *chat, bool reads)
{
    (void) chat;
    chat_screen.counts.reading = reads;
    chat_screen.counts.progressing = false;
    screen_touch();
}

static void
face_residency(struct chat *chat, const struct event *event)
{
    struct residency *kept = &chat_screen.counts.residency;

    (void) chat;
    *kept = event->residency;
    kept->uses = NULL; // they are the event's
    kept->tier = NULL;
    chat_screen.counts.has_residency = event->residency.layers > 0;
}

/* -- time ------------------------------------------------------------------
 */

static uint64_t
least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t
face_deadline(struct chat *chat)
{
    uint64_t next =
        least(screen_deadline(), view_chat_deadline(chat_screen.view));

    if (chat_screen.work)
        return 0;
    if (chat->deriving.active)
        next = least(next, chat_screen.drawn_ns + BAR_NS);
    // clocks run while something is waited for
    if (chat->answering != TURN_NONE || (!chat->opened && chat->client))
        next = least(next, chat_screen.drawn_ns + CLOCK_NS);
    // "lock in 14m"
    else if (chat_lock_deadline(chat) != UINT64_MAX)
        next = least(next, chat_screen.drawn_ns + MINUTE_NS);
    return chat_screen.box == BOX_SECRET ? next
                                         : least(next, line_editor_deadline());
}

static void
face_tick(struct chat *chat, uint64_t now_ns)
{
    struct view *cover = &chat_screen.cover;
    struct error err;

    if (chat_screen.box != BOX_SECRET && chat_screen.pending == LINE_MORE &&
        now_ns >= line_editor_deadline()) {
        chat_screen.pending = line_editor_tick(now_ns);
        screen_hurry();
    }
    if (chat_screen.work && cover->ops != NULL && cover->ops->work != NULL) {
        chat_screen.work = cover->ops->work(cover->state, now_ns);
        screen_touch();
    }
    if (now_ns >= view_chat_deadline(chat_screen.view)) {
        view_chat_hush(chat_screen.view);
        screen_touch();
    }
    // what is being written goes on below it
    if (cover->ops == NULL && chat_screen.box == BOX_LINE &&
        chat_screen_loading_wanted(chat, now_ns))
        (void) screen_open_view(chat, "loading", "");
    if (now_ns >=
        chat_screen.drawn_ns + (chat->deriving.active ? BAR_NS : CLOCK_NS))
        screen_touch();
    if (screen_is_due(now_ns))
        check_terminal(chat, screen_frame(now_ns, &err));
}

static bool
face_ready(struct chat *chat)
{
    (void) chat;
    return chat_screen.pending != LINE_MORE;
}

static void
face_resized(struct chat *chat)
{
    struct error err;

    check_terminal(chat, screen_resized(&err));
    screen_touch();
}

static void
face_suspend(struct chat *chat)
{
    struct error err;

    screen_leave();
    raise(SIGSTOP);
    check_terminal(chat, screen_return(&err));
    screen_touch();
}

const struct face screen_face = {
    .name = "screen",
    .live = true,
    .interrupt_leaves = true,
    .open = face_open,
    .close = face_close,
    .uncover = face_uncover,
    .wipe = face_wipe,
    .say = face_say,
    .print = face_print,
    .show_secret = face_show_secret,
    .ask = screen_ask,
    .keys = screen_feed,
    .busy_keys = screen_busy_keys,
    .interrupt = screen_interrupt,
    .ask_secret = face_ask_secret,
    .secret_typed = face_secret_typed,
    .end_secret = face_end_secret,
    .secret_seen = face_secret_seen,
    .unlocked = face_unlocked,
    .show = face_show,
    .moved = face_moved,
    .begin_answer = face_begin_answer,
    .answer_text = face_answer_text,
    .activity = face_activity,
    .end_answer = face_end_answer,
    .figures = face_figures,
    .reading = face_reading,
    .residency = face_residency,
    .loading = face_loading,
    .view = screen_open_view,
    .deadline = face_deadline,
    .tick = face_tick,
    .ready = face_ready,
    .resized = face_resized,
    .suspend = face_suspend,
};
