/*
 * fathom ask: one question, one answer on standard output, nothing else.
 * fathom-ask(1) is its specification.
 */
#include "config.h"

#include "app/app.h"
#include "app/ask.h"

static int
run(void *settings, const struct option_list *operands)
{
    return ask_run(settings, operands);
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
