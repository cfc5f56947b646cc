/*
 * PCRE2's interpreter: compiled machine code would need memory that is both
 * written and run. Its own limit of steps begins anew at each byte of a text,
 * so steps are counted by callouts, which come before every item.
 */
#include "config.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include "app/history/pattern.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEPS_LEAST = 1000000, // for any text
    STEPS_A_BYTE = 50,     // and for each byte of it
    HEAP_KIB = 16 * 1024,
    NESTING = 50,
    REASON = 120,
};

struct pattern {
    pcre2_general_context *memory;
    pcre2_code *code;
    pcre2_match_context *match;
    pcre2_match_data *data;
    uint64_t steps;  // that are left for this text
    size_t position; // of the last one in its line
    bool gave_up;
};

// -- memory -----------------------------------------------------------------

/* A block says how long it is, so that it can be wiped. */
union head {
    size_t bytes;
    max_align_t aligned;
};

static void *
allocate(size_t bytes, void *context)
{
    struct error err;
    void *memory;

    (void) context;
    if (bytes > SIZE_MAX - sizeof(union head) ||
        memory_alloc(&memory, sizeof(union head) + bytes, &err) != STATUS_OK)
        return NULL;
    union head *head = memory;

    head->bytes = bytes;
    return head + 1;
}

static void
wipe_and_free(void *block, void *context)
{
    union head *head = block;

    (void) context;
    if (block == NULL)
        return;
    explicit_bzero(block, head[-1].bytes);
    free(head - 1);
}

// -- compiling --------------------------------------------------------------

static int
count_step(pcre2_callout_block *where, void *context)
{
    struct pattern *p = context;
    size_t from = p->position, to = where->current_position;
    // an item such as .* is one step, however far it goes
    uint64_t cost = 1 + (from < to ? to - from : from - to);

    p->position = to;
    if (p->steps < cost)
        return PCRE2_ERROR_CALLOUT;
    p->steps -= cost;
    return 0;
}

static enum status
no_memory(struct error *err)
{
    return error_set(err, STATUS_NOMEM,
                     "out of memory for the regular expression");
}

static enum status
refuse(int code, size_t at, struct error *err)
{
    PCRE2_UCHAR reason[REASON] = "";

    if (code == PCRE2_ERROR_HEAP_FAILED)
        return no_memory(err);
    pcre2_get_error_message(code, reason, sizeof reason);
    return error_set(err, STATUS_FORMAT,
                     "the regular expression is wrong after byte %zu: %s", at,
                     (const char *) reason);
}

static enum status
compile(struct pattern *p, struct text wanted, bool case_counts,
        struct error *err)
{
    uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF |
                       PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT;
    pcre2_compile_context *how = pcre2_compile_context_create(p->memory);
    PCRE2_SIZE at = 0;
    int code = 0;

    if (how == NULL)
        return no_memory(err);
    pcre2_set_parens_nest_limit(how, NESTING);
    pcre2_set_newline(how, PCRE2_NEWLINE_LF);
    p->code = pcre2_compile((PCRE2_SPTR) wanted.bytes, wanted.length,
                            case_counts ? options : options | PCRE2_CASELESS,
                            &code, &at, how);
    pcre2_compile_context_free(how);
    return p->code ? STATUS_OK : refuse(code, at, err);
}

static enum status
prepare(struct pattern *p, struct error *err)
{
    p->match = pcre2_match_context_create(p->memory);
    p->data = pcre2_match_data_create(1, p->memory);
    if (p->match == NULL || p->data == NULL)
        return no_memory(err);
    pcre2_set_heap_limit(p->match, HEAP_KIB);
    pcre2_set_callout(p->match, count_step, p);
    return STATUS_OK;
}

enum status
pattern_open(struct pattern **out, struct text wanted, bool case_counts,
             struct error *err)
{
    struct pattern *p;
    void *memory;

    if (wanted.length == 0 || wanted.length > PATTERN_BYTES)
        return error_set(err, STATUS_FORMAT,
                         "a regular expression has 1 to %d bytes",
                         PATTERN_BYTES);
    TRY(memory_alloc(&memory, sizeof *p, err));
    p = memory;
    *p = (struct pattern){
        .memory = pcre2_general_context_create(allocate, wipe_and_free, NULL)};
    enum status status =
        p->memory ? compile(p, wanted, case_counts, err) : no_memory(err);

    if (status == STATUS_OK)
        status = prepare(p, err);
    if (status == STATUS_OK)
        *out = p;
    else
        pattern_close(p);
    return status;
}

void
pattern_close(struct pattern *p)
{
    if (p == NULL)
        return;
    pcre2_match_data_free(p->data);
    pcre2_match_context_free(p->match);
    pcre2_code_free(p->code);
    pcre2_general_context_free(p->memory);
    free(p);
}

// -- finding ----------------------------------------------------------------

/* The next line, or a piece of one that is long, without half a character. */
static struct text
next_piece(const struct text *rest)
{
    size_t most = rest->length < PATTERN_LINE ? rest->length : PATTERN_LINE;
    const char *line_end = memchr(rest->bytes, '\n', most);
    size_t length = line_end ? (size_t) (line_end - rest->bytes) : most;

    if (!line_end && length < rest->length)
        for (size_t back = 0; back < 3 && length > 1; back++, length--)
            if ((rest->bytes[length] & 0xC0) != 0x80)
                break;
    return (struct text){rest->bytes, length};
}

static bool
find_in_line(size_t *at, size_t *length, struct pattern *p, struct text line)
{
    p->position = 0;
    int found = pcre2_match(p->code, (PCRE2_SPTR) line.bytes, line.length, 0,
                            PCRE2_NOTEMPTY, p->data, p->match);

    if (found < 0) {
        p->gave_up = found != PCRE2_ERROR_NOMATCH;
        return false;
    }
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(p->data);

    // \K in what is looked ahead at could put the start behind the end
    if (ends[0] >= ends[1])
        return false;
    *at = ends[0];
    *length = ends[1] - ends[0];
    return true;
}

bool
pattern_find(size_t *at, size_t *length, struct pattern *p, struct text text)
{
    struct text rest = text;

    p->steps = STEPS_LEAST + (uint64_t) STEPS_A_BYTE * text.length;
    while (rest.length > 0 && !p->gave_up) {
        struct text line = next_piece(&rest);

        if (line.length > 0 && find_in_line(at, length, p, line)) {
            *at += (size_t) (line.bytes - text.bytes);
            return true;
        }
        // a line's end is no part of it
        size_t taken = line.length;

        if (taken < rest.length && rest.bytes[taken] == '\n')
            taken++;
        rest.bytes += taken;
        rest.length -= taken;
    }
    return false;
}

bool
pattern_gave_up(const struct pattern *p)
{
    return p->gave_up;
}
