/* Reading and joining; the whole is held in memory, bounded by the protocol. */
#include "config.h"

#include "app/question.h"

#include "app/attachment.h"
#include "app/exit_code.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 256 * 1024, QUOTED_BYTES = 300 };

static const char standard_input[] = "standard input";
static const char byte_order_mark[] = "\xEF\xBB\xBF";

static enum status
read_all(struct buffer *out, int descriptor, const char *shown, int *code,
         struct error *err)
{
    *code = EXIT_NO_INPUT;
    for (;;) {
        TRY(buffer_reserve(out, READ_BYTES, err));
        ssize_t n = fault_due()
                        ? (errno = EIO, -1)
                        : read(descriptor, out->data + out->length, READ_BYTES);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, "cannot read %s", shown);
        if (n == 0)
            return STATUS_OK;
        out->length += (size_t) n;
        out->data[out->length] = '\0';
        if (out->length > PROTOCOL_TEXT_BYTES) {
            *code = EXIT_BAD_DATA;
            return error_set(err, STATUS_LIMIT,
                             "%s is longer than %d MiB, the most a question "
                             "may have",
                             shown, PROTOCOL_TEXT_BYTES >> 20);
        }
    }
}

static enum status
check_utf8(const char *bytes, size_t length, const char *shown, int *code,
           struct error *err)
{
    uint32_t code_point;
    bool valid = true;
    size_t i = 0, n = 0;

    while (i < length) {
        n = utf8_next(bytes + i, length - i, &code_point, &valid);
        if (!valid)
            break;
        i += n;
    }
    if (i == length)
        return STATUS_OK;
    *code = EXIT_BAD_DATA;
    return error_set(err, STATUS_FORMAT,
                     "%s is not UTF-8: byte %zu is 0x%02X; convert it, for "
                     "example with iconv",
                     shown, i + 1, (unsigned) (uint8_t) bytes[i]);
}

/* Text from a descriptor: UTF-8, without a byte order mark. */
static enum status
read_text(struct buffer *out, int descriptor, const char *shown, int *code,
          struct error *err)
{
    size_t mark = strlen(byte_order_mark);

    TRY(read_all(out, descriptor, shown, code, err));
    TRY(check_utf8(out->data, out->length, shown, code, err));
    if (out->length >= mark && memcmp(out->data, byte_order_mark, mark) == 0)
        buffer_drop(out, mark);
    return STATUS_OK;
}

enum status
question_read_file(struct buffer *out, const char *path, int *code,
                   struct error *err)
{
    char shown[QUOTED_BYTES];
    struct stat status;

    text_quote(shown, sizeof shown, path, strlen(path));
    *code = EXIT_NO_INPUT;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);

    if (descriptor < 0)
        return error_errno(err, "cannot read %s", shown);
    if (fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode)) {
        close(descriptor);
        return error_set(err, STATUS_IO, "cannot read %s: it is a directory",
                         shown);
    }
    enum status result = read_text(out, descriptor, shown, code, err);

    close(descriptor);
    return result;
}

static struct text
whole(const struct buffer *buffer)
{
    return (struct text){buffer->data ? buffer->data : "", buffer->length};
}

static enum status
append_files(struct buffer *out, const struct option_list *files,
             bool as_documents, int *code, struct error *err)
{
    struct buffer text = {0};
    enum status status = STATUS_OK;

    for (size_t i = 0; i < files->count && status == STATUS_OK; i++) {
        const char *path = files->items[i];
        char name[ATTACHMENT_NAME_BYTES];

        buffer_clear(&text);
        status = question_read_file(&text, path, code, err);
        if (status != STATUS_OK)
            break;
        attachment_name(name, path);
        if (as_documents)
            status = attachment_append(out, name, whole(&text), err);
        else
            status = buffer_append(out, text.data, text.length, err);
    }
    buffer_release(&text);
    return status;
}

/* Line feeds that end a typed or echoed text are not part of it. */
static void
trim_end(struct buffer *text)
{
    while (text->length > 0 && (text->data[text->length - 1] == '\n' ||
                                text->data[text->length - 1] == '\r'))
        text->data[--text->length] = '\0';
}

/*
 * A pipe or a file. Not a terminal or /dev/null, nor a socket, which programs
 * that start others often leave there and never write to.
 */
static bool
input_offers_text(const struct question_source *source)
{
    struct stat status;

    return !source->no_input && fstat(STDIN_FILENO, &status) == 0 &&
           (S_ISFIFO(status.st_mode) || S_ISREG(status.st_mode));
}

static enum status
check_not_empty(const struct buffer *question, int *code, struct error *err)
{
    size_t blank = question->length ? strspn(question->data, " \t\r\n") : 0;

    if (question->length > PROTOCOL_TEXT_BYTES) {
        *code = EXIT_BAD_DATA;
        return error_set(err, STATUS_LIMIT,
                         "the question with its files is longer than %d MiB",
                         PROTOCOL_TEXT_BYTES >> 20);
    }
    *code = EXIT_USAGE;
    if (blank == question->length)
        return error_set(err, STATUS_FORMAT, "the question is empty");
    return STATUS_OK;
}

static enum status
join(struct buffer *out, const struct question_source *source,
     struct buffer *input, int *code, struct error *err)
{
    const char *prompt = source->prompt;

    if (prompt && strcmp(prompt, "-") != 0) {
        TRY(check_utf8(prompt, strlen(prompt), "the question", code, err));
        TRY(append_files(out, source->files, true, code, err));
        if (input->length > 0)
            TRY(attachment_append(out, standard_input, whole(input), err));
        TRY(buffer_append(out, prompt, strlen(prompt), err));
    } else {
        trim_end(input);
        TRY(append_files(out, source->files, input->length > 0, code, err));
        TRY(buffer_append(out, input->data, input->length, err));
    }
    return check_not_empty(out, code, err);
}

enum status
question_read_input(struct buffer *out, const struct question_source *source,
                    int *code, struct error *err)
{
    *code = EXIT_USAGE;
    if (!source->prompt && !input_offers_text(source))
        return error_set(err, STATUS_FORMAT,
                         "there is no text: give it as an argument, or on "
                         "standard input with '-'");
    return read_text(out, STDIN_FILENO, standard_input, code, err);
}

enum status
question_read(struct buffer *out, const struct question_source *source,
              int *code, struct error *err)
{
    bool dash = source->prompt && strcmp(source->prompt, "-") == 0;
    struct buffer input = {0};

    *code = EXIT_USAGE;
    if (dash && source->no_input)
        return error_set(err, STATUS_FORMAT,
                         "'-' reads standard input, which --no-input forbids");
    bool reads = dash || input_offers_text(source);

    if (!source->prompt && !reads && source->files->count == 0)
        return error_set(err, STATUS_FORMAT,
                         "there is no question: give it as an argument, or on "
                         "standard input with '-'");
    enum status status = STATUS_OK;

    if (reads)
        status = read_text(&input, STDIN_FILENO, standard_input, code, err);
    if (status == STATUS_OK)
        status = join(out, source, &input, code, err);
    if (status == STATUS_NOMEM)
        *code = EXIT_UNAVAILABLE;
    buffer_release(&input);
    return status;
}
