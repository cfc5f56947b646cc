/*
 * fathom tokenize: text to token ids, a line for each text. Cases come from a
 * file in which the backslash escapes: \\ \n \r \t \xHH.
 */
#include "config.h"

#include "app/app.h"
#include "app/model/exchange.h"
#include "app/question.h"
#include "ui/ui.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BATCH_TEXTS = 2000,
    BATCH_BYTES = 8 << 20, // of text in one request
    WRITE_BYTES = 64 * 1024,
    QUOTED_BYTES = 300,
};

struct tokenize_settings {
    const char *model, *cases;
};

struct tokenize {
    const struct tokenize_settings *settings;
    struct client *client;
    struct buffer input;            // of the cases, or the text
    struct buffer texts;            // of the batch, as bytes
    struct text batch[BATCH_TEXTS]; // `bytes` is NULL until it is sent
    size_t batch_count;
    struct buffer out;
    size_t line; // of the cases, for messages
    int code;
};

static enum status
flush(struct tokenize *t, struct error *err)
{
    enum status status =
        printer_put(STDOUT_FILENO, t->out.data, t->out.length, err);

    buffer_clear(&t->out);
    return status;
}

static enum status
take_ids(void *context, const struct event *event, struct error *err)
{
    struct tokenize *t = context;

    if (event->type != MESSAGE_IDS)
        return STATUS_OK;
    for (size_t i = 0; i < event->ids.count; i++) {
        bool first =
            t->out.length == 0 || t->out.data[t->out.length - 1] == '\n';

        TRY(buffer_print(&t->out, err, first ? "%d" : " %d",
                         (int) event->ids.ids[i]));
    }
    if (!event->ids.more)
        TRY(buffer_append(&t->out, "\n", 1, err));
    // whole lines only, so that "first" above stays right
    if (t->out.length >= WRITE_BYTES && !event->ids.more)
        return flush(t, err);
    return STATUS_OK;
}

/* Sends what is collected and prints its ids. */
static enum status
send_batch(struct tokenize *t, struct error *err)
{
    size_t used = 0;

    if (t->batch_count == 0)
        return STATUS_OK;
    for (size_t i = 0; i < t->batch_count; i++) {
        t->batch[i].bytes = t->texts.data + used;
        used += t->batch[i].length;
    }
    uint64_t number = client_number(t->client);

    TRY(request_put_tokenize(client_outgoing(t->client), number, t->batch,
                             t->batch_count, err));
    t->batch_count = 0;
    buffer_clear(&t->texts);
    return exchange_wait(t->client, number, take_ids, t, &t->code, err);
}

/* A text of the batch ends at the end of `texts`; it began at `start`. */
static enum status
end_text(struct tokenize *t, size_t start, struct error *err)
{
    // an empty text needs an address too
    TRY(buffer_reserve(&t->texts, 1, err));
    t->batch[t->batch_count++] = text_of(NULL, t->texts.length - start);
    if (t->batch_count < BATCH_TEXTS && t->texts.length < BATCH_BYTES)
        return STATUS_OK;
    return send_batch(t, err);
}

static int
hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit = (char) tolower((unsigned char) digit);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Reads the escape after a backslash; 0: not one, else its length. */
static size_t
read_escape(const char *at, size_t left, char *byte)
{
    static const struct {
        char name, byte;
    } letters[] = {{'\\', '\\'}, {'n', '\n'}, {'r', '\r'}, {'t', '\t'}};

    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
        if (left > 0 && at[0] == letters[i].name) {
            *byte = letters[i].byte;
            return 1;
        }
    if (left < 3 || at[0] != 'x')
        return 0;
    int high = hex_value(at[1]), low = hex_value(at[2]);

    *byte = (char) (high * 16 + low);
    return high >= 0 && low >= 0 ? 3 : 0;
}

static enum status
unescape(struct tokenize *t, struct buffer *out, const char *line,
         size_t length, struct error *err)
{
    char shown[QUOTED_BYTES];

    for (size_t i = 0; i < length;) {
        char byte = line[i++];

        if (byte == '\\') {
            size_t n = read_escape(line + i, length - i, &byte);

            if (n == 0) {
                t->code = EXIT_BAD_DATA;
                return error_set(
                    err, STATUS_FORMAT,
                    "%s line %zu: the backslash at byte %zu begins no escape "
                    "(\\\\ \\n \\r \\t \\xHH)",
                    text_quote(shown, sizeof shown, t->settings->cases,
                               strlen(t->settings->cases)),
                    t->line, i);
            }
            i += n;
        }
        TRY(buffer_append(out, &byte, 1, err));
    }
    return STATUS_OK;
}

static enum status
add_case(struct tokenize *t, const char *line, size_t length, struct error *err)
{
    struct buffer bytes = {0};
    size_t start = t->texts.length;
    enum status status = unescape(t, &bytes, line, length, err);

    // escapes can write any bytes; those that are not UTF-8 are repaired
    if (status == STATUS_OK)
        status = utf8_repair(&t->texts, bytes.data, bytes.length, err);
    buffer_release(&bytes);
    TRY(status);
    return end_text(t, start, err);
}

static enum status
add_cases(struct tokenize *t, struct error *err)
{
    const char *at, *end;

    TRY(question_read_file(&t->input, t->settings->cases, &t->code, err));
    t->code = EXIT_FAILURE;
    at = t->input.data;
    end = at + t->input.length;
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t) (end - at));
        const char *stop = line_end ? line_end : end;

        t->line++;
        TRY(add_case(t, at, (size_t) (stop - at), err));
        at = stop + 1;
    }
    return STATUS_OK;
}

static enum status
add_text(struct tokenize *t, const char *text, struct error *err)
{
    static const struct option_list no_files = {0};
    struct question_source source = {.prompt = text, .files = &no_files};

    if (text && strcmp(text, "-") != 0) {
        t->code = EXIT_BAD_DATA;
        if (!utf8_valid(text, strlen(text)))
            return error_set(err, STATUS_FORMAT, "the text is not UTF-8");
        TRY(buffer_append(&t->texts, text, strlen(text), err));
    } else {
        TRY(question_read_input(&t->texts, &source, &t->code, err));
    }
    return end_text(t, 0, err);
}

static enum status
tokenize(struct tokenize *t, const struct option_list *operands,
         struct error *err)
{
    const struct tokenize_settings *s = t->settings;
    const char *text = operands->count > 0 ? operands->items[0] : NULL;

    t->code = EXIT_USAGE;
    if (s->cases && text)
        return error_set(err, STATUS_FORMAT,
                         "give a text or --cases, not both");
    TRY(exchange_open(&t->client, s->model, &t->code, err));
    if (s->cases)
        TRY(add_cases(t, err));
    else
        TRY(add_text(t, text, err));
    TRY(send_batch(t, err));
    t->code = EXIT_CANT_WRITE;
    TRY(flush(t, err));
    t->code = EXIT_SUCCESS;
    return STATUS_OK;
}

static int
run(void *settings, const struct option_list *operands)
{
    static struct tokenize t;
    struct error err;

    t.settings = settings;
    if (tokenize(&t, operands, &err) != STATUS_OK)
        notice_error("%s", err.text);
    client_close(t.client);
    buffer_release(&t.input);
    buffer_release(&t.texts);
    buffer_release(&t.out);
    return t.code;
}

static const struct option options[] = {
    {NULL, 'm', OPTION_MODEL, "MODEL",
     offsetof(struct tokenize_settings, model), 0, 0,
     "a model file, or the name of a model in the model directory"},
    {"cases", 0, OPTION_FILE, "FILE", offsetof(struct tokenize_settings, cases),
     0, 0, "one text a line; \\\\ \\n \\r \\t \\xHH are escapes"},
};

static const char *const usage[] = {"[-m MODEL] TEXT", "[-m MODEL] - < FILE",
                                    "[-m MODEL] --cases=FILE", NULL};

const struct command command_tokenize = {
    .name = "tokenize",
    .manual = "fathom-tokenize",
    .summary = "Print the token ids of texts",
    .usage = usage,
    OPTIONS(options),
    .operand = OPERAND_TEXT,
    .operands_most = 1,
    .settings_bytes = sizeof(struct tokenize_settings),
    .run = run,
};
