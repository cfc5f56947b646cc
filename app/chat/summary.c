/* The question is text that people can read; only its ends are looked at. */
#include "config.h"

#include "app/chat/summary.h"

#include <string.h>

enum { KEEP_DIGITS = 9 };

// fathom-chat(1) shows it whole. Chats that are kept have these two lines, so
// they stay as they are; what stands between them may change.
static const char first_line[] =
    "Summarise our conversation so far: your summary takes its place.\n";
static const char last_line[] =
    "\nTurns that follow your summary word for word: ";
static const char middle[] =
    "Keep what I asked for, what was found, decided and left open, and the "
    "names, numbers, code and quotations that are still needed, exactly as "
    "they are. Leave out what does not matter any more. Begin with the "
    "summary at once, in the language of our conversation.";

enum status
summary_question(struct buffer *out, size_t keep, struct text wanted,
                 struct error *err)
{
    TRY(buffer_print(out, err, "%s%s", first_line, middle));
    if (wanted.length > 0) {
        TRY(buffer_print(out, err, "\nMind above all: "));
        TRY(buffer_append(out, wanted.bytes, wanted.length, err));
    }
    return buffer_print(out, err, "%s%zu", last_line, keep);
}

/* A number of nothing but digits, which are the last bytes of `text`. */
static bool
read_keep(struct text text, size_t digits, size_t *keep)
{
    const char *at = text.bytes + text.length - digits;
    size_t number = 0;

    if (digits == 0 || digits > KEEP_DIGITS)
        return false;
    for (size_t i = 0; i < digits; i++)
        number = 10 * number + (size_t) (at[i] - '0');
    *keep = number;
    return true;
}

bool
summary_is_asked(struct text question, size_t *keep)
{
    const size_t head = sizeof first_line - 1, tail = sizeof last_line - 1;
    size_t digits = 0;

    while (digits < question.length &&
           question.bytes[question.length - 1 - digits] >= '0' &&
           question.bytes[question.length - 1 - digits] <= '9')
        digits++;
    size_t before = question.length - digits;

    return before >= head + tail &&
           memcmp(question.bytes, first_line, head) == 0 &&
           memcmp(question.bytes + before - tail, last_line, tail) == 0 &&
           read_keep(question, digits, keep);
}
