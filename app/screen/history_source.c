/*
 * Ids of all chats are known from the start, the rest is read from the vault
 * when it is asked for. A search keeps which chats fit and how much was found
 * in each; where that is is found anew for the rows in sight.
 */
#include "config.h"

#include "app/screen/history_source.h"

#include "app/history/history_filter.h"
#include "app/history/turn_count.h"
#include "app/chat/chat_verb.h"
#include "app/screen/chat_preview.h"
#include "app/screen/chat_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    STEP_NS = 4 * 1000 * 1000, // of work between two keys
    SENTENCE = 1024,           // as long as an error's text
};

/* A chat that fits the search. */
struct match {
    uint32_t chat, hits;
};

struct history_source {
    struct chat *chat;
    struct vault *vault;
    struct chat_id *ids;
    size_t count;

    size_t counted; // chats whose messages were counted
    uint64_t messages;
    uint64_t vault_bytes;

    struct history_filter filter;
    bool searching;
    struct match *matches;
    size_t match_count, match_room;
    size_t looked_at; // chats
    uint64_t hits, took_ns;
    char fault[SENTENCE];

    size_t *removed; // chats, in their order
    size_t removed_count, removed_room;

    struct chat_rows kept;
    struct chat_preview preview;
    char sentence[SENTENCE];
};

/* -- rows ------------------------------------------------------------------
 */

/* The chat of a row, as an index of the ids. */
static size_t
chat_of_row(const struct history_source *s, size_t row)
{
    return s->searching ? s->matches[row].chat : row;
}

/* Whether the vault is still the one that was open at the start. */
static bool
is_whole(const struct history_source *s)
{
    return s->chat->keeping.vault == s->vault;
}

static size_t
rows(void *context)
{
    const struct history_source *s = context;

    if (!is_whole(s))
        return 0;
    return s->searching ? s->match_count : s->count;
}

static bool
is_removed(const struct history_source *s, size_t chat)
{
    for (size_t i = 0; i < s->removed_count; i++)
        if (s->removed[i] == chat)
            return true;
    return false;
}

static bool
is_open(const struct history_source *s, size_t chat)
{
    const struct vault_chat *open = s->chat->keeping.chat;

    return open != NULL && memcmp(&vault_chat_info(open)->id, &s->ids[chat],
                                  sizeof s->ids[chat]) == 0;
}

static const char *
text_in(const struct buffer *buffer)
{
    return buffer->data ? buffer->data : "";
}

static bool
row(void *context, size_t index, struct history_row *out)
{
    struct history_source *s = context;

    if (index >= rows(s))
        return false;
    size_t chat = chat_of_row(s, index);
    const struct chat_row *kept = chat_rows_find(&s->kept, chat);

    *out = (struct history_row){
        .id = kept->id,
        .when = kept->when,
        .model = text_in(&kept->model),
        .title = text_in(&kept->title),
        .tags = text_in(&kept->tags),
        .turns = kept->turns == TURN_COUNT_UNKNOWN ? HISTORY_TURNS_UNKNOWN
                                                   : kept->turns,
        .hits = s->searching ? s->matches[index].hits : 0,
        .in_use = is_open(s, chat),
        .pinned = kept->pinned,
        .deleted = is_removed(s, chat),
    };
    return true;
}

/* -- what was found in a row -----------------------------------------------
 */

/* NULL: nothing is looked for, or there are not so many. */
static const struct held_hit *
held_hit(struct history_source *s, size_t index, size_t number)
{
    if (number == SIZE_MAX || index >= rows(s) || !s->searching ||
        !history_filter_has_text(&s->filter))
        return NULL;
    return chat_rows_hit(&s->kept, &s->filter, chat_of_row(s, index), number);
}

static bool
hit(void *context, size_t index, size_t number, struct history_hit *out)
{
    const struct held_hit *held = held_hit(context, index, number);

    if (held == NULL)
        return false;
    *out = (struct history_hit){text_in(&held->line), held->at, held->length,
                                held->place};
    return true;
}

static uint64_t
hits_before(void *context, size_t index)
{
    const struct history_source *s = context;
    uint64_t sum = 0;

    for (size_t i = 0; s->searching && i < index && i < s->match_count; i++)
        sum += s->matches[i].hits;
    return sum;
}

/* -- the search ------------------------------------------------------------
 */

static void
note_fault(struct history_source *s, const struct error *err)
{
    if (s->fault[0] == '\0')
        snprintf(s->fault, sizeof s->fault, "%s", err->text);
}

static void
search(void *context, const char *text, bool regex)
{
    struct history_source *s = context;
    struct error err;

    history_filter_release(&s->filter);
    s->fault[0] = '\0';
    if (history_filter_read(&s->filter, text, regex, &err) != STATUS_OK)
        note_fault(s, &err);
    else if (s->filter.fault[0] != '\0')
        snprintf(s->fault, sizeof s->fault, "%s", s->filter.fault);
    s->searching = !history_filter_is_empty(&s->filter);
    s->match_count = s->looked_at = 0;
    s->hits = s->took_ns = 0;
    chat_rows_forget_hits(&s->kept);
}

/* A chat that is looked at. */
struct looking {
    const struct history_filter *filter;
    bool fits;
    uint32_t hits;
};

static bool
look(void *context, const struct chat_info *info,
     const struct turn_record *turn)
{
    struct looking *l = context;
    struct filter_hit found[FILTER_HITS];

    if (turn == NULL) {
        if (!history_filter_takes(l->filter, info))
            return false;
        l->fits = !history_filter_needs_turns(l->filter) ||
                  history_filter_takes_title(l->filter, info);
        return history_filter_needs_turns(l->filter);
    }
    size_t count = history_filter_turn(l->filter, turn, found);

    l->fits = l->fits || count > 0;
    if (!history_filter_has_text(l->filter))
        return count == 0; // one is enough
    l->hits += (uint32_t) count;
    return true;
}

static enum status
add_match(struct history_source *s, size_t chat, uint32_t hits,
          struct error *err)
{
    if (s->match_count == s->match_room) {
        size_t room = s->match_room ? 2 * s->match_room : 256;
        void *memory;

        TRY(memory_alloc(&memory, room * sizeof *s->matches, err));
        if (s->match_count > 0)
            memcpy(memory, s->matches, s->match_count * sizeof *s->matches);
        free(s->matches);
        s->matches = memory;
        s->match_room = room;
    }
    s->matches[s->match_count++] = (struct match){(uint32_t) chat, hits};
    s->hits += hits;
    return STATUS_OK;
}

static bool
is_looking(const struct history_source *s)
{
    return s->searching && s->looked_at < s->count;
}

static void
look_at_next(struct history_source *s)
{
    size_t chat = s->looked_at++;
    struct looking looking = {.filter = &s->filter};
    struct error err;
    enum status status =
        vault_each_turn(s->vault, &s->ids[chat], look, &looking, &err);

    if (status == STATUS_OK && looking.fits)
        status = add_match(s, chat, looking.hits, &err);
    if (status != STATUS_OK)
        note_fault(s, &err);
    const char *why = history_filter_gave_up(&s->filter);

    // the others would find nothing either
    if (why != NULL) {
        snprintf(s->fault, sizeof s->fault, "%s", why);
        s->looked_at = s->count;
    }
}

static bool
count_messages(void *context, const struct chat_info *info,
               const struct turn_record *turn)
{
    (void) turn;
    *(uint64_t *) context += info->turns;
    return false;
}

static void
count_next(struct history_source *s)
{
    struct error err;

    if (vault_each_turn(s->vault, &s->ids[s->counted++], count_messages,
                        &s->messages, &err) != STATUS_OK)
        note_fault(s, &err);
}

/* What is left of a step goes from one to the other. */
static bool
work(void *context)
{
    struct history_source *s = context;
    uint64_t start = clock_ns(), now = start;

    if (!is_whole(s))
        return false;
    for (; is_looking(s) && now - start < STEP_NS; now = clock_ns())
        look_at_next(s);
    s->took_ns += now - start;
    for (; !is_looking(s) && s->counted < s->count && now - start < STEP_NS;
         now = clock_ns())
        count_next(s);
    return is_looking(s) || s->counted < s->count;
}

static struct history_totals
totals(void *context)
{
    const struct history_source *s = context;

    return (struct history_totals){
        .chats = s->count,
        .messages = s->messages,
        .messages_known = s->counted == s->count,
        .vault_bytes = s->vault_bytes,
        .searching = s->searching,
        .done = s->looked_at == s->count,
        .text = history_filter_has_text(&s->filter),
        .hits = s->hits,
        .matches = s->match_count,
        .took_ns = s->took_ns,
        .fault = s->fault[0] ? s->fault : NULL,
    };
}

/* -- the preview -----------------------------------------------------------
 */

/* The turn of the vault in which something was found; 0: none is asked for. */
static uint64_t
turn_of_hit(struct history_source *s, size_t index, size_t number)
{
    const struct held_hit *held = held_hit(s, index, number);

    return held ? held->turn : 0;
}

static void
put_hit(const struct held_hit *hit, struct history_preview *out)
{
    if (hit == NULL || !hit->in_text)
        return;
    out->hit = text_in(&hit->line) + hit->at;
    out->hit_length = hit->length;
    out->hit_begin = hit->begin;
}

static bool
read_preview(struct history_source *s, size_t index)
{
    return index < rows(s) && chat_preview_read(&s->preview, s->vault,
                                                &s->ids[chat_of_row(s, index)]);
}

static bool
preview(void *context, size_t index, size_t number, struct history_preview *out)
{
    struct history_source *s = context;

    *out = (struct history_preview){.head = "", .tags = "", .tree = ""};
    if (!read_preview(s, index) ||
        !chat_preview_show(&s->preview, turn_of_hit(s, index, number), out))
        return false;
    put_hit(held_hit(s, index, number), out);
    return true;
}

static size_t
turn_number(void *context, size_t index, size_t number)
{
    struct history_source *s = context;

    return read_preview(s, index)
               ? chat_preview_number(&s->preview, turn_of_hit(s, index, number))
               : 0;
}

/* -- doing -----------------------------------------------------------------
 */

static const char *
say(struct history_source *s, const char *sentence)
{
    snprintf(s->sentence, sizeof s->sentence, "%s", sentence);
    return s->sentence;
}

/* A vault that is only looked at is not changed. */
static const char *
refusal(struct history_source *s)
{
    if (s->chat->keeping.kind == KEEPING_VAULT)
        return NULL;
    return say(s, "this vault can be read, and nothing is written to it");
}

static const char *
pin(void *context, size_t index)
{
    struct history_source *s = context;
    struct error err;

    if (refusal(s) != NULL)
        return refusal(s);
    size_t chat = chat_of_row(s, index);
    struct chat_row *kept = chat_rows_find(&s->kept, chat);

    if (chat_set_pinned(s->chat, &s->ids[chat], !kept->pinned, &err) !=
        STATUS_OK)
        return say(s, err.text);
    kept->pinned = !kept->pinned;
    return NULL;
}

static const char *
remove_row(void *context, size_t index)
{
    struct history_source *s = context;
    size_t chat = chat_of_row(s, index);
    struct error err;

    if (refusal(s) != NULL)
        return refusal(s);
    if (is_open(s, chat))
        return say(s, "that is the chat you are in; /forget deletes it");
    if (is_removed(s, chat))
        return say(s, "it goes already when this view is closed; u takes that "
                      "back");
    if (s->removed_count == s->removed_room) {
        size_t room = s->removed_room ? 2 * s->removed_room : 16;
        void *memory;

        if (memory_alloc(&memory, room * sizeof *s->removed, &err) != STATUS_OK)
            return say(s, err.text);
        if (s->removed_count > 0)
            memcpy(memory, s->removed, s->removed_count * sizeof *s->removed);
        free(s->removed);
        s->removed = memory;
        s->removed_room = room;
    }
    s->removed[s->removed_count++] = chat;
    return NULL;
}

/* The row of a chat; the first one where it is not among them. */
static size_t
row_of_chat(const struct history_source *s, size_t chat)
{
    for (size_t i = 0; s->searching && i < s->match_count; i++)
        if (s->matches[i].chat == chat)
            return i;
    return s->searching ? 0 : chat;
}

static const char *
restore(void *context, size_t *index)
{
    struct history_source *s = context;

    if (s->removed_count == 0)
        return say(s, "nothing is to be deleted");
    *index = row_of_chat(s, s->removed[--s->removed_count]);
    return NULL;
}

/* -- the life --------------------------------------------------------------
 */

/* Of the file; 0: that is not known. */
static uint64_t
measure(const struct chat *chat)
{
    char path[PLACE_BYTES];
    struct stat file;
    int n =
        snprintf(path, sizeof path, "%s/vault.db", chat->keeping.folders.data);

    return n > 0 && n < PLACE_BYTES && stat(path, &file) == 0
               ? (uint64_t) file.st_size
               : 0;
}

enum status
history_source_open(struct history_source **out, struct chat *chat,
                    struct error *err)
{
    struct history_source *s;
    void *memory;

    TRY(memory_alloc(&memory, sizeof *s, err));
    s = memory;
    *s = (struct history_source){.chat = chat,
                                 .vault = chat->keeping.vault,
                                 .vault_bytes = measure(chat)};
    chat_preview_init(&s->preview);
    enum status status = vault_chat_ids(&s->ids, &s->count, s->vault, err);

    s->kept = (struct chat_rows){.vault = s->vault, .ids = s->ids};
    if (status == STATUS_OK) {
        *out = s;
    } else {
        chat_preview_release(&s->preview);
        free(s);
    }
    return status;
}

enum status
history_source_close(struct history_source *s, size_t *deleted,
                     struct error *err)
{
    enum status status = STATUS_OK;
    struct error why;

    *deleted = 0;
    if (s == NULL)
        return STATUS_OK;
    for (size_t i = 0; is_whole(s) && i < s->removed_count; i++)
        if (vault_delete_chat(s->vault, &s->ids[s->removed[i]], &why) ==
            STATUS_OK) {
            ++*deleted;
        } else if (status == STATUS_OK) {
            *err = why;
            status = why.status;
        }
    history_filter_release(&s->filter);
    chat_preview_release(&s->preview);
    chat_rows_release(&s->kept);
    free(s->matches);
    free(s->removed);
    free(s->ids);
    explicit_bzero(s, sizeof *s);
    free(s);
    return status;
}

void
history_source_changed(struct history_source *source)
{
    chat_rows_release(&source->kept);
}

struct view_history_source
history_source_calls(struct history_source *source)
{
    return (struct view_history_source){
        .context = source,
        .totals = totals,
        .rows = rows,
        .row = row,
        .hit = hit,
        .preview = preview,
        .hits_before = hits_before,
        .turn_number = turn_number,
        .search = search,
        .work = work,
        .pin = pin,
        .remove = remove_row,
        .restore = restore,
    };
}
