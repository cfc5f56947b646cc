/*
 * Bytes not yet shown wait in `pending`, with a mark for each token that says
 * where its text begins and ends there.
 */
#include "config.h"

#include "engine/channels.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Where a token's text lies in `pending`; open: its end is not known yet. */
struct mark {
    size_t start, end;
    bool open, dropped;
    bool begun; // some of it was shown
};

struct channels {
    struct channels_rule rule;
    channels_fn *fn;
    void *context;

    enum channel channel;
    bool at_start; // white space is dropped
    bool stopped;
    size_t thought_tokens;

    struct buffer pending;
    struct mark *marks; // (token_count), parallel to tokens
    struct channels_token *tokens;
    size_t token_count, token_room;

    struct buffer shown[2]; // by channel
    struct tokens answer_ids;
    bool answer_exact;
};

enum status
channels_open(struct channels **out, const struct channels_rule *rule,
              channels_fn *fn, void *context, struct error *err)
{
    void *memory;

    *out = NULL;
    TRY(memory_alloc(&memory, sizeof **out, err));
    struct channels *channels = memory;
    channels->rule = *rule;
    channels->fn = fn;
    channels->context = context;
    assert(rule->thinks || !rule->in_thought);
    channels->channel = rule->in_thought ? CHANNEL_THINK : CHANNEL_ANSWER;
    channels->at_start =
        !rule->continued && (rule->thinks || rule->blank_first);
    channels->answer_exact = true;
    *out = channels;
    return STATUS_OK;
}

void
channels_close(struct channels *channels)
{
    if (channels == NULL)
        return;
    buffer_release(&channels->pending);
    buffer_release(&channels->shown[0]);
    buffer_release(&channels->shown[1]);
    tokens_release(&channels->answer_ids);
    free(channels->marks);
    free(channels->tokens);
    free(channels);
}

/* -- tokens that wait ------------------------------------------------------ */

static enum status
grow(struct channels *channels, struct error *err)
{
    size_t room = channels->token_room > 0 ? 2 * channels->token_room : 16;
    void *marks, *tokens;

    if (channels->token_count < channels->token_room)
        return STATUS_OK;
    TRY(memory_alloc(&marks, room * sizeof *channels->marks, err));
    enum status status =
        memory_alloc(&tokens, room * sizeof *channels->tokens, err);
    if (status != STATUS_OK) {
        free(marks);
        return status;
    }
    if (channels->token_count > 0) {
        memcpy(marks, channels->marks,
               channels->token_count * sizeof *channels->marks);
        memcpy(tokens, channels->tokens,
               channels->token_count * sizeof *channels->tokens);
    }
    free(channels->marks);
    free(channels->tokens);
    channels->marks = marks;
    channels->tokens = tokens;
    channels->token_room = room;
    return STATUS_OK;
}

/* Ends the tokens whose characters have become whole. */
static void
close_marks(struct channels *channels)
{
    for (size_t i = 0; i < channels->token_count; i++)
        if (channels->marks[i].open) {
            channels->marks[i].end = channels->pending.length;
            channels->marks[i].open = false;
        }
}

static enum status
add_token(struct channels *channels, const struct channels_token *token,
          size_t start, struct error *err)
{
    TRY(grow(channels, err));
    channels->marks[channels->token_count] =
        (struct mark){.start = start, .open = true};
    channels->tokens[channels->token_count++] = *token;
    if (channels->channel == CHANNEL_THINK)
        channels->thought_tokens++;
    return STATUS_OK;
}

/* Forgets the first `count` tokens. */
static void
drop_tokens(struct channels *channels, size_t count)
{
    size_t rest = channels->token_count - count;

    if (count == 0)
        return;
    memmove(channels->marks, channels->marks + count,
            rest * sizeof *channels->marks);
    memmove(channels->tokens, channels->tokens + count,
            rest * sizeof *channels->tokens);
    channels->token_count = rest;
}

static size_t
less(size_t a, size_t b)
{
    return a > b ? a - b : 0;
}

/* Moves what is left to the front after `count` bytes went. */
static void
advance(struct channels *channels, size_t count)
{
    buffer_drop(&channels->pending, count);
    for (size_t i = 0; i < channels->token_count; i++) {
        channels->marks[i].start = less(channels->marks[i].start, count);
        channels->marks[i].end = less(channels->marks[i].end, count);
    }
}

/* Drops bytes that nobody is to see. */
static void
drop_bytes(struct channels *channels, size_t count)
{
    for (size_t i = 0; i < channels->token_count; i++) {
        struct mark *mark = &channels->marks[i];

        if (mark->start >= count)
            continue;
        if (mark->open || mark->end > count)
            channels->answer_exact = false; // the token goes on in the text
        mark->dropped = true;
    }
    advance(channels, count);
}

/* -- showing --------------------------------------------------------------- */

static enum status
keep_answer_ids(struct channels *channels, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (!channels->marks[i].dropped)
            TRY(tokens_append(&channels->answer_ids, &channels->tokens[i].id, 1,
                              err));
    return STATUS_OK;
}

/* Shows the first `length` bytes, with the tokens that end there. */
static enum status
show(struct channels *channels, size_t length, struct error *err)
{
    size_t count = 0;

    while (count < channels->token_count && !channels->marks[count].open &&
           channels->marks[count].end <= length)
        count++;
    if (length == 0 && count == 0)
        return STATUS_OK;
    struct channels_part part = {channels->channel, channels->pending.data,
                                 length, channels->tokens, count};
    TRY(buffer_append(&channels->shown[channels->channel],
                      channels->pending.data, length, err));
    if (channels->channel == CHANNEL_ANSWER)
        TRY(keep_answer_ids(channels, count, err));
    TRY(channels->fn(channels->context, &part, err));
    drop_tokens(channels, count);
    for (size_t i = 0; i < channels->token_count; i++)
        channels->marks[i].begun |= channels->marks[i].start < length;
    advance(channels, length);
    return STATUS_OK;
}

/* -- patterns -------------------------------------------------------------- */

/* The strings to be looked for now: stop strings or a marker's text. */
struct patterns {
    struct text marker; // bytes NULL: none
    const struct text *stops;
    size_t stop_count;
};

static struct patterns
patterns_now(const struct channels *channels)
{
    const struct channels_rule *rule = &channels->rule;
    struct patterns patterns = {0};

    if (channels->channel == CHANNEL_THINK) {
        if (rule->think_close == TOKEN_NONE)
            patterns.marker.bytes = rule->close_text;
    } else {
        patterns.stops = rule->stops;
        patterns.stop_count = rule->stop_count;
        // by its text a thought is opened only where an answer would begin
        if (rule->thinks && rule->think_open == TOKEN_NONE &&
            channels->shown[CHANNEL_ANSWER].length == 0 && !rule->continued)
            patterns.marker.bytes = rule->open_text;
    }
    if (patterns.marker.bytes != NULL)
        patterns.marker.length = strlen(patterns.marker.bytes);
    return patterns;
}

static struct text
pattern_at(const struct patterns *patterns, size_t i)
{
    return i < patterns->stop_count ? patterns->stops[i] : patterns->marker;
}

static size_t
pattern_count(const struct patterns *patterns)
{
    return patterns->stop_count + (patterns->marker.bytes != NULL);
}

struct match {
    bool found, marker;
    size_t start, end;
};

/* The pattern that ends first; of those the longest. */
static struct match
find_match(const struct channels *channels, const struct patterns *patterns)
{
    const struct buffer *pending = &channels->pending;
    struct match best = {0};

    for (size_t i = 0; i < pattern_count(patterns) && pending->length > 0;
         i++) {
        struct text pattern = pattern_at(patterns, i);
        const char *at = memmem(pending->data, pending->length, pattern.bytes,
                                pattern.length);

        if (at == NULL)
            continue;
        size_t start = (size_t) (at - pending->data);
        size_t end = start + pattern.length;
        if (!best.found || end < best.end ||
            (end == best.end && start < best.start))
            best = (struct match){true, i >= patterns->stop_count, start, end};
    }
    return best;
}

static bool
ends_with_start_of(const struct buffer *pending, struct text pattern,
                   size_t count)
{
    return count < pattern.length &&
           memcmp(pending->data + pending->length - count, pattern.bytes,
                  count) == 0;
}

/* Bytes at the end of `pending` that may become a pattern. */
static size_t
held_bytes(const struct channels *channels, const struct patterns *patterns)
{
    const struct buffer *pending = &channels->pending;
    size_t held = 0;

    for (size_t i = 0; i < pattern_count(patterns); i++) {
        struct text pattern = pattern_at(patterns, i);
        size_t most = pattern.length - 1;

        if (most > pending->length)
            most = pending->length;
        for (size_t count = most; count > held; count--)
            if (ends_with_start_of(pending, pattern, count))
                held = count;
    }
    return held;
}

/* -- the flow -------------------------------------------------------------- */

static bool
is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static void
drop_leading_space(struct channels *channels)
{
    const struct buffer *pending = &channels->pending;
    size_t count = 0;

    if (!channels->at_start || pending->length == 0)
        return;
    if (!channels->rule.thinks) {
        channels->at_start = false;
        if (pending->data[0] == ' ') // the ids keep it: it is the prompt's way
            advance(channels, 1);
        return;
    }
    while (count < pending->length && is_space(pending->data[count]))
        count++;
    if (count < pending->length)
        channels->at_start = false;
    drop_bytes(channels, count);
}

/* Length of the first `length` bytes without white space at their end. */
static size_t
without_trailing_space(const struct channels *channels, size_t length)
{
    while (length > 0 && is_space(channels->pending.data[length - 1]))
        length--;
    return length;
}

/* Ends the channel: the first `length` bytes are its last. */
static enum status
leave_channel(struct channels *channels, size_t length, size_t marker_bytes,
              struct error *err)
{
    size_t kept = length;

    if (channels->channel == CHANNEL_THINK)
        kept = without_trailing_space(channels, length);
    TRY(show(channels, kept, err));
    drop_bytes(channels, length - kept + marker_bytes);
    TRY(show(channels, 0, err)); // the tokens that end in what was dropped
    if (channels->shown[CHANNEL_ANSWER].length > 0)
        channels->answer_exact = false; // a thought within the answer
    channels->channel =
        channels->channel == CHANNEL_THINK ? CHANNEL_ANSWER : CHANNEL_THINK;
    channels->at_start = true;
    return STATUS_OK;
}

/* A stop string was found: the answer ends after `length` bytes. */
static enum status
stop(struct channels *channels, size_t length, struct error *err)
{
    TRY(show(channels, length, err));
    for (size_t i = 0; i < channels->token_count; i++)
        if (channels->marks[i].begun)
            channels->answer_exact = false;
    channels->stopped = true;
    drop_tokens(channels, channels->token_count);
    buffer_clear(&channels->pending);
    return STATUS_OK;
}

/* Shows what can be shown of what is pending; all of it when `final`. */
static enum status
flow(struct channels *channels, bool final, struct error *err)
{
    for (;;) {
        drop_leading_space(channels);
        struct patterns patterns = patterns_now(channels);
        struct match match = find_match(channels, &patterns);

        if (!match.found) {
            size_t length = channels->pending.length;

            if (!final) {
                length -= held_bytes(channels, &patterns);
                if (channels->channel == CHANNEL_THINK)
                    length = without_trailing_space(channels, length);
            }
            return show(channels, length, err);
        }
        if (!match.marker)
            return stop(channels, match.start, err);
        TRY(leave_channel(channels, match.start, match.end - match.start, err));
    }
}

bool
channels_is_marker(const struct channels *channels, int32_t id)
{
    return channels->rule.thinks && id != TOKEN_NONE &&
           (id == channels->rule.think_open ||
            id == channels->rule.think_close);
}

/* A marker ends a channel, unless that channel is not the current one. */
static enum status
push_marker(struct channels *channels, const struct channels_token *token,
            struct error *err)
{
    bool opens = token->id == channels->rule.think_open;

    close_marks(channels);
    TRY(flow(channels, false, err));
    if (channels->stopped)
        return STATUS_OK;
    TRY(add_token(channels, token, channels->pending.length, err));
    close_marks(channels);
    if (opens == (channels->channel == CHANNEL_THINK))
        return show(channels, 0, err); // opened twice or closed twice
    if (opens)
        channels->thought_tokens++; // closing ones are counted already
    return leave_channel(channels, channels->pending.length, 0, err);
}

enum status
channels_push(struct channels *channels, const struct channels_token *token,
              const char *text, size_t length, bool whole, struct error *err)
{
    size_t start = channels->pending.length;

    assert(!channels->stopped);
    TRY(buffer_append(&channels->pending, text, length, err));
    if (channels_is_marker(channels, token->id))
        return push_marker(channels, token, err);
    TRY(add_token(channels, token, start, err));
    if (whole)
        close_marks(channels);
    return flow(channels, false, err);
}

enum status
channels_end(struct channels *channels, const char *text, size_t length,
             struct error *err)
{
    if (channels->stopped)
        return STATUS_OK;
    TRY(buffer_append(&channels->pending, text, length, err));
    close_marks(channels);
    return flow(channels, true, err);
}

bool
channels_stopped(const struct channels *channels)
{
    return channels->stopped;
}

bool
channels_in_thought(const struct channels *channels)
{
    return channels->channel == CHANNEL_THINK;
}

size_t
channels_thought_tokens(const struct channels *channels)
{
    return channels->thought_tokens;
}

static struct text
shown(const struct channels *channels, enum channel channel)
{
    const struct buffer *buffer = &channels->shown[channel];

    return (struct text){buffer->data != NULL ? buffer->data : "",
                         buffer->length};
}

struct text
channels_answer(const struct channels *channels)
{
    return shown(channels, CHANNEL_ANSWER);
}

const struct tokens *
channels_answer_ids(const struct channels *channels)
{
    return channels->answer_exact ? &channels->answer_ids : NULL;
}
