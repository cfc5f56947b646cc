/*
 * Searching in the transcript. Matches are found in the sources, since most
 * items are never laid out; marks of Markdown between two characters and the
 * kind and number of blanks make no difference.
 */
#include "config.h"

#include "ui/views/transcript_parts.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum {
    FIRST_MATCHES = 64,
    MOST_MATCHES = 100000,
    JOINED_BYTES = 4096,
    NEAR_LINES = 4, // how far a line may be from where its source says
};

static bool
is_blank(uint32_t c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static bool
is_mark(uint32_t c)
{
    return c == '*' || c == '_' || c == '`' || c == '~';
}

static bool
same_character(const struct transcript_hunt *hunt, uint32_t needle, uint32_t c)
{
    if (needle == c || (is_blank(needle) && is_blank(c)))
        return true;
    if (hunt->exact)
        return false;
    return (uint32_t) utf8proc_tolower((utf8proc_int32_t) c) == needle;
}

size_t
transcript_match_at(const struct transcript_hunt *hunt, const char *text,
                    size_t length, bool source)
{
    const char *needle = hunt->needle.data;
    size_t at = 0, from = 0;

    while (from < hunt->needle.length) {
        uint32_t want, have;
        bool valid;

        if (at >= length)
            return 0;
        size_t taken =
            utf8_next(needle + from, hunt->needle.length - from, &want, &valid);
        size_t n = utf8_next(text + at, length - at, &have, &valid);

        if (!same_character(hunt, want, have)) {
            bool passes =
                from > 0 &&
                ((source && is_mark(have)) ||
                 (is_blank(have) && is_blank((unsigned char) text[at - 1])));

            if (!passes)
                return 0;
            at += n;
            continue;
        }
        at += n;
        from += taken;
    }
    return at;
}

static enum status
keep_match(struct transcript_hunt *hunt, struct transcript_match match,
           struct error *err)
{
    if (hunt->count == hunt->capacity) {
        size_t capacity = hunt->capacity ? 2 * hunt->capacity : FIRST_MATCHES;
        void *matches;

        TRY(memory_alloc(&matches, capacity * sizeof *hunt->matches, err));
        if (hunt->count > 0)
            memcpy(matches, hunt->matches, hunt->count * sizeof match);
        free(hunt->matches);
        hunt->matches = matches;
        hunt->capacity = capacity;
    }
    hunt->matches[hunt->count++] = match;
    return STATUS_OK;
}

/* Whether a match could begin with this byte: a quick no for most. */
struct beginnings {
    bool may[256];
};

static void
find_beginnings(const struct transcript_hunt *hunt, struct beginnings *out)
{
    unsigned char first = (unsigned char) hunt->needle.data[0];

    memset(out, 0, sizeof *out);
    out->may[first] = true;
    if (first >= 'a' && first <= 'z' && !hunt->exact)
        out->may[first - 'a' + 'A'] = true;
    if (is_blank(first))
        out->may[' '] = out->may['\n'] = out->may['\t'] = true;
    // a capital may have another length in UTF-8
    for (int i = 0x80; i < 0x100 && !hunt->exact; i++)
        out->may[i] = true;
}

static size_t
run_length(const char *text, size_t length, bool (*is)(uint32_t))
{
    size_t at = 0;

    while (at < length && is((unsigned char) text[at]))
        at++;
    return at;
}

/*
 * Bytes in which no match begins after none began with the first of them. In a
 * run of blanks or marks each later one would go on in the same way, since
 * what of the run is not wanted is passed over; only so a long run is looked
 * through once and not from each of its bytes. A run that has not all the
 * blanks that are wanted could have them behind marks.
 */
static size_t
hopeless(const struct transcript_hunt *hunt, const char *text, size_t length)
{
    size_t marks = run_length(text, length, is_mark);
    size_t blanks = run_length(text, length, is_blank);
    size_t wanted =
        run_length(hunt->needle.data, hunt->needle.length, is_blank);

    if (wanted > 0 && blanks >= wanted)
        return blanks - wanted + 1;
    return marks > 0 ? marks : 1;
}

static enum status
search_piece(struct transcript *transcript, size_t item,
             enum transcript_part part, const struct beginnings *beginnings,
             struct error *err)
{
    const struct document *document =
        transcript->items[item].pieces[part].document;
    struct transcript_hunt *hunt = &transcript->hunt;

    if (!document)
        return STATUS_OK;
    const struct buffer *text = document_source(document);

    for (size_t at = 0; at < text->length && hunt->count < MOST_MATCHES;) {
        const char *rest = text->data + at;
        size_t left = text->length - at;

        if (!beginnings->may[(unsigned char) *rest]) {
            at++;
            continue;
        }
        size_t length = transcript_match_at(hunt, rest, left, true);

        if (length > 0)
            TRY(keep_match(hunt, (struct transcript_match){item, at, part},
                           err));
        at += length > 0 ? length : hopeless(hunt, rest, left);
    }
    return STATUS_OK;
}

static enum status
search_items(struct transcript *transcript, struct error *err)
{
    struct beginnings beginnings;

    find_beginnings(&transcript->hunt, &beginnings);
    for (size_t i = 0; i < transcript->count; i++) {
        if (transcript->hunt.thoughts)
            TRY(search_piece(transcript, i, TRANSCRIPT_THOUGHT, &beginnings,
                             err));
        TRY(search_piece(transcript, i, TRANSCRIPT_TEXT, &beginnings, err));
    }
    return STATUS_OK;
}

static bool
match_before(const struct transcript_match *a, const struct transcript_match *b)
{
    if (a->item != b->item)
        return a->item < b->item;
    return a->part != b->part ? a->part < b->part : a->source < b->source;
}

/* The match that was at hand; else the last one before it, or the first. */
static size_t
number_of(const struct transcript_hunt *hunt,
          const struct transcript_match *match)
{
    size_t number = 0;

    while (number < hunt->count && !match_before(match, &hunt->matches[number]))
        number++;
    return number == 0 && hunt->count > 0 ? 1 : number;
}

/* All matches anew, where the text is another since they were counted. */
static enum status
count_matches(struct transcript *transcript, struct error *err)
{
    struct transcript_hunt *hunt = &transcript->hunt;
    bool some = hunt->at > 0 && hunt->at <= hunt->count;
    struct transcript_match match = {0};

    if (hunt->version == transcript->version &&
        hunt->thoughts == transcript->style.thoughts)
        return STATUS_OK;
    if (some)
        match = hunt->matches[hunt->at - 1];
    hunt->count = 0;
    hunt->version = 0;
    hunt->thoughts = transcript->style.thoughts;
    TRY(search_items(transcript, err));
    if (some)
        hunt->at = number_of(hunt, &match);
    hunt->version = transcript->version;
    return STATUS_OK;
}

enum status
transcript_recount(struct transcript *transcript, struct error *err)
{
    const struct transcript_hunt *hunt = &transcript->hunt;

    if (hunt->needle.length == 0 ||
        hunt->thoughts == transcript->style.thoughts)
        return STATUS_OK;
    return count_matches(transcript, err);
}

void
transcript_hunt_cut(struct transcript_hunt *hunt, size_t item)
{
    while (hunt->count > 0 && hunt->matches[hunt->count - 1].item >= item)
        hunt->count--;
    if (hunt->at > hunt->count)
        hunt->at = hunt->count;
}

void
transcript_hunt_release(struct transcript_hunt *hunt)
{
    buffer_release(&hunt->needle);
    free(hunt->matches);
    *hunt = (struct transcript_hunt){0};
}

/* A line with what is before and behind it where text was broken there. */
struct joined {
    char text[JOINED_BYTES];
    size_t length;
    size_t begin, end; // of the line itself
};

static void
join(struct joined *joined, const struct document_line *line, bool blank)
{
    if (line->length + 1 > sizeof joined->text - joined->length)
        return;
    if (blank)
        joined->text[joined->length++] = ' ';
    if (line->length > 0)
        memcpy(joined->text + joined->length, line->text, line->length);
    joined->length += line->length;
}

static void
join_around(struct joined *joined, const struct document *document,
            size_t index)
{
    struct document_line line = document_line(document, index);

    joined->length = 0;
    if (line.continues && index > 0) {
        struct document_line before = document_line(document, index - 1);

        join(joined, &before, false);
    }
    bool gap = line.continues && line.blank && joined->length > 0;

    joined->begin = joined->length + gap;
    join(joined, &line, gap);
    joined->end = joined->length;
    if (index + 1 < document_lines(document)) {
        struct document_line after = document_line(document, index + 1);

        if (after.continues)
            join(joined, &after, after.blank);
    }
}

bool
transcript_line_match(const struct transcript_hunt *hunt,
                      const struct document *document, size_t index,
                      size_t *begin, size_t *end)
{
    struct joined joined;

    if (hunt->needle.length == 0)
        return false;
    join_around(&joined, document, index);
    // a match may begin in the line before
    for (size_t at = *end > 0 ? joined.begin + *end : 0; at < joined.end;) {
        size_t length = transcript_match_at(hunt, joined.text + at,
                                            joined.length - at, false);
        size_t from = at > joined.begin ? at : joined.begin;
        size_t to = at + length < joined.end ? at + length : joined.end;

        // marks are not passed over here
        if (length == 0 && is_blank((unsigned char) joined.text[at]))
            at += hopeless(hunt, joined.text + at, joined.length - at);
        else
            at += length > 0 ? length : 1;
        if (length == 0 || to <= from)
            continue;
        *begin = from - joined.begin;
        *end = to - joined.begin;
        return true;
    }
    return false;
}

static bool
line_has_match(const struct transcript *transcript,
               const struct document *document, size_t index)
{
    size_t begin, end = 0;

    return transcript_line_match(&transcript->hunt, document, index, &begin,
                                 &end);
}

/* The line that shows the match: sources say about where lines begin. */
static size_t
match_line(const struct transcript *transcript,
           const struct transcript_piece *piece, size_t source)
{
    size_t line = piece_line_at(piece, source);
    size_t lines = document_lines(piece->document);

    for (size_t far = 0; far <= NEAR_LINES; far++) {
        if (line >= far && line - far < lines &&
            line_has_match(transcript, piece->document, line - far))
            return line - far;
        if (line + far < lines &&
            line_has_match(transcript, piece->document, line + far))
            return line + far;
    }
    return line;
}

static enum transcript_section
match_section(const struct transcript_match *match)
{
    return match->part == TRANSCRIPT_THOUGHT ? SECTION_THOUGHT : SECTION_TEXT;
}

bool
transcript_is_match(const struct transcript *transcript, size_t item,
                    enum transcript_section section, size_t line)
{
    const struct transcript_hunt *hunt = &transcript->hunt;

    if (hunt->at == 0 || hunt->at > hunt->count)
        return false;
    const struct transcript_match *match = &hunt->matches[hunt->at - 1];

    return match->item == item && match_section(match) == section &&
           match_line(transcript, &transcript->items[item].pieces[match->part],
                      match->source) == line;
}

static size_t
section_rows(const struct transcript *transcript,
             const struct transcript_match *match)
{
    size_t rows[SECTIONS];

    transcript_sections(transcript, match->item, rows);
    return rows[match_section(match)];
}

/* Text may show nothing: a link's address that no link names. */
static struct transcript_spot
match_spot(const struct transcript *transcript,
           const struct transcript_match *match)
{
    const struct transcript_piece *piece =
        &transcript->items[match->item].pieces[match->part];
    bool shows = section_rows(transcript, match) > 0;
    size_t row = transcript_section_row(
        transcript, match->item, shows ? match_section(match) : SECTION_HEAD);

    if (shows)
        row += match_line(transcript, piece, match->source);
    return (struct transcript_spot){match->item, row};
}

static enum status
show_match(struct transcript *transcript, const struct transcript_match *match,
           struct error *err)
{
    bool folded = match->part == TRANSCRIPT_THOUGHT &&
                  section_rows(transcript, match) == 0;

    if (match->part == TRANSCRIPT_THOUGHT)
        transcript->items[match->item].folding = FOLDING_OPEN;
    TRY(transcript_layout_item(transcript, match->item, err));
    struct transcript_spot spot = match_spot(transcript, match);

    transcript->selected = TRANSCRIPT_NONE;
    transcript->selected_code = 0;
    // what unfolds moves what was in view
    if (folded || !transcript_in_view(transcript, spot))
        transcript_put_below_top(transcript, spot, transcript->rows / 3);
    return STATUS_OK;
}

/* The first match that is not before the view. */
static size_t
match_from_view(const struct transcript *transcript)
{
    const struct transcript_hunt *hunt = &transcript->hunt;
    size_t i = 0;

    while (i < hunt->count && hunt->matches[i].item < transcript->first.item)
        i++;
    return i < hunt->count ? i + 1 : 1;
}

enum status
transcript_search(struct transcript *transcript, const char *text,
                  size_t length, struct error *err)
{
    struct transcript_hunt *hunt = &transcript->hunt;

    buffer_clear(&hunt->needle);
    hunt->count = hunt->at = 0;
    hunt->version = 0;
    hunt->exact = false;
    TRY(buffer_append(&hunt->needle, text, length, err));
    for (size_t at = 0; at < length;) {
        uint32_t c;
        bool valid;

        at += utf8_next(text + at, length - at, &c, &valid);
        if ((uint32_t) utf8proc_tolower((utf8proc_int32_t) c) != c)
            hunt->exact = true;
    }
    if (length == 0)
        return STATUS_OK;
    TRY(count_matches(transcript, err));
    if (hunt->count == 0)
        return STATUS_OK;
    hunt->at = match_from_view(transcript);
    return show_match(transcript, &hunt->matches[hunt->at - 1], err);
}

bool
transcript_search_next(struct transcript *transcript, int direction)
{
    struct transcript_hunt *hunt = &transcript->hunt;
    struct error err = {0};

    if (hunt->needle.length == 0)
        return false;
    if (count_matches(transcript, &err) == STATUS_OK && hunt->count > 0) {
        if (hunt->at > hunt->count)
            hunt->at = hunt->count;
        if (direction > 0)
            hunt->at = hunt->at == hunt->count ? 1 : hunt->at + 1;
        else
            hunt->at = hunt->at <= 1 ? hunt->count : hunt->at - 1;
        if (show_match(transcript, &hunt->matches[hunt->at - 1], &err) ==
            STATUS_OK)
            return true;
    }
    transcript->failure = err;
    return false;
}

size_t
transcript_matches(const struct transcript *transcript, size_t *at)
{
    *at = transcript->hunt.at;
    return transcript->hunt.count;
}
