/* One pass over the block, past code, fences and what is escaped. */
#include "config.h"

#include "ui/text/formula.h"

#include <ctype.h>
#include <string.h>

enum {
    TICKS_MOST = 64,    // longer runs of ` never are code
    INLINE_MOST = 1000, // bytes of a formula in a line
    NIBBLES = 4,
    FENCE_MARKS = 3,
};

struct search {
    const char *bytes;
    size_t length, at;
    size_t copied; // everything before is in the text
    enum formula_reach reach;
    bool quoted; // the line at hand is of a quote
    bool ticked; // it would be a fence, were no ` behind
    // the last item: what its marker ends with, or NUL; blanks before it
    char family;
    size_t indent;
    // the fence of a list's item or of a quote that is open
    char fence;
    size_t fence_marks;
    size_t last_ticks[TICKS_MOST + 1]; // where the last such run begins
    bool ticks_known;
    struct formulas *out;
};

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

static bool
is_word(char c)
{
    return isalnum((unsigned char) c) || (unsigned char) c >= 0x80;
}

static size_t
run_of(const struct search *s, size_t at)
{
    size_t n = 1;

    while (at + n < s->length && s->bytes[at + n] == s->bytes[at])
        n++;
    return n;
}

/* Bytes of a bullet or number at the start of an item; 0: there is none. */
static size_t
item_marker(const struct search *s, size_t at)
{
    size_t n = 0;

    while (at + n < s->length && isdigit((unsigned char) s->bytes[at + n]))
        n++;
    if (at + n + 1 >= s->length ||
        (s->bytes[at + n + 1] != ' ' && s->bytes[at + n + 1] != '\t'))
        return 0;
    return strchr(n > 0 ? ".)" : "-*+", s->bytes[at + n]) != NULL ? n + 1 : 0;
}

static size_t
past_quotes(const struct search *s, size_t at)
{
    while (at < s->length &&
           (s->bytes[at] == ' ' || s->bytes[at] == '\t' || s->bytes[at] == '>'))
        at++;
    return at;
}

/* Past what marks items and quotes at the start of a line. */
static size_t
past_markers(const struct search *s, size_t at)
{
    while (at < s->length) {
        char c = s->bytes[at];
        size_t n = c == ' ' || c == '\t' || c == '>' ? 1 : item_marker(s, at);

        if (n == 0)
            break;
        at += n;
    }
    return at;
}

static size_t
line_end(const struct search *s, size_t at)
{
    const char *newline = memchr(s->bytes + at, '\n', s->length - at);

    return newline ? (size_t) (newline - s->bytes) + 1 : s->length;
}

/* Marks of a fence that begins here; 0: none does. */
static size_t
fence_begin(const struct search *s, size_t at)
{
    char c = at < s->length ? s->bytes[at] : '\0';
    size_t marks = c == '`' || c == '~' ? run_of(s, at) : 0;

    if (marks < FENCE_MARKS)
        return 0;
    // else it is code in a line
    at += marks;
    return c == '~' || memchr(s->bytes + at, '`', line_end(s, at) - at) == NULL
               ? marks
               : 0;
}

/* Does the line at s->at end the fence? In code, items have no markers. */
static bool
ends_fence(const struct search *s)
{
    size_t at = past_quotes(s, s->at), end = line_end(s, s->at);

    if (at >= end || s->bytes[at] != s->fence)
        return false;
    size_t marks = run_of(s, at);

    for (at += marks; at < end; at++)
        if (!is_blank(s->bytes[at]))
            return false;
    return marks >= s->fence_marks;
}

/* What is to be known of the line at hand, whose markers end at `at`. */
static void
read_line(struct search *s, size_t at)
{
    size_t item = past_quotes(s, s->at);
    size_t marker = item_marker(s, item);

    s->quoted = memchr(s->bytes + s->at, '>', at - s->at) != NULL;
    s->ticked =
        at < s->length && s->bytes[at] == '`' && run_of(s, at) >= FENCE_MARKS;
    if (marker > 0 || item - s->at <= s->indent) {
        s->indent = item - s->at;
        s->family = marker > 0 ? s->bytes[item + marker - 1] : '\0';
    }
}

/* At the start of a line: is it of a block of code? Passes it then. */
static bool
pass_code_line(struct search *s)
{
    size_t at = past_markers(s, s->at);

    read_line(s, at);
    if (s->fence != '\0') {
        if (ends_fence(s))
            s->fence = '\0';
    } else {
        s->fence_marks = fence_begin(s, at);
        if (s->fence_marks == 0)
            return false;
        s->fence = s->bytes[at];
    }
    s->at = line_end(s, s->at);
    return true;
}

static void
find_last_ticks(struct search *s)
{
    s->ticks_known = true;
    for (size_t i = 0; i < s->length;) {
        size_t n = s->bytes[i] == '`' ? run_of(s, i) : 1;

        if (s->bytes[i] == '`' && n <= TICKS_MOST)
            s->last_ticks[n] = i;
        i += n;
    }
}

/* Do the ` that begin here have a counterpart? */
static bool
opens_code(struct search *s, size_t at)
{
    size_t n = run_of(s, at);

    if (!s->ticks_known)
        find_last_ticks(s);
    return n <= TICKS_MOST && s->last_ticks[n] >= at + n;
}

/* At a `: passes it, or the code that it opens. */
static void
pass_ticks(struct search *s)
{
    size_t n = run_of(s, s->at), from = s->at + n;
    bool opens = opens_code(s, s->at);

    s->at = from;
    if (!opens)
        return;
    for (size_t i = from; i < s->length;) {
        size_t run = s->bytes[i] == '`' ? run_of(s, i) : 1;

        if (s->bytes[i] == '`' && run == n) {
            s->at = i + run;
            return;
        }
        i += run;
    }
}

void
formulas_disarm(char *bytes, size_t length)
{
    char *end = bytes + length, *found;

    while ((found = memmem(bytes, (size_t) (end - bytes), FORMULA_BEGIN, 3))) {
        memcpy(found, "\xEF\xBF\xBD", 3);
        bytes = found + 3;
    }
}

static enum status
copy_to(struct search *s, size_t end, struct error *err)
{
    struct buffer *text = &s->out->text;
    size_t length = end - s->copied;

    TRY(offset_map_add(&s->out->origin, text->length, s->copied, err));
    TRY(buffer_append(text, s->bytes + s->copied, length, err));
    if (length > 0)
        formulas_disarm(text->data + text->length - length, length);
    s->copied = end;
    return STATUS_OK;
}

static size_t
formula_count(const struct formulas *formulas)
{
    return formulas->list.length / sizeof(struct formula);
}

/* Puts a placeholder for the bytes from s->at to `end`. */
static enum status
put_formula(struct search *s, size_t end, enum formula_kind kind,
            size_t opening, size_t closing, struct error *err)
{
    size_t number = formula_count(s->out);
    struct formula formula = {
        .kind = kind,
        .typed = s->bytes + s->at,
        .typed_length = end - s->at,
        .text = s->bytes + s->at + opening,
        .length = end - s->at - opening - closing,
    };

    TRY(copy_to(s, s->at, err));
    TRY(buffer_append(&s->out->list, &formula, sizeof formula, err));
    TRY(buffer_append(&s->out->text, FORMULA_BEGIN, 3, err));
    for (unsigned i = 0; i < NIBBLES; i++) {
        char digit[4];
        size_t n =
            utf8_write(digit, 0xFDE0 + (uint32_t) (number >> (4 * i) & 15));

        TRY(buffer_append(&s->out->text, digit, n, err));
    }
    s->at = s->copied = end;
    return STATUS_OK;
}

/* Is there a blank line, or a fence, behind this newline? */
static bool
ends_paragraph(const struct search *s, size_t at)
{
    size_t text = at + 1;

    while (text < s->length &&
           (s->bytes[text] == ' ' || s->bytes[text] == '\t' ||
            (s->quoted && s->bytes[text] == '>')))
        text++;
    return text >= s->length || s->bytes[text] == '\n' ||
           fence_begin(s, past_markers(s, at + 1)) > 0;
}

/* Does the next item of a list begin behind this newline? */
static bool
begins_brother(const struct search *s, size_t at)
{
    size_t item = past_quotes(s, at + 1);
    size_t marker = item_marker(s, item);

    return marker > 0 && s->bytes[item + marker - 1] == s->family &&
           item - at - 1 <= s->indent;
}

/* Whether no formula goes on beyond this place: a line's end, or code. */
static bool
ends_formula(struct search *s, size_t at)
{
    char c = s->bytes[at];

    return (c == '\n' && (s->reach != REACH_PARAGRAPH ||
                          ends_paragraph(s, at) || begins_brother(s, at))) ||
           (c == '`' && (s->ticked || opens_code(s, at)));
}

/*
 * The place behind the closing pair ("$$", "\]" or "\)"), 0 if there is none
 * in this paragraph, or the same is opened before.
 */
static size_t
find_pair(struct search *s, char first, char last, char opening)
{
    for (size_t i = s->at + 2; i + 1 < s->length; i++) {
        char c = s->bytes[i], next = s->bytes[i + 1];

        if (c == first && next == last)
            return i + 2;
        if (ends_formula(s, i) ||
            (c == '\\' && first == '\\' && next == opening))
            return 0;
        if (c == '\\' && next != '\n')
            i++;
        else if (c == '`')
            i += run_of(s, i) - 1;
    }
    return 0;
}

/*
 * "5 and 6", "USER and": amounts of money or names between two signs. "5x",
 * "2 \pi" and "a b" are formulas.
 */
static bool
reads_as_words(const char *text, size_t length)
{
    bool number = isdigit((unsigned char) text[0]) != 0;
    bool word = false, blank = false;
    size_t letters = 0;

    for (size_t i = 0; i < length; i++) {
        bool letter = is_word(text[i]) && !isdigit((unsigned char) text[i]);

        if (memchr("\\^_{=", text[i], 5) != NULL ||
            (!number && memchr("+-*/<>|()", text[i], 9) != NULL))
            return false;
        letters = letter ? letters + 1 : 0;
        word = word || letters >= 2;
        blank = blank || is_blank(text[i]);
    }
    return word && (number || blank);
}

/* $...$: as in other programs, blanks inside and digits behind forbid it. */
static size_t
find_dollar(struct search *s)
{
    const char *bytes = s->bytes;
    size_t from = s->at + 1, i;

    if (from >= s->length || is_blank(bytes[from]) ||
        (s->at > 0 && is_word(bytes[s->at - 1])))
        return 0;
    for (i = from; i < s->length && bytes[i] != '$'; i++) {
        if (ends_formula(s, i) || i - from > INLINE_MOST)
            return 0;
        // nor does it go on in another item
        if (bytes[i] == '\n' && item_marker(s, past_quotes(s, i + 1)) > 0)
            return 0;
        if (s->reach == REACH_CELL && bytes[i] == '|' && is_blank(bytes[i - 1]))
            return 0;
        if (bytes[i] == '\\' && i + 1 < s->length && bytes[i + 1] != '\n')
            i++;
        else if (bytes[i] == '`')
            i += run_of(s, i) - 1;
    }
    if (i >= s->length || i == from || is_blank(bytes[i - 1]) ||
        (i + 1 < s->length && is_word(bytes[i + 1])) ||
        reads_as_words(bytes + from, i - from))
        return 0;
    return i + 1;
}

static enum status
try_dollar(struct search *s, struct error *err)
{
    bool two = s->at + 1 < s->length && s->bytes[s->at + 1] == '$';
    size_t end = two ? find_pair(s, '$', '$', '$') : find_dollar(s);

    if (two && end > s->at + 4)
        return put_formula(s, end, FORMULA_DISPLAY, 2, 2, err);
    if (!two && end > 0)
        return put_formula(s, end, FORMULA_INLINE, 1, 1, err);
    s->at += two ? 2 : 1;
    return STATUS_OK;
}

static enum status
try_backslash(struct search *s, struct error *err)
{
    char next = s->at + 1 < s->length ? s->bytes[s->at + 1] : '\0';
    size_t end = 0;

    if (next == '(')
        end = find_pair(s, '\\', ')', '(');
    else if (next == '[')
        end = find_pair(s, '\\', ']', '[');
    if (end > s->at + 4)
        return put_formula(
            s, end, next == '(' ? FORMULA_INLINE : FORMULA_DISPLAY, 2, 2, err);
    s->at += next != '\0' && next != '\n' ? 2 : 1;
    return STATUS_OK;
}

/* "<br>", "<BR />" */
static enum status
try_break(struct search *s, struct error *err)
{
    size_t at = s->at + 1;

    if (at + 2 < s->length && (s->bytes[at] | 0x20) == 'b' &&
        (s->bytes[at + 1] | 0x20) == 'r') {
        at += 2;
        if (at < s->length && s->bytes[at] == ' ')
            at++;
        if (at < s->length && s->bytes[at] == '/')
            at++;
        if (at < s->length && s->bytes[at] == '>')
            return put_formula(s, at + 1, FORMULA_BREAK, 0, 0, err);
    }
    s->at++;
    return STATUS_OK;
}

static enum status
take_byte(struct search *s, struct error *err)
{
    switch (s->bytes[s->at]) {
    case '`':
        pass_ticks(s);
        return STATUS_OK;
    case '\\':
        return try_backslash(s, err);
    case '$':
        return try_dollar(s, err);
    case '<':
        return try_break(s, err);
    default:
        s->at++;
        return STATUS_OK;
    }
}

enum status
formulas_find(struct formulas *formulas, const char *block, size_t length,
              enum formula_reach reach, struct error *err)
{
    struct search s = {
        .bytes = block, .length = length, .reach = reach, .out = formulas};

    formulas_clear(formulas);
    while (s.at < length) {
        bool line_start = s.at == 0 || block[s.at - 1] == '\n';

        if (line_start && pass_code_line(&s))
            continue;
        TRY(take_byte(&s, err));
    }
    return copy_to(&s, length, err);
}

void
formulas_clear(struct formulas *formulas)
{
    formulas->list.length = 0;
    buffer_clear(&formulas->text);
    offset_map_clear(&formulas->origin);
}

void
formulas_release(struct formulas *formulas)
{
    buffer_release(&formulas->list);
    buffer_release(&formulas->text);
    offset_map_release(&formulas->origin);
}

const struct formula *
formulas_at(const struct formulas *formulas, const char *bytes, size_t length)
{
    const void *list = formulas->list.data;
    size_t number = 0;

    if (length < FORMULA_BYTES || memcmp(bytes, FORMULA_BEGIN, 3) != 0)
        return NULL;
    for (unsigned i = 0; i < NIBBLES; i++) {
        uint32_t c;
        bool valid;

        utf8_next(bytes + 3 + 3 * i, 3, &c, &valid);
        if (c < 0xFDE0 || c > 0xFDEF)
            return NULL;
        number |= (size_t) (c - 0xFDE0) << (4 * i);
    }
    return number < formula_count(formulas)
               ? (const struct formula *) list + number
               : NULL;
}
