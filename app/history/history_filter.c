/* Words with a colon that are known are filters; the rest is the text. */
#include "config.h"

#include "app/history/history_filter.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <wctype.h>

static const char fence[] = "```";

/* -- reading ---------------------------------------------------------------
 */

static void
fault(struct history_filter *f, const char *word, const char *why)
{
    char shown[40];

    text_quote(shown, sizeof shown, word, strlen(word));
    snprintf(f->fault, sizeof f->fault, "%s %s", shown, why);
}

/* "2026-09-01": when that day begins here. */
static bool
read_day(uint64_t *out_ms, const char *text)
{
    struct tm day = {.tm_isdst = -1};
    char end;

    if (sscanf(text, "%4d-%2d-%2d%c", &day.tm_year, &day.tm_mon, &day.tm_mday,
               &end) != 3 ||
        day.tm_year < 1970 || day.tm_mon < 1 || day.tm_mon > 12 ||
        day.tm_mday < 1 || day.tm_mday > 31)
        return false;
    day.tm_year -= 1900;
    day.tm_mon--;
    time_t seconds = mktime(&day);

    if (seconds < 0)
        return false;
    // 0 is no filter
    *out_ms = seconds > 0 ? (uint64_t) seconds * 1000 : 1;
    return true;
}

static void
read_date(struct history_filter *f, uint64_t *out_ms, const char *word,
          const char *value)
{
    if (*value != '\0' && !read_day(out_ms, value))
        fault(f, word, "takes a day, such as 2026-09-01");
}

static bool
is_one_of(const char *word, size_t length, const char *a, const char *b)
{
    return (strlen(a) == length && strncasecmp(word, a, length) == 0) ||
           (strlen(b) == length && strncasecmp(word, b, length) == 0);
}

static void
read_roles(struct history_filter *f, const char *word, const char *value)
{
    for (const char *at = value; *at != '\0';) {
        size_t length = strcspn(at, "|,");

        if (is_one_of(at, length, "you", "user"))
            f->roles = f->you = true;
        else if (is_one_of(at, length, "fathom", "assistant"))
            f->roles = f->fathom = true;
        else if (is_one_of(at, length, "think", "thinking"))
            f->roles = f->think = true;
        else if (length > 0)
            fault(f, word, "is of you, fathom, think");
        at += length + (at[length] != '\0');
    }
}

static void
read_has(struct history_filter *f, const char *word, const char *value)
{
    if (strcasecmp(value, "code") == 0)
        f->has_code = true;
    else if (strncasecmp(value, "think", 5) == 0)
        f->has_think = true;
    else if (*value != '\0')
        fault(f, word, "is of code, think");
}

/* "on" or "off"; the beginning of either is still being typed. */
static void
read_regex(struct history_filter *f, const char *word, const char *value)
{
    size_t length = strlen(value);

    if (strcasecmp(value, "on") == 0)
        f->regex = true;
    else if (strcasecmp(value, "off") == 0)
        f->regex = false;
    else if (strncasecmp(value, "off", length) != 0)
        fault(f, word, "is on or off");
}

/* Several with commas between them; one may still be typed. */
static void
read_tags(struct history_filter *f, const char *word, const char *value)
{
    char tag[FILTER_WORD];
    struct error err;

    for (const char *at = value; *at != '\0';) {
        size_t length = strcspn(at, ",");

        snprintf(tag, sizeof tag, "%.*s", (int) length, at);
        if (length > 0 && history_filter_add_tag(f, tag, &err) != STATUS_OK)
            fault(f, word, "is more than can be asked for");
        at += length + (at[length] != '\0');
    }
}

/* False: it is no filter, but text. */
static bool
read_word(struct history_filter *f, const char *word)
{
    const char *colon = strchr(word, ':');
    size_t length = colon ? (size_t) (colon - word) : 0;
    const char *value = colon ? colon + 1 : "";

    if (is_one_of(word, length, "model", "model"))
        snprintf(f->model, sizeof f->model, "%s", value);
    else if (is_one_of(word, length, "title", "title"))
        snprintf(f->title, sizeof f->title, "%s", value);
    else if (is_one_of(word, length, "id", "id"))
        snprintf(f->id, sizeof f->id, "%s", value);
    else if (is_one_of(word, length, "tag", "tags"))
        read_tags(f, word, value);
    else if (is_one_of(word, length, "regex", "regex"))
        read_regex(f, word, value);
    else if (is_one_of(word, length, "after", "after"))
        read_date(f, &f->after_ms, word, value);
    else if (is_one_of(word, length, "before", "before"))
        read_date(f, &f->before_ms, word, value);
    else if (is_one_of(word, length, "role", "role"))
        read_roles(f, word, value);
    else if (is_one_of(word, length, "has", "has"))
        read_has(f, word, value);
    else
        return false;
    return true;
}

/* The bytes of "\\S" or "\\p{Lu}", in which a capital letter is none. */
static size_t
escape_length(const char *text)
{
    if (text[0] != '\\' || text[1] == '\0')
        return 0;
    if ((text[1] == 'p' || text[1] == 'P') && text[2] == '{')
        return strcspn(text, "}");
    return 2;
}

static bool
has_capital(const char *text, bool regex)
{
    size_t length = strlen(text);
    uint32_t c;
    bool valid;

    for (size_t at = 0; at < length;) {
        size_t escape = regex ? escape_length(text + at) : 0;

        if (escape > 0) {
            at += escape;
            continue;
        }
        at += utf8_next(text + at, length - at, &c, &valid);
        if (valid && iswupper((wint_t) c))
            return true;
    }
    return false;
}

static void
add_text(struct history_filter *f, const char *word)
{
    size_t length = strlen(f->text);

    snprintf(f->text + length, sizeof f->text - length, "%s%s",
             length > 0 ? " " : "", word);
    f->text[utf8_complete_prefix(f->text, strlen(f->text))] = '\0';
}

/* An expression that is none is a fault: it may not be typed to its end. */
static enum status
open_text(struct history_filter *f, struct error *err)
{
    struct text text = {f->text, strlen(f->text)};

    if (!f->regex)
        return needle_open(&f->needle, text, err);
    enum status status = pattern_open(&f->pattern, text, f->case_counts, err);

    if (status != STATUS_FORMAT)
        return status;
    snprintf(f->fault, sizeof f->fault, "%.*s", FILTER_FAULT - 1, err->text);
    f->text[0] = '\0';
    return STATUS_OK;
}

enum status
history_filter_set_text(struct history_filter *out, const char *text,
                        bool regex, struct error *err)
{
    if (strlen(text) >= sizeof out->text)
        return error_set(err, STATUS_FORMAT,
                         "what is looked for is longer than %d bytes",
                         FILTER_TEXT - 1);
    snprintf(out->text, sizeof out->text, "%s", text);
    out->regex = regex;
    out->case_counts = regex && has_capital(text, true);
    out->you = out->fathom = true;
    TRY(open_text(out, err));
    return out->fault[0] == '\0'
               ? STATUS_OK
               : error_set(err, STATUS_FORMAT, "%s", out->fault);
}

enum status
history_filter_read(struct history_filter *out, const char *typed, bool regex,
                    struct error *err)
{
    char word[FILTER_WORD];

    *out = (struct history_filter){.regex = regex};
    for (const char *at = typed + strspn(typed, " "); *at != '\0';) {
        size_t length = strcspn(at, " ");

        snprintf(word, sizeof word, "%.*s", (int) length, at);
        if (length >= sizeof word || !read_word(out, word))
            add_text(out, word);
        at += length;
        at += strspn(at, " ");
    }
    if (!out->roles)
        out->you = out->fathom = true;
    out->case_counts = has_capital(out->text, out->regex);
    if (out->text[0] == '\0')
        return STATUS_OK;
    if (!utf8_valid(out->text, strlen(out->text))) {
        fault(out, out->text, "is not UTF-8");
        out->text[0] = '\0';
        return STATUS_OK;
    }
    return open_text(out, err);
}

enum status
history_filter_add_tag(struct history_filter *f, const char *tag,
                       struct error *err)
{
    size_t length = strlen(f->tags), room = sizeof f->tags - length;

    if (*tag == '\0' || strchr(tag, ' ') != NULL)
        return error_set(err, STATUS_FORMAT,
                         "a tag to look for is one word, without blanks");
    if (strlen(tag) + 1 >= room)
        return error_set(err, STATUS_LIMIT,
                         "those are more tags than can be asked for");
    snprintf(f->tags + length, room, "%s ", tag);
    return STATUS_OK;
}

void
history_filter_release(struct history_filter *filter)
{
    needle_close(filter->needle);
    pattern_close(filter->pattern);
    explicit_bzero(filter, sizeof *filter);
}

/* -- looking ---------------------------------------------------------------
 */

bool
history_filter_has_text(const struct history_filter *f)
{
    return f->needle != NULL || f->pattern != NULL;
}

const char *
history_filter_gave_up(const struct history_filter *f)
{
    return f->pattern != NULL && pattern_gave_up(f->pattern)
               ? "the regular expression takes too long on what is kept; a "
                 "simpler one may not"
               : NULL;
}

bool
history_filter_is_empty(const struct history_filter *f)
{
    return !history_filter_has_text(f) && f->model[0] == '\0' &&
           f->title[0] == '\0' && f->id[0] == '\0' && f->tags[0] == '\0' &&
           f->after_ms == 0 && f->before_ms == 0 &&
           !history_filter_needs_turns(f);
}

bool
history_filter_needs_turns(const struct history_filter *f)
{
    return history_filter_has_text(f) || f->has_code || f->has_think;
}

static bool
same_letter(char a, char b)
{
    bool letter = (a | 0x20) >= 'a' && (a | 0x20) <= 'z';

    return a == b || (letter && (a ^ b) == 0x20);
}

/*
 * Whether a text begins like the pattern, in which * stands for anything, or
 * is like it as a whole.
 */
static bool
is_like(const char *pattern, const char *text, const char *end, bool whole)
{
    const char *star = NULL, *back = NULL;

    while (*pattern != '\0' || (whole && text < end)) {
        if (*pattern == '*') {
            star = ++pattern;
            back = text;
        } else if (text < end && same_letter(*pattern, *text) && *pattern) {
            pattern++;
            text++;
        } else if (star != NULL && back < end) {
            pattern = star;
            text = ++back;
        } else {
            return false;
        }
    }
    return true;
}

static bool
contains(struct text text, const char *pattern)
{
    for (size_t i = 0; i <= text.length; i++)
        if (is_like(pattern, text.bytes + i, text.bytes + text.length, false))
            return true;
    return false;
}

static bool
has_tag(struct text tags, const char *pattern)
{
    struct text tag;

    while (tags_next(&tag, &tags))
        if (is_like(pattern, tag.bytes, tag.bytes + tag.length, true))
            return true;
    return false;
}

static bool
tags_fit(const char *wanted, struct text tags)
{
    char tag[FILTER_TAGS];

    for (const char *at = wanted; *at != '\0';) {
        size_t length = strcspn(at, " ");

        snprintf(tag, sizeof tag, "%.*s", (int) length, at);
        if (!has_tag(tags, tag))
            return false;
        at += length + 1;
    }
    return true;
}

static bool
id_fits(const char *wanted, const struct chat_id *id)
{
    char text[CHAT_ID_TEXT];

    chat_id_text(text, id);
    return strncasecmp(text, wanted, strlen(wanted)) == 0;
}

bool
history_filter_takes(const struct history_filter *f,
                     const struct chat_info *info)
{
    if (f->after_ms > 0 && info->used_ms < f->after_ms)
        return false;
    if (f->before_ms > 0 && info->used_ms >= f->before_ms)
        return false;
    if (f->id[0] != '\0' && !id_fits(f->id, &info->id))
        return false;
    if (!tags_fit(f->tags, info->tags))
        return false;
    if (f->model[0] != '\0' &&
        (info->model.length == 0 || !contains(info->model, f->model)))
        return false;
    return f->title[0] == '\0' ||
           (info->title.length > 0 && contains(info->title, f->title));
}

/* Finds the text, with its case where that counts. */
static bool
find(const struct history_filter *f, struct text text, size_t *at,
     size_t *length)
{
    size_t from = 0;

    if (f->pattern != NULL)
        return pattern_find(at, length, f->pattern, text);
    while (from < text.length) {
        struct text rest = {text.bytes + from, text.length - from};

        if (!needle_find(at, length, f->needle, rest))
            return false;
        *at += from;
        if (!f->case_counts ||
            (*length == strlen(f->text) &&
             memcmp(text.bytes + *at, f->text, *length) == 0))
            return true;
        // the next character
        for (from = *at + 1;
             from < text.length && (text.bytes[from] & 0xC0) == 0x80;)
            from++;
    }
    return false;
}

bool
history_filter_takes_title(const struct history_filter *f,
                           const struct chat_info *info)
{
    size_t at, length;

    return history_filter_has_text(f) && !f->roles && !f->has_code &&
           !f->has_think && info->title.length > 0 &&
           find(f, info->title, &at, &length);
}

static bool
holds_code(struct text text)
{
    for (size_t i = 0; i + sizeof fence - 1 <= text.length; i++)
        if (memcmp(text.bytes + i, fence, sizeof fence - 1) == 0)
            return true;
    return false;
}

size_t
history_filter_turn(const struct history_filter *f,
                    const struct turn_record *turn,
                    struct filter_hit out[FILTER_HITS])
{
    bool role = turn->role == TURN_QUESTION ? f->you : f->fathom;
    struct filter_hit hit = {.in_thinking = false};
    size_t count = 0;

    if ((f->has_code && !holds_code(turn->content)) ||
        (f->has_think && turn->thinking.length == 0))
        return 0;
    if (!history_filter_has_text(f)) {
        if (role || (f->think && turn->thinking.length > 0))
            out[count++] = hit;
        return count;
    }
    if (role && turn->content.length > 0 &&
        find(f, turn->content, &hit.at, &hit.length))
        out[count++] = hit;
    hit.in_thinking = true;
    if (f->think && turn->thinking.length > 0 &&
        find(f, turn->thinking, &hit.at, &hit.length))
        out[count++] = hit;
    return count;
}

/* -- all chats -------------------------------------------------------------
 */

struct search {
    const struct history_filter *filter;
    vault_hit_fn *visit;
    void *context;
    const _Atomic bool *cancel;
    bool more; // false: the visitor has enough, or it was cancelled
};

static bool
is_cancelled(const struct search *s)
{
    return s->cancel != NULL && atomic_load(s->cancel);
}

static void
visit(struct search *s, const struct vault_hit *hit)
{
    s->more = s->more && s->visit(s->context, hit);
}

/* The title, and whether turns are to be looked at. */
static bool
search_title(struct search *s, const struct chat_info *info)
{
    struct vault_hit hit = {.chat = info};

    if (!history_filter_takes(s->filter, info))
        return false;
    if (!history_filter_needs_turns(s->filter) ||
        (history_filter_takes_title(s->filter, info) &&
         find(s->filter, info->title, &hit.at, &hit.length)))
        visit(s, &hit);
    return s->more && history_filter_needs_turns(s->filter);
}

static bool
search_turn(void *context, const struct chat_info *info,
            const struct turn_record *turn)
{
    struct filter_hit found[FILTER_HITS];
    struct search *s = context;

    if (is_cancelled(s) || history_filter_gave_up(s->filter))
        s->more = false;
    if (turn == NULL || !s->more)
        return s->more && search_title(s, info);
    size_t count = history_filter_turn(s->filter, turn, found);

    for (size_t i = 0; i < count; i++) {
        struct vault_hit hit = {info, turn, found[i].in_thinking, found[i].at,
                                found[i].length};

        visit(s, &hit);
    }
    return s->more;
}

enum status
history_filter_search(const struct history_filter *filter, struct vault *vault,
                      vault_hit_fn *visit_hit, void *context,
                      const _Atomic bool *cancel, struct error *err)
{
    struct search search = {filter, visit_hit, context, cancel, true};
    struct chat_id *ids;
    size_t count;

    TRY(vault_chat_ids(&ids, &count, vault, err));
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && search.more && i < count; i++)
        status = vault_each_turn(vault, &ids[i], search_turn, &search, err);
    free(ids);
    if (status == STATUS_OK && history_filter_gave_up(filter))
        status =
            error_set(err, STATUS_LIMIT, "%s", history_filter_gave_up(filter));
    if (status == STATUS_OK && is_cancelled(&search))
        status = error_set(err, STATUS_CANCELLED, "the search was cancelled");
    return status;
}
