/*
 * An answer as it comes in, and the JSON of `ask --json` and --jsonl, which
 * fathom-json(5) describes. JSON holds the model's text exactly; what a
 * terminal could act upon is written as \u escapes.
 */
#ifndef FATHOM_APP_REPORT_H
#define FATHOM_APP_REPORT_H

#include "base/protocol.h"

#include <jansson.h>

struct report {
    struct buffer answer, thinking;
    bool keep_thinking;
    json_t *logprobs; // NULL: not asked for
    uint64_t answer_tokens, thinking_tokens;
};

/* Collects a token event. */
MUST_CHECK enum status report_token(struct report *report,
                                    const struct token_event *token,
                                    struct error *err);
void report_release(struct report *report);

/*
 * One object, "fathom.ask/1", made from what was collected and DONE; as the
 * last line of --jsonl it begins with "t":"end". `saved` is where it was
 * saved, or "".
 */
MUST_CHECK enum status report_whole(json_t **out, const struct report *report,
                                    const struct generate_done *done,
                                    const char *saved, bool as_line,
                                    struct error *err);

/* Lines of --jsonl: {"t":"meta",...}, {"t":"text","d":"..."}, progress. */
MUST_CHECK enum status report_meta(json_t **out, const struct open_done *opened,
                                   struct error *err);
MUST_CHECK enum status
report_piece(json_t **out, const struct token_event *token, struct error *err);
MUST_CHECK enum status report_progress(json_t **out,
                                       const struct progress_event *progress,
                                       struct error *err);

/* Appends the JSON and a line feed; gives `json` back. */
MUST_CHECK enum status report_print(struct buffer *out, json_t *json,
                                    bool indented, struct error *err);

#endif
