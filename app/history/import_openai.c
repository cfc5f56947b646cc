/*
 * A conversation of OpenAI's export: nodes in a mapping, each with its parent.
 * What people did not see (system texts, tools, hidden nodes) is left out, and
 * what followed it follows what was before it. Messages of one role in a row,
 * as when a tool was used in between, become one turn; branches stay.
 */
#include "config.h"

#include "app/history/import_reader.h"

#include <stdlib.h>
#include <string.h>

enum {
    NONE = -1,
    NODE_STEPS = 16 << 20, // along runs of one role, in all
};

enum node_class { NODE_SKIPPED, NODE_QUESTION, NODE_ANSWER };

struct node {
    const char *id;
    const json_t *message;
    ptrdiff_t parent, first_child, last_child, next;
    enum node_class class;
    ptrdiff_t before; // nearest node above that is not skipped
    bool continued;   // some node after it has its role
    bool answered;    // some node after it has the other one
    uint64_t turn;    // that it became; 0: none
    ptrdiff_t below;  // the next of its run; see run_start
};

struct mapping {
    struct node *nodes;
    struct node **by_id; // sorted
    size_t count;
    size_t *order; // parents before children
    size_t steps;
};

static bool
is_word(const json_t *value, const char *word)
{
    return json_is_string(value) && strcmp(json_string_value(value), word) == 0;
}

/* -- what a node is ----------------------------------------------------------
 */

static bool
has_content(const json_t *content)
{
    const json_t *type = json_object_get(content, "content_type"), *part;
    size_t i;

    if (is_word(type, "thoughts"))
        return json_array_size(json_object_get(content, "thoughts")) > 0;
    if (is_word(type, "code"))
        return json_string_length(json_object_get(content, "text")) > 0;
    if (!is_word(type, "text") && !is_word(type, "multimodal_text"))
        return false;
    json_array_foreach(json_object_get(content, "parts"), i, part)
    {
        if (!json_is_string(part) || json_string_length(part) > 0)
            return true;
    }
    return false;
}

static enum node_class
class_of(const json_t *message)
{
    const json_t *role =
        json_object_get(json_object_get(message, "author"), "role");
    const json_t *hidden =
        json_object_get(json_object_get(message, "metadata"),
                        "is_visually_hidden_from_conversation");
    const json_t *recipient = json_object_get(message, "recipient");

    if (json_is_true(hidden) ||
        (json_is_string(recipient) && !is_word(recipient, "all")) ||
        !has_content(json_object_get(message, "content")))
        return NODE_SKIPPED;
    return is_word(role, "user")        ? NODE_QUESTION
           : is_word(role, "assistant") ? NODE_ANSWER
                                        : NODE_SKIPPED;
}

/* -- the tree ----------------------------------------------------------------
 */

static int
compare_ids(const void *a, const void *b)
{
    const struct node *const *x = a, *const *y = b;

    return strcmp((*x)->id, (*y)->id);
}

static ptrdiff_t
find(const struct mapping *m, const char *id)
{
    const struct node wanted = {.id = id}, *key = &wanted;
    struct node *const *found =
        bsearch(&key, m->by_id, m->count, sizeof key, compare_ids);

    return found ? *found - m->nodes : NONE;
}

static enum status
allocate(struct mapping *m, size_t count, struct error *err)
{
    void *memory;

    TRY(memory_alloc(&memory, (count + 1) * sizeof *m->nodes, err));
    m->nodes = memory;
    TRY(memory_alloc(&memory, (count + 1) * sizeof *m->by_id, err));
    m->by_id = memory;
    TRY(memory_alloc(&memory, (count + 1) * sizeof *m->order, err));
    m->order = memory;
    return STATUS_OK;
}

static enum status
collect_nodes(struct mapping *m, json_t *mapping, struct error *err)
{
    json_t *value;
    const char *id;

    json_object_foreach(mapping, id, value)
    {
        const json_t *message = json_object_get(value, "message");

        if (!json_is_object(value))
            return error_set(err, STATUS_FORMAT, "a node is not an object");
        m->nodes[m->count] = (struct node){
            .id = id,
            .message = message,
            .parent = NONE,
            .first_child = NONE,
            .last_child = NONE,
            .next = NONE,
            .before = NONE,
            .class = class_of(message),
        };
        m->by_id[m->count] = &m->nodes[m->count];
        m->count++;
    }
    qsort(m->by_id, m->count, sizeof *m->by_id, compare_ids);
    return STATUS_OK;
}

/* Hangs each node under its parent; a parent that is not there is none. */
static enum status
connect(struct mapping *m, const json_t *mapping, struct error *err)
{
    for (size_t i = 0; i < m->count; i++) {
        struct node *node = &m->nodes[i];
        const json_t *parent =
            json_object_get(json_object_get(mapping, node->id), "parent");

        if (parent && !json_is_null(parent) && !json_is_string(parent))
            return error_set(err, STATUS_FORMAT,
                             "the \"parent\" of a node is no text");
        if (!json_is_string(parent))
            continue;
        node->parent = find(m, json_string_value(parent));
        if (node->parent < 0)
            continue;
        struct node *above = &m->nodes[node->parent];

        if (above->last_child >= 0)
            m->nodes[above->last_child].next = (ptrdiff_t) i;
        else
            above->first_child = (ptrdiff_t) i;
        above->last_child = (ptrdiff_t) i;
    }
    return STATUS_OK;
}

/* The node after i within the tree that begins at `root`. */
static ptrdiff_t
after(const struct mapping *m, ptrdiff_t i, ptrdiff_t root)
{
    if (m->nodes[i].first_child >= 0)
        return m->nodes[i].first_child;
    while (i != root && m->nodes[i].next < 0)
        i = m->nodes[i].parent;
    return i != root ? m->nodes[i].next : NONE;
}

static enum status
put_in_order(struct mapping *m, struct error *err)
{
    size_t ordered = 0;

    for (size_t root = 0; root < m->count; root++) {
        if (m->nodes[root].parent >= 0)
            continue;
        for (ptrdiff_t i = (ptrdiff_t) root; i >= 0;
             i = after(m, i, (ptrdiff_t) root))
            m->order[ordered++] = (size_t) i;
    }
    // whoever cannot be reached from a beginning follows itself
    return ordered == m->count ? STATUS_OK
                               : error_set(err, STATUS_FORMAT,
                                           "its nodes go round in a circle");
}

static void
look_upwards(struct mapping *m)
{
    for (size_t k = 0; k < m->count; k++) {
        struct node *node = &m->nodes[m->order[k]];

        if (node->parent >= 0) {
            const struct node *above = &m->nodes[node->parent];

            node->before =
                above->class == NODE_SKIPPED ? above->before : node->parent;
        }
        if (node->class == NODE_SKIPPED || node->before < 0)
            continue;
        struct node *before = &m->nodes[node->before];

        if (before->class == node->class)
            before->continued = true;
        else
            before->answered = true;
    }
}

/* -- turns -------------------------------------------------------------------
 */

/* Sets what follows off from what is there. */
static enum status
add_text(struct import_chat *chat, struct buffer *to, struct text text,
         const char *between, struct error *err)
{
    struct text gap = {between,
                       to->length > 0 && text.length > 0 ? strlen(between) : 0};

    TRY(import_chat_text(chat, to, gap, err));
    return import_chat_text(chat, to, text, err);
}

static struct text
text_of(const json_t *value)
{
    return (struct text){json_string_value(value), json_string_length(value)};
}

/* What is no text leaves a word in its place. */
static struct text
part_text(const json_t *part)
{
    static const struct text image = {"[image]", 7},
                             file = {"[attachment]", 12};
    const json_t *text = json_object_get(part, "text");

    if (json_is_string(part))
        return text_of(part);
    if (json_is_string(text))
        return text_of(text);
    return is_word(json_object_get(part, "content_type"), "image_asset_pointer")
               ? image
               : file;
}

static enum status
add_thoughts(struct import_chat *chat, struct buffer *to, const json_t *content,
             struct error *err)
{
    const json_t *thought;
    size_t i;

    json_array_foreach(json_object_get(content, "thoughts"), i, thought)
    {
        const json_t *summary = json_object_get(thought, "summary"),
                     *text = json_object_get(thought, "content");

        if (json_is_string(summary))
            TRY(add_text(chat, to, text_of(summary), "\n\n", err));
        if (json_is_string(text))
            TRY(add_text(chat, to, text_of(text), "\n\n", err));
    }
    return STATUS_OK;
}

static enum status
add_code(struct import_chat *chat, struct buffer *to, const json_t *content,
         struct error *err)
{
    static const struct text open = {"```\n", 4}, close = {"\n```", 4};

    TRY(add_text(chat, to, open, "\n\n", err));
    TRY(import_chat_text(chat, to, text_of(json_object_get(content, "text")),
                         err));
    return import_chat_text(chat, to, close, err);
}

static enum status
add_content(struct import_chat *chat, const struct node *node,
            struct error *err)
{
    struct import_turn *texts = import_chat_last(chat);
    const json_t *content = json_object_get(node->message, "content"),
                 *type = json_object_get(content, "content_type"), *part;
    const char *between = "\n\n"; // messages; parts are lines
    size_t i;

    if (is_word(type, "thoughts"))
        return add_thoughts(chat, &texts->thinking, content, err);
    if (is_word(type, "code"))
        return add_code(chat, &texts->content, content, err);
    json_array_foreach(json_object_get(content, "parts"), i, part)
    {
        TRY(add_text(chat, &texts->content, part_text(part), between, err));
        between = "\n";
    }
    return STATUS_OK;
}

/*
 * The first of the run of one role that ends at `node`; from there `below`
 * leads to the node.
 */
static enum status
run_start(struct node **out, struct mapping *m, struct node *node,
          struct error *err)
{
    node->below = NONE;
    for (*out = node; (*out)->before >= 0; m->steps++) {
        struct node *above = &m->nodes[(*out)->before];

        if (above->class != node->class)
            break;
        above->below = *out - m->nodes;
        *out = above;
    }
    return m->steps <= NODE_STEPS
               ? STATUS_OK
               : error_set(err, STATUS_LIMIT, "its messages are too entangled");
}

static enum status
add_run(struct import_chat *chat, const struct mapping *m,
        const struct node *start, struct error *err)
{
    for (; start != NULL;
         start = start->below >= 0 ? &m->nodes[start->below] : NULL)
        TRY(add_content(chat, start, err));
    return STATUS_OK;
}

/* How an answer ended, and who gave it. */
static enum status
describe(struct import_chat *chat, struct turn_record *turn,
         const struct node *node, struct error *err)
{
    const json_t *metadata = json_object_get(node->message, "metadata"),
                 *model = json_object_get(metadata, "model_slug"),
                 *ending = json_object_get(
                     json_object_get(metadata, "finish_details"), "type");

    turn->complete =
        !is_word(json_object_get(node->message, "status"), "in_progress") &&
        !is_word(ending, "interrupted");
    turn->finish = is_word(ending, "max_tokens") ? FINISH_LENGTH : FINISH_STOP;
    if (!json_is_string(model))
        return STATUS_OK;
    return import_chat_text(chat, &import_chat_last(chat)->model,
                            text_of(model), err);
}

static enum status
add_turn(struct import_chat *chat, struct mapping *m, struct node *node,
         struct error *err)
{
    uint64_t parent, time_ms = 0;
    struct turn_record *turn;
    struct node *start;

    TRY(run_start(&start, m, node, err));
    parent = start->before >= 0 ? m->nodes[start->before].turn : 0;
    TRY(import_seconds(&time_ms, start->message, "create_time", err));
    // an answer to nothing gets an empty question
    if (node->class == NODE_ANSWER && parent == 0) {
        TRY(import_chat_add(&turn, chat, TURN_QUESTION, 0, err));
        turn->time_ms = time_ms;
        parent = turn->id;
    }
    TRY(import_chat_add(
        &turn, chat, node->class == NODE_QUESTION ? TURN_QUESTION : TURN_ANSWER,
        parent, err));
    turn->time_ms = time_ms;
    node->turn = turn->id;
    if (node->class == NODE_ANSWER)
        TRY(describe(chat, turn, node, err));
    return add_run(chat, m, start, err);
}

static enum status
add_turns(struct import_chat *chat, struct mapping *m, struct error *err)
{
    for (size_t k = 0; k < m->count; k++) {
        struct node *node = &m->nodes[m->order[k]];

        if (node->class != NODE_SKIPPED && (node->answered || !node->continued))
            TRY(add_turn(chat, m, node, err));
    }
    return STATUS_OK;
}

/* The turn at the end of the branch in use, or the one before it. */
static uint64_t
leaf_of(const struct mapping *m, const json_t *item)
{
    const json_t *current = json_object_get(item, "current_node");
    ptrdiff_t i =
        json_is_string(current) ? find(m, json_string_value(current)) : NONE;

    while (i >= 0 && m->nodes[i].turn == 0)
        i = m->nodes[i].parent;
    return i >= 0 ? m->nodes[i].turn : 0;
}

static enum status
read_mapping(struct import_chat *chat, struct mapping *m, json_t *mapping,
             struct error *err)
{
    size_t count = json_object_size(mapping);

    // a node may become two turns
    if (count > IMPORT_TURNS)
        return error_set(err, STATUS_LIMIT, "it has more than %d nodes",
                         IMPORT_TURNS);
    TRY(allocate(m, count, err));
    TRY(collect_nodes(m, mapping, err));
    TRY(connect(m, mapping, err));
    TRY(put_in_order(m, err));
    look_upwards(m);
    return add_turns(chat, m, err);
}

enum status
import_openai(struct import_chat *chat, const json_t *item, struct error *err)
{
    struct mapping m = {0};
    struct text title = {0}, name = {0};
    json_t *mapping = json_object_get(item, "mapping");

    if (!json_is_object(item))
        return error_set(err, STATUS_FORMAT, "it is not an object");
    TRY(import_text(&title, item, "title", err));
    TRY(import_chat_text(chat, &chat->title, title, err));
    TRY(import_text(&name, item, "conversation_id", err));
    import_chat_name(chat, "openai", name);
    TRY(import_seconds(&chat->info.created_ms, item, "create_time", err));
    TRY(import_seconds(&chat->info.used_ms, item, "update_time", err));
    if (!json_is_object(mapping))
        return error_set(err, STATUS_FORMAT,
                         "its \"mapping\" is not an object");
    enum status status = read_mapping(chat, &m, mapping, err);

    if (status == STATUS_OK)
        chat->info.leaf = leaf_of(&m, item);
    free(m.nodes);
    free(m.by_id);
    free(m.order);
    return status;
}
