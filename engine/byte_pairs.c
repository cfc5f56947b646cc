/*
 * The merge table: two symbols to a rank and a symbol. The file writes merges
 * as text ("A B"); they become numbers once, so that encoding touches no text.
 */
#include "config.h"

#include "engine/byte_pairs.h"

#include "engine/byte_text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A merge. left < 0: a free slot. */
struct merge {
    int32_t left, right;
    uint32_t rank;
    int32_t joined;
};

/* Symbols that are no tokens, by text. */
struct extras {
    struct gguf_string *texts;
    struct text_table table;
    size_t count, capacity;
    char *bytes; // joined texts lie here
    size_t used, bytes_capacity;
};

struct byte_pairs {
    const struct vocabulary *vocabulary;
    struct merge *slots;
    size_t mask; // slots - 1
    int32_t symbol_of[256];
    int32_t token_of[256]; // or TOKEN_NONE
    bool whole_words;
};

// -- symbols -----------------------------------------------------------------

/*
 * Opened at the first text that is no token: the tokens of real files hold
 * every text that their merges mention.
 */
static enum status
open_extras(struct extras *extras, const struct gguf_value *merges,
            struct error *err)
{
    const struct gguf_string *merge = merges->data;
    void *memory;

    // every byte is a symbol; a merge mentions two texts and both joined
    extras->capacity = 256 + 3 * merges->count;
    extras->bytes_capacity = 2 * 256;
    for (size_t i = 0; i < merges->count; i++)
        extras->bytes_capacity += 2 * merge[i].length;
    TRY(memory_alloc(&memory, extras->bytes_capacity, err));
    extras->bytes = memory;
    TRY(memory_alloc(&memory, extras->capacity * sizeof *extras->texts, err));
    extras->texts = memory;
    return text_table_init(&extras->table, extras->texts, extras->capacity,
                           err);
}

static void
close_extras(struct extras *extras)
{
    text_table_release(&extras->table);
    free(extras->texts);
    free(extras->bytes);
}

/* The symbol of a text without a token. The text is copied. */
static enum status
extra_symbol(struct extras *extras, size_t tokens, const char *bytes,
             size_t length, const struct gguf_value *merges, int32_t *out,
             struct error *err)
{
    int32_t found;

    if (extras->texts == NULL)
        TRY(open_extras(extras, merges, err));
    found = text_table_find(&extras->table, bytes, length);
    if (found == TEXT_NONE) {
        assert(extras->count < extras->capacity);
        assert(length <= extras->bytes_capacity - extras->used);
        char *copy = extras->bytes + extras->used;
        memcpy(copy, bytes, length);
        extras->used += length;
        extras->texts[extras->count] = (struct gguf_string){copy, length};
        TRY(text_table_add(&extras->table, (int32_t) extras->count, &found,
                           err));
        extras->count++;
    }
    *out = (int32_t) tokens + found;
    return STATUS_OK;
}

/* Both parts of a merge and where the two joined may be. */
struct merge_text {
    const char *left, *right;
    size_t left_length, right_length;
};

/* A merge is split at the first blank behind its first byte. */
static bool
split_merge(const struct gguf_string *text, struct merge_text *out)
{
    if (text->length < 3)
        return false;
    const char *blank = memchr(text->bytes + 1, ' ', text->length - 1);

    if (blank == NULL || blank + 1 == text->bytes + text->length)
        return false;
    size_t left = (size_t) (blank - text->bytes);
    *out = (struct merge_text){text->bytes, blank + 1, left,
                               text->length - left - 1};
    return true;
}

/* Whether the two parts joined are the text of this token. */
static bool
joins_to(const struct vocabulary *v, int32_t id, const struct merge_text *m)
{
    if (id < 0 || (size_t) id >= v->count)
        return false;
    const struct gguf_string *text = &v->text[id];

    return text->length == m->left_length + m->right_length &&
           memcmp(text->bytes, m->left, m->left_length) == 0 &&
           memcmp(text->bytes + m->left_length, m->right, m->right_length) == 0;
}

/* Reading the merges of one file. */
struct reading {
    const struct gguf *gguf;
    const struct vocabulary *vocabulary;
    const struct gguf_value *merges;
    struct extras extras;
    struct buffer joined; // scratch
    int32_t last;         // what the merge before gave
};

static enum status
symbol_of_text(struct reading *r, const char *bytes, size_t length,
               int32_t *out, struct error *err)
{
    *out = vocabulary_find(r->vocabulary, bytes, length);
    if (*out != TOKEN_NONE)
        return STATUS_OK;
    return extra_symbol(&r->extras, r->vocabulary->count, bytes, length,
                        r->merges, out, err);
}

static enum status
joined_symbol(struct reading *r, const struct merge_text *m, int32_t *out,
              struct error *err)
{
    // tokens usually stand in the order of the merges that make them
    if (joins_to(r->vocabulary, r->last + 1, m)) {
        *out = r->last + 1;
    } else {
        buffer_clear(&r->joined);
        TRY(buffer_append(&r->joined, m->left, m->left_length, err));
        TRY(buffer_append(&r->joined, m->right, m->right_length, err));
        TRY(symbol_of_text(r, r->joined.data, r->joined.length, out, err));
    }
    r->last = *out;
    return STATUS_OK;
}

// -- the table ---------------------------------------------------------------

static size_t
place_of(int32_t left, int32_t right)
{
    uint64_t both = (uint64_t) (uint32_t) left << 32 | (uint32_t) right;

    return (size_t) (both * 0x9E3779B97F4A7C15u >> 24);
}

/* The slot of a pair, or the free one where it belongs, or NULL: too far. */
static struct merge *
walk(const struct byte_pairs *pairs, int32_t left, int32_t right)
{
    size_t place = place_of(left, right);

    for (size_t i = 0; i < TEXT_WALK_MAX; i++) {
        struct merge *slot = &pairs->slots[(place + i) & pairs->mask];

        if (slot->left < 0 || (slot->left == left && slot->right == right))
            return slot;
    }
    return NULL;
}

/* Makes entry i of the merges numbers. */
static enum status
read_merge(struct reading *r, size_t i, struct merge *out, struct error *err)
{
    const struct gguf_string *text =
        (const struct gguf_string *) r->merges->data + i;
    struct merge_text m;
    char shown[80];

    if (!split_merge(text, &m))
        return error_set(
            err, STATUS_FORMAT,
            "%s: tokenizer.ggml.merges: entry %zu \"%s\" is not two texts "
            "with a blank between them",
            gguf_shown(r->gguf), i,
            text_quote(shown, sizeof shown, text->bytes, text->length));
    out->rank = (uint32_t) i;
    TRY(symbol_of_text(r, m.left, m.left_length, &out->left, err));
    TRY(symbol_of_text(r, m.right, m.right_length, &out->right, err));
    return joined_symbol(r, &m, &out->joined, err);
}

static enum status
add_merge(struct byte_pairs *pairs, const struct reading *r,
          const struct merge *merge, struct error *err)
{
    struct merge *slot = walk(pairs, merge->left, merge->right);

    if (slot == NULL)
        return error_set(err, STATUS_FORMAT,
                         "%s: tokenizer.ggml.merges: too many merges like "
                         "entry %u share a hash",
                         gguf_shown(r->gguf), merge->rank);
    if (slot->left < 0) // else an earlier one of the same two counts
        *slot = *merge;
    return STATUS_OK;
}

static void
prefetch_merge(const struct reading *r, size_t i)
{
    const struct gguf_string *text = r->merges->data;
    const struct text_table *table = &r->vocabulary->table;
    struct merge_text m;

    if (i >= r->merges->count || !split_merge(&text[i], &m))
        return;
    text_table_prefetch(table, m.left, m.left_length);
    text_table_prefetch(table, m.right, m.right_length);
}

/*
 * Reads all merges into the table. Both tables are larger than the caches
 * near the core, so each entry is fetched some entries ahead of its use.
 */
static enum status
fill_table(struct byte_pairs *pairs, struct reading *r, struct error *err)
{
    struct merge ahead[TEXT_AHEAD];
    size_t count = r->merges->count;

    for (size_t i = 0; i < count + TEXT_AHEAD; i++) {
        struct merge *merge = &ahead[i % TEXT_AHEAD];
        if (i >= TEXT_AHEAD)
            TRY(add_merge(pairs, r, merge, err));
        if (i >= count)
            continue;
        prefetch_merge(r, i + TEXT_AHEAD);
        TRY(read_merge(r, i, merge, err));
        __builtin_prefetch(
            &pairs->slots[place_of(merge->left, merge->right) & pairs->mask]);
    }
    return STATUS_OK;
}

static enum status
read_merges(struct byte_pairs *pairs, struct reading *r, struct error *err)
{
    size_t slots = 64;
    void *memory;

    while (slots < r->merges->count + r->merges->count / 2)
        slots *= 2;
    TRY(memory_alloc(&memory, slots * sizeof *pairs->slots, err));
    pairs->slots = memory;
    pairs->mask = slots - 1;
    for (size_t i = 0; i < slots; i++)
        pairs->slots[i].left = TOKEN_NONE;
    return fill_table(pairs, r, err);
}

static enum status
read_bytes(struct byte_pairs *pairs, struct reading *r, struct error *err)
{
    for (int byte = 0; byte < 256; byte++) {
        char text[2];
        size_t length = byte_text_write(text, (uint8_t) byte);
        int32_t token = vocabulary_find(r->vocabulary, text, length);

        TRY(symbol_of_text(r, text, length, &pairs->symbol_of[byte], err));
        pairs->token_of[byte] =
            token != TOKEN_NONE && vocabulary_typed(r->vocabulary, token)
                ? token
                : TOKEN_NONE;
    }
    return STATUS_OK;
}

enum status
byte_pairs_open(struct byte_pairs **out, const struct gguf *gguf,
                const struct vocabulary *vocabulary, bool whole_words,
                struct error *err)
{
    const char *key = "tokenizer.ggml.merges";
    struct reading r = {.gguf = gguf, .vocabulary = vocabulary};
    void *memory;

    *out = NULL;
    TRY(vocabulary_array(gguf, key, GGUF_STRING, 0, &r.merges, err));
    if (r.merges == NULL)
        return error_set(err, STATUS_FORMAT, "%s: %s is missing",
                         gguf_shown(gguf), key);
    TRY(memory_alloc(&memory, sizeof **out, err));
    struct byte_pairs *pairs = memory;
    pairs->vocabulary = vocabulary;
    pairs->whole_words = whole_words;
    enum status status = read_bytes(pairs, &r, err);
    if (status == STATUS_OK)
        status = read_merges(pairs, &r, err);
    close_extras(&r.extras);
    buffer_release(&r.joined);
    if (status == STATUS_OK)
        *out = pairs;
    else
        byte_pairs_close(pairs);
    return status;
}

void
byte_pairs_close(struct byte_pairs *pairs)
{
    if (pairs == NULL)
        return;
    free(pairs->slots);
    free(pairs);
}

// -- encoding ----------------------------------------------------------------

static uint32_t
rate_merge(const void *rule, int32_t left, int32_t right, uint32_t start,
           uint32_t end, int32_t *joined)
{
    const struct merge *slot = walk(rule, left, right);

    (void) start;
    (void) end;
    if (slot == NULL || slot->left < 0)
        return MERGE_NEVER;
    *joined = slot->joined;
    return slot->rank;
}

/* The token that is the whole segment, or TOKEN_NONE. */
static enum status
whole_word(const struct byte_pairs *pairs, const char *bytes, size_t length,
           int32_t *out, struct error *err)
{
    char some[256], *text = some;
    size_t n = 0;
    void *memory = NULL;

    *out = TOKEN_NONE;
    if (length > pairs->vocabulary->longest_bytes)
        return STATUS_OK;
    if (length > sizeof some / 2) {
        TRY(memory_alloc(&memory, 2 * length, err));
        text = memory;
    }
    for (size_t i = 0; i < length; i++)
        n += byte_text_write(text + n, (uint8_t) bytes[i]);
    int32_t id = vocabulary_find(pairs->vocabulary, text, n);
    if (id != TOKEN_NONE && vocabulary_typed(pairs->vocabulary, id))
        *out = id;
    explicit_bzero(text, n);
    free(memory);
    return STATUS_OK;
}

static enum status
append_symbol(const struct byte_pairs *pairs, int32_t id, const char *bytes,
              size_t length, struct tokens *out, struct error *err)
{
    if ((size_t) id < pairs->vocabulary->count &&
        vocabulary_typed(pairs->vocabulary, id))
        return tokens_append(out, &id, 1, err);
    for (size_t i = 0; i < length; i++) {
        const int32_t *token = &pairs->token_of[(uint8_t) bytes[i]];
        if (*token != TOKEN_NONE)
            TRY(tokens_append(out, token, 1, err));
    }
    return STATUS_OK;
}

enum status
byte_pairs_encode(const struct byte_pairs *pairs, const char *bytes,
                  size_t length, struct merge_list *list, struct tokens *out,
                  struct error *err)
{
    if (pairs->whole_words) {
        int32_t id;
        TRY(whole_word(pairs, bytes, length, &id, err));
        if (id != TOKEN_NONE)
            return tokens_append(out, &id, 1, err);
    }
    TRY(merge_list_begin(list, length, err));
    for (size_t i = 0; i < length; i++) {
        list->symbols[i].start = (uint32_t) i;
        list->symbols[i].id = pairs->symbol_of[(uint8_t) bytes[i]];
    }
    merge_list_join(list, (uint32_t) length, rate_merge, pairs);
    for (uint32_t i = 0; i < list->count; i = list->symbols[i].next) {
        uint32_t start = list->symbols[i].start;
        TRY(append_symbol(pairs, list->symbols[i].id, bytes + start,
                          merge_list_end(list, i) - start, out, err));
    }
    return STATUS_OK;
}
