/*
 * The shape of a chat: which turn follows which, and the order in which to
 * show them. Turns are named by their index in the array they came in, where a
 * parent lies before its children; a parent that does not is taken for none.
 */
#ifndef FATHOM_APP_TURN_TREE_H
#define FATHOM_APP_TURN_TREE_H

#include "storage/storage.h"

enum { TURN_TREE_NONE = -1 };

struct turn_node {
    ptrdiff_t parent, first_child, last_child, next; // TURN_TREE_NONE
    unsigned version, versions; // of the turns with its parent: 2 of 3
    bool in_use;                // on the branch that ends at the leaf
};

struct turn_tree {
    struct turn_node *nodes;
    size_t count;
    // what to show: the branch in use, or all, each branch to its end
    size_t *order;
    size_t order_count;
};

/*
 * `leaf` is the id of the turn at the end of the branch in use; where there is
 * no such turn it is the last one. The caller releases *out.
 */
MUST_CHECK enum status turn_tree_build(struct turn_tree *out,
                                       const struct turn_record *turns,
                                       size_t count, uint64_t leaf,
                                       bool all_branches, struct error *err);
void turn_tree_release(struct turn_tree *tree);

#endif
