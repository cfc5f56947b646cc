/*
 * fathom ask: one question, one answer on standard output, nothing else.
 * fathom-ask(1) is its specification.
 */
#include "config.h"

#include "app/app.h"
#include "app/output.h"
#include "app/progress_text.h"
#include "app/question.h"
#include "app/report.h"
#include "app/thought.h"
#include "ui/ui.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)
// how long a cancelled engine may take to say what it had
#define GRACE_NS (2 * SECOND_NS)

struct ask_settings {
    struct generation generation;
    struct option_list files;
    const char *show_thinking, *output;
    struct option_count logprobs, timeout_ms, wait_ms;
    bool json, jsonl, allow_truncated, no_input, quiet;
};

/* One run of the command. */
struct ask {
    const struct ask_settings *settings;
    struct buffer question;
    struct output output;
    struct printer printer; // of the answer
    struct thought thought;
    struct report report;
    struct client *client;
    uint64_t number; // of GENERATE
    uint64_t begun_ns;
    uint64_t deadline_ns;      // of --timeout, then of the grace after it
    uint64_t wait_deadline_ns; // of --wait, while others are served
    uint64_t queue_ahead;
    bool cancelled, waiting, thinking_open, answering, finished;
    bool silent; // cancelled, and nothing came in the grace after it
    enum finish cancel_reason;
    int signal;
    int code;
    char activity[200]; // what progress says
};

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
    ask->code = EXIT_SUCCESS;
    return STATUS_OK;
}

static bool
is_json(const struct ask *ask)
{
    return ask->settings->json || ask->settings->jsonl;
}

/* In JSON the thought is a field, or lines; else it is printed apart. */
static void
place_thought(struct ask *ask)
{
    struct thought *thought = &ask->thought;

    if (is_json(ask) && thought->sink == THOUGHT_STDOUT) {
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
put_json(struct ask *ask, json_t *json, bool indented, struct error *err)
{
    struct buffer text = {0};
    enum status status = report_print(&text, json, indented, err);

    if (status == STATUS_OK) {
        ask->code = EXIT_CANT_WRITE;
        status =
            printer_put(ask->output.descriptor, text.data, text.length, err);
        if (status == STATUS_OK)
            ask->code = EXIT_SUCCESS;
    }
    buffer_release(&text);
    return status;
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
    return status == STATUS_OK ? status : fail(ask, EXIT_UNAVAILABLE, status);
}

static enum status
send_requests(struct ask *ask, struct error *err)
{
    const struct ask_settings *s = ask->settings;
    const char *system = s->generation.system;
    struct buffer *out = client_outgoing(ask->client);
    struct chat_message messages[2] = {
        {.role = CHAT_SYSTEM,
         .content = text_of(system, system ? strlen(system) : 0)},
        {.role = CHAT_USER,
         .content = text_of(ask->question.data, ask->question.length)},
    };
    struct generation_request made;

    generation_fill(&made, &s->generation);
    made.request.messages = system ? messages : messages + 1;
    made.request.message_count = system ? 2 : 1;
    made.request.with_logprobs = s->logprobs.given;
    made.request.logprobs = (unsigned) s->logprobs.value;
    if (s->jsonl)
        TRY(request_put_open(out, client_number(ask->client), OPEN_SHAPE, err));
    ask->number = client_number(ask->client);
    return request_put_generate(out, ask->number, &made.request, err);
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

/* Progress goes on while nothing happens, too. */
static void
tick(const struct ask *ask)
{
    // the answer itself is progress where it can be seen
    if (!ask->answering || !isatty(ask->output.descriptor))
        progress_show(clock_ns(), ask->activity);
}

/* --wait or --timeout is over, or the grace after one of them. */
static enum status
on_time(struct ask *ask, struct error *err)
{
    uint64_t now = clock_ns();

    if (ask->cancelled && now >= ask->deadline_ns) {
        client_abandon(ask->client);
        ask->finished = ask->silent = true;
        return STATUS_OK;
    }
    if (!ask->cancelled && ask->waiting && now >= ask->wait_deadline_ns) {
        ask->code = EXIT_BUSY;
        return error_set(err, STATUS_CANCELLED,
                         "the warm engine is busy (%llu %s ahead) and --wait "
                         "is over",
                         (unsigned long long) ask->queue_ahead,
                         ask->queue_ahead == 1 ? "request" : "requests");
    }
    if (!ask->cancelled && now >= ask->deadline_ns)
        return cancel(ask, FINISH_TIMEOUT, err);
    return STATUS_OK;
}

static void show_progress(struct ask *ask, const char *format, ...)
    PRINTF_LIKE(2, 3);

static void
show_progress(struct ask *ask, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(ask->activity, sizeof ask->activity, format, args);
    va_end(args);
    tick(ask);
}

static enum status
on_progress(struct ask *ask, const struct progress_event *progress,
            struct error *err)
{
    char text[200];
    json_t *json;

    ask->waiting = progress->phase == PHASE_QUEUE && progress->done > 0;
    ask->queue_ahead = progress->done;
    progress_sentence(text, sizeof text, progress, clock_ns() - ask->begun_ns);
    show_progress(ask, "%s", text);
    if (!ask->settings->jsonl)
        return STATUS_OK;
    TRY(report_progress(&json, progress, err));
    return put_json(ask, json, false, err);
}

static enum status
open_thought_tag(struct ask *ask, struct error *err)
{
    bool shared = ask->thought.sink == THOUGHT_STDOUT &&
                  ask->output.descriptor == STDOUT_FILENO;

    if (!shared || ask->thinking_open)
        return STATUS_OK;
    ask->thinking_open = true;
    return printer_put(STDOUT_FILENO, "<think>\n", 8, err);
}

static enum status
close_thought(struct ask *ask, struct error *err)
{
    if (ask->thought.printer.descriptor < 0)
        return STATUS_OK;
    TRY(printer_end(&ask->thought.printer, err));
    if (!ask->thinking_open)
        return STATUS_OK;
    ask->thinking_open = false;
    return printer_put(STDOUT_FILENO, "</think>\n", 9, err);
}

static enum status
print_thought(struct ask *ask, const struct token_event *token,
              struct error *err)
{
    if (ask->thought.printer.descriptor < 0) {
        show_progress(ask, "thinking, %llu tokens, %.0f s",
                      (unsigned long long) ask->report.thinking_tokens,
                      (double) (clock_ns() - ask->begun_ns) / 1e9);
        return STATUS_OK;
    }
    if (token->text.length == 0)
        return STATUS_OK;
    progress_clear();
    TRY(open_thought_tag(ask, err));
    return printer_write(&ask->thought.printer, token->text.bytes,
                         token->text.length, err);
}

static enum status
print_answer(struct ask *ask, const struct token_event *token,
             struct error *err)
{
    if (!ask->answering) {
        TRY(close_thought(ask, err));
        ask->answering = true;
        if (isatty(ask->output.descriptor))
            progress_clear();
    }
    show_progress(ask, "answering, %llu tokens",
                  (unsigned long long) ask->report.answer_tokens);
    if (is_json(ask))
        return STATUS_OK;
    return printer_write(&ask->printer, token->text.bytes, token->text.length,
                         err);
}

static enum status
print_line(struct ask *ask, const struct token_event *token, struct error *err)
{
    json_t *json;

    // a thought has lines unless it was sent elsewhere
    if (token->text.length == 0 || (token->channel == CHANNEL_THINK &&
                                    ask->thought.sink != THOUGHT_DEFAULT &&
                                    ask->thought.sink != THOUGHT_JSON))
        return STATUS_OK;
    TRY(report_piece(&json, token, err));
    return put_json(ask, json, false, err);
}

static enum status
on_token(struct ask *ask, const struct token_event *token, struct error *err)
{
    enum status status;

    ask->waiting = false;
    TRY(report_token(&ask->report, token, err));
    ask->code = EXIT_CANT_WRITE;
    if (token->channel == CHANNEL_THINK)
        status = print_thought(ask, token, err);
    else
        status = print_answer(ask, token, err);
    if (status == STATUS_OK && ask->settings->jsonl)
        status = print_line(ask, token, err);
    if (status == STATUS_OK)
        ask->code = EXIT_SUCCESS;
    return status;
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
print_report(struct ask *ask, const struct generate_done *done,
             struct error *err)
{
    json_t *json;

    TRY(report_whole(&json, &ask->report, done, ask->settings->jsonl, err));
    return put_json(ask, json,
                    ask->settings->json && isatty(ask->output.descriptor), err);
}

/* Closes the answer's text: one line feed at its end. */
static enum status
end_answer(struct ask *ask, struct error *err)
{
    TRY(close_thought(ask, err));
    if (is_json(ask))
        return STATUS_OK;
    bool empty = !ask->printer.anything;

    TRY(printer_end(&ask->printer, err));
    // an answer without a word is a line too; no answer is nothing
    if (empty && ask->answering)
        return printer_put(ask->output.descriptor, "\n", 1, err);
    return STATUS_OK;
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
    TRY(end_answer(ask, err));
    if (is_json(ask))
        TRY(print_report(ask, done, err));
    if (code == EXIT_SUCCESS)
        TRY(output_commit(&ask->output, err));
    ask->code = code;
    for (size_t i = 0; i < done->warning_count; i++)
        notice_note("%s", done->warnings[i]);
    explain_code(ask, done);
    return STATUS_OK;
}

static enum status
on_event(struct ask *ask, const struct event *event, struct error *err)
{
    json_t *json;

    switch (event->type) {
    case MESSAGE_PROGRESS:
        return on_progress(ask, &event->progress, err);
    case MESSAGE_TOKEN:
        return on_token(ask, &event->token, err);
    case MESSAGE_DONE:
        if (event->number == ask->number)
            return on_done(ask, &event->generate, err);
        TRY(report_meta(&json, &event->open, err));
        return put_json(ask, json, false, err);
    case MESSAGE_ERROR:
        if (ask->cancelled && event->error.status == STATUS_CANCELLED) {
            ask->finished = ask->silent = true;
            return STATUS_OK;
        }
        ask->code = event->error.exit;
        return error_set(err, event->error.status, "%s", event->error.text);
    case MESSAGE_RESIDENCY:
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
    enum status status = client_wait(ask->client, &wait, err);

    if (status != STATUS_OK)
        return fail(ask, EXIT_INTERNAL, status);
    switch (wait.wake) {
    case CLIENT_SIGNAL:
        return on_signal(ask, err);
    case CLIENT_TIME:
        tick(ask);
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
    TRY(send_requests(ask, err));
    ask->waiting = client_is_warm(ask->client);
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
        end_answer(ask, &ignored) != STATUS_OK)
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
    if (end_answer(ask, &err) != STATUS_OK)
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
    if (s->logprobs.given)
        ask->report.logprobs = json_array();
    ask->deadline_ns = deadline_of(s->timeout_ms, ask->begun_ns);
    ask->wait_deadline_ns = deadline_of(s->wait_ms, ask->begun_ns);
    strcpy(ask->activity, "waiting for the engine");
    progress_begin(ask->begun_ns, s->quiet ? PROGRESS_NONE : PROGRESS_LINE);
    return signals_start(SIGNALS_ASK, err);
}

static int
run(void *settings, const struct option_list *operands)
{
    struct ask ask = {.settings = settings,
                      .begun_ns = clock_ns(),
                      .output.descriptor = -1,
                      .thought.printer.descriptor = -1};
    struct error err;
    enum status status = prepare(&ask, operands, &err);

    if (status == STATUS_OK)
        status = answer(&ask, &err);
    if (status != STATUS_OK)
        explain_failure(&ask, &err);
    else if (ask.silent)
        explain_silence(&ask);
    ask_release(&ask);
    return ask.code;
}

#define ROW(name, letter, kind, argument, field, least, most, help)            \
    {                                                                          \
        name, letter, kind, argument, offsetof(struct ask_settings, field),    \
            least, most, help                                                  \
    }
#define VAULT_LATER                                                            \
    "answers can be saved once there is a vault for them, which this version " \
    "does not have; use -o FILE to keep one"

static const struct option options[] = {
    GENERATION_MODEL(struct ask_settings, generation),
    GENERATION_SYSTEM(struct ask_settings, generation),
    ROW(NULL, 'f', OPTION_FILES, "FILE", files, 0, 0,
        "put the text of FILE before the question; may be given again"),
    GENERATION_THINKING(struct ask_settings, generation),
    ROW("show-thinking", 0, OPTION_TEXT, "WHERE", show_thinking, 0, 0,
        "none, stderr, stdout, json, fd:N or a file"),
    ROW("json", 0, OPTION_FLAG, NULL, json, 0, 0,
        "print one JSON object instead of the answer"),
    ROW("jsonl", 0, OPTION_FLAG, NULL, jsonl, 0, 0,
        "print JSON lines as things happen"),
    ROW("logprobs", 0, OPTION_COUNT, "N", logprobs, 0, PROTOCOL_LOGPROBS,
        "in JSON, each token's log-probability and the N likeliest"),
    GENERATION_SAMPLING(struct ask_settings, generation),
    ROW("timeout", 0, OPTION_DURATION, "TIME", timeout_ms, 0, 0,
        "stop after TIME: 30s, 500ms, 2m, 1h"),
    ROW("wait", 0, OPTION_DURATION, "TIME", wait_ms, 0, 0,
        "wait at most TIME for a busy warm engine"),
    ROW("allow-truncated", 0, OPTION_FLAG, NULL, allow_truncated, 0, 0,
        "an answer cut off by a limit is a success"),
    ROW("no-input", 0, OPTION_FLAG, NULL, no_input, 0, 0,
        "do not read standard input"),
    ROW(NULL, 'o', OPTION_FILE, "FILE", output, 0, 0,
        "write the answer to FILE, which appears when it is complete"),
    ROW(NULL, 'q', OPTION_FLAG, NULL, quiet, 0, 0,
        "no progress and no notes on standard error, only errors"),
    ROW("save", 0, OPTION_REFUSED, NULL, quiet, 0, 0, VAULT_LATER),
    ROW("seal", 0, OPTION_REFUSED, NULL, quiet, 0, 0, VAULT_LATER),
    ROW("continue", 'c', OPTION_REFUSED, NULL, quiet, 0, 0,
        "conversations can be continued once there is a vault that keeps them, "
        "which this version does not have"),
};

static const char *const usage[] = {"[OPTIONS] PROMPT", "[OPTIONS] - < FILE",
                                    NULL};

const struct command command_ask = {
    .name = "ask",
    .manual = "fathom-ask",
    .summary = "Answer one question on standard output",
    .usage = usage,
    OPTIONS(options),
    .operand = OPERAND_TEXT,
    .operands_most = 1,
    .settings_bytes = sizeof(struct ask_settings),
    .run = run,
};
