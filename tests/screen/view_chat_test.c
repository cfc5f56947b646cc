/* The chat: the geometry of its screens, and what its keys do. */
#include "config.h"

#include "tests/screen/golden_screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

static const char question[] =
    "Why must a queue pair pass through INIT and RTR before RTS?";
static const char thought[] =
    "The user asks about the RC state machine. Each transition supplies the "
    "attributes the HCA needs before it may act: INIT has port, pkey and "
    "access flags, so receive buffers can be posted; RTR has the remote QPN, "
    "the expected PSN and the path, so inbound packets can be checked; RTS "
    "adds timeout and retry counters, which only matter when we send. I "
    "should explain why RTR comes first: if one side could send while the "
    "other has no expected PSN, the first packet would be dropped as out of "
    "sequ";
static const char more_thought[] =
    "ence and the sender would only see a retry timeout.\n"
    "\n"
    "Table: state / legal work / needs. Then code for the two transitions. "
    "Then the three common mistakes.\n"
    "\n"
    "Check: RNR timer is an RTR attribute on the responder, rnr_retry is an "
    "RTS attribute on the requester. Yes.\n";
static const char answer[] =
    "Each state unlocks one kind of work, so both ends share their numbers "
    "before a packet can leave:\n"
    "\n"
    "| state | what becomes legal | what it needs first |\n"
    "|---|---|---|\n"
    "| INIT | post receive buffers | port, pkey, access flags |\n"
    "| RTR | accept inbound | peer QPN, expected PSN, path |\n"
    "| RTS | post sends | timeout, retry counts |\n"
    "\n"
    "```c\n"
    "struct ibv_qp_attr a = { .qp_state = IBV_QPS_INIT, .port_num = 1 };\n"
    "if (ibv_modify_qp(qp, &a, IBV_QP_STATE | IBV_QP_PORT))\n"
    "    return -errno;\n"
    "```\n"
    "\n";
static const char wide_answer[] =
    "Each state unlocks one kind of work, so both ends share their numbers "
    "before a packet can leave:\n"
    "\n"
    "| state | what becomes legal | what it needs first | checked by |\n"
    "|---|---|---|---|\n"
    "| INIT | post receive buffers | port, pkey, access flags | local HCA "
    "only |\n"
    "| RTR | accept inbound | peer QPN, expected PSN, path | first inbound "
    "packet |\n"
    "| RTS | post sends | timeout, retry counts, RNR limit | first "
    "acknowledgement |\n"
    "\n"
    "The order follows from who can be hurt: a sender that starts before its "
    "peer has an expected PSN gets its first packet dropped as out of "
    "sequence, and the retry timer, not an error code, is what you see.\n"
    "\n"
    "```c\n"
    "struct ibv_qp_attr a = { .qp_state = IBV_QPS_INIT, .port_num = 1,\n"
    "                         .pkey_index = 0, .qp_access_flags = "
    "IBV_ACCESS_REMOTE_WRITE };\n"
    "if (ibv_modify_qp(qp, &a, IBV_QP_STATE | IBV_QP_PORT | "
    "IBV_QP_PKEY_INDEX\n"
    "                          | IBV_QP_ACCESS_FLAGS))\n"
    "    return -errno;\n"
    "```\n"
    "\n"
    "After both sides have exchanged QPN and PSN (any channel will do, a file "
    "on a share is enough):\n"
    "\n"
    "```c\n"
    "a.qp_state = IBV_QPS_RTR; a.dest_qp_num = peer.qpn; a.rq_psn = "
    "peer.psn;\n"
    "a.path_mtu = IBV_MTU_4096; a.max_dest_rd_atomic = 1; a.min_rnr_timer = "
    "12;\n"
    "```\n"
    "\n"
    "Three mistakes that look alike:\n"
    "\n"
    "1. posting a send in RTR: returns EINVAL at once\n"
    "2. swapping the two PSNs: silence, then retry-exceeded completion\n"
    "3. different MTU on each side: works until the first large message";
static const char more_answer[] =
    "After both sides have exchanged QPN and PSN:\n"
    "\n"
    "```c\n"
    "a.qp_state = IBV_QPS_RTR; a.dest_qp_num = peer.qpn;\n"
    "a.rq_psn = peer.psn;\n"
    "```\n"
    "\n"
    "Three mistakes that look alike:\n"
    "\n"
    "1. posting a send in RTR\n"
    "2. swapping the two PSNs\n"
    "3. different MTU on each side\n"
    "\n"
    "The first returns at once, the others";

struct fixture {
    struct transcript *transcript;
    struct chat_view_state state;
    struct view_chat *chat;
    struct view view;
    struct canvas canvas;
    struct buffer posted, copied, paged;
};

static void
keep(struct buffer *buffer, const char *text, size_t length)
{
    struct error err;

    buffer_clear(buffer);
    assert_int_equal(buffer_append(buffer, text, length, &err), STATUS_OK);
}

static void
note_post(void *context, const char *line)
{
    keep(&((struct fixture *) context)->posted, line, strlen(line));
}

static void
note_copy(void *context, const char *text, size_t length)
{
    keep(&((struct fixture *) context)->copied, text, length);
}

static void
note_page(void *context, const char *text, size_t length)
{
    keep(&((struct fixture *) context)->paged, text, length);
}

static void
begin(struct fixture *f)
{
    struct error err;
    struct chat_view_calls calls = {f, note_post, note_copy, note_page};

    *f = (struct fixture){.state = {.product = "fathom",
                                    .title = "RDMA notes",
                                    .model = "V4-Flash-q2",
                                    .model_size = "284B/13B",
                                    .think = "high",
                                    .vault = "open",
                                    .queued = "",
                                    .notice = "",
                                    .phase_text = "",
                                    .phase_eta_s = -1}};
    text_width_start(false, 1);
    assert_int_equal(transcript_open(&f->transcript, &err), STATUS_OK);
    assert_int_equal(
        view_chat_open(&f->chat, f->transcript, &f->state, &calls, &err),
        STATUS_OK);
    f->view = view_chat(f->chat);
}

static void
end(struct fixture *f)
{
    view_chat_close(f->chat);
    transcript_close(f->transcript);
    canvas_release(&f->canvas);
    buffer_release(&f->posted);
    buffer_release(&f->copied);
    buffer_release(&f->paged);
    text_width_start(false, 1);
}

static void
draw(struct fixture *f, unsigned rows, unsigned columns, unsigned below)
{
    golden_draw(&f->canvas, &f->view, rows, columns, below, 0);
}

static void
shows(struct fixture *f, unsigned rows, unsigned columns, unsigned below,
      const char *name)
{
    draw(f, rows, columns, below);
    golden_screen(&f->canvas, name);
}

static void
act(struct fixture *f, enum action action, int count)
{
    assert_true(f->view.ops->act(f->view.state, action, count));
}

static size_t
add(struct fixture *f, enum transcript_kind kind,
    const struct transcript_head *head)
{
    struct error err;
    size_t item;

    assert_int_equal(transcript_add(&item, f->transcript, kind, head, &err),
                     STATUS_OK);
    return item;
}

static void
append(struct fixture *f, size_t item, enum transcript_part part,
       const char *text)
{
    struct error err;

    assert_int_equal(
        transcript_append(f->transcript, item, part, text, strlen(text), &err),
        STATUS_OK);
}

static void
finish(struct fixture *f, size_t item)
{
    struct error err;

    assert_int_equal(transcript_finish(f->transcript, item, &err), STATUS_OK);
}

static void
ask(struct fixture *f, const char *time, size_t turn)
{
    struct transcript_head head = {.turn = turn};
    struct error err;

    text_copy(head.time, sizeof head.time, time);
    assert_int_equal(transcript_put(NULL, f->transcript, TRANSCRIPT_QUESTION,
                                    &head, question, strlen(question), &err),
                     STATUS_OK);
}

/* As in the first sketch: a thought comes in, and a message waits. */
static void
think(struct fixture *f)
{
    struct transcript_head head = {.time = "14:02",
                                   .turn = 1,
                                   .thought_tokens = 412,
                                   .thought_ms = 29000,
                                   .budget_tokens = 8192};

    ask(f, "14:02", 1);
    append(f, add(f, TRANSCRIPT_ANSWER, &head), TRANSCRIPT_THOUGHT, thought);
    f->state.queued = "and what about UD queue pairs?";
    f->state.context_used = 4198;
    f->state.context_tokens = 131072;
    f->state.answer_rate = 14.2;
    f->state.has_hits = true;
    f->state.hit_vram = 0.61;
    f->state.hit_ram = 0.33;
    f->state.hit_disk = 0.06;
    f->state.phase = CHAT_THINKING;
    f->state.can_answer_now = true;
}

/* As in the second: an answer comes in. */
static void
stream(struct fixture *f)
{
    struct transcript_head head = {.time = "14:04",
                                   .turn = 2,
                                   .branch = 2,
                                   .branches = 2,
                                   .branch_before = 1,
                                   .thought_tokens = 1284,
                                   .thought_ms = 92011};
    size_t item;

    ask(f, "14:02", 2);
    item = add(f, TRANSCRIPT_ANSWER, &head);
    append(f, item, TRANSCRIPT_THOUGHT, thought);
    append(f, item, TRANSCRIPT_THOUGHT, more_thought);
    append(f, item, TRANSCRIPT_TEXT, answer);
    append(f, item, TRANSCRIPT_TEXT, more_answer);
    f->state.context_used = 4710;
    f->state.context_tokens = 131072;
    f->state.answer_rate = 13.8;
    f->state.has_hits = true;
    f->state.hit_vram = 0.64;
    f->state.hit_ram = 0.31;
    f->state.hit_disk = 0.05;
    f->state.phase = CHAT_ANSWERING;
    f->state.branch = f->state.branches_here = 2;
}

/* As in the third: thinking beside the answer. */
static void
stream_wide(struct fixture *f)
{
    struct transcript_head head = {.time = "14:04",
                                   .turn = 12,
                                   .branch = 2,
                                   .branches = 2,
                                   .branch_before = 11,
                                   .thought_tokens = 1284,
                                   .thought_ms = 92011,
                                   .answer_tokens = 611,
                                   .total_ms = 135204};
    size_t item;

    ask(f, "14:02", 12);
    item = add(f, TRANSCRIPT_ANSWER, &head);
    append(f, item, TRANSCRIPT_THOUGHT, thought);
    append(f, item, TRANSCRIPT_THOUGHT, more_thought);
    for (int i = 1; i <= 8; i++)
        append(f, item, TRANSCRIPT_THOUGHT,
               "\nEach of the mistakes is worth two lines: what is seen, and "
               "where to look. Say which side sees it first.\n\nGo on.\n");
    append(f, item, TRANSCRIPT_TEXT, wide_answer);
    f->state.turns = 12;
    f->state.branches = 2;
    f->state.saved = true;
    f->state.think_budget = 8192;
    f->state.lock_in_ms = 14 * 60000;
    f->state.queued = "and what about UD queue pairs?";
    f->state.context_used = 10035;
    f->state.context_tokens = 131072;
    f->state.answer_rate = 13.8;
    f->state.prompt_rate = 412;
    f->state.has_hits = true;
    f->state.hit_vram = 0.64;
    f->state.hit_ram = 0.31;
    f->state.hit_disk = 0.05;
    f->state.vram_bytes = 45200000000;
    f->state.vram_limit_bytes = 48000000000;
    f->state.disk_rate = 1900000000;
    f->state.phase = CHAT_ANSWERING;
    f->state.branch = f->state.branches_here = 2;
}

static void
a_thought_comes_in_as_a_tail_of_fixed_height(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    think(&f);
    shows(&f, 24, 80, 4, "view_chat_thinking-80x24");
    shows(&f, 16, 60, 4, "view_chat_thinking-60x16");
    text_width_start(true, 1);
    shows(&f, 24, 80, 4, "view_chat_thinking-80x24-utf8");
    end(&f);
}

static void
a_thought_folds_and_the_view_stands_where_it_is_read(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    stream(&f);
    draw(&f, 24, 80, 3);
    act(&f, ACTION_TOP, 1);
    shows(&f, 24, 80, 3, "view_chat_answering-80x24");
    shows(&f, 16, 60, 4, "view_chat_answering-60x16");
    text_width_start(true, 1);
    shows(&f, 24, 80, 3, "view_chat_answering-80x24-utf8");
    end(&f);
}

static void
a_wide_screen_shows_thoughts_beside_the_answer(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    stream_wide(&f);
    draw(&f, 48, 160, 7);
    transcript_pane_top(f.transcript);
    shows(&f, 48, 160, 7, "view_chat_side-160x48");
    text_width_start(true, 1);
    shows(&f, 48, 160, 7, "view_chat_side-160x48-utf8");
    end(&f);
}

/* Whether the wide screen is divided, at a row between rule and status. */
static bool
has_bar(struct fixture *f)
{
    unsigned column = 160 * 5 / 8;

    draw(f, 48, 160, 7);
    return strcmp(f->canvas.cells[20 * 160 + column].text,
                  canvas_glyph(GLYPH_BAR)) == 0;
}

static void
where_no_thought_can_come_the_answer_has_the_screen(void **state)
{
    static const char *const none[] = {"", "off"};
    struct transcript_head head = {.time = "14:04", .turn = 1};
    struct fixture f;

    (void) state;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        begin(&f);
        ask(&f, "14:02", 1);
        size_t item = add(&f, TRANSCRIPT_ANSWER, &head);

        append(&f, item, TRANSCRIPT_TEXT, "Because it must.");
        f.state.phase = CHAT_ANSWERING;
        assert_true(has_bar(&f));
        f.state.think = none[i];
        assert_false(has_bar(&f));
        // whoever asks for it has it
        view_chat_set_layout(f.chat, CHAT_SIDE);
        assert_true(has_bar(&f));
        view_chat_set_layout(f.chat, CHAT_AUTO);
        // and one that was there is shown
        append(&f, item, TRANSCRIPT_THOUGHT, "Hm.");
        assert_true(has_bar(&f));
        end(&f);
    }
}

static void
every_layout_has_its_place_for_thoughts(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    stream_wide(&f);
    view_chat_set_layout(f.chat, CHAT_SPLIT);
    shows(&f, 24, 80, 4, "view_chat_split-80x24");
    view_chat_set_layout(f.chat, CHAT_HIDE);
    shows(&f, 24, 80, 4, "view_chat_hide-80x24");
    view_chat_set_layout(f.chat, CHAT_FOLD);
    shows(&f, 48, 160, 7, "view_chat_fold-160x48");
    view_chat_set_layout(f.chat, CHAT_SIDE);
    act(&f, ACTION_BARE, 1);
    assert_true(view_chat_is_bare(f.chat));
    shows(&f, 24, 80, 1, "view_chat_bare-80x24");
    end(&f);
}

static void
remarks_have_their_brackets_in_bare_text_too(void **state)
{
    static const char note[] =
        "off the branch, and still in /tree: what was said there stays there, "
        "and is not sent again";
    static struct buffer text;
    struct canvas canvas = {0};
    struct fixture f;
    struct error err;

    (void) state;
    begin(&f);
    assert_int_equal(transcript_put(NULL, f.transcript, TRANSCRIPT_NOTE, NULL,
                                    note, sizeof note - 1, &err),
                     STATUS_OK);
    act(&f, ACTION_BARE, 1);
    struct view view = view_chat(f.chat);

    golden_draw(&canvas, &view, 24, 60, 1, 0);
    assert_int_equal(canvas_text(&canvas, &text, &err), STATUS_OK);
    assert_non_null(strstr(text.data,
                           "[off the branch, and still in /tree: what was said "
                           "there\n stays there, and is not sent again]\n"));
    canvas_release(&canvas);
    end(&f);
}

static void
an_empty_chat_tells_what_to_do(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    f.state.title = "";
    shows(&f, 24, 80, 4, "view_chat_empty-80x24");
    shows(&f, 16, 60, 4, "view_chat_empty-60x16");
    end(&f);
}

static void
waiting_shows_progress_with_rate_and_time(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    ask(&f, "14:02", 1);
    f.state.phase = CHAT_READING;
    f.state.phase_text = "reading the prompt";
    f.state.phase_done = 2048;
    f.state.phase_all = 4096;
    f.state.phase_rate = 412;
    f.state.phase_eta_s = 5;
    shows(&f, 24, 80, 4, "view_chat_reading-80x24");
    shows(&f, 16, 60, 4, "view_chat_reading-60x16");
    f.state.phase = CHAT_LOADING;
    f.state.phase_text = "loading V4-Flash-q2";
    f.state.phase_done = 20800000000;
    f.state.phase_all = 33500000000;
    f.state.phase_rate = 6.9e9;
    f.state.phase_eta_s = 2;
    shows(&f, 24, 80, 4, "view_chat_loading-80x24");
    end(&f);
}

static void
figures_out_of_all_measure_keep_their_width(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    ask(&f, "14:02", 1);
    f.state.context_used = 100000000;
    f.state.context_tokens = 1;
    draw(&f, 24, 80, 4);
    assert_true(golden_says(&f.canvas, " 9999%"));
    f.state.phase = CHAT_READING;
    f.state.phase_text = "reading the prompt";
    f.state.phase_all = 4096;
    f.state.phase_eta_s = 1e308;
    draw(&f, 24, 80, 4);
    assert_true(golden_says(&f.canvas, "eta over 999 days"));
    f.state.phase_eta_s = 600000;
    draw(&f, 24, 80, 4);
    assert_true(golden_says(&f.canvas, "eta 7 days"));
    end(&f);
}

static void
notes_come_before_what_to_do(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    append(&f, add(&f, TRANSCRIPT_NOTE, NULL), TRANSCRIPT_TEXT,
           "the model was loaded in 1.2 s");
    shows(&f, 24, 80, 4, "view_chat_note-80x24");
    end(&f);
}

static void
a_click_folds_and_opens_a_thought(void **state)
{
    struct fixture f;
    struct buffer folded = {0}, open = {0};
    struct error err;

    (void) state;
    begin(&f);
    stream(&f);
    draw(&f, 40, 80, 4);
    assert_int_equal(canvas_text(&f.canvas, &folded, &err), STATUS_OK);
    assert_false(view_chat_click(f.chat, 3, 10));  // the question
    assert_false(view_chat_click(f.chat, 0, 10));  // the top line
    assert_false(view_chat_click(f.chat, 39, 10)); // below
    assert_true(view_chat_click(f.chat, 5, 10));
    draw(&f, 40, 80, 4);
    assert_int_equal(canvas_text(&f.canvas, &open, &err), STATUS_OK);
    assert_non_null(strstr(open.data, " :  The user asks"));
    assert_true(view_chat_click(f.chat, 5, 10));
    draw(&f, 40, 80, 4);
    buffer_clear(&open);
    assert_int_equal(canvas_text(&f.canvas, &open, &err), STATUS_OK);
    assert_string_equal(open.data, folded.data);
    buffer_release(&open);
    buffer_release(&folded);
    end(&f);
}

static void
keys_go_round_the_parts_that_are_there(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    stream_wide(&f);
    draw(&f, 48, 160, 7);
    act(&f, ACTION_FOCUS, 1);
    assert_int_equal(view_chat_focus(f.chat), CHAT_FOCUS_TRANSCRIPT);
    act(&f, ACTION_FOCUS, 1);
    assert_int_equal(view_chat_focus(f.chat), CHAT_FOCUS_PANE);
    act(&f, ACTION_BOTTOM, 1);
    draw(&f, 48, 160, 7);
    shows(&f, 48, 160, 7, "view_chat_pane-160x48");
    act(&f, ACTION_FOCUS, 1);
    assert_int_equal(view_chat_focus(f.chat), CHAT_FOCUS_INPUT);
    act(&f, ACTION_FOCUS, 1);
    act(&f, ACTION_ONE_PANE, 1);
    draw(&f, 48, 160, 7);
    act(&f, ACTION_FOCUS, 1);
    assert_int_equal(view_chat_focus(f.chat), CHAT_FOCUS_INPUT);
    act(&f, ACTION_FOCUS, 1);
    act(&f, ACTION_BACK, 1);
    assert_int_equal(view_chat_focus(f.chat), CHAT_FOCUS_INPUT);
    // fold, split, side, hide; on a narrow screen without side
    act(&f, ACTION_ONE_PANE, 1);
    draw(&f, 24, 80, 4);
    static const enum chat_layout round[] = {CHAT_SPLIT, CHAT_HIDE, CHAT_FOLD};

    for (size_t i = 0; i < 3; i++) {
        act(&f, ACTION_THINKING_LAYOUT, 1);
        assert_int_equal(view_chat_layout(f.chat), round[i]);
    }
    end(&f);
}

/* What a key did is told where work is seen, so not for long. */
static void
what_a_key_did_is_told_for_a_while(void **state)
{
    struct fixture f;
    struct buffer text = {0};
    struct error err;

    (void) state;
    begin(&f);
    stream(&f);
    draw(&f, 24, 80, 4);
    assert_true(view_chat_deadline(f.chat) == UINT64_MAX);
    act(&f, ACTION_THINKING_LAYOUT, 1);
    golden_draw(&f.canvas, &f.view, 24, 80, 4, 7);
    golden_draw(&f.canvas, &f.view, 24, 80, 4, 9);
    assert_int_equal(canvas_text(&f.canvas, &text, &err), STATUS_OK);
    assert_non_null(strstr(text.data, " thoughts: split"));
    assert_true(view_chat_deadline(f.chat) == 7 + UINT64_C(4000000000));
    view_chat_hush(f.chat);
    assert_true(view_chat_deadline(f.chat) == UINT64_MAX);
    golden_draw(&f.canvas, &f.view, 24, 80, 4, 10);
    buffer_clear(&text);
    assert_int_equal(canvas_text(&f.canvas, &text, &err), STATUS_OK);
    assert_null(strstr(text.data, "thoughts: split"));
    assert_non_null(strstr(text.data, "^C stop"));
    buffer_release(&text);
    end(&f);
}

/* The number of lines that wait is none of what the first one says. */
static void
a_line_that_waits_is_quoted(void **state)
{
    static const unsigned widths[] = {60, 80, 160};
    struct fixture f;
    struct buffer text = {0};
    struct error err;

    (void) state;
    begin(&f);
    stream(&f);
    f.state.queued = "second msg";
    f.state.queued_more = 2;
    for (size_t i = 0; i < 3; i++) {
        draw(&f, 24, widths[i], 4);
        buffer_clear(&text);
        assert_int_equal(canvas_text(&f.canvas, &text, &err), STATUS_OK);
        assert_non_null(
            strstr(text.data, " queued: \"second msg\" (and 2 more) "));
    }
    // the message is cut, not its number
    f.state.queued = "a message that is longer than the line, whatever it is "
                     "and however wide that is";
    draw(&f, 24, 80, 4);
    buffer_clear(&text);
    assert_int_equal(canvas_text(&f.canvas, &text, &err), STATUS_OK);
    assert_non_null(strstr(text.data, "\" (and 2 more)  Up edits, ^U drops\n"));
    buffer_release(&text);
    end(&f);
}

/* What does not fit is left out, and nothing is drawn over something else. */
static void
lines_of_every_width_are_whole(void **state)
{
    struct fixture f;
    struct buffer text = {0};
    struct error err;

    (void) state;
    begin(&f);
    stream_wide(&f);
    f.state.title = "A title that is much longer than any line has room for it";
    for (unsigned columns = 60; columns <= 200; columns++) {
        draw(&f, 40, columns, 4);
        buffer_clear(&text);
        assert_int_equal(canvas_text(&f.canvas, &text, &err), STATUS_OK);
        assert_non_null(strstr(text.data, "net:off  "));
        assert_non_null(strstr(text.data, "vault:open"));
        assert_non_null(strstr(text.data, " ctx "));
        assert_non_null(strstr(text.data, "  ^C stop\n"));
        assert_non_null(strstr(text.data, "Up edits, ^U drops\n"));
        assert_non_null(strstr(text.data, " fathom  A title"));
    }
    for (unsigned rows = 1; rows < 12; rows++)
        for (unsigned columns = 1; columns < 20; columns++)
            draw(&f, rows, columns, 0);
    buffer_release(&text);
    end(&f);
}

static void
assert_is(const struct buffer *buffer, const char *text)
{
    assert_int_equal(buffer->length, strlen(text));
    assert_memory_equal(buffer->data, text, buffer->length);
}

static void
keys_copy_what_they_name(void **state)
{
    struct fixture f;

    (void) state;
    begin(&f);
    stream(&f);
    finish(&f, 1);
    f.state.phase = CHAT_IDLE;
    draw(&f, 24, 80, 4);
    act(&f, ACTION_COPY, 1);
    assert_is(&f.copied, "struct ibv_qp_attr a = { .qp_state = IBV_QPS_INIT, "
                         ".port_num = 1 };\n"
                         "if (ibv_modify_qp(qp, &a, IBV_QP_STATE | "
                         "IBV_QP_PORT))\n"
                         "    return -errno;\n");
    act(&f, ACTION_COPY, 2);
    assert_is(&f.copied, "a.qp_state = IBV_QPS_RTR; a.dest_qp_num = "
                         "peer.qpn;\na.rq_psn = peer.psn;\n");
    act(&f, ACTION_COPY_THINKING, 0);
    assert_int_equal(f.copied.length, strlen(thought) + strlen(more_thought));
    act(&f, ACTION_COPY_SOURCE, 0);
    assert_int_equal(f.copied.length, strlen(answer) + strlen(more_answer));
    keep(&f.copied, "", 0);
    act(&f, ACTION_COPY, 3);
    assert_int_equal(f.copied.length, 0);
    act(&f, ACTION_SAVE, 2);
    assert_is(&f.posted, "/save 2 ");
    act(&f, ACTION_TURN_BACK, 2);
    act(&f, ACTION_COPY, 0);
    assert_is(&f.copied, question);
    act(&f, ACTION_EDIT_TURN, 0);
    assert_is(&f.posted, "/edit 2");
    act(&f, ACTION_TURN_NEXT, 1);
    act(&f, ACTION_BRANCH_BACK, 1);
    assert_is(&f.posted, "/branch 1");
    // the turn that comes in its place stays current
    transcript_cut(f.transcript, 1);
    struct transcript_head head = {.time = "14:03", .turn = 1};
    size_t other = add(&f, TRANSCRIPT_ANSWER, &head);

    append(&f, other, TRANSCRIPT_TEXT, "Because.");
    finish(&f, other);
    ask(&f, "14:05", 3);
    draw(&f, 24, 80, 4);
    assert_int_equal(transcript_current(f.transcript), other);
    end(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thought_comes_in_as_a_tail_of_fixed_height),
        cmocka_unit_test(a_thought_folds_and_the_view_stands_where_it_is_read),
        cmocka_unit_test(a_wide_screen_shows_thoughts_beside_the_answer),
        cmocka_unit_test(where_no_thought_can_come_the_answer_has_the_screen),
        cmocka_unit_test(every_layout_has_its_place_for_thoughts),
        cmocka_unit_test(remarks_have_their_brackets_in_bare_text_too),
        cmocka_unit_test(an_empty_chat_tells_what_to_do),
        cmocka_unit_test(figures_out_of_all_measure_keep_their_width),
        cmocka_unit_test(notes_come_before_what_to_do),
        cmocka_unit_test(a_click_folds_and_opens_a_thought),
        cmocka_unit_test(keys_go_round_the_parts_that_are_there),
        cmocka_unit_test(what_a_key_did_is_told_for_a_while),
        cmocka_unit_test(a_line_that_waits_is_quoted),
        cmocka_unit_test(lines_of_every_width_are_whole),
        cmocka_unit_test(keys_copy_what_they_name),
        cmocka_unit_test(waiting_shows_progress_with_rate_and_time),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
