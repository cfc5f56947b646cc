/*
 * Any bytes as what a terminal answers: numbers stay within their bounds, and
 * an answer behind any of it is read.
 */
#include "config.h"

#include "ui/screen/terminal_answer.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
demand(bool holds)
{
    if (!holds)
        abort();
}

static void
check(enum answer_kind kind, const struct answer_reader *reader)
{
    const unsigned *numbers = reader->numbers;

    if (kind == ANSWER_CURSOR)
        demand(numbers[0] > 0 && numbers[1] > 0);
    if (kind == ANSWER_CURSOR || kind == ANSWER_MODE)
        demand(numbers[0] <= ANSWER_MOST && numbers[1] <= ANSWER_MOST);
    if (kind == ANSWER_READY)
        demand(numbers[0] == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const char last[] = "\033[23;45R";
    struct answer_reader reader = {.count = 0};
    enum answer_kind kind = ANSWER_NONE;

    for (size_t i = 0; i < length; i++)
        check(answer_reader_take(&reader, bytes[i]), &reader);
    for (const char *byte = last; *byte != '\0'; byte++)
        kind = answer_reader_take(&reader, (unsigned char) *byte);
    demand(kind == ANSWER_CURSOR && reader.numbers[0] == 23 &&
           reader.numbers[1] == 45);
    return 0;
}
