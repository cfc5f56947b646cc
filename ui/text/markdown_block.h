/*
 * Where a block of Markdown ends, before anybody parses it: the outermost
 * ones only. A block is never cut where its two parts would mean something
 * else than the whole, unless it is longer than BLOCK_MOST.
 */
#ifndef FATHOM_UI_MARKDOWN_BLOCK_H
#define FATHOM_UI_MARKDOWN_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

enum { BLOCK_MOST = 32768 };

enum block_kind {
    BLOCK_TEXT,  // paragraph, heading, list, quote, rule, indented code
    BLOCK_TABLE, // begins with a header and the line below it
    BLOCK_FENCE, // the line that opens a block of code
};

struct block_fence {
    char mark;       // ` or ~
    unsigned count;  // of marks
    unsigned indent; // blanks before them
    unsigned item;   // columns before the text of the item it is in; or 0
};

struct markdown_block {
    enum block_kind kind;
    size_t length; // without the blank lines behind it
    bool closed;   // whatever follows, it stays as it is
    bool cut;      // longer than BLOCK_MOST; what follows is its rest
    bool heading;
    bool list;
    unsigned item; // columns before the text of its last item; or 0
    struct block_fence fence;
    size_t info, info_length; // what stands behind the fence's marks
};

/*
 * The block at the start of the text, whose first line is not blank. `ended`:
 * no text comes after this.
 */
void markdown_block_find(struct markdown_block *block, const char *text,
                         size_t length, bool ended);

/* Is this line no longer of the item that the fence is in? */
bool markdown_fence_left(const struct block_fence *fence, const char *line,
                         size_t length);
/* Is this line, without its newline, the end of the fence? */
bool markdown_fence_ends(const struct block_fence *fence, const char *line,
                         size_t length);
/* Might it become that, when more of it comes? */
bool markdown_fence_may_end(const struct block_fence *fence, const char *line,
                            size_t length);

#endif
