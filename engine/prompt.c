/* Rendering: one renderer follows the patterns of every family. */
#include "config.h"

#include "engine/prompt.h"

#include "engine/prompt_pieces.h"
#include "engine/prompt_table.h"

#include <assert.h>
#include <string.h>

const struct prompt_traits *
prompt_traits(enum prompt_family family)
{
    assert((unsigned) family < PROMPT_FAMILIES);
    return &prompt_table[family].traits;
}

bool
prompt_family_find(enum prompt_family *out, const char *name)
{
    for (unsigned i = 0; i < PROMPT_FAMILIES; i++) {
        if (strcmp(prompt_table[i].traits.name, name) == 0) {
            *out = (enum prompt_family) i;
            return true;
        }
    }
    return false;
}

// -- slices of messages ------------------------------------------------------

struct slice {
    const char *bytes;
    size_t length;
};

static struct slice
drop_line_feeds(struct slice s)
{
    while (s.length > 0 && s.bytes[0] == '\n') {
        s.bytes++;
        s.length--;
    }
    return s;
}

static struct slice
drop_line_feeds_behind(struct slice s)
{
    while (s.length > 0 && s.bytes[s.length - 1] == '\n')
        s.length--;
    return s;
}

/* Offset of the first or last `text` in `s`, or s.length. */
static size_t
offset_of(struct slice s, const char *text, bool last)
{
    size_t n = strlen(text), found = s.length;

    for (size_t i = 0; i + n <= s.length; i++) {
        if (s.bytes[i] != text[0] || memcmp(s.bytes + i, text, n) != 0)
            continue;
        found = i;
        if (!last)
            break;
    }
    return found;
}

static struct slice
behind(struct slice s, size_t offset)
{
    return (struct slice){s.bytes + offset, s.length - offset};
}

/* White space as Python's strip sees it: that is what the templates call. */
static bool
is_space(uint32_t c)
{
    return (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x20) || c == 0x85 ||
           c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
           c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
           c == 0x3000;
}

static struct slice
trim(struct slice s)
{
    size_t start = s.length, end = 0;
    uint32_t c;
    bool valid;

    for (size_t i = 0, n; i < s.length; i += n) {
        n = utf8_next(s.bytes + i, s.length - i, &c, &valid);
        if (valid && is_space(c))
            continue;
        if (start == s.length)
            start = i;
        end = i + n;
    }
    return end > start ? (struct slice){s.bytes + start, end - start}
                       : (struct slice){s.bytes, 0};
}

/* An answer without the thought that may be stored in it. */
static struct slice
answer_of(const struct family *f, const struct message *m)
{
    struct slice s = {m->content, m->length};
    size_t close = f->raw == RAW_KEPT
                       ? s.length
                       : offset_of(s, "</think>", f->raw == RAW_CUT_AT_LAST);

    if (close == s.length)
        return s;
    return drop_line_feeds(behind(s, close + strlen("</think>")));
}

/* The thought of an answer, kept apart or stored in it. */
static struct slice
thought_of(const struct message *m)
{
    struct slice s = {m->reasoning, m->reasoning_length};

    if (m->reasoning == NULL) {
        s = (struct slice){m->content, m->length};
        size_t close = offset_of(s, "</think>", false);
        s.length = close < s.length ? close : 0;
        size_t open = offset_of(s, "<think>", true);
        if (open < s.length)
            s = behind(s, open + strlen("<think>"));
    }
    return drop_line_feeds_behind(drop_line_feeds(s));
}

// -- rendering ---------------------------------------------------------------

/* One call of prompt_render. */
struct rendering {
    const struct family *family;
    const struct tokenizer *tokenizer;
    const struct message *messages;
    size_t count;
    size_t last_question; // index of the last user's message
    struct prompt_pieces *out;
};

/* What a pattern is filled with. */
struct filling {
    struct slice content, thought;
    const struct message *message; // for its ids, or NULL
};

/* How many generated ids are the answer's: not what ends the turn. */
static size_t
answer_ids(const struct rendering *r, const struct message *m)
{
    const char *end = r->family->end_text;

    if (end == NULL || r->tokenizer == NULL || m->id_count == 0)
        return m->id_count;
    struct gguf_string last =
        tokenizer_piece(r->tokenizer, m->ids[m->id_count - 1]);
    return m->id_count - (strcmp(last.bytes, end) == 0);
}

static enum status
put_content(struct rendering *r, const struct filling *with, struct error *err)
{
    const struct message *m = with->message;

    if (m != NULL && m->ids != NULL)
        return prompt_pieces_ids(r->out, m->ids, answer_ids(r, m), err);
    if (m != NULL && m->role == ROLE_ASSISTANT && r->family->traits.blank_first)
        TRY(prompt_pieces_text(r->out, " ", 1, err));
    return prompt_pieces_text(r->out, with->content.bytes, with->content.length,
                              err);
}

static enum status
put_pattern(struct rendering *r, const char *pattern,
            const struct filling *with, struct error *err)
{
    for (const char *at = pattern; *at != '\0';) {
        size_t n = strcspn(at, MARK("") CONTENT THOUGHT);

        if (n > 0) {
            TRY(prompt_pieces_text(r->out, at, n, err));
            at += n;
        } else if (*at == *MARK("")) {
            n = strcspn(++at, MARK(""));
            TRY(prompt_pieces_marker(r->out, r->tokenizer, at, n, err));
            at += n + 1;
        } else {
            if (*at++ == *CONTENT)
                TRY(put_content(r, with, err));
            else
                TRY(prompt_pieces_text(r->out, with->thought.bytes,
                                       with->thought.length, err));
        }
    }
    return STATUS_OK;
}

/* The begin marker, a default system text, system messages that go there. */
static enum status
put_start(struct rendering *r, struct error *err)
{
    const struct family *f = r->family;
    struct filling none = {0};
    size_t systems = 0;
    bool first = r->count > 0 && r->messages[0].role == ROLE_SYSTEM;

    TRY(put_pattern(r, f->begin, &none, err));
    for (size_t i = 0; i < r->count; i++)
        systems += r->messages[i].role == ROLE_SYSTEM;
    if (f->default_system != NULL &&
        (f->default_if_none ? systems == 0 : !first))
        TRY(put_pattern(r, f->default_system, &none, err));
    if (f->systems == SYSTEMS_IN_PLACE)
        return STATUS_OK;
    for (size_t i = 0, seen = 0; i < r->count; i++) {
        const struct message *m = &r->messages[i];
        if (m->role != ROLE_SYSTEM)
            continue;
        seen++;
        if (f->systems == SYSTEMS_LAST && seen < systems)
            continue;
        if (f->systems == SYSTEMS_JOINED && seen > 1)
            TRY(prompt_pieces_text(r->out, "\n\n", 2, err));
        TRY(prompt_pieces_text(r->out, m->content, m->length, err));
    }
    return STATUS_OK;
}

static enum status
put_answer(struct rendering *r, size_t i, struct error *err)
{
    const struct family *f = r->family;
    const struct message *m = &r->messages[i];
    struct filling with = {.content = answer_of(f, m), .message = m};

    if (f->trims)
        with.content = trim(with.content);
    if (f->after_user != NULL && i > 0 && r->messages[i - 1].role == ROLE_USER)
        TRY(put_pattern(r, f->after_user, &with, err));
    if (f->thinking_assistant == NULL || i <= r->last_question)
        return put_pattern(r, f->assistant, &with, err);
    with.thought = thought_of(m);
    if (i + 1 < r->count && with.thought.length == 0)
        return put_pattern(r, f->assistant, &with, err);
    with.content = drop_line_feeds(with.content);
    return put_pattern(r, f->thinking_assistant, &with, err);
}

static enum status
put_message(struct rendering *r, size_t i, struct error *err)
{
    const struct family *f = r->family;
    const struct message *m = &r->messages[i];
    struct filling with = {.content = {m->content, m->length}, .message = m};

    if (m->role == ROLE_ASSISTANT)
        return put_answer(r, i, err);
    if (m->role == ROLE_SYSTEM && f->systems != SYSTEMS_IN_PLACE)
        return STATUS_OK;
    if (f->trims)
        with.content = trim(with.content);
    return put_pattern(r, m->role == ROLE_USER ? f->user : f->system, &with,
                       err);
}

static enum status
put_string(struct rendering *r, const char *text, struct error *err)
{
    return prompt_pieces_text(r->out, text, strlen(text), err);
}

static enum status
put_marker(struct rendering *r, const char *marker, struct error *err)
{
    return prompt_pieces_marker(r->out, r->tokenizer, marker, strlen(marker),
                                err);
}

/* What follows the assistant's opening, by the switch. */
static enum status
put_switch(struct rendering *r, enum thinking thinking, struct error *err)
{
    const struct family *f = r->family;
    struct filling none = {0};
    const char *pattern = thinking == THINKING_ON    ? f->open_on
                          : thinking == THINKING_OFF ? f->open_off
                                                     : f->open_default;

    if (pattern == NULL)
        return STATUS_OK;
    r->out->thinking = strstr(pattern, "<think>") != NULL &&
                       strstr(pattern, "</think>") == NULL;
    return put_pattern(r, pattern, &none, err);
}

/* Begins a thought, also where the model would have done so itself. */
static enum status
put_thought_open(struct rendering *r, struct error *err)
{
    const struct prompt_traits *traits = &r->family->traits;

    TRY(put_switch(r, THINKING_ON, err));
    if (r->out->thinking)
        return STATUS_OK;
    r->out->thinking = true;
    TRY(put_marker(r, traits->think_open, err));
    return put_string(r, traits->cut_before, err);
}

/* A whole thought, closed as one that is cut short. */
static enum status
put_thought(struct rendering *r, const struct prompt_options *options,
            struct error *err)
{
    const struct prompt_traits *traits = &r->family->traits;

    TRY(put_thought_open(r, err));
    TRY(prompt_pieces_text(r->out, options->reasoning,
                           options->reasoning_length, err));
    TRY(put_string(r, traits->cut_before, err));
    TRY(put_marker(r, traits->think_close, err));
    r->out->thinking = false;
    return put_string(r, traits->cut_after, err);
}

/* The assistant's opening and what is given of thought and answer. */
static enum status
put_opening(struct rendering *r, const struct prompt_options *options,
            struct error *err)
{
    const struct family *f = r->family;
    struct filling none = {0};
    bool opened = f->opened_by_user && r->count > 0 &&
                  r->messages[r->count - 1].role == ROLE_USER;

    if (!opened)
        TRY(put_pattern(r, f->open, &none, err));
    if (options->reasoning != NULL)
        TRY(put_thought(r, options, err));
    else if (options->opens_thought)
        TRY(put_thought_open(r, err));
    else
        TRY(put_switch(r, options->thinking, err));
    if (options->prefill == NULL)
        return STATUS_OK;
    if (f->traits.blank_first)
        TRY(prompt_pieces_text(r->out, " ", 1, err));
    return prompt_pieces_text(r->out, options->prefill, options->prefill_length,
                              err);
}

enum status
prompt_render(struct prompt_pieces *out, enum prompt_family family,
              const struct tokenizer *tokenizer, const struct message *messages,
              size_t count, const struct prompt_options *options,
              struct error *err)
{
    assert((unsigned) family < PROMPT_FAMILIES);
    assert((options->reasoning == NULL && !options->opens_thought) ||
           prompt_table[family].traits.thinks);
    struct rendering r = {.family = &prompt_table[family],
                          .tokenizer = tokenizer,
                          .messages = messages,
                          .count = count,
                          .last_question = count,
                          .out = out};

    for (size_t i = 0; i < count; i++)
        if (messages[i].role == ROLE_USER)
            r.last_question = i;
    prompt_pieces_clear(out);
    TRY(put_start(&r, err));
    for (size_t i = 0; i < count; i++)
        TRY(put_message(&r, i, err));
    return options->generate ? put_opening(&r, options, err) : STATUS_OK;
}

bool
prompt_is_end(enum prompt_family family, const struct tokenizer *tokenizer,
              int32_t id)
{
    const char *marker = prompt_table[family].user_marker;

    return tokenizer_is_end(tokenizer, id) ||
           (marker != NULL && tokenizer_find(tokenizer, marker) == id);
}
