/*
 * fathom ask: one question, one answer on standard output, nothing else.
 * fathom-ask(1) is its specification.
 */
#include "config.h"

#include "app/app.h"
#include "app/ask/ask.h"
#include "app/preset.h"

static int
run(void *settings, const struct option_list *operands)
{
    struct ask_settings *s = settings;
    struct error err;
    int code;

    if (preset_start(&s->generation, &code, &err) != STATUS_OK) {
        notice_error("%s", err.text);
        return code;
    }
    s->unlock.source.no_input = s->no_input;
    return ask_run(s, operands);
}

#define ROW(name, letter, kind, argument, field, least, most, help)            \
    {                                                                          \
        name, letter, kind, argument, offsetof(struct ask_settings, field),    \
            least, most, help                                                  \
    }

static const struct option options[] = {
    GENERATION_MODEL(struct ask_settings, generation),
    GENERATION_PRESET(struct ask_settings, generation),
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
    ROW("save", 0, OPTION_FLAG, NULL, save, 0, 0,
        "keep question and answer in the vault, as a chat"),
    ROW(NULL, 'c', OPTION_FLAG, NULL, newest, 0, 0,
        "continue the newest chat of the vault"),
    ROW("continue", 0, OPTION_OPTIONAL, "ID", resume, 0, 0,
        "continue the chat whose id begins with ID, or the newest"),
    ROW("seal", 0, OPTION_FLAG, NULL, seal, 0, 0,
        "keep them sealed, without opening the vault"),
    ROW("no-save", 0, OPTION_FLAG, NULL, no_save, 0, 0,
        "keep nothing (the default but for -c)"),
    ROW("passphrase-fd", 0, OPTION_COUNT, "N", unlock.source.fd, 0, 1 << 20,
        "read the passphrase, a line, from file descriptor N"),
    ROW("key-file", 0, OPTION_FILE, "FILE", unlock.key_file, 0, 0,
        "the key file that a slot of the vault needs"),
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
