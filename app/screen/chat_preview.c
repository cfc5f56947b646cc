/* The tree of a chat in a few lines, and turns of the branch in use. */
#include "config.h"

#include "app/screen/chat_preview.h"

#include "app/history/history_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TREE_NUMBERS = 12, TREE_LEAVES = 3 };

static const char *
text_in(const struct buffer *buffer)
{
    return buffer->data ? buffer->data : "";
}

/* -- reading ---------------------------------------------------------------
 */

struct taking {
    struct chat_preview *into;
    uint64_t leaf;
    enum status status;
    struct error err;
};

static bool
take_turn(void *context, const struct chat_info *info,
          const struct turn_record *turn)
{
    struct taking *t = context;

    if (turn == NULL) {
        t->leaf = info->leaf;
        buffer_clear(&t->into->tags);
        t->status = history_line(&t->into->tags, info->tags, &t->err);
        return t->status == STATUS_OK;
    }
    t->into->bytes += turn->content.length + turn->thinking.length;
    t->status = conversation_take(&t->into->chat, turn, &t->err);
    return t->status == STATUS_OK;
}

bool
chat_preview_read(struct chat_preview *p, struct vault *vault,
                  const struct chat_id *id)
{
    struct taking taking = {.into = p};
    struct error err;

    conversation_clear(&p->chat);
    p->bytes = 0;
    chat_id_text(p->id, id);
    if (vault_each_turn(vault, id, take_turn, &taking, &err) != STATUS_OK ||
        taking.status != STATUS_OK)
        return false;
    size_t leaf = conversation_find(&p->chat, taking.leaf);

    if (leaf == TURN_NONE && p->chat.count > 0)
        leaf = p->chat.count - 1;
    conversation_move(&p->chat, leaf);
    return true;
}

/* -- what is shown ---------------------------------------------------------
 */

static bool
is_leaf(const struct conversation *c, size_t turn)
{
    for (size_t i = turn + 1; i < c->count; i++)
        if (c->turns[i].parent == turn)
            return false;
    return true;
}

static size_t
count_leaves(const struct conversation *c)
{
    size_t leaves = 0;

    for (size_t i = 0; i < c->count; i++)
        leaves += is_leaf(c, i);
    return leaves;
}

static void
put_head(struct chat_preview *p)
{
    size_t branches = count_leaves(&p->chat);
    size_t turns = conversation_depth(&p->chat);
    struct error err;

    buffer_clear(&p->head);
    (void) !buffer_print(&p->head, &err, "id %.8s   %zu turn%s   ", p->id,
                         turns, turns == 1 ? "" : "s");
    if (branches > 1)
        (void) !buffer_print(&p->head, &err, "%zu branches   ", branches);
    (void) !buffer_print(&p->head, &err, "%zu KB", (p->bytes + 999) / 1000);
}

/* "1-2-3": the numbers of the turns from `from` on; the last ones. */
static void
put_numbers(struct chat_preview *p, const size_t *path, size_t from,
            size_t count)
{
    const struct conversation *c = &p->chat;
    size_t numbers[TREE_NUMBERS], n = 0, before = 0;
    struct error err;
    bool cut = false;

    for (size_t i = from; i < count; i++) {
        size_t number = conversation_number(c, path[i]);

        if (number == before)
            continue;
        before = number;
        if (n == TREE_NUMBERS) {
            memmove(numbers, numbers + 1, (TREE_NUMBERS - 1) * sizeof *numbers);
            n--;
            cut = true;
        }
        numbers[n++] = number;
    }
    for (size_t i = 0; i < n; i++)
        (void) !buffer_print(&p->tree, &err, "%s%zu",
                             i > 0 ? "-"
                             : cut ? "..-"
                                   : "",
                             numbers[i]);
}

/* A branch that is not in use, from where it leaves the one in use. */
static void
put_branch(struct chat_preview *p, size_t leaf, size_t in_use)
{
    struct conversation *c = &p->chat;
    struct error err;
    size_t *path, count, from = 0;

    conversation_move(c, leaf);
    enum status status = conversation_path(&path, &count, c, &err);

    conversation_move(c, in_use);
    if (status != STATUS_OK)
        return;
    while (from < count && conversation_on_branch(c, path[from]))
        from++;
    (void) !buffer_print(&p->tree, &err, "       `-");
    put_numbers(p, path, from, count);
    if (from > 0)
        (void) !buffer_print(&p->tree, &err, "   after %zu",
                             conversation_number(c, path[from - 1]));
    (void) !buffer_print(&p->tree, &err, "\n");
    free(path);
}

static void
put_tree(struct chat_preview *p, const size_t *path, size_t count)
{
    const struct conversation *c = &p->chat;
    size_t in_use = c->leaf, shown = 0;
    struct error err;

    buffer_clear(&p->tree);
    if (count == 0)
        return;
    (void) !buffer_print(&p->tree, &err, "tree   ");
    put_numbers(p, path, 0, count);
    (void) !buffer_print(&p->tree, &err, "   in use\n");
    for (size_t i = c->count; i-- > 0 && shown < TREE_LEAVES;)
        if (i != in_use && is_leaf(c, i)) {
            put_branch(p, i, in_use);
            shown++;
        }
}

static void
put_turn(struct chat_preview *p, size_t slot, const struct turn *turn)
{
    struct history_turn *out = &p->turns[slot];
    const struct turn_origin *o = &turn->origin;
    char *thought = p->thought[slot];
    struct tm local;
    time_t seconds = (time_t) (turn->time_ms / 1000);

    localtime_r(&seconds, &local);
    strftime(p->when[slot], TIME_TEXT, "%d %b %H:%M", &local);
    thought[0] = '\0';
    if (o->thinking_tokens > 0)
        snprintf(thought, PREVIEW_THOUGHT, "thought %llu tok",
                 (unsigned long long) o->thinking_tokens);
    else if (turn->thinking.length > 0)
        snprintf(thought, PREVIEW_THOUGHT, "thought");
    *out = (struct history_turn){
        .question = turn->role == TURN_QUESTION,
        .when = p->when[slot],
        .thought = thought,
        .text = text_in(&turn->content),
        .length = turn->content.length,
    };
}

/* Some turns of the branch in use: about `at`, or the last ones. */
static void
put_turns(struct chat_preview *p, const size_t *path, size_t count, size_t at,
          struct history_preview *out)
{
    size_t first = count > PREVIEW_TURNS ? count - PREVIEW_TURNS : 0;
    size_t place = count;

    for (size_t i = 0; i < count; i++)
        if (path[i] == at)
            place = i;
    if (place < count && place < first + PREVIEW_TURNS / 2)
        first = place > PREVIEW_TURNS / 2 ? place - PREVIEW_TURNS / 2 : 0;
    out->count = count - first < PREVIEW_TURNS ? count - first : PREVIEW_TURNS;
    for (size_t i = 0; i < out->count; i++)
        put_turn(p, i, &p->chat.turns[path[first + i]]);
    out->turns = p->turns;
    out->earlier = first;
    out->later = count - first - out->count;
    out->at = place < count ? place - first : out->count;
}

bool
chat_preview_show(struct chat_preview *p, uint64_t turn,
                  struct history_preview *out)
{
    size_t at = turn ? conversation_find(&p->chat, turn) : TURN_NONE;
    size_t *path, count;
    struct error err;

    if (at != TURN_NONE && !conversation_on_branch(&p->chat, at))
        conversation_move(&p->chat, at);
    if (conversation_path(&path, &count, &p->chat, &err) != STATUS_OK)
        return false;
    put_head(p);
    put_tree(p, path, count);
    put_turns(p, path, count, at, out);
    free(path);
    out->head = text_in(&p->head);
    out->tags = text_in(&p->tags);
    out->tree = text_in(&p->tree);
    return true;
}

size_t
chat_preview_number(const struct chat_preview *p, uint64_t turn)
{
    size_t at = turn ? conversation_find(&p->chat, turn) : TURN_NONE;

    return at == TURN_NONE ? 0 : conversation_number(&p->chat, at);
}

/* -- the life --------------------------------------------------------------
 */

void
chat_preview_init(struct chat_preview *p)
{
    *p = (struct chat_preview){.bytes = 0};
    conversation_init(&p->chat);
}

void
chat_preview_release(struct chat_preview *p)
{
    conversation_release(&p->chat);
    buffer_release(&p->head);
    buffer_release(&p->tags);
    buffer_release(&p->tree);
    explicit_bzero(p, sizeof *p);
}
