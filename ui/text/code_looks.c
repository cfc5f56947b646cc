/* A line from its left to its right, a token at a time. */
#include "config.h"

#include "ui/text/code_looks.h"

#include "ui/text/code_language.h"

#include <string.h>

enum {
    NAME_MOST = 24,      // bytes of a label, and of a word, that a list holds
    CHARACTER_MOST = 12, // between the quotes of '\u{10FFFF}'
    IN_TAG = 64,         // beside the span, in what is told as `inside`
};

struct pen {
    const struct code_language *language;
    const char *line;
    size_t length, at;
    const struct code_span *span; // that is open, or NULL
    bool in_tag;
    struct buffer *runs;
    size_t begin; // of this line's runs
    struct error *err;
};

/* -- labels ---------------------------------------------------------------- */

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

/* Whether a list has this name between its blanks. */
static bool
lists(const char *list, const char *name, size_t length, bool any_case)
{
    char wanted[NAME_MOST + 3] = " ";

    if (list == NULL || length == 0 || length > NAME_MOST)
        return false;
    for (size_t i = 0; i < length; i++)
        wanted[1 + i] = any_case ? lower(name[i]) : name[i];
    wanted[1 + length] = ' ';
    return strstr(list, wanted) != NULL;
}

const struct code_language *
code_language_find(const char *label, size_t length)
{
    static const char before[] = " \t{.", after[] = " \t{},:;";
    size_t begin = 0;

    while (begin < length && strchr(before, label[begin]) != NULL)
        begin++;
    size_t end = begin;

    while (end < length && strchr(after, label[end]) == NULL)
        end++;
    for (unsigned i = 0; i < code_language_count; i++)
        if (lists(code_languages[i].names, label + begin, end - begin, true))
            return &code_languages[i];
    return NULL;
}

/* -- tokens ---------------------------------------------------------------- */

/* The next bytes have this look; it joins the last run. */
static enum status
put(struct pen *pen, enum look look, size_t length)
{
    struct look_run run = {(uint32_t) length, look};

    pen->at += length;
    if (length == 0)
        return STATUS_OK;
    if (pen->runs->length > pen->begin) {
        void *end = pen->runs->data + pen->runs->length;
        struct look_run *last = (struct look_run *) end - 1;

        if (last->look == look) {
            last->length += run.length;
            return STATUS_OK;
        }
    }
    return buffer_append(pen->runs, &run, sizeof run, pen->err);
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
    return (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' ||
           (unsigned char) c >= 0x80;
}

static bool
is_of_word(const struct pen *pen, char c)
{
    const char *also = pen->language->also;

    return is_letter(c) || is_digit(c) ||
           (also != NULL && c != '\0' && strchr(also, c) != NULL);
}

static bool
is_here(const struct pen *pen, size_t at, const char *mark)
{
    size_t n = strlen(mark);

    return pen->length - at >= n && memcmp(pen->line + at, mark, n) == 0;
}

/* Bytes of a word from `at` on. */
static size_t
word_length(const struct pen *pen, size_t at)
{
    size_t end = at;

    while (end < pen->length && is_of_word(pen, pen->line[end]))
        end++;
    return end - at;
}

/* 'x', '\n': not a lifetime, nor an apostrophe. */
static bool
is_character(const struct pen *pen)
{
    size_t at = pen->at + 1;

    if (at >= pen->length)
        return false;
    if (pen->line[at] == '\\') {
        size_t left = pen->length - at;
        size_t n = left < CHARACTER_MOST ? left : CHARACTER_MOST;

        return n > 2 && memchr(pen->line + at + 2, '\'', n - 2) != NULL;
    }
    do
        at++;
    while (at < pen->length && ((unsigned char) pen->line[at] & 0xC0) == 0x80);
    return at < pen->length && pen->line[at] == '\'';
}

static bool
begins(const struct pen *pen, const struct code_span *span)
{
    bool starts = pen->at == 0 || is_blank(pen->line[pen->at - 1]);

    return is_here(pen, pen->at, span->open) &&
           (!(span->form & SPAN_AFTER_BLANK) || starts) &&
           (!(span->form & SPAN_CHARACTER) || is_character(pen)) &&
           !(span->form & SPAN_IN_TAG) == !pen->in_tag;
}

static const struct code_span *
find_span(const struct pen *pen)
{
    const struct code_span *span = pen->language->span;

    for (size_t i = 0; i < SPANS_MOST && span[i].open != NULL; i++)
        if (begins(pen, &span[i]))
            return &span[i];
    return NULL;
}

/* The rest of the span that is open, which begins `opened` bytes from here. */
static enum status
put_span(struct pen *pen, size_t opened)
{
    const struct code_span *span = pen->span;
    size_t at = pen->at + opened;

    while (span->close != NULL && at < pen->length) {
        if ((span->form & SPAN_ESCAPES) && pen->line[at] == '\\') {
            at += pen->length - at > 1 ? 2 : 1;
        } else if (is_here(pen, at, span->close)) {
            pen->span = NULL;
            return put(pen, span->look, at + strlen(span->close) - pen->at);
        } else {
            at++;
        }
    }
    if (span->close == NULL || !(span->form & SPAN_LINES))
        pen->span = NULL;
    return put(pen, span->look, pen->length - pen->at);
}

/* 10, 0x1F, 1.5e-3, 1'000, 12px; of 1..2 only the 1. */
static size_t
number_length(const struct pen *pen)
{
    const char *line = pen->line;
    size_t at = pen->at;

    for (; at < pen->length; at++) {
        bool more = at + 1 < pen->length;
        char c = line[at], next = more ? line[at + 1] : '\0';
        char before = at > pen->at ? lower(line[at - 1]) : '\0';

        if (c == '.' ? next == '.' || !more
                     : !is_digit(c) && !is_letter(c) &&
                           !(c == '\'' && is_digit(next)) &&
                           !((c == '-' || c == '+') && before == 'e' &&
                             is_digit(next)))
            break;
    }
    return at - pen->at;
}

static enum status
put_word(struct pen *pen)
{
    const struct code_language *language = pen->language;
    size_t n = word_length(pen, pen->at);
    bool known =
        lists(language->words, pen->line + pen->at, n, language->any_case);

    return put(pen, known ? LOOK_CODE_WORD : LOOK_CODE, n);
}

/* "#include", "@media", "\section": a mark with a word; its bytes, or 0. */
static size_t
marked_word(const struct pen *pen)
{
    const struct code_language *language = pen->language;
    char c = pen->line[pen->at];
    size_t at = pen->at + 1;

    if (!(c == '#' && language->directives) &&
        !(c == '@' && language->at_words) && !(c == '\\' && language->commands))
        return 0;
    while (c == '#' && at < pen->length && is_blank(pen->line[at]))
        at++;
    if (at == pen->length || !is_letter(pen->line[at]))
        return 0;
    return at + word_length(pen, at) - pen->at;
}

/* The marks of a tag, and its name; false: this is no such place. */
static bool
put_tag(struct pen *pen, enum status *status)
{
    char c = pen->line[pen->at];

    if (pen->in_tag) {
        pen->in_tag = c != '>';
        if (c == '>')
            *status = put(pen, LOOK_CODE_WORD, 1);
        return c == '>';
    }
    size_t at = pen->at + 1;

    if (c != '<' || at == pen->length)
        return false;
    if (pen->line[at] == '/')
        at++;
    if (at == pen->length || !(is_letter(pen->line[at]) ||
                               pen->line[at] == '!' || pen->line[at] == '?'))
        return false;
    pen->in_tag = true;
    *status = put(pen, LOOK_CODE_WORD, at + word_length(pen, at) - pen->at);
    return true;
}

static enum status
put_token(struct pen *pen)
{
    char c = pen->line[pen->at];
    enum status status = STATUS_OK;

    pen->span = find_span(pen);
    if (pen->span != NULL)
        return put_span(pen, strlen(pen->span->open));
    if (pen->language->tags) {
        if (put_tag(pen, &status))
            return status;
        return is_of_word(pen, c) ? put_word(pen) : put(pen, LOOK_CODE, 1);
    }
    size_t marked = marked_word(pen);

    if (marked > 0)
        return put(pen, LOOK_CODE_WORD, marked);
    if (is_digit(c))
        return put(pen, LOOK_CODE_NUMBER, number_length(pen));
    return is_of_word(pen, c) ? put_word(pen) : put(pen, LOOK_CODE, 1);
}

/* -- what begins a line ---------------------------------------------------- */

static enum look
change_look(const char *line, size_t length)
{
    if (length > 0 && line[0] == '+')
        return LOOK_GOOD;
    if (length > 0 && line[0] == '-')
        return LOOK_WARNING;
    return length > 0 && line[0] == '@' ? LOOK_CODE_WORD : LOOK_CODE;
}

static size_t
skip_blanks(const struct pen *pen, size_t at)
{
    while (at < pen->length && is_blank(pen->line[at]))
        at++;
    return at;
}

/* "- key: value" */
static enum status
put_key(struct pen *pen)
{
    size_t at = skip_blanks(pen, 0);

    while (at + 1 < pen->length && pen->line[at] == '-' &&
           is_blank(pen->line[at + 1]))
        at = skip_blanks(pen, at + 1);
    size_t n = word_length(pen, at), end = at + n;
    bool ends = end + 1 == pen->length ||
                (end + 1 < pen->length && is_blank(pen->line[end + 1]));

    if (n == 0 || end == pen->length || pen->line[end] != ':' || !ends)
        return STATUS_OK;
    TRY(put(pen, LOOK_CODE, at));
    return put(pen, LOOK_CODE_WORD, n);
}

static enum status
put_section(struct pen *pen)
{
    size_t at = skip_blanks(pen, 0);
    const char *end = at < pen->length && pen->line[at] == '['
                          ? memrchr(pen->line, ']', pen->length)
                          : NULL;

    if (end == NULL)
        return STATUS_OK;
    return put(pen, LOOK_CODE_WORD, (size_t) (end - pen->line) + 1);
}

static enum status
put_beginning(struct pen *pen)
{
    if (pen->language->keys)
        return put_key(pen);
    if (pen->language->sections)
        return put_section(pen);
    return STATUS_OK;
}

enum status
code_looks(const struct code_language *language, unsigned *inside,
           const char *line, size_t length, struct buffer *runs,
           struct error *err)
{
    struct pen pen = {
        .language = language,
        .line = line,
        .length = length,
        .in_tag = (*inside & IN_TAG) != 0,
        .runs = runs,
        .begin = runs->length,
        .err = err,
    };
    unsigned open = *inside & (IN_TAG - 1);

    if (language->changes)
        return put(&pen, change_look(line, length), length);
    if (open > 0) {
        pen.span = &language->span[open - 1];
        TRY(put_span(&pen, 0));
    } else {
        TRY(put_beginning(&pen));
    }
    while (pen.at < length)
        TRY(put_token(&pen));
    *inside =
        (pen.span != NULL ? (unsigned) (pen.span - language->span) + 1 : 0) |
        (pen.in_tag ? IN_TAG : 0);
    return STATUS_OK;
}
