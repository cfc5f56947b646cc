/* A chat has its place among the rows that are kept by its number. */
#include "config.h"

#include "app/screen/chat_rows.h"

#include "app/history/history_common.h"
#include "app/history/turn_count.h"

#include <string.h>
#include <time.h>

/* -- what is known of a chat -----------------------------------------------
 */

static void
empty_hits(struct chat_row *row)
{
    for (size_t i = 0; i < row->hit_count; i++)
        buffer_release(&row->hits[i].line);
    row->hit_count = 0;
}

static void
empty_row(struct chat_row *row)
{
    empty_hits(row);
    buffer_release(&row->title);
    buffer_release(&row->model);
    buffer_release(&row->tags);
    explicit_bzero(row, sizeof *row);
}

static bool
fill_row(void *context, const struct chat_info *info,
         const struct turn_record *turn)
{
    struct chat_row *row = context;
    struct error err;

    (void) turn;
    // without memory less is shown
    (void) !history_line(&row->title, info->title, &err);
    (void) !history_line(&row->model, info->model, &err);
    (void) !history_line(&row->tags, info->tags, &err);
    chat_id_text(row->id, &info->id);
    time_text_brief(row->when, info->used_ms, (uint64_t) time(NULL) * 1000);
    row->pinned = info->pinned;
    return false;
}

struct chat_row *
chat_rows_find(struct chat_rows *rows, size_t chat)
{
    struct chat_row *row = &rows->kept[chat % ROWS_KEPT];
    struct error err, why;

    if (row->filled && row->chat == chat)
        return row;
    empty_row(row);
    row->chat = chat;
    row->filled = true;
    if (vault_each_turn(rows->vault, &rows->ids[chat], fill_row, row, &err) !=
        STATUS_OK)
        (void) !buffer_print(&row->title, &why, "(%s)", err.text);
    row->turns = turn_count(rows->vault, &rows->ids[chat]);
    return row;
}

/* -- what was found in it --------------------------------------------------
 */

struct holding {
    const struct history_filter *filter;
    struct chat_row *row;
    size_t skip; // hits before the first that is held
};

static const char *
place_of(const struct turn_record *turn, bool in_thinking)
{
    if (in_thinking)
        return "thinking";
    return turn->role == TURN_QUESTION ? "you" : "fathom";
}

static enum status
fill_hit(struct held_hit *hit, struct text text, const struct filter_hit *found,
         struct error *err)
{
    struct history_context c =
        history_context_of(text, found->at, found->length);

    TRY(history_line(&hit->line, c.before, err));
    hit->at = hit->line.length;
    TRY(history_line(&hit->line, c.hit, err));
    hit->length = hit->line.length - hit->at;
    return history_line(&hit->line, c.after, err);
}

static bool
hold_hits(void *context, const struct chat_info *info,
          const struct turn_record *turn)
{
    struct holding *h = context;
    struct filter_hit found[FILTER_HITS];
    struct error err;

    (void) info;
    if (turn == NULL)
        return true;
    size_t count = history_filter_turn(h->filter, turn, found);

    for (size_t i = 0; i < count && h->row->hit_count < HELD_HITS; i++) {
        struct held_hit *hit = &h->row->hits[h->row->hit_count];

        if (h->skip > 0) {
            h->skip--;
            continue;
        }
        *hit = (struct held_hit){.place = place_of(turn, found[i].in_thinking),
                                 .turn = turn->id,
                                 .in_text = !found[i].in_thinking,
                                 .begin = found[i].at};
        (void) !fill_hit(hit,
                         found[i].in_thinking ? turn->thinking : turn->content,
                         &found[i], &err);
        h->row->hit_count++;
    }
    return h->row->hit_count < HELD_HITS;
}

const struct held_hit *
chat_rows_hit(struct chat_rows *rows, const struct history_filter *filter,
              size_t chat, size_t number)
{
    struct chat_row *row = chat_rows_find(rows, chat);
    struct error err;

    if (number < row->first_hit || number - row->first_hit >= row->hit_count) {
        struct holding holding = {filter, row, 0};

        empty_hits(row);
        row->first_hit = number > 1 ? number - 1 : 0;
        holding.skip = row->first_hit;
        (void) !vault_each_turn(rows->vault, &rows->ids[chat], hold_hits,
                                &holding, &err);
    }
    return number - row->first_hit < row->hit_count
               ? &row->hits[number - row->first_hit]
               : NULL;
}

void
chat_rows_forget_hits(struct chat_rows *rows)
{
    for (size_t i = 0; i < ROWS_KEPT; i++) {
        empty_hits(&rows->kept[i]);
        rows->kept[i].first_hit = 0;
    }
}

void
chat_rows_release(struct chat_rows *rows)
{
    for (size_t i = 0; i < ROWS_KEPT; i++)
        empty_row(&rows->kept[i]);
}
