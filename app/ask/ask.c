/* From the question to the exit code. */
#include "config.h"

#include "app/ask/ask.h"

#include "app/exit_code.h"
#include "app/model/model_gate.h"
#include "app/notice.h"
#include "app/places.h"
#include "app/question.h"
#include "app/signals.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)
// how long a cancelled engine may take to say what it had
#define GRACE_NS (2 * SECOND_NS)
// until a warm engine that was full is asked again
#define AGAIN_NS (SECOND_NS / 5)

static enum status
fail(struct ask *ask, int code, enum status status)
{
    ask->code = code;
    return status;
}

/* Options that the table cannot check alone. */
static enum status
check_settings(struct ask *ask, struct error *err)
{
    const struct ask_settings *s = ask->settings;

    TRY(generation_check(&s->generation, &ask->code, err));
    ask->code = EXIT_USAGE;
    if (s->json && s->jsonl)
        return error_set(err, STATUS_FORMAT,
                         "--json and --jsonl exclude each other");
    if (s->logprobs.given && !s->json && !s->jsonl)
        return error_set(err, STATUS_FORMAT,
                         "--logprobs goes with --json or --jsonl");
    TRY(thought_open(&ask->thought, s->show_thinking, &ask->code, err));
    if (ask->thought.sink == THOUGHT_JSON && !s->json && !s->jsonl)
        return error_set(err, STATUS_FORMAT,
                         "--show-thinking=json goes with --json or --jsonl");
    return ask_keep_check(ask, err);
}

/* In JSON the thought is a field, or lines; else it is printed apart. */
static void
place_thought(struct ask *ask)
{
    struct thought *thought = &ask->thought;

    if (ask_is_json(ask) && thought->sink == THOUGHT_STDOUT) {
        thought->sink = THOUGHT_JSON;
        thought->printer.descriptor = -1;
    }
    ask->report.keep_thinking = thought->sink == THOUGHT_JSON;
    thought->printer.colour = thought->printer.descriptor >= 0 &&
                              terminal_of(thought->printer.descriptor).colour;
    printer_begin(&thought->printer, (struct print_style){.dim = true});
}

static enum status
open_output(struct ask *ask, struct error *err)
{
    enum status status = output_open(&ask->output, ask->settings->output, err);

    if (status != STATUS_OK)
        return fail(ask, EXIT_CANT_CREATE, status);
    ask->printer.descriptor = ask->output.descriptor;
    ask->printer.colour = terminal_of(ask->output.descriptor).colour;
    printer_begin(&ask->printer, (struct print_style){0});
    return STATUS_OK;
}

static enum status
read_question(struct ask *ask, const struct option_list *operands,
              struct error *err)
{
    struct question_source source = {
        .prompt = operands->count > 0 ? operands->items[0] : NULL,
        .files = &ask->settings->files,
        .no_input = ask->settings->no_input,
    };

    return question_read(&ask->question, &source, &ask->code, err);
}

/* A warm engine of the same model, else one of our own. */
static enum status
reach_engine(struct ask *ask, struct error *err)
{
    char path[PLACE_BYTES];
    enum status status =
        places_model(path, ask->settings->generation.model, err);

    if (status != STATUS_OK)
        return fail(ask, EXIT_NO_INPUT, status);
    status = client_reach(&ask->client, path, err);
    return status == STATUS_OK ? status
                               : fail(ask, exit_code_of_start(status), status);
}

static enum status
send_question(struct ask *ask, struct error *err)
{
    const struct ask_settings *s = ask->settings;
    struct generation_request made;
    struct chat_message *messages;
    size_t count;

    TRY(conversation_messages(&messages, &count, &ask->conversation, err));
    generation_fill(&made, &s->generation);
    made.request.messages = messages;
    made.request.message_count = count;
    made.request.with_logprobs = s->logprobs.given;
    made.request.logprobs = (unsigned) s->logprobs.value;
    ask->number = client_number(ask->client);
    ask->again_ns = UINT64_MAX;
    enum status status = request_put_generate(client_outgoing(ask->client),
                                              ask->number, &made.request, err);

    free(messages);
    return status;
}

/* What --jsonl tells first comes from OPEN. */
static enum status
send_requests(struct ask *ask, struct error *err)
{
    if (ask->settings->jsonl)
        TRY(request_put_open(client_outgoing(ask->client),
                             client_number(ask->client), OPEN_SHAPE, err));
    return send_question(ask, err);
}

/* Asks the engine to end; its DONE brings what there was. */
static enum status
cancel(struct ask *ask, enum finish reason, struct error *err)
{
    if (ask->cancelled)
        return STATUS_OK;
    ask->cancelled = true;
    ask->cancel_reason = reason;
    ask->deadline_ns = clock_ns() + GRACE_NS;
    if (ask->again_ns != UINT64_MAX) {
        ask->finished = ask->silent = true; // nothing is being asked
        return STATUS_OK;
    }
    return request_put_cancel(client_outgoing(ask->client), ask->number, reason,
                              err);
}

static enum status
on_signal(struct ask *ask, struct error *err)
{
    int number = signals_taken();

    if (number == 0)
        return STATUS_OK;
    ask->signal = number;
    return cancel(ask, FINISH_INTERRUPTED, err);
}

static enum status
wait_over(struct ask *ask, struct error *err)
{
    unsigned long long ahead = ask->queue_ahead;

    ask->code = EXIT_BUSY;
    if (ahead == 0)
        return error_set(err, STATUS_CANCELLED,
                         "the warm engine is busy and --wait is over");
    return error_set(err, STATUS_CANCELLED,
                     "the warm engine is busy (%llu %s ahead) and --wait is "
                     "over",
                     ahead, ahead == 1 ? "request" : "requests");
}

/*
 * --wait or --timeout is over, or the grace after one of them; or it is time
 * to ask again.
 */
static enum status
on_time(struct ask *ask, struct error *err)
{
    uint64_t now = clock_ns();

    if (ask->cancelled && now >= ask->deadline_ns) {
        client_abandon(ask->client);
        ask->finished = ask->silent = true;
        return STATUS_OK;
    }
    if (!ask->cancelled && ask->waiting && now >= ask->wait_deadline_ns)
        return wait_over(ask, err);
    if (!ask->cancelled && now >= ask->deadline_ns)
        return cancel(ask, FINISH_TIMEOUT, err);
    return now >= ask->again_ns ? send_question(ask, err) : STATUS_OK;
}

static int
code_of_finish(const struct ask *ask, enum finish finish)
{
    bool allowed = ask->settings->allow_truncated;

    switch (finish) {
    case FINISH_STOP:
    case FINISH_THINK_BUDGET:
        return EXIT_SUCCESS;
    case FINISH_LENGTH:
        return allowed ? EXIT_SUCCESS : EXIT_TRUNCATED;
    case FINISH_CONTEXT_FULL:
        return allowed ? EXIT_SUCCESS : EXIT_TOO_LONG;
    case FINISH_ENDED_THINKING:
        return EXIT_NO_ANSWER;
    case FINISH_TIMEOUT:
        return EXIT_TIMED_OUT;
    case FINISH_INTERRUPTED:
        return ask->signal ? EXIT_SIGNAL + ask->signal : EXIT_FAILURE;
    }
    return EXIT_INTERNAL;
}

static void
explain_code(const struct ask *ask, const struct generate_done *done)
{
    unsigned long long answer = done->usage.answer,
                       thinking = done->usage.thinking,
                       context = done->usage.context;

    switch (ask->code) {
    case EXIT_TRUNCATED:
        notice_error("the answer was cut off by -n after %llu tokens; "
                     "--allow-truncated accepts that",
                     answer + thinking);
        break;
    case EXIT_TOO_LONG:
        notice_error("the answer was cut off: the context of %llu tokens is "
                     "full",
                     context);
        break;
    case EXIT_NO_ANSWER:
        notice_error("the model was still thinking after %llu tokens and gave "
                     "no answer; a larger -n or a --think-budget helps",
                     thinking);
        break;
    case EXIT_TIMED_OUT:
        notice_error("stopped by --timeout%s",
                     answer > 0 ? "; the answer is incomplete"
                                : " before the answer began");
        break;
    default:
        break;
    }
}

static enum status
on_done(struct ask *ask, const struct generate_done *done, struct error *err)
{
    int code = code_of_finish(ask, done->finish);

    ask->finished = true;
    progress_clear();
    ask->code = EXIT_CANT_WRITE;
    if (code == EXIT_SUCCESS)
        ask->answering = true;
    ask_keep_answer(ask, done);
    TRY(ask_end_text(ask, err));
    if (ask_is_json(ask))
        TRY(ask_print_report(ask, done, err));
    if (code == EXIT_SUCCESS)
        TRY(output_commit(&ask->output, err));
    ask->code = code;
    for (size_t i = 0; i < done->warning_count; i++)
        notice_note("%s", done->warnings[i]);
    explain_code(ask, done);
    return STATUS_OK;
}

static enum status
on_error(struct ask *ask, const struct error_event *error, struct error *err)
{
    if (ask->cancelled && error->status == STATUS_CANCELLED) {
        ask->finished = ask->silent = true;
        return STATUS_OK;
    }
    // a warm engine may have as many conversations as it can hold
    if (error->exit == EXIT_BUSY && client_is_warm(ask->client) &&
        !ask->cancelled) {
        ask->waiting = true;
        ask->queue_ahead = 0;
        ask->again_ns = clock_ns() + AGAIN_NS;
        return STATUS_OK;
    }
    ask->code = error->exit;
    return error_set(err, error->status, "%s", error->text);
}

static enum status
on_event(struct ask *ask, const struct event *event, struct error *err)
{
    switch (event->type) {
    case MESSAGE_PROGRESS:
        return ask_print_progress(ask, &event->progress, err);
    case MESSAGE_TOKEN:
        return ask_print_token(ask, &event->token, err);
    case MESSAGE_DONE:
        if (event->number == ask->number)
            return on_done(ask, &event->generate, err);
        return ask_print_opened(ask, &event->open, err);
    case MESSAGE_ERROR:
        return on_error(ask, &event->error, err);
    case MESSAGE_RESIDENCY:
    case MESSAGE_LOOP:
    case MESSAGE_IDS:
    case MESSAGE_OPEN:
    case MESSAGE_TEXT:
    case MESSAGE_DESCRIBE:
    case MESSAGE_TOKENIZE:
    case MESSAGE_PLAN:
    case MESSAGE_GENERATE:
    case MESSAGE_CANCEL:
    case MESSAGE_SNAPSHOT:
    case MESSAGE_STATS:
    case MESSAGE_ANSWER_NOW:
        break;
    }
    return STATUS_OK;
}

static enum status
step(struct ask *ask, struct error *err)
{
    uint64_t deadline = ask->deadline_ns;
    struct client_wait wait = {.input = -1};

    if (ask->waiting && !ask->cancelled && ask->wait_deadline_ns < deadline)
        deadline = ask->wait_deadline_ns;
    wait.deadline_ns = clock_ns() + SECOND_NS;
    if (deadline < wait.deadline_ns)
        wait.deadline_ns = deadline;
    if (ask->again_ns < wait.deadline_ns)
        wait.deadline_ns = ask->again_ns;
    enum status status = client_wait(ask->client, &wait, err);

    if (status != STATUS_OK)
        return fail(ask, EXIT_INTERNAL, status);
    switch (wait.wake) {
    case CLIENT_SIGNAL:
        return on_signal(ask, err);
    case CLIENT_TIME:
        ask_tick(ask);
        return on_time(ask, err);
    case CLIENT_INPUT:
        return STATUS_OK;
    case CLIENT_EVENT:
        status = on_event(ask, &wait.event, err);
        event_release(&wait.event);
        return status;
    }
    return STATUS_OK;
}

static uint64_t
deadline_of(struct option_count ms, uint64_t begun_ns)
{
    return ms.given ? begun_ns + ms.value * 1000000 : UINT64_MAX;
}

static enum status
answer(struct ask *ask, struct error *err)
{
    TRY(reach_engine(ask, err));
    if (ask->keeping.vault) {
        enum status status = model_gate_record(ask->keeping.vault, err);

        if (status != STATUS_OK)
            return fail(ask, exit_code_of(status), status);
    }
    TRY(send_requests(ask, err));
    while (!ask->finished)
        TRY(step(ask, err));
    return STATUS_OK;
}

/* What came so far is flushed, whatever went wrong. */
static void
explain_failure(struct ask *ask, const struct error *err)
{
    struct error ignored;

    progress_clear();
    if (ask->code != EXIT_CANT_WRITE && ask->output.descriptor >= 0 &&
        ask_end_text(ask, &ignored) != STATUS_OK)
        ask->code = EXIT_CANT_WRITE;
    if (err->status == STATUS_NOMEM)
        ask->code = EXIT_UNAVAILABLE;
    else if (ask->code == EXIT_SUCCESS)
        ask->code = EXIT_INTERNAL;
    notice_error("%s%s", err->text,
                 ask->answering ? "; the answer so far is incomplete" : "");
}

/* Cancelled, and the engine had nothing to tell in time. */
static void
explain_silence(struct ask *ask)
{
    struct error err;

    progress_clear();
    if (ask_end_text(ask, &err) != STATUS_OK)
        notice_error("%s", err.text);
    ask->code = code_of_finish(ask, ask->cancel_reason);
    if (ask->cancel_reason == FINISH_TIMEOUT)
        notice_error("stopped by --timeout%s",
                     ask->answering ? "; the answer is incomplete" : "");
}

static void
ask_release(struct ask *ask)
{
    client_close(ask->client);
    ask_keep_close(ask);
    output_close(&ask->output);
    thought_close(&ask->thought);
    printer_release(&ask->printer);
    report_release(&ask->report);
    buffer_release(&ask->question);
}

static enum status
prepare(struct ask *ask, const struct option_list *operands, struct error *err)
{
    const struct ask_settings *s = ask->settings;

    notice_quiet(s->quiet);
    TRY(check_settings(ask, err));
    place_thought(ask);
    TRY(read_question(ask, operands, err));
    TRY(open_output(ask, err));
    TRY(ask_keep_open(ask, err));
    TRY(ask_keep_question(ask, err));
    if (s->logprobs.given)
        ask->report.logprobs = json_array();
    ask->deadline_ns = deadline_of(s->timeout_ms, ask->begun_ns);
    ask->wait_deadline_ns = deadline_of(s->wait_ms, ask->begun_ns);
    strcpy(ask->activity, "waiting for the engine");
    progress_begin(ask->begun_ns, s->quiet ? PROGRESS_NONE : PROGRESS_LINE);
    return signals_start(SIGNALS_ASK, err);
}

int
ask_run(const struct ask_settings *settings, const struct option_list *operands)
{
    struct ask ask = {.settings = settings,
                      .begun_ns = clock_ns(),
                      .again_ns = UINT64_MAX,
                      .output.descriptor = -1,
                      .thought.printer.descriptor = -1};
    struct error err;

    conversation_init(&ask.conversation);
    enum status status = prepare(&ask, operands, &err);

    if (status == STATUS_OK)
        status = answer(&ask, &err);
    if (status != STATUS_OK)
        explain_failure(&ask, &err);
    else if (ask.silent)
        explain_silence(&ask);
    ask_keep_answer(&ask, NULL);
    if (ask.code == EXIT_SUCCESS)
        ask.code = ask.keep_code;
    ask_release(&ask);
    return ask.code;
}
