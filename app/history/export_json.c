/*
 * "fathom.export/1". Written without a tree in memory. Numbers of turns are
 * their places in the chat, so that an import and an export again give the
 * same text.
 */
#include "config.h"

#include "app/history/export_writer.h"
#include "app/time_text.h"

#include "ui/ui.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- values ------------------------------------------------------------------
 */

/* As a \u escape: what JSON must escape, and what a terminal acts upon. */
static bool
needs_escape(uint32_t c)
{
    return c < 0x20 || c == '"' || c == '\\' || sanitiser_is_command(c);
}

static enum status
put_escape(struct buffer *out, uint32_t c, struct error *err)
{
    if (c == '\n')
        return buffer_append(out, "\\n", 2, err);
    if (c == '\t')
        return buffer_append(out, "\\t", 2, err);
    if (c == '"' || c == '\\')
        return buffer_print(out, err, "\\%c", (int) c);
    // beyond U+FFFF a pair of surrogates
    if (c > 0xFFFF)
        return buffer_print(out, err, "\\u%04X\\u%04X",
                            (unsigned) (0xD7C0 + (c >> 10)),
                            (unsigned) (0xDC00 + (c & 0x3FF)));
    return buffer_print(out, err, "\\u%04X", (unsigned) c);
}

static enum status
put_string(struct buffer *out, struct text text, struct error *err)
{
    size_t start = 0;
    uint32_t c;
    bool valid;

    TRY(buffer_append(out, "\"", 1, err));
    for (size_t i = 0, n; i < text.length; i += n) {
        n = utf8_next(text.bytes + i, text.length - i, &c, &valid);
        if (valid && !needs_escape(c))
            continue;
        TRY(buffer_append(out, text.bytes + start, i - start, err));
        TRY(valid ? put_escape(out, c, err)
                  : buffer_append(out, "\xEF\xBF\xBD", 3, err));
        start = i + n;
    }
    if (text.length > start)
        TRY(buffer_append(out, text.bytes + start, text.length - start, err));
    return buffer_append(out, "\"", 1, err);
}

/* The shortest decimal that gives the same number back. */
static enum status
put_real(struct buffer *out, double value, struct error *err)
{
    char text[40];

    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    return buffer_print(out, err, "%s", text);
}

/* -- objects -----------------------------------------------------------------
 */

/* An object in the making: what is absent is left out. */
struct object {
    struct buffer *out;
    int indent; // of its fields; 0: all on one line
    bool begun;
};

static enum status
put_name(struct object *o, const char *name, struct error *err)
{
    const char *before = o->begun ? "," : "";

    TRY(o->indent > 0
            ? buffer_print(o->out, err, "%s\n%*s", before, o->indent, "")
            : buffer_print(o->out, err, "%s%s", before, o->begun ? " " : ""));
    o->begun = true;
    return buffer_print(o->out, err, "\"%s\": ", name);
}

static enum status
put_text(struct object *o, const char *name, struct text text,
         struct error *err)
{
    if (text.length == 0)
        return STATUS_OK;
    TRY(put_name(o, name, err));
    return put_string(o->out, text, err);
}

static enum status
put_count(struct object *o, const char *name, uint64_t count, struct error *err)
{
    if (count == 0)
        return STATUS_OK;
    TRY(put_name(o, name, err));
    return buffer_print(o->out, err, "%llu", (unsigned long long) count);
}

static enum status
put_time(struct object *o, const char *name, uint64_t time_ms,
         struct error *err)
{
    char text[TIME_TEXT];

    if (time_ms == 0)
        return STATUS_OK;
    TRY(put_name(o, name, err));
    return buffer_print(o->out, err, "\"%s\"", time_text_utc(text, time_ms));
}

static enum status
put_bool(struct object *o, const char *name, bool value, struct error *err)
{
    TRY(put_name(o, name, err));
    return buffer_print(o->out, err, "%s", value ? "true" : "false");
}

static enum status
put_number(struct object *o, const char *name, double value, struct error *err)
{
    if (!isfinite(value))
        return STATUS_OK;
    TRY(put_name(o, name, err));
    return put_real(o->out, value, err);
}

static enum status
put_integer(struct object *o, const char *name, int64_t value,
            struct error *err)
{
    if (value < 0)
        return STATUS_OK;
    TRY(put_name(o, name, err));
    return buffer_print(o->out, err, "%lld", (long long) value);
}

/* Begins an object on one line as a field of `o`. */
static enum status
open_inner(struct object *inner, struct object *o, const char *name,
           struct error *err)
{
    *inner = (struct object){.out = o->out};
    TRY(put_name(o, name, err));
    return buffer_print(o->out, err, "{");
}

static enum status
close_inner(struct object *inner, struct error *err)
{
    return buffer_print(inner->out, err, "}");
}

/* -- records -----------------------------------------------------------------
 */

static enum status
put_sampling(struct object *o, const struct sampling *s, struct error *err)
{
    struct object inner;

    TRY(open_inner(&inner, o, "sampling", err));
    TRY(put_integer(&inner, "seed", s->seed, err));
    TRY(put_number(&inner, "temp", s->temperature, err));
    TRY(put_number(&inner, "top_p", s->top_p, err));
    TRY(put_integer(&inner, "top_k", s->top_k, err));
    TRY(put_number(&inner, "min_p", s->min_p, err));
    TRY(put_number(&inner, "repeat_penalty", s->repeat_penalty, err));
    return close_inner(&inner, err);
}

static enum status
put_tokens(struct object *o, const struct turn_origin *origin,
           struct error *err)
{
    struct object inner;

    TRY(open_inner(&inner, o, "tokens", err));
    TRY(put_count(&inner, "prompt", origin->prompt_tokens, err));
    TRY(put_count(&inner, "thinking", origin->thinking_tokens, err));
    TRY(put_count(&inner, "answer", origin->answer_tokens, err));
    return close_inner(&inner, err);
}

static enum status
put_timing(struct object *o, const struct turn_origin *origin,
           struct error *err)
{
    struct object inner;

    TRY(open_inner(&inner, o, "timing", err));
    TRY(put_number(&inner, "ttft_ms", origin->ttft_ms, err));
    TRY(put_number(&inner, "total_ms", origin->total_ms, err));
    TRY(put_number(&inner, "decode_tps", origin->decode_tps, err));
    return close_inner(&inner, err);
}

static enum status
put_origin(struct object *o, const struct turn_origin *origin,
           struct error *err)
{
    TRY(put_text(o, "model", origin->model, err));
    TRY(put_text(o, "fingerprint", origin->fingerprint, err));
    TRY(put_text(o, "device", origin->device, err));
    TRY(put_sampling(o, &origin->sampling, err));
    TRY(put_tokens(o, origin, err));
    return put_timing(o, origin, err);
}

static enum status
put_answer(struct object *o, const struct turn_record *turn, bool with_thinking,
           struct error *err)
{
    if (with_thinking)
        TRY(put_text(o, "thinking", turn->thinking, err));
    TRY(put_bool(o, "complete", turn->complete, err));
    if (turn->complete) {
        TRY(put_name(o, "finish", err));
        TRY(buffer_print(o->out, err, "\"%s\"",
                         protocol_finish_name(turn->finish)));
    }
    return put_origin(o, &turn->origin, err);
}

/* The number of the turn with this id: its place, from 1; 0: none. */
static uint64_t
number_of(const struct export_chat *chat, size_t before, uint64_t id)
{
    // most parents are the turn before
    for (size_t i = id ? before : 0; i > 0; i--)
        if (chat->turns[i - 1].id == id)
            return i;
    return 0;
}

static enum status
put_turn(struct buffer *out, const struct export_how *how,
         const struct export_chat *chat, size_t i, struct error *err)
{
    const struct turn_record *turn = &chat->turns[i];
    struct object o = {.out = out, .indent = 10};

    TRY(buffer_print(out, err, "%s\n        {", i > 0 ? "," : ""));
    TRY(put_count(&o, "id", i + 1, err));
    TRY(put_count(&o, "parent", number_of(chat, i, turn->parent), err));
    TRY(put_name(&o, "role", err));
    TRY(buffer_print(out, err, "\"%s\"",
                     turn->role == TURN_QUESTION ? "user" : "assistant"));
    TRY(put_time(&o, "time", turn->time_ms, err));
    TRY(put_name(&o, "content", err));
    TRY(put_string(out, turn->content, err));
    if (turn->arrived_locked)
        TRY(put_bool(&o, "arrived_locked", true, err));
    if (turn->role == TURN_ANSWER)
        TRY(put_answer(&o, turn, how->with_thinking, err));
    return buffer_print(out, err, "\n        }");
}

static enum status
put_tags(struct object *o, struct text tags, struct error *err)
{
    const char *before = "";
    struct text tag;

    if (tags.length == 0)
        return STATUS_OK;
    TRY(put_name(o, "tags", err));
    TRY(buffer_print(o->out, err, "["));
    for (; tags_next(&tag, &tags); before = ", ") {
        TRY(buffer_print(o->out, err, "%s", before));
        TRY(put_string(o->out, tag, err));
    }
    return buffer_print(o->out, err, "]");
}

static enum status
put_info(struct object *o, const struct export_chat *chat, struct error *err)
{
    const struct chat_info *info = chat->info;

    if (chat->id)
        TRY(put_text(o, "id", (struct text){chat->id, strlen(chat->id)}, err));
    TRY(put_text(o, "title", info->title, err));
    TRY(put_text(o, "system", info->system, err));
    TRY(put_text(o, "model", info->model, err));
    TRY(put_tags(o, info->tags, err));
    TRY(put_time(o, "created", info->created_ms, err));
    TRY(put_time(o, "used", info->used_ms, err));
    if (info->pinned)
        TRY(put_bool(o, "pinned", true, err));
    return put_count(o, "leaf", number_of(chat, chat->count, info->leaf), err);
}

static enum status
put_chat(struct buffer *out, const struct export_how *how,
         const struct export_chat *chat, size_t number, struct error *err)
{
    struct object o = {.out = out, .indent = 6};

    TRY(buffer_print(out, err, "%s\n    {", number > 0 ? "," : ""));
    TRY(put_info(&o, chat, err));
    TRY(put_name(&o, "turns", err));
    TRY(buffer_print(out, err, "["));
    for (size_t i = 0; i < chat->count; i++)
        TRY(put_turn(out, how, chat, i, err));
    return buffer_print(out, err, "%s]\n    }",
                        chat->count > 0 ? "\n      " : "");
}

static enum status
begin(struct buffer *out, uint64_t now_ms, struct error *err)
{
    char now[TIME_TEXT];

    return buffer_print(out, err,
                        "{\n  \"schema\": \"fathom.export/1\",\n"
                        "  \"created\": \"%s\",\n  \"build\": \"%s\",\n"
                        "  \"chats\": [",
                        time_text_utc(now, now_ms), PACKAGE_STRING);
}

static enum status
end(struct buffer *out, struct error *err)
{
    return buffer_print(out, err, "\n  ]\n}\n");
}

const struct export_writer export_json = {"json", begin, put_chat, end};
