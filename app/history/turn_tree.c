/* Ids are found by bisection in a sorted copy. */
#include "config.h"

#include "app/history/turn_tree.h"

#include <stdlib.h>
#include <string.h>

struct id_index {
    uint64_t id;
    size_t index;
};

static int
compare(const void *a, const void *b)
{
    const struct id_index *x = a, *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

static enum status
allocate(void **out, size_t count, size_t each, struct error *err)
{
    size_t bytes;

    if (!size_mul(&bytes, count ? count : 1, each))
        return error_set(err, STATUS_NOMEM, "a chat of too many turns");
    return memory_alloc(out, bytes, err);
}

static enum status
sort_ids(struct id_index **out, const struct turn_record *turns, size_t count,
         struct error *err)
{
    void *memory;

    TRY(allocate(&memory, count, sizeof **out, err));
    *out = memory;
    for (size_t i = 0; i < count; i++)
        (*out)[i] = (struct id_index){turns[i].id, i};
    qsort(*out, count, sizeof **out, compare);
    return STATUS_OK;
}

static ptrdiff_t
find(const struct id_index *ids, size_t count, uint64_t id)
{
    struct id_index wanted = {id, 0};
    const struct id_index *found =
        id ? bsearch(&wanted, ids, count, sizeof *ids, compare) : NULL;

    return found ? (ptrdiff_t) found->index : TURN_TREE_NONE;
}

/* Hangs turn i under its parent, behind its elder siblings. */
static void
hang(struct turn_tree *tree, ptrdiff_t i, ptrdiff_t parent,
     ptrdiff_t *last_root)
{
    struct turn_node *node = &tree->nodes[i];
    ptrdiff_t *last = parent >= 0 ? &tree->nodes[parent].last_child : last_root;

    *node = (struct turn_node){
        parent, TURN_TREE_NONE, TURN_TREE_NONE, TURN_TREE_NONE, 1, 1, false};
    if (*last >= 0) {
        tree->nodes[*last].next = i;
        node->version = tree->nodes[*last].version + 1;
    } else if (parent >= 0) {
        tree->nodes[parent].first_child = i;
    }
    *last = i;
}

/* The youngest sibling's version is how many there are. */
static void
count_versions(struct turn_tree *tree, ptrdiff_t last_root)
{
    for (size_t i = 0; i < tree->count; i++) {
        struct turn_node *node = &tree->nodes[i];
        ptrdiff_t last = node->parent >= 0
                             ? tree->nodes[node->parent].last_child
                             : last_root;

        node->versions = tree->nodes[last].version;
    }
}

static void
mark_branch(struct turn_tree *tree, ptrdiff_t leaf)
{
    for (ptrdiff_t i = leaf; i >= 0; i = tree->nodes[i].parent)
        tree->nodes[i].in_use = true;
}

/* What comes after i when each branch is shown to its end. */
static ptrdiff_t
after(const struct turn_tree *tree, ptrdiff_t i)
{
    if (tree->nodes[i].first_child >= 0)
        return tree->nodes[i].first_child;
    while (i >= 0 && tree->nodes[i].next < 0)
        i = tree->nodes[i].parent;
    return i >= 0 ? tree->nodes[i].next : TURN_TREE_NONE;
}

static void
put_in_order(struct turn_tree *tree, bool all_branches)
{
    for (ptrdiff_t i = tree->count > 0 ? 0 : TURN_TREE_NONE; i >= 0;
         i = after(tree, i))
        if (all_branches || tree->nodes[i].in_use)
            tree->order[tree->order_count++] = (size_t) i;
}

static void
connect(struct turn_tree *tree, const struct turn_record *turns,
        const struct id_index *ids, uint64_t leaf)
{
    ptrdiff_t last_root = TURN_TREE_NONE;

    for (size_t i = 0; i < tree->count; i++) {
        ptrdiff_t parent = find(ids, tree->count, turns[i].parent);

        hang(tree, (ptrdiff_t) i,
             parent < (ptrdiff_t) i ? parent : TURN_TREE_NONE, &last_root);
    }
    count_versions(tree, last_root);
    ptrdiff_t end = find(ids, tree->count, leaf);

    mark_branch(tree, end >= 0 ? end : (ptrdiff_t) tree->count - 1);
}

enum status
turn_tree_build(struct turn_tree *out, const struct turn_record *turns,
                size_t count, uint64_t leaf, bool all_branches,
                struct error *err)
{
    struct id_index *ids;
    void *memory;

    *out = (struct turn_tree){0};
    TRY(sort_ids(&ids, turns, count, err));
    enum status status = allocate(&memory, count, sizeof *out->nodes, err);

    if (status == STATUS_OK) {
        out->nodes = memory;
        status = allocate(&memory, count, sizeof *out->order, err);
    }
    if (status == STATUS_OK) {
        out->order = memory;
        out->count = count;
        connect(out, turns, ids, leaf);
        put_in_order(out, all_branches);
    } else {
        turn_tree_release(out);
    }
    free(ids);
    return status;
}

void
turn_tree_release(struct turn_tree *tree)
{
    free(tree->nodes);
    free(tree->order);
    *tree = (struct turn_tree){0};
}
