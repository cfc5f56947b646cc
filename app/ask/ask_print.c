/* The answer as text or JSON, the thought beside it, and progress. */
#include "config.h"

#include "app/ask/ask.h"

#include "app/exit_code.h"
#include "app/progress_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool
ask_is_json(const struct ask *ask)
{
    return ask->settings->json || ask->settings->jsonl;
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

/* Progress goes on while nothing happens, too. */
void
ask_tick(const struct ask *ask)
{
    // the answer itself is progress where it can be seen
    if (!ask->answering || !isatty(ask->output.descriptor))
        progress_show(clock_ns(), ask->activity);
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
    ask_tick(ask);
}

enum status
ask_print_opened(struct ask *ask, const struct open_done *opened,
                 struct error *err)
{
    json_t *json;

    TRY(report_meta(&json, opened, err));
    return put_json(ask, json, false, err);
}

enum status
ask_print_progress(struct ask *ask, const struct progress_event *progress,
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
    if (ask_is_json(ask))
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

enum status
ask_print_token(struct ask *ask, const struct token_event *token,
                struct error *err)
{
    enum status status;

    ask->waiting = false;
    TRY(report_token(&ask->report, token, err));
    TRY(ask_keep_token(ask, token, err));
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

enum status
ask_print_report(struct ask *ask, const struct generate_done *done,
                 struct error *err)
{
    json_t *json;

    TRY(report_whole(&json, &ask->report, done, ask->saved,
                     ask->settings->jsonl, err));
    return put_json(ask, json,
                    ask->settings->json && isatty(ask->output.descriptor), err);
}

/* Closes the answer's text: one line feed at its end. */
enum status
ask_end_text(struct ask *ask, struct error *err)
{
    TRY(close_thought(ask, err));
    if (ask_is_json(ask))
        return STATUS_OK;
    bool empty = !ask->printer.anything;

    TRY(printer_end(&ask->printer, err));
    // an answer without a word is a line too; no answer is nothing
    if (empty && ask->answering)
        return printer_put(ask->output.descriptor, "\n", 1, err);
    return STATUS_OK;
}
