/* The rows of an item: what they show, and how many there are. */
#include "config.h"

#include "ui/views/transcript_parts.h"

enum {
    TEXT_INDENT = 3,
    NOTE_INDENT = 2,    // " ["
    THOUGHT_INDENT = 4, // " :  "
    LEAST_COLUMNS = 10, // of a document
    LEAST_TAIL = 2,
};

enum status
piece_layout(struct transcript_piece *piece, unsigned columns,
             struct error *err)
{
    if (!piece->document || piece->columns == columns)
        return STATUS_OK;
    piece->columns = 0;
    TRY(document_layout(piece->document, columns, err));
    piece->columns = columns;
    return STATUS_OK;
}

size_t
piece_lines(const struct transcript_piece *piece, unsigned columns)
{
    if (!piece->document)
        return 0;
    if (piece->columns == columns)
        return document_lines(piece->document);
    return piece->breaks + 1 +
           document_source(piece->document)->length / columns;
}

/* The first line for which `source` or a later byte is the beginning. */
static size_t
first_line_from(const struct document *document, size_t source)
{
    size_t low = 0, high = document_lines(document);

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (document_line(document, middle).source < source)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t
piece_line_at(const struct transcript_piece *piece, size_t source)
{
    size_t lines = document_lines(piece->document);
    size_t line = first_line_from(piece->document, source);

    if (line < lines && document_line(piece->document, line).source == source)
        return line;
    return line > 0 ? line - 1 : 0;
}

void
piece_anchor(const struct transcript_piece *piece, size_t line,
             struct transcript_anchor *anchor)
{
    if (piece->columns == 0 || line >= document_lines(piece->document))
        return;
    anchor->source = document_line(piece->document, line).source;
    anchor->skip = line - piece_line_at(piece, anchor->source);
}

/* Lines that begin at one byte are told apart by their number. */
size_t
piece_anchored_line(const struct transcript_piece *piece,
                    const struct transcript_anchor *anchor)
{
    size_t line = piece_line_at(piece, anchor->source);
    size_t lines = document_lines(piece->document);

    for (size_t skip = anchor->skip; skip > 0 && line + 1 < lines; skip--) {
        if (document_line(piece->document, line + 1).source != anchor->source)
            break;
        line++;
    }
    return line;
}

unsigned
transcript_indent(const struct transcript *transcript,
                  enum transcript_section section)
{
    if (!transcript->style.chrome)
        return 0;
    return section == SECTION_THOUGHT || section == SECTION_TAIL
               ? THOUGHT_INDENT
               : TEXT_INDENT;
}

unsigned
transcript_text_columns(const struct transcript *transcript, size_t item,
                        enum transcript_part part)
{
    unsigned taken = transcript->style.margin +
                     transcript_indent(transcript, part == TRANSCRIPT_THOUGHT
                                                       ? SECTION_THOUGHT
                                                       : SECTION_TEXT);

    // the brackets of a note stand in what else is the indent
    if (!transcript->style.chrome &&
        transcript->items[item].kind == TRANSCRIPT_NOTE)
        taken += 2;
    return transcript->columns > taken + LEAST_COLUMNS
               ? transcript->columns - taken
               : LEAST_COLUMNS;
}

/* How a thought shows: not, as its last lines, or whole. */
static enum transcript_section
thought_section(const struct transcript *transcript,
                const struct transcript_item *item)
{
    if (!transcript->style.thoughts ||
        !item->pieces[TRANSCRIPT_THOUGHT].document ||
        item->folding == FOLDING_SHUT)
        return SECTIONS;
    if (item->folding == FOLDING_OPEN || item->held)
        return SECTION_THOUGHT;
    if (!item->thinking)
        return SECTIONS;
    return transcript->follows ? SECTION_TAIL : SECTION_THOUGHT;
}

enum status
transcript_layout_item(struct transcript *transcript, size_t number,
                       struct error *err)
{
    struct transcript_item *item = &transcript->items[number];

    if (thought_section(transcript, item) != SECTIONS)
        TRY(piece_layout(
            &item->pieces[TRANSCRIPT_THOUGHT],
            transcript_text_columns(transcript, number, TRANSCRIPT_THOUGHT),
            err));
    return piece_layout(
        &item->pieces[TRANSCRIPT_TEXT],
        transcript_text_columns(transcript, number, TRANSCRIPT_TEXT), err);
}

static bool
has_gap(const struct transcript *transcript, size_t number)
{
    return number > 0 &&
           (transcript->items[number].kind != TRANSCRIPT_NOTE ||
            transcript->items[number - 1].kind != TRANSCRIPT_NOTE);
}

void
transcript_sections(const struct transcript *transcript, size_t number,
                    size_t rows[SECTIONS])
{
    const struct transcript_item *item = &transcript->items[number];
    enum transcript_section thought = thought_section(transcript, item);

    for (int i = 0; i < SECTIONS; i++)
        rows[i] = 0;
    rows[SECTION_GAP] = has_gap(transcript, number);
    rows[SECTION_HEAD] = transcript_is_turn(transcript, number);
    rows[SECTION_TEXT] = piece_lines(
        &item->pieces[TRANSCRIPT_TEXT],
        transcript_text_columns(transcript, number, TRANSCRIPT_TEXT));
    if (thought == SECTION_TAIL)
        rows[SECTION_TAIL] = transcript->style.tail_rows < LEAST_TAIL
                                 ? LEAST_TAIL
                                 : transcript->style.tail_rows;
    if (thought == SECTION_THOUGHT)
        rows[SECTION_THOUGHT] = piece_lines(
            &item->pieces[TRANSCRIPT_THOUGHT],
            transcript_text_columns(transcript, number, TRANSCRIPT_THOUGHT));
    rows[SECTION_BREAK] = rows[SECTION_THOUGHT] > 0 && rows[SECTION_TEXT] > 0;
}

size_t
transcript_item_rows(const struct transcript *transcript, size_t item)
{
    return transcript_section_row(transcript, item, SECTIONS);
}

size_t
transcript_section_row(const struct transcript *transcript, size_t item,
                       enum transcript_section section)
{
    size_t rows[SECTIONS], sum = 0;

    transcript_sections(transcript, item, rows);
    for (int i = 0; i < (int) section; i++)
        sum += rows[i];
    return sum;
}

enum transcript_section
transcript_section_at(const struct transcript *transcript, size_t item,
                      size_t row, size_t *number)
{
    size_t rows[SECTIONS];

    transcript_sections(transcript, item, rows);
    *number = row;
    for (int i = 0; i < SECTIONS; i++) {
        if (*number < rows[i])
            return (enum transcript_section) i;
        *number -= rows[i];
    }
    return SECTIONS;
}

struct transcript_piece *
transcript_piece_of(struct transcript *transcript, size_t item,
                    enum transcript_section section)
{
    struct transcript_piece *pieces = transcript->items[item].pieces;

    if (section == SECTION_TEXT)
        return &pieces[TRANSCRIPT_TEXT];
    if (section == SECTION_THOUGHT || section == SECTION_TAIL)
        return &pieces[TRANSCRIPT_THOUGHT];
    return NULL;
}
