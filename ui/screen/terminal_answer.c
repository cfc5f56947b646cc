/* A state machine of five states and two numbers. */
#include "config.h"

#include "ui/screen/terminal_answer.h"

static bool
is_final(unsigned char byte)
{
    return byte >= 0x40 && byte <= 0x7E;
}

/* A byte that means nothing here ends the sequence, or goes on with it. */
static void
go_past(struct answer_reader *reader, unsigned char byte)
{
    bool goes_on = byte >= 0x20 && byte < 0x40;

    reader->state = goes_on ? ANSWER_OTHER : ANSWER_TEXT;
}

static void
take_digit(struct answer_reader *reader, unsigned char byte)
{
    unsigned *number = &reader->numbers[reader->count - 1];

    *number = *number * 10 + (unsigned) (byte - '0');
    reader->digits++;
    if (*number > ANSWER_MOST)
        reader->state = ANSWER_OTHER;
}

static enum answer_kind
end_plain(const struct answer_reader *reader, unsigned char byte)
{
    const unsigned *numbers = reader->numbers;

    if (reader->question || reader->digits == 0)
        return ANSWER_NONE;
    if (byte == 'R' && reader->count == 2 && numbers[0] > 0 && numbers[1] > 0)
        return ANSWER_CURSOR;
    if (byte == 'n' && reader->count == 1 && numbers[0] == 0)
        return ANSWER_READY;
    return ANSWER_NONE;
}

static enum answer_kind
take_parameter(struct answer_reader *reader, unsigned char byte)
{
    bool first = reader->count == 1 && reader->digits == 0;

    if (byte >= '0' && byte <= '9') {
        take_digit(reader, byte);
    } else if (byte == '?' && first && !reader->question) {
        reader->question = true;
    } else if (byte == ';' && reader->digits > 0 &&
               reader->count < ANSWER_NUMBERS) {
        reader->numbers[reader->count++] = 0;
        reader->digits = 0;
    } else if (byte == '$' && reader->question && reader->digits > 0) {
        reader->state = ANSWER_DOLLAR;
    } else {
        go_past(reader, byte);
        return is_final(byte) ? end_plain(reader, byte) : ANSWER_NONE;
    }
    return ANSWER_NONE;
}

enum answer_kind
answer_reader_take(struct answer_reader *reader, unsigned char byte)
{
    if (byte == '\033') {
        reader->state = ANSWER_ESCAPE;
        return ANSWER_NONE;
    }
    switch (reader->state) {
    case ANSWER_TEXT:
        break;
    case ANSWER_ESCAPE:
        *reader = (struct answer_reader){.count = 1};
        if (byte == '[')
            reader->state = ANSWER_PARAMETERS;
        break;
    case ANSWER_PARAMETERS:
        return take_parameter(reader, byte);
    case ANSWER_DOLLAR:
        go_past(reader, byte);
        return byte == 'y' && reader->count == 2 ? ANSWER_MODE : ANSWER_NONE;
    case ANSWER_OTHER:
        go_past(reader, byte);
        break;
    }
    return ANSWER_NONE;
}
