/*
 * Any bytes as a document, of either kind, in any width, in pieces cut
 * anywhere and laid out in between: in the end the same lines as the whole at
 * once; every line fits; its looks add up; nothing in it that a terminal acts
 * upon; what was closed stays. The first bytes say how.
 */
#include "config.h"

#include "ui/ui.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { LAYOUTS_MOST = 300 };

static void
must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "document: %s\n", what);
    abort();
}

static struct document *
opened(enum document_kind kind)
{
    struct document *document;
    struct error err;

    must(document_open(&document, kind, &err) == STATUS_OK, "opens");
    return document;
}

static void
lay_out(struct document *document, unsigned columns)
{
    struct error err;

    must(document_layout(document, columns, &err) == STATUS_OK, "is laid out");
}

static bool
is_safe(const char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        uint32_t c;
        bool valid;

        i += utf8_next(text + i, length - i, &c, &valid);
        if (!valid || c < 0x20 || sanitiser_is_command(c))
            return false;
    }
    return true;
}

static void
check_line(const struct document *document, size_t number, unsigned columns)
{
    struct document_line line = document_line(document, number);
    size_t bytes = 0, width = 0;

    for (size_t i = 0; i < line.run_count; i++) {
        must(line.runs[i].length > 0 && line.runs[i].look < LOOKS, "looks");
        must(line.runs[i].length <= line.length - bytes, "runs in the line");
        width += text_columns(line.text + bytes, line.runs[i].length);
        bytes += line.runs[i].length;
    }
    must(bytes == line.length, "runs add up to the line");
    must(width == line.columns, "columns are what they are");
    must(line.columns <= columns, "lines fit");
    must(is_safe(line.text, line.length), "lines are safe");
    must(line.source <= document_source(document)->length, "source is there");
    must(line.code <= document_code_count(document), "code is there");
}

static bool
same_line(const struct document *a, const struct document *b, size_t number)
{
    struct document_line one = document_line(a, number);
    struct document_line two = document_line(b, number);

    return one.length == two.length && one.code == two.code &&
           one.label == two.label && one.continues == two.continues &&
           one.blank == two.blank && one.source == two.source &&
           one.run_count == two.run_count &&
           memcmp(one.text, two.text, one.length) == 0 &&
           (one.run_count == 0 ||
            memcmp(one.runs, two.runs, one.run_count * sizeof *one.runs) == 0);
}

static void
compare(const struct document *a, const struct document *b)
{
    must(document_lines(a) == document_lines(b), "as many lines as the whole");
    for (size_t i = 0; i < document_lines(a); i++)
        must(same_line(a, b, i), "the lines of the whole");
    must(document_code_count(a) == document_code_count(b), "as many codes");
    for (size_t i = 1; i <= document_code_count(a); i++) {
        struct document_code one = document_code(a, i);
        struct document_code two = document_code(b, i);

        must(one.length == two.length && one.first_line == two.first_line &&
                 one.line_count == two.line_count && one.open == two.open &&
                 strcmp(one.label, two.label) == 0 &&
                 memcmp(one.text, two.text, one.length) == 0,
             "the code of the whole");
    }
}

/* Lines that were closed, told by their bytes and looks. */
static uint64_t
closed_hash(const struct document *document, size_t lines)
{
    uint64_t hash = 1469598103934665603u;

    for (size_t i = 0; i < lines; i++) {
        struct document_line line = document_line(document, i);

        for (size_t k = 0; k < line.length; k++)
            hash = (hash ^ (uint8_t) line.text[k]) * 1099511628211u;
        for (size_t k = 0; k < line.run_count; k++)
            hash = (hash ^ (line.runs[k].length << 5 | line.runs[k].look)) *
                   1099511628211u;
        hash = (hash ^ 10) * 1099511628211u;
    }
    return hash;
}

static void
stream(struct document *document, const char *text, size_t length, size_t step,
       unsigned columns)
{
    size_t layouts = 0, closed = 0;
    uint64_t hash = closed_hash(document, 0);
    struct error err;

    for (size_t i = 0; i < length; i += step) {
        size_t n = length - i < step ? length - i : step;

        must(document_append(document, text + i, n, &err) == STATUS_OK, "adds");
        if (layouts++ >= LAYOUTS_MOST && length - i > step)
            continue;
        lay_out(document, columns);
        must(document_closed_lines(document) >= closed, "closed lines remain");
        must(closed_hash(document, closed) == hash, "closed lines stay");
        closed = document_closed_lines(document);
        hash = closed_hash(document, closed);
        for (size_t k = closed; k < document_lines(document); k++)
            check_line(document, k, columns);
    }
    must(document_finish(document, &err) == STATUS_OK, "ends");
    lay_out(document, columns);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct error err;

    if (length < 3)
        return 0;
    setlocale(LC_ALL, "C.UTF-8");
    text_width_start((bytes[0] & 2) == 0, bytes[0] & 4 ? 2 : 1);
    const char *text = (const char *) bytes + 3;
    enum document_kind kind = bytes[0] & 1 ? DOCUMENT_PLAIN : DOCUMENT_MARKDOWN;
    unsigned columns = 10 + bytes[1] % 120;
    struct document *whole = opened(kind), *cut = opened(kind);

    length -= 3;
    must(document_append(whole, text, length, &err) == STATUS_OK, "adds");
    must(document_finish(whole, &err) == STATUS_OK, "ends");
    lay_out(whole, columns);
    for (size_t i = 0; i < document_lines(whole); i++)
        check_line(whole, i, columns);
    stream(cut, text, length, 1 + bytes[2] % 64, columns);
    compare(whole, cut);
    // another width and back
    lay_out(cut, columns + 7);
    lay_out(cut, columns);
    compare(whole, cut);
    document_close(whole);
    document_close(cut);
    return 0;
}
